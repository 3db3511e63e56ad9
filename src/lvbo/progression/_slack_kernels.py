# SPDX-License-Identifier: Apache-2.0
"""Cyclic flow profiles in steps of one second: dispersion, queues, link tables, chain search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

BETA = 0.8  # share of the drive time after which the platoon's head arrives (Robertson 1969)


@njit(cache=True)
def disperse(profile: Floats, drive_s: float, alpha: float) -> Floats:
    """Return the arrivals (C) at the end of a link from departures (C), both veh per step.

    q'(t + T) = F q(t) + (1 - F) q'(t + T - 1), T = beta t, F = 1 / (1 + alpha T), Robertson
    (1969), started from its cyclic fixed point.
    """
    cycle = profile.size
    lag = round(BETA * drive_s)
    factor = 1.0 / (1.0 + alpha * BETA * drive_s)
    keep = 1.0 - factor
    level = 0.0
    weight = factor
    for k in range(cycle):
        level += weight * profile[(cycle - 1 - k) % cycle]
        weight *= keep
    level /= 1.0 - keep**cycle
    arrivals = np.empty(cycle, np.float64)
    for t in range(cycle):
        level = factor * profile[t] + keep * level
        arrivals[(t + lag) % cycle] = level
    return arrivals


@njit(cache=True)
def serve(arrivals: Floats, service: Floats, departures: Floats) -> tuple[float, float]:
    """Write the departures (C) and return (delay veh s, stopped veh) of one steady cycle.

    service: (C) veh that each step can serve. The first cycle fills the queue and is not counted;
    where demand is over capacity the second cycle's residual is all that is counted.
    """
    cycle = arrivals.size
    queue = 0.0
    delay = 0.0
    stopped = 0.0
    for t in range(2 * cycle):
        step = t % cycle
        if t == cycle:
            delay = 0.0
            stopped = 0.0
        waiting = queue + arrivals[step]
        served = min(waiting, service[step])
        departures[step] = served
        rest = waiting - served
        stopped += arrivals[step] if queue > 1e-9 else min(rest, arrivals[step])
        delay += 0.5 * (queue + rest)
        queue = rest
    return delay, stopped


@njit(cache=True)
def link_table(arrivals: Floats, service: Floats, steady: float, penalty_s: float) -> Floats:
    """Return the cost (C) of a link for every difference of its two offsets, veh s per cycle.

    arrivals: (C) from the platoon on the clock of the signal before, drive time included; steady:
    veh per step that turn in evenly; service: (C) on the clock of the signal at the end.
    """
    cycle = arrivals.size
    table = np.empty(cycle, np.float64)
    shifted = np.empty(cycle, np.float64)
    departures = np.empty(cycle, np.float64)
    for difference in range(cycle):
        for t in range(cycle):
            shifted[t] = arrivals[(t + difference) % cycle] + steady
        delay, stopped = serve(shifted, service, departures)
        table[difference] = delay + penalty_s * stopped
    return table


@njit(cache=True)
def best_chain(tables: Floats, offsets: Ints, low: Ints, high: Ints) -> Ints:
    """Return the moves (n) in [low, high] of whole steps with the least sum of link costs.

    tables: (n - 1, C) by (offset of i + 1 - offset of i); offsets: (n) steps. Dynamic programming
    along the chain; of equal costs the smaller move wins.
    """
    n = offsets.size
    cycle = tables.shape[1]
    widest = int((high - low).max()) + 1
    cost = np.full((n, widest), np.inf)
    back = np.zeros((n, widest), np.int64)
    for a in range(high[0] - low[0] + 1):
        cost[0, a] = 1e-9 * abs(low[0] + a)
    for i in range(1, n):
        for b in range(high[i] - low[i] + 1):
            there = offsets[i] + low[i] + b
            for a in range(high[i - 1] - low[i - 1] + 1):
                here = offsets[i - 1] + low[i - 1] + a
                c = cost[i - 1, a] + tables[i - 1, (there - here) % cycle]
                if c < cost[i, b]:
                    cost[i, b] = c
                    back[i, b] = a
            cost[i, b] += 1e-9 * abs(low[i] + b)
    moves = np.empty(n, np.int64)
    at = int(np.argmin(cost[n - 1]))
    for i in range(n - 1, -1, -1):
        moves[i] = low[i] + at
        at = back[i, at]
    return moves
