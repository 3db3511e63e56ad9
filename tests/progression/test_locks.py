# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.errors import InfeasibleError, UsageError
from lvbo.progression.band import two_way_band, widest_two_way
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.problem import Lock
from lvbo.progression.walk import walk_plan

few = settings(max_examples=15, deadline=None)


def test_signals_that_run_already_keep_their_offsets_and_the_rest_joins_them() -> None:
    # signals 0 and 1 run a wave at 5 s and 35 s; the third has to come at 5 s again
    problem = replace(
        plain((20, 20, 20), (30, 30)), locks=(Lock(signals=(0, 1), offsets_ms=(5_000, 35_000)),)
    )

    band = two_way_band(problem)

    assert band.exact.offsets_ms == (5_000, 35_000, 5_000)
    assert band.whole.offsets_ms == (5_000, 35_000, 5_000)
    assert band.exact.sum_ms == 40_000
    assert band.exact.slack_ms[:2] == ((0, 0), (0, 0))


def test_a_bad_lock_costs_band_and_a_walker_still_finds_what_is_left() -> None:
    # locked 4 s off the ideal: each direction loses 4 s at most
    problem = replace(
        plain((20, 20, 20), (30, 30)), locks=(Lock(signals=(0, 1), offsets_ms=(0, 34_000)),)
    )

    band = two_way_band(problem)

    assert band.exact.offsets_ms[:2] == (0, 34_000)
    assert band.exact.sum_ms == 32_000
    assert walk_plan(problem, band.exact).violations == ()


def test_two_stop_lines_of_one_controller_keep_their_distance() -> None:
    problem = replace(
        random_problem(2, 5),
        locks=(Lock(signals=(2, 3), offsets_ms=(0, 7_000), absolute=False),),
    )

    band = two_way_band(problem)

    for plan in (band.exact, band.whole, band.one_way_out, band.one_way_in):
        assert (plan.offsets_ms[3] - plan.offsets_ms[2]) % plan.cycle_ms == 7_000
        assert walk_plan(problem, plan).violations == ()
    assert all(o % 1000 == 0 for o in band.whole.offsets_ms)


@few
@given(st.integers(0, 10_000))
def test_locking_the_best_offsets_loses_nothing_at_fixed_speeds(seed: int) -> None:
    problem = random_problem(seed, 4, speeds=(12.5, 12.5), cycles_s=(60,))
    best = widest_two_way(problem)
    assert best is not None
    lock = Lock(signals=(1, 3), offsets_ms=(best.offsets_ms[1], best.offsets_ms[3]))

    held = widest_two_way(replace(problem, locks=(lock,)))

    assert held is not None
    assert held.sum_ms == pytest.approx(best.sum_ms, abs=4)
    assert walk_plan(replace(problem, locks=(lock,)), held).violations == ()


@few
@given(st.integers(0, 10_000), st.integers(0, 59))
def test_no_offset_of_a_free_signal_beats_the_locked_solution(seed: int, second: int) -> None:
    free = random_problem(seed, 3, speeds=(12.5, 12.5), cycles_s=(60,), free=False)
    problem = replace(free, locks=(Lock(signals=(0, 2), offsets_ms=(0, 1000 * second)),))
    try:
        found = two_way_band(problem).exact.sum_ms
    except InfeasibleError:
        found = 0  # the locked pair lets nothing through

    sums = [
        evaluate_offsets(problem, 60_000, (0, 1000 * s, 1000 * second), (0, 0, 0)).sum_ms
        for s in range(60)
    ]

    assert max(sums) <= found + 4


def test_a_signal_locked_twice_is_refused() -> None:
    locks = (
        Lock(signals=(0, 1), offsets_ms=(0, 0), absolute=False),
        Lock(signals=(1, 2), offsets_ms=(0, 0), absolute=False),
    )

    with pytest.raises(UsageError) as caught:
        two_way_band(replace(plain((20, 20, 20), (30, 30)), locks=locks))

    assert caught.value.code == "LV408"
