# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.bench.area import AreaBench, run_area
from lvbo.bench.design import Design, Task
from lvbo.errors import UsageError
from lvbo.timing.insert import made_safe

KEYS = [
    "scenario", "controller", "family", "kind", "kept", "seed", "delay_s", "trip_s", "stops", "due",
    "arrived", "unfinished", "teleports", "teleport_s", "lamp_violations", "status", "cpu_s",
]  # fmt: skip


def later(task: Task) -> Design:
    """Enter the plans in force as ours, one of them 7 s later as the corridors'."""
    index = task.network.controller_index
    safe = task.installed.mapped(lambda plan: made_safe(plan, index[plan.controller].rules))
    moved = safe.mapped(lambda plan: plan.later(7))
    return Design(lvbo=safe, isolated=safe, corridors=moved, cpu_s={"lvbo": 1.5})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("area"))


def test_rows_are_those_of_the_plan_bench_and_the_time_it_took(config: Path) -> None:
    names = ("shipped", "corridors", "lvbo")
    result = run_area([config], bench=AreaBench(seeds=1, controllers=names, planner=later))

    assert result.bench == "area"
    assert [list(row) for row in result.rows] == [KEYS] * 3
    assert {row["controller"]: row["kind"] for row in result.rows} == {
        "shipped": "baseline",
        "corridors": "ours",
        "lvbo": "ours",
    }
    assert [row["cpu_s"] for row in result.rows] == [None, None, 1.5]
    assert json.loads(json.dumps(result.as_dict()))["rows"][0]["scenario"] == "tiny"


def test_ratios_compare_with_the_best_fixed_plan(config: Path) -> None:
    bench = AreaBench(seeds=1, controllers=("shipped", "lvbo"), planner=later)
    ratios = run_area([config], bench=bench).summary["ratios"]

    assert isinstance(ratios, dict)
    assert ratios["tiny"] == {"lvbo_to_best_fixed": pytest.approx(1.0)}
    assert ratios["geometric_mean"] == {"lvbo_to_best_fixed": pytest.approx(1.0)}


def test_our_offsets_stand_beside_those_of_the_coordinator(config: Path) -> None:
    names = ("shipped_coordinated", "shipped_offsets", "lvbo")
    result = run_area([config], bench=AreaBench(seeds=1, controllers=names, planner=later))
    delay = {row["controller"]: float(str(row["delay_s"])) for row in result.rows}
    ratios = result.summary["ratios"]

    assert isinstance(ratios, dict)
    assert ratios["tiny"]["shipped_offsets_to_tool"] == pytest.approx(
        delay["shipped_offsets"] / delay["shipped_coordinated"]
    )
    assert {row["controller"]: row["kind"] for row in result.rows} == {
        "shipped_coordinated": "baseline",
        "shipped_offsets": "ours",
        "lvbo": "ours",
    }


def test_a_grid_of_one_signal_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        run_area(bench=AreaBench(grids=(1,)))

    assert caught.value.code == "LV660"


def test_what_was_made_and_run_before_is_not_made_again(config: Path, tmp_path: Path) -> None:
    names = ("shipped", "corridors", "lvbo")
    asked: list[Task] = []

    def counting(task: Task) -> Design:
        asked.append(task)
        return later(task)

    bench = AreaBench(seeds=1, controllers=names, planner=counting, cache=tmp_path)
    first = run_area([config], bench=bench)
    runs = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = run_area([config], bench=bench)
    more = run_area([config], bench=replace(bench, seeds=2, controllers=names[:2]))

    assert len(asked) == 1
    assert again.rows == first.rows
    assert more.rows[0] == first.rows[0]
    assert [row["seed"] for row in more.rows] == [0, 1, 0, 1]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in runs} == runs
