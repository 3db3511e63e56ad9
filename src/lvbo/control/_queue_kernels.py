# SPDX-License-Identifier: Apache-2.0
"""The queue model of the search: who leaves each lane within a second, and what waiting costs.

Arrays only. L lanes, S stages, H seconds, K foes of a lane at most, W states made in a second.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lvbo.control._plan_values import F32, F64, I64, Now, Street, Taste

NONE, FREE, MIXED = 0, 1, 2
"""How a stage serves a lane: not at all; freely; with some who yield or must stand."""
FLOWING = 15
"""After so many seconds of discharge a queue flows at its steady rate."""
HERE = 0.3
"""Less of a vehicle than this is nobody."""
NEAR_S, AHEAD_S = 4, 8
YIELDS = 1e-6
ALL = 1e6
"""More than ever leave a lane."""
STAGE, TARGET, SPENT, AGE, ROOT, BEGUN, ROUND = range(7)
"""A state: stage and stage aimed at (others during a change, of which so much is spent), age of the
green, first action, and the stages begun so far, and in this round, as bits."""
STATE = 7
QUEUE, FLOWED, SERVED, GONE, HEAD = range(5)
"""A lane in a state: its queue, for how many seconds it has discharged, who left in this green, who
left so far, and whether the first one who does not move as expected is still there."""
LANE = 5
FLOW, OPEN, FULL, LEFT, WEIGHT, RIDERS, AHEAD, COMES = range(8)
"""A lane in all states: saturation flow, the share of its exits that is free, when all will be, the
share that is not kept for others, its weight, who is aboard its bus, how many leave until the bus
has, and when it can."""
LET_BY, PULL = range(2)
"""How easily a lane discharges: who goes before one holds the others back; flow of who yields."""
COME, NEAR, SOON = range(3)
"""Who comes in a second, within `NEAR_S`, within `AHEAD_S`."""


@njit(cache=True, fastmath=True)
def lane_figures(now: Now) -> F32:
    """Return what does not change in a search, by lane, (8, L)."""
    found = np.empty((8, now.queue.shape[0]), np.float32)
    found[FLOW], found[OPEN], found[FULL] = now.flow, 1.0 - now.blocked, now.full_s
    found[LEFT], found[WEIGHT] = 1.0 - now.kept, now.weight
    found[RIDERS], found[AHEAD], found[COMES] = now.riders, now.ahead, now.comes_s
    return found


@njit(cache=True, fastmath=True)
def eased(street: Street, now: Now, taste: Taste) -> F32:
    """Return how easily lanes discharge in each stage, (2, 2, S, L), by `LET_BY` and `PULL`.

    First without the head that is seen, then with it. Of a lane whose head yields all are taken to,
    of one whose head wants another stage nobody. So many go before one holds the others back, all
    where nobody is held back, none where the head is stuck. The pull is the flow of those who
    yield: by so much each second of waiting for a gap slows the lane down.
    """
    stages, lanes = street.kind.shape
    ease = np.zeros((2, 2, stages, lanes), np.float32)
    ease[LET_BY] = ALL
    for s in range(stages):
        for k in range(lanes):
            if street.kind[s, k] == MIXED:
                green, yields, held = street.green[s, k], street.yields[s, k], street.held[s, k]
                if held > 0:
                    ease[LET_BY, 0, s, k] = taste.mixed * (1.0 - held) / held
                if yields > YIELDS:
                    ease[PULL, 0, s, k] = yields / (green + yields) * now.flow[k]
                if now.head[k] == 1 and yields > 0:
                    ease[PULL, 1, s, k] = now.flow[k]
            if now.stuck[s, k]:
                ease[LET_BY, 1, s, k] = -1.0
    return ease


@njit(cache=True)
def expected(arrivals: F32) -> F32:
    """Return who comes in a second, within `NEAR_S` and within `AHEAD_S` from it, (3, H, L)."""
    lanes, span = arrivals.shape
    total = np.zeros((span + AHEAD_S + 1, lanes), np.float32)
    for t in range(span + AHEAD_S):
        for k in range(lanes):
            total[t + 1, k] = total[t, k] + (arrivals[k, t] if t < span else 0.0)
    found = np.empty((3, span, lanes), np.float32)
    for t in range(span):
        for k in range(lanes):
            found[COME, t, k] = total[t + 1, k] - total[t, k]
            found[NEAR, t, k] = total[t + NEAR_S, k] - total[t, k]
            found[SOON, t, k] = total[t + AHEAD_S, k] - total[t, k]
    return found


@njit(cache=True, fastmath=True)
def paces_of(profile: F32) -> F32:
    """Return the discharge in a second after so many others, (16,), in seconds of steady flow."""
    found = np.ones(FLOWING + 1, np.float32)
    for flowed in range(FLOWING):
        found[flowed] = profile[flowed + 1] - profile[flowed]
    return found


@njit(cache=True, fastmath=True)
def flow_on(
    taste: Taste, t: int, lane: F32, paces: F32, kind: I64, ready_s: I64, hold_s: I64, foe: I64,
    foe_share: F32, ease: F32, come: F32, near: F32, made: int, at: I64, parent: I64, own: F32,
    cost: F64, own2: F32, cost2: F64,
) -> None:  # fmt: skip
    """Let a second pass on all lanes of all states: who leaves, and what waiting and stops cost."""
    stop_s, join_s = taste.stop_s, taste.join * taste.stop_s
    for c in range(made):
        a, p, n, el = parent[c], at[c, STAGE], at[c, TARGET], at[c, SPENT]
        money = cost[a]
        for k in range(kind.shape[1]):
            queue, al, w = own[a, QUEUE, k], come[t, k], lane[WEIGHT, k]
            flowed, served = own[a, FLOWED, k], own[a, SERVED, k]
            head, gone = own[a, HEAD, k], own[a, GONE, k]
            s, stands = n, False
            if p != n:
                ready = ready_s[p, n, k]
                if ready < 0 or el < ready:  # who still may goes on into the yellow
                    s, stands = p, el > hold_s[p]
                elif ready > 0 and el == ready:
                    flowed = np.float32(0.0)
            if kind[s, k] == NONE or stands:
                left = queue + al
                money += w * (stop_s * al + queue + np.float32(0.5) * al)
                flowed = np.float32(0.0)
                if kind[s, k] != MIXED:
                    served = np.float32(0.0)
            else:
                if queue < HERE:
                    flowed = np.float32(FLOWING)
                most = paces[int(flowed)] * lane[FLOW, k]
                if head > 0 or kind[s, k] == MIXED:
                    seen = 1 if head > 0 else 0
                    if served >= ease[LET_BY, seen, s, k]:
                        most = np.float32(0.0)
                    elif ease[PULL, seen, s, k] > 0:
                        busy = 0.0
                        for x in range(foe.shape[2]):
                            f = foe[s, k, x]
                            if f < 0:
                                break
                            busy += min(1.0, own[a, QUEUE, f] + near[t, f]) * foe_share[s, k, x]
                        busy = min(busy, 1.0)
                        wait_s = busy * taste.busy_s + (1.0 - busy) * taste.free_s
                        most /= np.float32(1.0 + ease[PULL, seen, s, k] * wait_s)
                if t < lane[FULL, k]:
                    most *= lane[OPEN, k]
                if queue <= HERE and head <= 0 and kind[s, k] == FREE:
                    most = max(most, min(al, np.float32(1.0)))
                out = min(queue + al, most) * lane[LEFT, k]
                left = queue + al - out
                if queue > 0.5:
                    money += w * join_s * al
                elif most <= 0.0:
                    money += w * stop_s * al
                money += w * np.float32(0.5) * (queue + left)
                flowed = min(flowed + np.float32(1.0), np.float32(FLOWING))
                served += out
                gone += out
                if out > 0.5:
                    head = np.float32(0.0)
            own2[c, QUEUE, k], own2[c, FLOWED, k], own2[c, SERVED, k] = left, flowed, served
            own2[c, HEAD, k], own2[c, GONE, k] = head, gone
            if t >= lane[COMES, k] and lane[AHEAD, k] - gone > 0.5:
                money += lane[RIDERS, k]
        cost2[c] = money
