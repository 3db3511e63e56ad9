# SPDX-License-Identifier: Apache-2.0
"""When vehicles passed each detector, to the second: from events, or counts of short intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.detection.counts import Counts
from lvbo.detection.tables import DETECTOR_OFF, Target

DAY_MS = 86_400_000
MOST_BIN_S = 5
"""Counts of longer intervals do not tell platoons apart."""

Floats = NDArray[np.float64]


def passings(counts: Counts) -> dict[str, Floats]:
    """Return the seconds of the local day at which vehicles left each detector, all days together.

    Events are believed before counts. Vehicles of an interval are spread evenly over it.
    """
    found = _of_counts(counts)
    if counts.events is not None:
        found |= _of_events(counts.events, counts.zone)
    return found


def _of_events(events: pl.DataFrame, zone: str) -> dict[str, Floats]:
    local = pl.col("t_utc").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    left = events.filter(pl.col("code") == DETECTOR_OFF).select(
        "device", second=(local.dt.epoch("ms") % DAY_MS) / 1000
    )
    return {
        str(device): rows["second"].to_numpy()
        for (device,), rows in left.sort("device").group_by(["device"], maintain_order=True)
    }


def _of_counts(counts: Counts) -> dict[str, Floats]:
    short = counts.table.filter(
        (pl.col("kind") == Target.DETECTOR)
        & (pl.col("dt_s") <= MOST_BIN_S)
        & (pl.col("volume") > 0)
    )
    found = {}
    for (target,), rows in short.group_by(["target"], maintain_order=True):
        volume = np.rint(rows["volume"].to_numpy()).astype(np.int64)
        begin = np.repeat(rows["second"].to_numpy(), volume)
        place = np.arange(len(begin)) - np.repeat(np.cumsum(volume) - volume, volume)
        width = np.repeat(rows["dt_s"].to_numpy(), volume)
        found[str(target)] = begin + (place + 0.5) / np.repeat(volume, volume) * width
    return found
