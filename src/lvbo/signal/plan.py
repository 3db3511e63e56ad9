# SPDX-License-Identifier: Apache-2.0
"""A plan is a timeline of green windows per phase on the controller's local cycle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from lvbo.errors import PlanError
from lvbo.ids import ControllerId, PhaseId, PlanId, StageId
from lvbo.signal.lamp import Lamp
from lvbo.signal.rules import Phase


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """One green of one phase on the local cycle, with the yellow after and red-amber before it.

    `start_ds` lies in [0, cycle); the window may run over the end of the cycle. A window as long
    as the cycle is permanent.
    """

    start_ds: int
    length_ds: int
    yellow_ds: int = 0
    red_amber_ds: int = 0

    @property
    def end_ds(self) -> int:
        """Return the end, not wrapped."""
        return self.start_ds + self.length_ds

    def later(self, shift_ds: int, cycle_ds: int) -> Window:
        """Return the same window `shift_ds` later on the cycle; a permanent one starts at 0."""
        if self.length_ds >= cycle_ds:
            return replace(self, start_ds=0)
        return replace(self, start_ds=(self.start_ds + shift_ds) % cycle_ds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greens:
    """All windows of one phase, by start."""

    phase: PhaseId
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGreen:
    """One stage of a stage sequence: its phases, the green they share, the interstage after it."""

    id: StageId
    phases: tuple[PhaseId, ...]
    green_ds: int
    interstage_ds: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One signal plan of one controller.

    Local second 0 is the start of the first window of `reference`; it falls at area-clock times
    congruent to `offset_ds` modulo the plan's own cycle. Larger offsets are later. A plan whose
    heads never change (all dark, flashing) has no reference. `stages` is the stage-sequence writing
    the plan was built from, if any.
    """

    id: PlanId
    controller: ControllerId
    cycle_ds: int
    offset_ds: int
    reference: PhaseId | None
    greens: tuple[Greens, ...]
    stages: tuple[StageGreen, ...] = ()

    def __post_init__(self) -> None:
        if self.cycle_ds <= 0:
            raise PlanError("LV301", controller=self.controller, plan=self.id, cycle_s=self.cycle_s)
        for greens in self.greens:
            self._check_windows(greens)
        if not 0 <= self.offset_ds < self.cycle_ds:
            raise PlanError(
                "LV303",
                controller=self.controller,
                plan=self.id,
                offset_s=self.offset_ds / 10,
                cycle_s=self.cycle_s,
            )
        if self.reference is not None and self._first_start(self.reference) != 0:
            raise PlanError("LV304", controller=self.controller, plan=self.id, phase=self.reference)

    def _check_windows(self, greens: Greens) -> None:
        total = 0
        for window in greens.windows:
            inside = 0 <= window.start_ds < self.cycle_ds and window.length_ds > 0
            total += window.length_ds
            if not inside or total > self.cycle_ds:
                raise PlanError(
                    "LV302",
                    controller=self.controller,
                    plan=self.id,
                    phase=greens.phase,
                    start_s=window.start_ds / 10,
                    length_s=window.length_ds / 10,
                    cycle_s=self.cycle_s,
                )

    def _first_start(self, phase: PhaseId) -> int | None:
        windows = self.windows_of(phase)
        return windows[0].start_ds if windows else None

    @property
    def cycle_s(self) -> float:
        """Return the cycle in seconds."""
        return self.cycle_ds / 10

    @property
    def offset_s(self) -> float:
        """Return the offset in seconds."""
        return self.offset_ds / 10

    @cached_property
    def index(self) -> Mapping[PhaseId, tuple[Window, ...]]:
        """Return windows by phase."""
        return {greens.phase: greens.windows for greens in self.greens}

    def windows_of(self, phase: PhaseId) -> tuple[Window, ...]:
        """Return the windows of a phase, none if the plan never lights it."""
        return self.index.get(phase, ())

    def green_ds(self, phase: PhaseId) -> int:
        """Return the total green of a phase in one cycle."""
        return sum(window.length_ds for window in self.windows_of(phase))

    def later(self, shift_s: int) -> Plan:
        """Return the plan with its offset moved `shift_s` seconds later."""
        return replace(self, offset_ds=(self.offset_ds + 10 * shift_s) % self.cycle_ds)

    def at_offset(self, offset_ds: int) -> Plan:
        """Return the plan at this offset, taken modulo its own cycle."""
        return replace(self, offset_ds=offset_ds % self.cycle_ds)

    def local_ds(self, clock_ds: int) -> int:
        """Return the time on the local cycle at an area-clock time."""
        return (clock_ds - self.offset_ds) % self.cycle_ds

    def lamp(self, phase: Phase, local_ds: int) -> Lamp:
        """Return what a phase shows at a local time."""
        best = Lamp.RED
        for window in self.windows_of(phase.id):
            best = max(best, _lamp_in(window, phase.shows, local_ds, self.cycle_ds))
        return best


def _lamp_in(window: Window, shows: Lamp, local_ds: int, cycle_ds: int) -> Lamp:
    since = (local_ds - window.start_ds) % cycle_ds
    if since < window.length_ds:
        return shows
    if since < window.length_ds + window.yellow_ds:
        return Lamp.YELLOW
    if since >= cycle_ds - window.red_amber_ds:
        return Lamp.RED_AMBER
    return Lamp.RED


def referenced(  # noqa: PLR0913, PLR0917  the fields of a plan, one by one
    plan_id: PlanId,
    controller: ControllerId,
    cycle_ds: int,
    greens: Iterable[Greens],
    reference: PhaseId | None,
    start_ds: int,
    stages: tuple[StageGreen, ...] = (),
) -> Plan:
    """Return the plan whose windows are given on a clock that starts at area time `start_ds`.

    The windows are turned so that the first window of `reference` starts at local second 0, and
    the offset is moved by as much: the lamps on the street are the same.
    """
    listed = sorted(greens, key=lambda g: g.phase)
    own = next((g.windows for g in listed if g.phase == reference), ())
    turn = min((w.start_ds for w in own), default=0)
    turned = tuple(
        Greens(
            phase=g.phase,
            windows=tuple(sorted(w.later(-turn, cycle_ds) for w in g.windows)),
        )
        for g in listed
        if g.windows
    )
    return Plan(
        id=plan_id,
        controller=controller,
        cycle_ds=cycle_ds,
        offset_ds=(start_ds + turn) % cycle_ds,
        reference=reference,
        greens=turned,
        stages=stages,
    )
