# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.cross import cross, movement

from lvbo.demand.demand import Demand
from lvbo.demand.saturation import saturations
from lvbo.errors import UsageError
from lvbo.signal.schedule import DAY_S
from lvbo.timing._period_kernels import partition
from lvbo.timing.period_cost import RatioCosts, flow_ratio_weights, typical_rows
from lvbo.timing.periods import Periods, find_periods, period_name

Array = NDArray[np.float64]
Ints = NDArray[np.int32]
SLOT_S = 1800
SLOTS = DAY_S // SLOT_S
NETWORK = cross()


def day(profile: dict[float, float]) -> Array:
    """Return volumes by slot from {hour at which a level begins: level}."""
    hours = np.arange(SLOTS) * SLOT_S / 3600
    out = np.full(SLOTS, profile[max(profile)])
    for start, level in sorted(profile.items()):
        out[hours >= start] = level
    return out


WORKDAY = {6.5: 300.0, 7.0: 900.0, 9.0: 500.0, 17.0: 1000.0, 19.0: 300.0}


def demand_of(days: list[tuple[str, Array]], noise: float = 0.03) -> Demand:
    """Return a demand with the main street as given and steady sides, with noise from a seed."""
    draw = np.random.default_rng(3)
    movements = tuple(sorted(NETWORK.movement_index))
    shape = (len(days), SLOTS, len(movements))
    volume = np.full(shape, 100.0)
    for d, (_, main) in enumerate(days):
        for leg in "EW":
            volume[d, :, movements.index(movement(leg, "through"))] = main
    volume *= draw.normal(1.0, noise, shape)
    return Demand(
        days=tuple(f"2025-12-{d + 1:02d}" for d in range(len(days))),
        day_types=tuple(kind for kind, _ in days),
        first_s=0,
        slot_s=SLOT_S,
        slots=SLOTS,
        movements=movements,
        volume_vph=volume,
        lower_vph=volume.copy(),
        upper_vph=volume.copy(),
        saturated=np.zeros(shape, dtype=np.bool_),
        saturations=saturations(NETWORK),
    )


def by_ratios(demand: Demand, min_length_s: int = 2700, max_periods: int = 10) -> Periods:
    costs = RatioCosts(weights=1000 * flow_ratio_weights(NETWORK, demand))
    return find_periods(
        NETWORK, demand, min_length_s=min_length_s, max_periods=max_periods, costs=costs
    )


def cut(cost: Array, change: Array, shortest: int, most: int) -> tuple[Array, Ints, Ints]:
    value = np.full(most + 1, np.inf)
    starts, labels = (np.full((most + 1, most), -1, dtype=np.int32) for _ in range(2))
    partition(cost, change, shortest, most, value, starts, labels)
    return value, starts, labels


def brute(cost: Array, change: Array, shortest: int, k: int) -> float:
    """Return the least cost over all sets of k breaks and all plans."""
    plans, slots = cost.shape
    if k == 1:
        return float(cost.sum(axis=1).min())
    best = np.inf
    for breaks in combinations(range(slots), k):
        lengths = [(breaks[(j + 1) % k] - breaks[j]) % slots or slots for j in range(k)]
        if min(lengths) < shortest:
            continue
        parts = [cost[:, (breaks[j] + np.arange(lengths[j])) % slots].sum(axis=1) for j in range(k)]
        for chosen in product(range(plans), repeat=k):
            if any(chosen[j] == chosen[(j + 1) % k] for j in range(k)):
                continue
            switches = sum(change[chosen[j], chosen[(j + 1) % k]] for j in range(k))
            best = min(best, sum(parts[j][chosen[j]] for j in range(k)) + switches)
    return float(best)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(2, 3))
def test_the_partition_is_the_best_there_is(seed: int, shortest: int, plans: int) -> None:
    draw = np.random.default_rng(seed)
    cost, change = draw.random((plans, 9)), 0.3 * draw.random((plans, plans))
    value, _, _ = cut(cost, change, shortest, 3)

    for k in (1, 2, 3):
        assert value[k] == pytest.approx(brute(cost, change, shortest, k))


def test_the_partition_that_is_returned_has_the_cost_that_is_told() -> None:
    draw = np.random.default_rng(5)
    cost, change = draw.random((3, 24)), 0.1 * draw.random((3, 3))
    value, starts, labels = cut(cost, change, 2, 5)
    for k in range(2, 6):
        own, plan = starts[k, :k], labels[k, :k]
        lengths = [int(own[(j + 1) % k] - own[j]) % 24 for j in range(k)]
        parts = [cost[plan[j], (own[j] + np.arange(lengths[j])) % 24].sum() for j in range(k)]
        switches = [change[plan[j], plan[(j + 1) % k]] for j in range(k)]

        assert min(lengths) >= 2
        assert value[k] == pytest.approx(sum(parts) + sum(switches))


def test_breaks_fall_where_the_flow_changes() -> None:
    periods = by_ratios(demand_of([("workday", day(WORKDAY))] * 10))

    assert [p.name for p in periods.day_plans[0].periods] == ["p0700", "p0900", "p1700", "p1900"]
    assert [b.support for b in periods.choices[0].breaks] == [1.0] * 4


def test_a_period_may_run_over_midnight() -> None:
    (plan,) = by_ratios(demand_of([("workday", day(WORKDAY))] * 10))
    night = plan.at(3 * 3600)

    assert (night.start_s, night.end_s) == (19 * 3600, 7 * 3600)


def test_day_types_have_periods_of_their_own() -> None:
    weekend = day({0.0: 200.0, 10.0: 700.0, 20.0: 200.0})
    days = [("workday", day(WORKDAY))] * 5 + [("weekend", weekend)] * 4
    work, rest = by_ratios(demand_of(days))

    assert (work.day_type, rest.day_type) == ("workday", "weekend")
    assert [p.name for p in rest.periods] == ["p1000", "p2000"]
    assert len(work.periods) == 4


def test_flat_days_need_no_change_of_plan() -> None:
    (plan,) = by_ratios(demand_of([("workday", day({0.0: 500.0}))] * 6, noise=0.05))

    assert [p.name for p in plan.periods] == ["all"]


def test_no_period_is_shorter_than_allowed() -> None:
    spike = day({0.0: 300.0, 7.0: 900.0, 7.5: 300.0, 12.0: 700.0, 15.0: 300.0})
    (plan,) = by_ratios(demand_of([("workday", spike)] * 6), min_length_s=7200)

    assert len(plan.periods) > 1
    assert min(p.length_s for p in plan.periods) >= 7200


def test_the_number_is_the_smallest_within_one_error_of_the_best() -> None:
    choice = by_ratios(demand_of([("workday", day(WORKDAY))] * 10)).choices[0]
    best = min(choice.held_out)
    near = [
        n
        for n, cost, error in zip(choice.numbers, choice.held_out, choice.error, strict=True)
        if cost <= best + error
    ]

    assert choice.chosen == min(near)
    assert choice.held_out[0] > 1.5 * best


def test_one_day_alone_is_said_to_prove_nothing() -> None:
    found = by_ratios(demand_of([("workday", day(WORKDAY))]))

    assert [f.code for f in found.findings] == ["LV540"]


def test_an_hour_of_counts_gives_one_period() -> None:
    whole = demand_of([("workday", day(WORKDAY))])
    hour = Demand(
        days=whole.days,
        day_types=whole.day_types,
        first_s=7 * 3600,
        slot_s=SLOT_S,
        slots=2,
        movements=whole.movements,
        volume_vph=whole.volume_vph[:, 14:16].copy(),
        lower_vph=whole.lower_vph[:, 14:16].copy(),
        upper_vph=whole.upper_vph[:, 14:16].copy(),
        saturated=whole.saturated[:, 14:16].copy(),
        saturations=whole.saturations,
    )
    found = find_periods(NETWORK, hour)

    assert [p.name for p in found.day_plans[0].periods] == ["all"]
    assert [f.code for f in found.findings] == ["LV541"]


def test_limits_that_fit_no_day_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        by_ratios(demand_of([("workday", day(WORKDAY))]), max_periods=0)

    assert caught.value.code == "LV542"


def test_names_tell_the_start() -> None:
    assert [period_name(s) for s in (0, 25_200, 63_900)] == ["p0000", "p0700", "p1745"]


def test_typical_rows_are_means_of_like_rows() -> None:
    rows = np.array([[100.0, 0.0]] * 5 + [[0.0, 100.0]] * 3)
    found = typical_rows(rows, np.ones(2), count=2)

    assert sorted(found.tolist()) == [[0.0, 100.0], [100.0, 0.0]]
