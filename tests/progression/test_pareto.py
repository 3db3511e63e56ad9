# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.progression.band import widest_two_way
from lvbo.progression.pareto import pareto_front
from lvbo.progression.problem import Lock
from lvbo.progression.walk import walk_plan

seeds = st.integers(0, 10_000)
few = settings(max_examples=12, deadline=None)


def test_the_front_of_two_signals_is_found_with_a_pencil() -> None:
    # driving 25 s each way is 10 s short of a cycle: of 20 + 20 s both bands together keep 30
    front = pareto_front(plain((20, 20), (25,)))
    (trade,) = front.trades

    assert trade.sum_share == pytest.approx(30 / 60, abs=1e-4)
    assert [(c.outbound_share, c.inbound_share) for c in front.corners] == [
        pytest.approx((10 / 60, 20 / 60), abs=1e-4),
        pytest.approx((20 / 60, 10 / 60), abs=1e-4),
    ]
    assert front.inbound_at(0.0) == pytest.approx(20 / 60, abs=1e-4)
    assert front.inbound_at(15 / 60) == pytest.approx(15 / 60, abs=1e-4)
    assert front.inbound_at(21 / 60) is None


def test_one_way_plans_are_its_ends_where_they_beat_the_lines() -> None:
    # a quarter of the cycle of driving leaves nothing for both directions together
    front = pareto_front(plain((20, 20), (15,)))

    assert front.inbound_at(0.0) == pytest.approx(20 / 60, abs=1e-4)
    assert front.inbound_at(20 / 60) == pytest.approx(0.0, abs=1e-4)
    assert len(front.corners) >= 2


@few
@given(seeds, st.floats(0.2, 5.0))
def test_no_weights_give_a_plan_above_the_front(seed: int, weight: float) -> None:
    problem = random_problem(seed, 4)
    front = pareto_front(problem)
    plan = widest_two_way(replace(problem, weight_out=weight))

    if plan is not None:
        known = front.inbound_at(plan.outbound_share)
        assert known is not None
        assert plan.inbound_share <= known + 2e-4


@few
@given(seeds, st.floats(0.3, 3.0))
def test_ratio_targets_lie_on_the_front(seed: int, ratio: float) -> None:
    problem = random_problem(seed, 4)
    front = pareto_front(problem)
    plan = widest_two_way(replace(problem, ratio_range=(ratio, ratio)))

    if plan is not None and plan.outbound_ms > 1_000:
        known = front.inbound_at(plan.outbound_share)
        assert known is not None
        assert known >= plan.inbound_share - 2e-4
        more = front.inbound_at(plan.outbound_share + 1e-3)
        assert more is None or more <= ratio * (plan.outbound_share + 1e-3) + 1e-3


@few
@given(seeds)
def test_every_corner_has_a_plan_that_cars_confirm(seed: int) -> None:
    problem = random_problem(seed, 5)

    for corner in pareto_front(problem).corners:
        walk = walk_plan(problem, corner.plan)

        assert walk.violations == ()
        assert walk.outbound_ms / walk.cycle_ms >= corner.outbound_share - 1e-4


@few
@given(seeds)
def test_along_the_front_one_band_only_grows_as_the_other_shrinks(seed: int) -> None:
    corners = pareto_front(random_problem(seed, 4)).corners

    assert all(a.outbound_share <= b.outbound_share for a, b in pairwise(corners))
    assert all(a.inbound_share >= b.inbound_share for a, b in pairwise(corners))


def test_locks_hold_at_every_corner() -> None:
    lock = Lock(signals=(1, 3), offsets_ms=(5_000, 20_000))
    problem = replace(random_problem(4, 5, cycles_s=(60,)), locks=(lock,))

    for corner in pareto_front(problem).corners:
        assert (corner.plan.offsets_ms[1], corner.plan.offsets_ms[3]) == (5_000, 20_000)
        assert walk_plan(problem, corner.plan).violations == ()
