# SPDX-License-Identifier: Apache-2.0
"""Where those who are seen go: over which stop-line lane, or elsewhere; learned by stretch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lvbo.control._sight_kernels import absent, moved, reach_back
from lvbo.control.protocols import Bools, Floats, Ints
from lvbo.control.site import Site

PRIOR_WEIGHT = 4.0
"""How many vehicles the shares a zone has before any was seen are worth."""
MEMORY = 120.0
"""Of so many vehicles the shares of a zone are made; older ones fade."""
CLOSE_M = 50.0
"""Who is nearer to the line than this seldom changes lanes any more."""
BEYOND_S = (60.0, 600.0)
"""At least and at most of so many seconds is the rate made at which vehicles come into sight."""


class Ways:
    """Follow vehicles to the stop line from zones that may lead to several lanes, or to none.

    Who is seen on one lane of several may still leave over another one. So each lane that has some
    beside it is looked at in two stretches, near its line and beyond `CLOSE_M`; the second ones are
    numbered after the zones of the site. Only beyond is learned who leaves over another lane: who
    stands near the line calls for it whatever others did, or a lane that got no green would lose
    its calls and never get any. Entries run over the lanes of all stretches, one after another:
    `lane` and `share` (entries,), the part of a stretch's traffic that leaves over the
    lane; `first` (stretches + 1,) is where those of each begin. `lone` (stretches,) is the lane on
    which a stretch lies, else -1.
    """

    def __init__(self, site: Site) -> None:
        beside = [[k for k, other in enumerate(site.links) if other == link] for link in site.links]
        rows: list[dict[int, float]] = []
        alone = []
        for zone in site.zones:
            own = zone.lanes[0] if zone.shares == (1.0,) else -1
            rows.append(dict(zip(zone.lanes, zone.shares, strict=True)))
            alone.append(own)
        far = [z for z, own in enumerate(alone) if own >= 0 and len(beside[own]) > 1]
        self._beyond: Ints = np.arange(len(rows))
        self._beyond[far] = len(rows) + np.arange(len(far))
        rows += [dict.fromkeys(beside[alone[z]], 0.0) | rows[z] for z in far]
        listed = [(z, k, share) for z, row in enumerate(rows) for k, share in row.items()]
        self._zone = np.array([z for z, _, _ in listed], dtype=np.int64)
        self.lane: Ints = np.array([k for _, k, _ in listed], dtype=np.int64)
        self.share: Floats = np.array([share for _, _, share in listed], dtype=np.float64)
        self.first: Ints = np.cumsum([0, *(len(row) for row in rows)])
        self.lone: Ints = np.array([*alone, *(alone[z] for z in far)], dtype=np.int64)
        self._count = PRIOR_WEIGHT * self.share
        self._all = np.full(len(rows), PRIOR_WEIGHT)
        self._key = self._at = np.zeros(0, dtype=np.int64)
        self._paths: dict[int, set[int]] = {}
        self._lanes = len(site.lanes)
        self._is_doubted = [len(row) > 1 or self.lone[z] < 0 for z, row in enumerate(rows)]

    def stretch(self, zone: Ints, distance_m: Floats) -> Ints:
        """Return on which stretch each vehicle is, by its zone of the site, (vehicles,)."""
        return np.asarray(np.where(distance_m > CLOSE_M, self._beyond[zone], zone))

    def by_lane(self, number: Floats) -> Floats:
        """Return by lane what comes of a number of vehicles, (stretches,) to (lanes,)."""
        part = self.share * number[self._zone]
        return np.bincount(self.lane, weights=part, minlength=self._lanes).astype(np.float64)

    def take(self, key: Ints, stretch: Ints) -> None:
        """Take in where every vehicle is now, shape (vehicles,) both."""
        if not any(self._is_doubted):
            return
        last, at = self._key, self._at
        self._key, self._at = key, stretch
        for v in np.flatnonzero(moved(key, stretch, last, at)).tolist():
            if self._is_doubted[stretch[v]]:
                self._paths.setdefault(int(key[v]), set()).add(int(stretch[v]))
        gone = np.flatnonzero(absent(last, key)).tolist()
        for v in gone:
            self._learn(self._paths.pop(int(last[v]), ()), int(self.lone[at[v]]))
        if gone:
            fade = np.minimum(1.0, MEMORY / self._all)
            self._all *= fade
            self._count *= fade[self._zone]
            self.share = self._count / self._all[self._zone]

    def _learn(self, path: Iterable[int], lane: int) -> None:
        """Take in that a vehicle was seen on these stretches and left over a lane, -1 for none."""
        for stretch in path:
            self._all[stretch] += 1.0
            self._count[(self._zone == stretch) & (self.lane == lane)] += 1.0


class Beyond:
    """Queues that reach out of sight: the last one seen stands where sight ends, and more come."""

    def __init__(self, zones: int) -> None:
        self.queue: Floats = np.zeros(zones)
        self._rate_vps: Floats = np.zeros(zones)
        self._end_m: Floats = np.zeros(zones)
        self._seen: Floats = np.zeros(zones)
        self._seconds = 0

    def step(self, zone: Ints, distance_m: Floats, speed_mps: Floats, new: Bools) -> Floats:
        """Let a second pass; return the vehicles out of sight by zone.

        All but `new`, who came into sight, have shape (vehicles,) like it.
        """
        self._seconds += 1
        memory_s = float(min(max(self._seconds, BEYOND_S[0]), BEYOND_S[1]))
        own = (self._rate_vps, self._end_m, self._seen, self.queue)
        reach_back(zone, distance_m, speed_mps, new, memory_s, *own)
        return self.queue
