# SPDX-License-Identifier: Apache-2.0
"""All vehicles of a running simulation as arrays, by one subscription per vehicle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from lvbo.control.protocols import Floats, Ints
from lvbo.simulation.sensing import luck

RIDERS = {"bus": 12.0, "coach": 12.0, "trolleybus": 12.0, "tram": 60.0}
CAR_RIDERS = 1.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Every vehicle in the network, shape (vehicles,); `lane` is -1 where nobody looks.

    `length_m` reaches from the front, at `pos_m`, to the rear; `luck` is the vehicle's own random
    number, which decides whether it reports and whether it is missed.
    """

    key: Ints
    lane: Ints
    pos_m: Floats
    speed_mps: Floats
    wait_s: Floats
    persons: Floats
    luck: Floats


class Traffic:
    """Subscribe to vehicles as they depart and read them all at once."""

    def __init__(self, sumo: ModuleType, lanes: Mapping[str, int], seed: int) -> None:
        names = sumo.constants
        self._sumo = sumo
        self._lanes = lanes
        self._seed = seed
        self._fields = (
            names.VAR_LANE_ID,
            names.VAR_LANEPOSITION,
            names.VAR_SPEED,
            names.VAR_WAITING_TIME,
        )
        self._known: dict[str, tuple[int, float, float]] = {}
        for vehicle in sumo.vehicle.getIDList():
            self._meet(vehicle)

    def step(self) -> None:
        """Take note of those that departed in the last step."""
        for vehicle in self._sumo.simulation.getDepartedIDList():
            self._meet(vehicle)

    def _meet(self, vehicle: str) -> None:
        kind = self._sumo.vehicle.getVehicleClass(vehicle)
        riders = RIDERS.get(kind, CAR_RIDERS)
        self._known[vehicle] = (len(self._known), riders, luck(self._seed, vehicle))
        self._sumo.vehicle.subscribe(vehicle, self._fields)

    def lane_of(self, key: int) -> str:
        """Return SUMO's lane that a vehicle is on now."""
        name = next(name for name, (number, *_) in self._known.items() if number == key)
        return str(self._sumo.vehicle.getLaneID(name))

    def read(self) -> Table:
        """Return where everyone is now."""
        found = self._sumo.vehicle.getAllSubscriptionResults()
        lane, pos, speed, wait = self._fields
        # libsumo may still hold results of a simulation that ran before in the same process
        own = [(self._known[name], row) for name, row in found.items() if name in self._known]
        known = [k for k, _ in own]
        rows = [row for _, row in own]
        return Table(
            key=np.array([k[0] for k in known], dtype=np.int64),
            lane=np.array([self._lanes.get(row[lane], -1) for row in rows], dtype=np.int64),
            pos_m=np.array([row[pos] for row in rows], dtype=np.float64),
            speed_mps=np.maximum(np.array([row[speed] for row in rows], dtype=np.float64), 0.0),
            wait_s=np.array([row[wait] for row in rows], dtype=np.float64),
            persons=np.array([k[1] for k in known], dtype=np.float64),
            luck=np.array([k[2] for k in known], dtype=np.float64),
        )
