# SPDX-License-Identifier: Apache-2.0
"""What a controller shows while it passes from one plan to the next, by each way it may take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lvbo.control.fixed import PlanController
from lvbo.control.gate import Memory, admit, make_gate
from lvbo.control.protocols import Ints, Observation, Order
from lvbo.control.site import Site, read_site
from lvbo.ids import ControllerId
from lvbo.io.sumo_plans import Passage
from lvbo.network.network import Network
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.signal.transition import LONGER, SHORTER, Switch, Transition, TransitionRule

MOST_CYCLES = 3
"""A new plan is in step after so many of its cycles: longer transitions cost more than they save"""
LEAD_S = 30
"""So long before the change a controller takes up its old plan, which shows as it did all along."""
SEEN_S = 300
PATIENCE = 8
"""After so many cycles a plan that is not in step never will be."""
SLOWS = (Transition.ADD, Transition.DWELL)
DIGITS = 4
"""Shares of a cycle are kept with so many digits: a tenth of a second is more of any cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a controller gets into step: which way, over how many cycles; 0 as quickly as it may."""

    way: Transition
    cycles: int


QUICKEST = Manner(way=Transition.SHORTEST, cycles=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When plans change, and what is looked at around it; seconds of the area clock."""

    day_type: str
    change_s: int
    begin_s: int
    end_s: int


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Course:
    """What a controller shows by second from `begin_s` on, shape (seconds, phases).

    `rule` is what a plan file says to get it. `moved_s` is by how much its clock runs slower
    (positive) or faster on the way. It is in step from `in_step_s` on; None where it never is in
    the time looked at, or the gate lets go of it.
    """

    manner: Manner
    rule: TransitionRule
    lamps: Ints
    moved_s: float
    in_step_s: int | None


def courses(site: Site, plans: PlanSet, moment: Moment) -> tuple[Course, ...]:
    """Return what a site shows for every manner it may take, the quickest way of all first.

    Manners that do not come into step are left out, the first one excepted.
    """
    own = plans.only([site.id])
    old, new = (
        own.running(moment.day_type, s % DAY_S)[site.id]
        for s in (moment.change_s - 1, moment.change_s)
    )
    found: list[Course] = []
    switch = own.day_plan(moment.day_type).switch_into(moment.change_s % DAY_S)
    for manner, share, moved_ds in _manners(site, old, new, moment.change_s):
        rule = _rule(site, switch, manner, share)
        course = played(site, own.with_transitions([rule]), moment, manner, moved_ds / 10)
        if not found or course.in_step_s is not None:
            found.append(course)
    return tuple(found)


def passages(
    network: Network, plans: PlanSet, day_type: str
) -> tuple[tuple[Passage, ...], tuple[tuple[ControllerId, Switch], ...]]:
    """Return what controllers show between plans on a day, and who does not get into step in time.

    Nothing where the plan set does not say how controllers pass from plan to plan.
    """
    found, lost = [], []
    periods = sorted(plans.day_plan(day_type).periods) if plans.transitions else []
    for after in periods if len(periods) > 1 else ():
        switch = plans.day_plan(day_type).switch_into(after.start_s)
        moment = Moment(
            day_type=day_type,
            change_s=after.start_s,
            begin_s=after.start_s - LEAD_S,
            end_s=after.start_s + after.length_s,
        )
        for name in plans.controllers:
            old, new = (
                plans.run_index.get((name, day_type, p)) for p in (switch.before, after.name)
            )
            if old is None or new is None or old is new:
                continue
            site = read_site(network, network.controller_index[name])
            course = played(site, plans.only([name]), moment, QUICKEST, 0.0)
            if course.in_step_s is None or course.in_step_s >= moment.end_s:
                lost.append((name, switch))
                continue
            found.append(
                Passage(
                    controller=name,
                    name=f"{old.id}-{new.id}",
                    start_s=after.start_s,
                    lamps=course.lamps[LEAD_S : course.in_step_s - moment.begin_s],
                )
            )
    return tuple(found), tuple(lost)


def behind_ds(site: Site, old: Plan, new: Plan, change_s: int) -> int:
    """Return how far the new plan is behind its time when the old one lets it begin, [0, cycle)."""
    sync = site.controller.sync_s
    wait_ds = (-old.local_ds(10 * (change_s - sync))) % old.cycle_ds
    begin_s = change_s + math.ceil(wait_ds / 10)
    late = old.local_ds(10 * (begin_s - sync))
    return (new.local_ds(10 * (begin_s - sync)) - late) % new.cycle_ds


def _manners(
    site: Site, old: Plan, new: Plan, change_s: int
) -> Iterator[tuple[Manner, tuple[float, float], int]]:
    """Yield the manners with the shares by which cycles may grow and shrink, and the tenths moved.

    Of each way: over as few cycles as it can, and over as many as it may.
    """
    behind = behind_ds(site, old, new, change_s)
    ahead = (new.cycle_ds - behind) % new.cycle_ds
    hurries = behind / SHORTER <= ahead / LONGER
    yield QUICKEST, (LONGER, SHORTER), -behind if hurries else ahead
    if old is new or behind == 0:
        return
    for way, amount, most in (
        (Transition.ADD, ahead, LONGER),
        (Transition.DWELL, ahead, LONGER),
        (Transition.SUBTRACT, behind, SHORTER),
    ):
        fits = [n for n in range(1, MOST_CYCLES + 1) if amount <= n * int(most * new.cycle_ds)]
        for n in dict.fromkeys([*fits[:1], *fits[-1:]]):
            share = round((math.ceil(amount / n) + 0.5) / new.cycle_ds, DIGITS)
            moved = -amount if way is Transition.SUBTRACT else amount
            yield Manner(way=way, cycles=n), (min(share, LONGER), min(share, SHORTER)), moved


def _rule(site: Site, switch: Switch, manner: Manner, share: tuple[float, float]) -> TransitionRule:
    """Return what a plan file says to let a controller go in this manner."""
    longer, shorter = share
    hurries, slows = manner.way is Transition.SUBTRACT, manner.way in SLOWS
    return TransitionRule(
        way=manner.way,
        longer=LONGER if hurries else longer,
        shorter=SHORTER if slows else shorter,
        controller=site.id,
        switch=switch,
    )


def played(site: Site, plans: PlanSet, moment: Moment, manner: Manner, moved_s: float) -> Course:
    """Run the controller through its gate until it is in step, and follow the plan from there."""
    gate = make_gate(site, None, Order.ANY)
    controller = PlanController(site, gate, plans, day_type=moment.day_type)
    switch = plans.day_plan(moment.day_type).switch_into(moment.change_s % DAY_S)
    old = plans.running(moment.day_type, (moment.change_s - 1) % DAY_S)[site.id]
    new = plans.running(moment.day_type, moment.change_s % DAY_S)[site.id]
    first = moment.change_s - LEAD_S
    before = plan_rows(site, old, first - SEEN_S, SEEN_S)
    lamps, since, memory = before[-1], _held(before), Memory()
    rows, in_step = [], None
    last = moment.change_s + PATIENCE * math.ceil(max(old.cycle_ds, new.cycle_ds) / 10)
    for t in range(first, last):
        seen = _seen(site, t, lamps, since)
        verdict, memory = admit(gate, memory, seen, controller.decide(seen))
        if verdict.lamps is None:
            break
        since = np.where(verdict.lamps == lamps, since + 1, 1)
        lamps = verdict.lamps
        if t >= moment.change_s:
            rows.append(lamps)
        begun = old is new or t >= moment.change_s + math.ceil(old.cycle_ds / 10)
        begun = begun and t >= moment.change_s
        if begun and controller.in_step and (lamps == plan_rows(site, new, t, 1)[0]).all():
            in_step = t
            break
    start = plan_rows(site, old, moment.begin_s, moment.change_s - moment.begin_s)
    rest_s = moment.change_s + len(rows)
    end = plan_rows(site, new, rest_s, max(0, moment.end_s - rest_s))
    shown = np.concatenate([start, np.array(rows, np.int64).reshape(-1, len(lamps)), end])
    return Course(
        manner=manner,
        rule=plans.transition(site.id, switch),
        lamps=shown[: moment.end_s - moment.begin_s],
        moved_s=moved_s,
        in_step_s=in_step,
    )


def _seen(site: Site, time_s: int, lamps: Ints, since: Ints) -> Observation:
    """Return an observation of lamps alone; people on foot call all the time."""
    return Observation(
        controller=site.id,
        time_s=time_s,
        seen_s=time_s,
        lamps=lamps,
        since_s=since,
        working=np.zeros(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=site.walks,
    )


def _held(rows: Ints) -> Ints:
    """Return for how long the last of these rows has been shown, by phase."""
    same = rows[::-1] == rows[-1]
    return np.where(same.all(axis=0), len(rows), np.argmin(same, axis=0)).astype(np.int64)


def plan_rows(site: Site, plan: Plan, begin_s: int, seconds: int) -> Ints:
    """Return what a plan shows in step from an area-clock second on, (seconds, phases)."""
    known: dict[int, list[int]] = {}
    rows = []
    for t in range(begin_s, begin_s + seconds):
        local = plan.local_ds(10 * (t - site.controller.sync_s))
        if local not in known:
            known[local] = [int(plan.lamp(phase, local)) for phase in site.rules.phases]
        rows.append(known[local])
    return np.array(rows, np.int64).reshape(seconds, len(site.rules.phases))
