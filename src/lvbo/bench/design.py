# SPDX-License-Identifier: Apache-2.0
"""What the plan bench enters as ours: one design, from counts, before any judged seed runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.errors import InputError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.progression.coordinate import Street, coordinate
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.plans import each_alone, time_plans


@dataclass(frozen=True, kw_only=True)
class Design:
    """Our plans: coordinated, and each signal by itself; `kept` says the shipped plans stayed."""

    lvbo: PlanSet
    isolated: PlanSet
    kept: bool = False


Planner = Callable[[Network, Counts, PlanSet], Design]
"""From the street, its counts and the plans in force to a design. It never sees the traffic."""


def design_plans(network: Network, counts: Counts, shipped: PlanSet) -> Design:
    """Return plans for one period, all day: timed from counts, then coordinated street by street.

    The longest street is coordinated first; signals that one street has set stay as they are.
    """
    day_type = shipped.day_plans[0].day_type
    days = (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)
    demand = estimate_demand(network, counts, plans=shipped)
    isolated = time_plans(network, demand, days, groups=each_alone(network))
    plans = time_plans(network, demand, days)
    done: frozenset[ControllerId] = frozenset()
    for corridor in sorted(network.corridors, key=lambda c: (-c.length_m, c.id)):
        street = Street(network=network, demand=demand, locked=done)
        try:
            plans = coordinate(corridor, plans, street=street).plans
        except InputError:
            continue
        done |= set(corridor.controllers)
    return Design(lvbo=plans, isolated=isolated)
