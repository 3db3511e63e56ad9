# SPDX-License-Identifier: Apache-2.0
"""The three declared tables of what was seen: events, counts, trajectories.

Times are the start of an interval or the instant of an event, in UTC. Shares are 0 to 1.
`day` names one observed day (the local date, or a simulated run); `second` is the local second of
that day at which an interval starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import polars as pl

INSTANT = pl.Datetime("ms", "UTC")

EVENTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "device": pl.String,
    "t_utc": INSTANT,
    "code": pl.Int32,
    "param": pl.Int64,
}

COUNTS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "target": pl.String,
    "t0_utc": INSTANT,
    "dt_s": pl.Int32,
    "day": pl.String,
    "second": pl.Int32,
    "day_type": pl.String,
    "volume": pl.Float64,
    "vehicle_class": pl.String,
    "occupancy": pl.Float64,
    "speed_mps": pl.Float64,
    "observed": pl.Float64,
    "quality": pl.String,
}

TRAJECTORIES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "vehicle": pl.String,
    "t_utc": INSTANT,
    "link": pl.String,
    "position_m": pl.Float64,
    "speed_mps": pl.Float64,
}

DETECTOR_OFF = 81
DETECTOR_ON = 82


class Target(StrEnum):
    """What a count belongs to: a detector, a lane, a movement, or a whole approach (its link)."""

    DETECTOR = "detector"
    LANE = "lane"
    MOVEMENT = "movement"
    LINK = "link"


class Quality(StrEnum):
    """How far a count can be trusted; a bad one is not used, a suspect one is."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"


class Meaning(StrEnum):
    """What a count says: what was let through, or what wanted to go."""

    SERVED = "served"
    DEMAND = "demand"


ALL_CLASSES = "all"


def empty_counts() -> pl.DataFrame:
    """Return a counts table without rows."""
    return pl.DataFrame(schema=dict(COUNTS))
