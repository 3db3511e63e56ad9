# SPDX-License-Identifier: Apache-2.0
"""Routes of officers (特勤) as TOML: who drives along which links, from when, with which rank.

```toml
schema = "lvbo-route 1"

[[route]]
name = "visit"
rank = 1                  # 1 goes before 2
start = "07:15:00"        # when it shall be at the start of its first link
links = ["west_in", "mid_out"]   # links between are filled in by the shortest way
speed_kmh = 40            # left out: 0.8 of the limit
vehicles = 3
abort = "07:20:00"        # left out: never
```
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lvbo.errors import Finding, InputError
from lvbo.ids import LinkId

SCHEMA = "lvbo-route 1"
KMH = 3.6
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
KEYS = frozenset({"name", "rank", "start", "links", "speed_kmh", "vehicles", "abort"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSheet:
    """One route as it is written; times are seconds of the area clock, rank 1 goes first."""

    name: str
    rank: int
    start_s: int
    links: tuple[LinkId, ...]
    speed_mps: float | None = None
    vehicles: int = 1
    abort_s: int | None = None


def read_routes(path: Path) -> tuple[RouteSheet, ...]:
    """Read the routes of a file, in its order.

    Raises:
        InputError: LV790 not TOML or not of this schema, LV791 with every route that is wrong.

    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("LV790", place=path.name, reason=str(error)) from error
    rows = raw.get("route")
    if raw.get("schema") != SCHEMA or not isinstance(rows, list) or not rows:
        reason = f"schema {raw.get('schema')!r}, [[route]] {len(rows or [])}"
        raise InputError("LV790", place=path.name, reason=reason)
    sheets, found = [], []
    for number, row in enumerate(rows, start=1):
        try:
            sheets.append(_sheet(row))
        except (KeyError, TypeError, ValueError) as error:
            fields = {"number": number, "reason": _short(error)}
            found.append(Finding(code="LV791", place=path.name, fields=fields))
    names = [sheet.name for sheet in sheets]
    for name in sorted({n for n in names if names.count(n) > 1}):
        fields = {"number": names.index(name) + 1, "reason": f"name {name!r} x {names.count(name)}"}
        found.append(Finding(code="LV791", place=path.name, fields=fields))
    if found:
        raise InputError.of(found)
    return tuple(sheets)


def _sheet(row: Mapping[str, object]) -> RouteSheet:
    unknown = sorted(set(row) - KEYS)
    if unknown:
        raise ValueError(", ".join(unknown))
    links = row["links"]
    if not isinstance(links, list) or len(links) < 2:  # noqa: PLR2004  it goes from one to another
        raise _wrong("links", links)
    speed, abort = row.get("speed_kmh"), row.get("abort")
    return RouteSheet(
        name=_text(row["name"]),
        rank=_whole("rank", row.get("rank", 1)),
        start_s=_clock("start", row["start"]),
        links=tuple(LinkId(_text(link)) for link in links),
        speed_mps=None if speed is None else _speed(speed),
        vehicles=_whole("vehicles", row.get("vehicles", 1)),
        abort_s=None if abort is None else _clock("abort", abort),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(repr(value))
    return value


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(name, value)
    return value


def _speed(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise _wrong("speed_kmh", value)
    return float(value) / KMH


def _clock(name: str, value: object) -> int:
    read = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise _wrong(name, value)
    hours, minutes, seconds = read.groups()
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds or 0)


def _wrong(name: str, value: object) -> ValueError:
    return ValueError(f"{name} = {value!r}")


def _short(error: Exception) -> str:
    return f"{error.args[0]} ?" if isinstance(error, KeyError) else str(error)
