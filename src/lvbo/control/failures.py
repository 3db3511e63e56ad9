# SPDX-License-Identifier: Apache-2.0
"""Split failures: greens in a row that were too short for those who stood at their start.

No detector tells how long somebody has waited who moved up in between, and loops do not tell how
far a queue reaches. But where vehicles pass to the last second of green, and right after it one
stands at the line, somebody waits for another round, and a queue that never gets away sooner or
later shuts in those who want to pass it.

Where lanes that exclude each other are all left behind the site is over its capacity, and the count
does not tell whose green could be spared; nor does it where they stand in their green, as their
exit is full.
"""

from __future__ import annotations

import numpy as np

from lvbo.control._plan_values import F32
from lvbo.control.protocols import Bools, Floats

GAP_S, PASSED_S, AFTER_S = 2, 4, 6
"""Nobody was near for no longer than this when the green ended, one has passed since then at the
latest; so long after it one stands."""
ONCE, MORE, MOST = 2.0, 0.25, 8.0
"""To leave some behind once or twice is often best; for each green in a row beyond that a lane
counts so much more. So many are counted."""


class Failures:
    """Count split failures in a row by lane, (lanes,); a green that was long enough halves them.

    `serves` (stages, lanes) says which stage serves whom.
    """

    def __init__(self, serves: Bools) -> None:
        lanes = serves.shape[1]
        together = serves.astype(np.int64)
        self._apart = together.T @ together == 0
        self.count: Floats = np.zeros(lanes)
        self._still_s = np.full(lanes, PASSED_S + 1, dtype=np.int64)
        self._red_s = np.full(lanes, AFTER_S + 1, dtype=np.int64)
        self._busy = np.zeros(lanes, dtype=bool)

    def feel(self, stands: Bools, gap_s: Floats, left: Floats, green: Bools) -> None:
        """Take in a second: who stands at the line, since when nobody was near, who has passed it.

        `green` says who has green. Who stands in a queue whose end is seen need not be told: the
        queue tells it. All are (lanes,).
        """
        self._still_s = np.where(left > 0, 0, self._still_s + 1)
        flows = (gap_s <= GAP_S) & (self._still_s <= PASSED_S)
        self._busy = np.where(green, flows, self._busy)
        self._red_s = np.where(green, 0, self._red_s + 1)
        short = self._busy & stands
        after = np.where(short, np.minimum(self.count + 1.0, MOST), self.count / 2)
        self.count = np.where(self._red_s == AFTER_S, after, self.count)

    def weighed(self, weight: F32) -> F32:
        """Return how much each lane counts, (lanes,): those more that are left behind alone."""
        again = np.maximum(self.count - ONCE, 0.0)
        others = (self._apart * again).max(axis=1, initial=0.0)
        more = MORE * np.maximum(again - others, 0.0)
        return np.asarray(weight * (1.0 + more), dtype=np.float32)
