# SPDX-License-Identifier: Apache-2.0
"""Officers' route control (特勤) and preemption: green when the vehicle comes, then given back.

The officer stands above the controller of the site, and below the gate: no intergreen, minimum
green or running clearance is cut for an escort, and the longest red stays guaranteed. The
controller goes on deciding all the while, and has its way for as long as the stage of the route can
still stand in time; then the officer leads there by the legal path, early enough that the queue
before the vehicle has gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lvbo.control.calls import Calls
from lvbo.control.estimate import STEADY_VPS
from lvbo.control.eyes import Eyes
from lvbo.control.passage import Passage, Ways
from lvbo.control.protocols import (
    Bools,
    Capability,
    Controller,
    Floats,
    LaneState,
    Observation,
    Reason,
    Wish,
)
from lvbo.control.routes import PATIENCE_S, Claim, Desk, End, StopLog
from lvbo.control.site import NONE, Site
from lvbo.control.stages import StageTable

EARLY_S = 5.0
"""The queue before an escort shall be gone this long before it comes."""
START_S, MOST_CLEAR_S = 2.0, 90.0
"""What it takes until a queue moves; a queue is not given more than the second."""
BEFORE_S = 120
"""The queues before a site was led away are those of this time."""
MOST_RECOVERY_S = 180
"""After so long the controller has its site back whatever stage it wishes."""


class Duty(StrEnum):
    """What an officer's controller does: nothing, lead to the stage, hold it, give it back."""

    IDLE = "idle"
    LEADING = "leading"
    HOLDING = "holding"
    RECOVERING = "recovering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A stage that an officer holds by hand from `from_s` to `until_s` of the area clock."""

    stage: int
    from_s: int
    until_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A stage that shall stand from a time on, for a claim, or for an officer's lock."""

    goal: int
    need_s: float
    reason: Reason
    claim: Claim | None = None


class OfficerController:
    """Wrap the controller of a site so that routes of a desk, or an officer's lock, go before it.

    `log` is that of the stop that runs or ran last, `recovery_s` how long the last return took.
    After the end, stages that were passed over and are called are served first; then the site is
    led to what the controller wishes.
    """

    def __init__(
        self, inner: Controller, site: Site, table: StageTable, desk: Desk | None = None
    ) -> None:
        self._inner, self._site, self._table = inner, site, table
        self._desk = desk or Desk(())
        self._passage, self._ways = Passage(site, table), Ways(site, table)
        self._eyes, self._calls = Eyes(site), Calls(site)
        self._lock: Lock | None = None
        self._task: _Task | None = None
        self._lit = np.zeros(table.count, dtype=bool)  # stages that had green since it was asked
        self._owed: list[int] = []
        self._queues: deque[float] = deque(maxlen=BEFORE_S)
        self._usual_queue = 0.0
        self._back_s, self._due_s = 0, 0.0
        self._open: list[StopLog] = []  # given back, queues not yet
        self.duty = Duty.IDLE
        self.log: StopLog | None = None
        self.recovery_s: int | None = None

    def lock(self, stage: int, from_s: int, until_s: int) -> None:
        """Hold one stage over a span of time, before all routes."""
        self._lock = Lock(stage=stage, from_s=from_s, until_s=until_s)

    def abort(self) -> None:
        """Drop the lock; the site returns to its controller by the legal path."""
        self._lock = None

    def decide(self, seen: Observation) -> Wish:
        """Return the wish of the officer while it is due, else of the wrapped controller."""
        wish = self._inner.decide(seen)
        lanes = self._eyes.look(seen)
        self._passage.look(seen)
        self._count(seen, lanes)
        called = self._called(seen, lanes)
        task = self._next(seen, lanes, wish)
        if task is None:
            return self._give_back(seen, called, wish)
        if self._task is None and self._passage.is_changing:
            return wish  # what has begun is not turned round halfway
        if self._task is None or not _same(self._task, task):
            self._take(seen, task)
        self._task = task
        self.duty = Duty.HOLDING if self._passage.stage == task.goal else Duty.LEADING
        if self.duty is Duty.HOLDING and self.log is not None and self.log.green_s is None:
            self.log.green_s = seen.time_s
        return self._passage.lead(seen, task.goal, called, task.reason)

    def _called(self, seen: Observation, lanes: LaneState) -> Bools:
        wheels = self._calls.of(lanes, seen.working) & ~self._site.walks
        return np.asarray(wheels | (seen.calls & self._site.walks))

    def _next(self, seen: Observation, lanes: LaneState, wish: Wish) -> _Task | None:
        """Return what to lead to now: what runs goes on unless something before it is due."""
        for task in self._tasks(seen, lanes):
            if self._task is not None and _same(self._task, task):
                if not self._is_spent(seen, task):
                    return task
                continue
            if not self._is_in_time(seen, task, wish):
                return task
        return None

    def _tasks(self, seen: Observation, lanes: LaneState) -> list[_Task]:
        """Return all that may be due, first things first; of equal rank what runs stays first."""
        if seen.capability is not Capability.STAGE:
            return []
        found = []
        if self._lock is not None and seen.time_s < self._lock.until_s:
            own = Reason(code="LV794", fields={"stage": self._lock.stage + 1})
            found.append(_Task(goal=self._lock.stage, need_s=self._lock.from_s, reason=own))
        running = None if self._task is None else self._task.claim
        claims = self._desk.claims(self._site.id, seen.time_s)
        if running is not None:
            claims.sort(key=lambda c: (c.rank, c.key != running.key))
        for claim in claims:
            task = self._task_of(claim, lanes, seen.time_s)
            if task is not None:
                found.append(task)
        return found

    def _task_of(self, claim: Claim, lanes: LaneState, now_s: int) -> _Task | None:
        serves = np.isin(np.array(self._site.phases, dtype=object), claim.phases)
        goals = np.flatnonzero(self._table.greens[:, serves].any(axis=1))
        if not len(goals):
            return None
        now = self._passage.stage
        goal = min(goals.tolist(), key=lambda s: self._ways.to(now, s))
        if self._task is not None and self._task.claim is not None:
            goal = self._task.goal if self._task.claim.key == claim.key else goal
        queue, clear_s = self._clearing(serves, lanes, self._ways.to(now, goal))
        told = {
            "route": claim.route,
            "stage": goal + 1,
            "eta_s": max(round(claim.eta_s - now_s), 0),
            "queue": round(queue, 1),
            "clear_s": round(clear_s),
        }
        return _Task(
            goal=goal,
            need_s=claim.eta_s - clear_s - EARLY_S,
            reason=(_holding if now == goal else _leading)(told),
            claim=claim,
        )

    def _clearing(self, serves: Bools, lanes: LaneState, lead_s: int) -> tuple[float, float]:
        """Return who will stand before the vehicle on the slowest lane, and when they have gone.

        Those who come while the queue discharges join it: it shrinks by the difference.
        """
        movements = (self._site.serves[serves] > NONE).any(axis=0)
        own = self._site.uses[:, movements].any(axis=1)
        rate = np.minimum(lanes.rate_vps[own], 0.5 * STEADY_VPS)
        queue: Floats = lanes.queue[own] + rate * lead_s
        needs = np.where(queue >= 1.0, START_S + queue / (STEADY_VPS - rate), 0.0)
        return float(queue.max(initial=0.0)), min(float(needs.max(initial=0.0)), MOST_CLEAR_S)

    def _is_in_time(self, seen: Observation, task: _Task, wish: Wish) -> bool:
        """Say whether the goal can stand in time although the controller has its way now."""
        next_ = self._passage.stage_of(wish.greens) if self._task is None else self._task.goal
        left_s = task.need_s - seen.time_s - 1  # the next look is a second later
        return self._ways.after(self._passage, next_, task.goal, seen.time_s) <= left_s

    def _is_spent(self, seen: Observation, task: _Task) -> bool:
        """Give a stop up whose green was held too long after its time; say whether that is so."""
        if task.claim is None or self.log is None or self.log.green_s is None:
            return False
        if seen.time_s - max(self.log.green_s, self._due_s) <= PATIENCE_S:
            return False
        self._desk.close(task.claim, End.GIVEN_UP)
        return True

    def _take(self, seen: Observation, task: _Task) -> None:
        """Begin with a task; the log of an earlier one that it displaces ends here."""
        self._release(seen)
        if self.duty is Duty.IDLE:
            self._lit[:] = False
            self._passage.restart(seen)
            self._usual_queue = float(np.mean(self._queues)) if self._queues else 0.0
        self.log = None
        if task.claim is not None:
            self.log, self._due_s = self._desk.logs[task.claim.key], task.claim.eta_s
            self.log.asked_s, self.log.green_s, self.log.end = seen.time_s, None, End.OPEN

    def _release(self, seen: Observation) -> None:
        if self._task is not None and self.log is not None:
            self.log.released_s = seen.time_s
            self._open.append(self.log)
        self._task = None

    def _give_back(self, seen: Observation, called: Bools, wish: Wish) -> Wish:
        """Return the wish with which the site goes back to its controller."""
        if self._task is not None:
            over = (self._table.greens & called).any(axis=1) & ~self._lit
            self._owed = [s for s in self._ways.from_on(self._task.goal) if over[s]]
            self._release(seen)
            self.duty = Duty.RECOVERING
            self._back_s = seen.time_s
        if self.duty is not Duty.RECOVERING:
            return wish
        self._owed = [s for s in self._owed if not self._lit[s]]
        if seen.time_s - self._back_s >= MOST_RECOVERY_S:
            return self._hand_over(seen, wish)
        if self._owed:
            why = Reason(code="LV797", fields={"stage": self._owed[0] + 1})
            return self._passage.lead(seen, self._owed[0], called, why)
        home = self._passage.stage_of(wish.greens)
        now = self._passage.stage
        if home < 0 or home == now:
            return self._hand_over(seen, wish)
        if now >= 0 and self._passage.may_go(now, home, called):
            return wish
        why = Reason(code="LV798", fields={"stage": home + 1})
        return self._passage.lead(seen, home, called, why)

    def _hand_over(self, seen: Observation, wish: Wish) -> Wish:
        self.duty = Duty.IDLE
        self.recovery_s = seen.time_s - self._back_s
        self._passage.restart(seen)
        if self.log is not None:
            self.log.recovered_s = self.recovery_s
        return wish

    def _count(self, seen: Observation, lanes: LaneState) -> None:
        """Take note of who stands, and of the stages that had their green."""
        total = float(lanes.queue.sum())
        if self.duty is Duty.IDLE:
            self._queues.append(total)
        for log in tuple(self._open):
            if total <= self._usual_queue + 1.0 and log.released_s is not None:
                log.queues_s = seen.time_s - log.released_s
                self._open.remove(log)
        if self._passage.stage >= 0:
            self._lit[self._passage.stage] = True


def _same(first: _Task, second: _Task) -> bool:
    """Say whether two tasks are for the same stop of a route, or both for the lock."""
    keys = [None if task.claim is None else task.claim.key for task in (first, second)]
    return keys[0] == keys[1]


def _leading(told: Mapping[str, object]) -> Reason:
    return Reason(code="LV795", fields=told)


def _holding(told: Mapping[str, object]) -> Reason:
    return Reason(code="LV796", fields=told)
