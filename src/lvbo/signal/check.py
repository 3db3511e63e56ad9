# SPDX-License-Identifier: Apache-2.0
"""Whether a plan keeps the rules of its controller: hard rules as errors, the rest as advice.

All times are tenths of a second on the plan's local cycle; a window that runs over the end of the
cycle is seen whole, and so is every gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from lvbo.errors import Finding, Severity
from lvbo.ids import PhaseId
from lvbo.signal.lamp import Conflict, Lamp, PhaseKind, Right
from lvbo.signal.plan import Plan, Window
from lvbo.signal.rules import Phase, SignalRules

LONG_CYCLE_DS = 1500
LONG_WALK_WAIT_DS = 700
SHORT_WINDOW_DS = 20
SHORT_WALK_FLASH_DS = 50

Run = tuple[int, int]


def check_plan(plan: Plan, rules: SignalRules) -> tuple[Finding, ...]:
    """Return all that is wrong or doubtful in a plan: errors first, then warnings and advice."""
    return (*_errors(plan, rules), *_doubts(plan, rules))


def is_safe(plan: Plan, rules: SignalRules) -> bool:
    """Say whether a plan keeps every hard rule; stops at the first broken one."""
    return next(_errors(plan, rules), None) is None


def check_rules(rules: SignalRules, place: str) -> tuple[Finding, ...]:
    """Return the doubts about the rules themselves, whatever plan runs under them."""
    return tuple(chain(_short_clearances(rules, place), _short_flashes(rules, place)))


def _errors(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    return chain(
        _strangers(plan, rules),
        _clashes(plan, rules),
        _broken_limits(plan, rules),
        _broken_follows(plan, rules),
    )


def _doubts(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    return chain(
        _unserved(plan, rules),
        _yielding_greens(plan, rules),
        _short_windows(plan, rules),
        _long_waits(plan, rules),
    )


def _strangers(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    for greens in plan.greens:
        if greens.phase not in rules.phase_index:
            yield _finding(plan, "LV235", phase=greens.phase)


def _clashes(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    """Yield conflicting greens and intergreens that are too short or unknown."""
    windows, cycle = plan.index, plan.cycle_ds
    for a, b, need in rules.foes:
        if a not in windows or b not in windows:
            continue
        gaps = [
            ((after.start_ds - before.start_ds) % cycle - before.length_ds, after, before)
            for before in windows[a]
            for after in windows[b]
        ]
        for gap, after, before in gaps:
            if gap < 0:
                yield from _overlap(plan, (a, b), before, after)
            elif need is None:
                yield _finding(plan, "LV222", ending=a, starting=b, at_s=_s(after.start_ds))
            elif gap < need:
                yield _finding(
                    plan,
                    "LV221",
                    ending=a,
                    starting=b,
                    found_s=_s(gap),
                    least_s=_s(need),
                    at_s=_s(after.start_ds),
                )


def _overlap(
    plan: Plan, pair: tuple[PhaseId, PhaseId], before: Window, after: Window
) -> Iterator[Finding]:
    """Yield one finding where `after` starts within `before`; equal starts are told once."""
    if before.start_ds == after.start_ds and pair[1] < pair[0]:
        return
    since = (after.start_ds - before.start_ds) % plan.cycle_ds
    both = min(before.length_ds - since, after.length_ds)
    yield _finding(
        plan, "LV220", first=pair[0], second=pair[1], at_s=_s(after.start_ds), overlap_s=_s(both)
    )


def _broken_limits(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    for greens in plan.greens:
        phase = rules.phase_index.get(greens.phase)
        if phase is None or not phase.is_going:
            continue
        runs = _head_runs(plan, rules, phase)
        for window in greens.windows:
            yield from _broken_window(plan, rules, phase, window, runs)


def _broken_window(
    plan: Plan, rules: SignalRules, phase: Phase, window: Window, runs: tuple[Run, ...]
) -> Iterator[Finding]:
    start, length = _run_with(window, runs, plan.cycle_ds)
    if length >= plan.cycle_ds:
        return
    limit = rules.limit_index[phase.id]
    if length < limit.min_green_ds:
        yield _window(plan, "LV223", phase, window, length, limit.min_green_ds)
    if limit.max_green_ds is not None and window.length_ds > limit.max_green_ds:
        yield _window(plan, "LV233", phase, window, window.length_ds, limit.max_green_ds)
    if phase.flash_ds and length <= phase.flash_ds:
        yield _window(plan, "LV226", phase, window, length, phase.flash_ds)
    if (window.end_ds - start - length) % plan.cycle_ds == 0:
        after = min((s - start - length) % plan.cycle_ds for s, _ in runs)
        yellow = min(_head_yellow(plan, rules, phase, window.end_ds), after)
        if yellow < phase.yellow_ds:
            yield _window(plan, "LV224", phase, window, yellow, phase.yellow_ds)


def _head_yellow(plan: Plan, rules: SignalRules, phase: Phase, end_ds: int) -> int:
    """Return how long the head of a phase shows yellow from an end of green on, mates included."""
    windows = [w for name in (phase.id, *rules.mates[phase.id]) for w in plan.windows_of(name)]
    return max(w.yellow_ds - (end_ds - w.end_ds) % plan.cycle_ds for w in windows)


def _broken_follows(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    for rule in rules.follows:
        for before in plan.windows_of(rule.after):
            starts = [
                (w.start_ds - before.start_ds) % plan.cycle_ds for w in plan.windows_of(rule.phase)
            ]
            if not starts:
                yield _finding(plan, "LV225", phase=rule.phase, after=rule.after, between="-")
                continue
            between = _starting_between(plan, rules, rule.phase, before, min(starts))
            if between:
                names = ", ".join(between)
                yield _finding(plan, "LV225", phase=rule.phase, after=rule.after, between=names)


def _starting_between(
    plan: Plan, rules: SignalRules, phase: PhaseId, before: Window, start: int
) -> list[PhaseId]:
    """Return the foes of `phase` that start after `before` has ended and before `phase` starts."""
    return [
        foe
        for foe, windows in plan.index.items()
        if rules.forbidden(foe, phase)
        and any(
            before.length_ds <= (w.start_ds - before.start_ds) % plan.cycle_ds < start
            for w in windows
        )
    ]


def _unserved(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    """Yield phases that never get green and reds beyond the service guarantee."""
    for phase in rules.phases:
        if not phase.is_going:
            continue
        runs = _head_runs(plan, rules, phase)
        if not runs:
            yield _finding(plan, "LV228", Severity.WARNING, phase=phase.id)
            continue
        red, limit = _longest_red(runs, plan.cycle_ds), rules.limit_index[phase.id].max_red_ds
        if red > limit:
            yield _finding(
                plan, "LV227", Severity.WARNING, phase=phase.id, found_s=_s(red), most_s=_s(limit)
            )


def _yielding_greens(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    """Yield pairs of foes that both see a full green and so are not told who yields."""
    yielding = {s.phase for s in rules.services if s.right is not Right.PROTECTED}
    for a, b, conflict in rules.conflicts.pairs:
        pair = [rules.phase_index.get(a), rules.phase_index.get(b)]
        full = all(p is not None and p.shows is Lamp.GREEN and p.id not in yielding for p in pair)
        if conflict is Conflict.YIELD and full and _meet(plan, a, b):
            yield _finding(plan, "LV229", Severity.WARNING, first=a, second=b)


def _meet(plan: Plan, a: PhaseId, b: PhaseId) -> bool:
    return any(
        (y.start_ds - x.start_ds) % plan.cycle_ds < x.length_ds
        or (x.start_ds - y.start_ds) % plan.cycle_ds < y.length_ds
        for x in plan.windows_of(a)
        for y in plan.windows_of(b)
    )


def _short_windows(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    for phase in rules.phases:
        if not phase.is_going or phase.id not in plan.index:
            continue
        for start, length in _head_runs(plan, rules, phase):
            if length < SHORT_WINDOW_DS:
                yield _finding(
                    plan,
                    "LV232",
                    Severity.WARNING,
                    phase=phase.id,
                    at_s=_s(start % plan.cycle_ds),
                    found_s=_s(length),
                )


def _long_waits(plan: Plan, rules: SignalRules) -> Iterator[Finding]:
    if plan.cycle_ds > LONG_CYCLE_DS and plan.greens:
        yield _finding(plan, "LV230", Severity.ADVICE, cycle_s=_s(plan.cycle_ds))
    for phase in rules.phases:
        if phase.kind is not PhaseKind.PEDESTRIAN or not phase.is_going:
            continue
        runs = _head_runs(plan, rules, phase)
        wait = _longest_red(runs, plan.cycle_ds) if runs else 0
        if wait > LONG_WALK_WAIT_DS:
            yield _finding(plan, "LV231", Severity.ADVICE, phase=phase.id, wait_s=_s(wait))


def _short_clearances(rules: SignalRules, place: str) -> Iterator[Finding]:
    """Yield pairs whose intergreen is shorter than the yellow: the foe starts in the yellow."""
    for a, b, need in rules.foes:
        yellow = rules.phase_index[a].yellow_ds
        if need is not None and need < yellow:
            fields = {"ending": a, "starting": b, "found_s": _s(need), "yellow_s": _s(yellow)}
            yield Finding(code="LV236", place=place, severity=Severity.WARNING, fields=fields)


def _short_flashes(rules: SignalRules, place: str) -> Iterator[Finding]:
    for phase in rules.phases:
        if phase.kind is PhaseKind.PEDESTRIAN and 0 < phase.flash_ds <= SHORT_WALK_FLASH_DS:
            fields = {"phase": phase.id, "found_s": _s(phase.flash_ds)}
            yield Finding(code="LV234", place=place, severity=Severity.ADVICE, fields=fields)


def _head_runs(plan: Plan, rules: SignalRules, phase: Phase) -> tuple[Run, ...]:
    """Return (start, length) of the spans in which the head of a phase lets traffic go."""
    own = plan.windows_of(phase.id)
    mates = rules.mates[phase.id]
    if not mates and len(own) <= 1:
        return tuple((w.start_ds, w.length_ds) for w in own)
    windows = sorted(chain(own, *(plan.windows_of(mate) for mate in mates)))
    return _merged(windows, plan.cycle_ds)


def _merged(windows: list[Window], cycle_ds: int) -> tuple[Run, ...]:
    """Return windows joined where they touch or overlap, also over the end of the cycle."""
    spans: list[list[int]] = []
    for window in windows:
        if spans and window.start_ds <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], window.end_ds)
        else:
            spans.append([window.start_ds, window.end_ds])
    while len(spans) > 1 and spans[-1][1] >= spans[0][0] + cycle_ds:
        first = spans.pop(0)
        spans[-1][1] = max(spans[-1][1], first[1] + cycle_ds)
    return tuple((start, min(end - start, cycle_ds)) for start, end in spans)


def _run_with(window: Window, runs: tuple[Run, ...], cycle_ds: int) -> Run:
    return next(run for run in runs if (window.start_ds - run[0]) % cycle_ds < run[1])


def _longest_red(runs: tuple[Run, ...], cycle_ds: int) -> int:
    if len(runs) == 1:
        return cycle_ds - runs[0][1]
    following = (*runs[1:], runs[0])
    pairs = zip(runs, following, strict=True)
    return max((after[0] - start) % cycle_ds - length for (start, length), after in pairs)


def _window(
    plan: Plan, code: str, phase: Phase, window: Window, found_ds: int, limit_ds: int
) -> Finding:
    return _finding(
        plan,
        code,
        phase=phase.id,
        at_s=_s(window.start_ds),
        found_s=_s(found_ds),
        limit_s=_s(limit_ds),
    )


def _finding(
    plan: Plan, code: str, severity: Severity = Severity.ERROR, /, **fields: object
) -> Finding:
    return Finding(
        code=code, place=plan.controller, severity=severity, fields={"plan": plan.id, **fields}
    )


def _s(tenths: int) -> float:
    """Return tenths as seconds, whole ones as integers so that they read well."""
    return tenths / 10 if tenths % 10 else tenths // 10
