# SPDX-License-Identifier: Apache-2.0
"""Counts: what detectors, lanes, movements or approaches saw, with its quality."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from lvbo.detection.detector import Detector
from lvbo.detection.tables import COUNTS, EVENTS, Meaning, Quality
from lvbo.errors import Finding, InputError
from lvbo.ids import DetectorId

ORDER = ("kind", "target", "day", "t0_utc", "vehicle_class")


@dataclass(frozen=True, eq=False, kw_only=True)
class Counts:
    """A counts table with its detectors, findings and meaning; equal where the content is.

    `table` follows `tables.COUNTS` and is sorted; `events`, if any, follows `tables.EVENTS`.
    """

    table: pl.DataFrame
    detectors: tuple[Detector, ...] = ()
    findings: tuple[Finding, ...] = ()
    meaning: Meaning = Meaning.SERVED
    zone: str = "Asia/Shanghai"
    events: pl.DataFrame | None = field(default=None)

    def __post_init__(self) -> None:
        _check(self.table, COUNTS)
        if self.events is not None:
            _check(self.events, EVENTS)
        object.__setattr__(self, "table", self.table.sort(ORDER))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the content, findings left out."""
        made = hashlib.sha256(self.table.write_csv().encode())
        if self.events is not None:
            made.update(self.events.sort("device", "t_utc", "code").write_csv().encode())
        made.update(repr((self.detectors, self.meaning, self.zone)).encode())
        return made.hexdigest()

    @cached_property
    def detector_index(self) -> Mapping[DetectorId, Detector]:
        """Return detectors by id."""
        return {detector.id: detector for detector in self.detectors}

    @cached_property
    def usable(self) -> pl.DataFrame:
        """Return the rows whose volume may be used."""
        good = (pl.col("quality") != Quality.BAD) & pl.col("volume").is_not_null()
        return self.table.filter(good & (pl.col("observed") > 0))

    @property
    def days(self) -> tuple[str, ...]:
        """Return the observed days, in order."""
        return tuple(self.table["day"].unique().sort().to_list())

    @property
    def interval_s(self) -> int:
        """Return the most frequent interval of the table in seconds; zero where it is empty."""
        if self.table.is_empty():
            return 0
        ranked = self.table["dt_s"].value_counts().sort("count", "dt_s", descending=True)
        return int(ranked["dt_s"][0])

    @cached_property
    def day_types(self) -> Mapping[str, str]:
        """Return the day type of each day."""
        pairs = self.table.select("day", "day_type").unique().sort("day")
        return dict(pairs.iter_rows())

    def percent_observed(self) -> pl.DataFrame:
        """Return the mean observed share per target, bad rows counted as not observed."""
        good = pl.when(pl.col("quality") == Quality.BAD).then(0.0).otherwise(pl.col("observed"))
        return (
            self.table.group_by("kind", "target").agg(good.mean().alias("observed")).sort("target")
        )

    def of_day_type(self, day_type: str) -> Counts:
        """Return the counts of the days of one type."""
        return replace(self, table=self.table.filter(pl.col("day_type") == day_type))


def _check(table: pl.DataFrame, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> None:
    lost = [name for name in schema if name not in table.columns]
    wrong = [n for n in schema if n in table.columns and table.schema[n] != schema[n]]
    if lost or wrong:
        raise InputError("LV199", place="counts", missing=", ".join(lost), wrong=", ".join(wrong))
