# SPDX-License-Identifier: Apache-2.0
"""A detector: where it lies, what passes it, and when it was there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lvbo.ids import DetectorId, LaneId, LinkId, MovementId


class DetectorKind(StrEnum):
    """Where on its link a detector lies."""

    STOP_LINE = "stop_line"
    ADVANCE = "advance"
    ENTRY = "entry"
    MID = "mid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One detector; its far edge lies `to_stop_m` before the stop line.

    `lanes` are the stop-line lanes it covers or, further upstream, leads to. `movements` narrows
    what it counts (a camera that tells turns apart); empty means all that its lanes serve. `link`
    is set where it counts a whole cross-section. `valid_to` is the first day it was gone.
    """

    id: DetectorId
    kind: DetectorKind
    lanes: tuple[LaneId, ...] = ()
    movements: tuple[MovementId, ...] = ()
    link: LinkId | None = None
    to_stop_m: float = 0.0
    length_m: float = 2.0
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Say whether the detector was there on a day."""
        begun = self.valid_from is None or day >= self.valid_from
        return begun and (self.valid_to is None or day < self.valid_to)
