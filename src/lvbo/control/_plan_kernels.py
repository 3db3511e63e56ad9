# SPDX-License-Identifier: Apache-2.0
"""The search of the adaptive controller: a beam over stage changes on a 1-s lane-queue model.

Arrays only. L lanes, S stages, H seconds, K foes of a lane at most, B states kept.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lvbo.control._plan_values import F32, I64, Flags, Now, Street, Taste

F64 = NDArray[np.float64]

BARRED_S = 4
"""For so long a refused stage is not tried again."""
NONE, FREE, MIXED = 0, 1, 2
"""How a stage serves a lane: not at all; freely; with some who yield or must stand."""
FLOWING = 15
"""After so many seconds of discharge a queue flows at its steady rate."""
HERE = 0.3
"""Less of a vehicle than this is nobody."""
NOBODY = 0.05
FAR_S = 900
EAGER = 0.02
"""What a second on the way to the end of a minimum counts, veh-s: of plans that cost the same the
one that left first is kept."""
NEAR_S, AHEAD_S = 4, 8
WIDEST = 64
"""As many states are kept as there are changes between stages, up to so many: with 16 for seven
stages the plans found cost 3.6 % more than the best known, with 49 they cost 0.8 % more."""
STAGE, TARGET, SPENT, AGE, ROOT, BEGUN, ROUND = range(7)
"""A state: stage and stage aimed at (others during a change, of which so much is spent), age of the
green, first action, and the stages begun so far, and in this round, as bits."""
STATE = 7
BEFORE = 1 << 62
"""The bit of a round that began before the search."""


@njit(cache=True, fastmath=True)
def tried_at(taste: Taste, span: int) -> Flags:
    """Return in which seconds every change is tried, (span,): each at first, later every few."""
    found = np.zeros(span, dtype=np.bool_)
    t = 0
    while t < span:
        found[t] = True
        t += 1 if t < taste.fine_s else (taste.coarse_s if t < taste.middle_s else taste.rough_s)
    return found


@njit(cache=True, fastmath=True, inline="always")
def _let_by(taste: Taste, held: float) -> float:
    """Return how many go before the first who is held back, of whom such is a share."""
    return float(taste.mixed * (1.0 - held) / held)


@njit(cache=True, fastmath=True, inline="always")
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
    if held > 0 and served >= _let_by(taste, held):
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


@njit(cache=True)
def _is_only_way(legal: Flags, p: int, j: int) -> bool:
    """Say whether whoever wants to go on from stage p must pass through j to other stages."""
    on = False
    for s in range(legal.shape[0]):
        if s not in (p, j):
            if legal[p, s]:
                return False
            on |= legal[j, s]
    return on


@njit(cache=True, fastmath=True, inline="always")
def _may_follow(street: Street, now: Now, t: int, p: int, j: int, queue: F32, soon: F32,
                round_: int, served_by: I64) -> bool:  # fmt: skip
    """Say whether stage j may be tried after p: legal, of use, and passing over no call.

    `round_` are the stages begun in this round as bits, `served_by` (L,) those that serve a lane.
    """
    if not street.legal[p, j] or (t < BARRED_S and now.barred[j]):
        return False
    begun = min(t + street.change_s[p, j], now.breaks.shape[1])
    if not now.starts[j, begun] or (t == 0 and not now.first[j]):
        return False
    if p == now.stage and round_ >= BEFORE and now.passes[j]:
        return False
    if not street.recall[j] and now.due_s[j] > FAR_S:
        some = 0.0
        for k in range(queue.shape[0]):
            if street.kind[j, k] != NONE:
                some += queue[k] + soon[k]
        if some < NOBODY and not _is_only_way(street.legal, p, j):
            return False
    for s in range(street.over.shape[2]):
        if street.over[p, j, s] == 0:
            continue
        if street.recall[s]:
            return False
        for k in range(queue.shape[0]):
            if queue[k] <= HERE or street.kind[j, k] != NONE or street.kind[s, k] == NONE:
                continue
            had = (round_ & served_by[k]) != 0 or (round_ >= BEFORE and now.had[k])
            lost = street.kind[p, k] == NONE or queue[k] > 1.0
            if lost and not (had and street.over[p, j, s] == 1):
                return False
    return True


@njit(cache=True, fastmath=True)
def _branch(street: Street, now: Now, t: int, tried: Flags, count: int, at: I64, q: F32, soon: F32,
            served_by: I64, at2: I64, parent: I64) -> int:  # fmt: skip
    """Fill `at2` with what may come of each state in this second; return how many.

    A stage that has just had its minimum may always be left: a round of minima takes no longer in
    seconds in which not every change is tried, or to wait would seem to cost nothing.
    """
    stages = street.least_s.shape[0]
    made = 0
    for i in range(count):
        p, n, age, root = at[i, STAGE], at[i, TARGET], at[i, AGE], at[i, ROOT]
        for x in range(STATE):
            at2[made, x] = at[i, x]
        parent[made] = i
        made += 1
        if p != n or age < street.least_s[p] or not (tried[t] or age == street.least_s[p]):
            continue
        for j in range(stages):
            if j == p:
                continue
            if not _may_follow(street, now, t, p, j, q[i], soon, at[i, ROUND], served_by):
                continue
            at2[made, STAGE], at2[made, TARGET], at2[made, SPENT] = p, j, 0
            at2[made, AGE], at2[made, ROOT] = age, root if t > 0 else j
            at2[made, BEGUN] = at[i, BEGUN] | (1 << j)
            again = street.place[j] <= street.place[p]
            at2[made, ROUND] = 1 << j if again else at[i, ROUND] | (1 << j)
            if street.change_s[p, j] == 0:
                at2[made, STAGE], at2[made, AGE] = j, 0
            parent[made] = i
            made += 1
    if t == 0 and made > 1 and not now.first[now.stage]:  # who may not stay does not
        made -= 1
        at2[0], parent[0] = at2[made], parent[made]
    return made


@njit(cache=True, fastmath=True)
def _advance(street: Street, now: Now, taste: Taste, t: int, made: int, at2: I64,
             parent: I64, come: F32, near: F32, q: F32, fl: I64, sv: F32, hd: I64, gn: F32,
             cost: F64, q2: F32, fl2: I64, sv2: F32, hd2: I64, gn2: F32,
             cost2: F64) -> None:  # fmt: skip
    """Let a second pass for all states: lanes, stages, and what waiting and stopping cost."""
    lanes = q.shape[1]
    for c in range(made):
        i, p, n, el = parent[c], at2[c, STAGE], at2[c, TARGET], at2[c, SPENT]
        money = cost[i]
        for k in range(lanes):
            before, al, hl, flowed, served = q[i, k], come[k], hd[i, k], fl[i, k], sv[i, k]
            gn2[c, k] = gn[i, k]
            s, stands = n, False
            if p != n:
                ready = street.ready_s[p, n, k]
                if ready < 0 or el < ready:  # who still may goes on into the yellow
                    s, stands = p, el > street.hold_s[p]
                elif ready > 0 and el == ready:
                    flowed = 0
            kind, w = street.kind[s, k], now.weight[k]
            if kind == NONE or stands:
                q2[c, k], fl2[c, k], hd2[c, k] = before + al, 0, hl
                sv2[c, k] = served if kind == MIXED else np.float32(0.0)
                money += w * (taste.stop_s * al + before + 0.5 * al)
                if t >= now.comes_s[k] and gn2[c, k] < now.ahead[k] - 0.5:
                    money += now.riders[k]
                continue
            if before < HERE:
                flowed = FLOWING
            after = min(flowed + 1, FLOWING)
            pace = street.profile[after] - street.profile[flowed] + (flowed + 1 - after)
            most = pace * now.flow[k]
            if hl > 0 and now.stuck[s, k]:
                most = 0.0
            elif kind == MIXED:
                most *= _share(street, taste, s, k, hl, served, now.flow[k], q[i], near)
            if t < taste.blocked_s:
                most *= 1.0 - now.blocked[k]
            if before <= HERE and hl == 0 and kind == FREE:
                most = max(most, min(al, 1.0))
            out = min(before + al, most) * (1.0 - now.kept[k])
            if before > 0.5:
                money += w * taste.join * taste.stop_s * al
            elif most <= 0.0:
                money += w * taste.stop_s * al
            left = before + al - out
            q2[c, k], fl2[c, k], sv2[c, k] = left, after, served + out
            hd2[c, k] = 0 if out > 0.5 else hl
            gn2[c, k] += out
            if t >= now.comes_s[k] and gn2[c, k] < now.ahead[k] - 0.5:
                money += now.riders[k]
            money += w * 0.5 * (before + left)
        if p != n:
            el += 1
            if el >= street.change_s[p, n]:
                at2[c, STAGE], at2[c, AGE], el = n, el - street.change_s[p, n], 0
            at2[c, SPENT] = el
        else:
            at2[c, AGE] += 1
        money += taste.broken * _broken(now, t, 1, p, n, street.hold_s[p] - el)
        cost2[c] = money + _lateness(street, now, taste, t, at2[c])


@njit(cache=True, fastmath=True, inline="always")
def _broken(now: Now, t: int, dt: int, p: int, n: int, held: int) -> int:
    """Return in how many seconds windows are not kept by both stages; the first holds for some."""
    lost = 0
    for x in range(t, t + dt):
        if now.breaks[p, x] or (x - t >= held and now.breaks[n, x]):
            lost += 1
    return lost


@njit(cache=True, fastmath=True, inline="always")
def _lateness(street: Street, now: Now, taste: Taste, t: int, state: I64) -> float:
    """Return what it costs by second that stages which are due can not be begun in time."""
    n, begun = state[TARGET], state[BEGUN]
    left = street.least_s[n]
    if state[STAGE] == n:
        left = max(0, left - state[AGE])
    money = 0.0
    for s in range(street.least_s.shape[0]):
        late = t + left + street.way_s[n, s] > now.due_s[s]
        if late and not (begun >> s) & 1:
            money += taste.late
    return money


@njit(cache=True, fastmath=True, inline="always")
def _held_back(street: Street, taste: Taste, s: int, k: int, served: float, queue: float) -> float:
    """Return what share of a queue stands behind one who wants another stage."""
    held = street.held[s, k]
    if held <= 0:
        return 0.0
    before = max(0.0, _let_by(taste, held) - served)
    return float(max(0.0, queue - before) / queue)


@njit(cache=True, fastmath=True, inline="always")
def _abreast(street: Street) -> float:
    """Return how many lanes a stage serves on average, at least one."""
    stages, lanes = street.kind.shape
    count = 0
    for s in range(stages):
        for k in range(lanes):
            if street.held[s, k] < 0.5 and street.kind[s, k] != NONE:
                count += 1
    return float(max(1.0, count / stages))


@njit(cache=True, fastmath=True)
def _lost(street: Street, taste: Taste) -> F64:
    """Return how long at least those wait whom a stage does not serve, on average by stage, s."""
    stages = street.legal.shape[0]
    found = np.full(stages, taste.start_s)
    for s in range(stages):
        whole, ways = 0, 0
        for j in range(stages):
            if j != s and street.legal[s, j]:
                whole += street.change_s[s, j]
                ways += 1
        found[s] += whole / ways if ways > 0 else street.hold_s[s]
    return found


@njit(cache=True, fastmath=True, inline="always")
def _until_free(street: Street, t: int, state: I64) -> int:
    """Return when the stage of a state at time t, or the one it changes to, may be left."""
    p, n = state[STAGE], state[TARGET]
    if p == n:
        return int(t + max(0, street.least_s[n] - state[AGE]))
    return int(t + max(0, street.change_s[p, n] - state[SPENT]) + street.least_s[n])


@njit(cache=True, fastmath=True, inline="always")
def _until_served(now: Now, t: int, n: int, k: int, free: int, lost_s: float) -> float:
    """Return how long a lane waits that stage n, which may be left at `free`, does not serve."""
    if not now.holds:
        return lost_s
    at = min(free, now.soon_s.shape[2] - 1)
    return max(lost_s, float(at - t + now.soon_s[n, k, at]))


@njit(cache=True, fastmath=True)
def _rank(street: Street, now: Now, taste: Taste, t: int, made: int, at2: I64, q2: F32, sv2: F32,
          hd2: I64, gn2: F32, cost2: F64, rank: F32) -> None:  # fmt: skip
    """Fill `rank` with costs so far and what is still to be paid: queues left, stages due.

    A queue waits on average for half the time that it needs to clear by itself, or that all need
    who cannot clear at once.
    """
    abreast, lost = _abreast(street), _lost(street, taste)
    for c in range(made):
        p, n, el, begun = at2[c, STAGE], at2[c, TARGET], at2[c, SPENT], at2[c, BEGUN]
        cost, clear_s = cost2[c], 0.0
        lost_s, free = lost[n], _until_free(street, t, at2[c])
        for k in range(q2.shape[1]):
            clear_s += q2[c, k] / now.flow[k] / abreast
        for k in range(q2.shape[1]):
            ql = q2[c, k]
            if ql <= 1e-3:
                continue
            if street.kind[n, k] == NONE or (hd2[c, k] > 0 and now.stuck[n, k]):
                wait = _until_served(now, t, n, k, free, lost_s)
            else:
                served = sv2[c, k] if p == n else 0.0
                wait = lost_s * _held_back(street, taste, n, k, served, ql)
                if p != n:
                    wait += max(0.0, street.ready_s[p, n, k] - el) + 1.5
            cost += now.weight[k] * ql * (wait + 0.5 * max(ql / now.flow[k], clear_s))
            if gn2[c, k] < now.ahead[k] - 0.5:
                cost += now.riders[k] * (wait + (now.ahead[k] - gn2[c, k]) / now.flow[k])
        for s in range(now.must.shape[0]):
            if not (begun >> s) & 1:
                cost += now.must[s]
        cost += taste.broken * _to_break(street, now, t, at2[c])
        rank[c] = cost - EAGER * (min(at2[c, AGE], street.least_s[n]) if p == n else el)


@njit(cache=True, fastmath=True, inline="always")
def _to_break(street: Street, now: Now, t: int, state: I64) -> int:
    """Return the fewest seconds of windows that must still be broken from a state at time t on."""
    span = now.breaks.shape[1]
    p, n, el = state[STAGE], state[TARGET], state[SPENT]
    begun, left = t, street.least_s[n]
    lost = 0
    if p == n:
        left = max(0, left - state[AGE])
    else:
        begun = min(t + max(street.change_s[p, n] - el, 0), span)
        lost = _broken(now, t, begun - t, p, n, street.hold_s[p] - el)
    free = min(begun + left, span)
    for x in range(begun, free):
        if now.breaks[n, x]:
            lost += 1
    return int(lost + now.lost[n, free])


@njit(cache=True, fastmath=True)
def _keep_best(made: int, beam: int, rank: F32, at2: I64, now: Now, alike: int, seen: I64,
               order: I64) -> int:  # fmt: skip
    """Fill `order` with the best states, not more than `alike` of each kind; return how many."""
    seen[:] = 0
    sorted_ = np.argsort(rank[:made])
    kept = 0
    for o in range(made):
        c = sorted_[o]
        n, owed = at2[c, TARGET], 0
        for s in range(now.must.shape[0]):
            if now.must[s] > 0 and not (at2[c, BEGUN] >> s) & 1:
                owed = min(owed + 1, 2)
        kind = 18 + min(at2[c, SPENT] // 2, 5)
        if at2[c, STAGE] == n:
            kind = min(at2[c, AGE] // 3, 17)
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
    span, beam = now.arrivals.shape[1], max(taste.beam, min(stages * stages, WIDEST))
    tried = tried_at(taste, span)
    wide = beam * stages + 1
    q, q2 = np.zeros((beam, lanes), np.float32), np.zeros((wide, lanes), np.float32)
    sv, sv2 = np.zeros((beam, lanes), np.float32), np.zeros((wide, lanes), np.float32)
    gn, gn2 = np.zeros((beam, lanes), np.float32), np.zeros((wide, lanes), np.float32)
    fl, fl2 = np.zeros((beam, lanes), np.int64), np.zeros((wide, lanes), np.int64)
    hd, hd2 = np.zeros((beam, lanes), np.int64), np.zeros((wide, lanes), np.int64)
    at, at2 = np.zeros((beam, STATE), np.int64), np.zeros((wide, STATE), np.int64)
    cost, cost2 = np.zeros(beam, np.float64), np.zeros(wide, np.float64)
    rank, parent = np.zeros(wide, np.float32), np.zeros(wide, np.int64)
    order, seen = np.zeros(wide, np.int64), np.zeros((stages, 24, 3), np.int64)
    total = np.zeros((lanes, span + AHEAD_S + 1), np.float32)
    for k in range(lanes):
        for t in range(span + AHEAD_S):
            total[k, t + 1] = total[k, t] + (now.arrivals[k, t] if t < span else 0.0)
        q[0, k], fl[0, k], hd[0, k] = now.queue[k], now.flowed[k], now.head[k]
    at[0, STAGE], at[0, TARGET], at[0, AGE] = now.stage, now.stage, now.age_s
    at[0, ROOT], at[0, BEGUN], at[0, ROUND] = -1, 1 << now.stage, BEFORE | (1 << now.stage)
    served_by = np.zeros(lanes, np.int64)
    for s in range(stages):
        for k in range(lanes):
            if street.kind[s, k] != NONE:
                served_by[k] |= 1 << s
    count = 1
    for t in range(span):
        come = total[:, t + 1] - total[:, t]
        near = total[:, t + NEAR_S] - total[:, t]
        soon = total[:, t + AHEAD_S] - total[:, t]
        made = _branch(street, now, t, tried, count, at, q, soon, served_by, at2, parent)
        _advance(
            street, now, taste, t, made, at2, parent, come, near,
            q, fl, sv, hd, gn, cost, q2, fl2, sv2, hd2, gn2, cost2,
        )  # fmt: skip
        last = t == span - 1
        if made > count or last:
            _rank(street, now, taste, t + 1, made, at2, q2, sv2, hd2, gn2, cost2, rank)
            count = _keep_best(made, beam, rank, at2, now, taste.alike, seen, order)
            for i in range(count):
                c = order[i]
                for k in range(lanes):
                    q[i, k], fl[i, k] = q2[c, k], fl2[c, k]
                    sv[i, k], hd[i, k], gn[i, k] = sv2[c, k], hd2[c, k], gn2[c, k]
                for x in range(STATE):
                    at[i, x] = at2[c, x]
                cost[i] = rank[c] if last else cost2[c]
        else:
            q[:made], fl[:made] = q2[:made], fl2[:made]
            sv[:made], hd[:made] = sv2[:made], hd2[:made]
            at[:made], cost[:made], gn[:made] = at2[:made], cost2[:made], gn2[:made]
    keep, change, action = np.inf, np.inf, -1
    for i in range(count):
        if at[i, ROOT] < 0:
            keep = min(keep, cost[i])
        elif cost[i] < change:
            change, action = cost[i], at[i, ROOT]
    sooner = change < np.inf and change <= keep + EAGER  # who gains nothing by waiting goes
    return (action if sooner else -1), keep, change
