# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem
from tests.progression.test_slack import flows

from lvbo.progression.band import two_way_band
from lvbo.progression.problem import BandKind
from lvbo.progression.slack import cost_of, platoon_ratio
from lvbo.progression.tradeoff import keep_band
from lvbo.progression.walk import walk_plan

seeds = st.integers(0, 10_000)


def test_a_band_that_suits_both_directions_is_kept_whole() -> None:
    problem = plain((20, 20, 20, 20), (30, 30, 30))
    plan = two_way_band(problem).whole

    kept = keep_band(problem, plan, flows(4))

    assert kept.share == 1
    assert kept.plan.sum_ms == plan.sum_ms == 40_000


def test_a_one_way_band_is_given_up_where_both_directions_carry_as_much() -> None:
    # a quarter of a cycle of driving: the band serves one direction, the other meets every red
    problem = plain((20, 20, 20, 20), (15, 15, 15))
    plan = two_way_band(problem).whole
    assert plan.kind is not BandKind.TWO_WAY

    kept = keep_band(problem, plan, flows(4))
    whole = keep_band(problem, plan, flows(4), math.inf)

    assert kept.share < 1
    assert kept.extra > 0
    after = cost_of(problem, kept.plan, flows(4)).index_s_per_h
    assert after < cost_of(problem, whole.plan, flows(4)).index_s_per_h
    assert kept.plan.sum_ms >= plan.sum_ms / 2
    assert (whole.share, whole.plan.sum_ms) == (1, plan.sum_ms)


def test_the_direction_that_nearly_everybody_drives_keeps_its_band() -> None:
    problem = plain((20, 20, 20, 20), (15, 15, 15))
    traffic = flows(4, 500, 20)

    outbound = keep_band(problem, two_way_band(replace(problem, weight_in=0.1)).whole, traffic)

    assert outbound.plan.kind is BandKind.OUTBOUND
    assert outbound.plan.outbound_ms >= 10_000


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_what_is_kept_is_there_and_costs_no_more_than_allowed(seed: int) -> None:
    problem = random_problem(seed, 5)
    plan, traffic = two_way_band(problem).whole, flows(5, 500, 300)

    shares = []
    for most in (0.0, 0.02, 0.1, math.inf):
        kept = keep_band(problem, plan, traffic, most)
        cost = cost_of(problem, kept.plan, traffic).index_s_per_h
        shares.append(kept.share)
        assert 0.5 * plan.sum_ms - 1000 <= kept.plan.sum_ms <= plan.sum_ms + 1
        assert cost <= (1 + most) * kept.least.index_s_per_h + 1e-6
        assert walk_plan(problem, kept.plan).violations == ()
        assert kept.plan.outbound_ms >= plan.outbound_ms // 2 - 1000
        assert kept.plan.inbound_ms >= plan.inbound_ms // 2 - 1000

    assert shares[-1] == 1


def test_platoons_that_arrive_in_the_green_have_the_ratio_that_a_pencil_finds() -> None:
    # cycle 60, greens 20 s, no dispersion: the platoon is 8 s under way (Robertson's lag of 10 s)
    problem = plain((20, 20), (10,))
    plan = two_way_band(problem).whole
    traffic = replace(flows(2, 300, 0), turn_in_out=(0.0, 0.0), turn_in_in=(0.0, 0.0), alpha=0.0)

    found = [
        platoon_ratio(problem, replace(plan, offsets_ms=(0, offset_ms)), traffic)
        for offset_ms in (8_000, 13_000, 38_000)
    ]

    # of 5 vehicles 3.75 leave in the first 5 s of green: all arrive on a third of the cycle, then
    # a quarter of them does, then nobody
    assert found == pytest.approx([3.0, 3.0 / 4, 0.0], abs=0.01)
