# SPDX-License-Identifier: Apache-2.0
"""What is counted of the vehicles that leave each lane, in one pass over the lanes. Arrays only.

L lanes, F seconds until a queue flows, V vehicles. Counts are brought up to now in place.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

STEADY_VPS = 0.53
"""Discharge of a queue that flows before any was measured, about 1,900 veh/h."""
LEAST_VPS, MOST_VPS = 0.25, 0.70
STEADY_MEMORY_S = 900.0
START_MEMORY = 200.0
SHORTEST_QUEUE = 3.0
EMPTY_S = 15
"""Who is not seen to arrive after so long a red was not within."""
COUNT_MEMORY = 100.0


@njit(cache=True)
def count_discharge(
    left: F64,
    queue: F64,
    green_s: I64,
    free: Flags,
    stood: F64,
    gone: F64,
    first: F64,
    starts: F64,
    flowed: F64,
    open_s: F64,
) -> None:
    """Count what leaves in one second, where it teaches how a queue discharges.

    As in `lvbo.control.learning.Learned.discharged`. Of the queue that `stood` when green began so
    many are `gone`, both (L,). `first` (F,) sums up what left in a second of green, of `starts`
    queues; `flowed` (L,) what left in `open_s` later ones.
    """
    for k in range(left.shape[0]):
        if green_s[k] <= 0:
            stood[k], gone[k] = queue[k], 0.0
            continue
        taught = free[k] and stood[k] >= SHORTEST_QUEUE and gone[k] + 1.0 <= stood[k]
        gone[k] += left[k]
        if taught and green_s[k] <= first.shape[0]:
            flow_vps = min(max(flowed[k] / open_s[k], LEAST_VPS), MOST_VPS)
            first[green_s[k] - 1] += left[k] * STEADY_VPS / flow_vps
            starts[green_s[k] - 1] += 1.0
        if taught and green_s[k] > first.shape[0] // 2:
            flowed[k] += left[k]
            open_s[k] += 1.0
            fade = min(1.0, STEADY_MEMORY_S / open_s[k])
            flowed[k] *= fade
            open_s[k] *= fade
    for second in range(first.shape[0]):
        fade = min(1.0, START_MEMORY / starts[second])
        first[second] *= fade
        starts[second] *= fade


@njit(cache=True)
def count_within(
    left: F64,
    lane: I64,
    green: Flags,
    within: F64,
    latest: F64,
    red_s: I64,
    went: F64,
    arrived: F64,
) -> None:
    """Count who left a lane in the second before, and has not arrived behind the junction.

    `lane` (V,) is that of those who arrived; `latest` (seconds, L) are those who left last, `went`
    and `arrived` (L,) the sums that fade.
    """
    here = np.zeros(left.shape[0])
    for v in range(lane.shape[0]):
        here[lane[v]] += 1.0
    latest[:-1] = latest[1:].copy()
    for k in range(left.shape[0]):
        within[k] = max(within[k] + left[k] - here[k], 0.0)
        red_s[k] = 0 if green[k] else red_s[k] + 1
        if red_s[k] > EMPTY_S:
            within[k] = 0.0
        latest[-1, k] = left[k]
        went[k] += left[k]
        arrived[k] += here[k]
        fade = min(1.0, COUNT_MEMORY / max(went[k], 1.0))
        went[k] *= fade
        arrived[k] *= fade
