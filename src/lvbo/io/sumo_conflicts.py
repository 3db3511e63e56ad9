# SPDX-License-Identifier: Apache-2.0
"""Who may go with whom, and how long after whom, from the foes and paths of a SUMO network."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from lvbo.ids import PhaseId
from lvbo.io.sumo_graph import TURNS, Graph
from lvbo.io.sumo_signals import Group, Head, SignalPart
from lvbo.io.sumo_xml import RawLane, RawNet
from lvbo.network.place import Point, Turn
from lvbo.signal.lamp import Conflict, Lamp, PhaseKind
from lvbo.signal.orders import permanent_phases, stage_sets
from lvbo.signal.plan import Plan
from lvbo.signal.rules import (
    ConflictMatrix,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    SignalRules,
    StageSets,
)
from lvbo.timing.clearance import Encounter, User, intergreen, whole_seconds

_FORBIDDEN = Conflict.FORBIDDEN
OPPOSING_DEG = 50.0
"""Approaches oppose each other when their bearings differ by half a turn, give or take this."""


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a head's traffic runs inside the junction, from its stop line."""

    request: int | None
    junction: str
    points: tuple[Point, ...]


def build_rules(raw: RawNet, graph: Graph, part: SignalPart) -> SignalRules:
    """Return the rules of one controller: conflicts from foes, intergreens from paths and plans."""
    return _Rules(raw, graph, part).build()


class _Rules:
    """Hold the look-up tables of one controller."""

    def __init__(self, raw: RawNet, graph: Graph, part: SignalPart) -> None:
        self.raw = raw
        self.bearings = {link.id: link.bearing_deg for link in graph.links}
        self.part = part
        self.lanes: Mapping[str, RawLane] = {
            lane.id: lane for e in raw.edges.values() for lane in e.lanes
        }
        self.via_next = {
            f"{c.start}_{c.start_lane}": c.via
            for c in raw.connections
            if c.start.startswith(":") and c.via
        }
        self.cars = {
            junction: _first_crossing(raw, junction)
            for junction in {str(place) for place in part.intersections}
        }
        self.paths = {id(h): self._path(h) for g in part.groups for h in g.heads}

    def build(self) -> SignalRules:
        conflicts: dict[tuple[PhaseId, PhaseId], Conflict] = {}
        computed: dict[tuple[PhaseId, PhaseId], int] = defaultdict(int)
        for first, second in product(self.part.groups, repeat=2):
            if first is not second:
                self._pair(first, second, conflicts, computed)
        observed = observed_gaps_ds(self.part.plans, conflicts)
        pairs = sorted(pair for pair, kind in conflicts.items() if kind is Conflict.FORBIDDEN)
        return SignalRules(
            phases=self.part.phases,
            services=self.part.services(),
            conflicts=ConflictMatrix(
                pairs=tuple((a, b, kind) for (a, b), kind in sorted(conflicts.items()) if a < b)
            ),
            intergreens=IntergreenMatrix(
                pairs=tuple(
                    (a, b, max(computed[a, b], observed.get((a, b), 0)) or None) for a, b in pairs
                )
            ),
            limits=tuple(_limits(phase, self.part.plans) for phase in self.part.phases),
            orders=self._orders(),
            permanent=permanent_phases(self.part.phases, self.part.plans),
        )

    def _orders(self) -> tuple[StageSets, ...]:
        """Return the stage orders of the programmes, the one loaded last first."""
        found = (stage_sets(self.part.phases, plan) for plan in reversed(self.part.plans))
        return tuple(dict.fromkeys(order for order in found if order))

    def _pair(
        self,
        first: Group,
        second: Group,
        conflicts: dict[tuple[PhaseId, PhaseId], Conflict],
        computed: dict[tuple[PhaseId, PhaseId], int],
    ) -> None:
        """Add what the phases of two groups may do together, and the time the first must clear."""
        foes = [(a, b) for a in first.heads for b in second.heads if self._are_foes(a, b)]
        if not foes:
            return
        clear_ds = max(self._clear_ds(a, b) for a, b in foes)
        for ending, starting in product(first.phases.values(), second.phases.values()):
            if not (ending.is_going and starting.is_going):
                continue
            kinds = {self._kind(a, ending, b, starting) for a, b in foes}
            kind = Conflict.FORBIDDEN if Conflict.FORBIDDEN in kinds else Conflict.YIELD
            conflicts[ending.id, starting.id] = kind
            if kind is Conflict.FORBIDDEN:
                computed[ending.id, starting.id] = max(clear_ds, ending.yellow_ds)

    # conflicts ------------------------------------------------------------------------------

    def _path(self, head: Head) -> _Path:
        if head.crossing is not None:
            junction = str(head.crossing.intersection)
            number = int(str(head.crossing.id).rsplit("_c", maxsplit=1)[-1])
            lane = self.lanes[f"{head.crossing.id}_0"]
            return _Path(self.cars.get(junction, 0) + number, junction, lane.shape)
        via = head.connection.via
        if not via:
            return _Path(None, "", ())
        junction, number, lane_number = via.removeprefix(":").rsplit("_", maxsplit=2)
        shape: list[Point] = []
        while via in self.lanes:
            shape.extend(self.lanes[via].shape)
            via = self.via_next.get(via, "")
        return _Path(int(number) + int(lane_number), junction, tuple(shape))

    def _are_foes(self, a: Head, b: Head) -> bool:
        first, second = self.paths[id(a)], self.paths[id(b)]
        if first.junction != second.junction or first.request is None or second.request is None:
            return False
        if a.connection.start == b.connection.start and a.crossing is None:
            return False
        junction = self.raw.junctions[first.junction]
        forth = junction.foes.get(first.request, 0) >> second.request & 1
        back = junction.foes.get(second.request, 0) >> first.request & 1
        return bool(forth or back)

    def _kind(self, a: Head, phase_a: Phase, b: Head, phase_b: Phase) -> Conflict:
        for head, phase, foe in ((a, phase_a, b), (b, phase_b, a)):
            yields = phase.shows is not Lamp.GREEN and phase.kind is not PhaseKind.PEDESTRIAN
            if yields and (self._may_yield(head, foe) or self._seen_yielding(head, foe)):
                return Conflict.YIELD
        return Conflict.FORBIDDEN

    def _may_yield(self, head: Head, foe: Head) -> bool:
        """Say whether the law lets `head` go yielding to `foe`: left to oncoming, turns to walkers."""
        if head.movement is None:
            return False
        turn = TURNS.get(head.connection.direction, Turn.THROUGH)
        if foe.movement is None:
            return turn is not Turn.THROUGH
        if turn in {Turn.RIGHT, Turn.UTURN}:
            return True
        ways = (self.bearings[h.movement.from_link] for h in (head, foe) if h.movement)
        return turn is Turn.LEFT and opposing(*ways)

    def _seen_yielding(self, head: Head, foe: Head) -> bool:
        """Say whether the junction lets `head` yield to `foe` and a programme of the site uses it."""
        own, other = self.paths[id(head)], self.paths[id(foe)]
        junction = self.raw.junctions[own.junction]
        if own.request is None or other.request is None:
            return False
        if not junction.response.get(own.request, 0) >> other.request & 1:
            return False
        return any(_together(plan, self._permits(head), self._all(foe)) for plan in self.part.plans)

    def _permits(self, head: Head) -> list[PhaseId]:
        return [p.id for p in self._group(head).phases.values() if p.shows is not Lamp.GREEN]

    def _all(self, head: Head) -> list[PhaseId]:
        return [p.id for p in self._group(head).phases.values() if p.is_going]

    def _group(self, head: Head) -> Group:
        return next(g for g in self.part.groups if head in g.heads)

    # intergreens ----------------------------------------------------------------------------

    def _clear_ds(self, ending: Head, starting: Head) -> int:
        """Return the clearance time, rounded up to whole seconds, in tenths."""
        clear_m, enter_m = meeting_m(self.paths[id(ending)].points, self.paths[id(starting)].points)
        if ending.crossing is not None:
            clear_m = ending.crossing.longest_walk_m
        if starting.crossing is not None:  # a pedestrian may already stand at the kerb
            enter_m = 0.0
        encounter = Encounter(user=_user(ending), clear_m=clear_m, enter_m=enter_m)
        return 10 * whole_seconds(intergreen([encounter]))


def opposing(a_deg: float, b_deg: float) -> bool:
    """Say whether two approaches face each other, by their bearings in degrees."""
    return abs((a_deg - b_deg) % 360 - 180) <= OPPOSING_DEG


def _user(head: Head) -> User:
    if head.crossing is not None:
        return User.PEDESTRIAN
    straight = TURNS.get(head.connection.direction, Turn.THROUGH) is Turn.THROUGH
    return User.THROUGH if straight else User.TURNING


def _first_crossing(raw: RawNet, junction: str) -> int:
    """Return the request index of a junction's first crossing: they come after all connections."""
    prefix = f":{junction}_"
    numbers = [
        int(number) + int(lane) + 1
        for c in raw.connections
        if c.via.startswith(prefix) and not c.start.startswith(":")
        for number, lane in [c.via.removeprefix(prefix).rsplit("_", maxsplit=1)]
    ]
    return max(numbers, default=0)


def meeting_m(first: tuple[Point, ...], second: tuple[Point, ...]) -> tuple[float, float]:
    """Return how far along each path they meet, in metres from their stop lines.

    For the first the farthest crossing point, for the second the nearest; where the lines never
    cross (they only merge or run close) the whole lengths.
    """
    hits = [
        (done_a + t * length_a, done_b + u * length_b)
        for done_a, length_a, a0, a1 in _segments(first)
        for done_b, length_b, b0, b1 in _segments(second)
        for t, u in _crossing_of(a0, a1, b0, b1)
    ]
    if not hits:
        return _length(first), _length(second)
    return max(a for a, _ in hits), min(b for _, b in hits)


def _segments(path: tuple[Point, ...]) -> Iterable[tuple[float, float, Point, Point]]:
    done = 0.0
    for a, b in zip(path, path[1:], strict=False):
        length = math.dist(a, b)
        yield done, length, a, b
        done += length


def _length(path: tuple[Point, ...]) -> float:
    return sum(length for _, length, _, _ in _segments(path))


def _crossing_of(a0: Point, a1: Point, b0: Point, b1: Point) -> Iterable[tuple[float, float]]:
    ax, ay, bx, by = a1[0] - a0[0], a1[1] - a0[1], b1[0] - b0[0], b1[1] - b0[1]
    cross = ax * by - ay * bx
    if abs(cross) < 1e-9:
        return
    dx, dy = b0[0] - a0[0], b0[1] - a0[1]
    t, u = (dx * by - dy * bx) / cross, (dx * ay - dy * ax) / cross
    if 0 <= t <= 1 and 0 <= u <= 1:
        yield t, u


# plans as evidence --------------------------------------------------------------------------


def _together(plan: Plan, some: list[PhaseId], others: list[PhaseId]) -> bool:
    return any(
        (second.start_ds - first.start_ds) % plan.cycle_ds < first.length_ds
        or (first.start_ds - second.start_ds) % plan.cycle_ds < second.length_ds
        for a, b in product(some, others)
        for first in plan.windows_of(a)
        for second in plan.windows_of(b)
    )


def observed_gaps_ds(
    plans: Iterable[Plan], conflicts: Mapping[tuple[PhaseId, PhaseId], Conflict]
) -> dict[tuple[PhaseId, PhaseId], int]:
    """Return the shortest gap any plan leaves between the end of one phase and the start of a foe."""
    found: dict[tuple[PhaseId, PhaseId], int] = {}
    for plan in plans:
        foes = {
            b: [c for (c, other), kind in conflicts.items() if other == b and kind is _FORBIDDEN]
            for b in {pair[1] for pair in conflicts}
        }
        for (a, b), kind in conflicts.items():
            if kind is not _FORBIDDEN:
                continue
            for ending, starting in product(plan.windows_of(a), plan.windows_of(b)):
                gap = (starting.start_ds - ending.end_ds) % plan.cycle_ds
                if gap > 0 and not _green_within(plan, foes[b], ending.end_ds, gap):
                    found[a, b] = min(gap, found.get((a, b), gap))
    return found


def _green_within(plan: Plan, phases: Iterable[PhaseId], start_ds: int, length_ds: int) -> bool:
    """Say whether any of the phases has green in the span."""
    return any(
        (window.start_ds - start_ds) % plan.cycle_ds < length_ds
        or (start_ds - window.start_ds) % plan.cycle_ds < window.length_ds
        for phase in phases
        for window in plan.windows_of(phase)
    )


def _limits(phase: Phase, plans: tuple[Plan, ...]) -> PhaseLimits:
    """Return the defaults, no stricter than what the site itself runs."""
    windows = [(w, plan.cycle_ds) for plan in plans for w in plan.windows_of(phase.id)]
    shortest = min((w.length_ds for w, _ in windows), default=50)
    longest_red = max((cycle - w.length_ds for w, cycle in windows), default=0)
    return PhaseLimits(
        phase=phase.id,
        min_green_ds=max(10, min(50, shortest)),
        max_red_ds=max(1200, longest_red * 5 // 4),
    )
