# SPDX-License-Identifier: Apache-2.0
"""The adaptive controller: each second it searches the stage changes of the next minute and a half.

It looks at queues and at those on their way, at the longest red still allowed and at heads that do
not move, and takes the first step of the sequence with the least waiting and stopping. It learns
arrivals as it goes and needs no training.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lvbo.control._plan_kernels import BARRED_S, F32, Now, Street, Taste, search
from lvbo.control.adaptive_model import make_frame, make_street, prior_counts
from lvbo.control.protocols import Bools, Floats, Ints, Observation, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.sight import HERE, Approach, Sight
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.signal.lamp import GOING

SPAN_S = 90
FLOW_VPS = 0.5
NEVER_S = 10_000
FLOWING_S = 3
PATIENCE_S, FAIRNESS_S, MOST_WEIGHT = 45.0, 30.0, 50.0
"""A wait above the first counts more, by the square of the rest over the second."""
MARGIN_S = 8
"""So much before the longest red is reached a stage shall have begun."""
_GOING = np.array([int(lamp) for lamp in GOING])


class AdaptiveController:
    """Decide for one site by searching ahead; see `lvbo.control._plan_kernels.search`.

    A change that shows no effect within `answer_s` was refused, and another is looked for.
    """

    def __init__(
        self, site: Site, table: StageTable, *, taste: Taste | None = None, answer_s: int = 1
    ) -> None:
        self._site = site
        self._answer_s = answer_s
        self._table = table
        self._taste = taste or Taste()
        self._frame = make_frame(site, table)
        counts = prior_counts(site)
        self._street = make_street(self._frame, counts)
        total = counts.sum(axis=1, keepdims=True)
        self._share = counts / np.where(total > 0, total, 1.0)
        self._sight = Sight(site, table.count, SPAN_S)
        limits = [site.rules.limit_index[p] for p in site.phases]
        self._most_red_s = np.array([limit.max_red_ds // 10 for limit in limits])
        self._walk_s = np.array([-(-limit.min_green_ds // 10) for limit in limits])
        self._home = _homes(table)
        self._stage = self._target = table.cycle[0]
        self._began_s = self._asked_s = -1
        self._refused_s = np.full(table.count, -NEVER_S, dtype=np.int64)

    def decide(self, seen: Observation) -> Wish:
        """Return the stage that shall have green from now on, and why."""
        self._follow(seen)
        steady = self._stage == self._target
        age_s = seen.time_s - self._began_s if steady else 0
        lanes = self._sight.look(
            seen, self._street, self._share, self._stage if steady else -1, age_s
        )
        reason = Reason(code="LV770", fields={"stage": self._target + 1})
        if steady and age_s < self._frame.least_s[self._stage]:
            left = int(self._frame.least_s[self._stage]) - age_s
            reason = Reason(code="LV771", fields={"stage": self._stage + 1, "left_s": left})
        elif steady:
            reason = self._choose(seen, lanes, age_s)
        return Wish(greens=self._greens(seen), stage=self._target, reason=reason)

    def _follow(self, seen: Observation) -> None:
        """Take over the stage that the lamps show; the gate may have chosen another one."""
        going = np.isin(seen.lamps, _GOING)
        shown = self._table.stage_of(going, self._site.walks)
        wheels = self._table.greens[self._target] & ~self._site.walks
        arrived = shown == self._target or (
            shown >= 0 and (going >= wheels)[~self._site.walks].all()
        )
        if self._began_s < 0 and shown >= 0:
            self._stage = self._target = shown
            self._began_s = seen.time_s - _age(seen, self._table.greens[shown] & ~self._site.walks)
        elif self._stage != self._target and arrived:
            self._stage, self._began_s = self._target, seen.time_s
        elif self._stage == self._target and shown not in {-1, self._stage}:
            self._stage = self._target = shown
            self._began_s = seen.time_s
        elif self._stage != self._target and shown == self._stage:
            self._give_up(seen.time_s)

    def _give_up(self, now_s: int) -> None:
        """Take back a change that was not granted: nothing has ended for some seconds."""
        if now_s - self._asked_s > self._answer_s:
            self._refused_s[self._target] = now_s
            self._target = self._stage

    def _greens(self, seen: Observation) -> Bools:
        """Return the phases of the target; people start to walk with it and stop in time."""
        greens = self._table.greens[self._target].copy()
        if self._stage == self._target:
            age_s = seen.time_s - self._began_s
            greens &= ~self._site.walks | (age_s < self._walk_s)
        return np.asarray(greens)

    def _choose(self, seen: Observation, lanes: Approach, age_s: int) -> Reason:
        """Search and keep or change the stage; return why."""
        waiting = _demand(self._street, lanes)
        if not self._wanted(seen, waiting):
            return Reason(code="LV772", fields={"stage": self._stage + 1})
        due = self._due(seen, waiting)
        now = Now(
            arrivals=lanes.arrivals,
            queue=lanes.queue.astype(np.float32),
            start_s=self._starts(age_s),
            flow=np.full(len(lanes.queue), FLOW_VPS, dtype=np.float32),
            weight=_weights(lanes.wait_s),
            blocked=lanes.blocked.astype(np.float32),
            head=self._sight.head,
            stuck=self._sight.stuck,
            due_s=due,
            must=self._must(due),
            barred=seen.time_s - self._refused_s < BARRED_S,
            stage=self._stage,
            target=self._stage,
            elapsed_s=0,
            age_s=age_s,
        )
        action, _, _, keep, change = search(self._street, now, self._taste)
        if action < 0 or action == self._stage:
            saves = 0 if not np.isfinite(change) else round(change - keep)
            return Reason(code="LV773", fields={"stage": self._stage + 1, "saved_s": saves})
        self._target, self._asked_s = int(action), seen.time_s
        return Reason(
            code="LV774",
            fields={
                "stage": self._target + 1,
                "queue": round(float(waiting[self._target]), 1),
                "saved_s": 0 if not np.isfinite(keep) else round(keep - change),
            },
        )

    def _wanted(self, seen: Observation, waiting: Floats) -> bool:
        """Say whether any other stage has somebody to serve, on wheels or on foot."""
        others = np.arange(self._table.count) != self._stage
        afoot = (self._table.greens & self._site.walks & seen.calls).any(axis=1)
        away = ~self._table.greens[self._stage]
        called = (self._table.greens & seen.calls & away).any(axis=1) & afoot
        return bool((others & ((waiting > HERE) | called)).any())

    def _due(self, seen: Observation, waiting: Floats) -> Ints:
        """Return in how many seconds each stage must have begun to keep the longest red."""
        due = np.full(self._table.count, NEVER_S, dtype=np.int64)
        red = ~np.isin(seen.lamps, _GOING)
        for k in np.flatnonzero(red & (self._home >= 0)):
            stage = int(self._home[k])
            called = seen.calls[k] if self._site.walks[k] else waiting[stage] > HERE
            if called and stage != self._stage:
                left = int(self._most_red_s[k] - seen.since_s[k]) - MARGIN_S
                due[stage] = min(due[stage], max(left, 0))
        return due

    def _must(self, due: Ints) -> F32:
        """Return what serving a stage that is due will cost those it does not serve, veh-s."""
        time_s = self._frame.least_s + self._frame.change_s.max(axis=2).mean(axis=0)
        away = self._street.green + self._street.yields <= 0
        cost = 0.5 * (away @ self._sight.rate_vps) * time_s**2
        return np.asarray(np.where(due < SPAN_S, cost, 0.0), dtype=np.float32)

    def _starts(self, age_s: int) -> F32:
        served = self._street.green[self._stage] + self._street.yields[self._stage] > 0
        fresh = np.float32(self._taste.start_s + 1.0)
        start = np.where(served & (age_s >= FLOWING_S), np.float32(0.0), fresh)
        return np.asarray(start, dtype=np.float32)


def _homes(table: StageTable) -> Ints:
    """Return by phase the first stage that serves it; -1 for one that always or never goes."""
    changing = ~table.greens.all(axis=0) & table.greens.any(axis=0)
    return np.where(changing, table.greens.argmax(axis=0), -1)


def _age(seen: Observation, phases: Bools) -> int:
    return int(seen.since_s[phases].min()) if phases.any() else 0


def _demand(street: Street, lanes: Approach) -> Floats:
    """Return by stage who waits or comes within sight on the lanes it serves."""
    serves = street.green + street.yields > 0
    return np.asarray(serves @ (lanes.queue + lanes.arrivals[:, :20].sum(axis=1)))


def _weights(wait_s: Floats) -> F32:
    over = np.maximum(0.0, wait_s - PATIENCE_S) / FAIRNESS_S
    return np.asarray(np.minimum(1.0 + over**2, MOST_WEIGHT), dtype=np.float32)


def make(situation: Situation) -> AdaptiveController:
    """Return the adaptive controller of a site in its stage order."""
    return AdaptiveController(situation.site, stage_table(situation.site, situation.order))


MAKERS: Mapping[str, Maker] = {"lvbo": make}
