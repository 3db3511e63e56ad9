# SPDX-License-Identifier: Apache-2.0
"""Judge counts: gaps, dead and stuck detectors, impossible rates, swapped lanes, shifted clocks.

Thresholds follow the practice of loop-data checks (Chen et al. 2003 and later tools); a row found
bad keeps its value and is marked, nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lvbo.detection.counts import Counts
from lvbo.detection.tables import Quality
from lvbo.errors import Finding, Severity

DAY_S = 86_400
SUSPECT_PER_LANE_VPH = 2400.0
STUCK_S = 7200
DEAD_S = 14_400
DEAD_VEHICLES = 20.0
STUCK_LEAST = 3.0
LOW_SHARE = 0.8
STUCK_ON = 0.95
SWAP_MARGIN = 0.6
SHIFT_SLOTS = 4
SHIFT_MARGIN = 0.15
SHIFT_FIT = 0.8
Cube = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class CountCube:
    """Volumes per interval of shape (targets, days, slots), NaN where nothing usable was seen."""

    targets: tuple[tuple[str, str], ...]
    days: tuple[str, ...]
    first_s: int
    dt_s: int
    volume: Cube
    occupancy: Cube

    @property
    def slots(self) -> int:
        """Return the number of intervals in the part of the day that was observed."""
        return int(self.volume.shape[2])


def cube_of(counts: Counts, *, skip_classes: Collection[str] = ()) -> CountCube:
    """Return the counts as a cube over targets, days and intervals; classes added up."""
    if skip_classes:
        kept = ~pl.col("vehicle_class").is_in(sorted(skip_classes))
        counts = replace(counts, table=counts.table.filter(kept))
    dt_s = max(counts.interval_s, 1)
    used = counts.table.filter(pl.col("second").is_not_null())
    keys = used.select("kind", "target").unique().sort("kind", "target")
    targets = tuple((kind, target) for kind, target in keys.iter_rows())
    days = counts.days
    first_s, last_s = _span(used)
    slots = (last_s - first_s) // dt_s + 1
    shape = (len(targets), len(days), max(slots, 0))
    volume, occupancy = np.full(shape, np.nan), np.full(shape, np.nan)
    rows = _numbered(_summed(counts), targets, days)
    at = (
        rows["target_row"].to_numpy(),
        rows["day_row"].to_numpy(),
        ((rows["second"].to_numpy() - first_s) // dt_s).astype(np.int64),
    )
    volume[at] = rows["volume"].to_numpy()
    occupancy[at] = rows["occupancy"].to_numpy()
    return CountCube(
        targets=targets, days=days, first_s=first_s, dt_s=dt_s, volume=volume, occupancy=occupancy
    )


def _summed(counts: Counts) -> pl.DataFrame:
    """Return one row per target and interval: classes added, a repeated hour averaged.

    The cut-off interval at the end of a run is left out.
    """
    key = ["kind", "target", "day", "second"]
    whole = pl.col("dt_s") == counts.interval_s
    used = counts.usable.filter(whole).select(*key, "t0_utc", "volume", "occupancy")
    if not used.select(key).is_duplicated().any():
        return used
    per_instant = used.group_by(*key, "t0_utc").agg(
        pl.col("volume").sum(), pl.col("occupancy").max()
    )
    return per_instant.group_by(key).agg(pl.col("volume").mean(), pl.col("occupancy").mean())


def _span(used: pl.DataFrame) -> tuple[int, int]:
    if used.is_empty():
        return 0, -1
    seconds = used["second"].to_numpy()
    return int(seconds.min()), int(seconds.max())


def _numbered(
    rows: pl.DataFrame, targets: Sequence[tuple[str, str]], days: Sequence[str]
) -> pl.DataFrame:
    """Return the rows with the position of their target and day."""
    kinds, names = ([target[k] for target in targets] for k in (0, 1))
    of_target = pl.DataFrame(
        {"kind": kinds, "target": names, "target_row": range(len(targets))},
        schema={"kind": pl.String, "target": pl.String, "target_row": pl.Int64},
    )
    of_day = pl.DataFrame(
        {"day": list(days), "day_row": range(len(days))},
        schema={"day": pl.String, "day_row": pl.Int64},
    )
    return rows.join(of_target, on=["kind", "target"]).join(of_day, on="day")


def judged(
    counts: Counts,
    *,
    lanes: Mapping[tuple[str, str], int],
    beside: Iterable[tuple[str, ...]] = (),
) -> Counts:
    """Return the counts with each row's quality and what was found.

    `lanes` is the number of lanes a target spans, by kind and id. `beside` are sets of targets that
    lie side by side on one approach, whose cables may be swapped.
    """
    if counts.table.is_empty():
        return counts
    cube = cube_of(counts)
    rate = cube.volume * 3600 / cube.dt_s
    wide = np.array([lanes.get(target, 1) for target in cube.targets], dtype=np.float64)
    fast = rate > SUSPECT_PER_LANE_VPH * wide[:, None, None]
    stuck = _stuck(cube)
    dead = _dead(cube, beside)
    held = _held_on(cube)
    findings = [
        *_gaps(cube),
        *_said("LV183", cube, fast),
        *_said("LV181", cube, stuck),
        *_said("LV182", cube, dead),
        *_said("LV189", cube, held),
        *_swapped(cube, beside),
        *_shifted(cube),
    ]
    bad = stuck | dead | held
    table = _marked(counts.table, cube, fast & ~bad, bad)
    return replace(counts, table=table, findings=(*counts.findings, *findings))


def _marked(table: pl.DataFrame, cube: CountCube, suspect: Mask, bad: Mask) -> pl.DataFrame:
    """Return the table with the quality of marked intervals; a worse one given before stays."""
    if not (suspect.any() or bad.any()):
        return table
    marks = [
        (*cube.targets[t], cube.days[d], cube.first_s + int(s) * cube.dt_s, str(quality))
        for mask, quality in ((suspect, Quality.SUSPECT), (bad, Quality.BAD))
        for t, d, s in np.argwhere(mask)
    ]
    frame = pl.DataFrame(
        marks,
        schema={
            "kind": pl.String,
            "target": pl.String,
            "day": pl.String,
            "second": pl.Int32,
            "mark": pl.String,
        },
        orient="row",
    )
    joined = table.join(frame, on=["kind", "target", "day", "second"], how="left")
    keep = pl.col("mark").is_null() | (pl.col("quality") == Quality.BAD)
    chosen = pl.when(keep).then(pl.col("quality")).otherwise(pl.col("mark"))
    return joined.with_columns(chosen.alias("quality")).drop("mark")


def _said(code: str, cube: CountCube, mask: Mask) -> list[Finding]:
    """Return one finding per target that has marked intervals: how many, and the first."""
    findings = []
    for t in np.flatnonzero(mask.any(axis=(1, 2))):
        d, s = np.argwhere(mask[t])[0]
        fields = {
            "intervals": int(mask[t].sum()),
            "day": cube.days[d],
            "time": _clock(cube.first_s + int(s) * cube.dt_s),
        }
        findings.append(_warning(code, cube.targets[t][1], **fields))
    return findings


def _gaps(cube: CountCube) -> list[Finding]:
    """Return what is missing: a line per target with a real gap, and the share of all."""
    seen: Mask = ~np.isnan(cube.volume)
    expected: Mask = np.asarray(seen.any(axis=0))
    total = max(1, int(expected.sum()))
    findings = []
    for t, target in enumerate(cube.targets):
        missing = int((expected & ~seen[t]).sum())
        if missing:
            fields = {"missing": missing, "expected": total, "share": round(missing / total, 4)}
            findings.append(_warning("LV180", target[1], **fields))
    share = float(seen.sum()) / (total * len(cube.targets))
    if share < LOW_SHARE:
        findings.append(_warning("LV187", "counts", percent=round(100 * share, 1)))
    return findings


def _run_mask(same: Mask, length: int) -> Mask:
    """Return where a run of at least `length` true values lies along the last axis."""
    out = np.zeros_like(same)
    if length > same.shape[-1]:
        return out
    seen = np.lib.stride_tricks.sliding_window_view(same, length, axis=-1)
    windows = np.asarray(seen.all(axis=-1))
    for shift in range(length):
        out[..., shift : shift + windows.shape[-1]] |= windows
    return out


def _stuck(cube: CountCube) -> Mask:
    """Return intervals of a positive count that never changes for two hours and eight intervals."""
    length = max(8, STUCK_S // cube.dt_s)
    flat = cube.volume.reshape(len(cube.targets), -1)
    same = np.zeros(flat.shape, dtype=bool)
    same[:, 1:] = (flat[:, 1:] == flat[:, :-1]) & (flat[:, 1:] >= STUCK_LEAST)
    run = _run_mask(same, length - 1)
    run[:, :-1] |= run[:, 1:]
    return run.reshape(cube.volume.shape)


def _dead(cube: CountCube, beside: Iterable[tuple[str, ...]]) -> Mask:
    """Return zeros over four hours in which this target, or those beside it, usually see many."""
    length = max(4, DEAD_S // cube.dt_s)
    zero: Mask = np.asarray(cube.volume == 0)
    flat = zero.reshape(len(cube.targets), -1)
    runs = _run_mask(flat, min(length, flat.shape[1])).reshape(zero.shape)
    usual = _median(np.where(runs, np.nan, cube.volume))
    expected = np.where(np.isnan(usual), _others(cube, beside), usual)
    out: Mask = np.zeros(zero.shape, dtype=np.bool_)
    for t in range(len(cube.targets)):
        many = np.where(runs[t], expected[t][None, :], 0.0)
        if np.nansum(many) >= DEAD_VEHICLES * max(1, (runs[t].sum() / length)):
            out[t] = runs[t]
    return out


def _others(cube: CountCube, beside: Iterable[tuple[str, ...]]) -> Cube:
    """Return a third of what the least of those beside usually sees, (targets, slots)."""
    usual = _median(cube.volume)
    rows = {target[1]: k for k, target in enumerate(cube.targets)}
    out = np.full(usual.shape, np.nan)
    for group in beside:
        members = [rows[name] for name in group if name in rows]
        for t in members:
            rest = [k for k in members if k != t and np.nansum(usual[k]) > 0]
            if rest:
                out[t] = np.nanmin(np.nan_to_num(usual[rest]), axis=0) / 3
    return out


def _median(volume: Cube) -> Cube:
    """Return the median over days, NaN where no day has a value; shape (targets, slots)."""
    ordered = np.sort(volume, axis=1)  # NaN goes last
    seen = (~np.isnan(volume)).sum(axis=1)
    low, high = np.maximum(seen - 1, 0) // 2, np.maximum(seen, 1) // 2
    pick = [np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (low, high)]
    return np.asarray(np.where(seen > 0, (pick[0] + pick[1]) / 2, np.nan))


def _held_on(cube: CountCube) -> Mask:
    """Return intervals occupied while hardly anyone passes, for 15 minutes at least."""
    on = np.asarray((np.nan_to_num(cube.occupancy) >= STUCK_ON) & (cube.volume <= 1))
    return _run_mask(on, max(2, 900 // cube.dt_s))


def _swapped(cube: CountCube, beside: Iterable[tuple[str, ...]]) -> list[Finding]:
    """Return pairs side by side whose days fit better when exchanged."""
    rows = {target[1]: k for k, target in enumerate(cube.targets)}
    findings = []
    for group in beside:
        members = [name for name in group if name in rows]
        for i, a in enumerate(members):
            for b in members[i + 1 :]:
                days = _swap_days(cube.volume[rows[a]], cube.volume[rows[b]])
                if days:
                    named = ", ".join(cube.days[d] for d in days)
                    findings.append(_warning("LV184", a, other=b, days=named))
    return findings


def _swap_days(a: Cube, b: Cube) -> list[int]:
    """Return the days on which a and b look like each other's other days; shapes (days, slots)."""
    days = a.shape[0]
    if days < 3:  # noqa: PLR2004  two days cannot say which of them is wrong
        return []
    found = []
    usual_a, usual_b = _median(np.stack([a, b]))
    apart = _distance(usual_a, usual_b)
    for d in range(days):
        own = _distance(a[d], usual_a) + _distance(b[d], usual_b)
        exchanged = _distance(a[d], usual_b) + _distance(b[d], usual_a)
        if exchanged < SWAP_MARGIN * own and own > apart:
            found.append(d)
    return found if len(found) <= days // 2 else []


def _distance(a: Cube, b: Cube) -> float:
    both = ~(np.isnan(a) | np.isnan(b))
    return float(np.abs(a[both] - b[both]).mean()) if both.any() else 0.0


def _shifted(cube: CountCube) -> list[Finding]:
    """Return targets whose profile fits that of all others better some intervals off."""
    usual = _median(cube.volume)
    total = np.nansum(usual, axis=0)
    if len(cube.targets) < 4 or cube.slots < 8 * SHIFT_SLOTS:  # noqa: PLR2004  too few to compare
        return []
    findings = []
    for t, target in enumerate(cube.targets):
        lags = range(-SHIFT_SLOTS, SHIFT_SLOTS + 1)
        fits = [_fit_at(usual[t], total - np.nan_to_num(usual[t]), lag) for lag in lags]
        best = int(np.argmax(fits))
        if fits[best] > max(SHIFT_FIT, fits[SHIFT_SLOTS] + SHIFT_MARGIN):
            minutes = (best - SHIFT_SLOTS) * cube.dt_s / 60
            findings.append(_warning("LV186", target[1], minutes=minutes))
    return findings


def _fit_at(own: Cube, rest: Cube, lag: int) -> float:
    """Return the correlation of own(t + lag) with rest(t); positive lag: own runs late."""
    n = len(own) - SHIFT_SLOTS
    a, b = own[SHIFT_SLOTS + lag : n + lag], rest[SHIFT_SLOTS:n]
    both = ~(np.isnan(a) | np.isnan(b))
    if both.sum() < 8 or a[both].std() == 0 or b[both].std() == 0:  # noqa: PLR2004  too few
        return 0.0
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


def _warning(code: str, place: str, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=Severity.WARNING, fields=fields)
