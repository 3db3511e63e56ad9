# SPDX-License-Identifier: Apache-2.0
"""Plans of bands by link in whole milliseconds, and with offsets in whole seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Floats, Ints, time_range
from lvbo.progression.linkband_fit import Bounds, Fit, Structure, bounds_of, fit_structure
from lvbo.progression.linkbands import (
    CENTRED,
    LinkBandPlan,
    LinkBandProblem,
    Sides,
    value_of_links,
)
from lvbo.progression.problem import BandKind, BandPlan, BandProblem

SECOND_MS = 1000
BLOCK = 4  # signals whose offsets are rounded at a time
GIVEN_MS = 1e-3  # an offset so near a whole second was given as one
SHIFTS_S = (0.0, 0.25, 0.5, 0.75)


def nearest_cycles(problem: BandProblem, cycle_ms: float) -> list[int]:
    """Return the cycles of the problem beside this one."""
    cycles = np.array(sorted(problem.cycles_ms))
    at = int(np.searchsorted(cycles, cycle_ms))
    return sorted({int(cycles[max(at - 1, 0)]), int(cycles[min(at, cycles.size - 1)])})


def settle(problem: LinkBandProblem, chain: Chain, fit: Fit) -> LinkBandPlan | None:
    """Return the plan of a fit at the best of the problem's cycles beside its own."""
    plans = []
    for cycle_ms in nearest_cycles(problem.street, fit.structure.cycle_ms):
        there = replace(fit.structure, cycle_ms=float(cycle_ms))
        fixed = fit_structure(problem, chain, there, bounds_of(problem.street, cycle_ms, cycle_ms))
        if fixed is not None:
            plans.append((fixed.value, cycle_ms, fixed))
    if not plans:
        return None
    _, cycle_ms, fixed = max(plans, key=lambda p: p[0])
    return written(problem, chain, fixed.structure, cycle_ms)


def whole_seconds_of(problem: LinkBandProblem, chain: Chain, plan: LinkBandPlan) -> LinkBandPlan:
    """Return the best plan found near this one whose offsets are whole seconds; locks stay.

    All offsets are rounded at once at several common shifts, and some signals at a time with the
    others free to follow; everything but the offsets is fitted again each time.
    """
    street = problem.street
    structure = structure_of_plan(problem, chain, plan)
    bounds = bounds_of(street, plan.cycle_ms, plan.cycle_ms)
    tries = [_all_rounded(structure, bounds, shift) for shift in SHIFTS_S]
    fits = [fit_structure(problem, chain, structure, given) for given in tries]
    fits.append(_in_blocks(problem, chain, structure, bounds))
    plans = [
        written(problem, chain, fit.structure, plan.cycle_ms) for fit in fits if fit is not None
    ]
    return max(plans, key=lambda p: value_of_links(problem, p), default=plan)


def _all_rounded(structure: Structure, bounds: Bounds, shift_s: float) -> Bounds:
    given = {i: float(o) for i, o in enumerate(structure.offsets)}
    per_second = SECOND_MS / structure.cycle_ms
    locked = bool(bounds.given)
    whole = {
        i: round(o / per_second + (0 if locked else shift_s)) * per_second for i, o in given.items()
    }
    return _with_locks(bounds, whole)


def _with_locks(bounds: Bounds, whole: dict[int, float]) -> Bounds:
    """Return bounds with these offsets given, the locks before them."""
    given = dict(whole)
    for signal, (leader, later) in bounds.tied.items():
        if signal in given and leader in given:
            given[signal] = given[leader] + later
    given |= bounds.given
    tied = {s: t for s, t in bounds.tied.items() if s not in given}
    return replace(bounds, given=given, tied=tied)


def _in_blocks(
    problem: LinkBandProblem, chain: Chain, structure: Structure, bounds: Bounds
) -> Fit | None:
    """Return the fit after rounding some signals at a time."""
    per_second = SECOND_MS / structure.cycle_ms
    whole: dict[int, float] = {}
    fit: Fit | None = Fit(structure=structure, value=0.0)
    n = len(structure.choices)
    for first in range(0, n, BLOCK):
        if fit is None:
            return None
        for i in range(first, min(first + BLOCK, n)):
            whole[i] = round(float(fit.structure.offsets[i]) / per_second) * per_second
        fit = fit_structure(problem, chain, fit.structure, _with_locks(bounds, whole))
    return fit


def written(
    problem: LinkBandProblem, chain: Chain, structure: Structure, cycle_ms: int
) -> LinkBandPlan:
    """Return a structure's plan in whole milliseconds, its bands as wide as these allow."""
    street = problem.street
    lines_out, lines_in = structure.lines_out * cycle_ms, structure.lines_in * cycle_ms
    out = _travel(street, lines_out, chain.clear_out[1:], outbound=True)
    back = _travel(street, -lines_in, chain.clear_in[:-1], outbound=False)
    line_out = round(float(lines_out[0])) + _from_first(out - chain.clear_out[1:])
    line_in = round(float(lines_in[-1])) + _from_first((back - chain.clear_in[:-1])[::-1])[::-1]
    drift = ((line_out - lines_out) + (line_in - lines_in)) / 2
    offsets = np.rint(structure.offsets * cycle_ms + drift).astype(np.int64)
    given = np.rint(structure.offsets * cycle_ms / SECOND_MS) * SECOND_MS
    kept = np.abs(structure.offsets * cycle_ms - given) < GIVEN_MS
    offsets[kept] = given[kept]
    for lock in street.locks:  # as given, to the millisecond
        signals = list(lock.signals)
        start = 0 if lock.absolute else int(offsets[signals[0]]) - lock.offsets_ms[0]
        offsets[signals] = start + np.array(lock.offsets_ms)
    patterns = tuple(int(chain.pattern[c]) for c in structure.choices)
    plan = LinkBandPlan(
        kind=BandKind.TWO_WAY,
        cycle_ms=cycle_ms,
        offsets_ms=tuple((offsets % cycle_ms).tolist()),
        patterns=patterns,
        travel_out_ms=tuple(out.tolist()),
        travel_in_ms=tuple(back.tolist()),
        line_out_ms=tuple(line_out.tolist()),
        line_in_ms=tuple(line_in.tolist()),
        sides_out_ms=(),
        sides_in_ms=(),
    )
    return with_sides(problem, plan)


def _from_first(times: Ints) -> Ints:
    total: Ints = np.concatenate((np.zeros(1, np.int64), np.cumsum(times)))
    return total


def _travel(street: BandProblem, lines: Floats, clear: Ints, *, outbound: bool) -> Ints:
    """Return whole link times within their ranges whose sums stay near the lines'."""
    metres = street.distance_out_m if outbound else street.distance_in_m
    speeds = street.speed_out_mps if outbound else street.speed_in_mps
    wanted = np.diff(lines) + clear
    times = np.empty(wanted.size, np.int64)
    owed = 0.0
    limited = street.speed_change_limit_s_per_m is not None
    for i, (want, d, v) in enumerate(zip(wanted, metres, speeds, strict=True)):
        low, high = time_range(d, v)
        times[i] = min(max(round(want if limited else want + owed), low), high)
        owed += want - times[i]
    return times


def with_sides(problem: LinkBandProblem, plan: LinkBandPlan) -> LinkBandPlan:
    """Return the plan with the widest bands about its lines that keep the problem's limits."""
    out = _sides(problem, plan, outbound=True)
    back = _sides(problem, plan, outbound=False)
    low, high = problem.street.ratio_range or (0.0, np.inf)
    if plan.kind is BandKind.TWO_WAY:
        pairs = [_in_ratio(a, b, low, high) for a, b in zip(out, back, strict=True)]
        out, back = [a for a, _ in pairs], [b for _, b in pairs]
    return replace(plan, sides_out_ms=tuple(out), sides_in_ms=tuple(back))


def _sides(problem: LinkBandProblem, plan: LinkBandPlan, *, outbound: bool) -> list[Sides]:
    lines = plan.line_out_ms if outbound else plan.line_in_ms
    if not lines:
        return []
    room = [_room(problem.street, plan, i, line, outbound=outbound) for i, line in enumerate(lines)]
    return [
        _shaped(min(a[0], b[0]), min(a[1], b[1]), problem.least_side) for a, b in pairwise(room)
    ]


def link_slack_ms(street: BandProblem, plan: LinkBandPlan) -> tuple[tuple[int, int], ...]:
    """Return how far each offset may move earlier and later, alone, before a link's band shrinks.

    Locked signals and those that no band touches have no slack.
    """
    locked = {signal for lock in street.locks for signal in lock.signals}
    return tuple(
        (0, 0) if i in locked else _slack(street, plan, i) for i in range(len(plan.offsets_ms))
    )


def _slack(street: BandProblem, plan: LinkBandPlan, i: int) -> tuple[int, int]:
    rooms = []
    for lines, sides, outbound in (
        (plan.line_out_ms, plan.sides_out_ms, True),
        (plan.line_in_ms, plan.sides_in_ms, False),
    ):
        touching = [side for side in sides[max(0, i - 1) : i + 1] if sum(side) > 0]
        if lines and touching:
            before, after = _room(street, plan, i, lines[i], outbound=outbound)
            rooms += [(after - side[1], before - side[0]) for side in touching]
    earlier, later = (min(room[k] for room in rooms) if rooms else 0 for k in (0, 1))
    return max(0, earlier), max(0, later)


def _room(street: BandProblem, plan: LinkBandPlan, i: int, line: int, *, outbound: bool) -> Sides:
    """Return the green before and after the line, in the window with the most on its short side."""
    pattern = street.patterns[i][plan.patterns[i]]
    windows = np.array(pattern.outbound if outbound else pattern.inbound, np.int64).T.copy()
    start, green = np.empty(windows.shape[1], np.int64), np.empty(windows.shape[1], np.int64)
    _kernels.scale(plan.cycle_ms, street.parts_per_cycle, windows[0], windows[1], start, green)
    best: Sides = (0, 0)
    for a, g in zip(start.tolist(), green.tolist(), strict=True):
        before = (line - plan.offsets_ms[i] - a) % plan.cycle_ms
        found = (g // 2, g // 2) if g >= plan.cycle_ms else (before, g - before)
        if min(found) > min(best) or (min(found) >= 0 and sum(found) > sum(best)):
            best = found
    return best


def _shaped(before: int, after: int, least_side: float) -> Sides:
    """Return the sides trimmed so that each is at least its share of the band."""
    if least_side == CENTRED:
        side = min(before, after)
        return side, side
    if least_side > 0:
        factor = (1 - least_side) / least_side
        return min(before, int(after * factor)), min(after, int(before * factor))
    return before, after


def _in_ratio(out: Sides, back: Sides, low: float, high: float) -> tuple[Sides, Sides]:
    b, d = sum(out), sum(back)
    if d > high * b:
        back = _trimmed(back, high * b)
    elif low > 0 and d < low * b:
        out = _trimmed(out, d / low)
    return out, back


def _trimmed(sides: Sides, width: float) -> Sides:
    share = width / max(sum(sides), 1)
    return int(sides[0] * share), int(sides[1] * share)


def from_bands(problem: LinkBandProblem, plan: BandPlan) -> LinkBandPlan:
    """Return what a plan of through bands gives link by link, its lines in the band's middle."""

    def middle(fronts: Sequence[int], band: int) -> tuple[int, ...]:
        return tuple(front + band // 2 for front in fronts)

    lines_out = middle(plan.front_out_ms, plan.outbound_ms)
    lines_in = middle(plan.front_in_ms, plan.inbound_ms)
    kind = plan.kind
    if kind is BandKind.OUTBOUND:
        lines_in = ()
    if kind is BandKind.INBOUND:
        lines_out = ()
    laid = LinkBandPlan(
        kind=kind,
        cycle_ms=plan.cycle_ms,
        offsets_ms=plan.offsets_ms,
        patterns=plan.patterns,
        travel_out_ms=plan.travel_out_ms,
        travel_in_ms=plan.travel_in_ms,
        line_out_ms=lines_out,
        line_in_ms=lines_in,
        sides_out_ms=(),
        sides_in_ms=(),
    )
    return with_sides(problem, laid)


def structure_of_plan(problem: LinkBandProblem, chain: Chain, plan: LinkBandPlan) -> Structure:
    """Return the structure of a plan with lines in both directions."""
    windows = chain.windows / problem.street.parts_per_cycle
    cycle = float(plan.cycle_ms)
    lines_out, lines_in = np.array(plan.line_out_ms) / cycle, np.array(plan.line_in_ms) / cycle
    offsets = np.array(plan.offsets_ms) / cycle
    choices, turns = [], []
    for i, offset in enumerate(offsets):
        c = _fitting(
            windows, chain, i, plan.patterns[i], lines_out[i] - offset, lines_in[i] - offset
        )
        choices.append(c)
        offsets[i] = lines_out[i] - windows[0, c] - (lines_out[i] - offset - windows[0, c]) % 1.0
        into = lines_in[i] - offsets[i] - windows[2, c]
        turns.append(int(np.floor(into + 1e-6)))
    return Structure(
        cycle_ms=cycle,
        choices=tuple(choices),
        turns=tuple(turns),
        offsets=offsets,
        lines_out=lines_out,
        lines_in=lines_in,
    )


def _fitting(windows: Floats, chain: Chain, i: int, pattern: int, out: float, back: float) -> int:
    """Return the choice of this sequence whose windows hold both lines best."""
    own = [c for c in range(chain.first[i], chain.first[i + 1]) if chain.pattern[c] == pattern]

    def inside(c: int) -> float:
        rooms = []
        for line, start, green in ((out, *windows[:2, c]), (back, *windows[2:, c])):
            before = (line - start) % 1.0
            rooms.append(1.0 if green >= 1 else min(before, green - before))
        return min(rooms)

    return max(own, key=inside)
