# SPDX-License-Identifier: Apache-2.0
"""Who is where by lane, and which lanes each stage serves: for controllers that need no model."""

from __future__ import annotations

import numpy as np

from lvbo.control.estimate import NEAR_M
from lvbo.control.eyes import Eyes
from lvbo.control.protocols import Bools, Floats, LaneState, Observation
from lvbo.control.site import NONE, PROTECTED, Site
from lvbo.control.stages import StageTable


class Presence:
    """Count by lane, from the same estimate that all controllers use.

    `count` and `near` (lanes,) are the vehicles known to be there, the second weighted by nearness,
    1 - d / 200 m; `standing` those of them that stand; `gap_s` the time since somebody was within
    `zone_m` of the stop line.
    """

    def __init__(self, site: Site, zone_m: float = NEAR_M) -> None:
        lanes = len(site.lanes)
        self._eyes = Eyes(site, near_m=zone_m)
        self.count: Floats = np.zeros(lanes)
        self.near: Floats = np.zeros(lanes)
        self.standing: Floats = np.zeros(lanes)
        self.gap_s: Floats = np.full(lanes, 1000.0)

    def look(self, seen: Observation) -> LaneState:
        """Take in one second, and return the state of the lanes."""
        lanes = self._eyes.look(seen)
        self.count, self.near = lanes.present, lanes.near
        self.standing, self.gap_s = lanes.queue, lanes.gap_s
        return lanes


def lane_service(site: Site, table: StageTable) -> tuple[Bools, Bools]:
    """Return by stage which lanes it serves at all and which with priority, (stages, lanes)."""
    best = [site.serves[green].max(axis=0, initial=NONE) for green in table.greens]
    some = [(site.uses & (row > NONE)).any(axis=1) for row in best]
    first = [(site.uses & (row == PROTECTED)).any(axis=1) for row in best]
    return np.array(some), np.array(first)
