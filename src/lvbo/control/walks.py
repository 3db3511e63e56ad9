# SPDX-License-Identifier: Apache-2.0
"""People on foot where a network has no crossings: walks derived from the legs, for all alike.

A walk crosses all lanes of a leg, 3.5 m each, in and out, without a refuge. It is steady for 7 s
and clears at 1 m/s; the clearance is written as the intergreen from the walk to vehicles that must
not meet people. It has no SUMO head: its lamp lies beyond the end of the state string.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId, LinkId, MovementId, PhaseId
from lvbo.network.binding import SumoHead
from lvbo.network.network import Network
from lvbo.network.place import LOOK_BACK_M, Point, Turn
from lvbo.signal.lamp import Conflict, PhaseKind, Right
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import (
    ConflictMatrix,
    Controller,
    IntergreenMatrix,
    Pair,
    Phase,
    PhaseLimits,
    SignalRules,
    StageSets,
)
from lvbo.timing.insert import insert_clearance, made_safe

LANE_M = 3.5
WALK_S = 7
WALK_MPS = 1.0
ALL_RED_DS = 20
"""From the end of a vehicle green to a walk: its yellow and this."""
LEAST_DS, LEAST_LEFT_DS = 100, 70
"""Least greens of vehicle phases on the street, and of those that serve left turns only."""
SAME_LEG = math.cos(math.radians(40))


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One walk: the leg it crosses, by its link in and out, and how long it is."""

    phase: PhaseId
    enter: LinkId
    leave: LinkId | None
    length_m: float

    @property
    def clear_s(self) -> int:
        """Return the time that the last one to start needs to reach the far side."""
        return math.ceil(self.length_m / WALK_MPS)


def with_walks(network: Network) -> Network:
    """Return the network with street minima, and walks at controllers that have none.

    Needs the binding to SUMO, where the lamps of walks are noted beyond the state string.
    """
    sumo = network.sumo
    if sumo is None:
        return network
    controllers: list[Controller] = []
    heads = list(sumo.heads)
    for controller in network.controllers:
        rules = with_street_minima(controller.rules, network)
        if not any(p.kind is PhaseKind.PEDESTRIAN for p in rules.phases):
            walks = find_walks(network, controller)
            rules, used = add_walks(rules, walks, network)
            size = sumo.size_index[controller.id]
            heads += [_head(controller.id, size + k, walk) for k, walk in enumerate(used)]
        controllers.append(replace(controller, rules=rules))
    return replace(
        network,
        controllers=tuple(controllers),
        sumo=replace(sumo, heads=tuple(heads)),
    )


def _head(controller: ControllerId, index: int, walk: Walk) -> SumoHead:
    return SumoHead(
        controller=controller,
        index=index,
        from_lane="",
        to_lane="",
        movement=None,
        crossing=None,
        phases=(walk.phase,),
    )


def with_street_minima(rules: SignalRules, network: Network) -> SignalRules:
    """Return rules in which no vehicle green is below 10 s, 7 s where only lefts are served."""
    limits = rules.limit_index
    turns = {
        phase.id: {
            network.movement_index[s.movement].turn
            for s in rules.services
            if s.phase == phase.id and s.movement is not None
        }
        for phase in rules.phases
    }
    return rules.with_limits(
        replace(
            limits[phase.id],
            min_green_ds=max(
                limits[phase.id].min_green_ds,
                LEAST_LEFT_DS if turns[phase.id] <= {Turn.LEFT, Turn.UTURN} else LEAST_DS,
            ),
        )
        for phase in rules.phases
        if phase.kind is not PhaseKind.PEDESTRIAN and phase.id not in rules.permanent
    )


# geometry -------------------------------------------------------------------------------------


def find_walks(network: Network, controller: Controller) -> tuple[Walk, ...]:
    """Return one walk per approach of a controller, by the name of its leg."""
    served = {s.movement for s in controller.rules.services if s.movement is not None}
    moves = [network.movement_index[m] for m in sorted(served) if m in network.movement_index]
    enters = sorted({m.from_link for m in moves})
    leaves = sorted({m.to_link for m in moves})
    found = []
    for enter in enters:
        leave = _opposite(network, enter, leaves)
        lanes = len(network.link_index[enter].lanes)
        lanes += 0 if leave is None else max(1, _lanes_out(network, leave))
        name = PhaseId(f"{enter}.walk")
        found.append(Walk(phase=name, enter=enter, leave=leave, length_m=LANE_M * lanes))
    return tuple(found)


def _lanes_out(network: Network, leave: LinkId) -> int:
    """Return the lanes at the start of a link: those that movements lead to."""
    if network.sumo is None:
        return len(network.link_index[leave].lanes)
    into = {m.id for m in network.movements_into[leave]}
    return len({h.to_lane for h in network.sumo.heads if h.movement in into})


def _opposite(network: Network, enter: LinkId, leaves: Sequence[LinkId]) -> LinkId | None:
    """Return the link that leaves on the side that another one comes from."""
    own = _outward(network.link_index[enter].shape[::-1])
    scored = [(_cosine(own, _outward(network.link_index[x].shape)), x) for x in leaves]
    best = max(scored, default=(-1.0, None))
    return best[1] if best[0] >= SAME_LEG else None


def _outward(shape: tuple[Point, ...]) -> Point:
    """Return the direction of a line from its first point over the length looked at."""
    start, left, at = shape[0], LOOK_BACK_M, shape[0]
    for point in shape[1:]:
        step = math.dist(at, point)
        if step >= left and step > 0:
            part = left / step
            at = (at[0] + part * (point[0] - at[0]), at[1] + part * (point[1] - at[1]))
            break
        at, left = point, left - step
    return at[0] - start[0], at[1] - start[1]


def _cosine(a: Point, b: Point) -> float:
    size = math.hypot(*a) * math.hypot(*b)
    return (a[0] * b[0] + a[1] * b[1]) / size if size else -1.0


# rules ----------------------------------------------------------------------------------------


def add_walks(
    rules: SignalRules, walks: Sequence[Walk], network: Network
) -> tuple[SignalRules, tuple[Walk, ...]]:
    """Return the rules with the walks that some stage of the order can hold, and those walks.

    They are put in the fewest stages of the usual order that together hold all of them.
    """
    order = next(iter(rules.orders), ())
    kinds = {(w.phase, p.id): _conflict(w, p, rules, network) for w in walks for p in rules.phases}
    fits = {
        w.phase: [
            k
            for k, stage in enumerate(order)
            if all(
                kinds[w.phase, p] is not Conflict.FORBIDDEN
                for p in {*stage, *rules.permanent}
                if p in rules.phase_index
            )
        ]
        for w in walks
    }
    used = tuple(w for w in walks if fits[w.phase])
    chosen = _fewest([fits[w.phase] for w in used])
    at = {w.phase: next(k for k in chosen if k in fits[w.phase]) for w in used}
    stages = tuple(
        (*stage, *sorted(w.phase for w in used if at[w.phase] == k))
        for k, stage in enumerate(order)
    )
    return _extended(rules, used, kinds, stages), used


def _fewest(fits: Sequence[Sequence[int]]) -> tuple[int, ...]:
    stages = sorted({k for own in fits for k in own})
    for size in range(len(stages) + 1):
        for some in combinations(stages, size):
            if all(set(own) & set(some) for own in fits):
                return some
    return tuple(stages)


def _extended(
    rules: SignalRules,
    walks: Sequence[Walk],
    kinds: dict[Pair, Conflict],
    stages: StageSets,
) -> SignalRules:
    pairs = [
        (w.phase, p.id, kinds[w.phase, p.id])
        for w in walks
        for p in rules.phases
        if kinds[w.phase, p.id] is not Conflict.COMPATIBLE
    ]
    clear = {w.phase: 10 * w.clear_s for w in walks}
    times: list[tuple[PhaseId, PhaseId, int | None]] = []
    for walk, phase, kind in pairs:
        if kind is Conflict.FORBIDDEN:
            times.append((walk, phase, clear[walk]))
            times.append((phase, walk, rules.phase_index[phase].yellow_ds + ALL_RED_DS))
    return replace(
        rules,
        phases=(
            *rules.phases,
            *(Phase(id=w.phase, kind=PhaseKind.PEDESTRIAN, yellow_ds=0) for w in walks),
        ),
        conflicts=ConflictMatrix(pairs=(*rules.conflicts.pairs, *pairs)),
        intergreens=IntergreenMatrix(pairs=(*rules.intergreens.pairs, *times)),
        limits=(
            *rules.limits,
            *(PhaseLimits(phase=w.phase, min_green_ds=10 * WALK_S) for w in walks),
        ),
        orders=(stages, *_others(rules, stages)),
    )


def _others(rules: SignalRules, stages: StageSets) -> tuple[StageSets, ...]:
    """Return the further orders, their stages with the walks that the usual order gives them."""
    usual = next(iter(rules.orders), ())
    same = dict(zip(usual, stages, strict=True))
    return tuple(tuple(same.get(s, s) for s in order) for order in rules.orders[1:])


def _conflict(walk: Walk, phase: Phase, rules: SignalRules, network: Network) -> Conflict:
    """Return what a walk and a phase may do together: the strictest over its movements."""
    if not phase.is_going:
        return Conflict.COMPATIBLE
    served = [s for s in rules.services if s.phase == phase.id and s.movement is not None]
    turns = {network.movement_index[s.movement].turn for s in served if s.movement is not None}
    worst = Conflict.COMPATIBLE
    for service in served:
        if service.movement is None:
            continue
        kind = _meets(walk, service.movement, service.right, turns, network)
        if kind is Conflict.FORBIDDEN:
            return kind
        worst = kind if kind is Conflict.YIELD else worst
    return worst


def _meets(
    walk: Walk, movement: MovementId, right: Right, turns: Iterable[Turn], network: Network
) -> Conflict:
    move = network.movement_index[movement]
    if move.from_link == walk.enter:
        on_red = right is Right.ON_RED_AFTER_STOP
        return Conflict.YIELD if on_red else Conflict.FORBIDDEN
    if move.to_link != walk.leave:
        return Conflict.COMPATIBLE
    if move.turn is Turn.RIGHT or right is not Right.PROTECTED:
        return Conflict.YIELD
    if move.turn is Turn.LEFT and Turn.THROUGH in turns:
        return Conflict.YIELD
    return Conflict.FORBIDDEN


# plans ----------------------------------------------------------------------------------------


def plan_with_walks(plan: Plan, rules: SignalRules) -> Plan:
    """Return the plan with every walk that it lacks, its cycle longer where they do not fit.

    A walk starts with the last green to start of its stage, once a cycle.

    Raises:
        InfeasibleError: LV604 where no time put in makes the plan keep the rules.

    """
    order = next(iter(rules.orders), ())
    walks = [p.id for p in rules.phases if p.kind is PhaseKind.PEDESTRIAN]
    have = {greens.phase for greens in plan.greens}
    greens = list(plan.greens)
    for walk in walks:
        stage = next((s for s in order if walk in s), ())
        start = _start(plan, [p for p in stage if p not in walks and p not in rules.permanent])
        if walk not in have and start is not None:
            window = Window(start_ds=start, length_ds=10 * WALK_S, yellow_ds=0, red_amber_ds=0)
            greens.append(Greens(phase=walk, windows=(window,)))
    grown = referenced(
        plan.id, plan.controller, plan.cycle_ds, greens, plan.reference, plan.offset_ds
    )
    try:
        return made_safe(grown, rules)
    except InfeasibleError:
        return insert_clearance(grown, rules)


def _start(plan: Plan, stage: Sequence[PhaseId]) -> int | None:
    """Return a local time at which all phases of a stage are green and the last has just begun."""
    windows = [plan.windows_of(p) for p in stage]
    if not windows or not all(windows):
        return None
    for start in sorted({w.start_ds for own in windows for w in own}):
        going = all(
            any((start - w.start_ds) % plan.cycle_ds < w.length_ds for w in own) for own in windows
        )
        if going:
            return start
    return None
