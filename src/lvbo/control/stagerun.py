# SPDX-License-Identifier: Apache-2.0
"""What every controller of stages shares: which stage runs, since when, and changes not granted."""

from __future__ import annotations

import numpy as np

from lvbo.control.gate import make_gate
from lvbo.control.lamps import goes
from lvbo.control.protocols import Bools, Ints, Observation, Reason, Wish
from lvbo.control.site import Site
from lvbo.control.stages import StageTable

REFUSED_S = 4
"""For so long a stage that was not granted is not asked for again."""
LONG_AGO_S = 100_000
SETTLED_S = 4
"""Lamps that stay for so long show the stage that runs, whatever was asked for."""
ANSWER_S, LATEST_S = 1, 8
"""So long after it was asked for a change shows at the soonest. One that begins so much later than
that was not begun by it."""


class StageRun:
    """Follow the lamps of a site stage by stage, and ask for the next one.

    A change that shows no effect within the notice that the greens of its stage need, and a second,
    was refused, and is taken back. Where commands take longer, that is learned, `late_s`: what was
    taken back and begins all the same came late. `round_s` is when the present round through the
    site's order began.
    """

    def __init__(self, site: Site, table: StageTable) -> None:
        self.site = site
        self.table = table
        self.stage = self.target = table.cycle[0]
        self.late_s = 0
        self._answer_s = ANSWER_S + notice_s(site, table)
        self._asked_at = np.full(table.count, -LONG_AGO_S, dtype=np.int64)
        self._moved_s: int | None = None
        self._began_s = self.round_s = -LONG_AGO_S
        self._is_known = False
        self._asked_s = -LONG_AGO_S
        self._refused_s = np.full(table.count, -LONG_AGO_S, dtype=np.int64)

    @property
    def is_steady(self) -> bool:
        """Say whether no change is under way."""
        return self.stage == self.target

    def hurry(self) -> None:
        """Forget how late commands were."""
        self.late_s = 0

    def lend(self, seen: Observation) -> None:
        """Follow the lamps while somebody else decides, and ask for nothing."""
        self.target = self.stage
        self.follow(seen)

    def age_s(self, now_s: int) -> int:
        """Return for how long the stage has run; zero during a change."""
        return now_s - self._began_s if self.is_steady else 0

    def asked_for_s(self, now_s: int) -> int:
        """Return for how long the change under way has been asked for; zero without one."""
        return 0 if self.is_steady else now_s - self._asked_s

    def barred(self, now_s: int) -> Bools:
        """Return the stages that were refused just now, (stages,)."""
        return np.asarray(now_s - self._refused_s < REFUSED_S)

    def follow(self, seen: Observation) -> None:
        """Take over the stage that the lamps show; the gate may have chosen another one."""
        going = goes(seen.lamps)
        shown = self.table.stage_of(going, self.site.walks)
        if shown != self.stage and self._moved_s is None:
            self._moved_s = seen.seen_s
        if not self._is_known and shown >= 0:
            self._settle(shown, seen)
        elif not self.is_steady and (shown == self.target or self._is_ahead(shown, going)):
            self._settle(self.target, seen)
        elif self.is_steady and shown not in {-1, self.stage}:
            self._settle(shown, seen)
        elif not self.is_steady and shown == self.stage:
            self._give_up(seen.time_s)
        elif not self.is_steady and shown >= 0 and seen.since_s.min() >= SETTLED_S:
            self._settle(shown, seen)
        if shown == self.stage:
            self._moved_s = None

    def _is_ahead(self, shown: int, going: Bools) -> bool:
        """Say whether the lamps show a stage with all that go in the one that is aimed at."""
        wheels = self.table.greens[self.target] & ~self.site.walks
        return shown >= 0 and bool((going >= wheels).all())

    def ask(self, stage: int, now_s: int) -> None:
        """Ask for a change to a stage."""
        if stage != self.stage:
            self.target, self._asked_s = stage, now_s
            if self._moved_s is None:  # else a change asked for before has begun
                self._asked_at[stage] = now_s

    def wish(self, reason: Reason) -> Wish:
        """Return the wish for the stage that is aimed at."""
        return Wish(greens=self.table.greens[self.target].copy(), stage=self.target, reason=reason)

    def _settle(self, stage: int, seen: Observation) -> None:
        """Take over a stage; it began when the last of its vehicle phases started."""
        began_s = seen.time_s - _age(seen, self.table.greens[stage] & ~self.site.walks)
        self._learn(stage)
        place = {s: k for k, s in enumerate(self.table.cycle)}
        if place.get(stage, -1) <= place.get(self.stage, -1):
            self.round_s = began_s
        self.stage = self.target = stage
        self._is_known, self._began_s = True, began_s

    def _learn(self, stage: int) -> None:
        """Compare when a change was asked for with when it began."""
        took_s = (self._moved_s or -LONG_AGO_S) - int(self._asked_at[stage])
        late_s = took_s - int(self._answer_s[self.stage])
        if 0 <= late_s <= LATEST_S:
            self.late_s = late_s

    def _give_up(self, now_s: int) -> None:
        if now_s - self._asked_s > self._answer_s[self.stage] + self.late_s:
            self._refused_s[self.target] = now_s
            self.target = self.stage


def waiting_walks(table: StageTable, stage: int, seen: Observation) -> Bools:
    """Return the stages that serve someone on foot who calls and whom `stage` does not serve."""
    away = seen.calls & ~table.greens[stage]
    return np.asarray((table.greens & away).any(axis=1))


def in_order(table: StageTable, stage: int) -> Ints:
    """Return the other stages, those next in the site's order first."""
    place = np.full(table.count, len(table.cycle), dtype=np.int64)
    place[list(table.cycle)] = np.arange(len(table.cycle))
    ahead = np.where(
        place < len(table.cycle), (place - place[stage]) % len(table.cycle), len(table.cycle)
    )
    listed = np.argsort(ahead, kind="stable")
    return np.asarray(listed[listed != stage])


def _age(seen: Observation, phases: Bools) -> int:
    return int(seen.since_s[phases].min()) if phases.any() else 0


def notice_s(site: Site, table: StageTable) -> Ints:
    """Return how long before its end each stage must be left out of the wish, s (stages,)."""
    notice = make_gate(site).notice_s
    changing = table.greens & ~site.walks & ~table.greens.all(axis=0)
    return np.asarray(np.where(changing, notice, 0).max(axis=1, initial=0))
