# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.errors import UsageError
from lvbo.progression import _slack_kernels
from lvbo.progression.band import two_way_band
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.slack import CorridorFlows, cost_of, cut_delay_in_slack
from lvbo.progression.walk import walk_plan


def flows(
    n: int, volume_out: float = 600, volume_in: float = 600, turn_in: float = 0.2
) -> CorridorFlows:
    return CorridorFlows(
        volume_out_vph=(volume_out,) * n,
        volume_in_vph=(volume_in,) * n,
        saturation_out_vph=(3600.0,) * n,
        saturation_in_vph=(3600.0,) * n,
        turn_in_out=(turn_in,) * n,
        turn_in_in=(turn_in,) * n,
    )


def test_dispersion_keeps_every_vehicle_and_delays_the_platoon() -> None:
    profile = np.zeros(60)
    profile[:10] = 1.0

    arrivals = _slack_kernels.disperse(profile, 30.0, 0.35)

    assert arrivals.sum() == pytest.approx(10.0)
    assert arrivals.argmax() == 33  # 24 s of head start after the last of the ten seconds
    assert arrivals.max() < 1.0


def test_dispersion_does_not_depend_on_where_the_cycle_begins() -> None:
    profile = np.random.default_rng(1).random(70)

    here = _slack_kernels.disperse(profile, 25.0, 0.35)
    later = _slack_kernels.disperse(np.roll(profile, 13), 25.0, 0.35)

    np.testing.assert_allclose(later, np.roll(here, 13))


def test_cars_that_meet_red_wait_until_green() -> None:
    # one car at second 0, red until second 10
    arrivals = np.zeros(60)
    arrivals[0] = 1.0
    service = np.zeros(60)
    service[10:30] = 1.0
    departures = np.zeros(60)

    delay, stopped = _slack_kernels.serve(arrivals, service, departures)

    assert stopped == pytest.approx(1.0)
    assert delay == pytest.approx(10.0, abs=0.5)
    assert departures.argmax() == 10


def test_an_offset_later_by_the_drive_time_costs_outbound_least() -> None:
    problem = plain((20, 20), (10,))
    only_out = replace(flows(2, turn_in=0.0), volume_in_vph=(0.0, 0.0))

    costs = [
        cost_of(
            problem, evaluate_offsets(problem, 60_000, (0, 1000 * s), (0, 0)), only_out
        ).index_s_per_h
        for s in range(60)
    ]

    assert 8 <= int(np.argmin(costs)) <= 11
    assert costs[50] > 2 * costs[10]


def test_the_room_of_a_wide_green_is_used_and_the_bands_stay() -> None:
    problem = plain((20, 40, 20), (30, 30))
    plan = evaluate_offsets(problem, 60_000, (0, 10_000, 0), (0, 0, 0))

    used = cut_delay_in_slack(problem, plan, flows(3))

    assert plan.sum_ms == 40_000
    assert used.plan.sum_ms == 40_000
    assert used.plan.offsets_ms != plan.offsets_ms
    assert used.after.index_s_per_h < used.before.index_s_per_h
    assert walk_plan(problem, used.plan).violations == ()


@pytest.mark.parametrize(("volume_out", "volume_in"), [(600, 0), (0, 600), (500, 700)])
def test_between_two_signals_no_offset_in_the_slack_is_better(
    volume_out: float, volume_in: float
) -> None:
    problem = plain((16, 36), (23,))
    plan = evaluate_offsets(problem, 60_000, (0, 20_000), (0, 0))
    traffic = flows(2, volume_out, volume_in, turn_in=0.1)
    (e0, l0), (e1, l1) = ((a // 1000, b // 1000) for a, b in plan.slack_ms)

    used = cut_delay_in_slack(problem, plan, traffic)
    costs = [
        cost_of(
            problem,
            replace(plan, offsets_ms=(1000 * a % 60_000, (20_000 + 1000 * b) % 60_000)),
            traffic,
        ).index_s_per_h
        for a in range(-e0, l0 + 1)
        for b in range(-e1, l1 + 1)
    ]

    assert len(costs) > 5
    assert used.after.index_s_per_h == pytest.approx(min(costs))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_slack_never_costs_band_nor_delay(seed: int) -> None:
    problem = random_problem(seed, 5)
    plan = two_way_band(problem).whole

    used = cut_delay_in_slack(problem, plan, flows(5, 500, 300))

    assert used.after.index_s_per_h <= used.before.index_s_per_h
    assert (used.plan.outbound_ms, used.plan.inbound_ms) == (plan.outbound_ms, plan.inbound_ms)
    assert walk_plan(problem, used.plan).violations == ()
    assert cost_of(problem, used.plan, flows(5, 500, 300)) == used.after


def test_a_broken_cycle_is_refused() -> None:
    problem = replace(plain((20, 20), (30,)), cycles_ms=(60_500,))

    with pytest.raises(UsageError) as caught:
        cut_delay_in_slack(problem, two_way_band(problem).exact, flows(2))

    assert caught.value.code == "LV413"
