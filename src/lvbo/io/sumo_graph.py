# SPDX-License-Identifier: Apache-2.0
"""SUMO's edges and junctions to links, lanes, intersections, movements and crossings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from lvbo.ids import (
    ControllerId,
    CrossingId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
)
from lvbo.io.sumo_xml import RawConnection, RawEdge, RawLane, RawNet
from lvbo.network.place import (
    Crossing,
    Intersection,
    IntersectionKind,
    Lane,
    Leg,
    Link,
    Movement,
    Point,
    Turn,
    bearing_deg,
)

CLASSES = (
    "passenger",
    "bus",
    "taxi",
    "truck",
    "delivery",
    "motorcycle",
    "moped",
    "bicycle",
    "pedestrian",
    "tram",
    "emergency",
)
RAIL = frozenset({"rail_signal", "rail_crossing", "rail_crossing_no_signal"})
TURNS = {
    "s": Turn.THROUGH,
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.UTURN,
    "T": Turn.UTURN,  # in left-hand traffic
}
TURN_BACK_DEG = 45.0
"""A street that leaves within this of where it came from turns round."""
LEGS = (Leg.N, Leg.NE, Leg.E, Leg.SE, Leg.S, Leg.SW, Leg.W, Leg.NW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The street as the network has it, and the way back to SUMO's names."""

    intersections: tuple[Intersection, ...]
    links: tuple[Link, ...]
    movements: tuple[Movement, ...]
    crossings: tuple[Crossing, ...]
    edge_links: Mapping[str, LinkId]
    lane_lanes: Mapping[str, tuple[LaneId, ...]]
    connection_movements: Mapping[int, MovementId]


def classes_of(lane: RawLane) -> tuple[str, ...]:
    """Return the vehicle classes a lane admits."""
    return _classes(lane.allow, lane.disallow)


@cache
def _classes(allow: str, disallow: str) -> tuple[str, ...]:
    if allow and allow != "all":
        allowed = set(allow.split())
        return tuple(c for c in CLASSES if c in allowed)
    barred = set(disallow.split())
    return tuple(c for c in CLASSES if c not in barred) if "all" not in barred else ()


def is_street(edge: RawEdge) -> bool:
    """Say whether an edge carries road vehicles or trams (not only people on foot or trains)."""
    return not edge.function and any(_is_road(lane) for lane in edge.lanes)


def _is_road(lane: RawLane) -> bool:
    return bool(set(classes_of(lane)) - {"pedestrian", "emergency"})


def build_graph(raw: RawNet) -> Graph:
    """Return the street that the records describe, chains of edges joined."""
    return _Builder(raw).build()


class _Builder:
    """Hold the look-up tables of one import."""

    def __init__(self, raw: RawNet) -> None:
        self.raw = raw
        self.streets = {k: e for k, e in raw.edges.items() if is_street(e)}
        self.turns_from: dict[str, list[RawConnection]] = defaultdict(list)
        self.turns_into: dict[str, list[RawConnection]] = defaultdict(list)
        for connection in raw.connections:
            if connection.start in self.streets and connection.end in self.streets:
                self.turns_from[connection.start].append(connection)
                self.turns_into[connection.end].append(connection)
        self.lane_index = {lane.id: lane for e in raw.edges.values() for lane in e.lanes}
        self.via_next = {
            f"{c.start}_{c.start_lane}": c.via
            for c in raw.connections
            if c.start.startswith(":") and c.via
        }

    def build(self) -> Graph:
        chains = self._chains()
        edge_links = {edge: LinkId(chain[-1]) for chain in chains for edge in chain}
        links = tuple(sorted((self._link(c) for c in chains), key=lambda x: x.id))
        legs = {link.id: link.leg for link in links}
        movements, by_connection = self._movements(chains, legs, edge_links)
        lane_lanes: dict[str, tuple[LaneId, ...]] = {}
        for chain in chains:
            lane_lanes.update(self._lanes_ahead(chain))
        crossings = self._crossings(legs, edge_links)
        return Graph(
            intersections=self._intersections(links, movements, crossings),
            links=links,
            movements=movements,
            crossings=crossings,
            edge_links=edge_links,
            lane_lanes=lane_lanes,
            connection_movements=by_connection,
        )

    # chains -------------------------------------------------------------------------------

    def _next(self, edge: str) -> str | None:
        """Return the edge that simply continues this one, if nothing is decided between them."""
        onward = [c for c in self.turns_from[edge] if TURNS.get(c.direction) is not Turn.UTURN]
        ends = {c.end for c in onward}
        if len(ends) != 1 or any(c.tl for c in onward):
            return None
        following = ends.pop()
        before = {
            c.start for c in self.turns_into[following] if TURNS.get(c.direction) is not Turn.UTURN
        }
        simple = before == {edge} and following != edge and not self._turns_back(edge, following)
        return following if simple and not self._signal_between(edge) else None

    def _turns_back(self, edge: str, following: str) -> bool:
        """Say whether the street only turns round here, where the network was cut off."""
        back = bearing_deg(self._centre(self.streets[edge]))
        onward = bearing_deg(tuple(reversed(self._centre(self.streets[following]))))
        return abs((back - onward + 180) % 360 - 180) <= TURN_BACK_DEG

    def _signal_between(self, edge: str) -> bool:
        junction = self.raw.junctions.get(self.streets[edge].end)
        return junction is not None and junction.type.startswith("traffic_light")

    def _chains(self) -> list[list[str]]:
        following = {edge: self._next(edge) for edge in self.streets}
        continued = {edge for edge in following.values() if edge is not None}
        heads = [edge for edge in self.streets if edge not in continued]
        chains = [self._follow(head, following) for head in heads]
        seen = {edge for chain in chains for edge in chain}
        for edge in self.streets:  # rings without a beginning
            if edge not in seen:
                ring = self._follow(edge, following)
                chains.append(ring)
                seen.update(ring)
        return chains

    @staticmethod
    def _follow(head: str, following: Mapping[str, str | None]) -> list[str]:
        chain = [head]
        current = following[head]
        while current is not None and current != head:
            chain.append(current)
            current = following[current]
        return chain

    # links and lanes ----------------------------------------------------------------------

    def _link(self, chain: list[str]) -> Link:
        edges = [self.streets[edge] for edge in chain]
        last = edges[-1]
        lengths = [self._edge_length(edge) for edge in edges]
        times = [length / self._edge_speed(e) for length, e in zip(lengths, edges, strict=True)]
        shape = tuple(p for edge in edges for p in self._centre(edge))
        names = [edge.name for edge in reversed(edges) if edge.name]
        return Link(
            id=LinkId(chain[-1]),
            name=names[0] if names else "",
            start=IntersectionId(edges[0].start),
            end=IntersectionId(last.end),
            length_m=sum(lengths),
            speed_mps=sum(lengths) / sum(times),
            shape=shape,
            lanes=tuple(self._lane(lane, chain) for lane in last.lanes if _is_road(lane)),
            leg=leg_of(shape),
        )

    @staticmethod
    def _roads(edge: RawEdge) -> list[RawLane]:
        return [lane for lane in edge.lanes if _is_road(lane)]

    def _edge_length(self, edge: RawEdge) -> float:
        return max(lane.length_m for lane in self._roads(edge))

    def _edge_speed(self, edge: RawEdge) -> float:
        cars = [lane.speed_mps for lane in edge.lanes if "passenger" in classes_of(lane)]
        return max(cars or [lane.speed_mps for lane in self._roads(edge)])

    def _centre(self, edge: RawEdge) -> tuple[Point, ...]:
        roads = self._roads(edge)
        return roads[len(roads) // 2].shape

    def _lane(self, lane: RawLane, chain: list[str]) -> Lane:
        length, is_bay = self._reach(lane, chain)
        return Lane(
            id=LaneId(lane.id),
            link=LinkId(chain[-1]),
            index=lane.index,
            length_m=length,
            width_m=lane.width_m,
            speed_mps=lane.speed_mps,
            classes=classes_of(lane),
            is_bay=is_bay,
        )

    def _reach(self, lane: RawLane, chain: list[str]) -> tuple[float, bool]:
        """Return how far back the lane reaches inside its chain, and whether it begins there."""
        length, current = lane.length_m, lane
        for edge in reversed(chain[:-1]):
            before = [c for c in self.turns_from[edge] if c.to_lane == current.id]
            keeps = [c for c in before if self._main_target(c.from_lane, edge) == current.id]
            if not keeps:
                return length, True
            current = self.lane_index[keeps[0].from_lane]
            length += current.length_m
        return length, False

    def _main_target(self, lane: str, edge: str) -> str:
        """Return which of the lanes ahead simply continues this one: the one that goes through."""
        ahead = [c for c in self.turns_from[edge] if c.from_lane == lane]
        through = [c for c in ahead if self._goes_through(c.to_lane)]
        best = min(through or ahead, key=lambda c: abs(c.end_lane - c.start_lane))
        return best.to_lane

    def _goes_through(self, lane: str) -> bool:
        edge = self.lane_index[lane].edge
        turns = (c for c in self.turns_from[edge] if c.from_lane == lane)
        return any(TURNS.get(c.direction) is Turn.THROUGH for c in turns)

    def _lanes_ahead(self, chain: list[str]) -> dict[str, tuple[LaneId, ...]]:
        """Return for each lane of a chain the stop-line lanes it leads to."""
        last = self.streets[chain[-1]]
        ahead: dict[str, tuple[LaneId, ...]] = {
            lane.id: (LaneId(lane.id),) for lane in last.lanes if _is_road(lane)
        }
        for edge in reversed(chain[:-1]):
            for lane in self.streets[edge].lanes:
                targets = (c.to_lane for c in self.turns_from[edge] if c.from_lane == lane.id)
                found = dict.fromkeys(x for t in targets for x in ahead.get(t, ()))
                ahead[lane.id] = tuple(found)
        return ahead

    # movements ----------------------------------------------------------------------------

    def _movements(
        self,
        chains: list[list[str]],
        legs: Mapping[LinkId, Leg],
        edge_links: Mapping[str, LinkId],
    ) -> tuple[tuple[Movement, ...], dict[int, MovementId]]:
        grouped: dict[tuple[str, str], list[RawConnection]] = defaultdict(list)
        for chain in chains:
            for connection in self.turns_from[chain[-1]]:
                grouped[connection.start, connection.end].append(connection)
        movements, by_connection = [], {}
        for (start, end), connections in grouped.items():
            movement = self._movement(LinkId(start), edge_links[end], connections, legs)
            movements.append(movement)
            by_connection.update({id(c): movement.id for c in connections})
        by_connection.update(self._inner_heads(by_connection))
        return tuple(sorted(movements, key=lambda m: m.id)), by_connection

    def _inner_heads(self, outer: Mapping[int, MovementId]) -> dict[int, MovementId]:
        """Return the movements of signals inside a junction, where turning traffic waits."""
        by_via = {c.via: outer[id(c)] for c in self.raw.connections if id(c) in outer and c.via}
        inner = (c for c in self.raw.connections if c.tl and c.start.startswith(":"))
        return {id(c): by_via[c.from_lane] for c in inner if c.from_lane in by_via}

    def _movement(
        self,
        start: LinkId,
        end: LinkId,
        connections: list[RawConnection],
        legs: Mapping[LinkId, Leg],
    ) -> Movement:
        turn = Counter(TURNS.get(c.direction, Turn.THROUGH) for c in connections).most_common(1)
        cars = [c for c in connections if "passenger" in classes_of(self.lane_index[c.from_lane])]
        paths = [self.path(c) for c in cars or connections]
        return Movement(
            id=MovementId(f"{start}>{end}"),
            intersection=IntersectionId(self.streets[start].end),
            from_link=start,
            to_link=end,
            turn=turn[0][0],
            leg=legs[start],
            lanes=tuple(sorted({LaneId(c.from_lane) for c in connections})),
            length_m=max(sum(lane.length_m for lane in path) for path in paths),
            speed_mps=min((lane.speed_mps for path in paths for lane in path), default=13.9),
            controllers=tuple(sorted({ControllerId(c.tl) for c in connections if c.tl})),
        )

    def path(self, connection: RawConnection) -> list[RawLane]:
        """Return the internal lanes a connection runs over, in order."""
        found: list[RawLane] = []
        via = connection.via
        while via and via in self.lane_index and len(found) < len(self.lane_index):
            found.append(self.lane_index[via])
            via = self.via_next.get(via, "")
        return found

    # crossings and intersections ------------------------------------------------------------

    def _crossings(
        self, legs: Mapping[LinkId, Leg], edge_links: Mapping[str, LinkId]
    ) -> tuple[Crossing, ...]:
        lights: dict[str, set[ControllerId]] = defaultdict(set)
        for c in self.raw.connections:
            if c.tl and c.end in self.raw.edges and self.raw.edges[c.end].function == "crossing":
                lights[c.end].add(ControllerId(c.tl))
        found = [
            self._crossing(edge, legs, edge_links, lights[edge.id])
            for edge in self.raw.edges.values()
            if edge.function == "crossing" and edge.lanes
        ]
        return tuple(sorted(found, key=lambda c: c.id))

    def _crossing(
        self,
        edge: RawEdge,
        legs: Mapping[LinkId, Leg],
        edge_links: Mapping[str, LinkId],
        lights: Iterable[ControllerId],
    ) -> Crossing:
        junction = edge.id.removeprefix(":").rsplit("_", maxsplit=1)[0]
        known = [e for e in edge.crossing_edges if e in edge_links]
        inward = [e for e in known if self.streets[e].end == junction]
        if inward:
            leg = legs[edge_links[inward[0]]]
        elif known:
            leg = leg_of(tuple(reversed(self._centre(self.streets[known[0]]))))
        else:
            leg = Leg.N
        return Crossing(
            id=CrossingId(edge.id),
            intersection=IntersectionId(junction),
            leg=leg,
            links=tuple(dict.fromkeys(edge_links[e] for e in known)),
            length_m=edge.lanes[0].length_m,
            width_m=edge.lanes[0].width_m,
            refuge_m=0.0,
            controllers=tuple(sorted(lights)),
        )

    def _intersections(
        self,
        links: tuple[Link, ...],
        movements: tuple[Movement, ...],
        crossings: tuple[Crossing, ...],
    ) -> tuple[Intersection, ...]:
        signalised = {m.intersection for m in movements if m.controllers}
        signalised |= {c.intersection for c in crossings if c.controllers}
        moving = {m.intersection for m in movements}
        streets: dict[IntersectionId, Counter[str]] = defaultdict(Counter)
        for link in links:
            for place in (link.start, link.end):
                if link.name:
                    streets[place][link.name] += 1
        ids = {link.start for link in links} | {link.end for link in links} | signalised
        kinds = {
            place: IntersectionKind.SIGNAL
            if place in signalised
            else IntersectionKind.PRIORITY
            if place in moving
            else IntersectionKind.EDGE
            for place in ids
        }
        return tuple(self._intersection(p, streets[p], kinds[p]) for p in sorted(ids))

    def _intersection(
        self, place: IntersectionId, streets: Counter[str], kind: IntersectionKind
    ) -> Intersection:
        junction = self.raw.junctions.get(place)
        names = [name for name, _ in streets.most_common(2)]
        return Intersection(
            id=place,
            name="-".join(names) or place,
            kind=kind,
            at=(junction.x, junction.y) if junction else (0.0, 0.0),
        )


def leg_of(shape: tuple[Point, ...]) -> Leg:
    """Return the side an approach lies on: where its driver comes from, seen from the stop line."""
    return LEGS[round(bearing_deg(shape) / 45) % 8]
