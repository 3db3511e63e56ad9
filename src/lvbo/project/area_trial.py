# SPDX-License-Identifier: Apache-2.0
"""Let a simulation decide between an area plan and the plans in force: the busiest period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lvbo.errors import Finding, Severity
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.optimize.answers import with_kept
from lvbo.optimize.curve import period_demand
from lvbo.optimize.gains import PeriodGains
from lvbo.project.area import AreaDesign
from lvbo.project.area_files import busiest
from lvbo.project.trial import Trial, TriedPlans, robust_delay, try_out
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Period, PlanSet

IN_FORCE, NEW = "in force", "new"


def decided(
    design: AreaDesign, network: Network, net_file: Path, shipped: PlanSet, *, workers: int = 2
) -> AreaDesign:
    """Return the design, its busiest period decided by a simulation of fitted traffic.

    The model cannot see queues that block other streets; where the new plans do not clearly better
    those in force there, that period keeps the latter, and a finding says so.
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
        workers=workers,
    )
    tried = try_out(trial, {IN_FORCE: shipped, NEW: design.plans})
    said = _finding(own, tried)
    plans = design.plans
    moment = own.day_type, own.period
    kept, gains = design.kept, design.gains
    if tried.best == IN_FORCE and moment not in kept:
        plans = with_kept(plans, {moment: _in_force(shipped, own.day_type, period)})
        kept = (*kept, moment)
        gains = tuple(_undone(g) if g is own else g for g in gains)
    plans = replace(plans, findings=(*plans.findings, said))
    waves = tuple(
        replace(
            w,
            plans=plans,
            periods=tuple(p for p in w.periods if (p.day_type, p.period) not in kept),
        )
        for w in design.designed.waves
    )
    made = replace(design.designed, plans=plans, waves=tuple(w for w in waves if w.periods))
    return replace(design, designed=made, gains=gains, kept=kept)


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
    stays = tried.best == IN_FORCE
    return Finding(
        code="LV585" if stays else "LV586",
        place=f"{own.day_type} {own.period}",
        severity=Severity.WARNING if stays else Severity.ADVICE,
        fields={"in_force_s": delays[IN_FORCE], "new_s": delays[NEW]},
    )
