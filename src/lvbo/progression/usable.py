# SPDX-License-Identifier: Apache-2.0
"""The part of a green that a band may use: no green flash, no ends at which drivers brake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lvbo.errors import PlanError
from lvbo.ids import MovementId, PhaseId
from lvbo.progression.clocks import surely_green
from lvbo.progression.problem import Window as Span
from lvbo.progression.wave import WaveSettings
from lvbo.signal.lamp import Countdown, PhaseKind, Right
from lvbo.signal.plan import Plan, Window
from lvbo.signal.rules import Clock, Controller, SignalRules


def usable_greens(
    plan: Plan,
    phases: Iterable[PhaseId],
    settings: WaveSettings,
    controller: Controller | None,
    place: str,
) -> tuple[Span, ...]:
    """Return the usable greens of some phases as (start, length), ms on the plan's own cycle.

    A green ends `end_trim_s` early, or with its flash where that begins sooner, and under a
    countdown `countdown_trim_s` earlier still. A clock that may be off takes as much from either
    end. Without a controller neither flash nor countdown nor clock is known.

    Raises:
        PlanError: LV453 where the phases have no green.

    """
    own = tuple(phases)
    merged = joined([w for p in own for w in plan.windows_of(p)], plan.cycle_ds)
    early, late = (
        round(1000 * settings.start_trim_s),
        end_trim_ms(own, settings, controller.rules if controller else None),
    )
    usable = []
    for start_ds, length_ds in merged:
        trim = 0 if length_ds == plan.cycle_ds else early + late
        length = max(1, 100 * length_ds - trim)
        start = 100 * start_ds + (early if trim else 0)
        usable.append((start % (100 * plan.cycle_ds), length))
    if not usable:
        raise PlanError("LV453", place=place, controller=plan.controller)
    clock = controller.clock if controller else Clock()
    return surely_green(usable, clock, 100 * plan.cycle_ds)


def end_trim_ms(
    phases: Iterable[PhaseId], settings: WaveSettings, rules: SignalRules | None
) -> int:
    """Return how much of the end of a green no band may use, ms."""
    if rules is None:
        return round(1000 * settings.end_trim_s)
    flash_ms = max((100 * rules.phase_index[p].flash_ds for p in phases), default=0)
    counted = settings.countdown_trim_s if rules.countdown is not Countdown.NONE else 0.0
    return max(round(1000 * settings.end_trim_s), flash_ms) + round(1000 * counted)


def joined(windows: Sequence[Window], cycle_ds: int) -> list[tuple[int, int]]:
    """Return windows of several phases as disjoint (start, length) on the cycle, tenths."""
    if any(w.length_ds >= cycle_ds for w in windows):
        return [(0, cycle_ds)]
    found: list[tuple[int, int]] = []
    for window in sorted(windows):
        if found and window.start_ds <= found[-1][0] + found[-1][1]:
            start, length = found[-1]
            found[-1] = (start, max(length, window.end_ds - start))
        else:
            found.append((window.start_ds, window.length_ds))
    if len(found) > 1 and found[-1][0] + found[-1][1] >= cycle_ds + found[0][0]:
        start, length = found.pop()
        first, own = found.pop(0)
        found.append((start, max(length, cycle_ds + first + own - start)))
    return [(start, min(length, cycle_ds)) for start, length in found]


def going_phases(
    rules: SignalRules, movement: MovementId, plan: Plan
) -> tuple[PhaseId, ...] | None:
    """Return the phases by which a movement goes in a plan, protected ones before all others.

    None: it may always go, as an uncontrolled turn, or on red after a stop. Empty: the plan does
    not light it at all.
    """
    rights: Mapping[PhaseId, Right] = {
        s.phase: s.right
        for s in rules.services
        if s.movement == movement and rules.phase_index[s.phase].kind is not PhaseKind.BICYCLE
    }
    known = [p for p, own in rights.items() if own is not Right.ON_RED_AFTER_STOP]
    if not known or any(p in rules.permanent for p in known):
        return None
    lit = [p for p in known if plan.windows_of(p)]
    return tuple(p for p in lit if rights[p] is Right.PROTECTED) or tuple(lit)


def is_protected(rules: SignalRules, movement: MovementId) -> bool:
    """Say whether a phase gives a movement the right of way."""
    return any(s.movement == movement and s.right is Right.PROTECTED for s in rules.services)


def repeated(windows: tuple[Span, ...], own_ms: int, cycle_ms: int) -> tuple[Span, ...]:
    """Return the windows of a signal that runs several cycles in the common one."""
    if any(length >= own_ms for _, length in windows):
        return ((0, cycle_ms),)
    return tuple(
        (start + k * own_ms, length) for k in range(cycle_ms // own_ms) for start, length in windows
    )
