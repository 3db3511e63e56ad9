# SPDX-License-Identifier: Apache-2.0
"""`lvbo transition` on a street of two signals that changes its offsets at eight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from lvbo.cli.load import read_place
from lvbo.ids import PlanId
from lvbo.io.plans_toml import read_plans
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.project import transition
from lvbo.project.line import safe_plans
from lvbo.project.plan_files import write_plans
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.signal.transition import Switch

EIGHT = 8 * 3600


def two_periods(tiny: Path, target: Path) -> Path:
    """Write the plans of a place, and the same 13 s later from eight to eight."""
    place = read_place(tiny)
    early = safe_plans(place.network, place.plans).plans
    late = tuple(replace(plan.later(13), id=PlanId("late")) for plan in early)
    periods = {
        "early": (Period(start_s=20 * 3600, end_s=EIGHT, name="early"), early),
        "late": (Period(start_s=EIGHT, end_s=20 * 3600, name="late"), late),
    }
    plans = PlanSet(
        plans=(*early, *late),
        day_plans=(DayPlan(day_type="workday", periods=tuple(p for p, _ in periods.values())),),
        assignments=tuple(
            Assignment(controller=p.controller, day_type="workday", period=name, plan=p.id)
            for name, (_, own) in periods.items()
            for p in own
        ),
    )
    write_plans(plans, target)
    return target


def test_each_controller_is_told_how_it_gets_into_step(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    plans = two_periods(tiny, tmp_path / "plans.toml")
    options = ("-s", "High St", "-p", plans, "-c", tiny_counts, "--from", "early", "--to", "late")
    said = call("transition", tiny, *options, "--json")
    shown = call("transition", tiny, *options, "--lang", "zh")
    damage = said.data["damage"]

    assert said.status == 0
    assert [c["controller"] for c in said.data["controllers"]] == ["A", "B"]
    assert all(c["quickest_moved_s"] == 13 for c in said.data["controllers"])
    assert said.data["change_s"] == EIGHT
    assert set(damage) == {"chosen", "quickest", "at_once"}
    assert "最快方式" in shown.out


def test_plans_with_the_ways_are_written_and_read_back(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    plans, out = two_periods(tiny, tmp_path / "plans.toml"), tmp_path / "out"
    options = ("-s", "High St", "-c", tiny_counts, "--from", "early", "--to", "late")
    said = call("transition", tiny, "-p", plans, *options, "-o", out, "--json")
    kept = read_plans(out / "plans.toml", read_place(tiny).network)
    again = call("transition", tiny, "-p", out / "plans.toml", *options, "--json")
    switch = Switch(day_type="workday", before="early", after="late")
    sheet = (out / "stage-sheet-zh.csv").read_text(encoding="utf-8-sig")
    programmes = (out / "plans.workday.add.xml").read_text(encoding="utf-8")

    assert said.status == again.status == 0
    assert said.data["folder"] == str(out)
    assert [(t.controller, t.switch) for t in kept.transitions] == [("A", switch), ("B", switch)]
    assert [str(t.way) for t in kept.transitions] == [c["way"] for c in said.data["controllers"]]
    assert [t.longer for t in kept.transitions] == [c["longer"] for c in said.data["controllers"]]
    assert again.data["damage"] == said.data["damage"]
    assert sheet.count("过渡方式") == 2
    assert programmes.count("-late" + '"') >= 2


def test_a_faulty_transition_in_a_file_is_one_error(call: Call, tiny: Path, tmp_path: Path) -> None:
    plans = two_periods(tiny, tmp_path / "plans.toml")
    text = plans.read_text(encoding="utf-8")
    plans.write_text(text + '\n[[transition]]\nway = "leap"\n', encoding="utf-8")
    said = call("simulate", tiny, "-p", plans, "--json")

    assert said.status == 3
    assert said.codes == {"LV305"}


@pytest.mark.parametrize("how", [(), ("--area", "--cycles", "60-64")])
def test_ways_are_chosen_with_the_plans_of_streets_only(
    call: Call,
    tiny: Path,
    tiny_counts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: tuple[str, ...],
) -> None:
    streets: list[str] = []
    real = transition.add_transitions

    def noted(
        network: Network, corridors: Sequence[Corridor], *others: object, **more: object
    ) -> object:
        streets.extend(corridor.name for corridor in corridors)
        return real(network, corridors, *others, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(transition, "add_transitions", noted)
    asked = ("plan", tiny, "-c", tiny_counts, *how, "-o", tmp_path / "out", "--json")

    assert call(*asked, "-s", "High St").status == 0
    assert streets == []
    assert call(*asked, "-s", "High St", "--transitions").status == 0
    assert streets == ["High St"]
    assert call(*asked, "--transitions").codes == {"LV739"}


def test_periods_apart_are_refused_with_those_there_are(
    call: Call, tiny: Path, tiny_counts: Path
) -> None:
    options = ("-s", "High St", "-c", tiny_counts, "--from", "one", "--to", "two")
    said = call("transition", tiny, *options, "--json")

    assert said.status == 3
    assert said.codes == {"LV490"}
