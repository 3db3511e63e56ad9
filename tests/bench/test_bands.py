# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.progression.problems import plain, random_problem

from lvbo.bench.band_rows import BandModel
from lvbo.bench.bands import run_bands
from lvbo.bench.common import geometric_mean
from lvbo.bench.instances import generate_instances, read_instances
from lvbo.errors import InputError
from lvbo.progression.band import two_way_band, value_of, widest_two_way
from lvbo.progression.linkband import widest_link_bands
from lvbo.progression.linkbands import value_of_links
from lvbo.progression.problem import BandKind
from lvbo.progression.walk import walk_plan
from lvbo.progression.walk_links import walk_links

STREETS = tuple(model for model in BandModel if model is not BandModel.NETWORK)
"""The models of one street; networks have tests of their own."""
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
    "highs_proved",
    "bound",
    "gap",
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
    result = run_bands([small], models=[BandModel.TWO_WAY])

    assert [list(row) for row in result.rows] == [KEYS, KEYS]
    assert [row["grid_s"] for row in result.rows] == [0.05, 1.0]
    assert [row["value"] for row in result.rows] == [0.8, 0.8]
    assert [row["violations"] for row in result.rows] == [0, 0]
    assert result.rows[0]["highs_value"] == pytest.approx(0.8, abs=1e-3)
    assert result.rows[1]["highs_ms"] is None
    assert result.summary["reached"] == 1


def test_the_result_is_one_json_object(small: Path) -> None:
    result = run_bands([small], models=STREETS, with_highs=False)

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

    result = run_bands([path], models=STREETS, with_highs=False)

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


def test_the_geometric_mean_of_ratios_is_their_root() -> None:
    assert geometric_mean([4.0, 25.0]) == pytest.approx(10.0)
    assert geometric_mean([]) is None


def test_every_model_is_walked_and_bounded_on_a_corridor_with_weights(tmp_path: Path) -> None:
    pytest.importorskip("highspy")
    weighted = json.loads(json.dumps(SMALL))
    weighted["instances"][0] |= {
        "multiband_weights": {"out": [0.5], "in": [0.25]},
        "expected": [
            {"model": "two_way_sum", "value": 0.8},
            {"model": "multiband", "value": 0.3},
        ],
    }
    path = tmp_path / "weighted.json"
    path.write_text(json.dumps(weighted), encoding="utf-8")

    result = run_bands([path], models=STREETS)
    rows = {row["model"]: row for row in result.rows if row["grid_s"] == 0.05}

    assert list(rows) == ["two_way_sum", "multiband", "amband"]  # no speed can change here
    assert rows["multiband"]["value"] == pytest.approx(0.3, abs=1e-4)
    assert rows["amband"]["value"] == pytest.approx(0.3, abs=1e-4)
    assert rows["multiband"]["bound"] == pytest.approx(0.3, abs=1e-4)
    assert all(row["violations"] == 0 for row in rows.values())
    summary = result.summary["multiband"]
    assert isinstance(summary, dict)
    assert summary["within_0.1_percent"] == summary["with_expected"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("side", [0.5, 0.2, 0.0])
@pytest.mark.parametrize("index", range(4))
def test_highs_finds_no_better_bands_by_link(index: int, side: float) -> None:
    pytest.importorskip("highspy")
    from lvbo.bench.milp_links import solve_linkbands

    instance = generate_instances((4, 7), seed=7)[index]
    if index == 1:
        instance = replace(instance, speed_change_limit_s_per_m=0.004)
    if index == 2:
        instance = replace(instance, ratio_range=(0.8, 1.25))
    problem = instance.link_problem(0.05, side)
    ours = widest_link_bands(problem)
    theirs = solve_linkbands(problem, gap=1e-5)

    assert ours is not None
    assert theirs.proved
    assert theirs.value == pytest.approx(value_of_links(problem, ours), rel=1e-3)
    assert walk_links(problem, ours).violations == ()


def test_highs_takes_our_plan_as_its_start() -> None:
    pytest.importorskip("highspy")
    from lvbo.bench.milp_links import solve_linkbands

    problem = generate_instances((6,), seed=3)[1].link_problem(0.05, 0.5)
    ours = widest_link_bands(problem)
    assert ours is not None
    started = solve_linkbands(problem, start=ours, gap=1.0)  # any first plan will do

    assert started.value is not None
    assert started.value >= value_of_links(problem, ours) - 1e-4


def test_a_programme_that_forces_both_lines_loses_to_the_one_way_plan_that_we_give() -> None:
    # driving a quarter of the cycle leaves 10 s for both directions together, one alone gets 20
    pytest.importorskip("highspy")
    from lvbo.bench.milp import solve_maxband

    problem = plain((20, 20), (15,))
    band = two_way_band(problem)
    theirs = solve_maxband(problem)

    assert theirs.proved
    assert theirs.value == pytest.approx(10 / 60, abs=1e-3)
    assert band.exact.kind is BandKind.OUTBOUND
    assert band.exact.sum_ms == 20_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_proved_two_way_optimum_is_worth_more_than_our_answer(seed: int) -> None:
    pytest.importorskip("highspy")
    from lvbo.bench.milp import solve_maxband

    problem = random_problem(seed, 6, speeds=(12.5, 12.5), cycles_s=(60,))
    theirs = solve_maxband(problem)

    assert theirs.value is not None
    assert value_of(problem, two_way_band(problem).exact) >= theirs.value - 2e-3


def test_progress_is_told_by_signals_and_grows(small: Path) -> None:
    told: list[float] = []
    models = (BandModel.TWO_WAY, BandModel.MULTIBAND, BandModel.NETWORK)
    run_bands(
        [small],
        models=models,
        networks=(2,),
        with_highs=False,
        progress=lambda _what, share: told.append(share),
    )

    assert told == [0, 2 / 16, 4 / 16, 8 / 16, 12 / 16]
