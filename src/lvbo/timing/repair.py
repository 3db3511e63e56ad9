# SPDX-License-Identifier: Apache-2.0
"""Give a plan the clearance it lacks, at its own cycle, offset and order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lvbo.errors import InfeasibleError
from lvbo.ids import PhaseId
from lvbo.signal.check import check_plan, is_safe
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import SignalRules

LEAST_WINDOW_DS = 10
ROUNDS = 400


@dataclass(slots=True)
class _Span:
    """A window while it is being cut: `start` and `end` may lie outside [0, cycle)."""

    phase: PhaseId
    start: int
    end: int
    window: Window
    before: list[_Span] = field(default_factory=list)
    after: list[_Span] = field(default_factory=list)

    @property
    def length(self) -> int:
        return self.end - self.start


def repair_clearance(plan: Plan, rules: SignalRules) -> Plan:
    """Return the plan with every hard rule kept, at unchanged cycle; a safe plan returns as it is.

    Yellows are brought to what their phases need. Greens that are too short grow, and where the
    time between two foes is too short, the one with more green to spare gives it: the first ends
    earlier or the second starts later; where neither can, the second moves on. A green that hands
    its head over to another lamp of the same head stays joined to it. The stage writing is dropped,
    as the plan no longer follows it.

    Raises:
        InfeasibleError: LV604 where the cycle is too short for it; the conflict names the rest.

    """
    if is_safe(plan, rules):
        return plan
    spans = _spans(plan, rules)
    moving = [span for span in spans if span.length < plan.cycle_ds]
    for _ in range(ROUNDS):
        grown = _grow(moving, rules)
        cut = _cut(moving, rules, plan.cycle_ds)
        if not grown and not cut:
            break
    if not _fit(spans, plan.cycle_ds):
        raise _infeasible(plan, plan, rules)
    repaired = _built(plan, spans, rules)
    if not is_safe(repaired, rules):
        raise _infeasible(plan, repaired, rules)
    return repaired


def _fit(spans: list[_Span], cycle_ds: int) -> bool:
    """Say whether the windows of each phase still fit the cycle."""
    total: dict[PhaseId, int] = {}
    for span in spans:
        total[span.phase] = total.get(span.phase, 0) + span.length
    return all(span.length > 0 for span in spans) and max(total.values()) <= cycle_ds


def _infeasible(plan: Plan, left: Plan, rules: SignalRules) -> InfeasibleError:
    errors = [f for f in check_plan(left, rules) if f.severity == "error"]
    return InfeasibleError(
        "LV604",
        conflict=[f"{f.code} {', '.join(map(str, f.fields.values()))}" for f in errors],
        place=plan.controller,
        plan=plan.id,
        cycle_s=plan.cycle_s,
    )


def _spans(plan: Plan, rules: SignalRules) -> list[_Span]:
    """Return all windows of going phases, those of one head that touch joined to each other."""
    spans = [
        _Span(phase=greens.phase, start=window.start_ds, end=window.end_ds, window=window)
        for greens in plan.greens
        for window in greens.windows
    ]
    for first in spans:
        for second in spans:
            mates = second.phase in rules.mates.get(first.phase, ()) or (
                first.phase in rules.mates.get(second.phase, ())
            )
            if mates and (second.start - first.end) % plan.cycle_ds == 0:
                first.after.append(second)
                second.before.append(first)
    return spans


def _run_length(span: _Span) -> int:
    """Return how long the head goes, with the spans joined to this one."""
    before = max((s.length for s in span.before), default=0)
    after = max((s.length for s in span.after), default=0)
    return before + span.length + after


def _grow(spans: list[_Span], rules: SignalRules) -> bool:
    """Lengthen the greens that are below their minimum; say whether any was."""
    grown = False
    for span in spans:
        phase = rules.phase_index.get(span.phase)
        if phase is None or not phase.is_going:
            continue
        lack = max(rules.limit_index[span.phase].min_green_ds, phase.flash_ds + 1) - _run_length(
            span
        )
        if lack > 0:
            _move_end(span, lack)
            grown = True
    return grown


def _cut(spans: list[_Span], rules: SignalRules, cycle_ds: int) -> bool:
    """Make room between foes that follow each other too closely; say whether any were."""
    cut = False
    for first, second, lack in _lacks(spans, rules, cycle_ds):
        spare_first, spare_second = _spare(first, rules), _spare(second, rules)
        take = min(lack, 10)
        if max(spare_first, spare_second) <= 0:
            _move_start(second, take)
            _move_end(second, take)
        elif spare_first >= spare_second:
            _move_end(first, -min(take, spare_first))
        else:
            _move_start(second, min(take, spare_second))
        cut = True
    return cut


def _lacks(
    spans: list[_Span], rules: SignalRules, cycle_ds: int
) -> Iterator[tuple[_Span, _Span, int]]:
    """Yield foes with too little time from the end of the first to the start of the second."""
    for first in spans:
        for second in spans:
            if not rules.forbidden(first.phase, second.phase):
                continue
            need = rules.intergreen_ds(first.phase, second.phase)
            if need is None:
                continue
            gap = (second.start - first.start) % cycle_ds - first.length
            if gap < need:
                yield first, second, need - gap


def _spare(span: _Span, rules: SignalRules) -> int:
    """Return how much of its green a span can give."""
    phase = rules.phase_index[span.phase]
    least = max(rules.limit_index[span.phase].min_green_ds, phase.flash_ds + 1)
    return min(_run_length(span) - least, span.length - LEAST_WINDOW_DS)


def _move_end(span: _Span, by_ds: int) -> None:
    span.end += by_ds
    for joined in span.after:
        joined.start += by_ds


def _move_start(span: _Span, by_ds: int) -> None:
    span.start += by_ds
    for joined in span.before:
        joined.end += by_ds


def _built(plan: Plan, spans: list[_Span], rules: SignalRules) -> Plan:
    windows: dict[PhaseId, list[Window]] = {}
    for span in spans:
        phase = rules.phase_index.get(span.phase)
        whole = span.length >= plan.cycle_ds
        needs = phase.yellow_ds if phase is not None and phase.is_going and not whole else 0
        yellow = span.window.yellow_ds if span.after else max(span.window.yellow_ds, needs)
        windows.setdefault(span.phase, []).append(
            replace(
                span.window,
                start_ds=span.start % plan.cycle_ds,
                length_ds=span.length,
                yellow_ds=yellow,
            )
        )
    greens = [Greens(phase=name, windows=tuple(listed)) for name, listed in windows.items()]
    return referenced(
        plan.id, plan.controller, plan.cycle_ds, greens, plan.reference, plan.offset_ds
    )
