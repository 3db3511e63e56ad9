# SPDX-License-Identifier: Apache-2.0
"""How flows swing from slot to slot, beyond chance and beyond what the time of day does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.demand import Demand
from lvbo.ids import MovementId

Floats = NDArray[np.float64]

LONGEST_SLOT_S, FEWEST_SLOTS = 900, 3
"""Over longer slots swings cannot be told from the time of day."""


def swings_h(demand: Demand, movements: Sequence[MovementId], shares: Floats) -> Floats:
    """Return by lane, in hours, what times the flow in veh/h is the excess of I over 1.

    `shares[L, M]` says which part of a movement takes a lane. I is the variance of arrivals over
    their mean, 1 where they come by chance (HCM 7, eq. 19-26). Flows that swing by a share c of
    their mean from slot to slot have I = 1 + c^2 n, with n vehicles a slot. The variance is that of
    second differences, (a - 2 b + c)^2 / 6, which no steady rise or fall of the flow enters; chance
    is taken off. Slots that were not observed count for nothing.

    Slots of 300 s with 20, 40, 20, 40, ... vehicles: 40^2 / 6 less the mean of 30 leave 236.7, over
    the mean square of what three slots have on average, 911: c^2 = 0.26, 0.0216 h, I = 8.8 at
    360 veh/h. However few come, c^2 is below 6.
    """
    none = np.zeros(len(shares))
    if demand.slots < FEWEST_SLOTS or demand.slot_s > LONGEST_SLOT_S:
        return none
    column = np.array([demand.movement_column.get(m, -1) for m in movements])
    slot_h = demand.slot_s / 3600
    given = np.where(column >= 0, np.asarray(demand.volume_vph)[:, :, column], 0.0) * slot_h
    count = np.nan_to_num(given)
    unseen = np.isnan(given) @ (shares > 0).T > 0
    lanes = np.where(unseen, np.nan, count @ shares.T)
    before, at, after = lanes[:, :-2], lanes[:, 1:-1], lanes[:, 2:]
    chance = count[:, 1:-1] @ np.square(shares).T
    excess = _total(np.square(before - 2 * at + after) / 6 - chance)
    level = _total(np.square((before + at + after) / 3))
    swing = np.divide(np.maximum(excess, 0.0), level, out=none, where=level > 0)
    return slot_h * swing


def _total(values: Floats) -> Floats:
    return np.asarray(np.nansum(values, axis=(0, 1)))
