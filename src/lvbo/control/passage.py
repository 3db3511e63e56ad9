# SPDX-License-Identifier: Apache-2.0
"""The legal way from the stage that is shown to another one, and how long it takes."""

from __future__ import annotations

import numpy as np

from lvbo.control.gate import make_gate
from lvbo.control.lamps import goes
from lvbo.control.protocols import Bools, Ints, Observation, Order, Reason, Wish
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun
from lvbo.control.stages import UNKNOWN_S, StageTable, change_times

FAR_S, SHOWN_S = 10_000, 1
CHANGE_S = 12
"""Where no stage is shown for longer than this, it is no change from one to another."""


class Ways:
    """How long the ways between stages take, with the minimum greens of those between, s.

    A change lasts from when it is asked for: greens flash, or count down, before they end. In the
    site's order with skips every stage between counts: by the time it comes somebody calls.
    """

    def __init__(self, site: Site, table: StageTable) -> None:
        self._table = table
        notice = make_gate(site, table).notice_s
        ends = table.greens[:, None] & ~table.greens[None]
        wheels = (ends * np.where(site.walks, 0, notice)).max(axis=2)
        self._change = table.change_s.max(axis=2) + wheels + SHOWN_S
        afoot = change_times(site.rules, site.phases, table.greens).max(axis=2)
        afoot = afoot + (ends * notice).max(axis=2) + SHOWN_S - self._change
        # by which a walk that still goes delays the next stage
        self._afoot_s: Ints = np.where(table.legal & (afoot < UNKNOWN_S), afoot, 0).max(axis=1)
        legal = table.legal.copy()
        if table.order is Order.SKIP:
            legal &= _ring(table)
        hop = np.where(legal, self._change + table.least_s[None, :], FAR_S)
        for k in range(table.count):
            hop = np.minimum(hop, hop[:, k, None] + hop[None, k, :])
        self._time_s: Ints = np.minimum(hop - table.least_s[None, :], FAR_S)
        np.fill_diagonal(self._time_s, 0)
        self._longest_s = self._time_s.max(axis=0)

    def to(self, stage: int, goal: int) -> int:
        """Return the time from the end of a stage to a goal; from an unknown one the longest."""
        return int(self._time_s[stage, goal] if stage >= 0 else self._longest_s[goal])

    def after(self, passage: Passage, next_: int, goal: int, now_s: int) -> int:
        """Return in how many seconds a goal can stand if the site goes on to a stage first."""
        stage = passage.stage
        if next_ == goal:
            return 0
        if next_ < 0:
            return int(self._longest_s[goal]) + int(self._table.least_s.max())
        least = int(self._table.least_s[next_])
        if stage == next_:
            afoot_s = int(self._afoot_s[stage]) if passage.walks_go else 0
            return max(least - passage.age_s(now_s), 0) + afoot_s + self.to(next_, goal)
        change = int(self._change[stage, next_] if stage >= 0 else self._change[:, next_].max())
        return change + least + self.to(next_, goal)

    def from_on(self, stage: int) -> list[int]:
        """Return the stages of the site's order, those next after a stage first."""
        turn = list(self._table.cycle)
        at = turn.index(stage) if stage in turn else -1
        return [*turn[at + 1 :], *turn[: at + 1]]


def _ring(table: StageTable) -> Bools:
    """Return who directly follows whom in the site's order."""
    turn, ring = table.cycle, np.zeros((table.count, table.count), dtype=bool)
    for k, stage in enumerate(turn):
        ring[stage, turn[(k + 1) % len(turn)]] = True
    return ring


class Passage:
    """Lead a site from stage to stage; `stage` is the one shown now, -1 during a change."""

    def __init__(self, site: Site, table: StageTable) -> None:
        self._site, self._table = site, table
        self._run = StageRun(site, table)
        self._going = np.zeros(len(site.phases), dtype=bool)
        self._first = _firsts(table)
        self._unknown_s = 0
        self.stage = -1

    def look(self, seen: Observation) -> None:
        """Take in the lamps."""
        self._run.follow(seen)
        self._going = goes(seen.lamps)
        self.stage = self.stage_of(self._going)
        self._unknown_s = self._unknown_s + 1 if self.stage < 0 else 0

    @property
    def is_changing(self) -> bool:
        """Say whether no stage is shown for no longer than a change may take."""
        return 0 < self._unknown_s <= CHANGE_S

    def restart(self, seen: Observation) -> None:
        """Forget changes that were asked for; begin with what is shown."""
        self._run = StageRun(self._site, self._table)
        self._run.follow(seen)

    @property
    def walks_go(self) -> bool:
        """Say whether people on foot have green now."""
        return bool((self._going & self._site.walks).any())

    def stage_of(self, greens: Bools) -> int:
        """Return the stage with these vehicle phases, or -1."""
        return self._table.stage_of(greens, self._site.walks)

    def age_s(self, now_s: int) -> int:
        """Return for how long the stage has run."""
        return self._run.age_s(now_s)

    def may_go(self, stage: int, goal: int, called: Bools) -> bool:
        """Say whether a stage may follow: legal, and passing over nobody who calls."""
        table = self._table
        if not table.legal[stage, goal]:
            return False
        if table.order is not Order.SKIP or not {stage, goal} <= set(table.cycle):
            return True
        turn = list(table.cycle)
        count = (turn.index(goal) - turn.index(stage)) % len(turn)
        waits = called & ~table.greens[stage] & ~table.greens[goal]
        between = [turn[(turn.index(stage) + k) % len(turn)] for k in range(1, count)]
        return not any((table.greens[s] & waits).any() for s in between)

    def lead(self, seen: Observation, goal: int, called: Bools, reason: Reason) -> Wish:
        """Return the wish that brings the site nearer to a goal, or holds it there."""
        run = self._run
        if run.is_steady and self.stage < 0 and not self.is_changing:
            run.ask(goal, seen.time_s)  # a plan shows greens that are no stage
        elif self._may_leave(seen.time_s) and run.stage != goal:
            run.ask(self._hop(run.stage, goal, called, run.barred(seen.time_s)), seen.time_s)
        aim = run.target
        walks = self._table.greens[aim] & self._site.walks & (seen.calls | self._going)
        greens = (self._table.greens[aim] & ~self._site.walks) | walks
        return Wish(greens=greens, stage=aim, reason=reason)

    def _may_leave(self, now_s: int) -> bool:
        """Say whether a stage is shown that has had its minimum."""
        run = self._run
        least_s = int(self._table.least_s[run.stage])
        return run.is_steady and self.stage >= 0 and run.age_s(now_s) >= least_s

    def _hop(self, stage: int, goal: int, called: Bools, barred: Bools) -> int:
        """Return the farthest stage on the way to a goal that may follow now."""
        table = self._table
        if table.order is Order.SKIP and {stage, goal} <= set(table.cycle):
            turn = list(table.cycle)
            at, count = turn.index(stage), len(turn)
            span = (turn.index(goal) - at) % count
            for k in range(span, 0, -1):
                aim = turn[(at + k) % count]
                if not barred[aim] and self.may_go(stage, aim, called):
                    return aim
            return turn[(at + 1) % count]
        return int(self._first[stage, goal])


def _firsts(table: StageTable) -> Ints:
    """Return the first stage on the quickest legal way, minima kept, all pairs."""
    time = np.where(table.legal, table.least_s[:, None] + table.change_s.max(axis=2), FAR_S)
    first = np.tile(np.arange(table.count), (table.count, 1))
    for k in range(table.count):
        through = time[:, k, None] + time[None, k, :]
        better = through < time
        first = np.where(better, first[:, k, None], first)
        time = np.minimum(time, through)
    np.fill_diagonal(first, np.arange(table.count))
    return np.asarray(first, dtype=np.int64)
