# SPDX-License-Identifier: Apache-2.0
"""How the signals of a street pass from one wave to the next with the least harm.

Each controller may get into step with the new plan by longer or shorter cycles, or by standing in
its reference green, over more or fewer cycles. What it then shows comes from the controller itself
behind its gate, second by second; the lamp checker must find nothing in it. Link transmission says
what a choice of all controllers together costs, cars that drive through say what is left of the
waves. The choice begins with the quickest way of each and takes, time after time, the change that
saves most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.control.site import read_site
from lvbo.control.transition import Course, Moment, courses
from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import ControllerId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.project.steps import Steps, silent
from lvbo.project.transition_cost import HORIZON_S, WARM_S, Damage, Judge
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.signal.transition import TransitionRule
from lvbo.signal.watch import LampChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """How one controller passes from plan to plan: the way of `course`, beside its quickest."""

    controller: ControllerId
    course: Course
    quickest: Course
    change_s: int

    @property
    def in_step_s(self) -> int | None:
        """Return how long after the change the new plan is in step."""
        at = self.course.in_step_s
        return None if at is None else at - self.change_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionPlan:
    """The transition of a street from one period to the next.

    `chosen` beside `quickest`, in which each controller takes its own quickest way; `at_once` is
    what no controller can do: the new plans in step from the second of the change.
    """

    corridor: Corridor
    day_type: str
    before: str
    after: str
    change_s: int
    passings: tuple[Passing, ...]
    chosen: Damage
    quickest: Damage
    at_once: Damage
    findings: tuple[Finding, ...]

    @property
    def rules(self) -> tuple[TransitionRule, ...]:
        """Return what a plan set says for the controllers to go these ways."""
        return tuple(passing.course.rule for passing in self.passings)


def plan_transition(  # noqa: PLR0913  a street, its plans, its traffic, and when
    network: Network,
    corridor: Corridor,
    plans: PlanSet,
    demand: Demand,
    before: str,
    after: str,
    *,
    day_type: str = "workday",
    steps: Steps = silent,
) -> TransitionPlan:
    """Return how the controllers of a street shall pass from one period's plans to the next's.

    Raises:
        InputError: LV490 where a period does not follow the other, LV451 a controller without
            plan.

    """
    begins_s = _change(plans, day_type, before, after)
    change_s = begins_s + (DAY_S if begins_s < WARM_S else 0)  # clocks go on over midnight here
    moment = Moment(
        day_type=day_type,
        change_s=change_s,
        begin_s=change_s - WARM_S,
        end_s=change_s + HORIZON_S,
    )
    _check_plans(corridor, plans, moment)
    with steps("courses") as tell:
        found: dict[ControllerId, tuple[Course, ...]] = {}
        for k, controller in enumerate(corridor.controllers):
            site = read_site(network, network.controller_index[controller])
            found[controller] = _legal(network, controller, courses(site, plans, moment))
            tell((k + 1) / len(corridor.controllers))
    with steps("transition"):
        judge = Judge(network, corridor, plans, demand, moment, found)
        chosen = judge.best()
    passings = tuple(
        Passing(controller=c, course=own[chosen[c]], quickest=own[0], change_s=change_s)
        for c, own in found.items()
    )
    damages = judge.damages([chosen, dict.fromkeys(found, 0)])
    return TransitionPlan(
        corridor=corridor,
        day_type=day_type,
        before=before,
        after=after,
        change_s=begins_s,
        passings=passings,
        chosen=damages[0],
        quickest=damages[1],
        at_once=judge.at_once(),
        findings=tuple(_findings(corridor, passings, damages)),
    )


def add_transitions(
    network: Network,
    corridors: Sequence[Corridor],
    plans: PlanSet,
    demand: Demand,
    *,
    steps: Steps = silent,
) -> tuple[PlanSet, tuple[Finding, ...]]:
    """Return the plans with the way of every controller of these streets at every switch.

    A controller on several streets goes the way of the first. Where no plan changes nothing is
    said.

    Raises:
        InputError: LV451 a controller without plan.

    """
    rules: dict[object, TransitionRule] = {}
    findings: list[Finding] = []
    for corridor in corridors:
        for switch in (switch for day in plans.day_plans for switch in day.switches):
            pairs = [
                [
                    plans.run_index.get((c, switch.day_type, p))
                    for p in (switch.before, switch.after)
                ]
                for c in corridor.controllers
            ]
            if all(before is after for before, after in pairs):
                continue
            made = plan_transition(
                network,
                corridor,
                plans,
                demand,
                switch.before,
                switch.after,
                day_type=switch.day_type,
                steps=steps,
            )
            findings += made.findings
            rules = {rule.scope: rule for rule in made.rules} | rules
    return plans.with_transitions(rules.values()), tuple(findings)


def _change(plans: PlanSet, day_type: str, before: str, after: str) -> int:
    """Return the second at which one period gives way to the other."""
    known = {day.day_type: day for day in plans.day_plans}
    periods = {p.name: p for p in known[day_type].periods} if day_type in known else {}
    first, second = periods.get(before), periods.get(after)
    if first is None or second is None or first is second or first.end_s != second.start_s:
        names = ", ".join(p.name for p in sorted(periods.values()))
        raise InputError("LV490", place=day_type, before=before, after=after, periods=names)
    return second.start_s


def _check_plans(corridor: Corridor, plans: PlanSet, moment: Moment) -> None:
    """Refuse controllers that have no plan before or after the change."""
    around = [plans.running(moment.day_type, s % DAY_S)
              for s in (moment.change_s - 1, moment.change_s)]  # fmt: skip
    lost = [c for c in corridor.controllers if not all(c in running for running in around)]
    if lost:
        raise InputError.of(
            Finding(code="LV451", place=corridor.name, fields={"controller": c}) for c in lost
        )


def _legal(
    network: Network, controller: ControllerId, found: Sequence[Course]
) -> tuple[Course, ...]:
    """Return the courses in which the lamp checker finds nothing; the quickest stays in any case.

    What a plan in force does wrong by itself it does on every course, so it is told elsewhere.
    """
    rules = network.controller_index[controller].rules
    bad = [_breaches(LampChecker(rules), course) for course in found]
    return tuple(c for k, c in enumerate(found) if k == 0 or bad[k] <= bad[0])


def _breaches(checker: LampChecker, course: Course) -> int:
    times = 10 * np.arange(len(course.lamps))
    return len(checker.see_all(times, course.lamps))


def _findings(
    corridor: Corridor, passings: Sequence[Passing], damages: Sequence[Damage]
) -> Iterator[Finding]:
    chosen, quickest = damages
    for passing in passings:
        if passing.in_step_s is None:
            yield Finding(code="LV491", place=passing.controller, severity=Severity.WARNING)
    if chosen.cost_vehh < quickest.cost_vehh - 1e-6:
        fields = {
            "changed": sum(p.course is not p.quickest for p in passings),
            "delay": round(chosen.delay_vehh, 1),
            "quickest": round(quickest.delay_vehh, 1),
            "stops": round(chosen.stops),
            "quickest_stops": round(quickest.stops),
        }
        yield Finding(code="LV492", place=corridor.name, severity=Severity.ADVICE, fields=fields)
    else:
        yield Finding(code="LV493", place=corridor.name, severity=Severity.ADVICE)
