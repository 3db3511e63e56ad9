# SPDX-License-Identifier: Apache-2.0
"""Which column of a count file holds what, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lvbo.errors import Finding, Severity
from lvbo.io.count_targets import Targets
from lvbo.io.count_words import Column, column_of, direction
from lvbo.io.sheet import Sheet

UNIT = re.compile(r"[(（\[](.*?)[)）\]]")
PER_HOUR = re.compile(r"/\s*(?:h|hr|hour|小时|时)\b|/\s*小时|vph|pcu/h|veh/h", re.IGNORECASE)
PER_SECOND = re.compile(r"m/s|mps|米/秒", re.IGNORECASE)
PLACES = (
    Column.DETECTOR,
    Column.LANE,
    Column.MOVEMENT,
    Column.LINK,
    Column.APPROACH,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WideColumn:
    """A column of volumes of one target, named by its header."""

    index: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a sheet; `wide` holds the volume columns of a wide table."""

    columns: Mapping[Column, int]
    wide: tuple[WideColumn, ...] = ()
    per_hour: bool = False
    speed_to_mps: float = 1 / 3.6
    occupancy_percent: bool = False
    width: int = 0


@dataclass(kw_only=True)
class _Found:
    columns: dict[Column, int] = field(default_factory=dict)
    wide: list[WideColumn] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def find_layout(sheet: Sheet, targets: Targets) -> tuple[Layout | None, tuple[Finding, ...]]:
    """Return the layout of a sheet, None where unusable, and what was found wrong or guessed."""
    found = _Found()
    for index, name in enumerate(sheet.header):
        _place_column(found, sheet, targets, index, name)
    missing = _missing(found)
    if missing:
        fields = {"missing": ", ".join(missing), "columns": ", ".join(sheet.header)}
        found.findings.append(Finding(code="LV153", place=f"{sheet.place}:1", fields=fields))
        return None, tuple(found.findings)
    if found.ignored:
        names = ", ".join(found.ignored)
        found.findings.append(_advice("LV176", sheet.place, columns=names))
    if any(f.severity is Severity.ERROR for f in found.findings):
        return None, tuple(found.findings)
    layout = _layout(found, sheet)
    if layout.per_hour:
        found.findings.append(_advice("LV177", sheet.place))
    return layout, tuple(found.findings)


def _place_column(found: _Found, sheet: Sheet, targets: Targets, index: int, name: str) -> None:
    column = column_of(name) or column_of(UNIT.sub("", name))
    if column is None:
        if _is_target(name, targets):
            found.wide.append(WideColumn(index=index, words=name))
        elif name:
            found.ignored.append(name)
        return
    if column in found.columns:
        fields = {"first": sheet.header[found.columns[column]], "second": name}
        found.findings.append(Finding(code="LV166", place=f"{sheet.place}:1", fields=fields))
    found.columns.setdefault(column, index)


def _is_target(name: str, targets: Targets) -> bool:
    meant = direction(name)
    return targets.named(name) is not None or (meant is not None and bool(name))


def _missing(found: _Found) -> list[str]:
    has = set(found.columns)
    missing = []
    if not has & {Column.VOLUME, Column.RATE} and not found.wide:
        missing.append(Column.VOLUME)
    if not has & {Column.TIME, Column.INSTANT, Column.END}:
        missing.append(Column.TIME)
    if not has & set(PLACES) and not found.wide:
        missing.append(Column.MOVEMENT)
    return [str(name) for name in missing]


def _layout(found: _Found, sheet: Sheet) -> Layout:
    columns = found.columns
    volume = sheet.header[columns[Column.VOLUME]] if Column.VOLUME in columns else ""
    speed = sheet.header[columns[Column.SPEED]] if Column.SPEED in columns else ""
    long_rate = Column.RATE in columns and Column.VOLUME not in columns
    wide = tuple(found.wide) if not {Column.VOLUME, Column.RATE} & set(columns) else ()
    return Layout(
        columns=columns,
        wide=wide,
        per_hour=long_rate or bool(PER_HOUR.search(volume)),
        speed_to_mps=1.0 if PER_SECOND.search(speed) or "mps" in speed else 1 / 3.6,
        occupancy_percent=_in_percent(sheet, columns.get(Column.OCCUPANCY)),
        width=len(sheet.header),
    )


def _in_percent(sheet: Sheet, index: int | None) -> bool:
    """Say whether occupancies are percentages: by the header, a sign, or a value above one."""
    if index is None:
        return False
    if "%" in sheet.header[index] or "percent" in sheet.header[index].casefold():
        return True
    cells = (row.cells[index] for row in sheet.rows if len(row.cells) > index)
    return any(_above_one(cell) for cell in cells)


def _above_one(cell: str) -> bool:
    try:
        return cell.endswith("%") or float(cell) > 1
    except ValueError:
        return False


def _advice(code: str, place: str, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=Severity.ADVICE, fields=fields)
