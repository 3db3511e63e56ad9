# SPDX-License-Identifier: Apache-2.0
"""The stage-sequence writing of a plan: stages in order, each a set of phases with a common green.

All phases of a stage that are not in the next one end together at the end of its green; all that
are new in the next one start together, one interstage later. A phase listed in neighbouring stages
runs through; one listed in all of them is permanent. People on foot clear slowly: where a stage
ends with a walk, the walk ends early inside the stage, so that the interstage is that of the
vehicles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from lvbo.errors import PlanError
from lvbo.ids import ControllerId, PhaseId, PlanId, StageId
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.plan import Greens, Plan, StageGreen, Window, referenced
from lvbo.signal.rules import SignalRules

StageWish = tuple[StageId, tuple[PhaseId, ...], int]

LEAST_STAGE_DS = 20
INTERSTAGE_SLACK_DS = 20


def from_stages(
    plan_id: PlanId,
    controller: ControllerId,
    rules: SignalRules,
    stages: Sequence[StageWish],
    offset_ds: int,
    reference: PhaseId,
) -> Plan:
    """Return the plan of stages given as (id, phases, green), with the shortest safe interstages.

    Raises:
        PlanError: where a stage names unknown or conflicting phases, an intergreen is unknown, a
            green is not above zero, or the reference is in no stage.

    """
    _check_wishes(controller, rules, stages)
    if not any(reference in phases for _, phases, _ in stages):
        raise PlanError("LV334", controller=controller, plan=plan_id, phase=reference)
    between = interstages_ds(controller, rules, stages)
    written = tuple(
        StageGreen(id=name, phases=tuple(sorted(phases)), green_ds=green, interstage_ds=gap)
        for (name, phases, green), gap in zip(stages, between, strict=True)
    )
    cycle = sum(stage.green_ds + stage.interstage_ds for stage in written)
    greens = stage_greens(written, rules)
    for phase, window in ((g.phase, w) for g in greens for w in g.windows):
        if window.length_ds <= 0:
            raise PlanError(
                "LV333", controller=controller, stage=phase, green_s=window.length_ds / 10
            )
    plan = referenced(plan_id, controller, cycle, greens, reference, 0, written)
    return plan.at_offset(offset_ds)


def stage_greens(stages: Sequence[StageGreen], rules: SignalRules) -> tuple[Greens, ...]:
    """Return the windows of a stage writing, on a clock that starts with its first stage."""
    starts = _stage_starts(stages)
    cycle = sum(stage.green_ds + stage.interstage_ds for stage in stages)
    names = sorted({phase for stage in stages for phase in stage.phases})
    windows = {name: tuple(sorted(_windows(name, stages, starts, cycle, rules))) for name in names}
    return tuple(
        Greens(phase=name, windows=tuple(_cleared(name, w, windows, cycle, rules) for w in own))
        for name, own in windows.items()
    )


def _cleared(
    name: PhaseId,
    window: Window,
    others: Mapping[PhaseId, Sequence[Window]],
    cycle: int,
    rules: SignalRules,
) -> Window:
    """Return a walk that ends early enough for its foes; other windows as they are."""
    if not _walks(name, rules) or window.length_ds >= cycle:
        return window
    cut = 0
    for ending, starting, need in rules.foes:
        if ending != name or need is None:
            continue
        for foe in others.get(starting, ()):
            cut = max(cut, need - (foe.start_ds - window.end_ds) % cycle)
    return replace(window, length_ds=window.length_ds - cut)


def as_stages(
    plan: Plan, rules: SignalRules, *, least_ds: int = LEAST_STAGE_DS
) -> tuple[StageGreen, ...] | None:
    """Return the stage writing of a plan, or None where stages cannot express it.

    The writing kept in the plan is returned if it still gives the plan's timeline. Otherwise stages
    are the spans in which the set of going phases stays the same; a span whose phases all run on
    from the stage before into the stage after is an interstage, unless it is longer than their
    intergreen asks. A clearance in which a phase ends that the next stage lights again is a stage
    without phases. A plan with a late start or an early cut-off below `least_ds` has no stages,
    nor has one whose yellows differ from those of its phases.
    """
    if plan.stages and _gives(plan.stages, plan, rules):
        return plan.stages
    spans = _spans(plan, rules)
    kept = [i for i in range(len(spans)) if not _is_between(spans, i, rules)]
    if not kept:
        return None
    found = tuple(_stage(spans, kept, k, plan.cycle_ds) for k in range(len(kept)))
    short = any(stage.green_ds < least_ds for stage in found)
    return None if short or not _gives(found, plan, rules) else found


def _check_wishes(
    controller: ControllerId, rules: SignalRules, stages: Sequence[StageWish]
) -> None:
    if not stages:
        raise PlanError("LV330", controller=controller)
    for name, phases, green in stages:
        for phase in phases:
            if phase not in rules.phase_index:
                raise PlanError("LV331", controller=controller, stage=name, phase=phase)
        for a, b in combinations(phases, 2):
            if rules.forbidden(a, b):
                raise PlanError("LV332", controller=controller, stage=name, first=a, second=b)
        if green <= 0:
            raise PlanError("LV333", controller=controller, stage=name, green_s=green / 10)


def interstages_ds(
    controller: ControllerId, rules: SignalRules, stages: Sequence[StageWish]
) -> list[int]:
    """Return the least time after each stage, also for phases that ended some stages ago."""
    n = len(stages)
    gaps = [_least_gap(controller, rules, stages[k], stages[(k + 1) % n]) for k in range(n)]
    changed = True
    while changed:
        changed = False
        for k in range(n):
            lack = max(_lacks(controller, rules, stages, gaps, k), default=0)
            if lack > 0:
                gaps[k] += lack
                changed = True
    return gaps


def _least_gap(
    controller: ControllerId, rules: SignalRules, stage: StageWish, following: StageWish
) -> int:
    ending = [p for p in stage[1] if p not in following[1]]
    starting = [p for p in following[1] if p not in stage[1]]
    gap = 0
    for phase in ending:
        if _walks(phase, rules):
            continue
        if not _hands_over(phase, following[1], rules):
            gap = max(gap, rules.phase_index[phase].yellow_ds)
        for other in starting:
            gap = max(gap, _known(controller, rules, phase, other))
    return gap


def _walks(phase: PhaseId, rules: SignalRules) -> bool:
    return rules.phase_index[phase].kind is PhaseKind.PEDESTRIAN


def _known(controller: ControllerId, rules: SignalRules, ending: PhaseId, starting: PhaseId) -> int:
    need = rules.intergreen_ds(ending, starting)
    if need is None:
        raise PlanError("LV335", controller=controller, ending=ending, starting=starting)
    return need


def _hands_over(phase: PhaseId, following: Iterable[PhaseId], rules: SignalRules) -> bool:
    """Say whether the head of an ending phase goes on by a mate in the next stage."""
    return any(mate in following for mate in rules.mates[phase])


def _lacks(
    controller: ControllerId,
    rules: SignalRules,
    stages: Sequence[StageWish],
    gaps: Sequence[int],
    k: int,
) -> Iterator[int]:
    """Yield by how much the gap after stage `k` is short for phases that ended before it."""
    n = len(stages)
    starting = [p for p in stages[(k + 1) % n][1] if p not in stages[k][1]]
    since = gaps[k]
    for back in range(1, n):
        j = (k - back) % n
        since += stages[(j + 1) % n][2] + gaps[j]
        ended = [p for p in stages[j][1] if p not in stages[(j + 1) % n][1]]
        for phase in ended:
            if _walks(phase, rules):
                continue
            for other in starting:
                yield _known(controller, rules, phase, other) - since


def _stage_starts(stages: Sequence[StageGreen]) -> list[int]:
    starts, at = [], 0
    for stage in stages:
        starts.append(at)
        at += stage.green_ds + stage.interstage_ds
    return starts


def _windows(
    name: PhaseId,
    stages: Sequence[StageGreen],
    starts: Sequence[int],
    cycle: int,
    rules: SignalRules,
) -> Iterator[Window]:
    """Yield one window for each run of neighbouring stages that hold the phase."""
    phase, n = rules.phase_index[name], len(stages)
    lit = [name in stage.phases for stage in stages]
    if all(lit):
        yield Window(start_ds=0, length_ds=cycle)
        return
    for k in range(n):
        if not lit[k] or lit[k - 1]:
            continue
        last = k
        while lit[(last + 1) % n]:
            last = (last + 1) % n
        after = stages[(last + 1) % n].phases
        direct = stages[last].interstage_ds == 0 and _hands_over(name, after, rules)
        yield Window(
            start_ds=starts[k],
            length_ds=(starts[last] + stages[last].green_ds - starts[k] - 1) % cycle + 1,
            yellow_ds=0 if direct else phase.yellow_ds,
            red_amber_ds=phase.red_amber_ds,
        )


Span = tuple[int, int, frozenset[PhaseId]]


def _spans(plan: Plan, rules: SignalRules) -> list[Span]:
    """Return (start, length, going phases) of the spans between changes, from local second 0."""
    cycle = plan.cycle_ds
    going = {
        g.phase: g.windows
        for g in plan.greens
        if g.phase in rules.phase_index and rules.phase_index[g.phase].is_going
    }
    moving = [w for windows in going.values() for w in windows if w.length_ds < cycle]
    cuts = sorted({at % cycle for w in moving for at in (w.start_ds, w.end_ds)}) or [0]
    following = [*cuts[1:], cuts[0] + cycle]
    return [
        (
            at,
            until - at,
            frozenset(
                p
                for p, windows in going.items()
                if any((at - w.start_ds) % cycle < w.length_ds for w in windows)
            ),
        )
        for at, until in zip(cuts, following, strict=True)
    ]


def _is_between(spans: Sequence[Span], i: int, rules: SignalRules) -> bool:
    """Say whether a span is an interstage: less than both neighbours, and no longer than needed.

    A phase that is lit before and after but not in between does not run through, so that such a
    span must be written as a stage of its own.
    """
    _, length, here = spans[i]
    before, after = spans[i - 1][2], spans[(i + 1) % len(spans)][2]
    if not (here < before and here < after) or (before & after) - here:
        return False
    if not here:
        return True
    needs = [rules.intergreen_ds(a, b) or 0 for a in before - here for b in after - here]
    return length <= max(needs) + INTERSTAGE_SLACK_DS


def _stage(spans: Sequence[Span], kept: Sequence[int], k: int, cycle: int) -> StageGreen:
    start, length, phases = spans[kept[k]]
    following = spans[kept[(k + 1) % len(kept)]][0]
    gap = (following - start - length) % cycle
    name = StageId(f"S{k + 1}")
    return StageGreen(id=name, phases=tuple(sorted(phases)), green_ds=length, interstage_ds=gap)


def _gives(stages: Sequence[StageGreen], plan: Plan, rules: SignalRules) -> bool:
    """Say whether a stage writing gives the plan's timeline, wherever its first stage starts."""
    if any(phase not in rules.phase_index for stage in stages for phase in stage.phases):
        return False
    if sum(stage.green_ds + stage.interstage_ds for stage in stages) != plan.cycle_ds:
        return False
    greens = stage_greens(stages, rules)
    if plan.reference not in (None, *(g.phase for g in greens)):
        return False
    built = referenced(plan.id, plan.controller, plan.cycle_ds, greens, plan.reference, 0)
    own = _turned(sorted(plan.greens, key=lambda g: g.phase), 0, plan.cycle_ds)
    turns = [0] if plan.reference else _turns(built.greens, own)
    return any(_turned(built.greens, turn, plan.cycle_ds) == own for turn in turns)


def _turns(built: Sequence[Greens], own: Sequence[Greens]) -> list[int]:
    """Return by how much the built windows may have to be turned: each puts one start right."""
    if not built or not own or not own[0].windows:
        return [0]
    target = own[0].windows[0].start_ds
    return [target - w.start_ds for w in built[0].windows]


def _turned(greens: Sequence[Greens], turn: int, cycle_ds: int) -> list[Greens]:
    """Return the windows turned, so that timelines compare."""
    return [
        Greens(
            phase=g.phase,
            windows=tuple(sorted(w.later(turn, cycle_ds) for w in g.windows)),
        )
        for g in greens
    ]
