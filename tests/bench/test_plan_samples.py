# SPDX-License-Identifier: Apache-2.0
"""Plans to rank: rules kept, a seed repeats them, offsets-only sets, one-way progressions."""

from __future__ import annotations

import pytest

from lvbo.bench.grids import Grid, make_grid_at
from lvbo.bench.plan_samples import WAYS, Sample, Sampling, sample_plans, search_plans
from lvbo.ids import ControllerId
from lvbo.network.place import Leg, Turn
from lvbo.signal.check import check_plan

COUNT = 22


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return make_grid_at(tmp_path_factory.mktemp("grid"), side=2, saturation=0.7, seed=2)


@pytest.fixture(scope="module")
def samples(grid: Grid) -> tuple[Sample, ...]:
    given = {plan.controller: plan for plan in grid.scenario.plans.plans}
    sampling = Sampling(count=COUNT, seed=5, others={"shipped": given})
    return sample_plans(grid.network, grid.demand, sampling)


def by_name(samples: tuple[Sample, ...]) -> dict[str, Sample]:
    return {sample.name: sample for sample in samples}


def test_every_signal_has_a_plan_in_every_set_and_none_breaks_a_rule(
    grid: Grid, samples: tuple[Sample, ...]
) -> None:
    rules = {c.id: c.rules for c in grid.network.controllers}

    assert len(by_name(samples)) == COUNT
    for sample in samples:
        assert set(sample.index) == set(rules)
        for name, plan in sample.index.items():
            assert not [f for f in check_plan(plan, rules[name]) if f.severity == "error"]


def test_no_two_sets_are_equal_and_some_are_designed_some_random(
    samples: tuple[Sample, ...],
) -> None:
    assert len({sample.plans for sample in samples}) == COUNT
    assert sum(sample.designed for sample in samples) == 14
    assert [s.name for s in samples[-2:]] == ["random-0", "random-1"]


def test_a_seed_repeats_the_random_plans_and_another_does_not(grid: Grid) -> None:
    again = search_plans(grid.network, grid.demand, 2, seed=1)

    assert search_plans(grid.network, grid.demand, 2, seed=1) == again
    assert search_plans(grid.network, grid.demand, 2, seed=2) != again
    assert again[0] != again[1]
    assert {plan.cycle_s for plans in again for plan in plans.values()} == {90}


def test_sets_marked_so_differ_in_offsets_only(samples: tuple[Sample, ...]) -> None:
    same = [sample for sample in samples if sample.same_greens]
    base = by_name(samples)["timed-90"].index

    assert {"timed-90", "east-90", "shifted-0"} <= {sample.name for sample in same}
    assert not {"even-90", "timed-60", "random-0"} & {sample.name for sample in same}
    for sample in same:
        for name, plan in sample.index.items():
            assert plan.at_offset(0) == base[name].at_offset(0)


@pytest.mark.parametrize(
    ("way", "leg", "first", "second"),
    [("east", Leg.W, "A0", "B0"), ("south", Leg.N, "A1", "A0")],
)
def test_a_progression_starts_each_green_as_the_platoon_of_the_last_arrives(
    grid: Grid, samples: tuple[Sample, ...], way: str, leg: Leg, first: str, second: str
) -> None:
    network = grid.network
    plans = by_name(samples)[f"{way}-90"].index
    starts = {}
    for place in (first, second):
        own = ControllerId(place)
        ahead = next(
            m
            for m in network.movements
            if own in m.controllers and m.leg is leg and m.turn is Turn.THROUGH
        )
        phases = network.controller_index[own].rules.phases_of(ahead.id)
        (window,) = [w for p in phases for w in plans[own].windows_of(p)]
        starts[place] = window.start_ds / 10 + plans[own].offset_s
    at = {str(i.id): i.at for i in network.intersections}
    step = [abs(b - a) for a, b in zip(at[first], at[second], strict=True)]
    drive_s = step[0 if way == "east" else 1] / (0.85 * 13.89)

    assert WAYS[way] == {"east": (1, 0), "south": (0, -1)}[way]
    assert 15 < drive_s < 40
    assert (starts[second] - starts[first] - drive_s + 45) % 90 - 45 == pytest.approx(0, abs=1)


def test_sets_made_elsewhere_come_after_the_designed_ones(
    grid: Grid, samples: tuple[Sample, ...]
) -> None:
    given = samples[13]

    assert (given.name, given.designed) == ("shipped", True)
    assert given.plans == grid.scenario.plans.plans
