# SPDX-License-Identifier: Apache-2.0
"""Arrivals on green, leftover queues and green spans, counted by hand; a street measured whole."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from lvbo.evaluation.compare import compare_corridor
from lvbo.evaluation.corridors import Way
from lvbo.evaluation.indices import AIMS, Passed, green_spans, measure_coordination
from lvbo.ids import PhaseId
from lvbo.io.scenario import Scenario
from lvbo.simulation.runs import Runs

A, B = PhaseId("A"), PhaseId("B")


def passed(*rows: tuple[float, float, int, float]) -> Passed:
    """Return a stop line with greens 10 to 30 and 70 to 90 in a span of 0 to 120 s."""
    return Passed(
        rows=rows, greens=((10.0, 30.0), (70.0, 90.0)), span=(0.0, 120.0), length_m=300.0, lanes=2
    )


def test_greens_of_several_phases_are_joined_and_others_left_out() -> None:
    lit = (
        (0.0, frozenset({B})),
        (10.0, frozenset({A})),
        (20.0, frozenset({A, B})),
        (30.0, frozenset[PhaseId]()),
        (50.0, frozenset({A})),
    )

    assert green_spans(lit, (A,), 60.0) == ((10.0, 30.0), (50.0, 60.0))


def test_who_arrives_in_a_shown_green_arrives_on_green() -> None:
    # who crossed as the green began came on red, who crossed as it ended used the last of it
    line = passed(
        (5.0, 12.0, 1, 6.0), (10.0, 11.0, 1, 3.0), (15.0, 15.0, 0, 0.0), (30.0, 30.0, 0, 0.0),
        (31.0, 72.0, 1, 40.0), (90.5, 90.5, 0, 0.0),
    )  # fmt: skip

    assert line.on_green == 2
    assert line.green_s == 40.0


def test_who_came_before_a_red_and_leaves_after_it_is_left_over() -> None:
    line = passed(
        (25.0, 71.0, 1, 45.0), (28.0, 74.0, 2, 45.0), (29.0, 29.0, 0, 0.0), (60.0, 76.0, 1, 14.0)
    )

    assert line.longest_leftover == 2


def test_an_index_stands_under_one_of_the_four_aims_and_is_measured(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    out, back, both = measure_coordination(run, corridor, tiny.network)

    assert set(AIMS) <= set(both.values)
    assert (out.way, back.way, both.way) == (Way.OUTBOUND, Way.INBOUND, Way.BOTH)
    assert both.arrivals == out.arrivals + back.arrivals > 0
    missing = {name for name in AIMS if both.values[name] is None}
    assert missing <= {"bus_speed_mps"}


def test_the_share_on_green_over_chance_is_the_platoon_ratio(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    out = measure_coordination(run, corridor, tiny.network)[0]

    assert out.green_arrival_share is not None
    assert out.platoon_ratio is not None
    assert out.green_arrival_share <= 1
    assert 0.3 < out.green_arrival_share / out.platoon_ratio < 0.7  # the green share of the plan


def test_nobody_on_the_street_gives_no_measures(shipped_runs: Runs, tiny: Scenario) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    empty = replace(run, passages=run.passages.clear())
    both = measure_coordination(empty, corridor, tiny.network)[-1]

    assert both.arrivals == 0
    assert both.green_arrival_share is None
    assert both.control_delay_s is None
    assert both.speed_variation is None


def test_indices_are_compared_by_direction_with_intervals(
    shipped_runs: Runs, safe_runs: Runs, tiny: Scenario
) -> None:
    found = compare_corridor(
        shipped_runs, safe_runs, tiny.network.corridor("High St"), tiny.network
    )
    names = {d.measure for d in found[Way.BOTH]}

    assert {"green_arrival_share", "platoon_ratio", "side_queue_m", "imbalance"} <= names
    assert "side_queue_m" not in {d.measure for d in found[Way.OUTBOUND]}


@pytest.mark.parametrize("stopped", [False, True])
def test_who_stops_arrives_when_others_would_have_come(
    shipped_runs: Runs, tiny: Scenario, *, stopped: bool
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    calm = replace(run, passages=run.passages.with_columns(stops=pl.lit(int(stopped), pl.Int64)))
    found = measure_coordination(calm, corridor, tiny.network)[0]

    assert found.stops_per_signal is not None
    assert (found.stops_per_signal > 0) is stopped
