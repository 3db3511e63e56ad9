# SPDX-License-Identifier: Apache-2.0
"""Let a simulation decide between an area plan, the plans in force, and those moved a little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lvbo.errors import Finding, Severity
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.optimize.answers import with_kept
from lvbo.optimize.curve import period_demand
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.executor import TaskRunner
from lvbo.optimize.gains import PeriodGains, period_gains, spans_in_force
from lvbo.optimize.nearby import plans_nearby
from lvbo.project.area import AreaDesign
from lvbo.project.area_files import busiest
from lvbo.project.trial import Trial, TriedPlans, robust_delay, try_out
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Period, PlanSet
from lvbo.timing.plans import controller_models, mean_volumes

IN_FORCE, NEAR, NEW = "in force", "near", "new"


def decided(
    design: AreaDesign,
    network: Network,
    net_file: Path,
    shipped: PlanSet,
    *,
    runner: TaskRunner | None = None,
) -> AreaDesign:
    """Return the design, its busiest period decided by a simulation of fitted traffic.

    The model cannot see all queues that block other streets. Where the new plans do not clearly
    better those in force there, that period keeps the latter, or has them moved a little where that
    does; a finding says so. Simulations are tasks for the runner, here if none is given.
    """
    own = busiest(design)
    if own is None:
        return design
    demand = design.designed.demand
    period = _period(design, own)
    trial = Trial(
        network=network,
        net_file=net_file,
        demand=period_demand(demand, own.day_type, period),
        day_type=own.day_type,
    )
    running = _in_force(shipped, own.day_type, period)
    judge = _judge(trial, design)
    near = _near(judge, running)
    candidates = {IN_FORCE: shipped, NEAR: shipped.with_plans(near.values()), NEW: design.plans}
    tried = try_out(trial, candidates, runner)
    if tried.best == NEW:
        return design.with_finding(_finding(own, tried))
    if tried.best == NEAR:
        spans = spans_in_force(shipped, own.day_type, period, near)
        moved = period_gains(judge, (own.day_type, own.period), spans, near)
        return _replaced(design, own, near, moved, NEAR).with_finding(_finding(own, tried))
    return _replaced(design, own, running, _undone(own)).with_finding(_finding(own, tried))


def _replaced(
    design: AreaDesign, own: PeriodGains, used: Plans, now: PeriodGains, prefix: str = "kept"
) -> AreaDesign:
    """Return the design with other plans in one period, no wave there, and what they change."""
    moment = own.day_type, own.period
    if prefix == "kept" and moment in design.kept:
        return design
    plans = with_kept(design.plans, {moment: used}, prefix)
    kept = (*design.kept, moment) if prefix == "kept" else design.kept
    waves = tuple(
        replace(
            w,
            plans=plans,
            periods=tuple(p for p in w.periods if (p.day_type, p.period) != moment),
        )
        for w in design.designed.waves
    )
    made = replace(design.designed, plans=plans, waves=tuple(w for w in waves if w.periods))
    gains = tuple(now if g is own else g for g in design.gains)
    return replace(design, designed=made, gains=gains, kept=kept)


def _judge(trial: Trial, design: AreaDesign) -> AreaJudge:
    volumes = mean_volumes(trial.demand)
    models = {m.controller.id: m for m in controller_models(trial.network, trial.demand, volumes)}
    goal = design.goal
    return AreaJudge(trial.network, models, volumes, goal.speeds_mps, goal.traits)


def _near(judge: AreaJudge, running: Plans) -> Plans:
    """Return the plans in force moved a little, under the names they have."""
    own = {c: running[c] for c in judge.models}
    return plans_nearby(judge.mesh(tuple(own)), own)


def _undone(gains: PeriodGains) -> PeriodGains:
    """Return a period in which nothing changes after all."""
    links = tuple(
        replace(g, after_vehs=g.before_vehs, after_stops=g.before_stops, reasons=())
        for g in gains.links
    )
    return replace(gains, links=links)


def _period(design: AreaDesign, own: PeriodGains) -> Period:
    days = {day.day_type: day for day in design.plans.day_plans}
    return next(p for p in days[own.day_type].periods if p.name == own.period)


def _in_force(shipped: PlanSet, day_type: str, period: Period) -> Mapping[ControllerId, Plan]:
    kinds = [day.day_type for day in shipped.day_plans]
    kind = day_type if day_type in kinds else kinds[0]
    return shipped.running(kind, period.start_s)


def _finding(own: PeriodGains, tried: TriedPlans) -> Finding:
    delays = {
        name: round(robust_delay(found), 1) for name, found in tried.counted_s.items() if found
    }
    fields = {"in_force_s": delays[IN_FORCE], "near_s": delays[NEAR], "new_s": delays[NEW]}
    code = {IN_FORCE: "LV585", NEAR: "LV593", NEW: "LV586"}[tried.best]
    return Finding(
        code=code,
        place=f"{own.day_type} {own.period}",
        severity=Severity.WARNING if tried.best == IN_FORCE else Severity.ADVICE,
        fields=fields,
    )
