# SPDX-License-Identifier: Apache-2.0
"""Signals timed by themselves: greens for each stage order with arrivals as they are.

These kernels take in those of `_descent_kernels`: `make` removes the compiled ones when any kernel
changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize._descent_kernels import (
    ALONE,
    EVEN,
    as_set,
    look_at,
    move_greens,
    set_windows,
)
from lvbo.optimize._profile_values import Area, Ints
from lvbo.optimize._wide import WIDTH, fill, inner, kernel, lean, store


@lean
def time_alone(area: Area, s: int, sizes: Ints) -> float:
    """Fill the greens of a signal in its row for uniform arrivals; return its cost, inf if none.

    Greens grow from the least ones, larger steps first, then seconds move between stages, both
    judged by formula; steps of `sizes` s are then judged by the profiles.
    """
    stages, at, trial, cycle = area.stages, area.at, area.trial, area.cycle
    r = at.row[s]
    count, own = stages.size[r], cycle // stages.times[r]
    room = own
    for g in range(count):
        at.greens[s, g] = stages.low[r, g]
        room -= stages.low[r, g] + stages.inter[r, g]
    if room < 0 or own * stages.times[r] != cycle:
        return np.inf
    while room > 0:
        step = min(room, max(2, room // 3))
        for g in range(count):
            store(trial.greens, g, fill(at.greens[s, g]))
        for g in range(min(count, WIDTH)):
            trial.greens[g, g] += step
        set_windows(area, s, r, trial.greens, fill(at.offset[s]))
        look_at(area, s, EVEN)
        best = -1
        for g in range(min(count, WIDTH)):
            fits = at.greens[s, g] + step <= stages.high[r, g]
            if fits and (best < 0 or trial.found[0, g] < trial.found[0, best]):
                best = g
        if best < 0:
            return np.inf if spread_rest(area, s, room) > 0 else one_cost(area, s)
        at.greens[s, best] += step
        room -= step
    for size in (4, 2, 1):
        shift(area, s, size, EVEN)
    for size in sizes:
        shift(area, s, size, ALONE)
    return one_cost(area, s)


@inner
def shift(area: Area, s: int, size: int, counted: int) -> None:
    """Move seconds between stages, a few times at most, as long as that helps."""
    for _ in range(8):
        if not move_greens(area, s, size, counted):
            break


@inner
def spread_rest(area: Area, s: int, room: int) -> int:
    """Give what is left to stages that can take it, second by second; return what none can."""
    stages, at = area.stages, area.at
    r = at.row[s]
    for g in range(stages.size[r]):
        more = min(room, stages.high[r, g] - at.greens[s, g])
        at.greens[s, g] += more
        room -= more
    return room


@inner
def one_cost(area: Area, s: int) -> float:
    """Return what a signal costs at its own queues as it is set."""
    trial = area.trial
    as_set(area, s)
    look_at(area, s, ALONE)
    return float(trial.found[0, 0])


@kernel
def time_all(
    area: Area, rows: Ints, first: Ints, sizes: Ints, greens: Ints, costs: NDArray[np.float64]
) -> None:
    """Time each signal alone in its rows `rows[first[s]:first[s + 1]]`; fill `greens`, `costs`.

    Each signal keeps the row that costs least, with its greens. See `time_alone` for `sizes`.
    """
    at = area.at
    for s in range(first.shape[0] - 1):
        best = -1
        for i in range(first[s], first[s + 1]):
            at.row[s] = rows[i]
            costs[i] = time_alone(area, s, sizes)
            greens[i, :] = at.greens[s, :]
            if best < 0 or costs[i] < costs[best]:
                best = i
        at.row[s] = rows[best]
        at.greens[s, :] = greens[best, :]
