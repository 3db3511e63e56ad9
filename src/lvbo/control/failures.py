# SPDX-License-Identifier: Apache-2.0
"""Greens that were too short for those who stood at their start: they wait for another round.

No detector tells how long somebody has waited who moved up in between, and loops do not tell how
far a queue reaches. But who did not get away in a green has waited for a round already, and a queue
that never gets away sooner or later shuts in those who want to pass it.
"""

from __future__ import annotations

import numpy as np

from lvbo.control._plan_values import F32
from lvbo.control.protocols import Bools, Floats

MORE, MOST = 0.5, 7.0
"""A lane counts so much more for each green in a row that was too short, the first left out: to
leave a few behind for once is often best. So many are counted."""
SOMEBODY = 0.5


class Failures:
    """Count by lane, (lanes,), the greens in a row that did not serve all who stood at their start.

    A green that did halves the count.
    """

    def __init__(self, lanes: int) -> None:
        self.count: Floats = np.zeros(lanes)
        self._stood: Floats = np.zeros(lanes)
        self._gone: Floats = np.zeros(lanes)
        self._green = np.zeros(lanes, dtype=bool)

    def feel(self, queue: Floats, left: Floats, green: Bools) -> None:
        """Take in a second: who stands, who left in the second before, which lanes have green."""
        begins, ends = green & ~self._green, self._green & ~green
        self._stood = np.where(begins, queue, self._stood)
        self._gone = np.where(begins, 0.0, self._gone + left)
        short = (self._gone < self._stood - SOMEBODY) & (queue > SOMEBODY)
        after = np.where(short, np.minimum(self.count + 1.0, MOST), self.count / 2)
        self.count = np.where(ends, after, self.count)
        self._green = green

    def weighed(self, weight: F32) -> F32:
        """Return how much each lane counts, those more who were left behind, (lanes,)."""
        again = np.maximum(self.count - 1.0, 0.0)
        return np.asarray(weight * (1.0 + MORE * again), dtype=np.float32)
