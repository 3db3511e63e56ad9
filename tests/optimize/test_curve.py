# SPDX-License-Identifier: Apache-2.0
"""Trade-offs and searches by the clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimize.clocks import Ticking
from tests.optimize.test_area_plan import DAYS

from lvbo.demand.demand import Demand
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, Bands, optimize_area
from lvbo.optimize.curve import Asked, TradePoint, period_demand, trade_off, undominated
from lvbo.optimize.deadline import Deadline, within
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.search import Effort, timed
from lvbo.signal.schedule import DayPlan, Period
from lvbo.timing.plans import period_volumes, time_plans

QUICK = Effort(kicks=0, finalists=1, cycles_s=(80,))
ALL = DAYS[0].periods[0]


def point(delay: float, stops: float, band: float, *, chosen: bool = False) -> TradePoint:
    return TradePoint(
        stop_s=0.0,
        bands=Bands.NONE,
        delay_vehs_ph=delay,
        stops_ph=stops,
        band_s=band,
        chosen=chosen,
    )


def test_what_another_point_beats_is_dropped() -> None:
    best, fewer, wider = point(10, 9, 5), point(12, 7, 5), point(12, 9, 8)
    beaten = point(11, 9, 5)

    assert undominated([beaten, wider, fewer, best]) == (best, fewer, wider)


def test_the_chosen_point_stays_and_equal_points_are_one() -> None:
    best, chosen = point(10, 9, 5), point(11, 9, 5, chosen=True)

    assert undominated([best, best, chosen]) == (best, chosen)
    assert undominated([point(11, 9, 5), chosen, best]) == (best, chosen)


def test_a_period_over_midnight_keeps_its_own_volumes(demand: Demand) -> None:
    night = Period(start_s=79_200, end_s=21_600, name="night")
    single = period_demand(demand, "workday", night)
    volumes = period_volumes(single, "workday", ALL)

    assert volumes == pytest.approx(period_volumes(demand, "workday", night))
    assert single.slots == 1


def test_a_trade_off_shows_more_delay_for_fewer_stops(
    network: Network, demand: Demand, judge: AreaJudge
) -> None:
    plans = time_plans(network, demand, DAYS).running("workday", 0)
    asked = Asked(day_type="workday", period=ALL, judge=judge, chosen=plans, before=plans)
    told: list[float] = []
    trade = trade_off(network, demand, asked, AreaGoal(effort=QUICK), tell=told.append)
    free = [p for p in trade.points if not p.chosen]

    assert told[-1] == 1.0
    assert [p.delay_vehs_ph for p in free] == sorted(p.delay_vehs_ph for p in free)
    assert min(p.stops_ph for p in free) < free[0].stops_ph
    assert sum(p.chosen for p in trade.points) == 1
    assert trade.before is not None


def test_no_further_point_is_begun_when_the_time_is_over(
    network: Network, demand: Demand, judge: AreaJudge
) -> None:
    plans = time_plans(network, demand, DAYS).running("workday", 0)
    asked = Asked(day_type="workday", period=ALL, judge=judge, chosen=plans)
    trade = trade_off(network, demand, asked, AreaGoal(effort=QUICK), until=within(0.0))

    assert [p.chosen for p in trade.points] == [True]


def test_a_search_by_the_clock_plans_every_period_and_ends_soon_after_its_time(
    network: Network, demand: Demand
) -> None:
    day = Period(start_s=21_600, end_s=79_200, name="day")
    night = Period(start_s=79_200, end_s=21_600, name="night")
    days = (DayPlan(day_type="workday", periods=(day, night)),)
    corridor = max(network.corridors, key=lambda c: len(c.stops))
    goal = AreaGoal(effort=QUICK, corridors=(corridor,))
    told: list[float] = []
    clock = Ticking()
    goal = replace(goal, effort=timed(QUICK, Deadline(at_s=100.0, clock=clock)))
    found = optimize_area(network, demand, days, goal, progress=told.append)

    assert 50 < clock.looks < 130
    assert {p.id for p in found.plans.plans} == {"day", "night"}
    assert [w.period for w in found.waves[0].periods] == ["day", "night"]
    assert [p.period for p in found.periods] == ["day", "night"]
    assert told == sorted(told)
    assert np.all(np.array(told) <= 1.0)


def test_a_search_whose_time_is_over_plans_every_period_all_the_same(
    network: Network, demand: Demand
) -> None:
    effort = replace(timed(QUICK, within(0.0)), cycles_s=(70, 80, 90), finalists=3)
    found = optimize_area(network, demand, DAYS, AreaGoal(effort=effort))

    assert set(found.plans.running("workday", 0)) == {c.id for c in network.controllers}
