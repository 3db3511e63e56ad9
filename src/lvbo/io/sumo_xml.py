# SPDX-License-Identifier: Apache-2.0
"""SUMO's XML files to plain records; every problem is found before any value is built."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from lvbo.errors import Finding, InputError, Severity
from lvbo.io.sumo_rings import ring_intervals

FINEST = 1e-6
"""Durations that are off a tenth of a second by more than this share of it are rounded."""


@dataclass(slots=True, kw_only=True)
class RawLane:
    """A lane as the file has it."""

    id: str
    edge: str
    index: int
    speed_mps: float
    length_m: float
    width_m: float
    allow: str
    disallow: str
    shape: tuple[tuple[float, float], ...]


@dataclass(slots=True, kw_only=True)
class RawEdge:
    """An edge as the file has it; `function` is empty for a normal one."""

    id: str
    start: str
    end: str
    function: str
    name: str
    crossing_edges: tuple[str, ...]
    lanes: list[RawLane]


@dataclass(slots=True, kw_only=True)
class RawJunction:
    """A junction; `foes[i]` and `response[i]` are bit sets over request indices.

    Requests are numbered by entering lane, then by connection.
    """

    id: str
    type: str
    x: float
    y: float
    entering_lanes: tuple[str, ...]
    foes: dict[int, int]
    response: dict[int, int]


@dataclass(slots=True, kw_only=True)
class RawConnection:
    """A connection between two lanes, signalised where it names a traffic light.

    `yields_off` says that it flashes, and so yields, while the signal is off.
    """

    start: str
    end: str
    start_lane: int
    end_lane: int
    via: str
    tl: str
    index: int | None
    direction: str
    yields_off: bool

    @property
    def from_lane(self) -> str:
        """Return the id of the lane it leaves."""
        return f"{self.start}_{self.start_lane}"

    @property
    def to_lane(self) -> str:
        """Return the id of the lane it enters."""
        return f"{self.end}_{self.end_lane}"


@dataclass(slots=True, kw_only=True)
class RawLogic:
    """One programme of one traffic light: intervals of (tenths of a second, state).

    Those of a programme that `has_rings` show what its rings show together.
    """

    tl: str
    programme: str
    type: str
    offset_s: float
    intervals: list[tuple[int, str]]
    place: str
    jumps: bool
    has_rings: bool = False

    @property
    def cycle_ds(self) -> int:
        """Return the length of the programme."""
        return sum(length for length, _ in self.intervals)


@dataclass(slots=True, kw_only=True)
class RawWaut:
    """A weekly switching table: the start programme, the switches, the lights it drives."""

    id: str
    start: str
    reference_s: float
    switches: list[tuple[float, str]]
    lights: list[str] = field(default_factory=list)
    procedures: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class RawNet:
    """All records of a network and its additional files."""

    edges: dict[str, RawEdge] = field(default_factory=dict)
    junctions: dict[str, RawJunction] = field(default_factory=dict)
    connections: list[RawConnection] = field(default_factory=list)
    logics: list[RawLogic] = field(default_factory=list)
    wauts: dict[str, RawWaut] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left_hand: bool = False

    def doubt(
        self, code: str, place: str, severity: Severity = Severity.ERROR, **f: object
    ) -> None:
        """Note a finding."""
        self.findings.append(Finding(code=code, place=place, severity=severity, fields=f))


def elements(path: Path, root: str | None = None) -> Iterator[ET.Element]:
    """Yield the children of the root element one by one, from plain or gzipped XML.

    Raises:
        InputError: LV101 missing, LV102 not well-formed or cut short, LV103 another root element.

    """
    if not path.is_file():
        raise InputError("LV101", place=str(path))
    try:
        with _open(path) as stream:
            yield from _children(ET.iterparse(stream, events=("start", "end")), path, root)
    except ET.ParseError as error:
        line, column = error.position
        reason = str(error).split(":", maxsplit=1)[0]
        raise InputError(
            "LV102", place=f"{path.name}:{line}", column=column, reason=reason
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError("LV102", place=path.name, column=0, reason=str(error)) from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise InputError("LV102", place=path.name, column=0, reason=str(error)) from error


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _children(
    events: Iterator[tuple[str, ET.Element]], path: Path, root: str | None
) -> Iterator[ET.Element]:
    depth = 0
    top: ET.Element | None = None
    for kind, element in events:
        if kind == "start":
            depth += 1
            if top is None:
                top = element
                if root is not None and element.tag != root:
                    raise InputError("LV103", place=path.name, found=element.tag, expected=root)
                yield element
            continue
        depth -= 1
        if depth == 1 and top is not None:
            yield element
            top.clear()


def read_raw_net(net: Path, additional: tuple[Path, ...] = ()) -> RawNet:
    """Read a network and the signal programmes of its additional files.

    Raises:
        InputError: LV101 to LV103 where a file cannot be read at all.

    """
    raw = RawNet()
    for element in elements(net, "net"):
        take_record(raw, element, net.name)
    for path in additional:
        for element in elements(path):
            if element.tag in {"tlLogic", "WAUT", "wautJunction"}:
                take_record(raw, element, path.name)
    return raw


def take_record(raw: RawNet, element: ET.Element, file: str) -> None:
    """Add one element to the records; what is wrong with it becomes a finding."""
    tag = element.tag
    try:
        if tag == "net":
            raw.left_hand = element.get("lefthand", "false") in {"true", "1", "t"}
        elif tag == "edge":
            _take_edge(raw, element, file)
        elif tag == "junction":
            _take_junction(raw, element)
        elif tag == "connection":
            raw.connections.append(_connection(element))
        elif tag == "tlLogic":
            _take_logic(raw, element, file)
        elif tag == "WAUT":
            _take_waut(raw, element)
        elif tag == "wautJunction":
            _take_waut_junction(raw, element, file)
    except KeyError as error:
        raw.doubt("LV104", f"{file}: <{tag} {_name(element)}>", attribute=str(error.args[0]))
    except ValueError as error:
        raw.doubt("LV105", f"{file}: <{tag} {_name(element)}>", reason=str(error))


def _name(element: ET.Element) -> str:
    key = next((k for k in ("id", "from", "wautID") if k in element.attrib), "")
    return f'{key}="{element.attrib[key]}"' if key else ""


def points(text: str) -> tuple[tuple[float, float], ...]:
    """Return a shape attribute as points in metres, heights dropped.

    Raises:
        ValueError: where it holds no point, or a point without two numbers.

    """
    pairs = [pair.split(",") for pair in text.split()]
    if not pairs or min(map(len, pairs)) < len(("x", "y")):
        raise ValueError(f"shape {text!r}")  # noqa: TRY003, EM102  becomes the reason of LV105
    return tuple((number(pair[0]), number(pair[1])) for pair in pairs)


def number(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: where the text is none.

    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")  # noqa: TRY003, EM102  as above
    return value


def seconds_of(text: str) -> float:
    """Return a time of SUMO in seconds: plain seconds, or `[days:]hours:minutes:seconds`.

    Raises:
        ValueError: where the text is none.

    """
    total = 0.0
    for part, unit in zip(reversed(text.split(":")), (1, 60, 3600, 86_400), strict=False):
        total += unit * number(part)
    return total


def _take_edge(raw: RawNet, element: ET.Element, file: str) -> None:
    edge_id = element.attrib["id"]
    function = element.get("function", "")
    if edge_id in raw.edges:
        raw.doubt("LV106", f"{file}: {edge_id}", kind="edge")
        return
    edge = RawEdge(
        id=edge_id,
        start=element.get("from", ""),
        end=element.get("to", ""),
        function="" if function == "normal" else function,
        name=element.get("name", ""),
        crossing_edges=tuple(element.get("crossingEdges", "").split()),
        lanes=[_lane(lane, edge_id) for lane in element.findall("lane")],
    )
    for lane in edge.lanes:
        if not function and (lane.speed_mps <= 0 or lane.length_m <= 0):
            raw.doubt(
                "LV107",
                f"{file}: {lane.id}",
                speed_mps=lane.speed_mps,
                length_m=lane.length_m,
            )
    raw.edges[edge_id] = edge


def _lane(lane: ET.Element, edge: str) -> RawLane:
    return RawLane(
        id=lane.attrib["id"],
        edge=edge,
        index=int(lane.attrib["index"]),
        speed_mps=number(lane.attrib["speed"]),
        length_m=number(lane.attrib["length"]),
        width_m=number(lane.get("width", "3.2")),
        allow=lane.get("allow", ""),
        disallow=lane.get("disallow", ""),
        shape=points(lane.attrib["shape"]),
    )


def _take_junction(raw: RawNet, element: ET.Element) -> None:
    if element.get("type") == "internal":
        return
    requests = element.findall("request")
    raw.junctions[element.attrib["id"]] = RawJunction(
        id=element.attrib["id"],
        type=element.get("type", ""),
        x=number(element.attrib["x"]),
        y=number(element.attrib["y"]),
        entering_lanes=tuple(element.get("incLanes", "").split()),
        foes={int(r.attrib["index"]): int(r.attrib["foes"], 2) for r in requests},
        response={int(r.attrib["index"]): int(r.attrib["response"], 2) for r in requests},
    )


def _connection(element: ET.Element) -> RawConnection:
    index = element.get("linkIndex")
    return RawConnection(
        start=element.attrib["from"],
        end=element.attrib["to"],
        start_lane=int(element.attrib["fromLane"]),
        end_lane=int(element.attrib["toLane"]),
        via=element.get("via", ""),
        tl=element.get("tl", ""),
        index=None if index is None else int(index),
        direction=element.get("dir", "s"),
        yields_off=element.get("state", "O").islower(),
    )


def _take_logic(raw: RawNet, element: ET.Element, file: str) -> None:
    phases = element.findall("phase")
    tl, programme = element.attrib["id"], element.get("programID", "0")
    place = f"{file}: {tl}/{programme}"
    lengths = [seconds_of(p.attrib["duration"]) for p in phases]
    rings = ring_intervals(element, seconds_of)
    written = [(round(10 * s), p.attrib["state"]) for s, p in zip(lengths, phases, strict=True)]
    intervals = rings if rings is not None else written
    if any(abs(10 * s - round(10 * s)) > FINEST for s in lengths):
        raw.doubt("LV211", place, Severity.WARNING, cycle_s=round(sum(lengths), 3))
    if not intervals or sum(length for length, _ in intervals) <= 0:
        raw.doubt("LV108", place)
        return
    raw.logics.append(
        RawLogic(
            tl=tl,
            programme=programme,
            type=element.get("type", "static"),
            offset_s=seconds_of(element.get("offset", "0")),
            intervals=[pair for pair in intervals if pair[0] > 0],
            place=place,
            jumps=any(_jumps(p.get("next"), k, len(phases)) for k, p in enumerate(phases)),
            has_rings=rings is not None,
        )
    )


def _jumps(following: str | None, k: int, count: int) -> bool:
    return following is not None and following.split() != [str((k + 1) % count)]


def _take_waut(raw: RawNet, element: ET.Element) -> None:
    raw.wauts[element.attrib["id"]] = RawWaut(
        id=element.attrib["id"],
        start=element.attrib["startProg"],
        reference_s=seconds_of(element.get("refTime", "0")),
        switches=[
            (seconds_of(s.attrib["time"]), s.attrib["to"]) for s in element.findall("wautSwitch")
        ],
    )


def _take_waut_junction(raw: RawNet, element: ET.Element, file: str) -> None:
    waut = raw.wauts.get(element.attrib["wautID"])
    if waut is None:
        raw.doubt("LV109", f"{file}: wautJunction", name=element.attrib["wautID"])
        return
    waut.lights.append(element.attrib["junctionID"])
    procedure = element.get("procedure", "")
    if procedure:
        waut.procedures.add(procedure)
