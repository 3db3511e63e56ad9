# SPDX-License-Identifier: Apache-2.0
"""Virtual detectors for a SUMO network: at every stop line, per turn, and where links begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.detection.detector import Detector, DetectorKind
from lvbo.errors import UsageError
from lvbo.ids import DetectorId, LaneId, LinkId, MovementId
from lvbo.io.sumo_plans import write_xml
from lvbo.io.sumo_xml import RawConnection, RawEdge, RawNet, read_raw_net
from lvbo.network.network import Network

STOP_M = 2.0
ENTRY_M = 10.0
TURN_AT_M = 0.1
SHORTEST_M = 4.0
AHEAD_SHARE, LEAST_AHEAD_M = 0.6, 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualDetector:
    """A detector or part of one, where it lies in SUMO, and whether every vehicle is noted.

    A turn that leads from one lane into several has a part for each.
    """

    id: str
    detector: Detector
    sumo_lane: str
    position_m: float
    instant: bool = False


def virtual_detectors(network: Network, net_file: Path) -> tuple[VirtualDetector, ...]:
    """Return detectors for the signalised approaches of a network read from `net_file`.

    On each stop-line lane an instant loop 2 m before the line (for headways) and, where SUMO's
    connection tells the movement, a counter per turn on the line itself; a loop on each lane 10 m
    after every link begins.

    Raises:
        UsageError: LV193 where the network was not read from SUMO.

    """
    if network.sumo is None:
        raise UsageError("LV193")
    raw = read_raw_net(net_file)
    lengths = {lane.id: lane.length_m for edge in raw.edges.values() for lane in edge.lanes}
    found = [
        *_stop_lines(network, raw, lengths),
        *_entries(network, raw, lengths),
    ]
    return tuple(sorted(found, key=lambda one: one.id))


def advance_detectors(network: Network, net_file: Path) -> tuple[VirtualDetector, ...]:
    """Return instant loops on every lane at 60 % of each link before a signal, to see platoons.

    Links shorter than 80 m have none.

    Raises:
        UsageError: LV193 where the network was not read from SUMO.

    """
    if network.sumo is None:
        raise UsageError("LV193")
    raw = read_raw_net(net_file)
    return tuple(sorted(_ahead(network, raw), key=lambda one: one.id))


def write_virtual_detectors(
    detectors: Iterable[VirtualDetector],
    path: Path,
    *,
    counts_file: str,
    events_file: str,
    dt_s: int,
) -> None:
    """Write an additional file with these detectors; counts are added up over `dt_s` seconds."""
    root = ET.Element("additional")
    for one in detectors:
        common = {
            "id": one.id,
            "lane": one.sumo_lane,
            "pos": f"{one.position_m:.2f}",
            "file": events_file if one.instant else counts_file,
        }
        if one.instant:
            ET.SubElement(root, "instantInductionLoop", common)
        else:
            ET.SubElement(root, "inductionLoop", {**common, "period": str(dt_s)})
    write_xml(root, path)


def _stop_lines(
    network: Network, raw: RawNet, lengths: Mapping[str, float]
) -> Iterator[VirtualDetector]:
    by_lane: dict[str, list[RawConnection]] = {}
    for connection in raw.connections:
        by_lane.setdefault(connection.from_lane, []).append(connection)
    for lane in sorted(network.lane_movements):
        if lane not in lengths or not network.lane_index[lane].for_cars:
            continue
        loop = Detector(
            id=DetectorId(f"stop:{lane}"),
            kind=DetectorKind.STOP_LINE,
            lanes=(lane,),
            to_stop_m=STOP_M,
        )
        at = max(TURN_AT_M, lengths[lane] - STOP_M)
        yield VirtualDetector(
            id=loop.id, detector=loop, sumo_lane=lane, position_m=at, instant=True
        )
        turns = list(_turns(network, lane, by_lane.get(lane, []), lengths))
        yield from turns
        told = {one.detector.movements for one in turns}
        if len(told) < len(network.lane_movements[lane]):
            whole = Detector(
                id=DetectorId(f"lane:{lane}"), kind=DetectorKind.STOP_LINE, lanes=(lane,)
            )
            yield VirtualDetector(id=whole.id, detector=whole, sumo_lane=lane, position_m=at)


def _turns(
    network: Network,
    lane: LaneId,
    connections: Iterable[RawConnection],
    lengths: Mapping[str, float],
) -> Iterator[VirtualDetector]:
    """Yield a counter on the first internal lane of each connection that alone is a movement.

    A movement whose connections fan out over several lanes would need all of them to be one count.
    """
    listed = [(_movement_of(network, lane, c), c) for c in connections]
    ways = Counter(movement for movement, _ in listed)
    for movement, connection in listed:
        short = lengths.get(connection.via, 0.0) <= TURN_AT_M
        if movement is None or ways[movement] > 1 or short:
            continue
        counter = Detector(
            id=DetectorId(f"turn:{lane}:{movement}"),
            kind=DetectorKind.STOP_LINE,
            lanes=(lane,),
            movements=(movement,),
        )
        part = f"turn:{lane}>{connection.to_lane}"
        yield VirtualDetector(
            id=part, detector=counter, sumo_lane=connection.via, position_m=TURN_AT_M
        )


def _movement_of(network: Network, lane: LaneId, connection: RawConnection) -> MovementId | None:
    edges = network.sumo.edge_index if network.sumo else {}
    to_link = edges.get(connection.end)
    for movement in network.lane_movements[lane]:
        if movement.to_link == to_link:
            return movement.id
    return None


def _ahead(network: Network, raw: RawNet) -> Iterator[VirtualDetector]:
    for link, edges in _chains(network, raw):
        whole_m = network.link_index[link].length_m
        signal = any(m.controllers for m in network.movements_from.get(link, ()))
        if not signal or whole_m < LEAST_AHEAD_M:
            continue
        begin_m = 0.0
        for edge in edges:
            length_m = edge.lanes[0].length_m
            at_m = AHEAD_SHARE * whole_m - begin_m
            if 0 <= at_m < length_m:
                for lane in edge.lanes:
                    loop = Detector(
                        id=DetectorId(f"ahead:{lane.id}"),
                        kind=DetectorKind.ADVANCE,
                        link=link,
                        to_stop_m=(1 - AHEAD_SHARE) * whole_m,
                    )
                    yield VirtualDetector(
                        id=loop.id, detector=loop, sumo_lane=lane.id, position_m=at_m, instant=True
                    )
            begin_m += length_m


def _chains(network: Network, raw: RawNet) -> Iterator[tuple[LinkId, list[RawEdge]]]:
    """Yield each link with its edges in the order in which they are driven."""
    chains: dict[LinkId, list[RawEdge]] = {}
    for name, link in network.sumo.edges if network.sumo else ():
        if name in raw.edges:
            chains.setdefault(link, []).append(raw.edges[name])
    for link, edges in sorted(chains.items()):
        starts = {edge.start: edge for edge in edges}
        inner = {edge.end for edge in edges}
        ordered = [next((edge for edge in edges if edge.start not in inner), edges[0])]
        while len(ordered) < len(edges) and ordered[-1].end in starts:
            ordered.append(starts[ordered[-1].end])
        yield link, ordered


def _entries(
    network: Network, raw: RawNet, lengths: Mapping[str, float]
) -> Iterator[VirtualDetector]:
    for link, (first, *_) in _chains(network, raw):
        if not network.movements_from.get(link):
            continue
        if lengths[first.lanes[0].id] < SHORTEST_M:
            continue
        for lane in first.lanes:
            length = lengths[lane.id]
            at = min(ENTRY_M, length / 2)
            loop = Detector(
                id=DetectorId(f"entry:{lane.id}"),
                kind=DetectorKind.ENTRY,
                link=link,
                to_stop_m=max(0.0, network.link_index[link].length_m - at),
            )
            yield VirtualDetector(id=loop.id, detector=loop, sumo_lane=lane.id, position_m=at)
