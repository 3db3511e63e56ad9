# SPDX-License-Identifier: Apache-2.0
"""What a signal head shows, and by what right a road user may go."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Lamp(IntEnum):
    """What a head shows, ordered so that the larger wins where two phases light one head."""

    RED = 0
    RED_AMBER = 1
    YELLOW = 2
    DARK = 3
    BLINK = 4
    STOP_THEN_GO = 5
    PERMITTED = 6
    GREEN = 7


GOING = frozenset({Lamp.STOP_THEN_GO, Lamp.PERMITTED, Lamp.GREEN})
OFF = frozenset({Lamp.DARK, Lamp.BLINK})


class Right(StrEnum):
    """How a phase serves a movement."""

    PROTECTED = "protected"
    PERMITTED = "permitted"
    ON_RED_AFTER_STOP = "on_red_after_stop"


class PhaseKind(StrEnum):
    """Who reads the lamps of a phase."""

    VEHICLE = "vehicle"
    ARROW = "arrow"
    PEDESTRIAN = "pedestrian"
    BICYCLE = "bicycle"
    TRANSIT = "transit"


class Conflict(StrEnum):
    """What two phases may do together."""

    FORBIDDEN = "forbidden"
    YIELD = "yield"
    COMPATIBLE = "compatible"


class Countdown(StrEnum):
    """What a countdown display shows, and so what may no longer change."""

    NONE = "none"
    LAST_SECONDS = "last_seconds"
    FULL = "full"
    LEARNING = "learning"
