# SPDX-License-Identifier: Apache-2.0
"""What the plan bench enters as ours: one design, from counts, before any judged seed runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.network.network import Network
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.project.trial import Trial, try_out
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.plans import each_alone, time_plans


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

    The design and the plans in force are tried out on traffic fitted to the counts; what does less
    harm there is entered.
    """
    network = task.network
    day_type = task.installed.day_plans[0].day_type
    days = (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)
    demand = estimate_demand(network, task.counts, plans=task.installed)
    isolated = time_plans(network, demand, days, groups=each_alone(network))
    ours = plan_area(network, demand, days, AreaOrder(stop_s=0.0, near_best=1.0)).plans
    trial = Trial(network=network, net_file=task.net_file, demand=demand, day_type=day_type)
    best = try_out(trial, {"installed": task.safe, "designed": ours})
    return Design(
        lvbo=task.safe if best == "installed" else ours,
        isolated=isolated,
        kept=best == "installed",
    )
