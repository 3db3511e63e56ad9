# SPDX-License-Identifier: Apache-2.0
"""What a green wave spares as it runs, and what it costs to pass the signals of its street.

What is spared is told beside as many vehicles that come evenly, under the same greens. Of those all
stand at a red who have come since it began.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.control.lamps import goes
from lvbo.control.protocols import Bools, Floats, LaneState, Observation
from lvbo.control.site import Site
from lvbo.control.usage import lane_lights

STOP_S = 12.0
"""A stop costs its wait and so many seconds: braking, starting, and the fuel."""


class Red:
    """Follow the reds of a site's lanes: how long each is, who was left over, who stands."""

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self._lights = lane_lights(site)
        self._left_over: Floats = np.zeros(lanes)
        self.age_s: Floats = np.zeros(lanes)
        self.stood: Floats = np.zeros(lanes)
        self.lit: Bools = np.zeros(lanes, dtype=bool)
        self.starts: Bools = np.zeros(lanes, dtype=bool)

    def look(self, seen: Observation, lanes: LaneState) -> None:
        """Let a second pass; `starts` are the lanes that have been red until now."""
        self.lit = np.asarray(self._lights[goes(seen.lamps)].any(axis=0))
        self.starts = self.lit & (self.age_s > 0)
        begins = ~self.lit & (self.age_s == 0)
        self._left_over = np.where(begins, lanes.queue, self._left_over)
        self._left_over = np.where(self.lit, 0.0, np.minimum(self._left_over, lanes.queue))
        self.stood = np.where(self.lit, self.stood, lanes.queue - self._left_over)

    def turn(self) -> None:
        """End the second: greens forget the red before them."""
        self.age_s = np.where(self.lit, 0.0, self.age_s + 1.0)
        self.stood = np.where(self.lit, 0.0, self.stood)


@dataclass(slots=True, kw_only=True)
class Passed:
    """Sums over sites and seconds: veh-s spared on the street and lost by all, vehicles passed."""

    seconds: float = 0.0
    spared: float = 0.0
    waits: float = 0.0
    left: float = 0.0

    def add(self, more: Passed) -> None:
        """Take in what another second brought."""
        self.seconds += more.seconds
        self.spared += more.spared
        self.waits += more.waits
        self.left += more.left

    def fade(self, share: float) -> None:
        """Let what was measured count less."""
        self.seconds, self.spared = share * self.seconds, share * self.spared
        self.waits, self.left = share * self.waits, share * self.left

    @property
    def spared_vehs(self) -> float:
        """Return what is spared by second and site, veh-s; less than nothing is nothing."""
        return max(self.spared, 0.0) / max(self.seconds, 1.0)

    @property
    def passage_s(self) -> float:
        """Return what it costs a vehicle to pass a signal: its wait and its stop, s."""
        return self.waits / max(self.left, 1.0)


class Worth:
    """Measure one site of a street: `along` (lanes,) are those of the street."""

    def __init__(self, site: Site, along: Bools) -> None:
        self._along = along
        self._red = Red(site)

    def look(self, seen: Observation, lanes: LaneState) -> Passed:
        """Return what one second brought."""
        red = self._red
        red.look(seen, lanes)
        more = lanes.rate_vps * red.age_s - red.stood
        spared = np.where(red.starts, STOP_S * more, np.where(red.lit, 0.0, more))
        waits = float(lanes.queue.sum() + STOP_S * red.stood[red.starts].sum())
        red.turn()
        return Passed(
            seconds=1.0,
            spared=float(spared[self._along].sum()),
            waits=waits,
            left=float(lanes.left.sum()),
        )
