# SPDX-License-Identifier: Apache-2.0
"""What the street is: intersections, links between them, lanes, movements, crossings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lvbo.ids import ControllerId, CrossingId, IntersectionId, LaneId, LinkId, MovementId

Point = tuple[float, float]

LOOK_BACK_M = 25.0
"""How far back from the stop line the direction of an approach is taken."""


class Leg(StrEnum):
    """The compass side of an intersection on which an approach lies (东进口 is E, westbound)."""

    N = "N"
    NE = "NE"
    E = "E"
    SE = "SE"
    S = "S"
    SW = "SW"
    W = "W"
    NW = "NW"


class Turn(StrEnum):
    """Where a movement goes, seen by its driver."""

    LEFT = "left"
    THROUGH = "through"
    RIGHT = "right"
    UTURN = "uturn"


class IntersectionKind(StrEnum):
    """How right of way is given at an intersection."""

    SIGNAL = "signal"
    PRIORITY = "priority"
    EDGE = "edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intersection:
    """A place where streets meet; `EDGE` is where the network ends."""

    id: IntersectionId
    name: str
    kind: IntersectionKind
    at: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane at a stop line; `length_m` reaches back to where the lane (or bay) begins.

    `index` counts from the kerb. `classes` are the vehicle classes that may use it.
    """

    id: LaneId
    link: LinkId
    index: int
    length_m: float
    width_m: float
    speed_mps: float
    classes: tuple[str, ...]
    is_bay: bool

    @property
    def for_cars(self) -> bool:
        """Say whether private cars may use the lane."""
        return "passenger" in self.classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-way stretch of street between two intersections, edges of a chain joined.

    `shape` is its centre line in local metres; `lanes` are those at its end; `speed_mps` is the
    length-weighted harmonic mean of the limits.
    """

    id: LinkId
    name: str
    start: IntersectionId
    end: IntersectionId
    length_m: float
    speed_mps: float
    shape: tuple[Point, ...]
    lanes: tuple[Lane, ...]
    leg: Leg

    @property
    def bearing_deg(self) -> float:
        """Return the bearing from the stop line back along the link, degrees clockwise of north."""
        return bearing_deg(self.shape)

    @property
    def car_lanes(self) -> tuple[Lane, ...]:
        """Return the lanes open to private cars."""
        return tuple(lane for lane in self.lanes if lane.for_cars)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """From one link to another across an intersection; `lanes` are its stop-line lanes.

    `length_m` is the path inside the intersection. `controllers` own the heads it obeys: none at an
    intersection without signals.
    """

    id: MovementId
    intersection: IntersectionId
    from_link: LinkId
    to_link: LinkId
    turn: Turn
    leg: Leg
    lanes: tuple[LaneId, ...]
    length_m: float
    speed_mps: float
    controllers: tuple[ControllerId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A pedestrian crossing over the links of one leg; `refuge_m` is the width of its island."""

    id: CrossingId
    intersection: IntersectionId
    leg: Leg
    links: tuple[LinkId, ...]
    length_m: float
    width_m: float
    refuge_m: float
    controllers: tuple[ControllerId, ...]

    @property
    def longest_walk_m(self) -> float:
        """Return the longest stretch between kerb and island, or kerb and kerb."""
        if self.refuge_m > 0:
            return (self.length_m - self.refuge_m) / 2
        return self.length_m


def bearing_deg(shape: tuple[Point, ...]) -> float:
    """Return the bearing from the end of a line back along it, degrees clockwise of north."""
    end = shape[-1]
    back = next((p for p in reversed(shape) if math.dist(p, end) >= LOOK_BACK_M), shape[0])
    return math.degrees(math.atan2(back[0] - end[0], back[1] - end[1]))
