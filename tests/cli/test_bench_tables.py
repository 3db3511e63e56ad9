# SPDX-License-Identifier: Apache-2.0
"""What a bench measured, as a terminal shows it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pytest
from rich.console import Console

from lvbo.bench.common import BenchResult
from lvbo.cli.bench_tables import show_bench
from lvbo.cli.session import NARROWEST, Session
from lvbo.errors import Finding
from lvbo.text import Language

FAILED = Finding(
    code="LV604",
    place="J1",
    fields={"place": "J1", "plan": "P0", "cycle_s": 40.0, "conflict": ["LV220 a, b"]},
)


def row(seed: int, status: str = "ok", setting: str = "") -> dict[str, object]:
    """Return a row with as many columns as would not fit side by side."""
    numbers = {f"measure_{k}_of_many": 100.25 + k for k in range(20)}
    return {
        "scenario": "tiny",
        "controller": "lvbo",
        "seed": seed,
        "status": status,
        "setting": setting,
        "locked_at": None,
        **numbers,
    }


def shown(
    *rows: Mapping[str, object], findings: tuple[Finding, ...] = (), as_json: bool = False
) -> str:
    """Return what is printed on a terminal as narrow as is reckoned with."""
    out = io.StringIO()
    session = Session(
        language=Language("en"),
        as_json=as_json,
        out=Console(file=out, width=NARROWEST),
        err=Console(file=io.StringIO()),
    )
    result = BenchResult(
        bench="control", versions={}, load={}, rows=rows, summary={}, findings=findings
    )
    show_bench(session, result)
    return out.getvalue()


def test_one_row_stands_upright_and_nothing_of_it_is_cut() -> None:
    said = shown(row(0))

    assert "…" not in said
    assert [f"measure {k} of many" in said for k in range(20)] == [True] * 20
    assert "lvbo" in said


def test_a_long_word_goes_on_in_the_next_line() -> None:
    long = "停车线" * NARROWEST
    said = shown({**row(0), "scenario": long})

    assert "…" not in said
    assert said.count("停") == NARROWEST


def test_a_number_without_room_says_so() -> None:
    first, second = row(0), row(1)
    second |= {name: float(str(first[name])) + 1000.0 for name in first if name[0] == "m"}
    said = shown(first, second)
    numbers = said.split("─ \n")[1].split("In all rows")[0].split()

    assert numbers
    assert all(number.endswith("…") for number in numbers)


def test_what_all_rows_have_in_common_is_said_once() -> None:
    said = shown(row(0), row(1))

    assert said.count("lvbo") == said.count("tiny") == 1
    assert "setting" not in said
    assert "locked at" not in said


def test_a_setting_has_a_line_of_its_own_and_no_other() -> None:
    said = shown(row(0, setting="gap_s=1"), row(1, setting="gap_s=1"))

    assert "tiny lvbo: gap_s=1" in said
    assert said.count("gap_s=1") == 1


@pytest.mark.parametrize("count", [1, 2])
def test_why_runs_failed_is_told_with_what_to_do(count: int) -> None:
    said = shown(*[row(k, "crashed LV604") for k in range(count)], findings=(FAILED,))

    assert "LV604 J1, plan P0" in said
    assert "Lengthen the cycle" in said


def test_findings_are_part_of_the_object_where_there_are_any() -> None:
    assert "findings" not in json.loads(shown(row(0), as_json=True))

    found = json.loads(shown(row(0), findings=(FAILED,), as_json=True))["findings"]

    assert [(each["code"], each["place"]) for each in found] == [("LV604", "J1")]
