# SPDX-License-Identifier: Apache-2.0
"""Where the loops of a street lie: along the lanes, also where the last stretch is short.

Networks made from maps cut roads into stretches. The one before a stop line may be shorter than a
car, and who waits for green then stands on a stretch before it, which may lead to several lanes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from lvbo.control.protocols import Floats, Ints
from lvbo.control.site import Site
from lvbo.io.sumo_xml import elements
from lvbo.network.binding import SumoBinding
from lvbo.network.network import Network
from lvbo.simulation.sensing import STOP_LOOP_M, Eye, Sensing

MARGIN_M = 1.0
"""An advance loop lies at least so far from the start of its lane, and from the other loop."""
OWN_PART = 0.5
"""Where a lane is one of its own for this part of the way, its advance loop lies there."""
ALL = 0.999
"""Lanes from which at least this share comes to a stop line lead there alone."""
PREFIX = "lvbo/"
"""The ids of these loops in SUMO begin so."""


class Stretch(NamedTuple):
    """A lane on the way to a stop line: what part of its vehicles comes there, as a first guess.

    It begins `begin_m` before the line and ends `end_m` before it. `is_first` where no lane leads
    to it, or a signal is there.
    """

    lane: str
    begin_m: float
    end_m: float
    share: float
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWays:
    """The lanes of a network file, those within junctions too: how long, and which lead to which.

    `before` has for each lane those that lead to it; not those that a signal holds. `onward` says
    to how many a lane leads.
    """

    length_m: Mapping[str, float]
    before: Mapping[str, tuple[str, ...]]
    onward: Mapping[str, int]

    def upstream(self, lane: str, most_m: float) -> tuple[Stretch, ...]:
        """Return a lane and those that lead to it, as far as `most_m` before its end."""
        found: dict[str, Stretch] = {}
        open_ = [(lane, 0.0, 1.0)]
        while open_:
            name, end_m, share = open_.pop()
            if name in found:
                continue
            begin_m = end_m + self.length_m[name]
            before = self.before.get(name, ())
            found[name] = Stretch(name, begin_m, end_m, share, not before)
            if begin_m < most_m:
                open_ += [(other, begin_m, share / self.onward[other]) for other in before]
        return tuple(found.values())


class Place(NamedTuple):
    """A place on a lane, `back_m` before its end and `from_line_m` before a stop line.

    `share` is what part of those who pass it comes to that line, as a first guess; 0 where they
    are counted elsewhere, and it only tells that somebody stands.
    """

    lane: str
    back_m: float
    from_line_m: float
    share: float


def read_ways(net_file: Path) -> LaneWays:
    """Return the lanes of a SUMO network and how they lead on."""
    length_m: dict[str, float] = {}
    before: dict[str, list[str]] = {}
    onward: dict[str, int] = {}
    for element in elements(net_file):
        if element.tag == "edge":
            for lane in element.iter("lane"):
                length_m[lane.attrib["id"]] = float(lane.attrib["length"])
        elif element.tag == "connection":
            own = element.attrib
            from_lane, to_lane = f"{own['from']}_{own['fromLane']}", f"{own['to']}_{own['toLane']}"
            onward[from_lane] = onward.get(from_lane, 0) + 1
            if "tl" not in own:
                before.setdefault(own.get("via", to_lane), []).append(from_lane)
    return LaneWays(
        length_m=length_m,
        before={lane: tuple(names) for lane, names in before.items()},
        onward=onward,
    )


def places_at(ways: LaneWays, lane: str, distance_m: float) -> tuple[Place, ...]:
    """Return where loops lie that see all who come to a stop line, so far before it.

    Where a way begins nearer, or a signal is there, they lie at its start; in a ring of lanes that
    nobody enters on the farthest of them.
    """
    all_ = ways.upstream(lane, distance_m)
    there = [s for s in all_ if s.is_first or s.begin_m >= distance_m]
    found = []
    for stretch in there or [max(all_, key=lambda s: s.begin_m)]:
        length_m = stretch.begin_m - stretch.end_m
        ends = stretch.is_first or stretch.begin_m < distance_m
        most_m = max(length_m - MARGIN_M, length_m / 2) if ends else length_m
        back_m = min(distance_m - stretch.end_m, most_m)
        found.append(Place(stretch.lane, back_m, stretch.end_m + back_m, stretch.share))
    return tuple(found)


def own_m(ways: LaneWays, lane: str, most_m: float) -> float:
    """Return how far before its stop line all are on their way to it, `most_m` at most."""
    shared = [s.end_m for s in ways.upstream(lane, most_m) if s.share < ALL]
    return min([most_m, *shared])


def loop_places(
    ways: LaneWays, lane: str, speed_mps: float, sensing: Sensing
) -> tuple[tuple[Place, ...], ...]:
    """Return where the loops of a stop-line lane lie: the one at the line, and one upstream of it.

    Each is one of SUMO's loops, or several where several lanes lead there. The one upstream lies
    on lanes that lead here alone, if these are long enough; there is none where no room is left.
    """
    line = (*places_at(ways, lane, STOP_LOOP_M), *_up_to_line(ways, lane))
    if not sensing.advance:
        return (line,)
    wanted_m = float(sensing.advances_m(speed_mps))
    alone_m = own_m(ways, lane, wanted_m)
    if OWN_PART * wanted_m <= alone_m < wanted_m:
        wanted_m = alone_m - MARGIN_M
    far = places_at(ways, lane, wanted_m)
    return (line, far) if from_line_m(far) > from_line_m(line) + MARGIN_M else (line,)


def _up_to_line(ways: LaneWays, lane: str) -> Iterator[Place]:
    """Yield where the loop at the line covers stretches between itself and the line, uncounted.

    Who sets out on one of them stands there without ever having come over the loop.
    """
    for stretch in ways.upstream(lane, STOP_LOOP_M):
        if stretch.begin_m < STOP_LOOP_M and not stretch.is_first:
            back_m = (stretch.begin_m - stretch.end_m) / 2
            yield Place(stretch.lane, back_m, stretch.end_m + back_m, 0.0)


def from_line_m(places: Sequence[Place]) -> float:
    """Return how far from the stop line a loop is that lies at several places, m."""
    weight = [place.share for place in places]
    return float(np.average([place.from_line_m for place in places], weights=weight))


def detectors(
    network: Network, sites: Sequence[Site], sensing: Sensing, net_file: Path
) -> ET.Element | None:
    """Return SUMO's own loops for the stop-line lanes of the sites; None where no loops are used.

    Those of a lane shared by two sites are written once.
    """
    if sensing.eye is not Eye.LOOPS or network.sumo is None:
        return None
    ways = read_ways(net_file)
    root = ET.Element("additional")
    written: set[str] = set()
    for site in sites:
        for name, lane in stop_lanes(site, network.sumo):
            if name not in written:
                written.add(name)
                loops = loop_places(ways, name, float(site.speed_mps[lane]), sensing)
                for number, places in enumerate(loops):
                    at = f"{PREFIX}{number}/{from_line_m(places):.2f}"
                    root.extend(_element(name, at, k, p) for k, p in enumerate(places))
    return root


def _element(stop_lane: str, at: str, k: int, place: Place) -> ET.Element:
    """Return a loop in SUMO; its id tells all that is needed to read it."""
    return ET.Element(
        "inductionLoop",
        id=f"{at}/{place.share:.4f}/{k}/{stop_lane}",
        lane=place.lane,
        pos=f"{-place.back_m:.2f}",
        freq="3600",
        file="NUL",
        friendlyPos="true",
    )


def stop_lanes(site: Site, binding: SumoBinding) -> tuple[tuple[str, int], ...]:
    """Return SUMO's lanes at the stop lines of a site, each with the first lane it leads to."""
    at = {lane: k for k, lane in enumerate(site.lanes)}
    from_lanes = sorted({h.from_lane for h in binding.head_index[site.id] if h.movement})
    found = []
    for name in from_lanes:
        ahead = [at[lane] for lane in binding.lane_index.get(name, ()) if lane in at]
        if ahead:
            found.append((name, ahead[0]))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoopTable:
    """The loops of a site in a running simulation: `lane`, `distance_m`, `share` (loops,).

    SUMO's loops `names` (parts,) are parts of loop `of` (parts,); who passes one counts `weight`
    (parts,).
    """

    lane: Ints
    distance_m: Floats
    share: Floats
    names: tuple[str, ...]
    of: Ints
    weight: Floats


def loops_of(sumo: ModuleType, stops: Sequence[tuple[str, int]], sensing: Sensing) -> LoopTable:
    """Return the loops of a site, found by their names; none with other detectors."""
    lines = dict(stops)
    found = []
    if sensing.eye is Eye.LOOPS:
        for name in sumo.inductionloop.getIDList():
            if name.startswith(PREFIX):
                _, number, at_m, share, _, stop_lane = name.split("/", 5)
                if stop_lane in lines:
                    found.append(((stop_lane, int(number)), float(at_m), float(share), name))
    found.sort()
    keys = sorted({key for key, *_ in found})
    of = np.array([keys.index(key) for key, *_ in found], dtype=np.int64)
    weight = np.array([share for _, _, share, _ in found], dtype=np.float64)
    distance_m, share = np.zeros((2, len(keys)))
    distance_m[of] = [at_m for _, at_m, _, _ in found]
    np.maximum.at(share, of, weight)
    return LoopTable(
        lane=np.array([lines[stop_lane] for stop_lane, _ in keys], dtype=np.int64),
        distance_m=distance_m,
        share=share,
        names=tuple(name for *_, name in found),
        of=of,
        weight=weight,
    )
