# SPDX-License-Identifier: Apache-2.0
"""Where traffic runs inside a junction, who the junction's foe table says it meets, and where."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from lvbo.io.sumo_graph import Graph
from lvbo.io.sumo_signals import Head
from lvbo.io.sumo_xml import RawConnection, RawJunction, RawLane, RawNet
from lvbo.network.place import Point, Turn

PARALLEL = 1e-9
"""Segments whose cross product is smaller (m²) are parallel: they meet nowhere."""

Segment = tuple[float, float, Point, Point]
"""Metres done before it, its length in metres, its two ends."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """Where a head's traffic runs, from its stop line; no points where the net has no geometry."""

    junction: str
    request: int | None
    points: tuple[Point, ...]

    @property
    def is_known(self) -> bool:
        """Say whether the net draws the path."""
        return len(self.points) > 1

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Return the straight parts of the path."""
        return tuple(_segments(self.points))

    @property
    def length_m(self) -> float:
        """Return the length of the path."""
        return sum(segment[1] for segment in self.segments)


class Paths:
    """Hold what all controllers of one import look up."""

    def __init__(self, raw: RawNet, graph: Graph) -> None:
        self.junctions: Mapping[str, RawJunction] = raw.junctions
        self.near_turn = Turn.LEFT if raw.left_hand else Turn.RIGHT
        self.bearings = {link.id: link.bearing_deg for link in graph.links}
        self.lanes: Mapping[str, RawLane] = {
            lane.id: lane for edge in raw.edges.values() for lane in edge.lanes
        }
        self.via_next = {
            f"{c.start}_{c.start_lane}": c.via
            for c in raw.connections
            if c.start.startswith(":") and c.via
        }
        self.edges = {edge.id: edge.end for edge in raw.edges.values()}
        self.requests, self.counts = _requests(raw)
        self.outer = {c.via: c for c in raw.connections if c.via and not c.start.startswith(":")}

    def of(self, head: Head) -> Path:
        """Return the path of a head."""
        if head.crossing is not None:
            junction = str(head.crossing.intersection)
            number = int(str(head.crossing.id).rsplit("_c", maxsplit=1)[-1])
            lane = self.lanes[f"{head.crossing.id}_0"]
            return Path(
                junction=junction,
                request=self.counts.get(junction, 0) + number,
                points=lane.shape,
            )
        outer = self.outer.get(head.connection.from_lane, head.connection)  # waits inside
        return Path(
            junction=self.edges.get(outer.start, ""),
            request=self.requests.get(id(outer)),
            points=self._points(head.connection),
        )

    def _points(self, connection: RawConnection) -> tuple[Point, ...]:
        shape: list[Point] = []
        via, seen = connection.via, set[str]()
        while via in self.lanes and via not in seen:
            seen.add(via)
            shape.extend(self.lanes[via].shape)
            via = self.via_next.get(via, "")
        return tuple(shape)

    def are_foes(self, a: Head, b: Head, first: Path, second: Path) -> bool:
        """Say whether the paths of two heads meet, by the foe table of their junction.

        A junction without a foe table tells nothing, so all its approaches are foes.
        """
        if first.junction != second.junction:
            return False
        if a.connection.start == b.connection.start and a.crossing is None:
            return False
        junction = self.junctions.get(first.junction)
        if junction is None:
            return True
        if first.request is None or second.request is None or not junction.foes:
            return True
        forth = junction.foes.get(first.request, 0) >> second.request & 1
        back = junction.foes.get(second.request, 0) >> first.request & 1
        return bool(forth or back)

    def must_yield(self, own: Path, other: Path) -> bool:
        """Say whether the junction lets the first go yielding to the second."""
        if own.request is None or other.request is None:
            return False
        return bool(self.junctions[own.junction].response.get(own.request, 0) >> other.request & 1)


def _requests(raw: RawNet) -> tuple[dict[int, int], dict[str, int]]:
    """Return the request index of each connection, and how many each junction has.

    Requests are numbered by entering lane, then in the order of the file; crossings come after.
    Ways to and from walking areas make no request.
    """
    by_lane: dict[str, list[RawConnection]] = defaultdict(list)
    for connection in raw.connections:
        if not connection.start.startswith(":") and not connection.end.startswith(":"):
            by_lane[connection.from_lane].append(connection)
    numbers: dict[int, int] = {}
    counts: dict[str, int] = {}
    for junction in raw.junctions.values():
        inward = [c for lane in junction.entering_lanes for c in by_lane[lane]]
        numbers.update({id(c): k for k, c in enumerate(inward)})
        counts[junction.id] = len(inward)
    return numbers, counts


def meeting_m(first: Path, second: Path) -> tuple[float, float]:
    """Return how far along each path they meet, in metres from their stop lines.

    For the first the farthest crossing point, for the second the nearest; where the lines never
    cross (they only merge or run close) the whole lengths.
    """
    hits = [
        (done_a + t * length_a, done_b + u * length_b)
        for done_a, length_a, a0, a1 in first.segments
        for done_b, length_b, b0, b1 in second.segments
        if _may_touch(a0, a1, b0, b1)
        for t, u in _crossing_of(a0, a1, b0, b1)
    ]
    if not hits:
        return first.length_m, second.length_m
    return max(a for a, _ in hits), min(b for _, b in hits)


def _segments(path: tuple[Point, ...]) -> Iterator[Segment]:
    done = 0.0
    for a, b in pairwise(path):
        length = math.dist(a, b)
        yield done, length, a, b
        done += length


def _may_touch(a0: Point, a1: Point, b0: Point, b1: Point) -> bool:
    """Say whether the boxes around two segments overlap."""
    return not (
        (a0[0] < b0[0] and a0[0] < b1[0] and a1[0] < b0[0] and a1[0] < b1[0])
        or (a0[0] > b0[0] and a0[0] > b1[0] and a1[0] > b0[0] and a1[0] > b1[0])
        or (a0[1] < b0[1] and a0[1] < b1[1] and a1[1] < b0[1] and a1[1] < b1[1])
        or (a0[1] > b0[1] and a0[1] > b1[1] and a1[1] > b0[1] and a1[1] > b1[1])
    )


def _crossing_of(a0: Point, a1: Point, b0: Point, b1: Point) -> Iterable[tuple[float, float]]:
    ax, ay, bx, by = a1[0] - a0[0], a1[1] - a0[1], b1[0] - b0[0], b1[1] - b0[1]
    cross = ax * by - ay * bx
    if abs(cross) < PARALLEL:
        return
    dx, dy = b0[0] - a0[0], b0[1] - a0[1]
    t, u = (dx * by - dy * bx) / cross, (dx * ay - dy * ax) / cross
    if 0 <= t <= 1 and 0 <= u <= 1:
        yield t, u
