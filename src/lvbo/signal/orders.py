# SPDX-License-Identifier: Apache-2.0
"""The stage orders that plans run, read off their timelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lvbo.ids import PhaseId
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Phase, StageSets

GreenSet = tuple[int, int, tuple[PhaseId, ...]]
"""Start and length in tenths of a second, and the phases with green."""

SHORT_STAGE_DS = 30
"""Sets of greens that stand for less than this are transitions, not stages."""


def stage_sets(phases: Iterable[Phase], plan: Plan) -> StageSets:
    """Return the stages of a plan: its sets of greens that no neighbour contains.

    People on foot stop walking before the vehicles of their stage: a walk is part of the stage it
    runs in and makes no stage of its own, unless no vehicle goes.
    """
    listed = tuple(phases)
    walks = [p for p in listed if p.kind is PhaseKind.PEDESTRIAN]
    sets: list[tuple[PhaseId, ...]] = []
    for start_ds, length_ds, going in _green_sets((p for p in listed if p not in walks), plan):
        beside = (p.id for p in walks if _walks_in(plan, p.id, start_ds, length_ds))
        green = tuple(sorted((*going, *beside)))
        if length_ds >= SHORT_STAGE_DS and green and (not sets or sets[-1] != green):
            sets.append(green)
    return tuple(s for k, s in enumerate(sets) if not _inside(sets, k))


def _walks_in(plan: Plan, phase: PhaseId, start_ds: int, length_ds: int) -> bool:
    """Say whether a walk that is not permanent runs inside a span for as long as a stage would."""
    cycle = plan.cycle_ds
    for window in plan.windows_of(phase):
        late = (window.start_ds - start_ds) % cycle
        early = (start_ds - window.start_ds) % cycle
        inside = max(
            min(window.length_ds, length_ds - late), min(length_ds, window.length_ds - early)
        )
        if window.length_ds < cycle and inside >= SHORT_STAGE_DS:
            return True
    return False


def short_stages(phases: Iterable[Phase], plan: Plan) -> tuple[GreenSet, ...]:
    """Return the sets of greens that stand briefly though they are no part of a neighbour.

    Each with its start and length in tenths of a second; one that only starts or ends a
    neighbouring stage is a transition and is left out.
    """
    listed = [row for row in _green_sets(phases, plan) if row[2]]
    sets = [row[2] for row in listed]
    return tuple(
        row
        for k, row in enumerate(listed)
        if row[1] < SHORT_STAGE_DS and len(sets) > 1 and not _within(sets, k)
    )


def _green_sets(phases: Iterable[Phase], plan: Plan) -> Iterator[GreenSet]:
    """Yield the sets of greens between any two changes, all-red ones too."""
    going = [p.id for p in phases if p.is_going and 0 < plan.green_ds(p.id) < plan.cycle_ds]
    windows = [w for p in going for w in plan.windows_of(p)]
    cuts = sorted({w.start_ds for w in windows} | {w.end_ds % plan.cycle_ds for w in windows})
    for start, end in zip(cuts, [*cuts[1:], *(c + plan.cycle_ds for c in cuts[:1])], strict=True):
        yield start, end - start, tuple(p for p in going if _is_green(plan, p, start))


def permanent_phases(phases: Iterable[Phase], plans: Sequence[Plan]) -> tuple[PhaseId, ...]:
    """Return the going phases that every plan which lights them at all keeps lit all the cycle."""
    found = []
    for phase in phases:
        lit = [plan for plan in plans if plan.windows_of(phase.id)]
        if phase.is_going and lit and all(p.green_ds(phase.id) == p.cycle_ds for p in lit):
            found.append(phase.id)
    return tuple(found)


def _inside(sets: Sequence[tuple[PhaseId, ...]], k: int) -> bool:
    """Say whether a set is only the start or end of a neighbouring stage."""
    own = set(sets[k])
    before, after = set(sets[k - 1]), set(sets[(k + 1) % len(sets)])
    return len(sets) > 1 and (own < before or own < after)


def _within(sets: Sequence[tuple[PhaseId, ...]], k: int) -> bool:
    """Say whether every green of a set also belongs to the set before or after it."""
    return set(sets[k]) <= set(sets[k - 1]) | set(sets[(k + 1) % len(sets)])


def _is_green(plan: Plan, phase: PhaseId, at_ds: int) -> bool:
    return any((at_ds - w.start_ds) % plan.cycle_ds < w.length_ds for w in plan.windows_of(phase))
