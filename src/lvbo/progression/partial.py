# SPDX-License-Identifier: Apache-2.0
"""Bands through part of a street, where none or only a narrow one runs through all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.problem import BandKind, BandPlan, BandProblem

LEAST_MS = 5_000
"""A narrower band lets hardly a car pass."""
WIDER = 2
"""A part is worth showing where its band is this many times the one through all signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBand:
    """The band of one direction from signal `first` on: as many signals as `plan` has."""

    direction: BandKind
    first: int
    plan: BandPlan


def part_bands(problem: BandProblem, runs: BandPlan) -> tuple[PartBand, ...]:
    """Return the bands through parts of a street that the offsets of a plan give.

    From the first signal in the direction of travel each part reaches as far as a band of 5 s, and
    of twice the band through all signals, does; the next begins where it ends. A part is never the
    whole street.
    """
    return (
        *_of_direction(problem, runs, BandKind.OUTBOUND),
        *_of_direction(problem, runs, BandKind.INBOUND),
    )


def _of_direction(problem: BandProblem, runs: BandPlan, direction: BandKind) -> Iterator[PartBand]:
    through = runs.outbound_ms if direction is BandKind.OUTBOUND else runs.inbound_ms
    least, n = max(LEAST_MS, WIDER * through), problem.signals
    here = 0
    while here < n - 1:
        found: PartBand | None = None
        for there in range(here + 1, n):
            ends = (
                (here, there) if direction is BandKind.OUTBOUND else (n - 1 - there, n - 1 - here)
            )
            plan = plan_between(problem, runs, *ends)
            width = plan.outbound_ms if direction is BandKind.OUTBOUND else plan.inbound_ms
            if width < least or ends == (0, n - 1):
                break
            found = PartBand(direction=direction, first=ends[0], plan=plan)
        if found is None:
            here += 1
            continue
        yield found
        here += len(found.plan.offsets_ms) - 1


def plan_between(problem: BandProblem, runs: BandPlan, first: int, last: int) -> BandPlan:
    """Return the bands through signals `first` to `last` alone that the offsets of a plan give."""
    signals, links = slice(first, last + 1), slice(first, last)
    part = replace(
        problem,
        patterns=problem.patterns[signals],
        distance_out_m=problem.distance_out_m[links],
        distance_in_m=problem.distance_in_m[links],
        speed_out_mps=problem.speed_out_mps[links],
        speed_in_mps=problem.speed_in_mps[links],
        clearance_out_ms=problem.clearance_out_ms[signals],
        clearance_in_ms=problem.clearance_in_ms[signals],
        locks=(),
        posted=None,
    )
    return evaluate_offsets(part, runs.cycle_ms, runs.offsets_ms[signals], runs.patterns[signals])
