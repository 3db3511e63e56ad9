# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lvbo.errors import UsageError
from lvbo.evaluation.compare import compare, compare_corridor, compare_measures
from lvbo.evaluation.measures import Measures, measure
from lvbo.evaluation.movements import measure_movements
from lvbo.io.scenario import Scenario
from lvbo.simulation.runs import Runs


def measures(runs: Runs, delays: Sequence[float]) -> list[Measures]:
    usual = measure(runs.runs[0])
    return [replace(usual, seed=k, delay_s=delay) for k, delay in enumerate(delays)]


def test_less_delay_is_a_negative_change_and_a_gain(shipped_runs: Runs) -> None:
    found = compare_measures(
        measures(shipped_runs, [40.0, 50.0]), measures(shipped_runs, [36.0, 42.0])
    )
    delay = {difference.measure: difference for difference in found}["delay_s"]

    assert delay.change.mean == -6.0
    assert delay.gain == 6.0
    assert delay.percent is not None
    assert delay.percent.mean == pytest.approx((-10 - 16) / 2)
    assert (delay.worst_seed, delay.worst) == (0, -4.0)
    assert not delay.is_certain


def test_measures_that_lose_are_listed_first(shipped_runs: Runs) -> None:
    before = measures(shipped_runs, [40.0, 50.0])
    after = [replace(m, stops=m.stops + 1) for m in measures(shipped_runs, [30.0, 40.0])]
    found = compare_measures(before, after)

    assert found[0].measure == "stops"
    assert found[0].gain < 0
    assert all(difference.gain >= 0 for difference in found[1:])


def test_more_throughput_is_a_gain(shipped_runs: Runs) -> None:
    before = measures(shipped_runs, [40.0, 40.0])
    after = [replace(m, throughput_vph=m.throughput_vph + 60) for m in before]
    found = {d.measure: d for d in compare_measures(before, after)}["throughput_vph"]

    assert found.gain == pytest.approx(60.0)


def test_runs_with_other_seeds_are_not_compared(shipped_runs: Runs, safe_runs: Runs) -> None:
    with pytest.raises(UsageError) as refused:
        compare(shipped_runs, replace(safe_runs, runs=safe_runs.runs[:1]))

    assert refused.value.code == "LV605"


def test_movements_that_lose_come_first_with_what_all_their_vehicles_lose(
    shipped_runs: Runs, safe_runs: Runs, tiny: Scenario
) -> None:
    found = compare(shipped_runs, safe_runs, tiny.network)
    losses = [movement.loss_s for movement in found.movements]

    assert losses == sorted(losses, reverse=True)
    assert found.losers == tuple(m for m in found.movements if m.change_s.mean > 0)
    assert found.losers


def test_every_vehicle_that_crossed_is_in_one_movement_per_intersection(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run = shipped_runs.runs[0]
    found = measure_movements(run, tiny.network)
    eastbound = run.passages.filter(run.passages["edge"] == "AB").height

    assert found.filter(found["movement"].str.contains("WA>AB"))["vehicles"].sum() == eastbound
    assert set(found["street"]) >= {"High St"}


def test_a_link_passed_between_two_steps_leaves_no_gap(shipped_runs: Runs, tiny: Scenario) -> None:
    """Where AB is so short that no step sees it, who goes from WA to BE made both movements."""
    run = shipped_runs.runs[0]
    whole = measure_movements(run, tiny.network)
    unseen = replace(run, passages=run.passages.filter(run.passages["edge"] != "AB"))
    links = tuple(replace(x, length_m=1.0) if x.id == "AB" else x for x in tiny.network.links)
    found = measure_movements(unseen, replace(tiny.network, links=links))

    assert measure_movements(unseen, tiny.network)["movement"].str.contains("AB").sum() == 0
    went = [int(one.filter(one["movement"] == "AB>BE")["vehicles"].sum()) for one in (whole, found)]
    assert went[0] == went[1] > 50
    assert found.filter(found["movement"] == "WA>AB")["vehicles"].sum() >= went[0]


def test_a_corridor_is_compared_with_itself_way_by_way(shipped_runs: Runs, tiny: Scenario) -> None:
    corridor = tiny.network.corridor("High St")
    found = compare_corridor(shipped_runs, shipped_runs, corridor, tiny.network)

    assert [way.value for way in found] == ["outbound", "inbound", "both"]
    assert all(d.change.mean == 0 for differences in found.values() for d in differences)
    assert {d.measure for d in found[next(iter(found))]} >= {"stops_per_km", "nonstop_share"}


def test_a_printed_comparison_has_a_line_per_measure_with_its_interval(
    shipped_runs: Runs, safe_runs: Runs
) -> None:
    lines = str(compare(shipped_runs, safe_runs)).splitlines()
    delay = next(line for line in lines if line.split()[0] == "delay_s")

    assert "[" in delay
    assert "%" in delay
    assert "worst" in delay
