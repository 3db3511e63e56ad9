# SPDX-License-Identifier: Apache-2.0
"""Vehicle trajectories from a SUMO FCD file (`--fcd-output`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl

from lvbo.errors import Finding, InputError
from lvbo.io.sumo_xml import elements, read_raw_net

STEPS = {
    "vehicle": pl.String,
    "t_s": pl.Float64,
    "edge": pl.String,
    "pos_m": pl.Float64,
    "speed_mps": pl.Float64,
}
"""One row per vehicle and step; `pos_m` from the start of the edge."""

EDGES = {
    "edge": pl.String,
    "from_node": pl.String,
    "to_node": pl.String,
    "length_m": pl.Float64,
}

NEEDED = ("id", "lane", "pos", "speed")
MOST_FINDINGS = 20


@dataclass(kw_only=True)
class _Read:
    """What was read so far: columns, and what is wrong with how many elements."""

    columns: dict[str, list[object]] = field(default_factory=lambda: {name: [] for name in STEPS})
    wrong: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def doubt(self, what: str, attribute: str, value: str, t_s: float) -> None:
        key = (what, attribute, value)
        self.wrong[key] += 1
        self.first.setdefault(key, t_s)


def read_fcd(path: Path) -> pl.DataFrame:
    """Return every step of every vehicle in an FCD file, plain or gzipped: columns of `STEPS`.

    Raises:
        InputError: LV101 missing, LV102 not well-formed or cut short, LV103 another kind of file,
            LV130 a step or vehicle lacks an attribute or has one that is no number, LV131 no
            vehicle in it.

    """
    read = _Read()
    for element in elements(path, "fcd-export"):
        if element.tag == "timestep":
            t_s = _number(read, element.attrib, "time", math.nan)
            for vehicle in element.iterfind("vehicle"):
                _take(read, vehicle, t_s)
    if read.wrong:
        raise InputError.of(_findings(read, path.name))
    if not read.columns["vehicle"]:
        raise InputError("LV131", place=path.name)
    return pl.DataFrame(read.columns, schema=STEPS).sort("vehicle", "t_s", maintain_order=True)


def _take(read: _Read, vehicle: ET.Element, t_s: float) -> None:
    missing = [name for name in NEEDED if not vehicle.get(name)]
    for name in missing:
        read.doubt("missing", name, "", t_s)
    numbers = [_number(read, vehicle.attrib, name, t_s) for name in ("pos", "speed")]
    if missing or any(math.isnan(x) for x in (*numbers, t_s)):
        return
    edge = vehicle.attrib["lane"].rpartition("_")[0]
    for name, value in zip(STEPS, (vehicle.attrib["id"], t_s, edge, *numbers), strict=True):
        read.columns[name].append(value)


def _number(read: _Read, attributes: Mapping[str, str], name: str, t_s: float) -> float:
    """Return a number, nan where it is none; what is missing in a vehicle was said before."""
    value = attributes.get(name)
    if value is None:
        if name == "time":
            read.doubt("missing", name, "", t_s)
        return math.nan
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        read.doubt("no number", name, value[:20], t_s)
        return math.nan
    return found


def _findings(read: _Read, file: str) -> Iterator[Finding]:
    for key, count in read.wrong.most_common(MOST_FINDINGS):
        what, attribute, value = key
        t_s = read.first[key]
        place = file if math.isnan(t_s) else f"{file}: {t_s:g} s"
        yield Finding(
            code="LV130",
            place=place,
            fields={
                "attribute": attribute,
                "found": "–" if what == "missing" else value,
                "count": count,
            },
        )


def net_edges(net_file: Path) -> pl.DataFrame:
    """Return the edges of a network that are no part of a junction: columns of `EDGES`."""
    raw = read_raw_net(net_file)
    rows = [
        (edge.id, edge.start, edge.end, edge.lanes[0].length_m)
        for edge in raw.edges.values()
        if not edge.function and edge.lanes
    ]
    return pl.DataFrame(rows, schema=EDGES, orient="row")
