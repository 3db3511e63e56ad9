# SPDX-License-Identifier: Apache-2.0
"""A day with few distinct plans: which plan serves which period, and what that costs.

Signals of a group switch together. Every plan is judged in every period, each switch has its price,
and the best choice of at most so many plans is found by enumeration, its schedule by dynamic
programming around the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import InputError
from lvbo.ids import ControllerId
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.signal.schedule import Assignment, DayPlan, PlanSet
from lvbo.timing.period_cost import SEEK_CYCLES, SEEK_LOSS
from lvbo.timing.plans import Group

Floats = NDArray[np.float64]
Moment = tuple[str, str]
"""Day type and name of a period."""

MOST_CHOICES = 20_000
"""So many choices of plans are tried; beyond, plans are given up one by one."""


@dataclass(frozen=True, kw_only=True)
class Limited:
    """Plans of which each signal runs at most `most_plans`, and what the limit costs.

    Costs are veh-s of a week of days, one of each weekday, switches included; `exact` says that no
    choice is better.
    """

    plans: PlanSet
    most_plans: int
    free_vehs: float
    limited_vehs: float
    exact: bool

    @property
    def share(self) -> float:
        """Return by which share the limit raises the cost."""
        return self.limited_vehs / self.free_vehs - 1 if self.free_vehs > 0 else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """What a group's plans cost: `cost[P, T]` over each period, `switch[P, P, T]` going into it.

    `chains` are the periods of each day type in their order around the day.
    """

    cost: Floats
    switch: Floats
    chains: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which plan runs in each period, and what that costs."""

    plan_of: tuple[int, ...]
    cost: float
    exact: bool


def limit_plans(
    plans: PlanSet,
    judges: Mapping[Moment, AreaJudge],
    groups: Sequence[Group],
    most_plans: int,
    *,
    stop_s: float = 0.0,
) -> Limited:
    """Return the plans with at most `most_plans` distinct ones for each group of signals.

    Raises:
        InputError: LV589 where fewer than one plan is asked for.

    """
    if most_plans < 1:
        raise InputError("LV589", place="--most-plans", most=most_plans)
    moments = [(d.day_type, p.name) for d in plans.day_plans for p in sorted(d.periods)]
    own = [_running(plans, moment) for moment in moments]
    values = _values(own, [judges[m] for m in moments], stop_s)
    plan_of: dict[tuple[ControllerId, Moment], int] = {}
    free = limited = 0.0
    exact = True
    for group in _all_groups(groups, plans):
        table = _table(group, plans, moments, own, values)
        unlimited, best = choose(table, len(moments)), choose(table, most_plans)
        free, limited, exact = free + unlimited.cost, limited + best.cost, exact and best.exact
        for c in group.controllers:
            for moment, p in zip(moments, best.plan_of, strict=True):
                plan_of[c, moment] = p
    runs = [
        replace(a, plan=own[plan_of[a.controller, (a.day_type, a.period)]][a.controller].id)
        for a in plans.assignments
    ]
    return Limited(
        plans=_only_used(plans, runs),
        most_plans=most_plans,
        free_vehs=free,
        limited_vehs=limited,
        exact=exact,
    )


def choose(table: Table, most_plans: int) -> Choice:
    """Return the choice of at most `most_plans` plans that costs least."""
    count = len(table.cost)
    size = min(most_plans, count)
    if comb(count, size) <= MOST_CHOICES:
        sets = combinations(range(count), size)
        kept, exact = min(sets, key=lambda some: (_least(table, some), some)), True
    else:
        kept, exact = _given_up(table, size), False
    plan_of = [0] * table.cost.shape[1]
    for chain in table.chains:
        for t, p in zip(chain, _schedule(table, chain, kept), strict=True):
            plan_of[t] = p
    return Choice(plan_of=tuple(plan_of), cost=_least(table, kept), exact=exact)


def _given_up(table: Table, size: int) -> tuple[int, ...]:
    """Return plans left when the one that is missed least is given up, again and again."""
    kept = tuple(range(len(table.cost)))
    while len(kept) > size:
        rest = [tuple(p for p in kept if p != gone) for gone in kept]
        kept = min(rest, key=lambda some: (_least(table, some), some))
    return kept


def _least(table: Table, kept: Sequence[int]) -> float:
    """Return what the best schedule of some plans costs: products of (min, +) around each day."""
    total = 0.0
    for chain in table.chains:
        way = None
        for t in chain:
            step = _step(table, t, kept)
            way = step if way is None else (way[:, :, None] + step[None]).min(axis=1)
        total += 0.0 if way is None else float(np.diag(way).min())
    return total


def _step(table: Table, t: int, kept: Sequence[int]) -> Floats:
    """Return what it costs to come from a plan (row) into period t with a plan (column)."""
    own = list(kept)
    return table.switch[np.ix_(own, own)][:, :, t] + table.cost[own, t][None]


def _schedule(table: Table, chain: Sequence[int], kept: Sequence[int]) -> list[int]:
    """Return the plan of each period of a day at least cost; the day begins where it ends."""
    steps = [_step(table, t, kept) for t in chain]
    best: tuple[float, list[int]] = (np.inf, [])
    for last in range(len(kept)):
        cost = np.where(np.arange(len(kept)) == last, 0.0, np.inf)
        came = []
        for step in steps:
            ways = cost[:, None] + step
            came.append(ways.argmin(axis=0))
            cost = ways.min(axis=0)
        if cost[last] < best[0]:
            at, found = last, []
            for back in reversed(came):
                found.append(kept[at])
                at = int(back[at])
            best = (float(cost[last]), found[::-1])
    return best[1]


# tables ---------------------------------------------------------------------------------------


def _running(plans: PlanSet, moment: Moment) -> Plans:
    return {c: p for (c, *when), p in plans.run_index.items() if tuple(when) == moment}


def _values(
    own: Sequence[Plans], judges: Sequence[AreaJudge], stop_s: float
) -> list[list[dict[ControllerId, float]]]:
    """Return what each signal costs per hour with the plans of period p in period t: `[p][t]`."""
    return [[_by_signal(judge, plans, stop_s) for judge in judges] for plans in own]


def _by_signal(judge: AreaJudge, plans: Plans, stop_s: float) -> dict[ControllerId, float]:
    found = dict.fromkeys(judge.models, 0.0)
    for link in judge.cost(plans).links:
        found[link.controller] += link.delay_vehs + stop_s * link.stops
    return found


def _all_groups(groups: Sequence[Group], plans: PlanSet) -> list[Group]:
    """Return the groups, and every other signal as one of its own."""
    running = {a.controller for a in plans.assignments}
    named = {c for group in groups for c in group.controllers}
    used = [Group(controllers=tuple(c for c in g.controllers if c in running)) for g in groups]
    alone = [Group(controllers=(c,)) for c in sorted(running - named)]
    return [g for g in (*used, *alone) if g.controllers]


def _table(
    group: Group,
    plans: PlanSet,
    moments: Sequence[Moment],
    own: Sequence[Plans],
    values: Sequence[Sequence[Mapping[ControllerId, float]]],
) -> Table:
    """Return the table of a group: periods as long as they are, days as often as in a week."""
    periods = {(d.day_type, p.name): p for d in plans.day_plans for p in d.periods}
    weight = [periods[m].length_s / 3600 * _days_a_week(plans, m[0]) for m in moments]
    rate = np.array(
        [[sum(at.get(c, 0.0) for c in group.controllers) for at in row] for row in values]
    )
    cycle_s = [float(np.mean([at[c].cycle_s for c in group.controllers])) for at in own]
    count = len(moments)
    switch = np.zeros((count, count, count))
    for t, moment in enumerate(moments):
        lost_h = SEEK_LOSS * SEEK_CYCLES * np.array(cycle_s) / 3600
        into = lost_h * rate[:, t] * _days_a_week(plans, moment[0])
        switch[:, :, t] = np.where(np.eye(count, dtype=bool), 0.0, into[None])
    return Table(
        cost=rate * np.array(weight)[None],
        switch=switch,
        chains=tuple(_chain(day, moments) for day in plans.day_plans),
    )


def _chain(day: DayPlan, moments: Sequence[Moment]) -> tuple[int, ...]:
    return tuple(k for k, (kind, _) in enumerate(moments) if kind == day.day_type)


def _days_a_week(plans: PlanSet, day_type: str) -> float:
    return float(max(1, plans.calendar.weekdays.count(day_type)))


def _only_used(plans: PlanSet, runs: Sequence[Assignment]) -> PlanSet:
    used = {(a.controller, a.plan) for a in runs}
    return replace(
        plans,
        plans=tuple(p for p in plans.plans if (p.controller, p.id) in used),
        assignments=tuple(runs),
    )
