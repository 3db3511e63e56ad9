# SPDX-License-Identifier: Apache-2.0
"""Walk cars through the greens of a plan, with no knowledge of how the plan was found.

A car leaves the first stop line of its direction at some instant of the cycle and drives with the
plan's link times. The band is the longest unbroken run of instants whose cars find green at every
stop line. Arithmetic is rational, so nothing is lost at the ends of the cycle. This module must
not import the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from lvbo.errors import Finding
from lvbo.progression.problem import BandPlan, BandProblem, SpeedRange, Window

Interval = tuple[Fraction, Fraction]

TICK_MS = 1  # plans count in whole milliseconds; claims are judged to one of them
HALF_TICK_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Hold where in the green one band leaves one stop line, ms on the area clock."""

    signal: int
    outbound: bool
    front_ms: float
    end_ms: float
    green_before_ms: float
    green_after_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Hold what was walked: the bands, trimmed to the limits of the problem, and every breach."""

    outbound_ms: float
    inbound_ms: float
    cycle_ms: int
    violations: tuple[Finding, ...]
    log: tuple[Passage, ...]

    @property
    def sum_share(self) -> float:
        """Return the sum of both bands in cycles."""
        return (self.outbound_ms + self.inbound_ms) / self.cycle_ms


def walk_plan(problem: BandProblem, plan: BandPlan) -> Walk:
    """Return the bands that cars walk at this plan and every breach of the problem's limits."""
    directions = (_outward(problem, plan), _inward(problem, plan))
    walked = [_longest(_passing(d, plan.cycle_ms), plan.cycle_ms) for d in directions]
    widths = [end - start for start, end in walked]
    outbound, inbound = _trimmed(problem, widths[0], widths[1])
    log = tuple(
        step
        for outward, d, run in zip((True, False), directions, walked, strict=True)
        for step in _log(d, run, plan.cycle_ms, outward=outward)
    )
    return Walk(
        outbound_ms=float(outbound),
        inbound_ms=float(inbound),
        cycle_ms=plan.cycle_ms,
        violations=(*_check_claims(plan, widths), *check_limits(problem, plan)),
        log=log,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direction:
    """One direction in driving order: per signal its number, drive time so far, greens (ms)."""

    signals: tuple[int, ...]
    drive_ms: tuple[int, ...]
    greens: tuple[tuple[Interval, ...], ...]  # start on the area clock, length


def _outward(problem: BandProblem, plan: BandPlan) -> _Direction:
    n = problem.signals
    clear = problem.clearance_out_ms or (0,) * n
    drive = [0]
    for link, travel in enumerate(plan.travel_out_ms):
        drive.append(drive[-1] + travel - clear[link + 1])
    chosen = [problem.patterns[i][p].outbound for i, p in enumerate(plan.patterns)]
    return _Direction(
        signals=tuple(range(n)),
        drive_ms=tuple(drive),
        greens=tuple(
            _on_area_clock(w, o, problem, plan)
            for w, o in zip(chosen, plan.offsets_ms, strict=True)
        ),
    )


def _inward(problem: BandProblem, plan: BandPlan) -> _Direction:
    n = problem.signals
    clear = problem.clearance_in_ms or (0,) * n
    drive = [0]
    for link in range(n - 2, -1, -1):
        drive.append(drive[-1] + plan.travel_in_ms[link] - clear[link])
    chosen = [problem.patterns[i][p].inbound for i, p in enumerate(plan.patterns)]
    return _Direction(
        signals=tuple(range(n - 1, -1, -1)),
        drive_ms=tuple(drive),
        greens=tuple(
            _on_area_clock(chosen[i], plan.offsets_ms[i], problem, plan)
            for i in range(n - 1, -1, -1)
        ),
    )


def _on_area_clock(
    windows: tuple[Window, ...], offset_ms: int, problem: BandProblem, plan: BandPlan
) -> tuple[Interval, ...]:
    part = Fraction(plan.cycle_ms, problem.parts_per_cycle)
    return tuple((start * part + offset_ms, length * part) for start, length in windows)


def _passing(direction: _Direction, cycle_ms: int) -> list[Interval]:
    """Return the instants in [0, cycle) at which a car may leave the first stop line."""
    alive: list[Interval] = [(Fraction(0), Fraction(cycle_ms))]
    for drive, greens in zip(direction.drive_ms, direction.greens, strict=True):
        open_at: list[Interval] = []
        for start, length in greens:
            if length >= cycle_ms:
                open_at = [(Fraction(0), Fraction(cycle_ms))]
                break
            begin = (start - drive) % cycle_ms
            end = begin + length
            open_at.append((begin, min(end, Fraction(cycle_ms))))
            if end > cycle_ms:
                open_at.append((Fraction(0), end - cycle_ms))
        alive = [
            (max(a, c), min(b, d)) for a, b in alive for c, d in open_at if max(a, c) < min(b, d)
        ]
    return _joined(alive)


def _joined(intervals: Sequence[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _longest(intervals: list[Interval], cycle_ms: int) -> Interval:
    """Return the longest run, also across the end of the cycle; an empty run where none passes."""
    if not intervals:
        return (Fraction(0), Fraction(0))
    runs = list(intervals)
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == cycle_ms:
        runs.append((runs[-1][0], runs[0][1] + cycle_ms))
    return max(runs, key=lambda run: run[1] - run[0])


def _trimmed(
    problem: BandProblem, outbound: Fraction, inbound: Fraction
) -> tuple[Fraction, Fraction]:
    """Return the widest bands inside the walked ones whose ratio is allowed."""
    if problem.ratio_range is None:
        return outbound, inbound
    low, high = problem.ratio_range
    if high != float("inf"):
        inbound = min(inbound, outbound * Fraction(high))
    if low > 0:
        outbound = min(outbound, inbound / Fraction(low))
    return outbound, inbound


def _log(direction: _Direction, run: Interval, cycle_ms: int, *, outward: bool) -> list[Passage]:
    steps: list[Passage] = []
    width = run[1] - run[0]
    if not width:
        return steps
    for signal, drive, greens in zip(
        direction.signals, direction.drive_ms, direction.greens, strict=True
    ):
        front = run[0] + drive
        gaps = [
            ((front - start) % cycle_ms, length - (front - start) % cycle_ms - width)
            if length < cycle_ms
            else (Fraction(0), cycle_ms - width)
            for start, length in greens
        ]
        before, after = max(gaps, key=lambda gap: gap[1])
        steps.append(
            Passage(
                signal=signal,
                outbound=outward,
                front_ms=float(front),
                end_ms=float(front + width),
                green_before_ms=float(before),
                green_after_ms=float(after),
            )
        )
    return steps


def _check_claims(plan: BandPlan, widths: Sequence[Fraction]) -> list[Finding]:
    claims = (("outbound", plan.outbound_ms, widths[0]), ("inbound", plan.inbound_ms, widths[1]))
    return [
        Finding(
            code="LV420",
            place=direction,
            fields={"direction": direction, "claimed_ms": claimed, "walked_ms": float(walked)},
        )
        for direction, claimed, walked in claims
        if claimed > walked + TICK_MS
    ]


def check_limits(problem: BandProblem, plan: BandPlan) -> list[Finding]:
    """Return the limits of a problem that cycle, link times, bands or offsets of a plan break."""
    found: list[Finding] = []
    low, high = min(problem.cycles_ms), max(problem.cycles_ms)
    if not low <= plan.cycle_ms <= high:
        found.append(
            Finding(
                code="LV421",
                place="cycle",
                fields={"cycle_ms": plan.cycle_ms, "low_ms": low, "high_ms": high},
            )
        )
    limit = problem.speed_change_limit_s_per_m
    for direction, metres, times, speeds in (
        ("outbound", problem.distance_out_m, plan.travel_out_ms, problem.speed_out_mps),
        ("inbound", problem.distance_in_m, plan.travel_in_ms, problem.speed_in_mps),
    ):
        found += _check_speeds(direction, metres, times, speeds)
        if limit is not None:
            found += _check_changes(direction, metres, times, limit)
    return found + _check_bands(problem, plan) + _check_locks(problem, plan)


def _check_speeds(
    direction: str, metres: Sequence[float], times: Sequence[int], speeds: Sequence[SpeedRange]
) -> list[Finding]:
    found = []
    for link, (d, t, (slow, fast)) in enumerate(zip(metres, times, speeds, strict=True)):
        seconds = t / 1000
        if not d / fast - HALF_TICK_S <= seconds <= d / slow + HALF_TICK_S:
            fields = {
                "direction": direction,
                "link": link,
                "speed_mps": d / seconds if seconds else None,
                "low_mps": slow,
                "high_mps": fast,
            }
            found.append(Finding(code="LV422", place=f"link {link}", fields=fields))
    return found


def _check_changes(
    direction: str, metres: Sequence[float], times: Sequence[int], limit: float
) -> list[Finding]:
    found = []
    pairs = pairwise(zip(metres, times, strict=True))
    for link, ((d, t), (d_next, t_next)) in enumerate(pairs):
        change = abs(t_next / d_next - t / d) / 1000
        if change > limit + HALF_TICK_S / d + HALF_TICK_S / d_next:
            fields = {
                "direction": direction,
                "link": link,
                "change_s_per_m": change,
                "limit_s_per_m": limit,
            }
            found.append(Finding(code="LV423", place=f"link {link}", fields=fields))
    return found


def _check_bands(problem: BandProblem, plan: BandPlan) -> list[Finding]:
    found = []
    out, back = plan.outbound_ms, plan.inbound_ms
    low, high = problem.ratio_range or (0.0, float("inf"))
    if back + TICK_MS < low * out or (high != float("inf") and back - TICK_MS > high * out):
        fields = {"outbound_ms": out, "inbound_ms": back, "low": low, "high": high}
        found.append(Finding(code="LV424", place="bands", fields=fields))
    if out < problem.min_out_ms or back < problem.min_in_ms:
        fields = {
            "outbound_ms": out,
            "inbound_ms": back,
            "min_out_ms": problem.min_out_ms,
            "min_in_ms": problem.min_in_ms,
        }
        found.append(Finding(code="LV425", place="bands", fields=fields))
    return found


def _check_locks(problem: BandProblem, plan: BandPlan) -> list[Finding]:
    found = []
    for lock in problem.locks:
        errors = [
            (plan.offsets_ms[s] - wanted) % plan.cycle_ms
            for s, wanted in zip(lock.signals, lock.offsets_ms, strict=True)
        ]
        allowed = 0 if lock.absolute else errors[0]
        if any(error != allowed for error in errors):
            fields = {"signals": lock.signals, "offsets_ms": lock.offsets_ms}
            found.append(Finding(code="LV426", place="locks", fields=fields))
    return found
