# SPDX-License-Identifier: Apache-2.0
"""What the lights of one controller may do: phases, services, conflicts, intergreens, limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lvbo.errors import PlanError
from lvbo.ids import ControllerId, CrossingId, IntersectionId, MovementId, PhaseId
from lvbo.signal.lamp import GOING, Conflict, Countdown, Lamp, PhaseKind, Right

Pair = tuple[PhaseId, PhaseId]
StageSets = tuple[tuple[PhaseId, ...], ...]
"""A stage order: per stage the phases with green."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A signal group: lamps that always show the same.

    `shows` is the lamp inside a green window. `yellow_ds`, `red_amber_ds` are what plans of ours
    give at the end and start; `flash_ds` is the green flash (or pedestrian flash), which lies
    inside the window.
    """

    id: PhaseId
    kind: PhaseKind = PhaseKind.VEHICLE
    shows: Lamp = Lamp.GREEN
    yellow_ds: int = 30
    red_amber_ds: int = 0
    flash_ds: int = 0

    @property
    def is_going(self) -> bool:
        """Say whether the window lets traffic go, rather than switching the head off."""
        return self.shows in GOING


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Say that a phase serves a movement or a crossing, and by what right."""

    phase: PhaseId
    right: Right
    movement: MovementId | None = None
    crossing: CrossingId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLimits:
    """Hard limits of one phase, in tenths of a second; a walk clears after the window."""

    phase: PhaseId
    min_green_ds: int = 50
    max_green_ds: int | None = None
    max_red_ds: int = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """Say that `phase` must start directly after `after` (a waiting area lies between)."""

    phase: PhaseId
    after: PhaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictMatrix:
    """Pairs of phases that must not or may only yielding go together; all others are compatible."""

    pairs: tuple[tuple[PhaseId, PhaseId, Conflict], ...] = ()

    def index(self) -> Mapping[Pair, Conflict]:
        """Return the matrix both ways round as a mapping."""
        both: dict[Pair, Conflict] = {}
        for a, b, conflict in self.pairs:
            both[a, b] = both[b, a] = conflict
        return both


@dataclass(frozen=True, slots=True, kw_only=True)
class IntergreenMatrix:
    """Ordered pairs: tenths from the end of green of the first to the start of green of the second.

    None marks a pair that was never observed and has no geometry: unknown, so not allowed.
    """

    pairs: tuple[tuple[PhaseId, PhaseId, int | None], ...] = ()

    def index(self) -> Mapping[Pair, int | None]:
        """Return the matrix as a mapping."""
        return {(a, b): value for a, b, value in self.pairs}


@dataclass(frozen=True, kw_only=True)
class SignalRules:
    """All that decides whether lamps of one controller are safe, and which stage orders it runs.

    `orders` are the site's own stage orders, the usual one first; `permanent` are phases that never
    change (an uncontrolled right turn). Where `may_skip` is False only the site's orders are legal.
    """

    phases: tuple[Phase, ...]
    services: tuple[Service, ...] = ()
    conflicts: ConflictMatrix = field(default_factory=ConflictMatrix)
    intergreens: IntergreenMatrix = field(default_factory=IntergreenMatrix)
    limits: tuple[PhaseLimits, ...] = ()
    follows: tuple[Follows, ...] = ()
    may_skip: bool = True
    countdown: Countdown = Countdown.NONE
    orders: tuple[StageSets, ...] = ()
    permanent: tuple[PhaseId, ...] = ()

    def __post_init__(self) -> None:
        ids = [phase.id for phase in self.phases]
        if len(set(ids)) != len(ids):
            twice = sorted({name for name in ids if ids.count(name) > 1})
            raise PlanError("LV300", phases=", ".join(twice))

    @cached_property
    def phase_index(self) -> Mapping[PhaseId, Phase]:
        """Return phases by id."""
        return {phase.id: phase for phase in self.phases}

    @cached_property
    def conflict_index(self) -> Mapping[Pair, Conflict]:
        """Return conflicts by pair, both ways round."""
        return self.conflicts.index()

    @cached_property
    def intergreen_index(self) -> Mapping[Pair, int | None]:
        """Return intergreens by ordered pair."""
        return self.intergreens.index()

    @cached_property
    def limit_index(self) -> Mapping[PhaseId, PhaseLimits]:
        """Return limits by phase, with the defaults where none is stated."""
        stated = {limit.phase: limit for limit in self.limits}
        return {p.id: stated.get(p.id, PhaseLimits(phase=p.id)) for p in self.phases}

    @cached_property
    def foes(self) -> tuple[tuple[PhaseId, PhaseId, int | None], ...]:
        """Return every ordered pair of going phases that is forbidden, with its intergreen."""
        going = [phase.id for phase in self.phases if phase.is_going]
        return tuple(
            (a, b, self.intergreen_ds(a, b)) for a in going for b in going if self.forbidden(a, b)
        )

    @cached_property
    def mates(self) -> Mapping[PhaseId, tuple[PhaseId, ...]]:
        """Return, by phase, the phases that light the same head with another lamp.

        A mate serves all that the phase serves, by another lamp: the permitted green before or
        after a protected one. A head that changes between mates keeps going, so it needs no yellow
        there and its minimum green runs on; the protected green's foes still count its own end.
        """
        serves: dict[PhaseId, set[object]] = {phase.id: set() for phase in self.phases}
        for service in self.services:
            if service.phase in serves:
                serves[service.phase].add((service.movement, service.crossing))
        return {
            p.id: tuple(
                q.id
                for q in self.phases
                if p.is_going
                and q.is_going
                and q.shows is not p.shows
                and serves[p.id]
                and serves[p.id] <= serves[q.id]
            )
            for p in self.phases
        }

    def conflict(self, a: PhaseId, b: PhaseId) -> Conflict:
        """Return what the two phases may do together."""
        return self.conflict_index.get((a, b), Conflict.COMPATIBLE)

    def forbidden(self, a: PhaseId, b: PhaseId) -> bool:
        """Say whether the two must never have green together."""
        return self.conflict(a, b) is Conflict.FORBIDDEN

    def intergreen_ds(self, ending: PhaseId, starting: PhaseId) -> int | None:
        """Return the least time from the end of one green to the start of the other.

        Zero for phases that may be green together; None where it is unknown, so not allowed.
        """
        if not self.forbidden(ending, starting):
            return 0
        return self.intergreen_index.get((ending, starting))

    def phases_of(self, movement: MovementId) -> tuple[PhaseId, ...]:
        """Return the phases that serve a movement."""
        return tuple(s.phase for s in self.services if s.movement == movement)

    def with_limits(self, limits: Iterable[PhaseLimits]) -> SignalRules:
        """Return the same rules with these limits put in place of the old ones."""
        new = {limit.phase: limit for limit in limits}
        kept = tuple(limit for limit in self.limits if limit.phase not in new)
        merged = sorted((*kept, *new.values()), key=lambda limit: limit.phase)
        return replace(self, limits=tuple(merged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How well a controller keeps the time of its area.

    One that is not `linked` runs by a clock that nobody sees. Others may run off by `drift_s_pd`
    seconds a day, to either side, and are set every `set_every_h` hours.
    """

    linked: bool = True
    drift_s_pd: float = 0.0
    set_every_h: float = 24.0

    @property
    def worst_s(self) -> float:
        """Return how far the clock may be off before it is set."""
        return self.drift_s_pd * self.set_every_h / 24


@dataclass(frozen=True, kw_only=True)
class Controller:
    """The device that owns phases, matrices, limits, plans and an offset.

    It may serve several intersections, and an intersection may have several. `sync_s` is its sync
    point: seconds after local midnight at which its area clock is zero; `clock` says how true it
    stays.
    """

    id: ControllerId
    intersections: tuple[IntersectionId, ...]
    rules: SignalRules
    name: str = ""
    sync_s: int = 0
    clock: Clock = field(default_factory=Clock)
