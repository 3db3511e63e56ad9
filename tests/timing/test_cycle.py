# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvbo.errors import InfeasibleError, UsageError
from lvbo.timing.cycle import (
    evaluate,
    fit_at,
    fit_cycles,
    fit_plan,
    slot_delays,
)
from lvbo.timing.delay import Conditions, control_delay
from lvbo.timing.problem import CycleRange, StageProblem


def cross(scale: float = 1.0) -> StageProblem:
    """Return four stages: through and left of one street, then of the other."""
    saturation = np.zeros((4, 8))
    saturation[0, [0, 1]] = 3300
    saturation[1, [2, 3]] = 1550
    saturation[2, [4, 5]] = 3300
    saturation[3, [6, 7]] = 1550
    return StageProblem(
        controller="J1",
        stages=("north-south", "north-south left", "east-west", "east-west left"),
        movements=("NT", "ST", "NL", "SL", "ET", "WT", "EL", "WL"),
        approaches=("N", "S", "N", "S", "E", "W", "E", "W"),
        volume_vph=np.array([900, 700, 150, 220, 800, 650, 180, 120.0]) * scale,
        saturation_vph=saturation,
        intergreen_s=np.array([5.0, 5, 5, 5]),
        least_green_s=np.array([20.0, 10, 20, 10]),
    )


def three_stages(volumes: tuple[float, ...]) -> StageProblem:
    saturation = np.zeros((3, 3))
    np.fill_diagonal(saturation, (3300, 1600, 1700))
    return StageProblem(
        stages=("A", "B", "C"),
        movements=("a", "b", "c"),
        volume_vph=np.array(volumes),
        saturation_vph=saturation,
        intergreen_s=np.array([5.0, 4, 6]),
        least_green_s=np.array([10.0, 7, 8]),
    )


def test_greens_and_intergreens_fill_every_cycle_exactly() -> None:
    table = fit_cycles(cross())

    assert table.cycle_s.tolist() == list(range(80, 151))
    assert (table.greens_s.sum(axis=1) + 20 == table.cycle_s).all()
    assert (table.greens_s >= [20, 10, 20, 10]).all()


@settings(max_examples=25)
@given(
    st.tuples(st.integers(50, 1300), st.integers(50, 500), st.integers(50, 500)),
    st.integers(45, 75),
)
def test_the_fit_at_a_cycle_is_the_best_of_all_whole_splits(
    volumes: tuple[int, int, int], cycle: int
) -> None:
    problem = three_stages(tuple(map(float, volumes)))
    plan = fit_at(problem, cycle, limit=10.0)
    rest = cycle - 15
    best = min(
        evaluate(problem, cycle, (a, b, rest - a - b)).delay_veh_h
        for a, b in product(range(10, rest), range(7, rest))
        if rest - a - b >= 8
    )

    # Limit 10 leaves delay alone to decide, unless even that saturation cannot be kept.
    assert plan.delay_veh_h == pytest.approx(best)


def test_movements_over_two_stages_are_fitted_as_well_as_by_trying_all_splits() -> None:
    saturation = np.array([[3400.0, 1700, 0, 0], [0, 1700, 1600, 0], [0, 0, 500, 3300]])
    problem = StageProblem(
        stages=("A", "B", "C"),
        movements=("a", "ab", "bc", "c"),
        volume_vph=np.array([900.0, 700, 300, 900]),
        saturation_vph=saturation,
        intergreen_s=np.array([4.0, 5, 4]),
        least_green_s=np.array([6.0, 5, 6]),
        least_window_s=np.array([0.0, 18, 0, 0]),
    )
    rest = 70 - 13
    plans = [
        evaluate(problem, 70, (a, b, rest - a - b))
        for a, b in product(range(6, rest), range(5, rest))
        if rest - a - b >= 6 and a + 4 + b >= 18
    ]

    assert fit_at(problem, 70, limit=10).delay_veh_h == pytest.approx(
        min(plan.delay_veh_h for plan in plans)
    )
    assert fit_at(problem, 70, limit=0.01).worst_x == pytest.approx(
        min(plan.worst_x for plan in plans)
    )


def test_the_plan_takes_the_cycle_of_least_delay_within_the_saturation_limit() -> None:
    problem = cross(0.7)
    table = fit_cycles(problem, limit=0.9)
    plan = fit_plan(problem, limit=0.9)
    allowed = table.worst_x <= 0.9

    assert plan.worst_x <= 0.9
    assert plan.delay_veh_h == pytest.approx(table.delay_veh_h[allowed].min())
    assert plan.greens_s == tuple(table.greens_s[table.row(plan.cycle_s)])


def test_more_demand_never_asks_for_a_shorter_cycle_here() -> None:
    cycles = [fit_plan(cross(scale)).cycle_s for scale in (0.4, 0.6, 0.8, 0.95)]

    assert cycles == sorted(cycles)


def test_a_starved_left_turn_gains_green() -> None:
    before = fit_at(cross(), 120)
    problem = cross()
    volume = problem.volume_vph.copy()
    volume[3] = 300  # SL, served in the second stage
    after = fit_at(replace(problem, volume_vph=volume), 120)

    assert after.greens_s[1] > before.greens_s[1]
    assert sum(after.greens_s) == sum(before.greens_s)


def test_the_search_and_the_formula_agree_on_delay() -> None:
    problem = replace(
        cross(), conditions=Conditions(period_h=0.5, k=0.3, upstream=0.6, progression=0.8)
    )
    plan = fit_at(problem, 120)
    expected = control_delay(
        problem.volume_vph,
        problem.saturation_vph.max(axis=0),
        plan.green_s,
        120,
        problem.conditions,
    )

    assert plan.delay_s == pytest.approx(expected)
    assert plan.delay_veh_h == pytest.approx((expected * problem.volume_vph).sum() / 3600)


def test_slots_under_one_plan_have_the_delays_of_single_evaluations() -> None:
    problem = cross()
    volumes = np.array([problem.volume_vph * k for k in (0.2, 0.5, 1.1)])
    rows = slot_delays(problem, 100, (27, 15, 25, 13), volumes)

    assert rows.shape == (3, 8)
    for row, volume in zip(rows, volumes, strict=True):
        alone = evaluate(replace(problem, volume_vph=volume), 100, (27, 15, 25, 13))
        assert row == pytest.approx(alone.delay_s)


def test_over_capacity_the_longest_cycle_gets_level_saturation_and_cures() -> None:
    plan = fit_plan(cross(1.5))
    critical = [plan.x[[0, 1]].max(), plan.x[[2, 3]].max(), plan.x[4:6].max(), plan.x[6:].max()]
    codes = [finding.code for finding in plan.findings]

    assert plan.cycle_s == 150
    assert plan.over_capacity
    assert max(critical) - min(critical) < 0.08
    assert codes.count("LV520") == (plan.x > 1).sum()
    assert codes.count("LV526") == 0
    assert "LV523" in codes
    assert plan.findings[0].place == "J1"


def test_a_queue_clears_after_the_period_when_less_arrives() -> None:
    # x = 1.2: (v - c) T = 50 veh; later 0.7 v leaves c - 840 = 160 veh/h of room.
    problem = replace(three_stages((0.0, 0.0, 0.0)), volume_vph=np.array([0.0, 0.0, 0.0]))
    plan = evaluate(problem, 75, (40, 10, 10))
    capacity = float(plan.capacity_vph[0])
    loaded = replace(problem, volume_vph=np.array([capacity * 1.2, 0, 0]))
    hours = evaluate(loaded, 75, (40, 10, 10)).hours_to_clear

    assert hours[0] == pytest.approx(0.2 * capacity * 0.25 / (capacity - 0.84 * capacity))
    assert hours[1:].tolist() == [0, 0]


def test_a_queue_that_never_shrinks_says_so() -> None:
    plan = fit_plan(cross(1.5), CycleRange(least_s=90, most_s=90))
    never = {f.fields["movement"] for f in plan.findings if f.code == "LV526"}

    assert never == {
        name
        for name, hours in zip(cross().movements, plan.hours_to_clear, strict=True)
        if np.isinf(hours)
    }
    assert "NT" in never


def test_spare_lanes_beside_a_full_movement_are_named_as_a_cure() -> None:
    problem = cross()
    volume = problem.volume_vph.copy()
    volume[:4] = 100, 100, 100, 700  # south left far over its lane, south through nearly empty
    plan = fit_plan(replace(problem, volume_vph=volume))
    offers = [f.fields for f in plan.findings if f.code == "LV521" and f.fields["movement"] == "SL"]

    assert [offer["other"] for offer in offers] == ["ST"]


def test_a_queue_longer_than_its_bay_is_found_also_below_capacity() -> None:
    room = np.full(8, np.inf)
    room[2], room[3] = 200.0, 30.0
    plan = fit_plan(replace(cross(0.7), storage_m=room))

    assert not plan.over_capacity
    assert [(f.code, f.place) for f in plan.findings] == [("LV524", "J1 SL")]
    assert plan.findings[0].fields["storage_m"] == 30


def test_two_lanes_halve_the_queue() -> None:
    room = np.full(8, 70.0)
    one = fit_plan(replace(cross(0.7), storage_m=room))
    two = fit_plan(replace(cross(0.7), storage_m=room, lanes=2.0))

    assert len(two.findings) < len(one.findings)


def test_a_light_stage_is_offered_for_merging() -> None:
    problem = cross(1.12)
    volume = problem.volume_vph.copy()
    volume[6:] = 30
    volume[0], volume[4] = 1250, 1150
    plan = fit_plan(replace(problem, volume_vph=volume))
    found = {finding.code: finding.fields for finding in plan.findings}

    assert plan.over_capacity
    assert found["LV522"]["stage"] == "east-west left"
    assert found["LV522"]["saved_s"] == 5.0


def test_a_movement_in_two_consecutive_stages_keeps_green_through_the_intergreen() -> None:
    saturation = np.array([[1800.0, 0, 0], [1800, 1800, 0], [0, 0, 1800]])
    problem = StageProblem(
        stages=("A", "B", "C"),
        movements=("long", "short", "cross"),
        volume_vph=np.array([500.0, 200, 300]),
        saturation_vph=saturation,
        intergreen_s=np.array([4.0, 5, 6]),
        least_green_s=np.array([5.0, 5, 5]),
        start_loss_s=2.0,
        end_gain_s=1.0,
    )
    plan = evaluate(problem, 60, (15, 15, 15))

    assert plan.green_s.tolist() == [15 + 4 + 15 - 1, 14, 14]
    assert plan.capacity_vph[0] == pytest.approx(1800 * 33 / 60)


def test_two_short_reds_cost_less_than_one_long_red() -> None:
    apart = np.array([[1800.0, 0], [0, 1800], [1800.0, 0], [0, 1800]])
    problem = StageProblem(
        stages=("A", "B", "C", "D"),
        movements=("twice", "other"),
        volume_vph=np.array([300.0, 300.0]),
        saturation_vph=apart,
        intergreen_s=np.array([5.0, 5, 5, 5]),
        least_green_s=np.array([5.0, 5, 5, 5]),
        start_loss_s=0.0,
        end_gain_s=0.0,
    )
    plan = evaluate(problem, 80, (15, 15, 15, 15))
    # Two reds of 25 s in a cycle of 80 s are the delay of one of 25 s in 40 s.
    first = 0.5 * 2 * 25**2 / 80 / (1 - 300 / 1800)
    second = float(control_delay(300, 1800, 30, 80)) - 0.5 * 50**2 / 80 / (1 - 300 / 1800)

    assert plan.delay_s[0] == pytest.approx(first + second)


def test_a_crossing_over_two_stages_gets_its_least_window() -> None:
    saturation = np.array([[1800.0, 0, 9999], [0, 1800, 9999], [1800, 0, 0]])
    saturation[2, 0] = 0
    problem = StageProblem(
        stages=("A", "B", "C"),
        movements=("a", "b", "walk"),
        volume_vph=np.array([300.0, 300, 0]),
        saturation_vph=np.vstack([saturation[:2], [0, 0, 0]]),
        intergreen_s=np.array([4.0, 4, 4]),
        least_green_s=np.array([5.0, 5, 30]),
        least_window_s=np.array([0.0, 0, 40]),
    )
    table = fit_cycles(problem, CycleRange(least_s=40, most_s=100))

    assert table.cycle_s[0] == 40 - 4 + 30 + 12
    assert (table.greens_s[:, 0] + 4 + table.greens_s[:, 1] >= 40).all()


def test_contradictory_limits_name_the_smallest_conflicting_set() -> None:
    problem = replace(cross(), least_green_s=np.array([60.0, 10, 80, 10]))
    with pytest.raises(InfeasibleError) as caught:
        fit_plan(problem, CycleRange(least_s=40, most_s=130))

    assert set(caught.value.conflict) == {
        "max_cycle",
        "min_green:north-south",
        "min_green:east-west",
    }


def test_a_minimum_above_its_maximum_is_the_whole_conflict() -> None:
    problem = replace(cross(), most_green_s=np.array([15.0, 60, 60, 60]))
    with pytest.raises(InfeasibleError) as caught:
        fit_plan(problem)

    assert set(caught.value.conflict) == {"max_green:north-south", "min_green:north-south"}


def test_a_shortest_cycle_above_the_longest_is_the_whole_conflict() -> None:
    with pytest.raises(InfeasibleError) as caught:
        fit_plan(cross(), CycleRange(least_s=140, most_s=120))

    assert caught.value.conflict == ("max_cycle", "min_cycle")


def test_maxima_that_cannot_fill_the_shortest_cycle_conflict_with_it() -> None:
    problem = replace(cross(), most_green_s=np.array([20.0, 10, 20, 10]))
    with pytest.raises(InfeasibleError) as caught:
        fit_plan(problem, CycleRange(least_s=100, most_s=120))

    assert "min_cycle" in caught.value.conflict
    assert "max_green:north-south" in caught.value.conflict
    assert "max_cycle" not in caught.value.conflict


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"volume_vph": np.array([-1.0] * 8)}, "LV500"),
        ({"volume_vph": np.array([np.nan] * 8)}, "LV500"),
        ({"saturation_vph": np.zeros((4, 7))}, "LV511"),
        ({"saturation_vph": np.zeros((4, 8))}, "LV512"),
        ({"intergreen_s": np.array([5.0, 4.5, 5, 5])}, "LV514"),
    ],
)
def test_a_wrong_problem_is_refused_when_built(change: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(cross(), **change)  # type: ignore[arg-type]

    assert caught.value.code == code


def test_greens_that_do_not_fill_the_cycle_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(cross(), 100, (20, 10, 20, 10))

    assert caught.value.code == "LV513"
