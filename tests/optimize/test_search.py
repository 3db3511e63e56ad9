# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from tests.optimize.clocks import Ticking

from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId, PlanId
from lvbo.optimize.deadline import Deadline
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.offsets import best_offsets
from lvbo.optimize.search import AreaSearch, Effort, Found, Hold, Objective, Programmes, plan_of
from lvbo.signal.check import check_plan, is_safe
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel

Models = dict[ControllerId, ControllerModel]

DELAY = Objective(stop_s=0.0, spill_s=0.0)
FEW = Effort(kicks=3, finalists=2)
CYCLES = (60, 70, 80, 90)


@pytest.fixture(scope="module")
def search(judge: AreaJudge, models: Models) -> AreaSearch:
    return AreaSearch(judge.mesh(tuple(models)), DELAY)


@pytest.fixture(scope="module")
def found(search: AreaSearch) -> list[Found]:
    return search.run(CYCLES, FEW)


def as_plans(found: Found, models: Models) -> dict[ControllerId, Plan]:
    return as_plans_of(found.programmes, models)


def as_plans_of(found: Programmes, models: Models) -> dict[ControllerId, Plan]:
    return {c: plan_of(models[c], p, PlanId("all")) for c, p in found.items()}


def test_what_is_found_costs_the_same_as_plans(
    found: list[Found], judge: AreaJudge, models: Models
) -> None:
    for one in found:
        cost = judge.cost(as_plans(one, models)).delay_vehs_ph
        assert cost == pytest.approx(3600 * one.cost, rel=5e-3)


def test_plans_found_keep_every_rule(found: list[Found], models: Models) -> None:
    for c, plan in as_plans(found[0], models).items():
        assert is_safe(plan, models[c].controller.rules), check_plan(
            plan, models[c].controller.rules
        )


def test_the_same_seed_finds_the_same(judge: AreaJudge, models: Models, found: list[Found]) -> None:
    again = AreaSearch(judge.mesh(tuple(models)), DELAY).run(CYCLES, FEW)

    assert [f.programmes for f in again] == [f.programmes for f in found]
    assert [f.cost for f in again] == [f.cost for f in found]


def test_improving_never_costs_more(search: AreaSearch) -> None:
    from lvbo.optimize._descent_kernels import settle_all

    area = search.start(80)
    assert area is not None
    before = settle_all(area, 6)
    offsets = search.improve(area, greens=False)
    after = search.kick(area, Effort(kicks=10))

    assert offsets < before
    assert after <= offsets + 1e-4


def test_kicks_end_when_they_save_too_little_or_time_is_over(search: AreaSearch) -> None:
    area = search.start(80)
    assert area is not None
    search.improve(area)
    looks = []
    for least_gain, at_s in ((0.5, 1e9), (0.0, 12.0)):
        clock = Ticking()
        until = Deadline(at_s=at_s, clock=clock)
        search.kick(area, Effort(kicks=1000, least_gain=least_gain, until=until))
        looks.append(clock.looks)

    assert looks == [3, 13]


def test_offsets_found_are_as_good_as_the_best_of_all(judge: AreaJudge, models: Models) -> None:
    pair = tuple(sorted(models))[:2]
    mesh = judge.mesh(pair)
    search = AreaSearch(mesh, DELAY)
    area = search.start(70)
    assert area is not None
    search.improve(area, greens=False)
    found = search.programmes(area)
    plans = {c: plan_of(models[c], p, PlanId("all")) for c, p in found.items()}
    duo = AreaJudge(judge.network, {c: models[c] for c in pair}, judge.volumes)
    every = [
        duo.cost({pair[0]: plans[pair[0]], pair[1]: plans[pair[1]].later(k)}).delay_vehs_ph
        for k in range(70)
    ]

    assert every[0] <= 1.002 * min(every)


def test_signals_that_are_held_stay_within_their_slack(search: AreaSearch) -> None:
    area = search.start(80)
    assert area is not None
    start = search.programmes(area)
    holds = {c: Hold(early_s=2, late_s=3) for c in start}
    placed = search.placed(start, 80, holds)
    search.improve(placed)
    moved = search.programmes(placed)

    for c, programme in moved.items():
        shift = (programme.offset_s - start[c].offset_s + 40) % 80 - 40
        assert -2 <= shift <= 3
        assert programme.greens_s == start[c].greens_s


def test_offsets_lie_within_the_own_cycle_of_each_signal(
    search: AreaSearch, models: Models
) -> None:
    short = search.start(80)
    assert short is not None
    whole = search.placed(search.programmes(short), 160)
    whole.at.offset[:] = whole.at.offset + 80
    found = search.programmes(whole)

    assert all(p.cycle_s == 80 and 0 <= p.offset_s < 80 for p in found.values())
    again = search.placed(found, 80)
    assert (again.at.offset == short.at.offset).all()
    assert as_plans_of(found, models) == as_plans_of(search.programmes(short), models)


def test_stops_weigh_what_they_are_said_to(judge: AreaJudge, models: Models) -> None:
    mesh = judge.mesh(tuple(models))
    costs = [
        judge.cost(as_plans(AreaSearch(mesh, Objective(stop_s=s)).run((90,), FEW)[0], models))
        for s in (0.0, 40.0)
    ]

    assert costs[1].stops_ph < costs[0].stops_ph


def test_a_cycle_too_short_for_a_signal_is_refused_with_its_limits(search: AreaSearch) -> None:
    with pytest.raises(InfeasibleError) as caught:
        search.run((12, 14), FEW)

    assert caught.value.code == "LV510"
    assert caught.value.fields["most_s"] == 14


def test_offsets_alone_leave_cycles_and_greens(
    judge: AreaJudge, models: Models, found: list[Found]
) -> None:
    plans = as_plans(found[0], models)
    chance = np.random.default_rng(2)
    scattered = {c: p.at_offset(10 * int(chance.integers(60))) for c, p in plans.items()}
    better = best_offsets(judge, scattered, DELAY, Effort(kicks=3))

    assert {c: p.greens for c, p in better.items()} == {c: p.greens for c, p in plans.items()}
    assert {p.cycle_ds for p in better.values()} == {p.cycle_ds for p in plans.values()}
    assert judge.cost(better).delay_vehs_ph < judge.cost(scattered).delay_vehs_ph
    assert judge.cost(better).delay_vehs_ph <= 1.02 * judge.cost(plans).delay_vehs_ph


def test_several_demands_at_once_cost_their_sum(judge: AreaJudge, models: Models) -> None:
    from lvbo.optimize.mesh import stacked

    mesh = judge.mesh(tuple(models))
    double = stacked([mesh, mesh])
    one, two = AreaSearch(mesh, DELAY), AreaSearch(double, DELAY)
    a, b = one.start(80), two.start(80)
    assert a is not None
    assert b is not None

    assert two.improve(b) == pytest.approx(2 * one.improve(a), rel=0.01)
