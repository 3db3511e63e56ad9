# SPDX-License-Identifier: Apache-2.0
"""Who may go with whom, and how long after whom, from the foes and paths of a SUMO network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import product

from lvbo.ids import PhaseId
from lvbo.io.sumo_graph import TURNS
from lvbo.io.sumo_paths import Path, Paths, meeting_m
from lvbo.io.sumo_signals import Group, Head, SignalPart
from lvbo.network.place import Turn
from lvbo.signal.lamp import Conflict, Lamp, PhaseKind
from lvbo.signal.orders import permanent_phases, stage_sets
from lvbo.signal.plan import Plan
from lvbo.signal.rules import (
    ConflictMatrix,
    IntergreenMatrix,
    Pair,
    Phase,
    PhaseLimits,
    SignalRules,
    StageSets,
)
from lvbo.timing.clearance import Encounter, User, intergreen, whole_seconds

OPPOSING_DEG = 50.0
"""Approaches oppose each other when their bearings differ by half a turn, give or take this."""


def build_rules(paths: Paths, part: SignalPart) -> SignalRules:
    """Return the rules of one controller: conflicts from foes, intergreens from paths and plans.

    An intergreen is the larger of the computed and the observed one; a pair without geometry that
    no plan shows is unknown.
    """
    return _Rules(paths, part).build()


class _Rules:
    """Hold the look-up tables of one controller."""

    def __init__(self, paths: Paths, part: SignalPart) -> None:
        self.paths = paths
        self.part = part
        self.path_of: dict[int, Path] = {
            id(head): paths.of(head) for group in part.groups for head in group.heads
        }
        self.group_of = {id(head): group for group in part.groups for head in group.heads}
        self.conflicts: dict[Pair, Conflict] = {}
        self.computed: dict[Pair, int | None] = {}

    def build(self) -> SignalRules:
        for first, second in product(self.part.groups, repeat=2):
            if first is not second:
                self._pair(first, second)
        observed = observed_gaps_ds(self.part.plans, self.conflicts)
        forbidden = sorted(p for p, kind in self.conflicts.items() if kind is Conflict.FORBIDDEN)
        return SignalRules(
            phases=self.part.phases,
            services=self.part.services(),
            conflicts=ConflictMatrix(
                pairs=tuple(
                    (a, b, kind) for (a, b), kind in sorted(self.conflicts.items()) if a < b
                )
            ),
            intergreens=IntergreenMatrix(
                pairs=tuple(
                    (a, b, _longer(self.computed[a, b], observed.get((a, b)))) for a, b in forbidden
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

    def _pair(self, first: Group, second: Group) -> None:
        """Note what the phases of two groups may do together, and the time the first must clear."""
        foes = [(a, b) for a in first.heads for b in second.heads if self._are_foes(a, b)]
        if not foes:
            return
        times = [self._clear_ds(a, b) for a, b in foes]
        clear_ds = None if None in times else max(time for time in times if time is not None)
        for ending, starting in product(first.phases.values(), second.phases.values()):
            if not (ending.is_going and starting.is_going):
                continue
            kinds = {self._kind(a, ending, b, starting) for a, b in foes}
            kind = Conflict.FORBIDDEN if Conflict.FORBIDDEN in kinds else Conflict.YIELD
            self.conflicts[ending.id, starting.id] = kind
            if kind is Conflict.FORBIDDEN:
                self.computed[ending.id, starting.id] = (
                    None if clear_ds is None else max(clear_ds, ending.yellow_ds)
                )

    # conflicts ------------------------------------------------------------------------------

    def _are_foes(self, a: Head, b: Head) -> bool:
        return self.paths.are_foes(a, b, self.path_of[id(a)], self.path_of[id(b)])

    def _kind(self, a: Head, phase_a: Phase, b: Head, phase_b: Phase) -> Conflict:
        for head, phase, foe in ((a, phase_a, b), (b, phase_b, a)):
            yields = phase.shows is not Lamp.GREEN and phase.kind is not PhaseKind.PEDESTRIAN
            if yields and (self._may_yield(head, foe) or self._seen_yielding(head, foe)):
                return Conflict.YIELD
        return Conflict.FORBIDDEN

    def _may_yield(self, head: Head, foe: Head) -> bool:
        """Say whether the law lets `head` go yielding: to oncoming traffic, a turn to walkers."""
        if head.movement is None:
            return False
        turn = TURNS.get(head.connection.direction, Turn.THROUGH)
        if foe.movement is None:
            return turn is not Turn.THROUGH
        if turn in {self.paths.near_turn, Turn.UTURN}:
            return True
        bearings = self.paths.bearings
        ways = (bearings[h.movement.from_link] for h in (head, foe) if h.movement)
        return turn is not Turn.THROUGH and opposing(*ways)

    def _seen_yielding(self, head: Head, foe: Head) -> bool:
        """Say whether the junction lets `head` yield to `foe` and a programme of the site does."""
        if not self.paths.must_yield(self.path_of[id(head)], self.path_of[id(foe)]):
            return False
        own, other = self.group_of[id(head)], self.group_of[id(foe)]
        permits = [p.id for p in own.phases.values() if p.shows is not Lamp.GREEN]
        going = [p.id for p in other.phases.values() if p.is_going]
        return any(_together(plan, permits, going) for plan in self.part.plans)

    # intergreens ----------------------------------------------------------------------------

    def _clear_ds(self, ending: Head, starting: Head) -> int | None:
        """Return the clearance time, up to whole seconds, in tenths; None without geometry."""
        first, second = self.path_of[id(ending)], self.path_of[id(starting)]
        if not (first.is_known and second.is_known):
            return None
        clear_m, enter_m = meeting_m(first, second)
        if ending.crossing is not None:
            clear_m = ending.crossing.longest_walk_m
        if starting.crossing is not None:  # a pedestrian may already stand at the kerb
            enter_m = 0.0
        encounter = Encounter(user=_user(ending), clear_m=clear_m, enter_m=enter_m)
        return 10 * whole_seconds(intergreen([encounter]))


def opposing(a_deg: float, b_deg: float) -> bool:
    """Say whether two approaches face each other, by their bearings in degrees."""
    return abs((a_deg - b_deg) % 360 - 180) <= OPPOSING_DEG


def _longer(computed: int | None, observed: int | None) -> int | None:
    known = [value for value in (computed, observed) if value is not None]
    return max(known, default=None)


def _user(head: Head) -> User:
    if head.crossing is not None:
        return User.PEDESTRIAN
    straight = TURNS.get(head.connection.direction, Turn.THROUGH) is Turn.THROUGH
    return User.THROUGH if straight else User.TURNING


# plans as evidence --------------------------------------------------------------------------


def _together(plan: Plan, some: list[PhaseId], others: list[PhaseId]) -> bool:
    return any(
        (second.start_ds - first.start_ds) % plan.cycle_ds < first.length_ds
        or (first.start_ds - second.start_ds) % plan.cycle_ds < second.length_ds
        for a, b in product(some, others)
        for first in plan.windows_of(a)
        for second in plan.windows_of(b)
    )


def observed_gaps_ds(plans: Iterable[Plan], conflicts: Mapping[Pair, Conflict]) -> dict[Pair, int]:
    """Return the shortest gap any plan leaves between the end of a phase and the start of a foe.

    A gap counts as a transition only where no third foe of the starting phase is green in it, and
    no other phase has a whole green in it: then a stage lies between, and says nothing of the pair.
    """
    pairs = [pair for pair, kind in conflicts.items() if kind is Conflict.FORBIDDEN]
    foes: dict[PhaseId, list[PhaseId]] = defaultdict(list)
    for a, b in pairs:
        foes[b].append(a)
    found: dict[Pair, int] = {}
    for plan in plans:
        for a, b in pairs:
            for ending, starting in product(plan.windows_of(a), plan.windows_of(b)):
                gap = (starting.start_ds - ending.end_ds) % plan.cycle_ds
                if gap > 0 and not (
                    _green_within(plan, foes[b], ending.end_ds, gap)
                    or _stage_within(plan, ending.end_ds, gap)
                ):
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


def _stage_within(plan: Plan, start_ds: int, length_ds: int) -> bool:
    """Say whether any phase has a whole green inside the span."""
    return any(
        (window.start_ds - start_ds) % plan.cycle_ds + window.length_ds < length_ds
        for greens in plan.greens
        for window in greens.windows
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
