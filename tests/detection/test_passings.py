# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from lvbo.detection.counts import Counts
from lvbo.detection.passings import passings
from lvbo.detection.tables import COUNTS, DETECTOR_OFF, DETECTOR_ON, EVENTS

EIGHT = datetime(2025, 12, 8, 0, 0, tzinfo=UTC)
"""Eight in the morning in Shanghai."""


def row(target: str, second: int, dt_s: int, volume: float) -> tuple[object, ...]:
    start = EIGHT + timedelta(seconds=second - 28_800)
    kept = "all", 0.0, None, 1.0, "good"
    return "detector", target, start, dt_s, "d", second, "workday", volume, *kept


def counts_of(*rows: tuple[object, ...], events: pl.DataFrame | None = None) -> Counts:
    table = pl.DataFrame(list(rows), schema=dict(COUNTS), orient="row")
    return Counts(table=table, events=events)


def test_counts_of_a_few_seconds_are_spread_over_them() -> None:
    found = passings(counts_of(row("a", 28_800, 4, 2), row("a", 28_804, 4, 1)))

    assert found["a"] == pytest.approx([28_801.0, 28_803.0, 28_806.0])


def test_counts_of_a_minute_tell_no_platoons() -> None:
    assert passings(counts_of(row("a", 28_800, 60, 9))) == {}


def test_events_are_told_in_local_time_as_vehicles_leave() -> None:
    rows = [
        ("a", EIGHT + timedelta(seconds=3), DETECTOR_ON, 0),
        ("a", EIGHT + timedelta(seconds=4.5), DETECTOR_OFF, 0),
    ]
    events = pl.DataFrame(rows, schema=dict(EVENTS), orient="row")
    found = passings(counts_of(row("a", 28_800, 1, 5), events=events))

    assert np.asarray(found["a"]) == pytest.approx([28_804.5])
