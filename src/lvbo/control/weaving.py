# SPDX-License-Identifier: Apache-2.0
"""Who changes lanes between the advance loop and the stop line, learned from the counts of both."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Floats
from lvbo.control.site import Site

MEMORY_S = 1800.0
"""How long counts are remembered."""
PRIOR = 15.0
"""So many vehicles stay on their lanes as a first guess."""


class Weaving:
    """Share out by lane, (lanes,), who passes the advance loops as they will pass the stop line.

    Lanes of one link are balanced: what passes fewer at its stop line than upstream gives the rest
    to those that pass more. Counts of loops that miss some are brought to the same sum first.
    """

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self._mates = site.mates
        self._far: Floats = np.zeros(lanes)
        self._line: Floats = np.zeros(lanes)

    def take(self, far: Floats, line: Floats, has_far: Bools, working: Bools) -> None:
        """Take in who passed both loops in this second, on lanes that have both and work."""
        fade = 1.0 - 1.0 / MEMORY_S
        counts = has_far & working
        self._far = fade * self._far + np.where(counts, far, 0.0)
        self._line = fade * self._line + np.where(counts, line, 0.0)

    def shared(self, entered: Floats) -> Floats:
        """Return those who will come to each lane of those who entered; the sum stays."""
        if not entered.any():
            return entered
        scale = (self._mates @ self._far) / np.maximum(self._mates @ self._line, 1.0)
        more = scale * self._line - self._far
        gives = np.maximum(-more, 0.0) / (self._far + PRIOR)
        wants = self._mates * np.maximum(more, 0.0)
        total = wants.sum(axis=1, keepdims=True)
        leaves = np.where(total[:, 0] > 0, gives * entered, 0.0)
        return np.asarray(entered - leaves + leaves @ (wants / np.maximum(total, 1e-9)))
