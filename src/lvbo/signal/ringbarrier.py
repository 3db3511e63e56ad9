# SPDX-License-Identifier: Apache-2.0
"""The ring-barrier writing of a plan, as NEMA controllers have it.

Rings run side by side; within a ring phases follow each other; at a barrier all rings change
together. A split is the green with its yellow and red clearance. The order of the splits within a
barrier says which phase leads and which lags. An overlap goes while any of its parents goes, and
through the clearance between two parents that follow each other directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lvbo.errors import PlanError
from lvbo.ids import ControllerId, PhaseId, PlanId
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import SignalRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The share of a cycle given to one phase: green, the phase's yellow, and red clearance."""

    phase: PhaseId
    length_ds: int
    red_ds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """What lies between two barriers: for each ring its splits in order."""

    rings: tuple[tuple[Split, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A phase that goes with its parents."""

    phase: PhaseId
    parents: tuple[PhaseId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingBarrier:
    """A whole ring-barrier writing; all barriers have equally many rings."""

    barriers: tuple[Barrier, ...]
    overlaps: tuple[Overlap, ...] = ()


def from_ring_barrier(
    plan_id: PlanId,
    controller: ControllerId,
    rules: SignalRules,
    writing: RingBarrier,
    offset_ds: int,
    reference: PhaseId,
) -> Plan:
    """Return the plan of a ring-barrier writing.

    Raises:
        PlanError: where the splits of the rings differ, a split has no green, a phase is unknown,
            or the reference has no green.

    """
    cycle = _check_sums(controller, writing)
    greens = _ring_greens(controller, rules, writing)
    for overlap in writing.overlaps:
        greens.append(_overlap_greens(controller, rules, writing, overlap, cycle))
    if not any(g.phase == reference and g.windows for g in greens):
        raise PlanError("LV334", controller=controller, plan=plan_id, phase=reference)
    plan = referenced(plan_id, controller, cycle, greens, reference, 0)
    return plan.at_offset(offset_ds)


def as_ring_barrier(
    plan: Plan,
    rules: SignalRules,
    rings: Sequence[Sequence[PhaseId]],
    overlaps: Sequence[Overlap] = (),
) -> RingBarrier | None:
    """Return the writing of a plan in these rings, or None where they cannot express it.

    A barrier is put wherever a phase starts in every ring at once. Each phase of a ring has one
    green; a phase outside rings and overlaps cannot be written.
    """
    turns = [_ring_turn(plan, ring) for ring in rings]
    if not turns or any(not turn for turn in turns):
        return None
    common = set.intersection(*({window.start_ds for window, _ in turn} for turn in turns))
    if not common:
        return None
    cuts = sorted(common)
    spans = list(pairwise([*cuts, cuts[0] + plan.cycle_ds]))
    barriers = tuple(
        Barrier(rings=tuple(_splits(turn, rules, start, end, plan.cycle_ds) for turn in turns))
        for start, end in spans
    )
    writing = RingBarrier(barriers=barriers, overlaps=tuple(overlaps))
    return writing if _gives(writing, plan, rules) else None


def _check_sums(controller: ControllerId, writing: RingBarrier) -> int:
    """Return the cycle; every ring must reach every barrier at the same time."""
    cycle = 0
    for number, barrier in enumerate(writing.barriers, start=1):
        sums = [sum(split.length_ds for split in ring) for ring in barrier.rings]
        if len(set(sums)) != 1 or len(sums) != len(writing.barriers[0].rings):
            text = ", ".join(f"{total / 10:g}" for total in sums)
            raise PlanError("LV336", controller=controller, barrier=number, sums_s=text)
        cycle += sums[0]
    return cycle


def _ring_greens(
    controller: ControllerId, rules: SignalRules, writing: RingBarrier
) -> list[Greens]:
    windows: dict[PhaseId, list[Window]] = {}
    begin = 0
    for barrier in writing.barriers:
        for ring in barrier.rings:
            at = begin
            for split in ring:
                window = _window(controller, rules, split, at)
                windows.setdefault(split.phase, []).append(window)
                at += split.length_ds
        begin += sum(split.length_ds for split in barrier.rings[0])
    return [Greens(phase=p, windows=tuple(sorted(ws))) for p, ws in sorted(windows.items())]


def _window(controller: ControllerId, rules: SignalRules, split: Split, at: int) -> Window:
    phase = rules.phase_index.get(split.phase)
    if phase is None:
        raise PlanError("LV331", controller=controller, stage="ring", phase=split.phase)
    green = split.length_ds - phase.yellow_ds - split.red_ds
    if green <= 0:
        raise PlanError(
            "LV337",
            controller=controller,
            phase=phase.id,
            split_s=split.length_ds / 10,
            clearance_s=(phase.yellow_ds + split.red_ds) / 10,
        )
    return Window(
        start_ds=at, length_ds=green, yellow_ds=phase.yellow_ds, red_amber_ds=phase.red_amber_ds
    )


def _overlap_greens(
    controller: ControllerId,
    rules: SignalRules,
    writing: RingBarrier,
    overlap: Overlap,
    cycle: int,
) -> Greens:
    """Return the greens of an overlap: the splits of its parents joined where they touch."""
    phase = rules.phase_index.get(overlap.phase)
    if phase is None:
        raise PlanError("LV331", controller=controller, stage="overlap", phase=overlap.phase)
    spans = _parent_spans(writing, rules, overlap)
    joined: list[list[int]] = []
    for start, green_end, split_end in spans:
        if joined and start <= joined[-1][2]:
            ends = max((joined[-1][2], joined[-1][1]), (split_end, green_end))
            joined[-1][2], joined[-1][1] = ends
        else:
            joined.append([start, green_end, split_end])
    if len(joined) > 1 and joined[-1][2] >= cycle + joined[0][0]:
        first = joined.pop(0)
        joined[-1][1] = first[1] + cycle
    whole = len(joined) == 1 and joined[0][2] - joined[0][0] >= cycle
    windows = tuple(
        Window(
            start_ds=0 if whole else start,
            length_ds=cycle if whole else end - start,
            yellow_ds=0 if whole else phase.yellow_ds,
            red_amber_ds=0 if whole else phase.red_amber_ds,
        )
        for start, end, _ in joined
    )
    return Greens(phase=overlap.phase, windows=windows)


def _parent_spans(
    writing: RingBarrier, rules: SignalRules, overlap: Overlap
) -> list[tuple[int, int, int]]:
    """Return (start, end of green, end of split) of the parents in the order of their starts."""
    spans = []
    begin = 0
    for barrier in writing.barriers:
        for ring in barrier.rings:
            at = begin
            for split in ring:
                if split.phase in overlap.parents:
                    lost = rules.phase_index[split.phase].yellow_ds + split.red_ds
                    spans.append((at, at + split.length_ds - lost, at + split.length_ds))
                at += split.length_ds
        begin += sum(split.length_ds for split in barrier.rings[0])
    return sorted(spans)


Turn = list[tuple[Window, PhaseId]]


def _ring_turn(plan: Plan, ring: Sequence[PhaseId]) -> Turn:
    """Return the greens of a ring by start; empty where a phase has not exactly one."""
    turn = [(window, phase) for phase in ring for window in plan.windows_of(phase)]
    return sorted(turn) if len(turn) == len(ring) else []


def _splits(turn: Turn, rules: SignalRules, start: int, end: int, cycle: int) -> tuple[Split, ...]:
    """Return the splits of one ring between two barriers."""
    inside = sorted(
        ((window.start_ds - start) % cycle, window, phase)
        for window, phase in turn
        if (window.start_ds - start) % cycle < end - start
    )
    starts = [at for at, _, _ in inside] + [end - start]
    return tuple(
        Split(
            phase=phase,
            length_ds=until - at,
            red_ds=until - at - window.length_ds - rules.phase_index[phase].yellow_ds,
        )
        for (at, window, phase), until in zip(inside, starts[1:], strict=True)
    )


def _gives(writing: RingBarrier, plan: Plan, rules: SignalRules) -> bool:
    """Say whether a writing gives the plan's timeline, all of it."""
    splits = [s for barrier in writing.barriers for ring in barrier.rings for s in ring]
    written = {split.phase for split in splits} | {o.phase for o in writing.overlaps}
    if any(split.red_ds < 0 for split in splits) or plan.reference not in written:
        return False
    built = from_ring_barrier(
        plan.id, plan.controller, rules, writing, 0, plan.reference or PhaseId("")
    )
    return _by_phase(built.index) == _by_phase(plan.index) and built.cycle_ds == plan.cycle_ds


def _by_phase(index: Mapping[PhaseId, tuple[Window, ...]]) -> dict[PhaseId, tuple[Window, ...]]:
    return {phase: windows for phase, windows in index.items() if windows}
