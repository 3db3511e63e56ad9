# SPDX-License-Identifier: Apache-2.0
"""Which plan runs when: periods, day plans, a calendar, and the set of all plans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from lvbo.errors import Finding, InputError
from lvbo.ids import ControllerId, PlanId
from lvbo.signal.plan import Plan
from lvbo.signal.transition import AS_EVER, Switch, TransitionRule

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A span of the local day, [start, end); it may run over midnight (end before start)."""

    start_s: int
    end_s: int
    name: str

    @property
    def length_s(self) -> int:
        """Return the length; a whole day where start and end are equal."""
        return (self.end_s - self.start_s - 1) % DAY_S + 1

    def holds(self, second: int) -> bool:
        """Say whether a local second of the day lies inside."""
        return (second - self.start_s) % DAY_S < self.length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """The periods of one day type; together they cover the day once."""

    day_type: str
    periods: tuple[Period, ...]

    def __post_init__(self) -> None:
        covered = sum(period.length_s for period in self.periods)
        starts = sorted(self.periods)
        meets = all(
            left.end_s == right.start_s
            for left, right in zip(starts, (*starts[1:], starts[0]), strict=True)
        )
        if covered != DAY_S or not meets:
            text = ", ".join(f"{clock(p.start_s)}-{clock(p.end_s)}" for p in starts)
            raise InputError("LV310", place=self.day_type, periods=text)

    def at(self, second: int) -> Period:
        """Return the period that holds a local second of the day."""
        return next(period for period in self.periods if period.holds(second % DAY_S))

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Return the changes from one period to the next, from midnight on."""
        starts = sorted(self.periods)
        return tuple(
            Switch(day_type=self.day_type, before=before.name, after=after.name)
            for before, after in zip((starts[-1], *starts[:-1]), starts, strict=True)
            if len(starts) > 1
        )

    def switch_into(self, second: int) -> Switch:
        """Return the change by which the period that holds a local second has begun."""
        after = self.at(second)
        before = self.at(after.start_s - 1)
        return Switch(day_type=self.day_type, before=before.name, after=after.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which day type a date has: by weekday (Monday first), unless the date is named."""

    weekdays: tuple[str, str, str, str, str, str, str] = (
        "workday",
        "workday",
        "workday",
        "workday",
        "workday",
        "weekend",
        "weekend",
    )
    dates: tuple[tuple[date, str], ...] = ()

    def day_type(self, day: date) -> str:
        """Return the day type of a date."""
        return dict(self.dates).get(day, self.weekdays[day.weekday()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Say that a controller runs a plan in a period of a day type."""

    controller: ControllerId
    day_type: str
    period: str
    plan: PlanId


@dataclass(frozen=True, kw_only=True)
class PlanSet:
    """All plans of all controllers, when each runs, and how each gets into step with the next.

    Raises:
        InputError: LV311 where a plan that is to run does not exist, LV313 where two rules of
            transition hold for the same.

    """

    plans: tuple[Plan, ...]
    day_plans: tuple[DayPlan, ...]
    assignments: tuple[Assignment, ...]
    calendar: Calendar = field(default_factory=Calendar)
    findings: tuple[Finding, ...] = ()
    transitions: tuple[TransitionRule, ...] = ()

    def __post_init__(self) -> None:
        known = {(plan.controller, plan.id) for plan in self.plans}
        lost = [a for a in self.assignments if (a.controller, a.plan) not in known]
        if lost:
            first = lost[0]
            raise InputError("LV311", place=first.controller, plan=first.plan, period=first.period)
        if len(self.transition_index) < len(self.transitions):
            scopes = [rule.scope for rule in self.transitions]
            controller, switch = next(scope for scope in scopes if scopes.count(scope) > 1)
            raise InputError(
                "LV313", place=controller or "", controller=controller or "*", switch=switch or "*"
            )

    @cached_property
    def plan_index(self) -> Mapping[tuple[ControllerId, PlanId], Plan]:
        """Return plans by controller and id."""
        return {(plan.controller, plan.id): plan for plan in self.plans}

    @cached_property
    def run_index(self) -> Mapping[tuple[ControllerId, str, str], Plan]:
        """Return plans by controller, day type and period name."""
        return {
            (a.controller, a.day_type, a.period): self.plan_index[a.controller, a.plan]
            for a in self.assignments
        }

    @cached_property
    def transition_index(
        self,
    ) -> Mapping[tuple[ControllerId | None, Switch | None], TransitionRule]:
        """Return rules of transition by controller and switch; None stands for all."""
        return {rule.scope: rule for rule in self.transitions}

    def transition(self, controller: ControllerId, switch: Switch | None) -> TransitionRule:
        """Return how a controller gets into step at a switch, or at any other time."""
        scopes = [(who, at) for who in (controller, None) for at in (switch, None)]
        found = (self.transition_index.get(scope) for scope in scopes)
        return next((rule for rule in found if rule is not None), AS_EVER)

    def with_transitions(self, rules: Iterable[TransitionRule]) -> PlanSet:
        """Return the set with these rules in place of those for the same."""
        merged = dict(self.transition_index) | {rule.scope: rule for rule in rules}
        return replace(self, transitions=tuple(merged.values()))

    def with_transitions_of(self, other: PlanSet) -> PlanSet:
        """Return the set with those rules of another that are for controllers and switches here."""
        here = {None, *(switch for day in self.day_plans for switch in day.switches)}
        known = {None, *self.controllers}
        return self.with_transitions(
            rule for rule in other.transitions if rule.switch in here and rule.controller in known
        )

    @property
    def controllers(self) -> tuple[ControllerId, ...]:
        """Return the controllers that have a plan, by id."""
        return tuple(sorted({plan.controller for plan in self.plans}))

    def day_plan(self, day_type: str) -> DayPlan:
        """Return the day plan of a day type; KeyError if there is none."""
        return {day.day_type: day for day in self.day_plans}[day_type]

    def plan(self, controller: ControllerId, day_type: str, period: str) -> Plan:
        """Return the plan a controller runs in a period; KeyError if there is none."""
        return self.run_index[controller, day_type, period]

    def running(self, day_type: str, second: int) -> Mapping[ControllerId, Plan]:
        """Return the plan of each controller at a local second of a day of this type."""
        period = self.day_plan(day_type).at(second).name
        return {
            controller: plan
            for (controller, kind, name), plan in self.run_index.items()
            if kind == day_type and name == period
        }

    def with_plans(self, plans: Iterable[Plan]) -> PlanSet:
        """Return the set with these plans in place of those of the same controller and id."""
        merged = dict(self.plan_index)
        merged.update({(plan.controller, plan.id): plan for plan in plans})
        return replace(self, plans=tuple(merged[key] for key in sorted(merged)))

    def only(self, controllers: Collection[ControllerId]) -> PlanSet:
        """Return the plans of some controllers, and when each runs."""
        return replace(
            self,
            plans=tuple(plan for plan in self.plans if plan.controller in controllers),
            assignments=tuple(a for a in self.assignments if a.controller in controllers),
            transitions=tuple(
                t for t in self.transitions if t.controller is None or t.controller in controllers
            ),
        )

    def within(self, day_type: str, begin_s: int, end_s: int) -> tuple[Plan, ...]:
        """Return the plans that run at some second of [begin, end) of a day of this type."""
        starts = [period.start_s for period in self.day_plan(day_type).periods]
        seconds = {begin_s, *(s for s in starts if 0 <= (s - begin_s) % DAY_S < end_s - begin_s)}
        found = {
            (plan.controller, plan.id): plan
            for second in seconds
            for plan in self.running(day_type, second % DAY_S).values()
        }
        return tuple(found[key] for key in sorted(found))

    def mapped(self, change: Callable[[Plan], Plan]) -> PlanSet:
        """Return the set with every plan changed."""
        return replace(self, plans=tuple(change(plan) for plan in self.plans))


def one_period(plans: Iterable[Plan], *, day_type: str = "workday", period: str = "all") -> PlanSet:
    """Return the plan set in which each controller runs one plan all day."""
    listed = tuple(sorted(plans, key=lambda plan: (plan.controller, plan.id)))
    whole = Period(start_s=0, end_s=0, name=period)
    return PlanSet(
        plans=listed,
        day_plans=(DayPlan(day_type=day_type, periods=(whole,)),),
        assignments=tuple(
            Assignment(controller=p.controller, day_type=day_type, period=period, plan=p.id)
            for p in listed
        ),
    )


def clock(second: int) -> str:
    """Return a second of the day as HH:MM or, off the minute, HH:MM:SS; 24:00 for the end."""
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    short = f"{hours:02d}:{minutes:02d}"
    return short if seconds == 0 else f"{short}:{seconds:02d}"
