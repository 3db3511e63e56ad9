# SPDX-License-Identifier: Apache-2.0
"""Where the buses stand or come, by lane, and how many cars those aboard are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.control._sight_kernels import CAR_PERSONS
from lvbo.control.estimate import SPACE_M
from lvbo.control.protocols import Floats, Ints, LaneState, Vehicles
from lvbo.control.site import Site

MANY = 2.0
"""More persons than this many cars hold make a vehicle a bus."""
MOST = 25.0
"""Those aboard the buses of a lane count as so many cars at most."""
STILL_MPS, BEHIND_M = 2.0, 20.0
"""A bus that stands so far behind the queue stands at a stop, not in the queue."""
SURE = 0.99


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buses:
    """The buses of each lane as one, all of shape (lanes,).

    `riders` are those aboard beyond those in cars, in cars; zero where there is no bus. It has left
    when `ahead` vehicles have, itself included; before `comes_s` it cannot be at the stop line.
    """

    riders: Floats
    ahead: Floats
    comes_s: Ints


class BusEye:
    """Tell where the buses of a site are, from vehicles that are seen or report themselves."""

    def __init__(self, site: Site) -> None:
        sure = [z.lanes[0] if z.shares and z.shares[0] >= SURE else -1 for z in site.zones]
        self._lane_of = np.array(sure, dtype=np.int64)
        self._speed_mps = site.speed_mps
        self._lanes = len(site.lanes)

    def look(self, vehicles: Vehicles | None, lanes: LaneState, weight: float) -> Buses:
        """Return the buses now; `weight` is what a rider counts beside one in a car."""
        riders, ahead = np.zeros(self._lanes), np.zeros(self._lanes)
        comes = np.zeros(self._lanes)
        if vehicles is not None and weight > 0:
            for v in np.flatnonzero(vehicles.persons > MANY * CAR_PERSONS).tolist():
                self._add(vehicles, v, lanes, weight, (riders, ahead, comes))
        some = np.maximum(riders, 1e-9)
        return Buses(
            riders=np.minimum(riders, MOST),
            ahead=ahead / some,
            comes_s=(comes / some).astype(np.int64),
        )

    def _add(
        self,
        vehicles: Vehicles,
        v: int,
        lanes: LaneState,
        weight: float,
        sums: tuple[Floats, Floats, Floats],
    ) -> None:
        """Add one bus to the sums of riders, and of places and times weighted by them."""
        lane = int(self._lane_of[vehicles.zone[v]])
        if lane < 0:
            return
        far, queue = float(vehicles.distance_m[v]), float(lanes.queue[lane])
        place, comes = far / SPACE_M + 1.0, 0
        if vehicles.speed_mps[v] < STILL_MPS:
            if far > SPACE_M * queue + BEHIND_M:
                return
            place = min(place, max(queue, 1.0))
        elif place > queue:
            span = lanes.arrivals.shape[1]
            comes = min(int(far / self._speed_mps[lane]), span - 1)
            place = queue + max(float(lanes.arrivals[lane, : comes + 2].sum()), 1.0)
        more = weight * (float(vehicles.persons[v]) / CAR_PERSONS - 1.0)
        for total, value in zip(sums, (1.0, place, float(comes)), strict=True):
            total[lane] += more * value
