# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import (
    best_sum_by_trying_all,
    plain,
    random_problem,
    turned,
    walk_car_by_car,
)

from lvbo.bench.instances import read_instances
from lvbo.errors import InfeasibleError, UsageError
from lvbo.progression.band import two_way_band, value_of, widest_two_way
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.problem import BandKind, Pattern
from lvbo.progression.walk import walk_plan

seeds = st.integers(0, 10_000)
few = settings(max_examples=25, deadline=None)


def test_a_larger_offset_is_later_and_outbound_runs_towards_higher_numbers() -> None:
    # 10 s of driving; green 20 s; the outbound green of signal 1 must open 10 s later
    problem = plain((20, 20), (10,))

    later = evaluate_offsets(problem, 60_000, (0, 10_000), (0, 0))
    earlier = evaluate_offsets(problem, 60_000, (0, 50_000), (0, 0))

    assert (later.outbound_ms, later.inbound_ms) == (20_000, 0)
    assert (earlier.outbound_ms, earlier.inbound_ms) == (0, 20_000)


def test_the_fronts_of_both_bands_are_where_a_pencil_finds_them() -> None:
    # cycle 60, drive 30 s: offset 30 serves both directions in full
    problem = plain((20, 20), (30,))

    plan = evaluate_offsets(problem, 60_000, (5_000, 35_000), (0, 0))

    assert (plan.outbound_ms, plan.inbound_ms) == (20_000, 20_000)
    assert plan.front_out_ms == (5_000, 35_000)
    assert plan.front_in_ms == (65_000, 35_000)
    assert plan.binding_out == plan.binding_in == (0, 1)
    assert plan.slack_ms == ((0, 0), (0, 0))


def test_slack_is_told_for_earlier_and_later_apart() -> None:
    # green 20 s against green 30 s that opens 4 s before the band and closes 6 s after it
    problem = plain((20, 30), (30,))

    plan = evaluate_offsets(problem, 60_000, (0, 26_000), (0, 0))

    assert (plan.outbound_ms, plan.inbound_ms) == (20_000, 20_000)
    assert plan.slack_ms[1] == (6_000, 4_000)
    assert evaluate_offsets(problem, 60_000, (0, 20_000), (0, 0)).sum_ms == 40_000
    assert evaluate_offsets(problem, 60_000, (0, 19_000), (0, 0)).sum_ms < 40_000
    assert evaluate_offsets(problem, 60_000, (0, 30_000), (0, 0)).sum_ms == 40_000
    assert evaluate_offsets(problem, 60_000, (0, 31_000), (0, 0)).sum_ms < 40_000


def test_half_a_cycle_of_driving_gives_full_bands_both_ways() -> None:
    band = two_way_band(plain((20, 25, 22), (30, 60)))

    assert band.exact.kind is BandKind.TWO_WAY
    assert (band.exact.outbound_ms, band.exact.inbound_ms) == (20_000, 20_000)
    assert band.exact.attainability == 1.0
    assert band.exact.efficiency == pytest.approx(20 / 60)
    assert band.whole.sum_ms == 40_000
    assert band.rounding_cost == 0.0


def test_a_quarter_cycle_of_driving_makes_a_one_way_plan_win() -> None:
    # 15 s of driving shifts the two greens by 30 s of 60 against each other: nothing is left
    band = two_way_band(plain((20, 20), (15,)))

    assert band.exact.kind is not BandKind.TWO_WAY
    assert band.exact.sum_ms == 20_000


def test_queue_clearance_lets_the_band_leave_earlier_than_it_arrives() -> None:
    problem = replace(plain((20, 20), (30,)), clearance_out_ms=(0, 4_000))

    plan = evaluate_offsets(problem, 60_000, (0, 26_000), (0, 0))

    assert plan.outbound_ms == 20_000
    assert plan.front_out_ms == (0, 26_000)
    assert plan.travel_out_ms == (30_000,)
    assert walk_plan(problem, plan).outbound_ms == 20_000


@pytest.mark.parametrize(
    "clearance", [{"clearance_out_ms": (0, 4_000)}, {"clearance_in_ms": (4_000, 0)}]
)
def test_queue_clearance_makes_up_for_driving_too_long(
    clearance: dict[str, tuple[int, int]],
) -> None:
    # 32 s out and 32 s back are 4 s more than a cycle; the clearance takes them off again
    problem = replace(plain((20, 20), (32,)), **clearance)  # type: ignore[arg-type]

    plan = widest_two_way(problem)

    assert plan is not None
    assert plan.sum_ms == 40_000
    assert walk_plan(problem, plan).violations == ()


@few
@given(seeds)
def test_cars_walk_every_band(seed: int) -> None:
    problem = random_problem(seed, 5)
    band = two_way_band(problem)

    for plan in (band.exact, band.whole, band.one_way_out, band.one_way_in):
        walk = walk_plan(problem, plan)

        assert walk.violations == ()
        assert walk.outbound_ms >= plan.outbound_ms
        assert walk.inbound_ms >= plan.inbound_ms


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_the_walker_agrees_with_cars_sent_one_by_one(seed: int) -> None:
    problem = random_problem(seed, 4)
    plan = two_way_band(problem).exact
    walk = walk_plan(problem, plan)

    one_by_one = walk_car_by_car(problem, plan, step_ms=50)

    assert one_by_one[0] == pytest.approx(walk.outbound_ms, abs=101)
    assert one_by_one[1] == pytest.approx(walk.inbound_ms, abs=101)


@few
@given(seeds)
def test_a_band_is_never_longer_than_the_shortest_green(seed: int) -> None:
    band = two_way_band(random_problem(seed, 4))

    for plan in (band.exact, band.whole):
        assert plan.outbound_ms <= plan.min_green_out_ms
        assert plan.inbound_ms <= plan.min_green_in_ms


@few
@given(seeds)
def test_the_best_plan_never_loses_to_a_one_way_plan(seed: int) -> None:
    problem = random_problem(seed, 5)
    band = two_way_band(problem)
    best = value_of(problem, band.exact)

    assert best >= value_of(problem, band.one_way_out)
    assert best >= value_of(problem, band.one_way_in)


@few
@given(seeds)
def test_seen_from_the_other_end_the_sum_is_the_same(seed: int) -> None:
    problem = random_problem(seed, 5)

    here, there = widest_two_way(problem), widest_two_way(turned(problem))

    assert (here is None) == (there is None)
    if here and there:
        assert here.sum_ms / here.cycle_ms == pytest.approx(there.sum_ms / there.cycle_ms, abs=2e-4)


@few
@given(seeds, st.integers(0, 59))
def test_moving_all_offsets_together_moves_no_band(seed: int, shift_s: int) -> None:
    problem = random_problem(seed, 4)
    plan = two_way_band(problem).exact

    moved = evaluate_offsets(
        problem,
        plan.cycle_ms,
        tuple(o + 1000 * shift_s for o in plan.offsets_ms),
        plan.patterns,
    )

    assert moved.outbound_ms == pytest.approx(plan.outbound_ms, abs=2) or (
        moved.outbound_ms >= plan.outbound_ms
    )
    assert moved.sum_ms >= plan.sum_ms


@few
@given(seeds)
def test_time_scaled_by_two_gives_bands_twice_as_long(seed: int) -> None:
    problem = random_problem(seed, 4, speeds=(12.5, 12.5), cycles_s=(60,))
    double = replace(
        problem,
        cycles_ms=(120_000,),
        distance_out_m=tuple(2 * d for d in problem.distance_out_m),
        distance_in_m=tuple(2 * d for d in problem.distance_in_m),
    )

    small, large = widest_two_way(problem), widest_two_way(double)

    assert (small is None) == (large is None)
    if small and large:
        assert large.sum_ms == pytest.approx(2 * small.sum_ms, abs=12)


@few
@given(seeds)
def test_a_signal_that_is_always_green_changes_nothing(seed: int) -> None:
    problem = random_problem(seed, 4, speeds=(12.5, 12.5))
    always = (Pattern(outbound=((0, 60_000),), inbound=((0, 60_000),)),)
    more = replace(
        problem,
        patterns=(*problem.patterns, always),
        distance_out_m=(*problem.distance_out_m, 100.0),
        distance_in_m=(*problem.distance_in_m, 100.0),
        speed_out_mps=(*problem.speed_out_mps, (12.5, 12.5)),
        speed_in_mps=(*problem.speed_in_mps, (12.5, 12.5)),
    )

    before, after = two_way_band(problem), two_way_band(more)

    assert after.exact.sum_ms == pytest.approx(before.exact.sum_ms, abs=2)
    assert walk_plan(more, after.exact).violations == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_offsets_on_a_grid_beat_the_solver(seed: int) -> None:
    problem = random_problem(seed, 3, speeds=(12.5, 12.5), cycles_s=(60,))
    plan = widest_two_way(problem)
    tried = best_sum_by_trying_all(problem, step_ms=2_000)

    assert plan is not None
    assert tried <= plan.sum_ms + 2
    assert plan.sum_ms <= tried + 8_000  # four roundings to the grid


def test_a_window_of_two_is_chosen_when_it_serves_better() -> None:
    # the second outbound window of signal 1 fits the drive of 10 s
    one = plain((20, 20), (10,))
    windows = Pattern(outbound=((0, 6_000), (30_000, 20_000)), inbound=((10_000, 20_000),))
    problem = replace(one, patterns=(one.patterns[0], (windows,)))

    band = two_way_band(problem)

    assert band.exact.sum_ms == 40_000
    assert walk_plan(problem, band.exact).violations == ()


def test_a_half_cycle_signal_is_its_windows_twice() -> None:
    pattern = Pattern(outbound=((0, 14_000),), inbound=((2_000, 14_000),))

    twice = pattern.repeated(2, 60_000)

    assert twice.outbound == ((0, 14_000), (30_000, 14_000))
    assert twice.inbound == ((2_000, 14_000), (32_000, 14_000))


def test_a_heavier_direction_takes_its_whole_green_first() -> None:
    problem = plain((24, 24, 24), (20, 23))
    even = two_way_band(problem).two_way
    heavy = two_way_band(replace(problem, weight_out=3.0)).two_way

    assert even is not None
    assert heavy is not None
    assert abs(even.outbound_ms - even.inbound_ms) <= 1
    assert heavy.outbound_ms == min(24_000, even.sum_ms)
    assert heavy.sum_ms == pytest.approx(even.sum_ms, abs=1)


def test_ratio_limits_bind_and_are_met() -> None:
    problem = replace(random_problem(5, 4), ratio_range=(0.5, 0.6))
    plan = widest_two_way(problem)

    assert plan is not None
    assert 0.5 - 1e-3 <= plan.inbound_ms / plan.outbound_ms <= 0.6 + 1e-3
    assert walk_plan(problem, plan).violations == ()


@pytest.mark.parametrize("ratio", [0.875, 2 / 3, 1.0, 1.3])
def test_a_ratio_target_is_met_to_the_millisecond_at_the_widest_sum(ratio: float) -> None:
    # 30 s for both together: split in the wished ratio, or until a green is full
    problem = replace(plain((20, 20), (25,)), ratio_range=(ratio, ratio))
    plan = widest_two_way(problem)

    assert plan is not None
    assert plan.outbound_ms == pytest.approx(30_000 / (1 + ratio), abs=2)
    assert plan.inbound_ms == pytest.approx(30_000 * ratio / (1 + ratio), abs=2)
    assert walk_plan(problem, plan).violations == ()


def test_wishes_that_cannot_be_met_give_a_one_way_plan_and_say_so() -> None:
    problem = replace(plain((20, 20), (15,)), min_out_ms=15_000, min_in_ms=15_000)

    band = two_way_band(problem)

    assert band.two_way is None
    assert [f.code for f in band.findings] == ["LV409"]
    assert band.exact.sum_ms == 20_000


def test_a_speed_change_limit_binds_and_is_met() -> None:
    loose = random_problem(3, 6, speeds=(8.0, 20.0))
    tight = replace(loose, speed_change_limit_s_per_m=0.004)

    free, held = widest_two_way(loose), widest_two_way(tight)

    assert free is not None
    assert held is not None
    assert held.sum_ms / held.cycle_ms <= free.sum_ms / free.cycle_ms + 1e-4
    assert walk_plan(tight, held).violations == ()


def test_speed_ranges_too_far_apart_are_infeasible() -> None:
    problem = replace(
        random_problem(3, 3),
        speed_out_mps=((5.0, 6.0), (15.0, 16.0)),
        speed_change_limit_s_per_m=0.001,
    )

    with pytest.raises(InfeasibleError) as caught:
        two_way_band(problem)

    assert caught.value.code == "LV412"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"distance_out_m": (100.0,)}, "LV400"),
        ({"cycles_ms": ()}, "LV401"),
        ({"distance_in_m": (100.0, 0.0)}, "LV402"),
        ({"speed_out_mps": ((10.0, 10.0), (0.0, 10.0))}, "LV403"),
        ({"ratio_range": (2.0, 1.0)}, "LV404"),
        ({"weight_out": 0.0, "weight_in": 0.0}, "LV405"),
    ],
)
def test_a_faulty_problem_is_named(change: dict[str, object], code: str) -> None:
    problem = plain((20, 20, 20), (10, 10))

    with pytest.raises(UsageError) as caught:
        replace(problem, **change)  # type: ignore[arg-type]

    assert caught.value.code == code


@pytest.mark.slow
@pytest.mark.parametrize("name", ["artery_general_6", "euclid_10", "synthetic_10"])
def test_every_known_optimum_is_reached_and_walked(bench_data: Path, name: str) -> None:
    for instance in read_instances(bench_data / "greenwave" / f"{name}.json"):
        problem = instance.problem(0.05)
        plan = widest_two_way(problem)

        assert plan is not None
        assert instance.expected is not None

        walk = walk_plan(problem, plan)

        assert walk.violations == ()
        assert walk.sum_share == pytest.approx(instance.expected, abs=0.002)


def test_an_intersection_whose_approaches_go_one_by_one_needs_another_spacing() -> None:
    # outbound green 0 to 20 s, inbound 20 to 40 s: the inbound green comes 20 s later, so full
    # bands both ways need 40 s of driving there and back, where common greens would need 60
    street = plain((20, 20), (20,))
    apart = Pattern(outbound=((0, 20_000),), inbound=((20_000, 20_000),))
    split = replace(street, patterns=(street.patterns[0], (apart,)))

    common, one_by_one = widest_two_way(street), widest_two_way(split)

    assert common is not None
    assert common.sum_ms == 20_000
    assert one_by_one is not None
    assert one_by_one.sum_ms == 40_000
    assert walk_plan(split, one_by_one).violations == ()


def test_a_half_cycle_signal_serves_both_ways_at_a_quarter_of_the_cycle() -> None:
    # 15 s of driving are a quarter of 60 s: the half-cycle signal shows one green to each way
    street = plain((20, 14), (15,))
    own = Pattern(outbound=((0, 14_000),), inbound=((0, 14_000),))
    problem = replace(street, patterns=(street.patterns[0], (own.repeated(2, 60_000),)))

    plan = widest_two_way(problem)

    assert plan is not None
    assert (plan.outbound_ms, plan.inbound_ms) == (14_000, 14_000)
    assert walk_plan(problem, plan).violations == ()


def test_a_minimum_band_of_the_lighter_direction_is_kept() -> None:
    # 30 s for both together: the heavier direction would take 20 of them
    heavy = replace(plain((20, 20), (25,)), weight_out=3.0)
    kept = replace(heavy, min_in_ms=15_000)

    free, held = widest_two_way(heavy), widest_two_way(kept)

    assert free is not None
    assert (free.outbound_ms, free.inbound_ms) == (20_000, 10_000)
    assert held is not None
    assert (held.outbound_ms, held.inbound_ms) == (15_000, 15_000)


def test_a_locked_speed_is_an_equal_range() -> None:
    # 300 m in 24 to 36 s leave 30 s open; locked at 12.5 m/s the link takes 24 s, 12 s too few
    free = replace(
        plain((20, 20), (30,)), speed_out_mps=((8.0, 12.5),), speed_in_mps=((8.0, 12.5),)
    )
    locked = replace(free, speed_out_mps=((12.5, 12.5),), speed_in_mps=((12.5, 12.5),))

    assert widest_two_way(free).sum_ms == 40_000  # type: ignore[union-attr]
    assert widest_two_way(locked).sum_ms == 28_000  # type: ignore[union-attr]


@few
@given(seeds)
def test_under_a_speed_change_limit_cars_walk_every_band(seed: int) -> None:
    problem = replace(random_problem(seed, 5, speeds=(9.0, 18.0)), speed_change_limit_s_per_m=0.006)
    band = two_way_band(problem)

    for plan in (band.exact, band.whole, band.two_way, band.one_way_in):
        assert plan is None or walk_plan(problem, plan).violations == ()
