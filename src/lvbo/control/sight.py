# SPDX-License-Identifier: Apache-2.0
"""Heads that do not move: where what is seen contradicts what the model expects."""

from __future__ import annotations

import numpy as np

from lvbo.control._plan_kernels import NONE
from lvbo.control._plan_values import Street
from lvbo.control.protocols import Bools, Floats, Ints, LaneState

STILL_S, STILL_YIELDING_S = 4, 6
"""How long a head stands in a green that should serve it before the model is contradicted."""
STILL_ALONE_S = 30
"""The same where no other stage serves his lane: who yields may wait long for his gap."""
EXPIRES_S = 25
STARTED_S = 2
FULL_SHARE = 0.2
"""Where the exit of more of a lane is full, its head may be waiting for room."""


class Heads:
    """Follow the first vehicle of each lane of a site.

    `stuck` (stages, lanes) marks heads that did not move in a stage that should have served them,
    `why` (lanes,): 1 it yields, 2 it wants another stage. Who stood in every stage that serves his
    lane was held up by something else, and is tried again once the last of them is over: else a
    stage would run for good in which nobody moves. `weaker` (stages, stages, lanes) says of which
    stages a lane can expect no more than of the first: who wanted more than that gives stands in
    them too.
    """

    def __init__(self, weaker: Bools) -> None:
        _, stages, lanes = weaker.shape
        self._weaker = weaker
        self.stuck: Bools = np.zeros((stages, lanes), dtype=bool)
        self.why: Ints = np.zeros(lanes, dtype=np.int64)
        self._key = np.full(lanes, -1, dtype=np.int64)
        self._still_s = np.zeros(lanes, dtype=np.int64)
        self._marked_s = np.zeros((stages, lanes), dtype=np.int64)

    def feel(
        self,
        lanes: LaneState,
        street: Street,
        blocked: Floats,
        stage: int,
        age_s: int,
        now_s: int,
    ) -> None:
        """Mark heads that stand in a green that should serve them; forget marks in time.

        `blocked` (lanes,) is the share of a lane whose exit is full: who stands there waits for
        room, in whatever stage.
        """
        other = lanes.head != self._key
        self.stuck &= ~other & (now_s - self._marked_s <= EXPIRES_S)
        serves = street.kind != NONE
        self.stuck[:, (self.stuck | ~serves).all(axis=0)] = False
        self.why[~self.stuck.any(axis=0)] = 0
        self._key = lanes.head
        served = np.zeros(len(other), dtype=bool)
        if stage >= 0 and age_s > STARTED_S:
            served = serves[stage] & (blocked < FULL_SHARE)
        self._still_s = np.where(served & lanes.stands & ~other, self._still_s + 1, 0)
        if stage < 0:
            return
        yields, held = street.yields[stage] > 0, street.held[stage] > 0
        patience = np.where(held | ~yields, STILL_S, STILL_YIELDING_S)
        patience = np.where(serves.sum(axis=0) > 1, patience, STILL_ALONE_S)
        new = self._still_s >= patience
        too = self._weaker[stage] & (new & (yields | held)) & serves
        too[stage] |= new
        self.stuck |= too
        self._marked_s[too] = now_s
        governs = yields | ((self.why == 1) & ~held)
        self.why[new] = np.where(governs, 1, 2)[new]


def blocked_shares(shares: Floats, blocked: Bools) -> Floats:
    """Return what part of each lane's traffic finds its exit full, (lanes,)."""
    return np.asarray(np.minimum(shares @ blocked.astype(float), 1.0))
