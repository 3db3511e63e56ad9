# SPDX-License-Identifier: Apache-2.0
"""How fast platoons drive, from the speeds that detectors measured beside their counts."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.ids import LinkId

FREE_OCCUPANCY = 0.25
"""Above this the traffic at a detector is a queue, and its speed says nothing of a platoon."""
LEAST_M = 25.0
"""Nearer to the stop line vehicles brake or start."""
LEAST_VEHICLES = 20.0
SHARE_SLOWER = 0.6
"""The quantile that is taken: some vehicles are still speeding up where the detector lies."""


def platoon_speeds(counts: Counts) -> Mapping[LinkId, float]:
    """Return the speed of moving traffic by link, m/s, where detectors away from stops gave some.

    The quantile over vehicles, of intervals in which the detector was mostly free.
    """
    places = {
        str(d.id): str(d.link)
        for d in counts.detectors
        if d.link is not None and d.to_stop_m >= LEAST_M
    }
    seen = (
        counts.table.filter(
            (pl.col("kind") == "detector")
            & pl.col("target").is_in(list(places))
            & pl.col("speed_mps").is_not_null()
            & (pl.col("volume") > 0)
            & (pl.col("occupancy").fill_null(0.0) <= FREE_OCCUPANCY)
        )
        .with_columns(link=pl.col("target").replace_strict(places, return_dtype=pl.String))
        .sort("link", "speed_mps")
        .with_columns(
            part=pl.col("volume").cum_sum().over("link") / pl.col("volume").sum().over("link")
        )
    )
    found = (
        seen.group_by("link", maintain_order=True)
        .agg(
            pl.col("speed_mps").filter(pl.col("part") >= SHARE_SLOWER).first(),
            pl.col("volume").sum(),
        )
        .filter(pl.col("volume") >= LEAST_VEHICLES)
    )
    return {LinkId(link): speed for link, speed, _ in found.iter_rows()}
