# SPDX-License-Identifier: Apache-2.0
"""Counts from the output of SUMO's detectors (E1, E2, instant loops)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.detection.detector import Detector, DetectorKind
from lvbo.detection.tables import (
    ALL_CLASSES,
    COUNTS,
    DETECTOR_OFF,
    DETECTOR_ON,
    EVENTS,
    Quality,
    Target,
)
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import DetectorId, LaneId
from lvbo.network.network import Network

DAY_S = 86_400
FIRST_DAY = date(2000, 1, 3)
STOP_LINE_M = 10.0
LOOPS = frozenset({"e1Detector", "inductionLoop", "instantInductionLoop"})
AREAS = frozenset({"e2Detector", "laneAreaDetector"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDay:
    """The day a run stands for: a name, a date for its instants, a day type and a zone.

    SUMO second 0 is local midnight of `on`.
    """

    name: str = "run"
    on: date = FIRST_DAY
    day_type: str = "workday"
    zone: str = "Asia/Shanghai"


@dataclass(kw_only=True)
class _Read:
    rows: list[tuple[object, ...]] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


def read_sumo_counts(
    files: Iterable[str | Path],
    detectors: Iterable[Detector],
    *,
    day: SimulatedDay | None = None,
    names: Mapping[str, DetectorId] | None = None,
) -> Counts:
    """Return the counts and events in SUMO's detector output; all intervals must be equal.

    `names` tells the detector of a SUMO id where they differ; several ids may be parts of one
    detector, then their counts add up.

    Raises:
        InputError: LV150 no such file, LV190 not the output of a detector, LV191 no detector known.

    """
    meant = day or SimulatedDay()
    known = {detector.id: detector for detector in detectors}
    zone = ZoneInfo(meant.zone)
    midnight = datetime.combine(meant.on, datetime.min.time(), tzinfo=zone).astimezone(UTC)
    read = _Read()
    for file in map(Path, files):
        for element in _elements(file):
            _take(read, _named(element, names or {}), known, file.name, (meant, midnight))
    if not read.rows and not read.events:
        place = next(iter(read.unknown.values()), "detectors")
        raise InputError("LV191", place=place, detectors=", ".join(sorted(read.unknown)[:5]) or "-")
    findings = tuple(
        Finding(code="LV192", place=place, severity=Severity.WARNING, fields={"detector": name})
        for name, place in sorted(read.unknown.items())
    )
    return Counts(
        table=_added(pl.DataFrame(read.rows, schema=dict(COUNTS), orient="row")),
        detectors=tuple(known.values()),
        findings=findings,
        zone=meant.zone,
        events=pl.DataFrame(read.events, schema=dict(EVENTS), orient="row")
        if read.events
        else None,
    )


def _named(element: Mapping[str, str], names: Mapping[str, DetectorId]) -> Mapping[str, str]:
    name = element.get("id", "")
    return {**element, "id": names[name]} if name in names else element


def _added(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the parts of a detector added up."""
    summed = {"volume": pl.col("volume").sum(), "occupancy": pl.col("occupancy").max()}
    summed["speed_mps"] = pl.col("speed_mps").mean()
    key = [name for name in COUNTS if name not in summed]
    if not table.select(key).is_duplicated().any():
        return table
    return table.group_by(key).agg(**summed).select(list(COUNTS))


def _open(file: Path) -> IO[bytes]:
    if not file.is_file():
        raise InputError("LV150", place=str(file))
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]


def _elements(file: Path) -> Iterator[Mapping[str, str]]:
    """Yield the attributes of every interval and instant event of a file, with its tag as `tag`."""
    with _open(file) as stream:
        try:
            for _, element in ET.iterparse(stream):
                if element.tag in {"interval", "instantOut"}:
                    yield {"tag": element.tag, **element.attrib}
                    element.clear()
        except (ET.ParseError, EOFError, OSError) as error:
            raise InputError("LV190", place=file.name, reason=str(error)) from None


def _take(
    read: _Read,
    element: Mapping[str, str],
    known: Mapping[DetectorId, Detector],
    file: str,
    day: tuple[SimulatedDay, datetime],
) -> None:
    name = DetectorId(element.get("id", ""))
    if name not in known:
        read.unknown.setdefault(name, file)
        return
    try:
        if element["tag"] == "instantOut":
            _take_event(read, name, element, day[1])
        else:
            read.rows.append(_row(name, element, *day))
    except (KeyError, ValueError) as error:
        raise InputError("LV190", place=f"{file}:{name}", reason=repr(error)) from None


def _take_event(
    read: _Read, name: DetectorId, element: Mapping[str, str], midnight: datetime
) -> None:
    code = {"enter": DETECTOR_ON, "leave": DETECTOR_OFF}.get(element["state"])
    if code is not None:
        moment = midnight + timedelta(seconds=float(element["time"]))
        read.events.append((name, moment, code, 0))


def _row(
    name: DetectorId, element: Mapping[str, str], day: SimulatedDay, midnight: datetime
) -> tuple[object, ...]:
    begin, end = float(element["begin"]), float(element["end"])
    volume = element.get("nVehContrib") or element.get("nVehLeft") or element["nVehSeen"]
    occupancy = element.get("occupancy") or element.get("meanOccupancy")
    speed = float(element.get("speed") or element.get("meanSpeed") or -1)
    return (
        str(Target.DETECTOR),
        name,
        midnight + timedelta(seconds=begin),
        round(end - begin),
        day.name,
        round(begin) % DAY_S,
        day.day_type,
        float(volume),
        ALL_CLASSES,
        None if occupancy is None else min(1.0, float(occupancy) / 100),
        speed if speed >= 0 else None,
        1.0,
        str(Quality.GOOD),
    )


def read_sumo_detectors(files: Iterable[str | Path], network: Network) -> tuple[Detector, ...]:
    """Return the loops and area detectors of SUMO additional files that lie on known lanes.

    Within 10 m of the stop line they count what passes it; further up, what comes.

    Raises:
        InputError: LV190 where a file is not XML.

    """
    found: dict[DetectorId, Detector] = {}
    for file in map(Path, files):
        with _open(file) as stream:
            try:
                root = ET.parse(stream).getroot()
            except ET.ParseError as error:
                raise InputError("LV190", place=file.name, reason=str(error)) from None
        for element in root.iter():
            detector = _detector(element, network)
            if detector is not None:
                found[detector.id] = detector
    return tuple(found[name] for name in sorted(found))


def _detector(element: ET.Element, network: Network) -> Detector | None:
    lane = network.lane_index.get(LaneId(element.get("lane", "")))
    if lane is None or element.tag not in LOOPS | AREAS:
        return None
    position = float(element.get("pos", "0"))
    length = float(element.get("length", "2"))
    end = position + length if element.tag in AREAS else position
    end = float(element.get("endPos", end))
    from_end = lane.length_m - end if end >= 0 else -end
    near = from_end <= STOP_LINE_M
    return Detector(
        id=DetectorId(element.get("id", "")),
        kind=DetectorKind.STOP_LINE if near else DetectorKind.ADVANCE,
        lanes=(lane.id,),
        to_stop_m=max(0.0, from_end),
        length_m=length if element.tag in AREAS else 2.0,
    )
