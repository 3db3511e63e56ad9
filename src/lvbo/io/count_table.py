# SPDX-License-Identifier: Apache-2.0
"""Entries of count files to one counts table: interval found, instants in UTC, doubles refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from lvbo.detection.tables import COUNTS, INSTANT, Quality, empty_counts
from lvbo.errors import Finding, Severity
from lvbo.io.count_rows import Entry
from lvbo.io.count_time import DAY_S, occurs_twice, to_utc

MOST_PER_LANE_VPH = 3600.0
MOST_ALIKE = 50
HOUR_S = 3600
SPOT = ("kind", "target", "date", "second", "t0_utc", "vehicle_class")


def build_table(
    entries: Sequence[Entry],
    zone: ZoneInfo,
    day_type: Callable[[date], str],
    lanes: Mapping[tuple[str, str], int],
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Return the counts table of all entries, and what was found wrong or guessed on the way."""
    if not entries:
        return empty_counts(), ()
    dt_s, findings = _interval(entries)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return empty_counts(), tuple(findings)
    raw, said = _frame(entries, dt_s)
    findings += said
    raw, found = _with_instants(raw, zone)
    findings += found
    findings += [*_off_grid(raw, dt_s), *_impossible(raw, dt_s, lanes)]
    kinds = {day: day_type(day) for day in raw["date"].unique().to_list()}
    return _finished(raw.filter(pl.col("t0_utc").is_not_null()), dt_s, kinds), tuple(findings)


def _frame(entries: Sequence[Entry], dt_s: int) -> tuple[pl.DataFrame, list[Finding]]:
    """Return entries as a frame, each at the start of its interval."""
    at_end = sorted({_file(e) for e in entries if e.is_end or (e.is_24 and e.end_second is None)})
    said = [Finding(code="LV178", place=name, severity=Severity.ADVICE) for name in at_end]
    raw = pl.DataFrame(
        {
            "place": [e.place for e in entries],
            "kind": [str(e.key[0]) for e in entries],
            "target": [e.key[1] for e in entries],
            "date": [e.day for e in entries],
            "second": [e.second for e in entries],
            "t0_utc": pl.Series([e.utc for e in entries], dtype=INSTANT),
            "volume": pl.Series([e.volume for e in entries], dtype=pl.Float64),
            "per_hour": [e.per_hour for e in entries],
            "vehicle_class": [e.common.vehicle_class for e in entries],
            "occupancy": pl.Series([e.common.occupancy for e in entries], dtype=pl.Float64),
            "speed_mps": pl.Series([e.common.speed_mps for e in entries], dtype=pl.Float64),
            "observed": pl.Series([e.common.observed for e in entries], dtype=pl.Float64),
        }
    )
    scaled = pl.col("volume") * dt_s / HOUR_S
    raw = raw.with_columns(
        pl.when("per_hour").then(scaled).otherwise(pl.col("volume")).alias("volume")
    )
    return (_earlier(raw, entries, set(at_end), dt_s) if at_end else raw), said


def _earlier(
    raw: pl.DataFrame, entries: Sequence[Entry], files: set[str], dt_s: int
) -> pl.DataFrame:
    """Return the frame with times that are ends moved to the start of their interval."""
    moves = [_file(e) in files and (e.is_end or e.end_second is None) for e in entries]
    days, seconds = [], []
    for entry, move in zip(entries, moves, strict=True):
        second = entry.second - (dt_s if move else 0)
        days.append(entry.day - timedelta(days=1) if second < 0 else entry.day)
        seconds.append(second % DAY_S)
    return raw.with_columns(pl.Series("date", days), pl.Series("second", seconds))


def _with_instants(raw: pl.DataFrame, zone: ZoneInfo) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the frame with instants in UTC, doubles and times that do not exist left out."""
    raw = raw.with_row_index("row")
    written = pl.col("t0_utc").is_not_null()
    moments = raw.filter(~written).select("date", "second").unique()
    twice = {(day, at) for day, at in moments.iter_rows() if occurs_twice(day, at, zone)}
    nth = pl.int_range(pl.len()).over(SPOT)
    raw = raw.with_columns(nth.alias("nth"), pl.col("place").first().over(SPOT).alias("first"))
    raw, doubles = _without_doubles(raw, twice)
    times = raw.filter(~written).select("date", "second", "nth").unique()
    known = [(*row, to_utc(row[0], row[1], zone, later=row[2] > 0)) for row in times.iter_rows()]
    table = pl.DataFrame(
        known,
        schema={"date": pl.Date, "second": pl.Int64, "nth": pl.Int64, "utc": INSTANT},
        orient="row",
    )
    raw = raw.join(table, on=["date", "second", "nth"], how="left").sort("row")
    raw = raw.with_columns(pl.coalesce("t0_utc", "utc").alias("t0_utc"))
    lost = raw.filter(pl.col("t0_utc").is_null() & (pl.col("volume") > 0)).head(MOST_ALIKE)
    gaps = [
        Finding(code="LV165", place=place, fields={"day": day.isoformat(), "zone": zone.key})
        for place, day in lost.select("place", "date").iter_rows()
    ]
    return raw, [*doubles, *gaps]


def _without_doubles(
    raw: pl.DataFrame, twice: set[tuple[date, int]]
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the frame without counts that stand twice; the hour that occurs twice may."""
    again = raw.filter(pl.col("nth") > 0)
    if again.is_empty():
        return raw, []
    key = again.select("row", "place", "first", "date", "second", "nth", "t0_utc")
    bad: list[int] = []
    findings: list[Finding] = []
    for row, place, first, day, second, nth, utc in key.iter_rows():
        if utc is None and (day, second) in twice and nth == 1:
            continue
        bad.append(row)
        if len(findings) < MOST_ALIKE:
            findings.append(Finding(code="LV158", place=place, fields={"first": first}))
    return raw.filter(~pl.col("row").is_in(bad)), findings


def _off_grid(raw: pl.DataFrame, dt_s: int) -> list[Finding]:
    off = raw.filter(pl.col("second") % dt_s != 0).head(MOST_ALIKE)
    return [
        Finding(code="LV161", place=place, fields={"second": second, "minutes": dt_s / 60})
        for place, second in off.select("place", "second").iter_rows()
    ]


def _impossible(
    raw: pl.DataFrame, dt_s: int, lanes: Mapping[tuple[str, str], int]
) -> list[Finding]:
    """Return counts above one vehicle a second and lane."""
    least = MOST_PER_LANE_VPH * dt_s / HOUR_S
    found: list[Finding] = []
    fast = raw.filter(pl.col("volume") > least).select("place", "kind", "target", "volume")
    for place, kind, target, volume in fast.iter_rows():
        limit = MOST_PER_LANE_VPH * lanes.get((kind, target), 1)
        if volume * HOUR_S / dt_s > limit and len(found) < MOST_ALIKE:
            fields = {"volume": volume, "minutes": dt_s / 60, "limit": limit}
            found.append(Finding(code="LV156", place=place, fields=fields))
    return found


def _finished(raw: pl.DataFrame, dt_s: int, kinds: Mapping[date, str]) -> pl.DataFrame:
    days = pl.DataFrame(
        {"date": list(kinds), "day_type": list(kinds.values())},
        schema={"date": pl.Date, "day_type": pl.String},
    )
    observed = pl.when(pl.col("volume").is_null()).then(0.0).otherwise(pl.col("observed"))
    return (
        raw.join(days, on="date")
        .with_columns(
            pl.lit(dt_s).alias("dt_s"),
            pl.col("date").dt.strftime("%Y-%m-%d").alias("day"),
            observed.fill_null(1.0).alias("observed"),
            pl.lit(str(Quality.GOOD)).alias("quality"),
        )
        .select(pl.col(name).cast(kind) for name, kind in COUNTS.items())
    )


def _file(entry: Entry) -> str:
    return entry.place.partition(":")[0]


def _interval(entries: Sequence[Entry]) -> tuple[int, list[Finding]]:
    """Return the one interval of all entries in seconds, or say that it is not one."""
    written = Counter(w for w in map(_written_s, entries) if w)
    if written:
        dt_s = written.most_common(1)[0][0]
        odd = [e.place for e in entries if _written_s(e) not in {dt_s, None}]
        return dt_s, _faults(odd, dt_s, entries[0].place)
    apart = _apart(entries)
    if not apart:
        fields = {"missing": "interval", "columns": "-"}
        return HOUR_S, [Finding(code="LV153", place=entries[0].place, fields=fields)]
    dt_s = Counter(step for step, _ in apart).most_common(1)[0][0]
    odd = [place for step, place in apart if step != dt_s]
    guess = Finding(
        code="LV179",
        place=_file(entries[0]),
        severity=Severity.ADVICE,
        fields={"minutes": dt_s / 60},
    )
    return dt_s, [guess, *_faults(odd, dt_s, entries[0].place)]


def _faults(odd: Sequence[str], dt_s: int, place: str) -> list[Finding]:
    fields = {"minutes": dt_s / 60}
    if dt_s < 60 or HOUR_S % dt_s:  # noqa: PLR2004  a minute
        return [Finding(code="LV171", place=place, fields=fields)]
    return [Finding(code="LV160", place=where, fields=fields) for where in odd[:MOST_ALIKE]]


def _written_s(entry: Entry) -> int | None:
    if entry.common.dt_s:
        return entry.common.dt_s
    if entry.end_second is not None and not entry.is_end:
        return (entry.end_second - entry.second) or None
    return None


def _apart(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    """Return the shortest distance between counts of each target in s, with one such place."""
    frame = pl.DataFrame(
        {
            "target": [entry.key[1] for entry in entries],
            "moment": [entry.day.toordinal() * DAY_S + entry.second for entry in entries],
            "place": [entry.place for entry in entries],
        }
    )
    steps = (
        frame.unique(["target", "moment"], keep="first", maintain_order=True)
        .sort("target", "moment", maintain_order=True)
        .with_columns(pl.col("moment").diff().over("target").alias("step"))
        .filter(pl.col("step").is_not_null())
        .sort("step", maintain_order=True)
        .group_by("target", maintain_order=True)
        .first()
    )
    return list(steps.select("step", "place").iter_rows())
