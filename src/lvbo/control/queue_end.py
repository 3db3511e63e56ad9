# SPDX-License-Identifier: Apache-2.0
"""Where a queue reaches beyond the advance loop, and when its end has passed."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Floats, Ints

COVERED = 0.95
"""A loop occupied for this share of a second and longer has somebody standing on it."""
HIT = 0.05
STANDS_S = 2
"""Who covers a loop for so long does not just pass it."""
END_S = 4
"""Nobody over the advance loop for so long while a queue moves there: its end has passed."""
WAVE_MPS, SETTLES = 5.0, 2.0
"""So fast the start of a green comes to those who stand upstream; until they have come to rest
again after its end takes so many times as long."""


class QueueEnd:
    """Follow by lane, (lanes,), which queues have reached the advance loop, by what it sees.

    `reached` who stands on it now; `packed` where the queue goes on beyond it, unseen. A gap tells
    that the end has passed only while those over the loop move: from when the start of green has
    come to them until they rest again. Two who stand may leave the loop free between them. But who
    comes to it then, and leaves it free again, has found room before it.
    """

    def __init__(self, lanes: int) -> None:
        self.reached, self.packed, self._came = np.zeros((3, lanes), dtype=bool)
        self._covered_s, self._free_s = np.zeros((2, lanes))
        self._lit_s, self._red_s = np.full((2, lanes), 1000.0)

    def forget(self, gone: Bools) -> None:
        """Forget the queues that are gone, (lanes,)."""
        self.packed = self.packed & ~gone

    def look(self, passed: Floats, occupied: Floats, far_m: Floats, green: Ints) -> None:
        """Take in a second of the advance loops `far_m` upstream, 0 where there is none, (lanes,).

        `green` (lanes,) is for how long each lane has had green, 0 at red, s.
        """
        has_far, lit, free = far_m > 0, green > 0, occupied <= HIT
        stood = self.reached
        self._covered_s = np.where(has_far & (occupied >= COVERED), self._covered_s + 1.0, 0.0)
        self.reached = np.asarray(self._covered_s >= STANDS_S)
        self._lit_s = np.where(green == 1, 1.0, self._lit_s + 1.0)
        self._red_s = np.where(lit, 0.0, self._red_s + 1.0)
        wave_s = far_m / WAVE_MPS
        rests = self._red_s > SETTLES * wave_s
        moves = (self._lit_s > wave_s) & ~rests
        self._free_s = np.where(moves & free & (passed <= 0), self._free_s + 1.0, 0.0)
        ended = (self._free_s >= END_S) | (self._came & free)
        self._came = rests & (passed > 0) & ~stood
        self.packed = (self.packed & ~ended) | self.reached
