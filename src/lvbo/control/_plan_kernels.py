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


class Street(NamedTuple):
    """What does not change from second to second.

    `green`, `yields`, `held` (S, L) are the shares of a lane's traffic that a stage serves with
    priority, yielding, not at all. `foe` (S, L, K) are the lanes a yielding lane gives way to, with
    the share of their traffic that matters in `foe_share`, filled up with -1. `ready_s` (S, S, L)
    is when a lane goes after a change, `change_s` (S, S) when all do. `lost_s` (S, L) is the time
    from the end of a stage to service of a lane along the shortest legal path, `tour_s` (S, S) that
    to the start of a stage in the site's order, by which the gate keeps the longest red.
    """

    green: F32
    yields: F32
    held: F32
    foe: I64
    foe_share: F32
    legal: Flags
    change_s: I64
    ready_s: I64
    lost_s: F32
    tour_s: I64
    place: I64  # (S,) place in the site's order, -1 outside it
    skips: bool  # a stage may be passed over only while nobody calls it
    recall: Flags  # (S,) never passed over
    least_s: I64


class Now(NamedTuple):
    """What is seen and estimated in this second.

    `arrivals` (L, H) veh/s, `queue` (L,) veh, `start_s` (L,) start-up time still to be lost,
    `flow` (L,) saturation flow veh/s, `weight` (L,), `blocked` (L,) share of the lane whose exit is
    full, `head` (L,) 0 unknown, 1 the first one yields, 2 the first one wants another stage,
    `stuck` (S, L) the first one did not move in that stage. `due_s` (S,) is when a stage must have
    begun to keep the longest red, a large number for never; `must` (S,) what it will cost others to
    serve a stage that is due within sight; `barred` (S,) what may not begin in the next seconds.
    """

    arrivals: F32
    queue: F32
    start_s: F32
    flow: F32
    weight: F32
    blocked: F32
    head: I64
    stuck: Flags
    due_s: I64
    must: F32
    barred: Flags
    stage: int
    target: int
    elapsed_s: int  # of a change that is under way
    age_s: int  # of the green


class Taste(NamedTuple):
    """What a stop costs, how a yielding lane flows, how far and how wide to look."""

    stop_s: float = 4.0
    busy_s: float = 5.0
    free_s: float = 0.8
    start_s: float = 3.0
    mixed: float = 0.4
    lost_s: float = 7.0
    late: float = 50.0
    blocked_s: int = 10
    fine_s: int = 12
    coarse_s: int = 3
    beam: int = 32
    alike: int = 2


@njit(cache=True, fastmath=True)
def _rate(street: Street, now: Now, taste: Taste, s: int, k: int, head: int, served: float,
          queue: F32, near: F32, t: int) -> float:  # fmt: skip
    """Return what lane k may discharge in stage s, veh/s."""
    green, yields = street.green[s, k], street.yields[s, k]
    if green + yields <= 1e-6 or (head > 0 and now.stuck[s, k]):
        return 0.0
    held = street.held[s, k]
    flow = float(now.flow[k])
    if (yields <= 1e-6 and held <= 1e-6) or head == 2:
        return flow
    if head == 1:
        if yields > 0:
            yields, green, held = 1.0, 0.0, 0.0
        elif held > 0:
            return flow
    wait = 0.0
    if yields > 1e-6:
        busy = 0.0
        for i in range(street.foe.shape[2]):
            f = street.foe[s, k, i]
            if f < 0:
                break
            busy += min(1.0, queue[f] + near[f, t]) * street.foe_share[s, k, i]
        busy = min(busy, 1.0)
        wait = busy * taste.busy_s + (1.0 - busy) * taste.free_s
    if held > 0 and served >= taste.mixed * (1.0 - held) / held:
        return 0.0
    return float(1.0 / (1.0 / flow + yields / (green + yields) * wait))


@njit(cache=True, fastmath=True)
def _passed_over(street: Street, p: int, j: int, queue: F32) -> bool:
    """Say whether a change from p to j passes over a stage that is called."""
    if not street.skips or street.place[p] < 0 or street.place[j] < 0:
        return False
    count = 0
    for s in range(street.place.shape[0]):
        count = max(count, street.place[s] + 1)
    span = (street.place[j] - street.place[p]) % count
    for s in range(street.place.shape[0]):
        if street.place[s] < 0 or s in (p, j):
            continue
        if (street.place[s] - street.place[p]) % count >= span:
            continue
        if street.recall[s]:
            return True
        for k in range(queue.shape[0]):
            away = street.green[j, k] + street.yields[j, k] <= 0.05
            idle = street.green[p, k] + street.yields[p, k] <= 0.05 or queue[k] > 1.0
            served = street.green[s, k] + street.yields[s, k] > 0.05
            if served and away and idle and queue[k] > 0.3:
                return True
    return False


@njit(cache=True, fastmath=True)
def search(street: Street, now: Now, taste: Taste) -> tuple[int, float, I64, float, float]:
    """Return (first action, cost, targets by second, cost of keeping, cost of the best change).

    The action is -1 to keep the stage, else the stage to change to. Cost in vehicle-seconds.
    """
    stages, lanes = street.green.shape
    span = now.arrivals.shape[1]
    beam = taste.beam
    near = np.zeros((lanes, span), dtype=np.float32)
    for k in range(lanes):
        for t in range(span):
            total = 0.0
            for u in range(t, min(t + 4, span)):
                total += now.arrivals[k, u]
            near[k, t] = total
    wide = beam * (stages + 1)
    q = np.zeros((beam, lanes), dtype=np.float32)
    su = np.zeros((beam, lanes), dtype=np.float32)
    sv = np.zeros((beam, lanes), dtype=np.float32)
    hd = np.zeros((beam, lanes), dtype=np.int64)
    q2 = np.zeros((wide, lanes), dtype=np.float32)
    su2 = np.zeros((wide, lanes), dtype=np.float32)
    sv2 = np.zeros((wide, lanes), dtype=np.float32)
    hd2 = np.zeros((wide, lanes), dtype=np.int64)
    at = np.zeros((beam, 6), dtype=np.int64)  # stage, target, elapsed, age, root, begun stages
    at2 = np.zeros((wide, 6), dtype=np.int64)
    cost = np.zeros(beam, dtype=np.float64)
    cost2 = np.zeros(wide, dtype=np.float64)
    rank = np.zeros(wide, dtype=np.float64)
    parent = np.zeros(wide, dtype=np.int64)
    trace = np.zeros((beam, span), dtype=np.int64)
    trace2 = np.zeros((beam, span), dtype=np.int64)
    seen = np.zeros((stages, 24, 3), dtype=np.int64)
    for k in range(lanes):
        q[0, k], su[0, k], hd[0, k] = now.queue[k], now.start_s[k], now.head[k]
    at[0, 0], at[0, 1], at[0, 2], at[0, 3], at[0, 4] = (
        now.stage, now.target, now.elapsed_s, now.age_s, -1,
    )  # fmt: skip
    at[0, 5] = 1 << now.target
    count = 1
    for t in range(span):
        made = 0
        deciding = t < taste.fine_s or t % taste.coarse_s == 0
        for i in range(count):
            p, n, el, age = at[i, 0], at[i, 1], at[i, 2], at[i, 3]
            free = deciding and p == n and age >= street.least_s[p]
            for a in range(stages if free else 1):
                j = n
                if a > 0:
                    j = a - 1 if a - 1 < p else a
                    if not street.legal[p, j] or (t < BARRED_S and now.barred[j]):
                        continue
                    use = 0.0
                    for k in range(lanes):
                        if street.green[j, k] + street.yields[j, k] > 0:
                            use += q[i, k] + near[k, t] + (near[k, t + 4] if t + 4 < span else 0.0)
                    if use < 0.05 and not street.recall[j] and now.due_s[j] > 900:
                        continue
                    if _passed_over(street, p, j, q[i]):
                        continue
                c = made
                made += 1
                parent[c] = i
                pp, nn, ee, gg = p, n, el, age
                if a > 0:
                    nn, ee = j, 0
                    if street.change_s[p, j] == 0:
                        pp, gg = j, 0
                root = at[i, 4]
                if t == 0:
                    root = j if a > 0 else -1
                money = cost[i]
                changing = pp != nn
                for k in range(lanes):
                    ql, al, sl = q[i, k], now.arrivals[k, t], su[i, k]
                    hl = hd[i, k]
                    w = now.weight[k]
                    if not changing:
                        r = _rate(street, now, taste, pp, k, hl, sv[i, k], q[i], near, t)
                    elif ee >= street.ready_s[pp, nn, k] >= 0:
                        r = _rate(street, now, taste, nn, k, hl, sv[i, k], q[i], near, t)
                    elif ee == 0:
                        r = _rate(street, now, taste, pp, k, hl, sv[i, k], q[i], near, t)
                    else:
                        r = 0.0
                    if t < taste.blocked_s and now.blocked[k] > 0:
                        r *= 1.0 - now.blocked[k]
                    dep = 0.0
                    if r <= 0:
                        sl = taste.start_s + 1.0
                        money += taste.stop_s * al * w
                        sv2[c, k] = sv[i, k] if not changing and street.held[pp, k] > 0 else 0.0
                    else:
                        if ql < 0.3:
                            sl = 0.0
                        if sl > taste.start_s:
                            r = min(1.0, 2.0 * r)
                            sl = taste.start_s
                        elif sl > 0:
                            use = min(sl, 1.0)
                            sl -= use
                            r *= 1.0 - use
                        if ql > 0.5:
                            money += 0.6 * taste.stop_s * al * w
                        most = r
                        if ql <= 0.3 and hl == 0 and street.yields[nn, k] <= 0:
                            most = max(r, min(al, 1.0))
                        dep = min(ql + al, most)
                        if dep > 0.5:
                            hl = 0
                        sv2[c, k] = sv[i, k] + dep
                    ql += al - dep
                    q2[c, k], su2[c, k], hd2[c, k] = ql, sl, hl
                    money += ql * w
                if changing:
                    ee += 1
                    if ee >= street.change_s[pp, nn]:
                        pp, gg = nn, 0
                else:
                    gg += 1
                begun = at[i, 5] | (1 << nn)
                rest = max(0, street.least_s[nn] - gg) if pp == nn else street.least_s[nn]
                for s in range(stages):
                    if (begun >> s) & 1 == 0 and t + rest + street.tour_s[nn, s] > now.due_s[s]:
                        money += taste.late
                at2[c, 0], at2[c, 1], at2[c, 2], at2[c, 3], at2[c, 4], at2[c, 5] = (
                    pp, nn, ee, gg, root, begun,
                )  # fmt: skip
                cost2[c] = money
        # rank and keep
        last = t == span - 1
        choose = made > count or last or made > beam
        if choose:
            for c in range(made):
                pp, nn, ee, gg = at2[c, 0], at2[c, 1], at2[c, 2], at2[c, 3]
                h = 0.0
                for k in range(lanes):
                    ql = q2[c, k]
                    if ql <= 1e-3:
                        continue
                    served = street.green[nn, k] + street.yields[nn, k] > 0
                    if served and hd2[c, k] > 0 and now.stuck[nn, k]:
                        served = False
                    if not served:
                        rest = 0.0
                        if taste.lost_s < 0:
                            rest = street.lost_s[nn, k]
                            if pp == nn:
                                rest += max(0, street.least_s[pp] - gg)
                            else:
                                rest += street.change_s[pp, nn] - ee + street.least_s[nn]
                        else:
                            rest = taste.lost_s
                    elif pp != nn:
                        rest = max(0, street.ready_s[pp, nn, k] - ee) + 0.5 * taste.start_s
                    else:
                        rest = 0.0
                    h += now.weight[k] * (ql * rest + 0.5 * ql * ql / now.flow[k])
                for s in range(stages):
                    if not (at2[c, 5] >> s) & 1:
                        h += now.must[s]
                rank[c] = cost2[c] + h
            order = np.argsort(rank[:made])
            seen[:] = 0
            kept = 0
            for o in range(made):
                c = order[o]
                nn = at2[c, 1]
                key = min(at2[c, 3] // 3, 17) if at2[c, 0] == nn else 18 + min(at2[c, 2] // 2, 5)
                owed = 0
                for s in range(stages):
                    if now.must[s] > 0 and not (at2[c, 5] >> s) & 1:
                        owed += 1
                owed = min(owed, 2)
                if seen[nn, key, owed] >= taste.alike:
                    continue
                seen[nn, key, owed] += 1
                order[kept] = c
                kept += 1
                if kept >= beam:
                    break
        else:
            kept = made
            order = np.arange(made)
        for i in range(kept):
            c = order[i]
            for k in range(lanes):
                q[i, k], su[i, k], sv[i, k], hd[i, k] = q2[c, k], su2[c, k], sv2[c, k], hd2[c, k]
            for x in range(6):
                at[i, x] = at2[c, x]
            cost[i] = rank[c] if last else cost2[c]
            for u in range(t):
                trace2[i, u] = trace[parent[c], u]
            trace2[i, t] = at2[c, 1]
        trace, trace2 = trace2, trace
        count = kept
    best = 0
    keep, change = np.inf, np.inf
    for i in range(count):
        if cost[i] < cost[best]:
            best = i
        if at[i, 4] < 0:
            keep = min(keep, cost[i])
        else:
            change = min(change, cost[i])
    return at[best, 4], cost[best], trace[best].copy(), keep, change
