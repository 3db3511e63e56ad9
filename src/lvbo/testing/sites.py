# SPDX-License-Identifier: Apache-2.0
"""Sites of our own, built without any file: the shapes that a controller must cope with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from lvbo.control.protocols import Capability, Order
from lvbo.control.site import Site, Zone, read_site
from lvbo.ids import (
    ControllerId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
    PhaseId,
    PlanId,
    StageId,
)
from lvbo.network.network import Network
from lvbo.network.place import Intersection, IntersectionKind, Lane, Leg, Link, Movement, Turn
from lvbo.signal.lamp import Conflict, Countdown, PhaseKind, Right
from lvbo.signal.plan import Plan
from lvbo.signal.rules import (
    ConflictMatrix,
    Controller,
    Follows,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    Service,
    SignalRules,
    StageSets,
)
from lvbo.signal.stages import from_stages

LEGS: Mapping[Leg, tuple[int, int]] = {
    Leg.N: (0, 1),
    Leg.E: (1, 0),
    Leg.S: (0, -1),
    Leg.W: (-1, 0),
}
"""The legs of a cross, clockwise, each with the way out to it."""
TURNS = {"L": Turn.LEFT, "T": Turn.THROUGH, "R": Turn.RIGHT}
LEFT_OF, AHEAD_OF, RIGHT_OF = 1, 2, 3
STEPS = {"L": LEFT_OF, "T": AHEAD_OF, "R": RIGHT_OF}
"""How many legs clockwise a turn leads from the leg it comes from, where people drive right."""
LINK_M, LANE_M, LIMIT_MPS = 250.0, 3.5, 13.9
BAY_M = 60.0
INTERGREEN_DS, AFTER_WALK_DS = 50, 120
PLAN_GREEN_DS = 250
PLACE = IntersectionId("cross")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one phase lets go: legs, turns, and which of the turns give way."""

    legs: str
    turns: str
    yielding: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """A site with how it is run: stage order, what its equipment accepts, the plan in force."""

    name: str
    site: Site
    order: Order
    plan: Plan
    capability: Capability = Capability.STAGE

    @property
    def runs_plans_only(self) -> bool:
        """Say whether the gate refuses stages here, because a display shows whole greens."""
        return self.capability is Capability.PLAN


def shapes() -> tuple[Shape, ...]:
    """Return the shapes that `check_controller` drives: six small sites with one order each."""
    return (
        _shape("two stages", two_stages(), Order.ANY),
        _shape("four stages with walks", four_stages(), Order.SKIP),
        _shape("waiting area", _waiting_area(), Order.SKIP),
        _shape("countdown of last seconds", _counting_down(Countdown.LAST_SECONDS), Order.FIXED),
        _shape("shared lanes upstream", _fanned(four_stages()), Order.ANY),
        _shape(
            "plans only", _counting_down(Countdown.FULL), Order.FIXED, capability=Capability.PLAN
        ),
    )


def two_stages() -> Site:
    """Return a cross of single lanes: every approach has a phase, lefts wait for gaps."""
    phases = {
        leg: Served(legs=leg, turns="LTR", yielding="LR") for leg in (str(leg) for leg in LEGS)
    }
    return _site("two", ("LTR",), phases, (("N", "S"), ("E", "W")))


def four_stages(name: str = "four") -> Site:
    """Return a cross of eight lanes: throughs, lefts of their own, walks beside the throughs."""
    phases = {
        "NS": Served(legs="NS", turns="TR", yielding="R"),
        "NSL": Served(legs="NS", turns="L"),
        "EW": Served(legs="EW", turns="TR", yielding="R"),
        "EWL": Served(legs="EW", turns="L"),
    }
    order = (("NS", "WALK_NS"), ("NSL",), ("EW", "WALK_EW"), ("EWL",))
    return _site(name, ("TR", "L"), phases, order)


def stage_plan(site: Site) -> Plan:
    """Return a plan that gives each stage of the site's order 25 s of green."""
    order = site.rules.orders[0]
    stages = [(StageId(f"{k + 1}"), phases, PLAN_GREEN_DS) for k, phases in enumerate(order)]
    return from_stages(PlanId("P1"), site.id, site.rules, stages, 0, order[0][0])


def named(site: Site, name: str) -> Site:
    """Return the same site under the id of another controller."""
    return replace(site, controller=replace(site.controller, id=ControllerId(name)))


# variations -----------------------------------------------------------------------------------


def _shape(
    name: str, site: Site, order: Order, *, capability: Capability = Capability.STAGE
) -> Shape:
    return Shape(name=name, site=site, order=order, plan=stage_plan(site), capability=capability)


def _ruled(site: Site, rules: SignalRules) -> Site:
    return replace(site, controller=replace(site.controller, rules=rules))


def _waiting_area() -> Site:
    site = four_stages("waiting")
    follows = tuple(
        Follows(phase=PhaseId(late), after=PhaseId(early))
        for late, early in (("NSL", "NS"), ("EWL", "EW"))
    )
    return _ruled(site, replace(site.rules, follows=follows))


def _counting_down(countdown: Countdown) -> Site:
    site = four_stages(str(countdown))
    return _ruled(site, replace(site.rules, countdown=countdown))


def _fanned(site: Site) -> Site:
    """Return the site with bays: further back a leg has one stretch that leads to all its lanes."""
    ahead = [
        tuple(k for k, lane in enumerate(site.lanes) if str(lane).startswith(str(leg)))
        for leg in LEGS
    ]
    upstream = [
        Zone(name=f"back {k}", lanes=lanes, shares=(0.7, 0.2)[: len(lanes)])
        for k, lanes in enumerate(ahead)
    ]
    shorter = replace(site, zones=(*site.zones, *upstream), length_m=0.0 * site.length_m + BAY_M)
    return named(shorter, "fan")


# building -------------------------------------------------------------------------------------


def _site(
    name: str,
    lanes: Sequence[str],
    phases: Mapping[str, Served],
    order: Sequence[Sequence[str]],
) -> Site:
    """Return the site of a cross whose legs have these lanes, the kerb lane first."""
    stages = tuple(tuple(PhaseId(p) for p in stage) for stage in order)
    controller = Controller(
        id=ControllerId(name), intersections=(PLACE,), rules=_rules(phases, stages), name=name
    )
    return read_site(_network(lanes, controller), controller)


def _rules(phases: Mapping[str, Served], stages: StageSets) -> SignalRules:
    """Return rules in which phases that share no stage are foes, and walks have the right of way.

    Greens are at least 10 s, 5 s where only lefts go; walks 7 s, cleared 12 s after their end.
    """
    ids = tuple(dict.fromkeys(p for stage in stages for p in stage))
    mates = {frozenset(pair) for stage in stages for pair in combinations(stage, 2)}
    kinds = {
        (a, b): Conflict.YIELD if frozenset({a, b}) in mates else Conflict.FORBIDDEN
        for a, b in combinations(ids, 2)
    }
    foes = [pair for pair, kind in kinds.items() if kind is Conflict.FORBIDDEN]
    both_ways = [*foes, *((b, a) for a, b in foes)]
    return SignalRules(
        phases=tuple(_phase(p, phases.get(p)) for p in ids),
        services=tuple(s for p in ids if p in phases for s in _services(p, phases[p])),
        conflicts=ConflictMatrix(pairs=tuple((a, b, kind) for (a, b), kind in kinds.items())),
        intergreens=IntergreenMatrix(
            pairs=tuple(
                (a, b, INTERGREEN_DS if a in phases else AFTER_WALK_DS) for a, b in both_ways
            )
        ),
        limits=tuple(PhaseLimits(phase=p, min_green_ds=_least_ds(phases.get(p))) for p in ids),
        orders=(stages,),
    )


def _phase(name: PhaseId, served: Served | None) -> Phase:
    if served is None:
        return Phase(id=name, kind=PhaseKind.PEDESTRIAN, yellow_ds=0)
    return Phase(id=name, kind=PhaseKind.ARROW if served.turns == "L" else PhaseKind.VEHICLE)


def _least_ds(served: Served | None) -> int:
    if served is None:
        return 70
    return 50 if served.turns == "L" else 100


def _services(phase: PhaseId, served: Served) -> list[Service]:
    return [
        Service(
            phase=phase,
            right=Right.PERMITTED if turn in served.yielding else Right.PROTECTED,
            movement=_movement(leg, turn),
        )
        for leg in served.legs
        for turn in served.turns
    ]


def _movement(leg: str, turn: str) -> MovementId:
    return MovementId(f"{leg}{turn}")


def _network(lanes: Sequence[str], controller: Controller) -> Network:
    ends = [_place(IntersectionId(leg), 250.0 * x, 250.0 * y) for leg, (x, y) in LEGS.items()]
    return Network(
        intersections=(_place(PLACE, 0.0, 0.0), *ends),
        links=tuple(_link(leg, lanes, inward=way) for leg in LEGS for way in (True, False)),
        movements=tuple(
            _move(str(leg), turn, lanes, controller.id) for leg in LEGS for turn in "".join(lanes)
        ),
        crossings=(),
        controllers=(controller,),
    )


def _place(name: IntersectionId, x: float, y: float) -> Intersection:
    kind = IntersectionKind.SIGNAL if name == PLACE else IntersectionKind.EDGE
    return Intersection(id=name, name=name, kind=kind, at=(x, y))


def _link(leg: Leg, lanes: Sequence[str], *, inward: bool) -> Link:
    name = LinkId(f"{leg}" if inward else f"{leg}.out")
    far = (LINK_M * LEGS[leg][0], LINK_M * LEGS[leg][1])
    far_end = IntersectionId(leg)
    return Link(
        id=name,
        name=f"{leg} Street",
        start=far_end if inward else PLACE,
        end=PLACE if inward else far_end,
        length_m=LINK_M,
        speed_mps=LIMIT_MPS,
        shape=(far, (0.0, 0.0)) if inward else ((0.0, 0.0), far),
        lanes=tuple(_lane(name, k) for k in range(len(lanes))),
        leg=leg,
    )


def _lane(link: LinkId, index: int) -> Lane:
    return Lane(
        id=_lane_id(link, index),
        link=link,
        index=index,
        length_m=LINK_M,
        width_m=LANE_M,
        speed_mps=LIMIT_MPS,
        classes=("passenger",),
        is_bay=False,
    )


def _lane_id(link: str, index: int) -> LaneId:
    return LaneId(f"{link}_{index}")


def _move(leg: str, turn: str, lanes: Sequence[str], controller: ControllerId) -> Movement:
    ring = list(LEGS)
    leaves = ring[(ring.index(Leg(leg)) + STEPS[turn]) % len(ring)]
    return Movement(
        id=_movement(leg, turn),
        intersection=PLACE,
        from_link=LinkId(leg),
        to_link=LinkId(f"{leaves}.out"),
        turn=TURNS[turn],
        leg=Leg(leg),
        lanes=tuple(_lane_id(leg, k) for k, turns in enumerate(lanes) if turn in turns),
        length_m=20.0,
        speed_mps=8.0,
        controllers=(controller,),
    )
