# SPDX-License-Identifier: Apache-2.0
"""What the plan bench enters as ours: one design, from counts, before any judged seed runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.ids import LinkId
from lvbo.network.network import Network
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.project.trial import Trial, try_out
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import each_alone, time_plans

INSTALLED = "installed"
LEAST_CYCLES_S = (40, 60, 80)
"""The shortest cycles that designs are tried out with."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """Our plans: coordinated, and each signal by itself; `kept` says the shipped plans stayed."""

    lvbo: PlanSet
    isolated: PlanSet
    kept: bool = False


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a planner is given: street, file, counts, the plans in force and as repaired.

    It never sees the traffic it is judged by.
    """

    network: Network
    net_file: Path
    counts: Counts
    installed: PlanSet
    safe: PlanSet


Planner = Callable[[Task], Design]


def design_plans(task: Task) -> Design:
    """Return plans for one period, all day: timed from counts, then coordinated street by street.

    Several designs and the plans in force are tried out on traffic fitted to the counts; what
    does less harm there, also under more demand than was counted, is entered.
    """
    network = task.network
    day_type = task.installed.day_plans[0].day_type
    days = (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)
    demand = estimate_demand(network, task.counts, plans=task.installed)
    isolated = time_plans(network, demand, days, groups=each_alone(network))
    speeds = platoon_speeds(task.counts)
    candidates = {INSTALLED: task.safe, **_designs(network, demand, days, speeds)}
    trial = Trial(network=network, net_file=task.net_file, demand=demand, day_type=day_type)
    best = try_out(trial, candidates).best
    return Design(lvbo=candidates[best], isolated=isolated, kept=best == INSTALLED)


def _designs(
    network: Network,
    demand: Demand,
    days: tuple[DayPlan, ...],
    speeds_mps: Mapping[LinkId, float],
) -> dict[str, PlanSet]:
    """Return coordinated plans by their least cycle; equal ones once.

    Longer cycles clear longer queues in one green, which no model without spillback values.
    """
    found: dict[str, PlanSet] = {}
    for least_s in LEAST_CYCLES_S:
        limits = CycleLimits(least_s=least_s)
        order = AreaOrder(stop_s=0.0, near_best=1.0, limits=limits, speeds_mps=speeds_mps)
        plans = plan_area(network, demand, days, order).plans
        if plans not in found.values():
            found[f"designed-{least_s}"] = plans
    return found
