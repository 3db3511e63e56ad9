# SPDX-License-Identifier: Apache-2.0
"""The adaptive controller: each second it searches the stage changes of the next minute and a half.

It looks at queues and at those on their way, at the longest red still allowed and at heads that do
not move, and takes the first step of the sequence with the least waiting and stopping. It learns
arrivals as it goes and needs no training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lvbo.control._plan_kernels import search
from lvbo.control._plan_values import F32, Now, Street, Taste
from lvbo.control._queue_kernels import FLOWING, FREE, MIXED, NONE
from lvbo.control.adaptive_model import make_frame, make_street, weaker
from lvbo.control.background import plan_table, stage_spans
from lvbo.control.buses import BusEye
from lvbo.control.calls import Calls
from lvbo.control.estimate import Served
from lvbo.control.eyes import SPAN_S, Eyes
from lvbo.control.failures import Failures
from lvbo.control.gate import make_gate
from lvbo.control.inside import MOST_S, Inside
from lvbo.control.lamps import goes
from lvbo.control.learning import Learned, mostly
from lvbo.control.protocols import (
    Bools,
    Coordination,
    Floats,
    Ints,
    LaneState,
    Observation,
    Reason,
    Wish,
)
from lvbo.control.registry import Maker, Situation
from lvbo.control.room import Room
from lvbo.control.settings import read_settings
from lvbo.control.sight import FULL_SHARE, STARTED_S, Exits, Heads
from lvbo.control.site import NONE as NOT_SERVED
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun, in_order
from lvbo.control.stages import UNKNOWN_S, StageTable
from lvbo.control.windows import Calendar, Held, Onward, free, held

LEARN_EVERY_S = 60
"""So often what was learned enters the model."""
HERE = 0.3
"""Less of a vehicle than this is nobody."""
SIGHT_S, SOMEBODY = 20, 1.0
"""Who comes within this time is waited for. So many expected within the span of the search: one who
has not been seen yet may call at any time."""
NEVER_S = 10 * UNKNOWN_S
"""Later than the end of any way, also of one that there is not."""
PATIENCE_S, FAIRNESS_S, MOST_WEIGHT = 45.0, 30.0, 50.0
"""A wait above the first counts more, by the square of the rest over the second. One of a round of
all stages, or of a cycle that is kept, does not: as a rule nobody can be served sooner."""
YIELDS_S = 10
"""Buses do not count while a stage must begin within this time to keep the longest red."""
PRICE_EVERY_S = 10
"""So often a site asks itself what a wave costs it."""
ON_WAVE_STOP_S = 4.0
"""What a stop costs where a wave is kept, more than elsewhere: it is there to save stops."""
FORBIDDEN = 1000.0
"""What a second of a window costs where windows are kept: more than a plan could ever save by it.
For less the search waits a second and means to leave late, which the next second forbids."""
MARGIN_S = 3
"""So much before the longest red is reached a stage shall have begun."""


class AdaptiveController:
    """Decide for one site by searching ahead; see `lvbo.control._plan_kernels.search`.

    How late commands take effect is learned, and reckoned with. `usual_s` (stages,) is the green
    of the plan: a stage for lanes that nobody sees lasts so long, as nothing tells when they are
    empty.
    """

    def __init__(
        self,
        site: Site,
        table: StageTable,
        *,
        taste: Taste | None = None,
        usual_s: Ints | None = None,
        bus: float = 0.0,
    ) -> None:
        self._site = site
        self._table = table
        self._taste = taste or Taste()
        self._fine = self._taste._replace(fine_s=SPAN_S, stop_s=ON_WAVE_STOP_S)
        self._bound = self._fine._replace(broken=FORBIDDEN)
        gate = make_gate(site, table)
        self._notice_s, self._late_s = gate.notice_s, 0
        self._learned = Learned(site)
        self._keep: Coordination | None = None
        self._calendar: Calendar | None = None
        self._holds = False
        self._fit()
        self._buses, self._bus = BusEye(site), bus
        self._serves = (self._frame.served > NOT_SERVED) @ site.uses.T
        self._price: float | None = None
        self._stays = table.legal.diagonal()
        self._free = free(table.count, len(site.lanes), SPAN_S)._replace(first=self._stays)
        self._eyes = Eyes(site)
        self._heads = Heads(weaker(self._frame))
        self._served, self._mostly = Served(site), Served(site, most=True)
        self._green_s = np.zeros(len(site.lanes), dtype=np.int64)
        self._inside, self._room = Inside(site), Room(site)
        self._exits = Exits(len(site.movements), len(site.lanes))
        self._failures = Failures(mostly(self._frame.served > NOT_SERVED, site))
        self._most_red_s, self._home, self._hops_s = gate.red_s, gate.home, gate.hops_s
        self._calls = Calls(site)
        self._usual_s = self._frame.least_s if usual_s is None else usual_s
        self._called = np.zeros(len(site.phases), dtype=bool)
        self._run = StageRun(site, table)
        self._lit_s = np.full(len(site.lanes), -NEVER_S, dtype=np.int64)
        self._began_s = np.full(len(site.phases), -NEVER_S, dtype=np.int64)
        self._turn = sum(map(ord, site.id)) % LEARN_EVERY_S  # not all sites in one second

    def decide(self, seen: Observation) -> Wish:
        """Return the stage that shall have green from now on, and why."""
        run = self._run
        run.follow(seen)
        self._follow(seen.keep)
        if run.late_s != self._late_s:
            self._late_s = run.late_s
            self._fit()
        age_s = run.age_s(seen.time_s)
        lanes = self._look(seen, run.stage if run.is_steady else -1, age_s)
        self._called = self._calls.of(lanes, seen.working)
        if not run.is_steady:
            return self._cleared(
                seen, run.wish(Reason(code="LV770", fields={"stage": run.target + 1}))
            )
        left_s = int(self._least_s(seen)[run.stage]) - age_s
        if left_s > 0:
            return run.wish(Reason(code="LV771", fields={"stage": run.stage + 1, "left_s": left_s}))
        reason = self._choose(seen, lanes, age_s)
        return replace(run.wish(reason), price_vehs=self._price)

    @property
    def patience_s(self) -> float:
        """Return beyond which wait a lane counts more, s."""
        return self._patience_s

    @property
    def late_s(self) -> int:
        """Return how much later than at once commands take effect, as learned, s."""
        return self._run.late_s

    def hurry(self) -> None:
        """Forget how late commands were."""
        self._run.hurry()

    def watch(self, seen: Observation) -> None:
        """Take in a second in which somebody else decides: follow the lamps, go on learning."""
        run = self._run
        run.lend(seen)
        shown = self._table.stage_of(goes(seen.lamps), self._site.walks)
        self._look(seen, shown, run.age_s(seen.time_s))

    def _look(self, seen: Observation, stage: int, age_s: int) -> LaneState:
        """Return the lanes now, and learn from them; `stage` has green, -1 during a change."""
        lanes = self._eyes.look(seen)
        shares, exits = self._learned.shares, self._exits
        exits.see(seen.blocked)
        may_go = self._may_go(stage, age_s, exits.seen(shares))
        exits.feel(lanes, may_go, unseen=seen.vehicles is None or seen.loops is not None)
        blocked = exits.blocked(shares)
        self._heads.feel(lanes, self._street, blocked, stage, age_s, seen.time_s)
        green = self._green_s = self._served.green_s(seen)
        self._lit_s = np.where(green > 0, seen.time_s - green + 1, self._lit_s)
        began_s = seen.time_s - seen.since_s
        self._began_s = np.where(goes(seen.lamps), began_s, self._began_s)
        free = np.asarray(~self._heads.stuck.any(axis=0) & (blocked < FULL_SHARE))
        if stage >= 0:
            free &= self._street.kind[stage] == FREE
        self._room.feel(lanes, exits.held, self._patience_s)
        behind = lanes.stands & lanes.endless
        self._failures.feel(behind, lanes.gap_s, lanes.left, self._mostly.green_s(seen) > 0)
        self._inside.take(lanes.left, seen.crossed, green > 0, lanes.stands)
        in_sight = np.minimum(lanes.queue, lanes.present)
        self._learned.discharged(lanes.left, in_sight, green, free)
        if seen.crossed is not None:
            self._learned.turned(seen.crossed)
        if seen.time_s % LEARN_EVERY_S == self._turn:
            self._renew()
        return lanes

    def _may_go(self, stage: int, age_s: int, blocked: Floats) -> Bools:
        """Return which lanes nothing but their exit can keep from going now, (lanes,)."""
        if stage < 0 or age_s <= STARTED_S:
            return np.zeros(len(blocked), dtype=bool)
        kind = self._street.kind[stage]
        return np.asarray((kind == FREE) | ((kind != NONE) & (blocked >= FULL_SHARE)))

    def _cleared(self, seen: Observation, wish: Wish) -> Wish:
        """Return the wish for a change without the greens that must wait for those within.

        Those who yielded in the stage that ends, and whom the next does not serve, are let across
        before anybody else starts, for some seconds after the change could have been over.
        """
        run = self._run
        yielded = (self._street.yields[run.stage] > 0) & (self._street.kind[run.target] == NONE)
        if not self._inside.may_lock(yielded):
            return wish
        over_s = self._frame.change_s[run.stage, run.target].max() + MOST_S
        if run.asked_for_s(seen.time_s) >= over_s:
            self._inside.forget()
            return wish
        return replace(wish, greens=wish.greens & goes(seen.lamps))

    def _choose(self, seen: Observation, lanes: LaneState, age_s: int) -> Reason:
        """Search and keep or change the stage; return why."""
        street = self._opened()
        opened = street is not self._street
        waiting = _demand(street, lanes, SIGHT_S)
        self._price = None
        stays = bool(self._stays[self._run.stage])
        if stays and not self._holds and not self._wanted(seen, waiting):
            return Reason(code="LV772", fields={"stage": self._run.stage + 1})
        due = self._due(seen)
        street = street if seen.working.all() else self._recalled(street, seen)
        passes, windows = np.zeros(self._table.count, dtype=bool), self._free
        if self._holds or opened:
            passes = self._passes(seen)
        if self._holds:
            street = _expecting(street, lanes)
            windows = self._windows(street, seen, lanes, passes)
        shares = self._learned.shares
        weight = 0.0 if (due < YIELDS_S).any() else self._bus
        buses = self._buses.look(seen.vehicles, lanes, weight)
        now = Now(
            arrivals=lanes.arrivals,
            queue=lanes.queue.astype(np.float32),
            flowed=np.minimum(self._green_s, FLOWING),
            flow=self._learned.flow_vps.astype(np.float32),
            weight=self._failures.weighed(weights(lanes.wait_s, self._patience_s)),
            blocked=self._exits.blocked(shares).astype(np.float32),
            full_s=self._exits.stays_s(shares),
            kept=self._room.kept_from(shares).astype(np.float32),
            head=self._heads.why,
            stuck=self._heads.stuck,
            due_s=due,
            must=self._must(due, lanes.rate_vps),
            had=self._lit_s > self._run.round_s,
            barred=self._run.barred(seen.time_s),
            passes=passes,
            **windows._asdict(),
            riders=buses.riders.astype(np.float32),
            ahead=buses.ahead.astype(np.float32),
            comes_s=buses.comes_s,
            stage=self._run.stage,
            age_s=age_s,
        )
        taste = self._bound if self._holds else self._taste
        action, keep, change = search(street, now, taste)
        if self._calendar is not None and seen.time_s % PRICE_EVERY_S == 0:
            self._price = self._priced(now, seen, lanes)
        if action < 0 or action == self._run.stage:
            saves = 0 if not np.isfinite(change) else round(change - keep)
            return Reason(code="LV773", fields={"stage": self._run.stage + 1, "saved_s": saves})
        self._run.ask(int(action), seen.time_s)
        return Reason(
            code="LV774",
            fields={
                "stage": self._run.target + 1,
                "queue": round(float(waiting[self._run.target]), 1),
                "saved_s": 0 if not np.isfinite(keep) else round(keep - change),
            },
        )

    def _priced(self, now: Now, seen: Observation, lanes: LaneState) -> float:
        """Return what keeping the windows costs by second, seen over the span of the search.

        Looked at second by second all along: on a coarser grid windows would seem dearer. Who is
        left at the end waits equally long in both.
        """
        costs = []
        street = _expecting(self._street, lanes)
        for windows in (self._windows(street, seen, lanes, now.passes), self._free):
            asked = now._replace(**windows._asdict() | {"holds": False})
            costs.append(min(search(self._street, asked, self._fine)[1:]))
        dearer = costs[0] - costs[1]
        return float(max(dearer, 0.0)) / SPAN_S if np.isfinite(dearer) else 0.0

    def _opened(self) -> Street:
        """Return the street where who stands in all stages expected to serve him may go in others.

        He wants what so few did before that it was taken as nothing.
        """
        street, heads = self._street, self._heads
        lost = (heads.why > 0) & (heads.stuck | (street.kind == NONE)).all(axis=0)
        if not lost.any():
            return street
        kind = np.where(lost & (street.kind == NONE) & self._serves, MIXED, street.kind)
        return street._replace(kind=kind)

    def _recalled(self, street: Street, seen: Observation) -> Street:
        """Return the street where stages are not passed over that lanes call which nobody sees."""
        unseen = self._calls.unseen(seen.working) & ~self._table.greens.all(axis=0)
        recall = street.recall | (self._table.greens & unseen).any(axis=1)
        return street._replace(recall=np.asarray(recall), least_s=self._least_s(seen))

    def _least_s(self, seen: Observation) -> Ints:
        """Return the least green of each stage, with that for lanes which nobody sees."""
        least = self._frame.least_s
        if seen.working.all():
            return least
        unseen = (self._street.kind[:, ~seen.working] != NONE).any(axis=1)
        return np.asarray(np.where(unseen, np.maximum(least, self._usual_s), least))

    def _follow(self, keep: Coordination | None) -> None:
        """Take up the windows of a wave, or give them up; their stages are never passed over."""
        if keep is self._keep:
            return
        self._keep = keep
        self._calendar = None if keep is None else Calendar(self._site, self._table, keep)
        self._holds = keep is not None and keep.holds
        self._fit()

    def _fit(self) -> None:
        """Make what follows from the wave that is kept, and from how late commands take effect.

        Until a command has come greens run on, as they do while their end is announced.
        """
        frame = make_frame(self._site, self._table, self._notice_s + self._late_s)
        cycle_s = self._calendar.cycle_s if self._calendar is not None and self._holds else 0
        self._frame = frame
        self._serving_s = frame.least_s + frame.change_s.max(axis=2).mean(axis=0)
        self._patience_s = max(PATIENCE_S, frame.round_s, cycle_s)
        self._renew()

    def _renew(self) -> None:
        """Make the arrays of the search anew from what was learned."""
        street = make_street(self._frame, self._learned.shares, self._learned.profile)
        if self._calendar is not None and self._holds:
            street = street._replace(recall=street.recall | self._calendar.coordinated)
        self._street = street

    def _passes(self, seen: Observation) -> Bools:
        """Return what may not follow the stage that runs as the gate would not let it, (stages,).

        It would pass over a stage that is called, by those who were not lit in this round or whose
        turn is the next one. The next stage of the order passes over none: one may always follow.
        Asked where a refusal would cost more than seconds: a window, or the memory of who stands.
        """
        own, greens = self._run.stage, self._table.greens
        fixed = greens.all(axis=0)
        waits = (self._called | (self._site.walks & seen.calls)) & ~fixed & ~greens[own]
        new = waits & (self._began_s < self._run.round_s)
        over = self._street.over[own][:, :, None]
        owed = (over > 0) & np.where(over == 1, new, waits)
        return np.asarray((owed & greens & ~greens[:, None]).any(axis=(1, 2)))

    def _windows(self, street: Street, seen: Observation, lanes: LaneState, passes: Bools) -> Held:
        """Return what the search must know of windows, on the street that expects who may call.

        On the way to a window no stage counts as passed over that somebody waits for or comes to.
        """
        if self._calendar is None:
            return self._free
        own = self._run.stage
        called = street.recall | (_demand(street, lanes, SIGHT_S) > HERE)
        skips = np.asarray(((street.over > 0) & called).any(axis=2))
        barred = self._run.barred(seen.time_s)
        walked = ((street.over[own] > 0) & street.recall).any(axis=1)
        next_ = street.legal[own] & ~passes & ~walked & ~barred
        legal = street.legal & ~skips & ~barred
        return held(self._calendar, street, Onward(own, next_, legal), seen.time_s, SPAN_S)

    def _wanted(self, seen: Observation, waiting: Floats) -> bool:
        """Say whether any other stage has somebody to serve, on wheels or on foot."""
        others = np.arange(self._table.count) != self._run.stage
        afoot = (self._table.greens & self._site.walks & seen.calls).any(axis=1)
        away = ~self._table.greens[self._run.stage]
        called = (self._table.greens & seen.calls & away).any(axis=1) & afoot
        return bool((others & ((waiting > HERE) | called)).any())

    def _due(self, seen: Observation) -> Ints:
        """Return in how many seconds each stage must have begun to keep the longest red.

        Who has walked in the stage that runs, and calls again, walks when it begins anew: where it
        is held for a wave another one must have begun before, early enough to come back.
        """
        due = np.full(self._table.count, NEVER_S, dtype=np.int64)
        called = np.where(self._site.walks, seen.calls, self._called)
        red = ~goes(seen.lamps)
        for k in np.flatnonzero(red & called & (self._home >= 0)):
            stage = int(self._home[k])
            left = int(self._most_red_s[k] - seen.since_s[k]) - MARGIN_S
            if stage != self._run.stage:
                due[stage] = min(due[stage], max(left, 0))
            elif self._holds and self._site.walks[k]:
                between, back_s = self._way_back()
                due[between] = min(due[between], max(left - back_s, 0))
        return due

    def _way_back(self) -> tuple[int, int]:
        """Return through which stage the one that runs is soonest begun anew, and the time then.

        Stages that people on foot need come before others: those are not passed over. Nor may
        others be that somebody calls meanwhile: all on the way are reckoned with, as the gate does.
        """
        street, own = self._street, self._run.stage
        others = [k for k in range(self._table.count) if k != own and street.legal[own, k]]
        if not others:
            return own, 0
        back_s = street.least_s + street.way_s[:, own]
        first = min(others, key=lambda k: (not street.recall[k], back_s[k] + street.way_s[own, k]))
        over = (street.over[own, first] > 0) | (street.over[first, own] > 0)
        way = [own, *(k for k in in_order(self._table, own) if k == first or over[k]), own]
        whole_s = sum(int(self._hops_s[a, b]) for a, b in pairwise(way)) - street.least_s[own]
        return first, int(whole_s - street.way_s[own, first])

    def _must(self, due: Ints, rate_vps: Floats) -> F32:
        """Return what serving a stage that is due will cost those it does not serve, veh-s."""
        away = self._street.kind == NONE
        cost = 0.5 * (away @ rate_vps) * self._serving_s**2
        return np.asarray(np.where(due < SPAN_S, cost, 0.0), dtype=np.float32)


def weights(wait_s: Floats, patience_s: float) -> F32:
    """Return how much each lane counts by the longest wait on it, (lanes,)."""
    over = np.maximum(0.0, wait_s - patience_s) / FAIRNESS_S
    return np.asarray(np.minimum(1.0 + over**2, MOST_WEIGHT), dtype=np.float32)


def _demand(street: Street, lanes: LaneState, span_s: int) -> Floats:
    """Return by stage who waits or comes within a time on the lanes it serves."""
    come = lanes.queue + lanes.arrivals[:, :span_s].sum(axis=1)
    return np.asarray((street.kind != NONE) @ come)


def _expecting(street: Street, lanes: LaneState) -> Street:
    """Return the street where stages are not passed over that somebody is expected to call."""
    expected = _demand(street, lanes, SPAN_S) > SOMEBODY
    return street._replace(recall=np.asarray(street.recall | expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How much those aboard a bus count beside those in cars: 1 a head each, 0 not at all.

    Nothing by default: on the streets measured so far it has not been shown to help.
    """

    bus: float = 0.0


def make(situation: Situation) -> AdaptiveController:
    """Return the adaptive controller of a site in its stage order, or that of its wave."""
    plan = situation.plan
    table = plan_table(situation.site, situation.order, plan if situation.keeps else None)
    usual = None
    if plan is not None:
        usual = stage_spans(situation.site, table, plan)[:, 1] // 10
    bus = read_settings(Settings, situation).bus
    return AdaptiveController(situation.site, table, usual_s=usual, bus=bus)


MAKERS: Mapping[str, Maker] = {"adaptive": make}
