# SPDX-License-Identifier: Apache-2.0
"""Heads that do not move, and full exits: where what is seen contradicts what the model expects."""

from __future__ import annotations

import numpy as np

from lvbo.control._plan_values import Street
from lvbo.control._queue_kernels import NONE
from lvbo.control._sight_kernels import forget_heads, mark_heads
from lvbo.control.protocols import Bools, Floats, Ints, LaneState

STARTED_S = 2
FULL_SHARE = 0.2
"""Where the exit of more of a lane is full, its head may be waiting for room."""
HELD_S, SOMEBODY, FEW = 3, 0.5, 1e-6
"""Who stands for so long where he may go is held up; less of a vehicle, or of a lane, is none."""
STAYS_S = (10, 60)
"""A full exit stays full for so long at least, and is expected to for no longer than at most."""


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
        marks = (self.stuck, self._marked_s, self.why)
        other = forget_heads(lanes.head, street.kind, now_s, self._key, *marks)
        served = np.zeros(len(other), dtype=bool)
        if stage >= 0 and age_s > STARTED_S:
            served = (street.kind[stage] != NONE) & (blocked < FULL_SHARE)
        self._still_s = np.where(served & lanes.stands & ~other, self._still_s + 1, 0)
        if stage >= 0 and self._still_s.any():
            yields, held = street.yields[stage] > 0, street.held[stage] > 0
            own = (street.kind, yields, held, self._weaker[stage])
            mark_heads(self._still_s, *own, stage, now_s, *marks)


class Exits:
    """Follow which exits are full, and for how long: seen, or felt where somebody cannot leave.

    Who stands in his green for `HELD_S` though nothing but his exit can hold him is held up by it,
    which tells of exits that nobody sees. Nor does anybody see when a full exit will have room
    again: one that has been full for long is taken to stay so for as long again, within `STAYS_S`.
    """

    def __init__(self, movements: int, lanes: int) -> None:
        self._full = np.zeros(movements, dtype=bool)
        self._full_s = np.zeros(movements)
        self._held_s, self._since_s, self._left_s = np.zeros((3, lanes))

    @property
    def held(self) -> Bools:
        """Return whose exit holds him in his green now, (lanes,)."""
        return np.asarray(self._held_s >= HELD_S)

    def see(self, full: Bools) -> None:
        """Take in a second: which movements have a full exit as far as it is seen, (movements,)."""
        self._full = full
        self._full_s = np.where(full, self._full_s + 1.0, 0.0)

    def feel(self, lanes: LaneState, may_go: Bools, *, unseen: bool) -> None:
        """Take in whom nothing but his exit can keep from going now, (lanes,).

        Only of exits that are `unseen` this tells more than is known.
        """
        moved = moves(lanes)
        self._held_s = np.where(may_go & lanes.stands & ~moved, self._held_s + 1.0, 0.0)
        found = self.held & unseen
        self._since_s = np.where(moved, 0.0, self._since_s + (found | (self._since_s > 0)))
        stays = np.clip(self._since_s, *STAYS_S)
        self._left_s = np.where(moved, 0.0, np.where(found, stays, np.maximum(self._left_s - 1, 0)))

    def seen(self, shares: Floats) -> Floats:
        """Return what part of each lane's traffic has an exit that is seen to be full, (lanes,).

        `shares` (lanes, movements) are the turns of each lane.
        """
        return np.asarray(np.minimum(shares @ self._full.astype(float), 1.0))

    def blocked(self, shares: Floats) -> Floats:
        """Return what part of each lane's traffic finds its exit full, (lanes,)."""
        return np.where(self._left_s > 0, 1.0, self.seen(shares))

    def stays_s(self, shares: Floats) -> Ints:
        """Return for how long yet the exits of each lane stay full that are, (lanes,), s."""
        part = shares * self._full
        mean = (part @ self._full_s) / np.maximum(part.sum(axis=1), FEW)
        seen = np.clip(np.rint(mean), *STAYS_S)
        return np.where(self._left_s > 0, self._left_s, seen).astype(np.int64)


def moves(lanes: LaneState) -> Bools:
    """Return on which lanes somebody has just left, or nobody stands, (lanes,)."""
    return np.asarray((lanes.left > 0) | (lanes.queue < SOMEBODY))
