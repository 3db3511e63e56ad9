# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.bench.design import Design, Task
from lvbo.bench.plans import PlanBench, run_plans
from lvbo.errors import InfeasibleError, UsageError
from lvbo.timing.insert import made_safe

KEYS = [
    "scenario", "controller", "family", "kind", "kept", "seed", "delay_s", "trip_s", "stops", "due",
    "arrived", "unfinished", "teleports", "teleport_s", "lamp_violations", "status",
]  # fmt: skip


def keep_shipped(task: Task) -> Design:
    """Enter the plans in force, made safe, as ours."""
    assert task.counts.table.height > 0
    index = task.network.controller_index
    safe = task.installed.mapped(lambda plan: made_safe(plan, index[plan.controller].rules))
    return Design(lvbo=safe, isolated=safe, corridors=safe, kept=True)


def fail(_task: Task) -> Design:
    """Find no plan at all."""
    raise InfeasibleError("LV604", place="A", plan="x", cycle_s=1)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("bench"))


def test_a_row_has_exactly_the_keys_asked_for(config: Path) -> None:
    names = ("shipped", "shipped_raw", "lvbo")
    bench = PlanBench(seeds=1, controllers=names, planner=keep_shipped)
    result = run_plans([config], bench=bench)
    ours = [row for row in result.rows if row["controller"] == "lvbo"]

    assert [list(row) for row in result.rows] == [KEYS] * 3
    assert [row["controller"] for row in result.rows] == list(names)
    assert [(row["kind"], row["kept"], row["status"]) for row in ours] == [("ours", True, "ok")]
    assert all(row["lamp_violations"] == 0 for row in ours)
    assert json.loads(json.dumps(result.as_dict()))["bench"] == "plans"


def test_ours_equal_to_shipped_differs_by_nothing(config: Path) -> None:
    bench = PlanBench(seeds=2, controllers=("shipped", "lvbo"), planner=keep_shipped)
    summary = run_plans([config], bench=bench).summary["tiny"]

    assert isinstance(summary, dict)
    assert summary["best_fixed"] == "shipped"
    assert summary["lvbo_vs_best_fixed"]["change_s"]["mean"] == 0.0


def test_a_planner_that_fails_is_shown_as_crashed(config: Path) -> None:
    bench = PlanBench(seeds=2, controllers=("shipped", "lvbo"), planner=fail)
    result = run_plans([config], bench=bench)

    assert [row["status"] for row in result.rows] == ["ok", "ok", "crashed", "crashed"]
    assert result.summary["tiny"]["crashed"]["lvbo"]["code"] == "LV604"  # type: ignore[index]


def test_an_unknown_controller_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        run_plans([], bench=PlanBench(controllers=("fastest",)))

    assert refused.value.code == "LV607"
