# SPDX-License-Identifier: Apache-2.0
"""Speeds as they stand on signs: one rounded speed per section of a street."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from math import ceil, floor, prod

from lvbo.errors import UsageError
from lvbo.progression.chain import posted_choices
from lvbo.progression.problem import BandPlan, BandProblem, PostedSpeeds

MOST_COMBINATIONS = 4096
KMH_PER_MPS = 3.6


def rounded_speeds(low_mps: float, high_mps: float, step_kmh: float = 5.0) -> tuple[float, ...]:
    """Return the multiples of a step in km/h within a range of speeds, in m/s."""
    first = ceil(low_mps * KMH_PER_MPS / step_kmh - 1e-9)
    last = floor(high_mps * KMH_PER_MPS / step_kmh + 1e-9)
    return tuple(k * step_kmh / KMH_PER_MPS for k in range(first, last + 1))


def signs_of(
    problem: BandProblem, posted: PostedSpeeds, plan: BandPlan
) -> tuple[tuple[float, float], ...]:
    """Return the outbound and inbound speed on the signs of each section, m/s."""
    signs = []
    for section in sorted(set(posted.sections)):
        link = posted.sections.index(section)
        driven = (
            1000 * problem.distance_out_m[link] / plan.travel_out_ms[link],
            1000 * problem.distance_in_m[link] / plan.travel_in_ms[link],
        )
        signs.append((_nearest(posted, driven[0]), _nearest(posted, driven[1])))
    return tuple(signs)


def _nearest(posted: PostedSpeeds, driven_mps: float) -> float:
    return min(posted.speeds_mps, key=lambda sign: abs(sign - driven_mps))


def each_posted(problem: BandProblem) -> Iterator[BandProblem]:
    """Return the problem at each combination of signs, the speeds fixed."""
    posted = problem.posted
    if posted is None:
        yield problem
        return
    choices = posted_choices(problem, posted)
    if (count := prod(len(c) for c in choices)) > MOST_COMBINATIONS:
        raise UsageError("LV428", combinations=count, limit=MOST_COMBINATIONS)
    order = sorted(set(posted.sections))
    limit = problem.speed_change_limit_s_per_m
    for picked in product(*choices):
        signs = [picked[order.index(s)] for s in posted.sections]
        changes = [abs(1 / a[0] - 1 / b[0]) for a, b in pairwise(signs)]
        if limit is not None and max(changes, default=0.0) > limit + 1e-9:
            continue
        yield replace(
            problem,
            posted=None,
            speed_change_limit_s_per_m=None,
            speed_out_mps=tuple((out, out) for out, _ in signs),
            speed_in_mps=tuple((back, back) for _, back in signs),
        )
