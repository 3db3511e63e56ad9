# SPDX-License-Identifier: Apache-2.0
"""The search of the adaptive controller: a beam over stage changes on a 1-s lane-queue model.

Arrays only. L lanes, S stages, H seconds, K foes of a lane at most, W states made in a second.

What is called by state or by lane is given single arrays and numbers, never a whole `Street` or
`Now`: to count the references to all their arrays took four times as long as the search itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lvbo.control._plan_values import F32, F64, I64, Flags, Now, Street, Taste
from lvbo.control._queue_kernels import (
    AGE,
    AHEAD,
    BEGUN,
    COME,
    FLOW,
    FLOWED,
    GONE,
    HEAD,
    HERE,
    LANE,
    LET_BY,
    NEAR,
    NONE,
    QUEUE,
    RIDERS,
    ROOT,
    ROUND,
    SERVED,
    SOON,
    SPENT,
    STAGE,
    STATE,
    TARGET,
    WEIGHT,
    eased,
    expected,
    flow_on,
    lane_figures,
    paces_of,
)

BARRED_S = 4
"""For so long a refused stage is not tried again."""
NOBODY = 0.05
FAR_S = 900
EAGER = 0.02
"""What a second on the way to the end of a minimum counts, veh-s: of plans that cost the same the
one that left first is kept."""
WIDEST = 64
"""As many states are kept as there are changes between stages, up to so many: with 16 for seven
stages the plans found cost 3.6 % more than the best known, with 49 they cost 0.8 % more."""
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


@njit(cache=True)
def _serving(kind: I64) -> I64:
    """Return the stages that serve a lane as bits, (L,)."""
    found = np.zeros(kind.shape[1], np.int64)
    for s in range(kind.shape[0]):
        for k in range(kind.shape[1]):
            if kind[s, k] != NONE:
                found[k] |= 1 << s
    return found


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


@njit(cache=True, fastmath=True)
def _is_wanted(kind: I64, soon: F32, t: int, own: F32, a: int, j: int) -> bool:
    """Say whether stage j serves anybody who stands in state a, or comes soon."""
    some = 0.0
    for k in range(kind.shape[1]):
        if kind[j, k] != NONE:
            some += own[a, QUEUE, k] + soon[t, k]
    return some >= NOBODY


@njit(cache=True, fastmath=True)
def _passes_over(over: I64, recall: Flags, kind: I64, served_by: I64, had: Flags, own: F32, a: int,
                 p: int, j: int, round_: int) -> bool:  # fmt: skip
    """Say whether a change from stage p to j passes over a call; `round_` is that of state a.

    A stage is called by who is lost otherwise, unless this round has served him and still does.
    """
    for s in range(over.shape[2]):
        if over[p, j, s] == 0:
            continue
        if recall[s]:
            return True
        for k in range(kind.shape[1]):
            queue = own[a, QUEUE, k]
            if queue <= HERE or kind[j, k] != NONE or kind[s, k] == NONE:
                continue
            served = (round_ & served_by[k]) != 0 or (round_ >= BEFORE and had[k])
            lost = kind[p, k] == NONE or queue > 1.0
            if lost and not (served and over[p, j, s] == 1):
                return True
    return False


@njit(cache=True)
def _follows(street: Street, now: Now) -> Flags:
    """Return by second which stage may be begun after which, calls aside, (H, S, S)."""
    stages, span = now.breaks.shape
    found = np.zeros((span, stages, stages), np.bool_)
    for t in range(span):
        for p in range(stages):
            for j in range(stages):
                if j == p or not street.legal[p, j] or (t < BARRED_S and now.barred[j]):
                    continue
                begun = min(t + street.change_s[p, j], span)
                found[t, p, j] = now.starts[j, begun] and (t > 0 or now.first[j])
    return found


@njit(cache=True, fastmath=True)
def _branch(
    t: int, tried: Flags, follows: Flags, asked: Flags, passes: Flags, ran: int, first: Flags,
    legal: Flags, recall: Flags, place: I64, change_s: I64, least_s: I64, over: I64, kind: I64,
    served_by: I64, had: Flags, soon: F32, count: int, alive: I64, at: I64, own: F32, at2: I64,
    parent: I64,
) -> int:  # fmt: skip
    """Fill `at2` with what may come of each state in this second; return how many.

    A stage that has just had its minimum may always be left: a round of minima takes no longer in
    seconds in which not every change is tried, or to wait would seem to cost nothing.
    """
    made = 0
    for i in range(count):
        a = alive[i]
        p, n, age, round_ = at[a, STAGE], at[a, TARGET], at[a, AGE], at[a, ROUND]
        for x in range(STATE):
            at2[made, x] = at[a, x]
        parent[made] = a
        made += 1
        if p != n or age < least_s[p] or not (tried[t] or age == least_s[p]):
            continue
        for j in range(legal.shape[0]):
            if not follows[t, p, j] or (p == ran and round_ >= BEFORE and passes[j]):
                continue
            wanted = asked[j] or _is_wanted(kind, soon, t, own, a, j)
            if not wanted and not _is_only_way(legal, p, j):
                continue
            if _passes_over(over, recall, kind, served_by, had, own, a, p, j, round_):
                continue
            at2[made, STAGE], at2[made, TARGET], at2[made, SPENT] = p, j, 0
            at2[made, AGE], at2[made, ROOT] = age, at[a, ROOT] if t > 0 else j
            at2[made, BEGUN] = at[a, BEGUN] | (1 << j)
            again = place[j] <= place[p]
            at2[made, ROUND] = 1 << j if again else round_ | (1 << j)
            if change_s[p, j] == 0:
                at2[made, STAGE], at2[made, AGE] = j, 0
            parent[made] = a
            made += 1
    if t == 0 and made > 1 and not first[ran]:  # who may not stay does not
        made -= 1
        for x in range(STATE):
            at2[0, x] = at2[made, x]
        parent[0] = parent[made]
    return made


@njit(cache=True, fastmath=True)
def _go_on(broken: float, t: int, breaks: Flags, change_s: I64, hold_s: I64, made: int, at: I64,
           cost: F64) -> None:  # fmt: skip
    """Let a second pass for the stages of all states, and charge the windows that are broken."""
    for c in range(made):
        p, n = at[c, STAGE], at[c, TARGET]
        if breaks[p, t] or (breaks[n, t] and at[c, SPENT] >= hold_s[p]):
            cost[c] += broken
        if p == n:
            at[c, AGE] += 1
            continue
        at[c, SPENT] += 1
        if at[c, SPENT] >= change_s[p, n]:
            at[c, STAGE], at[c, AGE], at[c, SPENT] = n, at[c, SPENT] - change_s[p, n], 0


@njit(cache=True, fastmath=True)
def _charge_late(late: float, t: int, latest_s: I64, least_s: I64, made: int, at: I64,
                 cost: F64) -> None:  # fmt: skip
    """Charge by second for stages that are due and can not be begun in time.

    `latest_s` (S, S) is when a stage must be left at the latest so that another is begun in time.
    """
    for c in range(made):
        n, begun = at[c, TARGET], at[c, BEGUN]
        left = least_s[n]
        if at[c, STAGE] == n:
            left = max(0, left - at[c, AGE])
        for s in range(least_s.shape[0]):
            if t + left > latest_s[n, s] and not (begun >> s) & 1:
                cost[c] += late


@njit(cache=True, fastmath=True)
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


@njit(cache=True, fastmath=True)
def _rank(
    t: int, lane: F32, kind: I64, ready_s: I64, change_s: I64, least_s: I64, ease: F32,
    soon_s: I64, must: F32, lost_s: F64, abreast: float, made: int, at: I64, own: F32, cost: F64,
    rank: F32,
) -> None:  # fmt: skip
    """Fill `rank` with costs so far and what is still to be paid: queues left, stages due.

    A queue waits on average for half the time that it needs to clear by itself, or that all need
    who cannot clear at once. Whom no stage serves waits for the next, `lost_s` (S,) at least.
    """
    lanes, last = kind.shape[1], soon_s.shape[2] - 1
    for c in range(made):
        p, n, el, begun = at[c, STAGE], at[c, TARGET], at[c, SPENT], at[c, BEGUN]
        money, clear_s = cost[c], 0.0
        left = least_s[n] - at[c, AGE] if p == n else change_s[p, n] - el + least_s[n]
        free = min(t + max(left, 0), last)
        for k in range(lanes):
            clear_s += own[c, QUEUE, k] / (lane[FLOW, k] * abreast)
        for k in range(lanes):
            queue = own[c, QUEUE, k]
            if queue <= 1e-3:
                continue
            wait = 0.0
            if kind[n, k] == NONE or (own[c, HEAD, k] > 0 and ease[LET_BY, 1, n, k] < 0):
                wait = max(lost_s[n], float(free - t + soon_s[n, k, free]))
            else:
                before = ease[LET_BY, 0, n, k] - (own[c, SERVED, k] if p == n else np.float32(0.0))
                if before < queue:  # the others stand behind one who wants another stage
                    wait = lost_s[n] * (queue - max(before, np.float32(0.0))) / queue
                if p != n:
                    wait += max(0.0, ready_s[p, n, k] - el) + 1.5
            money += lane[WEIGHT, k] * queue * (wait + 0.5 * max(queue / lane[FLOW, k], clear_s))
            ahead = lane[AHEAD, k] - own[c, GONE, k]
            if ahead > 0.5:
                money += lane[RIDERS, k] * (wait + ahead / lane[FLOW, k])
        for s in range(must.shape[0]):
            if not (begun >> s) & 1:
                money += must[s]
        rank[c] = money - EAGER * (min(at[c, AGE], least_s[n]) if p == n else el)


@njit(cache=True, fastmath=True)
def _add_breaks(street: Street, now: Now, taste: Taste, t: int, made: int, at: I64,
                rank: F32) -> None:  # fmt: skip
    """Add to `rank` what windows cost that must still be broken from each state at time t on."""
    breaks, lost, span = now.breaks, now.lost, now.breaks.shape[1]
    least_s, change_s, hold_s = street.least_s, street.change_s, street.hold_s
    for c in range(made):
        p, n, el = at[c, STAGE], at[c, TARGET], at[c, SPENT]
        begun, left = t, least_s[n]
        broken = 0
        if p == n:
            left = max(0, left - at[c, AGE])
        else:
            begun = min(t + max(change_s[p, n] - el, 0), span)
            for x in range(t, begun):
                if breaks[p, x] or (breaks[n, x] and x - t + el >= hold_s[p]):
                    broken += 1
        free = min(begun + left, span)
        for x in range(begun, free):
            if breaks[n, x]:
                broken += 1
        rank[c] += taste.broken * (broken + lost[n, free])


@njit(cache=True, fastmath=True)
def _keep_best(made: int, beam: int, rank: F32, at: I64, must: F32, alike: int, seen: I64,
               alive: I64) -> int:  # fmt: skip
    """Fill `alive` with the best states, not more than `alike` of each kind; return how many."""
    seen[:] = 0
    order = np.argsort(rank[:made])
    kept = 0
    for o in range(made):
        c = order[o]
        n, owed = at[c, TARGET], 0
        for s in range(must.shape[0]):
            if must[s] > 0 and not (at[c, BEGUN] >> s) & 1:
                owed = min(owed + 1, 2)
        kind = 18 + min(at[c, SPENT] // 2, 5)
        if at[c, STAGE] == n:
            kind = min(at[c, AGE] // 3, 17)
        if seen[n, kind, owed] >= alike:
            continue
        seen[n, kind, owed] += 1
        alive[kept] = c
        kept += 1
        if kept >= beam:
            break
    return kept


@njit(cache=True, fastmath=True)
def _begin(now: Now, own: F32, at: I64) -> None:
    """Make the first state of what is seen now."""
    for k in range(now.queue.shape[0]):
        own[0, QUEUE, k], own[0, FLOWED, k] = now.queue[k], now.flowed[k]
        own[0, SERVED, k], own[0, GONE, k], own[0, HEAD, k] = 0.0, 0.0, now.head[k]
    at[0, STAGE], at[0, TARGET], at[0, SPENT], at[0, AGE] = now.stage, now.stage, 0, now.age_s
    at[0, ROOT], at[0, BEGUN], at[0, ROUND] = -1, 1 << now.stage, BEFORE | (1 << now.stage)


@njit(cache=True, fastmath=True)
def search(street: Street, now: Now, taste: Taste) -> tuple[int, float, float]:
    """Return (first action, cost of keeping, cost of the best change), costs in vehicle-seconds.

    The action is -1 to keep the stage, else the stage to change to. States live in two rooms by
    turns: what comes of those that are `alive` in one is made in the other.
    """
    stages, lanes = street.kind.shape
    span, beam = now.arrivals.shape[1], max(taste.beam, min(stages * stages, WIDEST))
    wide = beam * stages + 1
    own, own2 = np.empty((wide, LANE, lanes), np.float32), np.empty((wide, LANE, lanes), np.float32)
    at, at2 = np.empty((wide, STATE), np.int64), np.empty((wide, STATE), np.int64)
    cost, cost2, rank = np.zeros(wide), np.zeros(wide), np.zeros(wide, np.float32)
    alive, parent = np.arange(wide), np.arange(wide)
    seen = np.zeros((stages, 24, 3), np.int64)
    tried, comes, paces = tried_at(taste, span), expected(now.arrivals), paces_of(street.profile)
    lane, ease, served_by = lane_figures(now), eased(street, now, taste), _serving(street.kind)
    abreast, lost_s = _abreast(street), _lost(street, taste)
    follows, asked = _follows(street, now), street.recall | (now.due_s <= FAR_S)
    latest_s = now.due_s - street.way_s
    in_time = latest_s.min() - street.least_s.max()
    windows = now.breaks.any() or now.lost.any()
    legal, recall, place, over = street.legal, street.recall, street.place, street.over
    change_s, least_s, hold_s, ready_s = (
        street.change_s, street.least_s, street.hold_s, street.ready_s
    )  # fmt: skip
    kind, foe, foe_share = street.kind, street.foe, street.foe_share
    breaks, passes, had, must = now.breaks, now.passes, now.had, now.must
    soon_s = now.soon_s if now.holds else np.zeros((stages, lanes, 1), np.int64)
    come, near, soon = comes[COME], comes[NEAR], comes[SOON]
    ran, first = now.stage, now.first
    late, broken, alike = taste.late, taste.broken, taste.alike
    _begin(now, own, at)
    count = 1
    for t in range(span):
        made = _branch(
            t, tried, follows, asked, passes, ran, first, legal, recall, place, change_s,
            least_s, over, kind, served_by, had, soon, count, alive, at, own, at2, parent,
        )  # fmt: skip
        flow_on(
            taste, t, lane, paces, kind, ready_s, hold_s, foe, foe_share, ease, come, near,
            made, at2, parent, own, cost, own2, cost2,
        )  # fmt: skip
        _go_on(broken, t, breaks, change_s, hold_s, made, at2, cost2)
        if t > in_time:
            _charge_late(late, t, latest_s, least_s, made, at2, cost2)
        if made > count or t == span - 1:
            _rank(
                t + 1, lane, kind, ready_s, change_s, least_s, ease, soon_s, must, lost_s,
                abreast, made, at2, own2, cost2, rank,
            )  # fmt: skip
            if windows:
                _add_breaks(street, now, taste, t + 1, made, at2, rank)
            count = _keep_best(made, beam, rank, at2, must, alike, seen, alive)
        else:
            count = made
            for i in range(made):
                alive[i] = i
        own, own2, at, at2, cost, cost2 = own2, own, at2, at, cost2, cost
    keep, change, action = np.inf, np.inf, -1
    for i in range(count):
        a = alive[i]
        if at[a, ROOT] < 0:
            keep = min(keep, float(rank[a]))
        elif rank[a] < change:
            change, action = float(rank[a]), at[a, ROOT]
    sooner = change < np.inf and change <= keep + EAGER  # who gains nothing by waiting goes
    return (action if sooner else -1), keep, change
