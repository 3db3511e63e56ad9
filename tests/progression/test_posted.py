# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.errors import InfeasibleError, UsageError
from lvbo.progression.band import two_way_band, widest_two_way
from lvbo.progression.linkbands import LinkBandProblem
from lvbo.progression.posted import each_posted, rounded_speeds, signs_of
from lvbo.progression.problem import BandProblem, Lock, PostedSpeeds
from lvbo.progression.walk import walk_plan

SIGNS = rounded_speeds(9.0, 16.0)


def signed(seed: int, *, same: bool = True) -> BandProblem:
    street = random_problem(seed, 5, speeds=(9.0, 16.0))
    posted = PostedSpeeds(sections=(0, 0, 1, 1), speeds_mps=SIGNS, same_both_ways=same)
    return replace(street, posted=posted)


def test_signs_are_multiples_of_five() -> None:
    assert [round(3.6 * v, 6) for v in SIGNS] == [35.0, 40.0, 45.0, 50.0, 55.0]


def test_the_sign_is_chosen_that_makes_driving_half_a_cycle() -> None:
    # 300 m in 30 s are 36 km/h: of 30, 36 and 42 km/h the middle one gives full bands both ways
    street = plain((20, 20, 20), (30, 30))
    free = ((8.0, 12.0),) * 2
    posted = PostedSpeeds(sections=(0, 0), speeds_mps=(30 / 3.6, 10.0, 42 / 3.6))
    problem = replace(street, speed_out_mps=free, speed_in_mps=free, posted=posted)
    plan = widest_two_way(problem)

    assert plan is not None
    assert (plan.outbound_ms, plan.inbound_ms) == (20_000, 20_000)
    assert signs_of(problem, posted, plan) == ((10.0, 10.0),)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_no_combination_of_signs_beats_the_joint_choice(seed: int, same: bool) -> None:  # noqa: FBT001
    problem = signed(seed, same=same)
    plan = widest_two_way(problem)
    each = [widest_two_way(p) for p in each_posted(problem)]
    best = max((p.sum_ms / p.cycle_ms for p in each if p), default=None)

    assert (plan is None) == (best is None)
    if plan is not None and best is not None:
        assert plan.sum_ms / plan.cycle_ms == pytest.approx(best, abs=2e-4)
        assert walk_plan(problem, plan).violations == ()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_every_link_of_a_section_runs_at_its_sign(seed: int) -> None:
    problem = signed(seed)
    assert problem.posted is not None
    band = two_way_band(problem)

    for plan in (band.exact, band.whole, band.one_way_out):
        signs = signs_of(problem, problem.posted, plan)
        for link, section in enumerate(problem.posted.sections):
            out, back = signs[section]
            assert plan.travel_out_ms[link] == pytest.approx(
                1000 * problem.distance_out_m[link] / out, abs=1
            )
            assert plan.travel_in_ms[link] == pytest.approx(
                1000 * problem.distance_in_m[link] / back, abs=1
            )


def test_a_limit_on_speed_changes_holds_between_sections() -> None:
    loose = signed(6)
    tight = replace(loose, speed_change_limit_s_per_m=0.006)
    assert tight.posted is not None

    plan = widest_two_way(tight)

    assert plan is not None
    (a, _), (b, _) = signs_of(tight, tight.posted, plan)
    assert abs(1 / a - 1 / b) <= 0.006 + 1e-9


def test_signs_and_locks_go_together() -> None:
    problem = replace(signed(3), locks=(Lock(signals=(1, 3), offsets_ms=(5_000, 20_000)),))
    band = two_way_band(problem)

    assert (band.exact.offsets_ms[1], band.exact.offsets_ms[3]) == (5_000, 20_000)
    assert walk_plan(problem, band.exact).violations == ()


@pytest.mark.parametrize(
    "posted",
    [
        PostedSpeeds(sections=(1, 1, 0, 0), speeds_mps=SIGNS),
        PostedSpeeds(sections=(0, 0, 1, 1), speeds_mps=SIGNS[::-1]),
        PostedSpeeds(sections=(0, 0, 1, 1), speeds_mps=()),
    ],
)
def test_signs_out_of_order_are_named(posted: PostedSpeeds) -> None:
    with pytest.raises(UsageError) as caught:
        replace(random_problem(1, 5), posted=posted)

    assert caught.value.code == "LV438"


def test_a_section_without_a_sign_in_its_range_is_infeasible() -> None:
    posted = PostedSpeeds(sections=(0, 0, 1, 1), speeds_mps=(5.0,))

    with pytest.raises(InfeasibleError) as caught:
        two_way_band(replace(random_problem(1, 5), posted=posted))

    assert caught.value.code == "LV439"


def test_bands_by_link_refuse_signs() -> None:
    with pytest.raises(UsageError) as caught:
        LinkBandProblem(street=signed(1), weight_out=(1.0,) * 4, weight_in=(1.0,) * 4)

    assert caught.value.code == "LV427"


def test_too_many_combinations_beside_locks_are_refused() -> None:
    street = random_problem(3, 9, speeds=(9.0, 16.0))
    posted = PostedSpeeds(sections=tuple(range(8)), speeds_mps=SIGNS)
    lock = Lock(signals=(1, 3), offsets_ms=(5_000, 20_000))

    with pytest.raises(UsageError) as caught:
        two_way_band(replace(street, posted=posted, locks=(lock,)))

    assert caught.value.code == "LV428"
