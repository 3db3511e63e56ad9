# SPDX-License-Identifier: Apache-2.0
"""The search of the adaptive controller: a beam over stage changes on a 1-s lane-queue model.

Arrays only. L lanes, S stages, H seconds, K foes of a lane at most, B states kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

BARRED_S = 4
"""For so long a refused stage is not tried again."""
NONE, FREE, MIXED = 0, 1, 2
"""How a stage serves a lane: not at all; freely; with some who yield or must stand."""
FLOWING = 15
"""After so many seconds of discharge a queue flows at its steady rate."""
HERE = 0.3
"""Less of a vehicle than this is nobody."""
FAR_S = 900


class Street(NamedTuple):
    """What does not change from second to second.

    `green`, `yields`, `held` (S, L) are the shares of a lane's traffic that a stage serves with
    priority, yielding, not at all; `kind` (S, L) sums them up. `foe` (S, L, K) are the lanes a
    yielding lane gives way to, with the share of their traffic that matters in `foe_share`, filled
    up with -1. `ready_s` (S, S, L) is when a lane goes after a change, `change_s` (S, S) when all
    do. `tour_s` (S, S) is the time from the end of a stage to the start of another in the site's
    order, by which the gate keeps the longest red. `over` (S, S, S) marks the stages that a change
    from the first to the second passes over, as the site's order allows while nobody calls them.
    `profile` (F + 1,) is the discharge of a queue in so many seconds of green, in seconds of steady
    flow.
    """

    green: F32
    yields: F32
    held: F32
    kind: I64
    foe: I64
    foe_share: F32
    legal: Flags
    change_s: I64
    ready_s: I64
    tour_s: I64
    over: Flags
    recall: Flags  # (S,) never passed over
    least_s: I64
    profile: F32


class Now(NamedTuple):
    """What is seen and estimated in this second.

    `arrivals` (L, H) veh/s, `queue` (L,) veh, `flowed` (L,) for how many seconds the lane has
    discharged, `flow` (L,) saturation flow veh/s, `weight` (L,), `blocked` (L,) share of the lane
    whose exit is full, `head` (L,) 0 unknown, 1 the first one yields, 2 the first one wants another
    stage, `stuck` (S, L) the first one did not move in that stage. `due_s` (S,) is when a stage
    must have begun to keep the longest red, a large number for never; `must` (S,) what it will cost
    others to serve a stage that is due within sight; `barred` (S,) what may not begin in the next
    seconds.
    """

    arrivals: F32
    queue: F32
    flowed: I64
    flow: F32
    weight: F32
    blocked: F32
    head: I64
    stuck: Flags
    due_s: I64
    must: F32
    barred: Flags
    stage: int
    age_s: int  # of the green


class Taste(NamedTuple):
    """What a stop costs, how a yielding lane flows, how far and how wide to look.

    Plans are looked at second by second for `fine_s`, then every `coarse_s`, beyond `middle_s`
    every `rough_s` seconds.
    """

    stop_s: float = 4.0
    join: float = 0.6
    busy_s: float = 5.0
    free_s: float = 0.8
    mixed: float = 0.4
    lost_s: float = 7.0
    late: float = 50.0
    blocked_s: int = 10
    fine_s: int = 12
    coarse_s: int = 3
    middle_s: int = 60
    rough_s: int = 5
    beam: int = 32
    alike: int = 2


@njit(cache=True, fastmath=True)
def steps_of(taste: Taste, span: int) -> I64:
    """Return the times at which the search looks, from 0 to the span, s."""
    found = np.empty(span + 1, dtype=np.int64)
    t, count = 0, 0
    while t < span:
        found[count] = t
        count += 1
        t += 1 if t < taste.fine_s else (taste.coarse_s if t < taste.middle_s else taste.rough_s)
    found[count] = span
    return found[: count + 1].copy()


@njit(cache=True, fastmath=True)
def _share(street: Street, taste: Taste, s: int, k: int, head: int, served: float, flow: float,
           queue: F32, near: F32) -> float:  # fmt: skip
    """Return what share of its free discharge a mixed lane k has in stage s."""
    if head == 2:
        return 1.0
    green, yields, held = street.green[s, k], street.yields[s, k], street.held[s, k]
    if head == 1:
        if yields > 0:
            yields, green, held = np.float32(1.0), np.float32(0.0), np.float32(0.0)
        elif held > 0:
            return 1.0
    if held > 0 and served >= taste.mixed * (1.0 - held) / held:
        return 0.0
    if yields <= 1e-6:
        return 1.0
    busy = 0.0
    for i in range(street.foe.shape[2]):
        f = street.foe[s, k, i]
        if f < 0:
            break
        busy += min(1.0, queue[f] + near[f]) * street.foe_share[s, k, i]
    busy = min(busy, 1.0)
    wait = busy * taste.busy_s + (1.0 - busy) * taste.free_s
    return float(1.0 / (1.0 + yields / (green + yields) * wait * flow))


@njit(cache=True, fastmath=True)
def _passes_a_call(street: Street, p: int, j: int, queue: F32) -> bool:
    """Say whether a change from p to j passes over a stage that somebody calls."""
    for s in range(street.over.shape[2]):
        if not street.over[p, j, s]:
            continue
        if street.recall[s]:
            return True
        for k in range(queue.shape[0]):
            away = street.kind[j, k] == NONE and street.kind[s, k] != NONE
            if away and queue[k] > HERE and (street.kind[p, k] == NONE or queue[k] > 1.0):
                return True
    return False


@njit(cache=True, fastmath=True)
def _serves_nobody(street: Street, j: int, queue: F32, soon: F32) -> bool:
    some = 0.0
    for k in range(queue.shape[0]):
        if street.kind[j, k] != NONE:
            some += queue[k] + soon[k]
    return some < 0.05


@njit(cache=True, fastmath=True)
def _rest(street: Street, now: Now, taste: Taste, p: int, n: int, el: int, begun: int,
          queue: F32, head: I64) -> float:  # fmt: skip
    """Return what is still to be paid for a state: queues until served, and stages that are due."""
    cost = 0.0
    for k in range(queue.shape[0]):
        ql = queue[k]
        if ql <= 1e-3:
            continue
        if street.kind[n, k] == NONE or (head[k] > 0 and now.stuck[n, k]):
            wait = taste.lost_s
        elif p != n:
            wait = max(0.0, street.ready_s[p, n, k] - el) + 1.5
        else:
            wait = 0.0
        cost += now.weight[k] * (ql * wait + 0.5 * ql * ql / now.flow[k])
    for s in range(street.least_s.shape[0]):
        if not (begun >> s) & 1:
            cost += now.must[s]
    return cost


@njit(cache=True, fastmath=True)
def _advance(street: Street, now: Now, taste: Taste, p: int, n: int, el: int, t: int, dt: int,
             come: F32, near: F32, q: F32, fl: I64, sv: F32, hd: I64,
             q2: F32, fl2: I64, sv2: F32, hd2: I64) -> float:  # fmt: skip
    """Let `dt` seconds pass on all lanes; return what waiting and stopping cost in them."""
    money = 0.0
    for k in range(q.shape[0]):
        before, al, hl, flowed, served = q[k], come[k], hd[k], fl[k], sv[k]
        s, sec = n, dt
        if p != n:
            ready = street.ready_s[p, n, k]
            if ready < 0 or el + dt <= ready:
                s, sec = p, 1 if el == 0 and street.kind[p, k] != NONE else 0
            elif ready > 0:
                sec = min(dt, el + dt - ready)
                if el <= ready:
                    flowed = 0
        kind = street.kind[s, k]
        w = now.weight[k]
        if kind == NONE or sec == 0:
            q2[k] = before + al
            fl2[k] = 0
            sv2[k] = served if kind == MIXED else 0.0
            hd2[k] = hl
            money += w * (taste.stop_s * al + dt * (before + 0.5 * al))
            continue
        if before < HERE:
            flowed = FLOWING
        after = min(flowed + sec, FLOWING)
        pace = street.profile[after] - street.profile[flowed]
        if flowed + sec > FLOWING:
            pace += flowed + sec - max(FLOWING, flowed)
        most = pace * now.flow[k]
        if hl > 0 and now.stuck[s, k]:
            most = 0.0
        elif kind == MIXED:
            most *= _share(street, taste, s, k, hl, served, now.flow[k], q, near)
        if t < taste.blocked_s:
            most *= 1.0 - now.blocked[k]
        if before <= HERE and hl == 0 and kind == FREE:
            most = max(most, min(al, 1.0 * dt))
        out = min(before + al, most)
        if before > 0.5:
            money += w * taste.join * taste.stop_s * al
        elif most <= 0.0:
            money += w * taste.stop_s * al
        if out > 0.5:
            hl = 0
        q2[k] = before + al - out
        fl2[k] = min(flowed + sec, FLOWING)
        sv2[k] = served + out
        hd2[k] = hl
        money += w * dt * 0.5 * (before + q2[k])
    return money


@njit(cache=True, fastmath=True)
def _owed(now: Now, begun: int) -> int:
    owed = 0
    for s in range(now.must.shape[0]):
        if now.must[s] > 0 and not (begun >> s) & 1:
            owed += 1
    return min(owed, 2)


@njit(cache=True, fastmath=True)
def _keep_best(made: int, beam: int, rank: F32, at2: I64, now: Now, alike: int,
               order: I64) -> int:  # fmt: skip
    """Fill `order` with the best children, not more than `alike` of each kind; return how many."""
    stages = now.must.shape[0]
    seen = np.zeros((stages, 24, 3), dtype=np.int64)
    sorted_ = np.argsort(rank[:made])
    kept = 0
    for o in range(made):
        c = sorted_[o]
        p, n, el, age = at2[c, 0], at2[c, 1], at2[c, 2], at2[c, 3]
        kind = min(age // 3, 17) if p == n else 18 + min(el // 2, 5)
        owed = _owed(now, at2[c, 5])
        if seen[n, kind, owed] >= alike:
            continue
        seen[n, kind, owed] += 1
        order[kept] = c
        kept += 1
        if kept >= beam:
            break
    return kept


@njit(cache=True, fastmath=True)
def search(street: Street, now: Now, taste: Taste) -> tuple[int, float, float]:
    """Return (first action, cost of keeping, cost of the best change), costs in vehicle-seconds.

    The action is -1 to keep the stage, else the stage to change to.
    """
    stages, lanes = street.kind.shape
    beam = taste.beam
    times = steps_of(taste, now.arrivals.shape[1])
    wide = beam * (stages + 1)
    q, q2 = np.zeros((beam, lanes), np.float32), np.zeros((wide, lanes), np.float32)
    sv, sv2 = np.zeros((beam, lanes), np.float32), np.zeros((wide, lanes), np.float32)
    fl, fl2 = np.zeros((beam, lanes), np.int64), np.zeros((wide, lanes), np.int64)
    hd, hd2 = np.zeros((beam, lanes), np.int64), np.zeros((wide, lanes), np.int64)
    at = np.zeros((beam, 6), np.int64)  # stage, target, elapsed, age, root, begun stages
    at2 = np.zeros((wide, 6), np.int64)
    cost, cost2 = np.zeros(beam, np.float64), np.zeros(wide, np.float64)
    rank, order = np.zeros(wide, np.float32), np.zeros(wide, np.int64)
    come, near = np.zeros(lanes, np.float32), np.zeros(lanes, np.float32)
    soon = np.zeros(lanes, np.float32)
    total = np.zeros((lanes, now.arrivals.shape[1] + 13), np.float32)
    for k in range(lanes):
        for t in range(total.shape[1] - 1):
            more = now.arrivals[k, t] if t < now.arrivals.shape[1] else 0.0
            total[k, t + 1] = total[k, t] + more
        q[0, k], fl[0, k], hd[0, k] = now.queue[k], now.flowed[k], now.head[k]
    at[0, 0], at[0, 1], at[0, 3], at[0, 4] = now.stage, now.stage, now.age_s, -1
    at[0, 5] = 1 << now.stage
    count = 1
    for u in range(times.shape[0] - 1):
        t, dt = times[u], times[u + 1] - times[u]
        for k in range(lanes):
            come[k] = total[k, t + dt] - total[k, t]
            near[k] = total[k, t + 4] - total[k, t]
            soon[k] = total[k, t + 8] - total[k, t]
        made = 0
        for i in range(count):
            p, n = at[i, 0], at[i, 1]
            free = p == n and at[i, 3] >= street.least_s[p]
            for a in range(stages if free else 1):
                nn, pp, el, age = n, p, at[i, 2], at[i, 3]
                if a > 0:
                    nn = a - 1 if a - 1 < p else a
                    if not street.legal[p, nn] or (t < BARRED_S and now.barred[nn]):
                        continue
                    idle = not street.recall[nn] and now.due_s[nn] > FAR_S
                    if idle and _serves_nobody(street, nn, q[i], soon):
                        continue
                    if _passes_a_call(street, p, nn, q[i]):
                        continue
                    el = 0
                    if street.change_s[p, nn] == 0:
                        pp, age = nn, 0
                c = made
                made += 1
                money = cost[i] + _advance(
                    street, now, taste, pp, nn, el, t, dt, come, near,
                    q[i], fl[i], sv[i], hd[i], q2[c], fl2[c], sv2[c], hd2[c],
                )  # fmt: skip
                if pp != nn:
                    el += dt
                    if el >= street.change_s[pp, nn]:
                        age = el - street.change_s[pp, nn]
                        pp, el = nn, 0
                else:
                    age += dt
                begun = at[i, 5] | (1 << nn)
                left = max(0, street.least_s[nn] - age) if pp == nn else street.least_s[nn]
                for s in range(stages):
                    if not (begun >> s) & 1 and t + left + street.tour_s[nn, s] > now.due_s[s]:
                        money += taste.late * dt
                root = at[i, 4] if t > 0 else (nn if a > 0 else -1)
                at2[c, 0], at2[c, 1], at2[c, 2], at2[c, 3], at2[c, 4], at2[c, 5] = (
                    pp, nn, el, age, root, begun,
                )  # fmt: skip
                cost2[c] = money
        last = u == times.shape[0] - 2
        if made > count or last:
            for c in range(made):
                rank[c] = cost2[c] + _rest(
                    street, now, taste, at2[c, 0], at2[c, 1], at2[c, 2], at2[c, 5], q2[c], hd2[c],
                )  # fmt: skip
            count = _keep_best(made, beam, rank, at2, now, taste.alike, order)
        else:
            count = made
            for c in range(made):
                order[c] = c
        for i in range(count):
            c = order[i]
            q[i], fl[i], sv[i], hd[i], at[i] = q2[c], fl2[c], sv2[c], hd2[c], at2[c]
            cost[i] = rank[c] if last else cost2[c]
    keep, change, action = np.inf, np.inf, -1
    for i in range(count):
        if at[i, 4] < 0:
            keep = min(keep, cost[i])
        elif cost[i] < change:
            change, action = cost[i], at[i, 4]
    return (action if change < keep else -1), keep, change
