# SPDX-License-Identifier: Apache-2.0
"""One intersection of four legs by hand: per leg a shared right, a through and a left lane."""

from __future__ import annotations

from lvbo.ids import (
    ControllerId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
    PhaseId,
    PlanId,
)
from lvbo.network.network import Network
from lvbo.network.place import Intersection, IntersectionKind, Lane, Leg, Link, Movement, Turn
from lvbo.signal.lamp import Right
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import Controller, Phase, Service, SignalRules
from lvbo.signal.schedule import PlanSet, one_period

HERE = IntersectionId("X")
CONTROLLER = ControllerId("X")
LEGS = (Leg.N, Leg.E, Leg.S, Leg.W)
TURNS = (Turn.LEFT, Turn.THROUGH, Turn.RIGHT)
EXIT_OF = {Turn.LEFT: 1, Turn.THROUGH: 2, Turn.RIGHT: 3}
"""How many legs clockwise a turn leads (right-hand traffic, legs N E S W)."""
CYCLE_S = 100


def cross(name: str = "安宁街汇通路", *, through_lanes: int = 1) -> Network:
    """Return the network: links in-N, out-N and so on, lanes in-N_0 to in-N_2 from the kerb.

    The kerb lane serves right and through, the last one left, those between through only.
    """
    ends = [
        Intersection(id=IntersectionId(leg), name="", kind=IntersectionKind.EDGE, at=(0.0, 0.0))
        for leg in LEGS
    ]
    centre = Intersection(id=HERE, name=name, kind=IntersectionKind.SIGNAL, at=(0.0, 0.0))
    return Network(
        intersections=tuple(sorted([*ends, centre], key=lambda p: p.id)),
        links=tuple(
            sorted((k for leg in LEGS for k in _links(leg, 2 + through_lanes)), key=lambda k: k.id)
        ),
        movements=tuple(sorted(_movements(1 + through_lanes), key=lambda m: m.id)),
        crossings=(),
        controllers=(Controller(id=CONTROLLER, intersections=(HERE,), rules=_rules()),),
    )


def movement(leg: str, turn: str) -> MovementId:
    """Return the id of a movement, for example E left."""
    return MovementId(f"{leg}-{turn}")


def _links(leg: Leg, count: int) -> tuple[Link, Link]:
    lanes = tuple(_lane(LinkId(f"in-{leg}"), index) for index in range(count))
    return (
        _link(f"in-{leg}", IntersectionId(leg), HERE, lanes, leg),
        _link(f"out-{leg}", HERE, IntersectionId(leg), (), leg),
    )


def _link(
    name: str, start: IntersectionId, end: IntersectionId, lanes: tuple[Lane, ...], leg: Leg
) -> Link:
    return Link(
        id=LinkId(name),
        name="",
        start=start,
        end=end,
        length_m=300.0,
        speed_mps=13.9,
        shape=(),
        lanes=lanes,
        leg=leg,
    )


def _lane(link: LinkId, index: int) -> Lane:
    return Lane(
        id=LaneId(f"{link}_{index}"),
        link=link,
        index=index,
        length_m=300.0,
        width_m=3.25,
        speed_mps=13.9,
        classes=("passenger",),
        is_bay=False,
    )


def _movements(left: int) -> list[Movement]:
    used = {Turn.LEFT: (left,), Turn.THROUGH: tuple(range(left)), Turn.RIGHT: (0,)}
    return [
        Movement(
            id=movement(leg, turn),
            intersection=HERE,
            from_link=LinkId(f"in-{leg}"),
            to_link=LinkId(f"out-{LEGS[(k + EXIT_OF[turn]) % 4]}"),
            turn=turn,
            leg=leg,
            lanes=tuple(LaneId(f"in-{leg}_{lane}") for lane in used[turn]),
            length_m=20.0,
            speed_mps=8.0,
            controllers=(CONTROLLER,),
        )
        for k, leg in enumerate(LEGS)
        for turn in TURNS
    ]


def _rules() -> SignalRules:
    groups = {"NS": "NS", "EW": "EW"}
    phases = [PhaseId(f"{g}{kind}") for g in groups for kind in ("T", "L")]
    services = [
        Service(
            phase=PhaseId(f"{'NS' if leg in 'NS' else 'EW'}{'L' if turn == 'left' else 'T'}"),
            right=Right.PROTECTED,
            movement=movement(leg, turn),
        )
        for leg in LEGS
        for turn in TURNS
    ]
    return SignalRules(phases=tuple(Phase(id=p) for p in phases), services=tuple(services))


def cross_plans(*, east_left_s: int = 15) -> PlanSet:
    """Return one 100 s plan all day: NS through 30 and left 15, EW through 30 and left as given."""
    spans = {"NST": (0, 30), "NSL": (33, 12), "EWT": (48, 30), "EWL": (81, east_left_s)}
    greens = [
        Greens(
            phase=PhaseId(name),
            windows=(Window(start_ds=10 * start, length_ds=10 * length, yellow_ds=30),),
        )
        for name, (start, length) in spans.items()
    ]
    plan: Plan = referenced(PlanId("P1"), CONTROLLER, 10 * CYCLE_S, greens, PhaseId("NST"), 0)
    return one_period([plan])
