# SPDX-License-Identifier: Apache-2.0
"""What is seen of the lanes of a site each second, in one pass over road users or lanes.

Arrays only. P phases, S stages, L lanes, Z stretches.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lvbo.control._queue_kernels import NONE

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

STANDING_MPS = 2.0
AT_LINE_M = 12.0
BRAKE = 2.0 * 2.6
CAR_PERSONS = 1.3
REACH_M = 200.0
END_M, SLOW_MPS = 12.0, 2.0
"""Who is so near to where sight ends and so slow has others behind, if any come."""
ENOUGH = 10.0
"""After so many came into sight in a zone it is known where that is."""
GONE_VPS, MOST_BEYOND = 2.0, 30.0
STILL_S, STILL_YIELDING_S = 4, 6
"""How long a head stands in a green that should serve it before the model is contradicted."""
STILL_ALONE_S = 30
"""The same where no other stage serves his lane: who yields may wait long for his gap."""
EXPIRES_S = 25
FLOW_S = 1.85
"""Vehicles of a queue that flows pass the stop line at least so far apart, s: 1,950 in an hour."""


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


@njit(cache=True)
def moved(key: I64, stretch: I64, last: I64, at: I64) -> Flags:
    """Return who is elsewhere than before, or was not there, (V,); `last` (W,) were `at` (W,)."""
    found = np.ones(key.shape[0], dtype=np.bool_)
    for v in range(key.shape[0]):
        for w in range(last.shape[0]):
            if key[v] == last[w] and stretch[v] == at[w]:
                found[v] = False
                break
    return found


@njit(cache=True)
def green_times(serves: Flags, going: Flags, since_s: I64) -> I64:
    """Return for how long each lane has had green for some of its traffic, 0 at red, (L,), s.

    `serves` (P, L), `going` and `since_s` (P,). A green that is seen for the first time was lit a
    second ago.
    """
    green_s = np.zeros(serves.shape[1], np.int64)
    for p in range(serves.shape[0]):
        if going[p]:
            for k in range(serves.shape[1]):
                if serves[p, k]:
                    green_s[k] = max(green_s[k], since_s[p], 1)
    return green_s


@njit(cache=True)
def reach_back(
    zone: I64,
    distance_m: F64,
    speed_mps: F64,
    new: Flags,
    memory_s: float,
    rate_vps: F64,
    end_m: F64,
    seen: F64,
    queue: F64,
) -> None:
    """Let a second pass for queues out of sight: all of shape (Z,) are brought up to now.

    The vehicles have shape (V,); `new` came into sight. `rate_vps` is the mean of those, over
    `memory_s`, `seen` their number, `end_m` where sight ends; a `queue` grows while somebody stands
    there.
    """
    came, full = np.zeros(queue.shape[0]), np.zeros(queue.shape[0], np.bool_)
    for v in range(zone.shape[0]):
        end_m[zone[v]] = max(end_m[zone[v]], distance_m[v])
        came[zone[v]] += new[v]
    for z in range(queue.shape[0]):
        rate_vps[z] += (came[z] - rate_vps[z]) / memory_s
        seen[z] += came[z]
    for v in range(zone.shape[0]):
        z = zone[v]
        if seen[z] >= ENOUGH and speed_mps[v] < SLOW_MPS and distance_m[v] > end_m[z] - END_M:
            full[z] = True
    for z in range(queue.shape[0]):
        grown = rate_vps[z] - came[z] if full[z] else -max(came[z], GONE_VPS)
        queue[z] = min(max(queue[z] + grown, 0.0), MOST_BEYOND)


@njit(cache=True)
def forget_heads(
    head: I64, kind: I64, now_s: int, key: I64, stuck: Flags, marked_s: I64, why: I64
) -> Flags:
    """Take back marks that hold no longer; return whose head is another one than before, (L,).

    The head left, was marked long ago, or stood in all stages that serve it. `key` (L,) are the
    heads before and become those now, `kind` (S, L) is 0 where a stage does not serve a lane.
    """
    stages, lanes = kind.shape
    other: Flags = head != key
    for k in range(lanes):
        some, everywhere = False, True
        for s in range(stages):
            stuck[s, k] &= not other[k] and now_s - marked_s[s, k] <= EXPIRES_S
            some |= stuck[s, k]
            everywhere &= stuck[s, k] or kind[s, k] == NONE
        if everywhere:
            stuck[:, k] = False
        if everywhere or not some:
            why[k] = 0
        key[k] = head[k]
    return other


@njit(cache=True)
def mark_heads(
    still_s: I64,
    kind: I64,
    yields: Flags,
    held: Flags,
    weaker: Flags,
    stage: int,
    now_s: int,
    stuck: Flags,
    marked_s: I64,
    why: I64,
) -> None:
    """Mark the heads that have stood for too long in a stage, there and in those that are weaker.

    `still_s` (L,) is for how long they did; whether some on a lane yield in that stage, or are held
    back, (L,); `weaker` (S, L) are the stages that give a lane no more.
    """
    stages, lanes = kind.shape
    for k in range(lanes):
        patience = STILL_S if held[k] or not yields[k] else STILL_YIELDING_S
        if (kind[:, k] != 0).sum() <= 1:
            patience = STILL_ALONE_S
        if still_s[k] < patience:
            continue
        for s in range(stages):
            too = weaker[s, k] and (yields[k] or held[k]) and kind[s, k] != 0
            if too or s == stage:
                stuck[s, k], marked_s[s, k] = True, now_s
        why[k] = 1 if yields[k] or (why[k] == 1 and not held[k]) else 2
