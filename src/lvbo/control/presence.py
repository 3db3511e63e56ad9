# SPDX-License-Identifier: Apache-2.0
"""Who is where by lane, from whatever the site sees: for controllers that need no model."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Floats, Ints, Observation
from lvbo.control.site import NONE, PROTECTED, REACH_M, Site
from lvbo.control.stages import StageTable
from lvbo.signal.lamp import GOING

_GOING = np.array([int(lamp) for lamp in GOING])
LOOP_SHARE = 0.05
"""A loop covered for a smaller part of the second saw nobody."""


class Presence:
    """Count by lane; where only loops see, arrivals less those served stand for the count.

    `count` and `near` (lanes,) are the vehicles in range, the second weighted by nearness,
    1 - d / 200 m; `gap_s` (lanes,) is the time since somebody was within `zone_m` of the stop line.
    """

    def __init__(self, site: Site, zone_m: float = 35.0) -> None:
        lanes = len(site.lanes)
        self._site = site
        self._zone_m = zone_m
        self._share = np.zeros((len(site.zones), lanes))
        for k, zone in enumerate(site.zones):
            self._share[k, list(zone.lanes)] = zone.shares
        self.count: Floats = np.zeros(lanes)
        self.near: Floats = np.zeros(lanes)
        self.gap_s: Floats = np.full(lanes, 1000.0)

    def of(self, zones: Ints) -> Floats:
        """Return how many of the vehicles on these zones are expected on each lane, (lanes,)."""
        return np.asarray(self._share[zones].sum(axis=0))

    def look(self, seen: Observation) -> None:
        """Take in one second."""
        self.gap_s = self.gap_s + 1.0
        if seen.vehicles is not None:
            share = self._share[seen.vehicles.zone]
            self.count = share.sum(axis=0)
            part = np.maximum(0.0, 1.0 - seen.vehicles.distance_m / REACH_M)
            self.near = part @ share
            close = seen.vehicles.distance_m <= self._zone_m
            self.gap_s[(share[close] > 0).any(axis=0)] = 0.0
        elif seen.loops is not None:
            self._by_loops(seen)
        blind = ~seen.working
        self.count = np.where(blind, 1.0, self.count)
        self.near = np.where(blind, 1.0, self.near)

    def _by_loops(self, seen: Observation) -> None:
        """Count in by the loop farthest back, out by the one at the stop line."""
        if seen.loops is None:
            return
        lane, far = seen.loops.lane, seen.loops.distance_m
        hit = (seen.loops.passed > 0) | (seen.loops.occupied > LOOP_SHARE)
        for k in np.unique(lane):
            own = np.flatnonzero(lane == k)
            line, back = own[np.argmin(far[own])], own[np.argmax(far[own])]
            if hit[own].any():
                self.gap_s[k] = 0.0
            if line == back:
                self.count[k] = 1.0 if hit[line] else self.count[k]
            else:
                self.count[k] += seen.loops.passed[back] - seen.loops.passed[line]
            served = self._site.serves[np.isin(seen.lamps, _GOING)].max(axis=0, initial=NONE)
            flows = bool((self._site.uses[k] & (served > NONE)).any())
            if flows and self.gap_s[k] > 3:  # noqa: PLR2004  nobody for three seconds of green
                self.count[k] = 0.0
        self.count = np.maximum(self.count, 0.0)
        self.near = self.count


def lane_service(site: Site, table: StageTable) -> tuple[Bools, Bools]:
    """Return by stage which lanes it serves at all and which with priority, (stages, lanes)."""
    best = [site.serves[green].max(axis=0, initial=NONE) for green in table.greens]
    some = [(site.uses & (row > NONE)).any(axis=1) for row in best]
    first = [(site.uses & (row == PROTECTED)).any(axis=1) for row in best]
    return np.array(some), np.array(first)
