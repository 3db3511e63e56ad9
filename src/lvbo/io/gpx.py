# SPDX-License-Identifier: Apache-2.0
"""Drives from GPX 1.0 and 1.1 files: places with the instants at which they were passed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.errors import Finding, InputError
from lvbo.io.sumo_xml import elements

LATITUDES, LONGITUDES = 90.0, 180.0
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One place in degrees (WGS 84) and the UTC instant at which it was passed."""

    at: datetime
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One drive: its file and name, and its places in order of time."""

    name: str
    fixes: tuple[Fix, ...]


def read_gpx(path: Path) -> tuple[Track, ...]:
    """Return the tracks of a GPX file; a track's segments are joined, points of one instant too.

    Raises:
        InputError: LV101 missing, LV102 not well-formed, LV133 no GPX, LV134 a point without a
            usable latitude, longitude or time, LV135 no track point in it.

    """
    read = elements(path)
    root = next(read, None)
    if root is None or _tag(root) != "gpx":
        raise InputError("LV133", place=path.name, found="–" if root is None else _tag(root))
    found: list[Track] = []
    wrong: list[Finding] = []
    for element in read:
        if _tag(element) == "trk":
            name = f"{path.name} {_named(element) or len(found) + 1}"
            fixes = [fix for point in _points(element) if (fix := _fix(point, name, wrong))]
            by_time = {fix.at: fix for fix in fixes}
            found.append(Track(name=name, fixes=tuple(by_time[at] for at in sorted(by_time))))
    if wrong:
        raise InputError.of(wrong[:MOST_FINDINGS])
    if not any(track.fixes for track in found):
        raise InputError("LV135", place=path.name)
    return tuple(track for track in found if track.fixes)


def read_all_gpx(paths: Iterable[Path]) -> tuple[Track, ...]:
    """Return the tracks of several files; what is wrong with any of them is told at once.

    Raises:
        InputError: as `read_gpx`.

    """
    found: list[Track] = []
    wrong: list[Finding] = []
    for path in paths:
        try:
            found += read_gpx(path)
        except InputError as error:
            wrong += error.findings()
    if wrong:
        raise InputError.of(wrong)
    return tuple(found)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _named(element: ET.Element) -> str:
    texts = (child.text for child in element if _tag(child) == "name")
    return next((text.strip() for text in texts if text), "")


def _points(track: ET.Element) -> Iterator[ET.Element]:
    return (element for element in track.iter() if _tag(element) == "trkpt")


def _fix(point: ET.Element, name: str, wrong: list[Finding]) -> Fix | None:
    stated = next((c.text or "" for c in point if _tag(c) == "time"), "")
    at = _instant(stated)
    latitude, longitude = _degrees(point.get("lat")), _degrees(point.get("lon"))
    problems = (
        ("lat", point.get("lat"), latitude is not None and abs(latitude) <= LATITUDES),
        ("lon", point.get("lon"), longitude is not None and abs(longitude) <= LONGITUDES),
        ("time", stated, at is not None),
    )
    for attribute, value, fine in problems:
        if not fine:
            fields = {"attribute": attribute, "found": (value or "–")[:30]}
            wrong.append(Finding(code="LV134", place=name, fields=fields))
    if at is None or latitude is None or longitude is None:
        return None
    return Fix(at=at, longitude=longitude, latitude=latitude)


def _degrees(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _instant(text: str) -> datetime | None:
    """Return an instant; a time without a zone is UTC, as the format says."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
