# SPDX-License-Identifier: Apache-2.0
"""Why a plan is as it is: what holds the bands, what would widen them, why each choice was made.

Every figure comes from solving again: with more green at one signal, without the cycle taken,
without a sequence taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lvbo.errors import Finding, Severity
from lvbo.progression.band import value_of, widest_two_way
from lvbo.progression.problem import Band, BandKind, BandPlan, BandProblem, Pattern, Window
from lvbo.progression.wave import PeriodWave

EXTRA_MS = 3_000
LEAST_MS = 100  # less is not worth a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Hold what more green at one signal, in both directions, would add to both bands together."""

    signal: int
    extra_ms: int
    gain_ms: int


def gains_of_green(
    problem: BandProblem, plan: BandPlan, extra_ms: int = EXTRA_MS
) -> tuple[Gain, ...]:
    """Return, signal by signal, what a longer green widens; at the plan's cycle, solved again.

    The green grows at its end in every window of every sequence of the signal.
    """
    there = replace(problem, cycles_ms=(plan.cycle_ms,))
    before = widest_two_way(there)
    known = before.sum_ms if before else 0
    gains = []
    for signal in range(problem.signals):
        after = widest_two_way(_longer(there, signal, extra_ms))
        gain = (after.sum_ms if after else 0) - known
        gains.append(Gain(signal=signal, extra_ms=extra_ms, gain_ms=max(0, gain)))
    return tuple(gains)


def _longer(problem: BandProblem, signal: int, extra_ms: int) -> BandProblem:
    parts = problem.parts_per_cycle
    extra = extra_ms * parts // problem.cycles_ms[0]

    def grown(windows: tuple[Window, ...]) -> tuple[Window, ...]:
        return tuple((start, min(length + extra, parts)) for start, length in windows)

    own = tuple(
        Pattern(outbound=grown(p.outbound), inbound=grown(p.inbound))
        for p in problem.patterns[signal]
    )
    return _with_patterns(problem, signal, own)


def _with_patterns(problem: BandProblem, signal: int, own: tuple[Pattern, ...]) -> BandProblem:
    patterns = (*problem.patterns[:signal], own, *problem.patterns[signal + 1 :])
    return replace(problem, patterns=patterns)


def explain_band(problem: BandProblem, band: Band) -> tuple[Finding, ...]:
    """Return a sentence for each choice: kind, cycle, sequences, rounding, and what holds it."""
    return tuple(
        finding
        for part in (_kind, _cycle, _sequences, _binding, _rounding)
        for finding in part(problem, band)
    )


def explain_wave(wave: PeriodWave) -> tuple[Finding, ...]:
    """Return the sentences of a wave of through bands, its signals by controller.

    Where the street was not solved alone, with streets that cross it or not at all, they say which
    signals hold the bands that it has.
    """
    names = {f"signal {k}": str(name) for k, name in enumerate(wave.controllers)}
    told = _held_by(wave.runs) if wave.band is None else explain_band(wave.problem, wave.band)
    return tuple(replace(said, place=names.get(said.place, said.place)) for said in told)


def _said(code: str, place: str, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=Severity.ADVICE, fields=fields)


def _kind(problem: BandProblem, band: Band) -> Iterator[Finding]:
    plan = band.exact
    if plan.kind is BandKind.TWO_WAY:
        one_way = max(value_of(problem, p) for p in (band.one_way_out, band.one_way_in))
        yield _said(
            "LV470",
            "corridor",
            outbound_s=_seconds(plan.outbound_ms),
            inbound_s=_seconds(plan.inbound_ms),
            percent=round(100 * value_of(problem, plan)),
            one_way_percent=round(100 * one_way),
        )
        return
    two_way = value_of(problem, band.two_way) if band.two_way else 0.0
    yield _said(
        "LV471",
        "corridor",
        direction=str(plan.kind),
        band_s=_seconds(plan.sum_ms),
        percent=round(100 * value_of(problem, plan)),
        two_way_percent=round(100 * two_way),
    )


def _cycle(problem: BandProblem, band: Band) -> Iterator[Finding]:
    plan = band.two_way
    others = tuple(c for c in problem.cycles_ms if plan and c != plan.cycle_ms)
    if plan is None or not others:
        return
    rival = widest_two_way(replace(problem, cycles_ms=others))
    if rival is not None:
        lost = value_of(problem, plan) - value_of(problem, rival)
        yield _said(
            "LV472",
            "cycle",
            cycle_s=_seconds(plan.cycle_ms),
            count=len(problem.cycles_ms),
            other_s=_seconds(rival.cycle_ms),
            percent=round(100 * lost, 1),
        )


def _sequences(problem: BandProblem, band: Band) -> Iterator[Finding]:
    plan = band.two_way
    if plan is None:
        return
    there = replace(problem, cycles_ms=(plan.cycle_ms,))
    for signal, patterns in enumerate(problem.patterns):
        taken = plan.patterns[signal]
        others = tuple(p for k, p in enumerate(patterns) if k != taken)
        if not others:
            continue
        rival = widest_two_way(_with_patterns(there, signal, others))
        lost = plan.sum_ms - (rival.sum_ms if rival else 0)
        if lost >= LEAST_MS:
            yield _said(
                "LV473",
                f"signal {signal}",
                sequence=taken + 1,
                count=len(patterns),
                lost_s=_seconds(lost),
            )


def _binding(problem: BandProblem, band: Band) -> Iterator[Finding]:
    plan = band.two_way
    if plan is None:
        return
    gains = gains_of_green(problem, plan)
    yield from _held_by(plan)
    for gain in gains:
        if gain.gain_ms >= LEAST_MS:
            yield _said(
                "LV475",
                f"signal {gain.signal}",
                extra_s=_seconds(gain.extra_ms),
                gain_s=_seconds(gain.gain_ms),
            )
    if all(gain.gain_ms < LEAST_MS for gain in gains):
        yield _said("LV476", "corridor", extra_s=_seconds(EXTRA_MS))


def _held_by(plan: BandPlan) -> Iterator[Finding]:
    sides = (
        ("outbound", plan.outbound_ms, plan.binding_out),
        ("inbound", plan.inbound_ms, plan.binding_in),
    )
    for direction, band_ms, signals in sides:
        for signal in signals if band_ms > 0 else ():
            yield _said("LV474", f"signal {signal}", direction=direction)


def _rounding(problem: BandProblem, band: Band) -> Iterator[Finding]:
    del problem
    cost = round(band.rounding_cost * band.exact.cycle_ms)
    yield _said("LV477", "offsets", lost_s=_seconds(max(0, cost)))


def _seconds(ms: int) -> float:
    return round(ms / 1000, 1)
