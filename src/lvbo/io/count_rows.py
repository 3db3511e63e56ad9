# SPDX-License-Identifier: Apache-2.0
"""One row of a count file after another: every problem is noted, nothing is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lvbo.detection.tables import ALL_CLASSES
from lvbo.errors import Finding, Severity
from lvbo.io.count_layout import Layout
from lvbo.io.count_targets import Key, Targets, Unknown
from lvbo.io.count_time import DAY_S, Stamp, read_stamp
from lvbo.io.count_words import Column
from lvbo.io.sheet import Row

IDS = (
    Column.INTERSECTION,
    Column.DETECTOR,
    Column.LANE,
    Column.MOVEMENT,
    Column.LINK,
    Column.APPROACH,
    Column.TURN,
)
EMPTY = frozenset({"", "-", "--", "/", "na", "n/a", "nan", "null", "none", "无"})
MOST_ALIKE = 50


class Common(NamedTuple):
    """What a row says beside place, time and volume."""

    dt_s: int | None
    vehicle_class: str
    occupancy: float | None
    speed_mps: float | None
    observed: float | None


class Entry(NamedTuple):
    """One count as it stands in a file, with times not yet turned into UTC.

    `volume` is per interval, or per hour where `per_hour`; None where the cell is empty.
    `is_end` says that `second` is the end of the interval; `is_24` that it was written 24:00.
    """

    place: str
    key: Key
    day: date
    second: int
    end_second: int | None
    is_end: bool
    is_24: bool
    utc: datetime | None
    volume: float | None
    per_hour: bool
    common: Common


@dataclass(kw_only=True)
class RowReader:
    """Turn rows into entries; remembers what it has worked out before."""

    layout: Layout
    targets: Targets
    zone: ZoneInfo
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blanks: int = 0
    _wide_keys: list[Key | None] | None = None
    _alike: Counter[str] = field(default_factory=Counter)
    _keys: dict[tuple[str, ...], Key | Unknown] = field(default_factory=dict)
    _stamps: dict[tuple[str, ...], Stamp | None] = field(default_factory=dict)

    def read(self, row: Row) -> None:
        """Read one row."""
        if any(row.cells[self.layout.width :]):
            fields = {"found": len(row.cells), "expected": self.layout.width}
            self._fault("LV167", row.place, **fields)
            return
        stamp = self._stamp(row)
        common = self._common(row)
        if not self.layout.wide:
            volume = Column.VOLUME if Column.VOLUME in self.layout.columns else Column.RATE
            self._entry(row, stamp, self._target(row, None), self._cell(row, volume), common)
            return
        if self._wide_keys is None or Column.INTERSECTION in self.layout.columns:
            self._wide_keys = [self._target(row, wide.words) for wide in self.layout.wide]
        for wide, key in zip(self.layout.wide, self._wide_keys, strict=True):
            cell = row.cells[wide.index] if wide.index < len(row.cells) else ""
            self._entry(row, stamp, key, cell, common)

    def all_findings(self, place: str) -> tuple[Finding, ...]:
        """Return the findings, with a line for those that were too many to repeat."""
        more = [
            Finding(code="LV198", place=place, fields={"alike": code, "more": n - MOST_ALIKE})
            for code, n in self._alike.items()
            if n > MOST_ALIKE
        ]
        if self.blanks:
            fields = {"blanks": self.blanks}
            more.append(
                Finding(code="LV188", place=place, severity=Severity.WARNING, fields=fields)
            )
        return (*self.findings, *more)

    def _entry(
        self, row: Row, stamp: Stamp | None, key: Key | None, text: str, common: Common
    ) -> None:
        volume = self._number(row, text, "volume")
        if volume is None:
            self.blanks += text.casefold() in EMPTY
        elif volume < 0:
            self._fault("LV155", row.place, volume=text)
        if stamp is not None and key is not None:
            self.entries.append(
                Entry(
                    row.place,
                    key,
                    stamp.day,
                    stamp.second,
                    stamp.end_second,
                    self._ends,
                    stamp.is_24,
                    stamp.utc,
                    volume,
                    self.layout.per_hour,
                    common,
                )
            )

    def _common(self, row: Row) -> Common:
        """Return what all counts of a row share beside its time."""
        columns = self.layout.columns
        return Common(
            self._interval(row) if Column.INTERVAL in columns else None,
            self._cell(row, Column.CLASS) or ALL_CLASSES,
            self._share(row, Column.OCCUPANCY, self.layout.occupancy_percent),
            self._speed(row),
            self._share(row, Column.OBSERVED, None),
        )

    @cached_property
    def _ends(self) -> bool:
        return not {Column.TIME, Column.INSTANT} & set(self.layout.columns)

    def _cell(self, row: Row, column: Column) -> str:
        index = self.layout.columns.get(column)
        return row.cells[index] if index is not None and index < len(row.cells) else ""

    def _stamp(self, row: Row) -> Stamp | None:
        time = self._cell(row, Column.INSTANT) or self._cell(row, Column.TIME)
        texts = (self._cell(row, Column.DATE), time, self._cell(row, Column.END))
        if texts not in self._stamps:
            self._stamps[texts] = read_stamp(*texts, self.zone)
        stamp = self._stamps[texts]
        if stamp is None or stamp.second >= DAY_S:
            self._fault("LV159", row.place, value=" ".join(texts).strip() or "-")
            return None
        return stamp

    def _target(self, row: Row, words: str | None) -> Key | None:
        texts = (words or "", *(self._cell(row, column) for column in IDS))
        if texts not in self._keys:
            self._keys[texts] = self._find(dict(zip(IDS, texts[1:], strict=True)), words)
        key = self._keys[texts]
        if isinstance(key, Unknown):
            self._fault(key.code, row.place, **key.fields)
            return None
        return key

    def _find(self, cells: Mapping[Column, str], words: str | None) -> Key | Unknown:
        if words is None:
            return self.targets.find(cells)
        named = self.targets.named(words)
        if named is not None:
            return named
        place = cells.get(Column.INTERSECTION, "")
        return self.targets.find({Column.INTERSECTION: place, Column.MOVEMENT: words})

    def _interval(self, row: Row) -> int | None:
        """Return the interval in seconds; a value up to 60 is in minutes."""
        value = self._number(
            row, self._cell(row, Column.INTERVAL).rstrip("分钟min s秒"), "interval"
        )
        if value is None:
            return None
        return round(60 * value) if value <= 60 else round(value)  # noqa: PLR2004  an hour

    def _share(self, row: Row, column: Column, percent: bool | None) -> float | None:  # noqa: FBT001
        text = self._cell(row, column)
        value = self._number(row, text.rstrip("%"), column.value)
        if value is None:
            return None
        in_percent = percent if percent is not None else text.endswith("%") or value > 1
        share = value / 100 if in_percent else value
        if not 0 <= share <= 1:
            self._fault("LV168", row.place, column=column.value, value=text)
            return None
        return share

    def _speed(self, row: Row) -> float | None:
        text = self._cell(row, Column.SPEED)
        value = self._number(row, text, Column.SPEED.value)
        if value is not None and value < 0:
            self._fault("LV168", row.place, column=Column.SPEED.value, value=text)
            return None
        return None if value is None else value * self.layout.speed_to_mps

    def _number(self, row: Row, text: str, column: str) -> float | None:
        if not text or text.casefold() in EMPTY:
            return None
        try:
            value = float(text if text.isdecimal() else text.replace(",", "").replace("，", ""))
        except ValueError:
            self._fault("LV157", row.place, column=column, value=text)
            return None
        if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  NaN
            self._fault("LV157", row.place, column=column, value=text)
            return None
        return value

    def _fault(self, code: str, place: str, **fields: object) -> None:
        self._alike[code] += 1
        if self._alike[code] <= MOST_ALIKE:
            self.findings.append(Finding(code=code, place=place, fields=fields))
