# SPDX-License-Identifier: Apache-2.0
"""Write counts as a CSV table that `read_counts` reads back: one row per interval and movement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.detection.tables import Target
from lvbo.errors import Finding, Severity, UsageError
from lvbo.io.atomic import write_whole


def whole_intervals(counts: Counts, dt_s: int) -> Counts:
    """Return the counts of whole intervals only; a finding tells what was cut short.

    A run that ends within an interval leaves a short one, which a table could not tell from others.

    Raises:
        UsageError: LV195 where no interval is whole.

    """
    whole = counts.table.filter(pl.col("dt_s") == dt_s)
    short = counts.table.filter(pl.col("dt_s") != dt_s)
    if short.is_empty():
        return counts
    first = short.with_columns(pl.col("t0_utc").dt.convert_time_zone(counts.zone)).row(
        0, named=True
    )
    seconds, minutes = first["dt_s"], dt_s // 60
    if whole.is_empty():
        raise UsageError("LV195", minutes=minutes, seconds=seconds)
    cut = Finding(
        code="LV196",
        place=first["t0_utc"].strftime("%H:%M"),
        severity=Severity.ADVICE,
        fields={"seconds": seconds, "minutes": minutes},
    )
    return replace(counts, table=whole, findings=(*counts.findings, cut))


def write_counts(counts: Counts, path: Path) -> int:
    """Write the counts of movements and of detectors that see one movement; return the rows.

    Raises:
        UsageError: LV716 where no count belongs to a movement.
        ToolError: LV340 where the file cannot be written.

    """
    seen = pl.DataFrame(
        [(str(d.id), str(d.movements[0])) for d in counts.detectors if len(d.movements) == 1],
        schema={"target": pl.String, "movement": pl.String},
        orient="row",
    )
    by_detector = counts.usable.filter(pl.col("kind") == Target.DETECTOR).join(seen, on="target")
    by_movement = counts.usable.filter(pl.col("kind") == Target.MOVEMENT).with_columns(
        movement=pl.col("target")
    )
    local = pl.col("t0_utc").dt.convert_time_zone(counts.zone)
    table = (
        pl.concat([by_detector, by_movement.select(by_detector.columns)])
        .with_columns(date=local.dt.strftime("%Y-%m-%d"), start=local.dt.strftime("%H:%M"))
        .group_by("date", "start", "dt_s", "movement")
        .agg(pl.col("volume").sum())
        .sort("date", "start", "movement")
        .with_columns(interval=(pl.col("dt_s") / 60).cast(pl.Int32), count=pl.col("volume"))
        .select("date", "start", "interval", "movement", pl.col("count").cast(pl.Int64))
    )
    if table.is_empty():
        raise UsageError("LV716", place=path.name)
    write_whole(path, table.write_csv().encode("utf-8-sig"))
    return table.height
