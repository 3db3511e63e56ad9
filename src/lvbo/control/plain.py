# SPDX-License-Identifier: Apache-2.0
"""The bare rules of change: yellow, intergreen and minimum green, nothing forced, no alarm.

What a wish asks for is shown as soon as those three allow it, phase by phase.
"""

from __future__ import annotations

import math

import numpy as np

from lvbo.control.protocols import Bools, Ints, Observation, Refusal, Verdict, Wish
from lvbo.control.site import Site
from lvbo.signal.lamp import GOING, Lamp

_GOING = np.array([int(lamp) for lamp in GOING])
LONG_AGO_S = -100_000


class PlainGuard:
    """Carry out the wishes for one site; remembers when each green ended."""

    def __init__(self, site: Site) -> None:
        rules = site.rules
        at = {phase: k for k, phase in enumerate(site.phases)}
        self._phases = rules.phases
        self._shows = np.array([int(p.shows) for p in rules.phases])
        self._yellow = np.array([math.ceil(p.yellow_ds / 10) for p in rules.phases])
        self._least = np.array(
            [math.ceil(rules.limit_index[p.id].min_green_ds / 10) for p in rules.phases]
        )
        self._foes: list[list[tuple[int, int | None]]] = [[] for _ in rules.phases]
        for ending, starting, need_ds in rules.foes:
            need = None if need_ds is None else math.ceil(need_ds / 10)
            self._foes[at[starting]].append((at[ending], need))
        self._mates = [[at[m] for m in rules.mates[p.id]] for p in rules.phases]
        self._ended = np.full(len(rules.phases), LONG_AGO_S, dtype=np.int64)
        self._before = np.zeros(len(rules.phases), dtype=bool)

    def __call__(self, seen: Observation, wish: Wish) -> Verdict:
        """Return what is shown from now on."""
        going = np.isin(seen.lamps, _GOING)
        began = seen.time_s - seen.since_s
        stopped = self._before & ~going
        self._ended[stopped] = began[stopped]
        lamps = seen.lamps.copy()
        refused: list[Refusal] = []
        for k in np.flatnonzero(~wish.greens):
            lamps[k] = self._ending(int(k), seen, going, wish)
            if lamps[k] == self._shows[k] and going[k]:
                left = int(self._least[k] - seen.since_s[k])
                phase = self._phases[k].id
                refused.append(Refusal(code="min_green", phases=(phase,), wait_s=left))
        self._ended[going & ~np.isin(lamps, _GOING)] = seen.time_s
        for k in np.flatnonzero(wish.greens & ~going):
            lamps[k] = self._starting(int(k), seen.time_s, lamps)
        self._before = np.isin(lamps, _GOING)
        return Verdict(lamps=lamps, refusals=tuple(refused))

    def _ending(self, k: int, seen: Observation, going: Bools, wish: Wish) -> int:
        lamp, since = int(seen.lamps[k]), int(seen.since_s[k])
        if going[k]:
            runs_on = any(wish.greens[m] for m in self._mates[k])
            if since < self._least[k] and not runs_on:
                return lamp
            return int(Lamp.YELLOW if self._yellow[k] and not runs_on else Lamp.RED)
        return self._resting(k, lamp, since, wish)

    def _resting(self, k: int, lamp: int, since: int, wish: Wish) -> int:
        yellow = int(self._yellow[k]) if wish.yellow_s is None else int(wish.yellow_s[k])
        if lamp == Lamp.YELLOW and since < max(yellow, int(self._yellow[k])):
            return lamp
        return int(Lamp.RED)

    def _starting(self, k: int, now: int, lamps: Ints) -> int:
        for foe, need in self._foes[k]:
            if lamps[foe] in _GOING or need is None or now - self._ended[foe] < need:
                return int(Lamp.YELLOW if lamps[k] == Lamp.YELLOW else Lamp.RED)
        return int(self._shows[k])
