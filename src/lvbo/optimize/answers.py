# SPDX-License-Identifier: Apache-2.0
"""What must be said about an area plan, and when the plans in force are the better answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lvbo.errors import Finding, InfeasibleError, Severity
from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, AreaPeriod, Bands
from lvbo.optimize.evaluate import AreaCost, AreaJudge, Plans
from lvbo.optimize.gains import Spans
from lvbo.optimize.search import Objective
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Assignment, PlanSet
from lvbo.timing.limits import least_cycle, smallest_conflict
from lvbo.timing.model import ControllerModel
from lvbo.timing.plans import COUPLED_M, coordination_groups

WORTH_CHANGING = 0.97
"""Plans in force are only replaced where the new ones save at least 3 % by the model."""


def check_limits(models: Sequence[ControllerModel], goal: AreaGoal) -> None:
    """Refuse limits that a signal cannot keep at any cycle, before anything is searched.

    Raises:
        InfeasibleError: LV510; it names the smallest set of limits that contradict.

    """
    longest = max(goal.effort.cycles_s or goal.limits.cycles())
    shortest = min(goal.effort.cycles_s or goal.limits.cycles())
    for model in models:
        low = [int(least.sum() + order.inters.sum()) for order, least, _ in model.order_arrays]
        if min(low) > longest:
            raise InfeasibleError(
                "LV510",
                place=model.controller.id,
                conflict=smallest_conflict(model.order_limits, int(shortest), int(longest)),
                least_s=min(least_cycle(order) for order in model.order_limits),
                most_s=int(longest),
            )


def coupling_findings(network: Network, goal: AreaGoal) -> list[Finding]:
    """Return that no two signals of a network are coupled, where that is so."""
    groups = goal.groups or coordination_groups(network)
    if not groups or any(len(group.controllers) > 1 for group in groups):
        return []
    return [_found("LV580", "", Severity.WARNING, signals=len(groups), within_m=round(COUPLED_M))]


def flow_findings(judge: AreaJudge, when: str) -> list[Finding]:
    """Return the signals at which nothing was counted in a period; one finding if that is all."""
    silent = [
        c
        for c, model in sorted(judge.models.items())
        if not any(judge.volumes.get(m, 0.0) > 0 for m in model.movements)
    ]
    if silent and len(silent) == len(judge.models):
        return [_found("LV582", when, Severity.ERROR, signals=len(silent))]
    return [_found("LV581", f"{c} {when}", Severity.WARNING) for c in silent]


def wave_findings(goal: AreaGoal, period: AreaPeriod, when: str) -> Iterator[Finding]:
    """Yield the streets that a period gives no wave, though one was asked for."""
    if goal.bands is Bands.NONE:
        return
    code = "LV588" if goal.bands is Bands.SOFT else "LV579"
    for corridor, wave in zip(goal.corridors, period.waves, strict=True):
        if wave is None:
            yield _found(code, when, Severity.WARNING, street=corridor.name)


# keeping what is in force ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Compared:
    """New plans of a period beside the best of those in force, in veh-s per hour of an objective.

    `kept` are plans in force that are the better answer; None where the new ones are.
    """

    new: float
    in_force: float
    kept: Plans | None

    def finding(self, when: str, bands: Bands) -> Finding | None:
        """Return what must be said: kept, or worse than what is in force because of waves."""
        fields = {"new": round(self.new / 3600, 1), "in_force": round(self.in_force / 3600, 1)}
        if self.kept is not None:
            return _found("LV583", when, Severity.WARNING, **fields)
        if bands is Bands.HARD and self.new > self.in_force:
            return _found("LV584", when, Severity.WARNING, **fields)
        return None


def compare_in_force(
    judge: AreaJudge, new: Plans, spans: Spans, goal: AreaGoal, *, waves: bool
) -> Compared:
    """Return whether plans in force should stay in a period, by the model.

    They stay where the new ones save less than 3 %, they keep the rules, and no wave was asked for
    that only the new ones have.
    """
    price = goal.objective
    best, cost = min(
        ((at, _value(judge.cost(at), price)) for _, at in spans), key=lambda pair: pair[1]
    )
    made = _value(judge.cost(new), price)
    legal = all(is_safe(best[c], judge.models[c].controller.rules) for c in judge.models)
    flows = any(judge.volumes.get(m, 0.0) > 0 for x in judge.models.values() for m in x.movements)
    no_better = made > WORTH_CHANGING * cost or not flows
    stay = legal and no_better and not (waves and goal.bands is Bands.HARD and flows)
    return Compared(new=made, in_force=cost, kept=best if stay else None)


def _value(cost: AreaCost, price: Objective) -> float:
    return cost.delay_vehs_ph + price.stop_s * cost.stops_ph


def with_kept(
    plans: PlanSet, kept: Mapping[tuple[str, str], Plans], prefix: str = "kept"
) -> PlanSet:
    """Return the plans with those in force in the periods that keep them, named `kept-` or so."""
    if not kept:
        return plans
    used: dict[tuple[ControllerId, PlanId], Plan] = {}
    runs: list[Assignment] = []
    for a in plans.assignments:
        plan = kept.get((a.day_type, a.period), {}).get(a.controller)
        own = plans.plan_index[a.controller, a.plan] if plan is None else _renamed(plan, prefix)
        used[own.controller, own.id] = own
        runs.append(replace(a, plan=own.id))
    return replace(plans, plans=tuple(used[key] for key in sorted(used)), assignments=tuple(runs))


def _renamed(plan: Plan, prefix: str) -> Plan:
    return replace(plan, id=PlanId(f"{prefix}-{plan.id}"))


def _found(code: str, place: str, severity: Severity, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=severity, fields=fields)
