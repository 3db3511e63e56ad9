# SPDX-License-Identifier: Apache-2.0
"""Room in a full exit for those who never find any: others must leave it to them for a while.

Where several lanes lead into a short section, those who get green before it has drained fill it
round after round, and whoever comes last stands in each of his greens. No wait of his, however
long, makes their greens worth less to them: so it is taken from them until he is through.
"""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Floats, LaneState
from lvbo.control.sight import SOMEBODY, moves
from lvbo.control.site import Site, same

GIVEN_UP_S = 300
"""Room that nobody could use for so long is not what is missing."""
SHARE = 0.1
"""Who turns more rarely than this is not whom room is kept for."""


class Room:
    """Follow who stands in his green, and say which lanes must leave him the room.

    `owed` (lanes,) are the vehicles for whom room is kept: those who stood there when the first of
    them was held up. It ends when they are through, or did not use it for `GIVEN_UP_S`. Until then
    it is kept for nobody else: where all are held up, nobody keeps the others back.
    """

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self._same = same(site.exits)
        self._unused_s = np.zeros(lanes, dtype=np.int64)
        self._given_up = np.zeros(lanes, dtype=bool)
        self.owed: Floats = np.zeros(lanes)

    def feel(self, lanes: LaneState, held: Bools, long_s: float) -> None:
        """Take in a second: whom his exit holds, and who has waited longer than `long_s`."""
        moved = moves(lanes)
        self._given_up &= ~moved
        if not (self.owed > 0).any():
            begins = held & (lanes.wait_s >= long_s) & ~self._given_up
            self.owed = np.where(begins, np.maximum(lanes.queue, 1.0), 0.0)
        self.owed = np.where(lanes.queue < SOMEBODY, 0.0, np.maximum(self.owed - lanes.left, 0.0))
        self._unused_s = np.where((self.owed > 0) & ~moved, self._unused_s + 1, 0)
        over = self._unused_s > GIVEN_UP_S
        self._given_up |= over
        self.owed[over] = 0.0

    def kept_from(self, shares: Floats) -> Floats:
        """Return what part of each lane's traffic must leave its exit to others, (lanes,).

        `shares` (lanes, movements) are the turns of each lane.
        """
        some = self.owed > 0
        if not some.any():
            return np.zeros(len(some))
        wanted = np.minimum((shares[some] > SHARE).sum(axis=0) @ self._same, 1.0)
        return np.where(some, 0.0, shares @ wanted)
