# SPDX-License-Identifier: Apache-2.0
"""Exact cyclic ordered partition of a day into periods, each with one of a few plans."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@njit(cache=True)
def partition(
    cost: Floats,
    change: Floats,
    shortest: int,
    most: int,
    value: Floats,
    starts: Ints,
    labels: Ints,
) -> None:
    """Find for each number of periods the cheapest cyclic partition.

    cost: (plans, slots) cost of running a plan in a slot. change: (plans, plans) cost of a switch
    from row to column. shortest: least slots of a period. most: greatest number of periods.
    Written: value (most + 1), the least cost for exactly k periods, inf where there is none;
    starts, labels (most + 1, most): first slot and plan of each period in order, -1 beyond.

    For every first break s and first plan p0, layer k holds f[t, p]: the least cost of the first t
    slots after s cut into k periods, the last one with plan p. The last switch leads back to p0.
    """
    plans, slots = cost.shape
    inf = np.inf
    value[:] = inf
    starts[:, :] = -1
    labels[:, :] = -1
    for p in range(plans):
        total = 0.0
        for t in range(slots):
            total += cost[p, t]
        if total < value[1]:
            value[1] = total
            starts[1, 0] = 0
            labels[1, 0] = p
    summed = np.zeros((plans, slots + 1))
    f = np.full((most + 1, slots + 1, plans), inf)
    came_t = np.zeros((most + 1, slots + 1, plans), np.int32)
    came_p = np.zeros((most + 1, slots + 1, plans), np.int32)
    entry = np.full((slots + 1, plans), inf)
    entry_p = np.zeros((slots + 1, plans), np.int32)
    for s in range(slots - shortest + 1):
        for p in range(plans):
            for t in range(slots):
                summed[p, t + 1] = summed[p, t] + cost[p, (s + t) % slots]
        for p0 in range(plans):
            for t in range(slots + 1):
                for p in range(plans):
                    f[1, t, p] = inf
                if t >= shortest:
                    f[1, t, p0] = summed[p0, t]
            for k in range(2, most + 1):
                for t in range(slots + 1):
                    for p in range(plans):
                        best = inf
                        who = 0
                        for q in range(plans):
                            if q != p and f[k - 1, t, q] + change[q, p] < best:
                                best = f[k - 1, t, q] + change[q, p]
                                who = q
                        entry[t, p] = best - summed[p, t]
                        entry_p[t, p] = who
                for p in range(plans):
                    least = inf
                    at = 0
                    for t in range(slots + 1):
                        a = t - shortest
                        if a >= 0 and entry[a, p] < least:
                            least = entry[a, p]
                            at = a
                        f[k, t, p] = least + summed[p, t]
                        came_t[k, t, p] = at
                        came_p[k, t, p] = entry_p[at, p]
                for p in range(plans):
                    total = f[k, slots, p] + change[p, p0]
                    if p != p0 and total < value[k] - 1e-9:
                        value[k] = total
                        t = slots
                        own = p
                        for j in range(k, 0, -1):
                            begin = came_t[j, t, own] if j > 1 else 0
                            starts[k, j - 1] = (s + begin) % slots
                            labels[k, j - 1] = own
                            if j > 1:
                                own = came_p[j, t, own]
                                t = begin
