# SPDX-License-Identifier: Apache-2.0
"""The streets of a lattice as a network: crosses with left-turn bays, lefts on arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from lvbo.ids import (
    ControllerId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
    PhaseId,
)
from lvbo.network.network import Network
from lvbo.network.place import Intersection, IntersectionKind, Lane, Leg, Link, Movement, Turn
from lvbo.signal.lamp import Conflict, PhaseKind, Right
from lvbo.signal.rules import (
    ConflictMatrix,
    Controller,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    Service,
    SignalRules,
)

APPROACHES = "ENSW"
"""The legs of a signal, in the order of their names."""
AROUND = "NESW"
TURN_NAMES = "LRT"
"""The turns of an approach, in the order of their names."""
TURNS: Mapping[str, Turn] = {"L": Turn.LEFT, "R": Turn.RIGHT, "T": Turn.THROUGH}
STEPS: Mapping[str, int] = {"L": 1, "T": 2, "R": 3}
"""How many legs clockwise a turn leads from the leg it comes from, where people drive right."""
INSIDE_M: Mapping[str, float] = {"L": 26.0, "R": 12.0, "T": 24.0}
LANE_TURNS = ("RT", "T", "L")
"""Turns of the lanes of an approach, the kerb lane first."""
LIMIT_MPS, TURNING_MPS = 13.9, 8.0
LANE_M, BAY_M = 3.5, 80.0
INTERGREEN_DS, LEAST_DS, LEAST_LEFT_DS = 50, 150, 80
WAYS: Mapping[str, tuple[int, int]] = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}


def exit_leg(leg: str, turn: str) -> str:
    """Return the leg by which a turn leaves."""
    return AROUND[(AROUND.index(leg) + STEPS[turn]) % len(AROUND)]


def signal_name(row: int, column: int) -> ControllerId:
    """Return the name of a signal; names sort row by row."""
    return ControllerId(f"{row:04d}.{column:04d}")


def link_name(signal: str, leg: str) -> LinkId:
    """Return the name of the link that comes into a signal from one leg."""
    return LinkId(f"{signal}{leg}")


def movement_name(signal: str, leg: str, turn: str) -> MovementId:
    """Return the name of a turn from one leg of a signal."""
    return MovementId(f"{signal}{leg}{turn}")


def lattice_network(
    rows: int, columns: int, across_m: Sequence[float], along_m: Sequence[float]
) -> Network:
    """Return a lattice; `across_m` are the lengths between rows, `along_m` between columns.

    Both begin and end with the ways into the lattice. Row 0 lies in the north.
    """
    grid = _Grid(rows, columns, across_m, along_m)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    return Network(
        intersections=tuple(sorted(grid.places(), key=lambda place: place.id)),
        links=tuple(sorted(grid.links(), key=lambda link: link.id)),
        movements=tuple(
            sorted((m for at in places for m in grid.movements(*at)), key=lambda move: move.id)
        ),
        crossings=(),
        controllers=tuple(_controller(signal_name(*at)) for at in places),
    )


class _Grid:
    """Places and links by row and column; -1 and the number of rows or columns are the edge."""

    def __init__(
        self, rows: int, columns: int, across_m: Sequence[float], along_m: Sequence[float]
    ) -> None:
        self.rows, self.columns = rows, columns
        self.y = [-sum(across_m[: r + 1]) for r in range(-1, rows + 1)]
        self.x = [sum(along_m[: c + 1]) for c in range(-1, columns + 1)]

    def places(self) -> Iterator[Intersection]:
        """Yield signals and the places where the lattice ends."""
        for row in range(-1, self.rows + 1):
            for column in range(-1, self.columns + 1):
                inside = self._is_signal(row, column)
                if inside or (0 <= row < self.rows) != (0 <= column < self.columns):
                    name = self._place(row, column)
                    kind = IntersectionKind.SIGNAL if inside else IntersectionKind.EDGE
                    yield Intersection(id=name, name=name, kind=kind, at=self._at(row, column))

    def links(self) -> Iterator[Link]:
        """Yield the links into every signal and those that leave the lattice."""
        for row in range(self.rows):
            for column in range(self.columns):
                for leg, (dx, dy) in WAYS.items():
                    far = row - dy, column + dx
                    name = link_name(signal_name(row, column), leg)
                    yield self._link(name, far, (row, column), leg)
                    if not self._is_signal(*far):
                        yield self._link(LinkId(f"{name}.out"), (row, column), far, leg)

    def movements(self, row: int, column: int) -> Iterator[Movement]:
        """Yield the movements of one signal."""
        signal = signal_name(row, column)
        for leg in APPROACHES:
            for turn in TURN_NAMES:
                link, leaves = link_name(signal, leg), exit_leg(leg, turn)
                yield Movement(
                    id=movement_name(signal, leg, turn),
                    intersection=self._place(row, column),
                    from_link=link,
                    to_link=self._way_out(row, column, leaves),
                    turn=TURNS[turn],
                    leg=Leg(leg),
                    lanes=tuple(
                        LaneId(f"{link}_{k}") for k, turns in enumerate(LANE_TURNS) if turn in turns
                    ),
                    length_m=INSIDE_M[turn],
                    speed_mps=TURNING_MPS,
                    controllers=(signal,),
                )

    def _way_out(self, row: int, column: int, leg: str) -> LinkId:
        dx, dy = WAYS[leg]
        far = row - dy, column + dx
        if self._is_signal(*far):
            return link_name(signal_name(*far), exit_leg(leg, "T"))
        return LinkId(f"{link_name(signal_name(row, column), leg)}.out")

    def _is_signal(self, row: int, column: int) -> bool:
        return 0 <= row < self.rows and 0 <= column < self.columns

    def _place(self, row: int, column: int) -> IntersectionId:
        inside = self._is_signal(row, column)
        return IntersectionId(signal_name(row, column) if inside else f"edge {row} {column}")

    def _at(self, row: int, column: int) -> tuple[float, float]:
        return self.x[column + 1], self.y[row + 1]

    def _link(self, name: LinkId, start: tuple[int, int], end: tuple[int, int], leg: str) -> Link:
        shape = (self._at(*start), self._at(*end))
        length = abs(shape[0][0] - shape[1][0]) + abs(shape[0][1] - shape[1][1])
        return Link(
            id=name,
            name=f"column {end[1]}" if leg in "NS" else f"row {end[0]}",
            start=self._place(*start),
            end=self._place(*end),
            length_m=length,
            speed_mps=LIMIT_MPS,
            shape=shape,
            lanes=tuple(_lane(name, k, length) for k in range(len(LANE_TURNS))),
            leg=Leg(leg),
        )


def _lane(link: LinkId, index: int, length_m: float) -> Lane:
    bay = LANE_TURNS[index] == "L"
    return Lane(
        id=LaneId(f"{link}_{index}"),
        link=link,
        index=index,
        length_m=BAY_M if bay else length_m,
        width_m=LANE_M,
        speed_mps=LIMIT_MPS,
        classes=("passenger",),
        is_bay=bay,
    )


def _controller(signal: ControllerId) -> Controller:
    """Return a controller with a phase for right and through and one for the left of each leg."""
    phases = [PhaseId(f"{leg}{kind}") for leg in APPROACHES for kind in ("", "L")]
    pairs = [(a, b) for a, b in combinations(phases, 2) if _cross(a, b)]
    both_ways = [*pairs, *((b, a) for a, b in pairs)]
    through, lefts = (("N", "S"), ("E", "W")), (("NL", "SL"), ("EL", "WL"))
    order = tuple(
        tuple(PhaseId(p) for p in stage)
        for pair in zip(through, lefts, strict=True)
        for stage in pair
    )
    return Controller(
        id=signal,
        intersections=(IntersectionId(signal),),
        name=signal,
        rules=SignalRules(
            phases=tuple(
                Phase(id=p, kind=PhaseKind.ARROW if p.endswith("L") else PhaseKind.VEHICLE)
                for p in phases
            ),
            services=tuple(_services(signal, phases)),
            conflicts=ConflictMatrix(pairs=tuple((a, b, Conflict.FORBIDDEN) for a, b in pairs)),
            intergreens=IntergreenMatrix(pairs=tuple((a, b, INTERGREEN_DS) for a, b in both_ways)),
            limits=tuple(
                PhaseLimits(phase=p, min_green_ds=LEAST_LEFT_DS if p.endswith("L") else LEAST_DS)
                for p in phases
            ),
            orders=(order,),
        ),
    )


def _cross(a: str, b: str) -> bool:
    """Say whether two phases are foes: other streets, or a left and the through it meets."""
    if (a[0] in "NS") != (b[0] in "NS"):
        return True
    return a[0] != b[0] and a.endswith("L") != b.endswith("L")


def _services(signal: ControllerId, phases: Sequence[PhaseId]) -> Iterator[Service]:
    for phase in phases:
        for turn in "L" if phase.endswith("L") else "RT":
            move = movement_name(signal, phase[0], turn)
            yield Service(phase=phase, right=Right.PROTECTED, movement=move)
