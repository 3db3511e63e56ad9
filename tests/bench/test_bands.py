# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lvbo.bench.bands import run_bands
from lvbo.bench.common import geometric_mean, timed
from lvbo.bench.instances import generate_instances, read_instances
from lvbo.errors import InputError
from lvbo.progression.band import widest_two_way
from lvbo.progression.walk import walk_plan

KEYS = [
    "instance",
    "model",
    "signals",
    "value",
    "expected",
    "violations",
    "cycle_s",
    "grid_s",
    "ours_ms",
    "highs_value",
    "highs_ms",
]

SMALL = {
    "schema": "corridor-instances/1",
    "instances": [
        {
            "id": "two",
            "signals": 2,
            "distance_out_m": [300],
            "distance_in_m": [300],
            "patterns": [[{"out": [[0, 0.4]], "in": [[0, 0.4]]}]] * 2,
            "cycle_range_s": [60, 61],
            "speed_out_mps": [10],
            "speed_in_mps": [10],
            "expected": [{"model": "two_way_sum", "value": 0.8}],
        }
    ],
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    return path


def test_rows_have_the_promised_keys_and_the_known_value(small: Path) -> None:
    result = run_bands([small])

    assert [list(row) for row in result.rows] == [KEYS, KEYS]
    assert [row["grid_s"] for row in result.rows] == [0.05, 1.0]
    assert [row["value"] for row in result.rows] == [0.8, 0.8]
    assert [row["violations"] for row in result.rows] == [0, 0]
    assert result.rows[0]["highs_value"] == pytest.approx(0.8, abs=1e-3)
    assert result.rows[1]["highs_ms"] is None
    assert result.summary["reached"] == 1


def test_the_result_is_one_json_object(small: Path) -> None:
    result = run_bands([small], with_highs=False)

    assert list(json.loads(json.dumps(result.as_dict()))) == [
        "bench",
        "versions",
        "load",
        "rows",
        "summary",
    ]
    assert result.as_table()[0] == tuple(KEYS)


def test_a_value_above_the_known_one_comes_with_the_walkers_log(tmp_path: Path) -> None:
    low = json.loads(json.dumps(SMALL))
    low["instances"][0]["expected"][0]["value"] = 0.7
    path = tmp_path / "low.json"
    path.write_text(json.dumps(low), encoding="utf-8")

    result = run_bands([path], with_highs=False)

    logs = result.summary["above_expected"]

    assert isinstance(logs, list)
    assert [len(log["steps"]) for log in logs] == [4]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "LV430"),
        ("{}", "LV431"),
        ('{"schema": "corridor-instances/1", "instances": [{}]}', "LV430"),
    ],
)
def test_a_file_that_is_no_instance_is_named(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_instances(path)

    assert caught.value.code == code
    assert "bad.json" in caught.value.findings()[0].place


def test_the_same_seed_generates_the_same_instances() -> None:
    assert generate_instances((5,), seed=3) == generate_instances((5,), seed=3)
    assert generate_instances((5,), seed=3) != generate_instances((5,), seed=4)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(6))
def test_highs_and_the_solver_find_the_same_value(index: int) -> None:
    pytest.importorskip("highspy")
    from lvbo.bench.milp import solve_maxband

    instance = generate_instances((3, 5, 8), seed=7)[index]
    if index == 3:
        instance = replace(instance, speed_change_limit_s_per_m=0.004)
    if index == 4:
        instance = replace(instance, ratio_range=(0.4, 0.5))
    problem = instance.problem(0.05)
    ours = widest_two_way(problem)
    theirs = solve_maxband(problem)

    assert ours is not None
    assert theirs.proved
    assert theirs.value == pytest.approx(ours.sum_ms / ours.cycle_ms, abs=0.002)
    assert walk_plan(problem, ours).violations == ()


@pytest.mark.slow
def test_a_speed_change_limit_costs_highs_and_the_solver_the_same() -> None:
    pytest.importorskip("highspy")
    from lvbo.bench.milp import solve_maxband

    instance = replace(generate_instances((20,), seed=2)[0], speed_change_limit_s_per_m=0.003)
    problem = instance.problem(1.0)
    ours = widest_two_way(problem)
    theirs = solve_maxband(problem)

    assert ours is not None
    assert theirs.value == pytest.approx(ours.sum_ms / ours.cycle_ms, abs=0.002)


@pytest.mark.slow
def test_fifty_signals_take_milliseconds() -> None:
    instance = generate_instances((50,), seed=1)[1]
    problem = instance.problem(1.0)
    plan, cpu_ms = timed(lambda: widest_two_way(problem), 5)

    assert plan is not None
    assert cpu_ms < 50  # 5 on a quiet machine; the margin is for a busy one


def test_the_geometric_mean_of_ratios_is_their_root() -> None:
    assert geometric_mean([4.0, 25.0]) == pytest.approx(10.0)
    assert geometric_mean([]) is None
