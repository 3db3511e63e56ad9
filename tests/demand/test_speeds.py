# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import COUNTS
from lvbo.ids import DetectorId, LinkId

BEGIN = datetime(2025, 12, 8, 1, tzinfo=UTC)
HIGH = LinkId("high")


def counts(rows: list[tuple[float, float | None, float]], to_stop_m: float = 80.0) -> Counts:
    """Return counts of one detector: (vehicles, m/s, occupancy) by minute."""
    table = pl.DataFrame(
        [
            {
                "kind": "detector",
                "target": "d1",
                "t0_utc": BEGIN + timedelta(minutes=k),
                "dt_s": 60,
                "day": "2025-12-08",
                "second": 32_400 + 60 * k,
                "day_type": "workday",
                "volume": volume,
                "vehicle_class": "all",
                "occupancy": occupancy,
                "speed_mps": speed,
                "observed": 1.0,
                "quality": "good",
            }
            for k, (volume, speed, occupancy) in enumerate(rows)
        ],
        schema=COUNTS,
    )
    detector = Detector(
        id=DetectorId("d1"), kind=DetectorKind.ENTRY, link=HIGH, to_stop_m=to_stop_m
    )
    return Counts(table=table, detectors=(detector,))


def test_a_platoon_drives_as_most_of_its_vehicles_do() -> None:
    found = platoon_speeds(counts([(10, 9.0, 0.1), (30, 11.0, 0.1), (10, 12.0, 0.1)]))

    assert found == {HIGH: 11.0}


def test_queues_over_a_detector_say_nothing_of_platoons() -> None:
    found = platoon_speeds(counts([(30, 2.0, 0.7), (30, 11.0, 0.1)]))

    assert found == {HIGH: 11.0}


@pytest.mark.parametrize(
    "seen",
    [counts([(30, None, 0.1)]), counts([(10, 11.0, 0.1)]), counts([(30, 11.0, 0.1)], 5.0)],
    ids=["no speed", "few vehicles", "at the stop line"],
)
def test_no_speed_is_told_where_none_is_known(seen: Counts) -> None:
    assert platoon_speeds(seen) == {}
