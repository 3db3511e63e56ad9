# SPDX-License-Identifier: Apache-2.0
"""Bus lines of a street as TOML: how many buses, how many aboard, where they stop and how long.

```toml
schema = "lvbo-bus 1"

[[line]]
name = "1"
buses_ph = 12
persons = 30            # aboard a bus on average
speed_kmh = 35          # between stops; left out: 35
[[line.stop]]
link = "west_in"        # the stretch of street on which the stop lies
dwell_s = 20            # how long a bus stands: mean
spread_s = 6            # and standard deviation
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from lvbo.errors import Finding, InputError
from lvbo.ids import LinkId
from lvbo.progression.busband import BusLine, BusStop

SCHEMA = "lvbo-bus 1"
KMH = 3.6
USUAL_KMH = 35.0
LINE_KEYS = frozenset({"name", "buses_ph", "persons", "speed_kmh", "stop"})
STOP_KEYS = frozenset({"link", "dwell_s", "spread_s"})


def read_bus_lines(path: Path) -> tuple[BusLine, ...]:
    """Read the bus lines of a file, in its order.

    Raises:
        InputError: LV446 not TOML or not of this schema, LV447 with every line that is wrong.

    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("LV446", place=path.name, reason=str(error)) from error
    rows = raw.get("line")
    if raw.get("schema") != SCHEMA or not isinstance(rows, list) or not rows:
        reason = f"schema {raw.get('schema')!r}, [[line]] {len(rows or [])}"
        raise InputError("LV446", place=path.name, reason=reason)
    lines, found = [], []
    for number, row in enumerate(rows, start=1):
        try:
            lines.append(_line(row))
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error.args[0]} ?" if isinstance(error, KeyError) else str(error)
            fields = {"number": number, "reason": reason}
            found.append(Finding(code="LV447", place=path.name, fields=fields))
    if found:
        raise InputError.of(found)
    return tuple(lines)


def _line(row: Mapping[str, object]) -> BusLine:
    _known(row, LINE_KEYS)
    stops = row["stop"]
    if not isinstance(stops, list) or not stops:
        raise _wrong("stop", stops)
    return BusLine(
        name=str(row["name"]),
        buses_ph=_number(row, "buses_ph", above=0.0),
        persons=_number(row, "persons", above=0.0),
        speed_mps=_number({"speed_kmh": USUAL_KMH, **row}, "speed_kmh", above=0.0) / KMH,
        stops=tuple(_stop(stop) for stop in stops),
    )


def _stop(row: Mapping[str, object]) -> BusStop:
    _known(row, STOP_KEYS)
    return BusStop(
        link=LinkId(str(row["link"])),
        dwell_s=_number(row, "dwell_s"),
        spread_s=_number({"spread_s": 0.0, **row}, "spread_s"),
    )


def _known(row: Mapping[str, object], keys: frozenset[str]) -> None:
    unknown = sorted(set(row) - keys)
    if unknown:
        raise ValueError(", ".join(unknown))


def _number(row: Mapping[str, object], name: str, above: float = -1e-9) -> float:
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value)
    if not above < value < float("inf"):
        raise _wrong(name, value)
    return float(value)


def _wrong(name: str, value: object) -> ValueError:
    return ValueError(f"{name} = {value!r}")
