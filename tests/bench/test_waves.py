# SPDX-License-Identifier: Apache-2.0
"""The bench of waves: streets of each kind, equal greens for all models, verdicts from rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lvbo.bench.arteries import ARTERIES, Artery, artery_on, make_artery
from lvbo.bench.grids import Grid
from lvbo.bench.wave_designs import (
    DELAY,
    LVBO,
    MAXBAND,
    MODELS,
    UNTRIED,
    Ground,
    prepare,
    wave_plans,
)
from lvbo.bench.wave_summary import summary
from lvbo.bench.waves import WavesBench, filled, judged_part, run_waves
from lvbo.errors import UsageError
from lvbo.io.scenario import Scenario
from lvbo.progression.flows import corridor_flows
from lvbo.simulation.count import count_scenario

SMALL = Artery(name="small", signals=3, saturation=0.6)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return make_artery(tmp_path_factory.mktemp("artery"), SMALL, seed=7)


def flows_of(made: Grid) -> Mapping[str, float]:
    """Return what each direction of the street carries, by its first letters, and what turns in."""
    (corridor,) = made.network.corridors
    flows = corridor_flows(corridor, made.network, made.volumes_vph)
    turned = (*flows.turn_in_out[1:], *flows.turn_in_in[:-1])
    return {
        "out": sum(flows.volume_out_vph),
        "in": sum(flows.volume_in_vph),
        "turn_in": sum(turned) / len(turned),
    }


def test_a_street_has_its_signals_its_saturation_and_one_corridor(street: Grid) -> None:
    (corridor,) = street.network.corridors

    assert len(corridor.stops) == SMALL.signals
    assert len(corridor.outbound) == len(corridor.inbound) == SMALL.signals - 1
    assert street.saturation == pytest.approx(SMALL.saturation, rel=0.05)


def test_kinds_differ_in_what_they_are_named_for(tmp_path: Path) -> None:
    made = {
        name: make_artery(tmp_path / name, ARTERIES[name], seed=7)
        for name in ("plain", "tidal", "turning", "close")
    }
    flows = {name: flows_of(grid) for name, grid in made.items()}
    length = {name: grid.network.corridors[0].length_m for name, grid in made.items()}

    assert flows["turning"]["turn_in"] > 1.5 * flows["plain"]["turn_in"]
    assert flows["tidal"]["out"] / flows["tidal"]["in"] > 2
    assert flows["plain"]["out"] / flows["plain"]["in"] < 1.5
    assert length["close"] < 0.8 * length["plain"]


def test_equal_seeds_give_equal_streets(tmp_path: Path, street: Grid) -> None:
    again = make_artery(tmp_path, SMALL, seed=7).scenario

    for one, other in (
        (again.net_file, street.scenario.net_file),
        (again.route_files[0], street.scenario.route_files[0]),
    ):
        assert one.read_bytes() == other.read_bytes()


def departures(scenario: Scenario) -> list[tuple[str, str]]:
    """Return when each vehicle departs, and along which edges."""
    root = ET.parse(scenario.route_files[0]).getroot()
    return [(v.get("depart", ""), v[0].get("edges", "")) for v in root.iter("vehicle")]


def test_vehicles_depart_anew_each_day_along_the_same_street(street: Grid) -> None:
    days = [artery_on(street, SMALL, seed=7, day=day) for day in range(3)]
    given, second, third = (departures(day) for day in days)

    assert given == departures(street.scenario)
    assert given != second != third != given
    assert {edges for _, edges in second} & {edges for _, edges in given}
    assert len(second) == pytest.approx(len(given), rel=0.02)
    assert {day.net_file for day in days} == {street.scenario.net_file}


def test_a_scenario_is_judged_once_its_streets_have_filled(street: Grid) -> None:
    whole = replace(street.scenario, begin_s=100, end_s=3700, warm_up_s=0)
    part = judged_part(whole, 15)

    assert (part.warm_up_s, part.end_s) == (600, 100 + 600 + 900)
    assert judged_part(whole, None).end_s == whole.end_s
    assert judged_part(replace(whole, end_s=400), None).warm_up_s == 100
    assert judged_part(replace(whole, warm_up_s=900), 15).end_s == 100 + 900 + 900


def test_names_that_nobody_knows_and_no_seeds_are_refused() -> None:
    for wrong in (
        WavesBench(models=("widest",)),
        WavesBench(kinds=("crooked",)),
        WavesBench(seeds=0),
        WavesBench(minutes=0),
        WavesBench(trial_runs=0),
        WavesBench(trial_minutes=0),
    ):
        with pytest.raises(UsageError, match="LV690"):
            run_waves(bench=wrong)


def test_what_is_counted_begins_when_the_street_has_filled(street: Grid) -> None:
    scenario = street.scenario
    whole = count_scenario(scenario, seeds=[1000], workers=1)
    counted = filled(whole, scenario.warm_up_s)
    first = counted.table["t0_utc"].min()
    begin = whole.table["t0_utc"].min()

    assert isinstance(first, datetime)
    assert isinstance(begin, datetime)
    assert 0 <= (first - begin).total_seconds() - scenario.warm_up_s < 60


# what is judged ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(street: Grid) -> Ground:
    scenario = street.scenario
    counts = count_scenario(scenario, seeds=[1000], workers=1)
    (corridor,) = scenario.network.corridors
    return prepare(scenario.network, corridor, counts, scenario.plans, {})


@pytest.mark.slow
def test_models_move_offsets_and_nothing_else(ground: Ground) -> None:
    names = [name for name in MODELS if name != LVBO]
    made = {name: wave_plans(ground, name).running("workday", 0) for name in names}
    along = set(ground.corridor.controllers)

    for plans in made.values():
        for name, plan in plans.items():
            installed = made["unset"][name]
            assert plan.at_offset(installed.offset_ds) == installed
            assert name in along or plan == installed
    assert len({made[UNTRIED][c].cycle_ds for c in along}) == 1
    assert made[MAXBAND] != made["unset"]
    assert made[DELAY] != made[MAXBAND]


@pytest.mark.slow
def test_every_model_has_a_row_per_seed_that_the_cache_repeats(tmp_path: Path) -> None:
    bench = WavesBench(
        models=(LVBO, UNTRIED),
        kinds=("far",),
        street_seed=7,
        seeds=1,
        trial_runs=1,
        trial_minutes=1,
        cache=tmp_path,
        workers=1,
    )
    said: list[tuple[str, float]] = []
    result = run_waves(bench=bench, progress=lambda what, share: said.append((what, share)))
    again = run_waves(bench=bench)
    (street,) = (v for v in result.summary.values() if isinstance(v, dict) and "tried" in v)

    assert [row["model"] for row in result.rows] == [LVBO, UNTRIED]
    assert result.rows == again.rows
    assert result.summary == again.summary
    assert {street["preferred"], street["chosen"]} <= set(street["tried"])
    assert all(tried["runs"] == 1 for tried in street["tried"].values())
    assert any("trial" in what for what, _ in said)
    assert [share for _, share in said] == sorted(share for _, share in said)
    for row in result.rows:
        assert row["status"] == "ok"
        assert row["lamp_violations"] == 0
        assert {"scenario", "corridor", "controller", "seed", "due", "unfinished"} < set(row)
        for name in ("delay_s", "corridor_stops_per_km", "corridor_travel_s", "side_delay_s"):
            assert float(str(row[name])) > 0


# verdicts ---------------------------------------------------------------------------------------


def row(model: str, seed: int, delay_s: float, stops: float) -> dict[str, object]:
    return {
        "scenario": "a",
        "corridor": "b",
        "model": model,
        "seed": seed,
        "delay_s": delay_s,
        "corridor_stops_per_km": stops,
        "corridor_travel_s": 100.0,
        "side_delay_s": None,
        "status": "ok",
    }


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ((-4.0, -5.0, -6.0), "better"),
        ((0.0, 1.0, 2.0), "unsure"),  # its interval ends at 3.5
        ((0.5, 1.0, 1.5), "non-inferior"),
        ((4.0, 5.0, 6.0), "worse"),
        ((5.0,), "unsure"),  # one seed has no interval
    ],
)
def test_verdicts_come_from_paired_intervals(changes: tuple[float, ...], verdict: str) -> None:
    rows = []
    for seed, change in enumerate(changes):
        rows += [row(MAXBAND, seed, 100.0, 2.0), row(LVBO, seed, 100.0 + change, 2.0)]
        rows += [row(DELAY, seed, 90.0, 2.5)]
    told = summary(rows, {"a b": {"signals": 5}})
    street = told["a b"]
    assert isinstance(street, dict)

    assert street["signals"] == 5
    assert street["delay_vs_maxband"] == verdict
    assert street["best"]["corridor_stops_per_km"] in {LVBO, MAXBAND}
    change = street["lvbo_vs"][MAXBAND]["delay_s"]
    assert change["mean"] == pytest.approx(sum(changes) / len(changes))
    assert change["worst"] == max(changes)
    assert "side_delay_s" not in street["lvbo_vs"][MAXBAND]


def test_losers_are_named_beside_the_numbers_of_those_that_win() -> None:
    rows = []
    for seed in range(3):
        rows += [row(MAXBAND, seed, 100.0 + seed, 2.0), row(LVBO, seed, 90.0 + seed, 3.0)]
        rows += [row(DELAY, seed, 90.0, 2.0)]
    told = summary(rows, {"a b": {}})

    assert told["delay_vs_maxband"] == {
        "streets": 1,
        "better": 1,
        "non-inferior": 0,
        "others": [],
    }
    assert told["stops_vs_delay"] == {
        "streets": 1,
        "better": 0,
        "non-inferior": 0,
        "others": ["a b"],
    }
