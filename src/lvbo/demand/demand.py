# SPDX-License-Identifier: Apache-2.0
"""What will come: movement volumes per slot of the day and day type, with what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import Finding
from lvbo.ids import CrossingId, LaneId, MovementId

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """How a stop-line lane discharges: flow in veh/h of green, start-up loss and end gain in s."""

    lane: LaneId
    flow_vph: float
    start_loss_s: float = 2.0
    end_gain_s: float = 1.0
    observed: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Demand:
    """Movement volumes, read-only arrays of shape (days, slots, movements), in veh/h.

    A day is one observed day with its day type; a slot is `slot_s` seconds long and starts at
    `first_s + k * slot_s` of the local day. `volume_vph` is the best estimate of what wants to go,
    `lower_vph` and `upper_vph` its range, NaN where nothing is known. `saturated` marks slots in
    which the count was only what the green let through. `lanes_vph` are the mean flows of stop-line
    lanes that were counted one by one: they tell how drivers share lanes.
    """

    days: tuple[str, ...]
    day_types: tuple[str, ...]
    first_s: int
    slot_s: int
    slots: int
    movements: tuple[MovementId, ...]
    volume_vph: Array
    lower_vph: Array
    upper_vph: Array
    saturated: NDArray[np.bool_]
    saturations: tuple[Saturation, ...]
    pedestrians_ph: tuple[tuple[CrossingId, float], ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    lanes_vph: tuple[tuple[LaneId, float], ...] = ()

    def __post_init__(self) -> None:
        for array in (self.volume_vph, self.lower_vph, self.upper_vph, self.saturated):
            array.setflags(write=False)

    @cached_property
    def movement_column(self) -> Mapping[MovementId, int]:
        """Return the column of each movement."""
        return {movement: column for column, movement in enumerate(self.movements)}

    @cached_property
    def saturation_index(self) -> Mapping[LaneId, Saturation]:
        """Return saturation by lane."""
        return {saturation.lane: saturation for saturation in self.saturations}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the day types that occur, each once, in order."""
        return tuple(dict.fromkeys(self.day_types))

    def slot_starts_s(self) -> tuple[int, ...]:
        """Return the local second at which each slot starts."""
        return tuple(self.first_s + k * self.slot_s for k in range(self.slots))

    def typical(self, day_type: str) -> Array:
        """Return the median volume over the days of a type, shape (slots, movements), veh/h.

        Slots that no such day observed are NaN.
        """
        rows = [k for k, kind in enumerate(self.day_types) if kind == day_type]
        known = self.volume_vph[rows]
        out = np.full(known.shape[1:], np.nan)
        seen = ~np.isnan(known).all(axis=0)
        out[seen] = np.nanmedian(known[:, seen], axis=0)
        return out
