# SPDX-License-Identifier: Apache-2.0
"""Small band problems for tests, and a car-by-car walk of the simplest kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from lvbo.progression.problem import BandPlan, BandProblem, Pattern, SpeedRange

CYCLE_MS = 60_000


def plain(
    greens_s: Sequence[int], drives_s: Sequence[int], cycle_s: int = 60, mps: float = 10.0
) -> BandProblem:
    """Return signals with one common green each and fixed drive times, all in whole seconds."""
    n = len(greens_s)
    metres = tuple(mps * t for t in drives_s)
    return BandProblem(
        patterns=tuple(
            (Pattern(outbound=((0, 1000 * g),), inbound=((0, 1000 * g),)),) for g in greens_s
        ),
        parts_per_cycle=1000 * cycle_s,
        cycles_ms=(1000 * cycle_s,),
        distance_out_m=metres,
        distance_in_m=metres,
        speed_out_mps=((mps, mps),) * (n - 1),
        speed_in_mps=((mps, mps),) * (n - 1),
    )


def random_problem(
    seed: int,
    signals: int = 4,
    *,
    speeds: SpeedRange = (11.0, 16.0),
    cycles_s: Sequence[int] = (60, 75, 90),
    free: bool = True,
) -> BandProblem:
    """Return a problem with up to three sequences per signal and windows in whole seconds of 60."""
    source = random.Random(seed)

    def pattern() -> Pattern:
        out = (1000 * source.randrange(60), 1000 * source.randrange(15, 35))
        back = (1000 * source.randrange(60), 1000 * source.randrange(15, 35))
        return Pattern(outbound=(out,), inbound=(back,))

    link = signals - 1
    return BandProblem(
        patterns=tuple(
            tuple(pattern() for _ in range(source.randrange(1, 4) if free else 1))
            for _ in range(signals)
        ),
        parts_per_cycle=CYCLE_MS,
        cycles_ms=tuple(1000 * c for c in cycles_s),
        distance_out_m=tuple(source.uniform(150, 600) for _ in range(link)),
        distance_in_m=tuple(source.uniform(150, 600) for _ in range(link)),
        speed_out_mps=(speeds,) * link,
        speed_in_mps=(speeds,) * link,
    )


def turned(problem: BandProblem) -> BandProblem:
    """Return the same street seen from the other end."""
    return replace(
        problem,
        patterns=tuple(
            tuple(Pattern(outbound=p.inbound, inbound=p.outbound) for p in patterns)
            for patterns in reversed(problem.patterns)
        ),
        distance_out_m=problem.distance_in_m[::-1],
        distance_in_m=problem.distance_out_m[::-1],
        speed_out_mps=problem.speed_in_mps[::-1],
        speed_in_mps=problem.speed_out_mps[::-1],
    )


def walk_car_by_car(problem: BandProblem, plan: BandPlan, step_ms: int) -> tuple[int, int]:
    """Return both bands from cars that leave every `step_ms`; no interval is ever formed."""

    def longest(greens: Sequence[Pattern], drive: Sequence[int], *, outbound: bool) -> int:
        order = range(problem.signals) if outbound else range(problem.signals - 1, -1, -1)

        def stops(leave: int) -> bool:
            at = leave
            for k, i in enumerate(order):
                at += drive[k - 1] if k else 0
                windows = greens[i].outbound if outbound else greens[i].inbound
                local = (at - plan.offsets_ms[i]) * problem.parts_per_cycle
                scale, cycle = problem.parts_per_cycle, plan.cycle_ms
                if not any(
                    (local - start * cycle) % (scale * cycle) < length * cycle
                    for start, length in windows
                ):
                    return True
            return False

        cars = [not stops(t) for t in range(0, plan.cycle_ms, step_ms)]
        best = run = 0
        for passed in cars + cars:
            run = run + 1 if passed else 0
            best = max(best, run)
        return min(best, len(cars)) * step_ms

    chosen = [problem.patterns[i][p] for i, p in enumerate(plan.patterns)]
    return (
        longest(chosen, plan.travel_out_ms, outbound=True),
        longest(chosen, plan.travel_in_ms[::-1], outbound=False),
    )


def best_sum_by_trying_all(problem: BandProblem, step_ms: int) -> int:
    """Return the largest two-way sum over a grid of offsets, all sequences, fixed drive times.

    Only plans with a band in each direction count.
    """
    from lvbo.progression.offsets import evaluate_offsets

    cycle = problem.cycles_ms[0]
    best = 0
    for patterns in product(*(range(len(p)) for p in problem.patterns)):
        for rest in product(range(0, cycle, step_ms), repeat=problem.signals - 1):
            plan = evaluate_offsets(problem, cycle, (0, *rest), patterns)
            if plan.outbound_ms and plan.inbound_ms:
                best = max(best, plan.sum_ms)
    return best
