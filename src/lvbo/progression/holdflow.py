# SPDX-License-Identifier: Apache-2.0
"""One direction of a street second by second, with sections that fill; many plans at once.

A point queue at each stop line, free driving before it, and room by Newell's backward wave: of a
section there may be no more inside than fit, those included whose place has not come free yet at
its beginning (Newell 1993). Who turns off from a lane of his own leaves at once as long as the
queue does not reach its beginning; otherwise, and from a lane that others go straight on from, he
leaves with those he stands among. Who turns in comes evenly. Counted is who has green and finds no
room ahead, as many as there are at once in a green: on the street they stand in the junction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TINY = 1e-9
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Stretch:
    """n stop lines of one direction in driving order, and the section before each.

    By stop line, length n: `room` vehicles fit on the section before it, `drive_s` over it,
    `back_s` until a place that came free at its end is free at its beginning, `saturation_vps` of
    those who go straight on, their share `through` of arrivals and the share `apart` of those who
    turn off from lanes of their own, `reach` vehicles that stand at the stop line before they close
    these lanes, `side_vps` who turn in at its beginning.
    `demand_vps` comes to the first. Section `full` is that before stop line `full`.
    """

    room: tuple[float, ...]
    drive_s: tuple[int, ...]
    back_s: tuple[int, ...]
    saturation_vps: tuple[float, ...]
    through: tuple[float, ...]
    apart: tuple[float, ...]
    reach: tuple[float, ...]
    side_vps: tuple[float, ...]
    demand_vps: float
    full: int


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Held:
    """What came of each candidate; the last axis of all arrays is the candidate.

    `inflow` (cycles,) entered the full section; `blocked` vehicles had green before it and no room
    ahead, the most at once in each green; `full_s` for so long nobody could enter; `most` (n,)
    stood at each stop line at most; `waiting_vehs` (n,) waited there in all, veh-s.
    """

    inflow: Floats
    blocked: Floats
    full_s: Floats
    most: Floats
    waiting_vehs: Floats


def hold(stretch: Stretch, greens: Bools, cycles: int, warm_cycles: int = 3) -> Held:
    """Run candidates whose stop lines are green as `greens` (n, cycle, candidates) say.

    After some cycles the section in question is filled up to its room; from then on it counts.
    """
    n, cycle, many = greens.shape
    run = _Run(stretch, many, (warm_cycles + cycles) * cycle)
    for t in range(warm_cycles * cycle):
        run.step(t, greens[:, t % cycle])
    run.fill()
    inflow = np.zeros((cycles, many))
    blocked, full_s = np.zeros(many), np.zeros(many)
    most, waiting = np.zeros((n, many)), np.zeros((n, many))
    for t in range(warm_cycles * cycle, (warm_cycles + cycles) * cycle):
        entered, stuck, shut = run.step(t, greens[:, t % cycle])
        inflow[t // cycle - warm_cycles] += entered
        blocked += stuck
        full_s += shut
        standing = run.queue + run.off.sum(axis=0)
        most = np.maximum(most, standing)
        waiting += standing
    return Held(inflow=inflow, blocked=blocked, full_s=full_s, most=most, waiting_vehs=waiting)


class _Run:
    """Hold where vehicles are: queues, and who entered and left each section by second."""

    def __init__(self, stretch: Stretch, many: int, seconds: int) -> None:
        self.stretch = stretch
        n = len(stretch.room)
        self.queue = np.zeros((n, many))  # who goes straight on
        self.off = np.zeros((2, n, many))  # who turns off: among these, and from lanes of his own
        self.pad = 1 + max(*stretch.drive_s, *stretch.back_s)
        self.came = np.zeros((n, seconds + self.pad, many))
        self.left = np.zeros((n, seconds + self.pad, many))
        self.inside = np.zeros((n, many))  # those included whose place is not free yet
        self.greens = np.zeros(many, dtype=bool)  # of the stop line before the full section
        self.freely = np.zeros(many)  # who would still stand there if there were room
        self.stuck = np.zeros((2, many))  # who could have gone in this green: now, and at most

    def fill(self) -> None:
        """Let the section in question stand full from now on."""
        at = self.stretch.full
        lack = np.maximum(0.0, self.stretch.room[at] - self.inside[at])
        for part, share in zip((self.queue, *self.off), self._shares(at), strict=True):
            part[at] += share * lack
        self.inside[at] += lack
        self.greens[:] = False

    def step(self, t: int, green: Bools) -> tuple[Floats, Floats, Bools]:
        """Let a second pass; return who entered the full section, who was stuck, where it is shut.

        Who was stuck is told when the green ends. Stop lines are served from the last to the first,
        so that room used is room there is.
        """
        stretch, now = self.stretch, t + self.pad
        n = len(stretch.room)
        entered = stuck = np.zeros(self.queue.shape[1])
        shut = np.zeros(self.queue.shape[1], dtype=bool)
        for k in range(n - 1, -1, -1):
            self.inside[k] -= self.left[k, now - stretch.back_s[k]]
            arrived = self.came[k, now - stretch.drive_s[k]]
            for part, share in zip((self.queue, *self.off), self._shares(k), strict=True):
                part[k] += share * arrived
            wish = np.where(green[k], np.minimum(self.queue[k], stretch.saturation_vps[k]), 0.0)
            gone = wish
            if k + 1 < n:
                free = np.maximum(0.0, stretch.room[k + 1] - self.inside[k + 1])
                side = np.minimum(stretch.side_vps[k + 1], free)
                gone = np.minimum(wish, free - side)
                self._enter(k + 1, now, gone + side)
                if k + 1 == stretch.full:
                    entered, shut = gone + side, free < min(1.0, stretch.saturation_vps[k])
                    stuck = self._stuck(k, green[k], stretch.through[k] * arrived, gone)
            self.left[k, now] += gone + self._turned_off(k, gone)
            self.queue[k] -= gone
        self._enter(0, now, np.full(self.queue.shape[1], stretch.demand_vps))
        return entered, stuck, shut

    def _shares(self, k: int) -> tuple[float, float, float]:
        """Return the shares of those who go on, turn off among them, and from their own lanes."""
        through, apart = self.stretch.through[k], self.stretch.apart[k]
        return through, max(0.0, 1.0 - through - apart), apart

    def _turned_off(self, k: int, gone: Floats) -> Floats:
        """Let those turn off who can while `gone` go straight on; return how many."""
        share = np.divide(gone, self.queue[k], out=np.ones_like(gone), where=self.queue[k] > TINY)
        opens = self.queue[k] + self.off[0, k] <= self.stretch.reach[k]
        off = np.array([share * self.off[0, k], np.where(opens, 1.0, share) * self.off[1, k]])
        self.off[:, k] -= off
        return np.asarray(off.sum(axis=0))

    def _stuck(self, k: int, green: Bools, arrived: Floats, gone: Floats) -> Floats:
        """Return who was stuck in a green that has just ended."""
        goes_on = green & self.greens
        self.freely = np.where(goes_on, self.freely + arrived, self.queue[k])
        could = np.where(green, np.minimum(self.freely, self.stretch.saturation_vps[k]), 0.0)
        self.freely -= could
        ended = np.where(self.greens & ~green, self.stuck[1], 0.0)
        self.stuck = np.where(goes_on, self.stuck, 0.0)
        self.stuck[0] += np.where(green, could - gone, 0.0)
        self.stuck[1] = np.maximum(self.stuck[1], self.stuck[0])
        self.greens = green
        return ended

    def _enter(self, k: int, now: int, vehicles: Floats) -> None:
        self.came[k, now] = vehicles
        self.inside[k] += vehicles
