# SPDX-License-Identifier: Apache-2.0
"""Where in the green of one stage its traffic arrives, and the offset that would serve it better.

Arrivals are those at the stop line without any queue: when a vehicle is first seen, or passes the
advance loop, later by its free drive from there.
"""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Floats, Loops, Observation, Vehicles
from lvbo.control.site import Site

FADES = 0.5
"""What the arrivals of one cycle still count in the next."""
START_S = 2
"""A green serves those who arrive from this long after its start without stopping them."""
WORTH = 0.1
"""The part of all arrivals by which more must arrive in green for an offset to move."""
ADVANCE_M = 10.0
"""A loop farther back than this shows who comes, a nearer one who is served."""
FORGET_S = 600


class Platoon:
    """Count arrivals on the lanes of one stage by the second since its green began."""

    def __init__(self, site: Site, lanes: Bools, cycle_s: int) -> None:
        self._site = site
        self._lanes = lanes
        self._share = np.zeros((len(site.zones), len(site.lanes)))
        for k, zone in enumerate(site.zones):
            self._share[k, list(zone.lanes)] = zone.shares
        self._known: dict[int, int] = {}
        self.arrivals: Floats = np.zeros(cycle_s)

    def look(self, seen: Observation, since_s: int) -> None:
        """Take in one second, `since_s` after the green of the stage began in the plan."""
        if seen.loops is not None:
            self._by_loops(seen.loops, since_s)
        elif seen.vehicles is not None:
            self._by_area(seen.vehicles, seen.time_s, since_s)

    def turn(self, cycle_s: int, late_s: int) -> None:
        """Let what was seen fade; the next green begins `late_s` later than a cycle after the last.

        A cycle of another length keeps the seconds that both have.
        """
        kept = np.zeros(cycle_s)
        count = min(cycle_s, len(self.arrivals))
        kept[:count] = FADES * np.roll(self.arrivals, -late_s)[:count]
        self.arrivals = kept

    def better_s(self, green_s: int, low_s: int, high_s: int) -> int:
        """Return by how much the green should start later (earlier: negative), within bounds."""
        total = float(self.arrivals.sum())
        worth = {shift: self._served(shift, green_s) for shift in (0, *range(low_s, high_s + 1))}
        best = max(worth, key=lambda shift: (worth[shift], -abs(shift)))
        return best if worth[best] - worth[0] > max(WORTH * total, 1.0) else 0

    def _served(self, shift_s: int, green_s: int) -> float:
        """Return the arrivals in a green that starts `shift_s` later."""
        cycle = len(self.arrivals)
        span = (np.arange(START_S, max(green_s, START_S)) + shift_s) % cycle
        return float(self.arrivals[span].sum())

    def _add(self, since_s: Floats, count: Floats) -> None:
        at = since_s.astype(np.int64) % len(self.arrivals)
        np.add.at(self.arrivals, at, count)

    def _by_area(self, vehicles: Vehicles, now_s: int, since_s: int) -> None:
        keys = vehicles.key.tolist()
        new = np.array([key not in self._known for key in keys], dtype=bool)
        self._known.update(dict.fromkeys(keys, now_s))
        if now_s % 60 == 0:
            self._known = {k: t for k, t in self._known.items() if now_s - t < FORGET_S}
        if not new.any():
            return
        share = self._share[vehicles.zone[new]] * self._lanes
        pace = np.maximum(share @ self._site.speed_mps / np.maximum(share.sum(axis=1), 1e-9), 1.0)
        self._add(since_s + vehicles.distance_m[new] / pace, share.sum(axis=1))

    def _by_loops(self, loops: Loops, since_s: int) -> None:
        ahead = (loops.distance_m > ADVANCE_M) & self._lanes[loops.lane] & (loops.passed > 0)
        drive = loops.distance_m[ahead] / self._site.speed_mps[loops.lane[ahead]]
        self._add(since_s + drive, loops.passed[ahead])
