# SPDX-License-Identifier: Apache-2.0
"""Where the loops of a street lie: along the lanes, also where the last stretch is short.

Networks made from maps cut roads into stretches. The one before a stop line may be shorter than a
car, and who waits for green then stands on the stretch before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

from lvbo.control.site import Site
from lvbo.io.sumo_xml import elements
from lvbo.network.binding import SumoBinding
from lvbo.network.network import Network
from lvbo.simulation.sensing import ADVANCE_S, STOP_LOOP_M, Eye, Sensing

INTERNAL = ":"
AT_END_M = 0.1
"""A loop that would lie within a junction lies so much before it."""
MARGIN_M = 1.0
"""An advance loop lies at least so far from the start of its lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWays:
    """The lanes of a network file: how long they are, and which one leads to which.

    `before` has for each lane the only one that leads to it and nowhere else, with the way between
    them through the junction, m; not where the junction has a signal there.
    """

    length_m: Mapping[str, float]
    before: Mapping[str, tuple[str, float]]

    def upstream(self, lane: str) -> Iterator[tuple[str, float]]:
        """Yield a lane and those that lead to it alone, each with the way from its end, m."""
        passed_m, seen = 0.0, {lane}
        yield lane, passed_m
        while lane in self.before and self.before[lane][0] not in seen:
            passed_m += self.length_m[lane] + self.before[lane][1]
            lane = self.before[lane][0]
            seen.add(lane)
            yield lane, passed_m


def read_ways(net_file: Path) -> LaneWays:
    """Return the lanes of a SUMO network and how they lead on."""
    length_m: dict[str, float] = {}
    links: list[tuple[str, str, str]] = []
    signals: set[str] = set()
    for element in elements(net_file):
        if element.tag == "edge":
            for lane in element.iter("lane"):
                length_m[lane.attrib["id"]] = float(lane.attrib["length"])
        elif element.tag == "connection" and not element.attrib["from"].startswith(INTERNAL):
            own = element.attrib
            from_lane = f"{own['from']}_{own['fromLane']}"
            links.append((from_lane, f"{own['to']}_{own['toLane']}", own.get("via", "")))
            if "tl" in own:
                signals.add(from_lane)
    onward: dict[str, int] = {}
    into: dict[str, list[tuple[str, str]]] = {}
    for from_lane, to_lane, via in links:
        onward[from_lane] = onward.get(from_lane, 0) + 1
        into.setdefault(to_lane, []).append((from_lane, via))
    before = {
        lane: (ways[0][0], length_m.get(ways[0][1], 0.0))
        for lane, ways in into.items()
        if len(ways) == 1 and onward[ways[0][0]] == 1 and ways[0][0] not in signals
    }
    return LaneWays(length_m=length_m, before=before)


def place_at(ways: LaneWays, lane: str, distance_m: float) -> tuple[str, float, float]:
    """Return the lane on which a loop lies, how far from its end, and from the stop line, m.

    It lies as far upstream as its lane is a lane of its own, not further.
    """
    found = lane, 0.0, 0.0
    for name, passed_m in ways.upstream(lane):
        back_m = max(distance_m - passed_m, AT_END_M)
        length_m = ways.length_m[name]
        found = name, min(back_m, length_m), passed_m + min(back_m, length_m)
        if back_m <= length_m:
            break
    return found


def detectors(
    network: Network, sites: Sequence[Site], sensing: Sensing, net_file: Path
) -> ET.Element | None:
    """Return SUMO's own loops for the stop-line lanes of the sites; None where no loops are used.

    A loop on a lane shared by two sites is written once. Its name tells the lane whose stop line it
    belongs to and how far from that it lies.
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
                wanted = _distances(ways, name, float(site.speed_mps[lane]), sensing)
                root.extend(_loop(ways, name, number, d) for number, d in enumerate(wanted))
    return root


def _distances(ways: LaneWays, lane: str, speed_mps: float, sensing: Sensing) -> list[float]:
    """Return how far from the stop line the loops of a lane shall lie, m.

    On a stretch shorter than a car to which no lane leads alone both lie at one place: they see
    nobody who waits, and each count who passes.
    """
    if not sensing.advance:
        return [STOP_LOOP_M]
    *_, (last, passed_m) = ways.upstream(lane)
    most_m = passed_m + ways.length_m[last] - MARGIN_M
    return [STOP_LOOP_M, max(STOP_LOOP_M, min(ADVANCE_S * speed_mps, most_m))]


def _loop(ways: LaneWays, stop_lane: str, number: int, distance_m: float) -> ET.Element:
    name, back_m, from_line_m = place_at(ways, stop_lane, distance_m)
    return ET.Element(
        "inductionLoop",
        id=f"lvbo/{stop_lane}/{number}/{from_line_m:.2f}",
        lane=name,
        pos=f"{-back_m:.2f}",
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


def loops_of(
    sumo: ModuleType, stops: Sequence[tuple[str, int]], sensing: Sensing
) -> tuple[tuple[str, int, float], ...]:
    """Return the loops of a site in a running simulation: name, stop-line lane, m from the line."""
    if sensing.eye is not Eye.LOOPS:
        return ()
    known: dict[str, list[str]] = {}
    for name in sumo.inductionloop.getIDList():
        if name.startswith("lvbo/"):
            known.setdefault(name.split("/", 1)[1].rsplit("/", 2)[0], []).append(name)
    return tuple(
        (name, lane, float(name.rsplit("/", 1)[1]))
        for stop_lane, lane in stops
        for name in sorted(known[stop_lane])
    )
