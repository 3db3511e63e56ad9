# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from lvbo.demand.demand import Demand
from lvbo.errors import InfeasibleError
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, AreaPlan, Bands, optimize_area
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.executor import Pool
from lvbo.optimize.grouping import find_groups
from lvbo.optimize.search import Effort, Objective
from lvbo.progression.walk import walk_plan
from lvbo.signal.check import is_safe
from lvbo.signal.schedule import DayPlan, Period
from lvbo.timing.model import CycleLimits

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
FEW = Effort(kicks=2, finalists=2)
DELAY = Objective(stop_s=0.0, spill_s=0.0)


def planned(network: Network, demand: Demand, bands: Bands) -> AreaPlan:
    corridor = max(network.corridors, key=lambda c: len(c.stops))
    goal = AreaGoal(
        corridors=(corridor,),
        bands=bands,
        effort=FEW,
        objective=DELAY,
        limits=CycleLimits(least_s=60, most_s=90, step_s=10),
    )
    return optimize_area(network, demand, DAYS, goal)


@pytest.fixture(scope="module")
def free(network: Network, demand: Demand) -> AreaPlan:
    return planned(network, demand, Bands.NONE)


@pytest.fixture(scope="module")
def waved(network: Network, demand: Demand) -> AreaPlan:
    return planned(network, demand, Bands.HARD)


def test_every_controller_has_a_lawful_plan(network: Network, free: AreaPlan) -> None:
    running = free.plans.running("workday", 0)

    assert set(running) == {c.id for c in network.controllers}
    assert all(is_safe(p, network.controller_index[c].rules) for c, p in running.items())
    assert len({p.cycle_ds for p in running.values()}) <= 2


def test_a_hard_wave_keeps_its_bands_while_the_rest_moves(waved: AreaPlan) -> None:
    wave = waved.waves[0].periods[0]
    walked = walk_plan(wave.problem, wave.runs)

    assert wave.runs.outbound_ms + wave.runs.inbound_ms > 0
    assert not walked.violations
    assert waved.plans.running("workday", 0)[wave.controllers[0]] == wave.plans[0]


def test_a_wave_costs_no_less_than_no_wave(free: AreaPlan, waved: AreaPlan) -> None:
    assert waved.periods[0].cost.delay_vehs_ph >= 0.999 * free.periods[0].cost.delay_vehs_ph


def test_a_soft_wave_is_kept_only_where_it_costs_little(
    network: Network, demand: Demand, free: AreaPlan, waved: AreaPlan
) -> None:
    soft = planned(network, demand, Bands.SOFT)
    dear = waved.periods[0].cost.delay_vehs_ph > 1.02 * free.periods[0].cost.delay_vehs_ph

    assert bool(soft.waves) != dear


def test_progress_is_told_to_the_end(network: Network, demand: Demand) -> None:
    told: list[float] = []
    goal = AreaGoal(effort=Effort(kicks=1, finalists=1, cycles_s=(80,)))
    optimize_area(network, demand, DAYS, goal, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_periods_and_cycles_shared_by_processes_give_the_same_plans(
    network: Network, demand: Demand
) -> None:
    day = Period(start_s=21_600, end_s=79_200, name="day")
    night = Period(start_s=79_200, end_s=21_600, name="night")
    days = (DayPlan(day_type="workday", periods=(day, night)),)
    goal = AreaGoal(effort=Effort(kicks=1, finalists=2, cycles_s=(70, 80)), samples=2)
    here = optimize_area(network, demand, days, goal)
    with Pool(1) as pool:
        there = optimize_area(network, demand, days, goal, runner=pool)

    assert there.plans == here.plans
    assert there.periods == here.periods


def test_neighbours_on_a_street_share_a_cycle_where_that_pays(judge: AreaJudge) -> None:
    groups = find_groups(judge, range(60, 101, 10), DELAY)
    street = next(g for g in groups if "B0" in g.controllers)

    assert sorted(c for g in groups for c in g.controllers) == sorted(judge.models)
    assert "C0" in street.controllers


def test_limits_that_nobody_can_keep_are_refused(network: Network, demand: Demand) -> None:
    goal = AreaGoal(limits=CycleLimits(least_s=12, most_s=14), effort=FEW)

    with pytest.raises(InfeasibleError) as caught:
        optimize_area(network, demand, DAYS, goal)

    assert caught.value.code == "LV510"
