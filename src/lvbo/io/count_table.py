# SPDX-License-Identifier: Apache-2.0
"""Entries of count files to one counts table: interval found, instants in UTC, doubles refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl

from lvbo.detection.tables import COUNTS, Quality, empty_counts
from lvbo.errors import Finding, Severity
from lvbo.io.count_rows import Entry
from lvbo.io.count_time import DAY_S, occurs_twice, to_utc

MOST_PER_LANE_VPH = 3600.0
MOST_ALIKE = 50
Spot = tuple[str, str, date, int, str]


@dataclass(kw_only=True)
class _Maker:
    zone: ZoneInfo
    day_type: Callable[[date], str]
    lanes: Mapping[tuple[str, str], int]
    dt_s: int
    rows: list[tuple[object, ...]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seen: dict[Spot, str] = field(default_factory=dict)
    later: dict[Spot, str] = field(default_factory=dict)
    day_types: dict[date, str] = field(default_factory=dict)
    instants: dict[tuple[date, int, bool], datetime | None] = field(default_factory=dict)
    twice: dict[tuple[date, int], bool] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add one entry as a row, unless it is at fault."""
        volume = entry.volume
        if volume is not None and entry.per_hour:
            volume *= self.dt_s / 3600
        if volume is not None and volume * 3600 / self.dt_s > self._most(entry):
            fields = {"volume": volume, "minutes": self.dt_s / 60, "limit": self._most(entry)}
            self._fault("LV156", entry.place, **fields)
            return
        utc = self._instant(entry)
        if utc is not None:
            self._append(entry, volume, utc)

    def _most(self, entry: Entry) -> float:
        return MOST_PER_LANE_VPH * self.lanes.get((entry.key[0], entry.key[1]), 1)

    def _append(self, entry: Entry, volume: float | None, utc: datetime) -> None:
        kind, target = entry.key
        observed = entry.observed if entry.observed is not None else 1.0
        self.rows.append(
            (
                str(kind),
                target,
                utc,
                self.dt_s,
                entry.day.isoformat(),
                entry.second,
                self._kind_of(entry.day),
                volume,
                entry.vehicle_class,
                entry.occupancy,
                entry.speed_mps,
                0.0 if volume is None else observed,
                str(Quality.GOOD),
            )
        )

    def _kind_of(self, day: date) -> str:
        if day not in self.day_types:
            self.day_types[day] = self.day_type(day)
        return self.day_types[day]

    def _instant(self, entry: Entry) -> datetime | None:
        """Return the start in UTC; note doubles and times that the clock jumps over."""
        spot = (str(entry.key[0]), entry.key[1], entry.day, entry.second, entry.vehicle_class)
        moment = entry.day, entry.second
        if moment not in self.twice:
            self.twice[moment] = occurs_twice(*moment, self.zone)
        again = spot in self.seen and self.twice[moment] and spot not in self.later
        if again:
            self.later[spot] = entry.place
        elif spot in self.seen and entry.utc is None:
            self._fault("LV158", entry.place, first=self.seen[spot])
            return None
        self.seen.setdefault(spot, entry.place)
        if entry.utc is not None:
            return entry.utc
        return self._civil(entry, later=again)

    def _civil(self, entry: Entry, *, later: bool) -> datetime | None:
        moment = (entry.day, entry.second, later)
        if moment not in self.instants:
            self.instants[moment] = to_utc(entry.day, entry.second, self.zone, later=later)
        utc = self.instants[moment]
        if utc is None and entry.volume:
            fields = {"day": entry.day.isoformat(), "zone": self.zone.key}
            self._fault("LV165", entry.place, **fields)
        return utc

    def _fault(self, code: str, place: str, **fields: object) -> None:
        if sum(finding.code == code for finding in self.findings) < MOST_ALIKE:
            self.findings.append(Finding(code=code, place=place, fields=fields))


def build_table(
    entries: Iterable[Entry],
    zone: ZoneInfo,
    day_type: Callable[[date], str],
    lanes: Mapping[tuple[str, str], int],
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Return the counts table of all entries, and what was found wrong or guessed on the way."""
    listed = list(entries)
    if not listed:
        return empty_counts(), ()
    dt_s, findings = _interval(listed)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return empty_counts(), tuple(findings)
    listed, said = _starts(listed, dt_s)
    findings.extend(said)
    maker = _Maker(zone=zone, day_type=day_type, lanes=lanes, dt_s=dt_s)
    for entry in listed:
        if entry.second % dt_s:
            fields = {"second": entry.second, "minutes": dt_s / 60}
            maker._fault("LV161", entry.place, **fields)  # noqa: SLF001  its own file
            continue
        maker.add(entry)
    table = pl.DataFrame(maker.rows, schema=dict(COUNTS), orient="row")
    return table, (*findings, *maker.findings)


def _starts(entries: list[Entry], dt_s: int) -> tuple[list[Entry], list[Finding]]:
    """Return entries at the start of their interval, where a file writes the end."""
    at_end = {_file(e) for e in entries if e.is_end or (e.is_24 and e.end_second is None)}
    said = [Finding(code="LV178", place=name, severity=Severity.ADVICE) for name in sorted(at_end)]
    moved = [_earlier(e, dt_s) if _file(e) in at_end else e for e in entries]
    return moved, said


def _file(entry: Entry) -> str:
    return entry.place.partition(":")[0]


def _earlier(entry: Entry, dt_s: int) -> Entry:
    if entry.end_second is not None and not entry.is_end:
        return entry
    day, second = entry.day, entry.second - dt_s
    if second < 0:
        day, second = day - timedelta(days=1), second + DAY_S
    return replace(entry, day=day, second=second)


def _interval(entries: list[Entry]) -> tuple[int, list[Finding]]:
    """Return the one interval of all entries in seconds, or say that it is not one."""
    written = Counter(w for w in map(_written_s, entries) if w)
    if written:
        dt_s = written.most_common(1)[0][0]
        odd = [e for e in entries if _written_s(e) not in {dt_s, None}]
        return dt_s, _faults(odd, dt_s)
    apart = _apart(entries)
    if not apart:
        return 3600, [Finding(code="LV171", place=entries[0].place, fields={"minutes": 60})]
    dt_s = Counter(step for step, _ in apart.values()).most_common(1)[0][0]
    odd = [entry for step, entry in apart.values() if step != dt_s]
    fields = {"minutes": dt_s / 60}
    guess = Finding(code="LV179", place=_file(entries[0]), severity=Severity.ADVICE, fields=fields)
    return dt_s, [guess, *_faults(odd, dt_s)]


def _faults(odd: list[Entry], dt_s: int) -> list[Finding]:
    if dt_s < 60 or 3600 % dt_s:  # noqa: PLR2004  a minute, an hour
        return [Finding(code="LV171", place="", fields={"minutes": dt_s / 60})]
    fields = {"minutes": dt_s / 60}
    return [Finding(code="LV160", place=entry.place, fields=fields) for entry in odd[:MOST_ALIKE]]


def _written_s(entry: Entry) -> int | None:
    if entry.dt_s:
        return entry.dt_s
    if entry.end_second is not None and not entry.is_end:
        return (entry.end_second - entry.second) or None
    return None


def _apart(entries: list[Entry]) -> dict[str, tuple[int, Entry]]:
    """Return the shortest distance between counts of each target in s, with one such entry."""
    times: dict[str, dict[int, Entry]] = {}
    for entry in entries:
        moment = entry.day.toordinal() * DAY_S + entry.second
        times.setdefault(entry.key[1], {}).setdefault(moment, entry)
    found = {}
    for target, at in times.items():
        order = sorted(at)
        steps = [(later - sooner, at[later]) for sooner, later in pairwise(order)]
        if steps:
            found[target] = min(steps, key=lambda step: step[0])
    return found
