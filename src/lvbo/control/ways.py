# SPDX-License-Identifier: Apache-2.0
"""Where those who are seen upstream go: to which stop-line lane, or elsewhere; learned by zone."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Floats, Ints
from lvbo.control.site import Site

PRIOR_WEIGHT = 4.0
"""How many vehicles the shares a zone has before any was seen are worth."""
MEMORY = 120.0
"""Of so many vehicles the shares of a zone are made; older ones fade."""


class Ways:
    """Follow vehicles from zones that lead to several lanes, or to none, to the stop line.

    Entries run over the lanes of all zones, one after another: `lane` and `share` (entries,), the
    part of the zone's traffic that comes to the lane; `first` (zones + 1,) is where those of each
    zone begin. `lone` (zones,) is the lane to which a zone alone leads, else -1.
    """

    def __init__(self, site: Site) -> None:
        zones = site.zones
        listed = [
            (z, k, share)
            for z, zone in enumerate(zones)
            for k, share in zip(zone.lanes, zone.shares, strict=True)
        ]
        self._zone = np.array([z for z, _, _ in listed], dtype=np.int64)
        self.lane: Ints = np.array([k for _, k, _ in listed], dtype=np.int64)
        self.share: Floats = np.array([share for _, _, share in listed], dtype=np.float64)
        self.first: Ints = np.cumsum([0, *(len(zone.lanes) for zone in zones)])
        alone = [zone.lanes[0] if zone.shares == (1.0,) else -1 for zone in zones]
        self.lone: Ints = np.array(alone, dtype=np.int64)
        self._count = PRIOR_WEIGHT * self.share
        self._all = np.full(len(zones), PRIOR_WEIGHT)
        self._under_way = np.zeros((0, 2), dtype=np.int64)
        self._learns = bool((self.lone < 0).any())

    def take(self, key: Ints, zone: Ints) -> None:
        """Take in where every vehicle is now, shape (vehicles,) both."""
        if not self._learns:
            return
        lane = self.lone[zone]
        upstream = lane < 0
        now = np.stack([key[upstream], zone[upstream]], axis=1)
        seen = np.unique(np.concatenate([self._under_way, now]), axis=0)
        here = np.isin(seen[:, 0], key[upstream])
        self._under_way = seen[here]
        if not here.all():
            came = dict(zip(key[~upstream].tolist(), lane[~upstream].tolist(), strict=True))
            self._learn(seen[~here], came)

    def _learn(self, done: Ints, came: dict[int, int]) -> None:
        """Take in pairs of vehicle and zone, and the lanes on which the vehicles are now."""
        for key, zone in done.tolist():
            self._all[zone] += 1.0
            self._count[(self._zone == zone) & (self.lane == came.get(key, -1))] += 1.0
        fade = np.minimum(1.0, MEMORY / self._all)
        self._all *= fade
        self._count *= fade[self._zone]
        self.share = self._count / self._all[self._zone]
