# SPDX-License-Identifier: Apache-2.0
"""How phases, movements and directions are called, and on which bearings streets lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import atan2, degrees, hypot

from lvbo.ids import LinkId, MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Leg, Point, Turn
from lvbo.report.words import Words
from lvbo.signal.lamp import PhaseKind, Right
from lvbo.signal.rules import Controller

LOOK_M = 30.0  # how far down a street one looks to tell its bearing
SAME_LEG_DEG = 25.0

_LEGS = tuple(Leg)
_TURNS = (Turn.THROUGH, Turn.LEFT, Turn.RIGHT, Turn.UTURN)


def bearing(start: Point, end: Point) -> float:
    """Return the direction from one point to another, degrees clockwise from north."""
    return degrees(atan2(end[0] - start[0], end[1] - start[1])) % 360


def turned(a_deg: float, b_deg: float) -> float:
    """Return the least angle between two bearings, 0 to 180 degrees."""
    return abs((a_deg - b_deg + 180) % 360 - 180)


def leg_bearing(network: Network, link: LinkId, *, arriving: bool) -> float:
    """Return the bearing on which a link lies, seen from the intersection at that end of it."""
    shape = network.link_index[link].shape
    points = shape[::-1] if arriving else shape
    origin = points[0]
    far = next(
        (p for p in points[1:] if hypot(p[0] - origin[0], p[1] - origin[1]) >= LOOK_M), points[-1]
    )
    return bearing(origin, far)


def merged_legs(bearings: Iterable[float]) -> tuple[float, ...]:
    """Return one bearing per street: those within 25 degrees of the first found are the same."""
    found: list[float] = []
    for each in bearings:
        if all(turned(each, other) > SAME_LEG_DEG for other in found):
            found.append(each)
    return tuple(found)


def nearest(bearing_deg: float, legs: Iterable[float]) -> float:
    """Return the leg nearest to a bearing."""
    return min(legs, key=lambda leg: turned(leg, bearing_deg))


def movement_name(network: Network, movement: MovementId, words: Words) -> str:
    """Return how a movement is called: east leg, left; 东进口左转."""
    found = network.movement_index[movement]
    return words(
        "word_leg_turn", leg=words(f"word_leg_{found.leg}"), turn=words(f"word_turn_{found.turn}")
    )


def phase_name(network: Network, controller: Controller, phase: PhaseId, words: Words) -> str:
    """Return how a phase is called by what it serves: E+W through; 东西直行; its id if nothing."""
    return phases_name(network, controller, (phase,), words)


def phases_name(
    network: Network, controller: Controller, phases: Sequence[PhaseId], words: Words
) -> str:
    """Return how phases that show the same are called by what all of them serve."""
    services = [s for s in controller.rules.services if s.phase in phases]
    served = [network.movement_index[s.movement] for s in services if s.movement is not None]
    crossed = [network.crossing_index[s.crossing] for s in services if s.crossing is not None]
    parts = []
    legs_of: dict[tuple[Turn, ...], set[Leg]] = {}
    for leg in {m.leg for m in served}:
        turns = tuple(t for t in _TURNS if any(m.leg is leg and m.turn is t for m in served))
        legs_of.setdefault(turns, set()).add(leg)
    for turns, legs in sorted(legs_of.items(), key=lambda item: _TURNS.index(item[0][0])):
        listed = words("word_and").join(words(f"word_turn_{turn}") for turn in turns)
        parts.append(words("word_phase", legs=_legs(legs, words), turns=listed))
    if crossed:
        parts.append(words("word_phase_walk", legs=_legs({c.leg for c in crossed}, words)))
    name = words("word_and_phase").join(parts) or ", ".join(phases)
    if all(controller.rules.phase_index[p].kind is PhaseKind.BICYCLE for p in phases):
        return words("word_phase_bicycles", phase=name)
    yields = services and not any(s.right is Right.PROTECTED for s in services)
    return words("word_phase_yields", phase=name) if yields else name


def _legs(legs: set[Leg], words: Words) -> str:
    ordered = sorted(legs, key=_LEGS.index)
    return words("word_between_legs").join(words(f"word_side_{leg}") for leg in ordered)


def controller_name(network: Network, controller: Controller) -> str:
    """Return the name of a controller: its own, else of its first intersection, else its id."""
    first = network.intersection_index[controller.intersections[0]].name
    return controller.name or first or str(controller.id)
