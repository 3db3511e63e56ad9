# SPDX-License-Identifier: Apache-2.0
"""The best cycle and greens of one controller for one demand.

A `StageProblem` says which movements each stage serves at which saturation flow, what wants to go,
and the limits. `fit_cycles` fits whole greens to every whole cycle in range; `fit_plan` takes the
one of least delay; `fit_at` fits a given cycle, as a coordinated group needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lvbo.errors import UsageError
from lvbo.timing import cures
from lvbo.timing.arrays import Array
from lvbo.timing.delay import incremental_delay
from lvbo.timing.limits import cycle_range, least_greens
from lvbo.timing.problem import (
    CycleRange,
    CycleTable,
    FittedPlan,
    Parts,
    StageProblem,
    bounds_of,
)


def fit_plan(
    problem: StageProblem, cycles: CycleRange | None = None, *, limit: float = 0.95
) -> FittedPlan:
    """Return the plan of least delay among all whole cycles.

    No saturation passes `limit` where the cycle allows it. Where even the longest cycle leaves a
    saturation above 1, the plan is the longest cycle with level saturation, and its findings say
    what would cure it. Limits that contradict raise InfeasibleError with the conflicting set.
    """
    table = fit_cycles(problem, cycles, limit=limit)
    enough = np.flatnonzero(table.worst_x <= max(limit, float(table.worst_x.min())) + 1e-9)
    if table.worst_x[-1] > 1 and table.worst_x.min() > 1:
        enough = np.array([len(table.cycle_s) - 1])
    best = int(enough[np.argmin(table.delay_veh_h[enough])])
    return evaluate(problem, int(table.cycle_s[best]), tuple(map(int, table.greens_s[best])))


def fit_at(problem: StageProblem, cycle_s: int, *, limit: float = 0.95) -> FittedPlan:
    """Return the plan of least delay at a given cycle."""
    table = fit_cycles(problem, CycleRange(least_s=cycle_s, most_s=cycle_s), limit=limit)
    return evaluate(problem, cycle_s, tuple(map(int, table.greens_s[-1])))


def fit_cycles(
    problem: StageProblem, cycles: CycleRange | None = None, *, limit: float = 0.95
) -> CycleTable:
    """Return the best whole greens for every whole cycle in range."""
    from lvbo.timing._kernels import sweep

    bounds = bounds_of(problem, cycles or CycleRange())
    first, last = cycle_range(bounds)
    parts = Parts(problem, bounds)
    count = last - first + 1
    greens, delay, worst = np.empty((count, parts.stages)), np.empty(count), np.empty(count)
    start = np.array(least_greens(bounds), float)
    kernel: Callable[..., None] = sweep
    kernel(first, last, start, limit, *parts.flow, *parts.cost, *parts.hard, greens, delay, worst)
    return CycleTable(
        cycle_s=np.arange(first, last + 1),
        greens_s=np.rint(greens).astype(np.int64),
        delay_veh_h=delay / 3600,
        worst_x=worst,
    )


def evaluate(problem: StageProblem, cycle_s: int, greens_s: tuple[int, ...]) -> FittedPlan:
    """Return what a cycle and its stage greens give every movement."""
    from lvbo.timing._kernels import total_delay

    parts = Parts(problem, bounds_of(problem, CycleRange()))
    greens = np.array(greens_s, float)
    if not math.isclose(greens.sum() + parts.gaps.sum(), cycle_s):
        raise UsageError("LV513", sum_s=float(greens.sum() + parts.gaps.sum()), cycle_s=cycle_s)
    cap, delay = np.empty(parts.count), np.empty(parts.count)
    kernel: Callable[..., float] = total_delay
    total = kernel(greens, float(cycle_s), *parts.flow, *parts.cost, cap, delay)
    x, given = parts.volume / np.maximum(cap, 1e-9), problem.conditions
    plan = FittedPlan(
        cycle_s=cycle_s,
        greens_s=greens_s,
        green_s=np.clip(parts.served.T @ greens + parts.base, 0, cycle_s),
        capacity_vph=cap,
        x=x,
        delay_s=delay,
        incremental_s=incremental_delay(
            x, np.maximum(cap, 1e-9), given.period_h, k=given.k, upstream=given.upstream
        ),
        delay_veh_h=total / 3600,
        hours_to_clear=hours_to_clear(problem, cap),
    )
    return cures.diagnose(problem, plan)


def slot_delays(
    problem: StageProblem, cycle_s: int, greens_s: tuple[int, ...], volume_vph: Array
) -> Array:
    """Return the delay in s/veh under one plan for many demands, `volume_vph` of shape (N, M)."""
    from lvbo.timing._kernels import slot_delays as fill

    parts = Parts(problem, bounds_of(problem, CycleRange()))
    volumes = np.ascontiguousarray(volume_vph, float)
    out = np.empty(volumes.shape)
    kernel: Callable[..., None] = fill
    flow = parts.flow[:-1]
    kernel(np.array(greens_s, float), float(cycle_s), *flow, volumes, *parts.cost, out)
    return out


def hours_to_clear(problem: StageProblem, capacity_vph: Array) -> Array:
    """Return how long after the period each movement's leftover queue lasts, in h.

    The queue (v - c) T shrinks at c - v `later_share`.
    """
    volume = np.asarray(problem.volume_vph, float)
    left = np.maximum(volume - capacity_vph, 0) * np.asarray(problem.conditions.period_h, float)
    shrinking = capacity_vph - volume * problem.later_share
    out = np.where(left > 0, np.inf, 0.0)
    np.divide(left, shrinking, out=out, where=(left > 0) & (shrinking > 0))
    return out
