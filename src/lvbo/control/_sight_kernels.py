# SPDX-License-Identifier: Apache-2.0
"""From road users in range to queues and arrivals by lane, in one pass over them. Arrays only."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

STANDING_MPS = 2.0
AT_LINE_M = 12.0
BRAKE = 2.0 * 2.6
CAR_PERSONS = 1.3
REACH_M = 200.0
FLOW_S = 1.85
"""Vehicles of a queue that flows pass the stop line so far apart: saturation flow as measured."""


@njit(cache=True)
def gather(
    zone: NDArray[np.int64],
    distance_m: NDArray[np.float64],
    speed_mps: NDArray[np.float64],
    wait_s: NDArray[np.float64],
    persons: NDArray[np.float64],
    first: NDArray[np.int64],
    lane_of: NDArray[np.int64],
    share_of: NDArray[np.float64],
    lone: NDArray[np.int64],
    length_m: NDArray[np.float64],
    free_mps: NDArray[np.float64],
    flows: NDArray[np.bool_],
    span: int,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float32],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """Return queue (L,), arrivals (L, span) veh/s, head (L,) index or -1, longest wait (L,) in s.

    Then come the number of persons by vehicle (L,), that of a car where nobody is, all vehicles
    (L,), and the same weighted by nearness, 1 - d / 200 m.

    Zone z leads to `lane_of[first[z]:first[z + 1]]` with the shares beside them, and lies on lane
    `lone[z]` or, where that is -1, on none. Who stands in a
    lane that does not flow is in its queue; who moves arrives after the free drive, longer by what
    regaining speed takes, and where the lane flows not sooner after the one before than a queue
    discharges: of those who have just started several seem to reach the line at once.
    """
    lanes = length_m.shape[0]
    queue = np.zeros(lanes)
    arrivals = np.zeros((lanes, span), dtype=np.float32)
    head = np.full(lanes, -1, dtype=np.int64)
    wait, aboard, count, close = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    before_s = np.full(lanes, -FLOW_S)
    for v in np.argsort(distance_m):
        own = lone[zone[v]]
        if own >= 0 and distance_m[v] <= length_m[own]:
            wait[own] = max(wait[own], wait_s[v])
            if head[own] < 0 or distance_m[v] < distance_m[head[own]]:
                head[own] = v
        for i in range(first[zone[v]], first[zone[v] + 1]):
            k, share, far = lane_of[i], share_of[i], max(distance_m[v], 0.0)
            pace = max(speed_mps[v], 0.0)
            aboard[k] += share * persons[v]
            count[k] += share
            close[k] += share * max(0.0, 1.0 - far / REACH_M)
            if pace < STANDING_MPS and (not flows[k] or far < AT_LINE_M):
                queue[k] += share
                continue
            free = free_mps[k]
            comes_s = far / free + max(free - pace, 0.0) ** 2 / (BRAKE * free)
            if own >= 0 and flows[k]:
                comes_s = max(comes_s, before_s[k] + FLOW_S)
                before_s[k] = comes_s
            bin_s = int(comes_s)
            if 0 <= bin_s < span:
                arrivals[k, bin_s] += share
    for k in range(lanes):
        aboard[k] = aboard[k] / count[k] if count[k] > 0.0 else CAR_PERSONS
    return queue, arrivals, head, wait, aboard, count, close


@njit(cache=True)
def absent(key: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which keys (n,) do not stand among others (m,): few in range, so each is compared."""
    found = np.ones(key.shape[0], dtype=np.bool_)
    for v in range(key.shape[0]):
        for w in range(among.shape[0]):
            if key[v] == among[w]:
                found[v] = False
                break
    return found
