# SPDX-License-Identifier: Apache-2.0
"""What the plan bench enters as ours: one design, from counts, before any judged seed runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from lvbo.bench.common import cpu_seconds
from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.ids import LinkId
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, optimize_area
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.executor import open_runner
from lvbo.optimize.nearby import Reach, plans_nearby
from lvbo.optimize.offsets import best_offsets
from lvbo.optimize.search import Objective
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.project.trial import Trial, try_out
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import controller_models, each_alone, period_volumes, time_plans

INSTALLED = "installed"
LEAST_CYCLES_S = (40, 60, 80)
"""The shortest cycles that designs are tried out with."""
REACHES_S = (8, 16)
"""How far plans in force are moved, s.

On grids at saturations of 1.0 and 1.1 reaches of 4, 8 and 16 s differ by 1 % of the delay.
"""
DELAY = Objective(stop_s=0.0, spill_s=0.0)
"""Plans are judged by delay, so that is what they are made for."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """Our plans: those we stand by, each signal by itself, and waves on streets over those.

    `kept` says that the shipped plans stayed; `cpu_s` what making each took, trials included.
    """

    lvbo: PlanSet
    isolated: PlanSet
    corridors: PlanSet
    kept: bool = False
    cpu_s: Mapping[str, float] = field(default_factory=dict)


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
    workers: int = 2


Planner = Callable[[Task], Design]


def design_plans(task: Task) -> Design:
    """Return plans for one period, all day, made from counts.

    Several designs and the plans in force are tried out on traffic fitted to the counts; what
    does less harm there, also under more demand than was counted, is entered.
    """
    network = task.network
    demand = estimate_demand(network, task.counts, plans=task.installed)
    days = _one_period(task.installed)
    clock = [cpu_seconds()]
    isolated = time_plans(network, demand, days, groups=each_alone(network))
    clock.append(cpu_seconds())
    speeds = platoon_speeds(task.counts)
    order = AreaOrder(stop_s=0.0, near_best=1.0, speeds_mps=speeds)
    corridors = plan_area(network, demand, days, order).plans
    clock.append(cpu_seconds())
    candidates = {INSTALLED: task.safe, **_designs(task, demand, days, speeds)}
    trial = Trial(network=network, net_file=task.net_file, demand=demand, day_type=days[0].day_type)
    with open_runner(task.workers) as runner:
        best = try_out(trial, candidates, runner).best
    clock.append(cpu_seconds())
    spent = [after - before for before, after in pairwise(clock)]
    return Design(
        lvbo=candidates[best],
        isolated=isolated,
        corridors=corridors,
        kept=best == INSTALLED,
        cpu_s=dict(zip(("isolated", "corridors", "lvbo"), spent, strict=True)),
    )


def our_offsets(network: Network, counts: Counts, plans: PlanSet) -> PlanSet:
    """Return plans with our offsets, from counts; cycles and greens stay as they are."""
    days = _one_period(plans)
    demand = estimate_demand(network, counts, plans=plans)
    return _moved(_judge(network, demand, days, platoon_speeds(counts)), plans)


def _one_period(installed: PlanSet) -> tuple[DayPlan, ...]:
    day_type = installed.day_plans[0].day_type
    return (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)


def _designs(
    task: Task,
    demand: Demand,
    days: tuple[DayPlan, ...],
    speeds_mps: Mapping[LinkId, float],
) -> dict[str, PlanSet]:
    """Return area plans by their least cycle, and plans near those in force; equal ones once.

    Longer cycles clear longer queues in one green, which no model without spillback values.
    """
    judge = _judge(task.network, demand, days, speeds_mps)
    found = {"offsets": _moved(judge, task.safe)}
    running = _running(task.safe)
    mesh = judge.mesh(tuple(judge.models))
    for reach_s in REACHES_S:
        near = plans_nearby(mesh, running, Reach(seconds=reach_s))
        found[f"near-{reach_s}"] = task.safe.with_plans(near.values())
    for least_s in LEAST_CYCLES_S:
        limits = CycleLimits(least_s=least_s)
        goal = AreaGoal(limits=limits, speeds_mps=speeds_mps, objective=DELAY)
        plans = optimize_area(task.network, demand, days, goal).plans
        if plans not in found.values():
            found[f"area-{least_s}"] = plans
    return found


def _judge(
    network: Network,
    demand: Demand,
    days: tuple[DayPlan, ...],
    speeds_mps: Mapping[LinkId, float],
) -> AreaJudge:
    """Return the judge of the mean volumes of the day."""
    volumes = period_volumes(demand, days[0].day_type, days[0].periods[0])
    models = {m.controller.id: m for m in controller_models(network, demand, volumes)}
    return AreaJudge(network, models, volumes, speeds_mps)


def _running(plans: PlanSet) -> Plans:
    return plans.running(plans.day_plans[0].day_type, 0)


def _moved(judge: AreaJudge, plans: PlanSet) -> PlanSet:
    """Return plans with the offsets that cost least."""
    return plans.with_plans(best_offsets(judge, _running(plans), DELAY).values())
