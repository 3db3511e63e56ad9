# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from lvbo.errors import InputError, ToolError
from lvbo.ids import ControllerId
from lvbo.io.atomic import write_whole
from lvbo.io.plans_toml import plans_text, read_plans, write_plans
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import one_period
from lvbo.signal.transition import Switch, Transition, TransitionRule
from lvbo.testing import TINY, legal_plans, tiny_network, tiny_plans

GOOD = plans_text(tiny_plans())


def findings(tmp_path: Path, text: str, *, known: bool = False) -> list[tuple[str, str]]:
    path = tmp_path / "plans.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_plans(path, tiny_network() if known else None)
    return [(finding.code, finding.place) for finding in caught.value.findings()]


def line_of(text: str, part: str) -> str:
    return f"plans.toml:{text[: text.index(part)].count(chr(10)) + 1}"


def test_plans_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    write_plans(tiny_plans(), path)

    assert read_plans(path, tiny_network()) == tiny_plans()
    assert plans_text(read_plans(path)) == GOOD


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(case=legal_plans())
def test_any_legal_plan_comes_back(tmp_path: Path, case: tuple[SignalRules, Plan]) -> None:
    path = tmp_path / "plans.toml"
    plans = one_period([case[1]])
    write_plans(plans, path)

    assert read_plans(path) == plans


def test_a_changed_green_is_one_changed_line() -> None:
    changed = plans_text(tiny_plans().mapped(lambda plan: plan.later(1)))
    pairs = zip(GOOD.splitlines(), changed.splitlines(), strict=True)

    assert [(a, b) for a, b in pairs if a != b] == [
        ("offset_s = 60", "offset_s = 61"),
        ("offset_s = 7.5", "offset_s = 8.5"),
    ]


def test_a_plan_reads_as_an_engineer_would_write_it() -> None:
    assert "EWL = [{ start_s = 85, length_s = 10, yellow_s = 3 }]" in GOOD
    assert '  { start = "22:00", end = "06:00", name = "night" },' in GOOD
    assert '  { id = "C", green_s = 10.5, interstage_s = 5, phases = ["EW"] },' in GOOD


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("cycle_s = 100", "cycle_s = 'long'", "LV305"),
        ("cycle_s = 100", "cycle_s = 100.05", "LV305"),
        ("cycle_s = 100\n", "", "LV306"),
        ("cycle_s = 100", "cycle_s = 100\nsplit = 3", "LV307"),
        ("cycle_s = 100", "cycle_s = 0", "LV301"),
        ("cycle_s = 100", "cycle_s = 20", "LV302"),
        ("offset_s = 60", "offset_s = 100", "LV303"),
        ('reference = "NS"', 'reference = "EW"', "LV304"),
        ('id = "P2"', 'id = "P1"', "LV346"),
        ('period = "day" }', 'period = "noon" }', "LV347"),
        ('end = "22:00"', 'end = "23:00"', "LV310"),
        ('end = "22:00"', 'end = "21:00"', "LV310"),
        ('end = "22:00"', 'end = "25:00"', "LV305"),
        ("lvbo = 1", "lvbo = 9", "LV308"),
        ("[[day]]", "[extra]\n\n[[day]]", "LV307"),
        ("2026-02-17", "2026-02-30", "LV305"),
        ("[plan.greens]", "[plan.greens", "LV342"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, code: str) -> None:
    text = GOOD.replace(old, new, 1)
    found = findings(tmp_path, text)

    assert [c for c, _ in found] == [code]
    assert found[0][1].startswith("plans.toml:")


def test_the_line_is_that_of_the_key(tmp_path: Path) -> None:
    text = GOOD.replace("offset_s = 7.5", "offset_s = true")
    green = GOOD.replace("start_s = 85", "start_s = 'x'")

    assert findings(tmp_path, text) == [("LV305", line_of(text, "offset_s = true"))]
    assert findings(tmp_path, green) == [("LV305", line_of(green, "EWL = "))]


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("offset_s = 60", "offset_s = 100").replace('end = "22:00"', 'end = "23:00"')
    text = text.replace("offset_s = 7.5", "offset_s = -1")

    assert [code for code, _ in findings(tmp_path, text)] == [
        "LV310",
        "LV303",
        "LV303",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('controller = "tiny"', 'controller = "other"', "LV345"),
        ("EWL = ", "EWX = ", "LV235"),
    ],
)
def test_names_are_checked_against_the_network(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert [c for c, _ in findings(tmp_path, GOOD.replace(old, new, 1), known=True)] == [code]


SHORT = """
lvbo = 1
type = "PlanSet"
[[plan]]
controller = "tiny"
id = "P1"
cycle_s = 40
offset_s = 0
[plan.greens]
NS = [{ start_s = 0, length_s = 5 }]
NSL = [{ start_s = 10, length_s = 5 }]
EW = [{ start_s = 20, length_s = 5 }]
EWL = [{ start_s = 30, length_s = 5 }]
"""


def test_minimum_greens_above_the_cycle_are_found(tmp_path: Path) -> None:
    assert findings(tmp_path, SHORT, known=True) == [("LV343", "plans.toml:4")]
    assert read_plans(tmp_path / "plans.toml").plans[0].cycle_ds == 400


def test_a_file_that_is_missing_or_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    with pytest.raises(InputError) as missing:
        read_plans(path)
    path.write_bytes("名称".encode("gb18030"))
    with pytest.raises(InputError) as encoded:
        read_plans(path)

    assert (missing.value.code, encoded.value.code) == ("LV341", "LV342")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plans.toml"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError) as caught:
        write_plans(tiny_plans(), path)

    assert (caught.value.code, caught.value.exit_code) == ("LV340", 5)
    assert caught.value.fields["reason"] == "No space left on device"
    assert [p.name for p in tmp_path.iterdir()] == ["plans.toml"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        write_whole(tmp_path / "none" / "a.toml", b"")

    assert caught.value.code == "LV340"


def test_the_day_type_of_most_days_is_written_first(tmp_path: Path) -> None:
    plans = tiny_plans()
    (day,) = plans.day_plans
    runs = tuple(replace(a, day_type="weekend") for a in plans.assignments)
    both = replace(
        plans,
        day_plans=(replace(day, day_type="weekend"), day),
        assignments=(*runs, *plans.assignments),
    )
    write_plans(both, tmp_path / "plans.toml")

    assert [d.day_type for d in read_plans(tmp_path / "plans.toml").day_plans] == [
        "workday",
        "weekend",
    ]


NIGHT_TO_DAY = Switch(day_type="workday", before="night", after="day")
RULES = (
    TransitionRule(longer=0.3, shorter=0.1),
    TransitionRule(way=Transition.SUBTRACT, shorter=0.0834, switch=NIGHT_TO_DAY),
    TransitionRule(way=Transition.DWELL, longer=0.12, controller=TINY),
    TransitionRule(way=Transition.ADD, longer=0.5, controller=TINY, switch=NIGHT_TO_DAY),
)
TABLE = "[[transition]]\n"
SWITCH = 'day = "workday"\nbefore = "night"\nafter = "day"\n'


def test_transitions_come_back_as_written_the_general_ones_first(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    plans = tiny_plans().with_transitions(RULES)
    write_plans(plans, path)
    text = path.read_text(encoding="utf-8")

    assert read_plans(path, tiny_network()) == plans
    assert text.index("longer = 0.3") < text.index("shorter = 0.0834")
    assert f'{TABLE}{SWITCH}way = "subtract"\nshorter = 0.0834\n' in text


def test_the_rule_for_a_controller_goes_before_that_for_a_switch() -> None:
    plans = tiny_plans().with_transitions(RULES)
    back = Switch(day_type="workday", before="day", after="night")
    other = ControllerId("other")

    assert plans.transition(TINY, NIGHT_TO_DAY).longer == 0.5
    assert plans.transition(TINY, back).way is Transition.DWELL
    assert plans.transition(other, NIGHT_TO_DAY).way is Transition.SUBTRACT
    assert plans.transition(other, back).longer == plans.transition(other, None).longer == 0.3
    assert tiny_plans().transition(TINY, back) == TransitionRule()
    assert plans.only([other]).transitions == RULES[:2]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('way = "jump"', "LV305"),
        ('way = "add"\nlonger = "much"', "LV305"),
        ("longer = 0", "LV312"),
        ("longer = 1.5", "LV312"),
        ("shorter = 0.6", "LV312"),
        ("shorter = nan", "LV312"),
        ("most = 0.2", "LV307"),
        ('day = "workday"\nafter = "day"', "LV306"),
        (SWITCH.replace("night", "noon"), "LV348"),
        (SWITCH.replace("workday", "weekend"), "LV348"),
        ('controller = "elsewhere"', "LV349"),
        ('way = "add"\n\n[[transition]]\nway = "subtract"', "LV313"),
    ],
)
def test_a_faulty_transition_is_told_once_with_its_line(
    tmp_path: Path, table: str, code: str
) -> None:
    text = GOOD.replace("[[plan]]", f"{TABLE}{table}\n\n[[plan]]", 1)
    first = int(line_of(text, TABLE).split(":")[1])
    ((found, place),) = findings(tmp_path, text)

    assert found == code
    assert first <= int(place.split(":")[1]) <= first + 4


def test_a_set_with_two_rules_for_the_same_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        replace(tiny_plans(), transitions=(TransitionRule(), TransitionRule(longer=0.1)))

    assert caught.value.code == "LV313"
