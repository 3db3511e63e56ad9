# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.detection.counts import Counts
from lvbo.detection.quality import cube_of, judged
from lvbo.detection.tables import COUNTS, Target

Array = NDArray[np.float64]
DAYS, SLOTS, DT_S = 7, 96, 900
HOUR = np.arange(SLOTS) / 4
THROUGH = 20 + 120 * np.exp(-((HOUR - 8) ** 2) / 4) + 90 * np.exp(-((HOUR - 18) ** 2) / 6)
LEFT = 5 + 15 * np.exp(-((HOUR - 8) ** 2) / 4) + 40 * np.exp(-((HOUR - 18) ** 2) / 6)
NAMES = ("left", "through", "through2", "right")


def volumes() -> dict[str, Array]:
    """Return counts of four lanes over a week, shape (days, slots), with chance from a seed."""
    draw = np.random.default_rng(1)
    means = {"left": LEFT, "through": THROUGH, "through2": 0.9 * THROUGH, "right": 0.4 * THROUGH}
    return {name: draw.poisson(mean, (DAYS, SLOTS)).astype(float) for name, mean in means.items()}


def counts_of(seen: Mapping[str, Array], occupancy: Mapping[str, Array] | None = None) -> Counts:
    start = datetime(2025, 12, 7, 16, 0, tzinfo=UTC)
    full = occupancy or {}
    rows = [
        (
            str(Target.LANE),
            name,
            start + timedelta(days=day, seconds=DT_S * slot),
            DT_S,
            f"2025-12-{8 + day:02d}",
            DT_S * slot,
            "workday",
            None if np.isnan(value) else float(value),
            "all",
            float(full[name][day, slot]) if name in full else None,
            None,
            0.0 if np.isnan(value) else 1.0,
            "good",
        )
        for name, values in seen.items()
        for (day, slot), value in np.ndenumerate(values)
    ]
    return Counts(table=pl.DataFrame(rows, schema=dict(COUNTS), orient="row"))


def judge(seen: Mapping[str, Array], occupancy: Mapping[str, Array] | None = None) -> Counts:
    lanes = {(str(Target.LANE), name): 1 for name in seen}
    return judged(counts_of(seen, occupancy), lanes=lanes, beside=[NAMES])


def said(counts: Counts) -> dict[str, str]:
    return {finding.code: finding.place for finding in counts.findings}


def bad_rows(counts: Counts, target: str) -> int:
    return counts.table.filter((pl.col("target") == target) & (pl.col("quality") == "bad")).height


def test_a_good_week_has_no_findings() -> None:
    assert said(judge(volumes())) == {}


def test_a_dead_lane_is_found_and_not_used() -> None:
    seen = volumes()
    seen["through"][3, 24:72] = 0
    found = judge(seen)

    assert said(found) == {"LV182": "through"}
    assert bad_rows(found, "through") >= 48


def test_a_lane_that_never_counts_is_dead_when_those_beside_it_do() -> None:
    seen = volumes()
    seen["through2"][:] = 0

    assert said(judge(seen)) == {"LV182": "through2"}


def test_a_quiet_night_is_not_dead() -> None:
    seen = {name: np.where(HOUR < 5, 0.0, value) for name, value in volumes().items()}

    assert said(judge(seen)) == {}


def test_a_count_that_never_changes_is_stuck() -> None:
    seen = volumes()
    seen["right"][2, 40:56] = 17
    found = judge(seen)

    assert said(found) == {"LV181": "right"}
    assert bad_rows(found, "right") >= 16


def test_a_lane_occupied_without_vehicles_is_stuck_on() -> None:
    seen = volumes()
    occupancy = {"left": np.full((DAYS, SLOTS), 0.2)}
    seen["left"][4, 60:66] = 0
    occupancy["left"][4, 60:66] = 1.0
    found = judge(seen, occupancy)

    assert said(found) == {"LV189": "left"}
    assert bad_rows(found, "left") == 6


def test_too_many_vehicles_are_suspect_but_kept() -> None:
    seen = volumes()
    seen["through"][1, 32] = 700
    found = judge(seen)

    assert said(found) == {"LV183": "through"}
    assert found.table.filter(pl.col("quality") == "suspect").height == 1
    assert found.usable.height == found.table.height


def test_lanes_exchanged_for_two_days_are_suspected() -> None:
    seen = volumes()
    for day in (4, 5):
        seen["left"][day], seen["through"][day] = seen["through"][day], seen["left"][day].copy()
    found = judge(seen)

    assert said(found) == {"LV184": "left"}
    assert found.findings[0].fields == {"other": "through", "days": "2025-12-12, 2025-12-13"}


def test_gaps_are_counted() -> None:
    seen = volumes()
    seen["right"][0, 10:34] = np.nan
    finding = judge(seen).findings[0]

    assert (finding.code, finding.place) == ("LV180", "right")
    assert finding.fields["missing"] == 24
    assert finding.fields["expected"] == DAYS * SLOTS


def test_a_late_clock_is_suspected() -> None:
    seen = volumes()
    seen["right"] = np.roll(seen["right"], 4, axis=1)
    found = judge(seen)

    assert said(found) == {"LV186": "right"}
    assert found.findings[0].fields == {"minutes": 60.0}


def test_little_observed_is_said() -> None:
    seen = volumes()
    for name in ("left", "through"):
        seen[name][:, 5:] = np.nan

    assert {"LV180", "LV187"} <= said(judge(seen)).keys()


def test_percent_observed_counts_bad_rows_as_missing() -> None:
    seen = volumes()
    seen["right"][2, 40:56] = 17
    shares = dict(judge(seen).percent_observed().select("target", "observed").iter_rows())

    assert shares["left"] == 1.0
    assert 0.97 < shares["right"] < 0.98


def test_a_cube_adds_the_classes_of_an_interval() -> None:
    counts = counts_of(volumes())
    buses = counts.table.with_columns(pl.lit("bus").alias("vehicle_class"), volume=pl.lit(2.0))
    both = Counts(table=pl.concat([counts.table, buses]))

    assert np.allclose(cube_of(both).volume, cube_of(counts).volume + 2)
    assert np.allclose(cube_of(both, skip_classes={"bus"}).volume, cube_of(counts).volume)


def test_the_cut_off_end_of_a_run_is_left_out() -> None:
    counts = counts_of(volumes())
    last = (pl.col("second") == 85_500) & (pl.col("day") == "2025-12-14")
    short = counts.table.with_columns(
        pl.when(last).then(pl.lit(300, pl.Int32)).otherwise("dt_s").alias("dt_s")
    )
    cube = cube_of(Counts(table=short))

    assert cube.dt_s == 900
    assert np.isnan(cube.volume[:, -1, -1]).all()
    assert np.isfinite(cube.volume[:, -1, -2]).all()
