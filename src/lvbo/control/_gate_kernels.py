# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the gate: which lamps of a wish may be shown in this second.

Arrays only, as in `_look_kernels`; a state is changed in place.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lvbo.control import _look_kernels as at
from lvbo.control._look_kernels import I64, Flags, Rules

MOST_HOPS = 2
"""So many times the number of stages no way of the guarantee is longer."""


@njit(cache=True)
def _goes(r: Rules, s: I64, i: int) -> bool:
    return bool(r.goes[i] and s[at.LAMP, i] == r.shows[i])


@njit(cache=True)
def _wants_end(r: Rules, s: I64, t: int, want: Flags, code: I64, wait: I64) -> Flags:
    """Return which phases may end now as far as notice goes; fix the ends that need notice."""
    ends = np.zeros(want.shape[0], dtype=np.bool_)
    for i in range(want.shape[0]):
        if not _goes(r, s, i):
            continue
        if s[at.COMMIT, i] != at.NEVER:
            if want[i]:
                code[i] = at.FROZEN
            ends[i] = s[at.COMMIT, i] <= t
        elif want[i]:
            continue
        elif r.fixed[i]:
            code[i] = at.FROZEN
        elif r.notice_s[i] == 0:
            ends[i] = True
        else:
            late = 0
            for k in range(want.shape[0]):
                if r.head[k, i] and s[at.TOOK, k] == 1:
                    late = max(late, s[at.HEAD, k] + r.least_s[k] - t - r.notice_s[i])
            if late > 0:
                code[i], wait[i] = at.MINIMUM, late
            else:
                s[at.COMMIT, i] = t + r.notice_s[i]
    return ends


@njit(cache=True)
def _blocks(r: Rules, misc: I64, want: Flags, ends: Flags, j: int) -> bool:
    """Say whether the order of a waiting area forbids phase j to start."""
    for f in range(r.follow.shape[0]):
        phase, after = r.follow[f, 0], r.follow[f, 1]
        held = misc[at.FOLLOWS + f]
        if j == phase:
            if held == at.IDLE and not (want[after] and r.foe[after, phase] == at.NO_FOE):
                return True
        elif r.foe[phase, j] != at.NO_FOE and (
            held == at.PENDING or (held == at.ARMED and ends[after])
        ):
            return True
    return False


@njit(cache=True)
def _start_wait(r: Rules, s: I64, t: int, ends: Flags, begins: Flags, j: int, ahead_s: int) -> int:
    """Return how long phase j must still wait for foes and heads; 0 for none, -1 not known."""
    late = 0
    for f in range(ends.shape[0]):
        if r.foe[f, j] == at.NO_FOE:
            continue
        if (_goes(r, s, f) and not ends[f]) or begins[f]:
            return -1
        if s[at.LAMP, f] == at.RED_AMBER and s[at.LAMP, j] != at.RED_AMBER:
            return -1
        ended = t if ends[f] else s[at.ENDED, f]
        if ended == at.NEVER:
            continue
        if r.foe[f, j] == at.UNKNOWN:
            return -1
        late = max(late, ended + r.foe[f, j] - t - ahead_s)
    for k in range(ends.shape[0]):
        if not r.head[k, j]:
            continue
        late = max(late, s[at.CLEAR, k] - t)
        if k != j and s[at.LAMP, k] == at.RED_AMBER and not begins[k]:
            late = max(late, 1)
    return late


@njit(cache=True)
def _head_stays(r: Rules, s: I64, ends: Flags, begins: Flags, k: int) -> bool:
    lit = (r.goes & (s[at.LAMP] == r.shows) & ~ends) | begins
    return bool((r.head[k] & lit).any())


@njit(cache=True)
def _head_dark(r: Rules, s: I64, t: int, j: int) -> bool:
    """Say whether the head of j shows neither green nor yellow, so that red-amber may be lit."""
    for i in range(s.shape[1]):
        if r.head[j, i] and (
            _goes(r, s, i) or (s[at.LAMP, i] == at.YELLOW and s[at.YELLOW_TO, i] > t)
        ):
            return False
    return True


@njit(cache=True)
def _starts(r: Rules, s: I64, misc: I64, t: int, want: Flags, prepare: Flags, ends: Flags,
            ambers: Flags, code: I64, wait: I64) -> Flags:  # fmt: skip
    """Return the phases that start now; mark in `ambers` those that show red-amber first."""
    count = want.shape[0]
    begins = np.zeros(count, dtype=np.bool_)
    ambers[:] = False
    for turn in range(2):
        for j in range(count):
            amber = s[at.LAMP, j] == at.RED_AMBER
            if not r.goes[j] or s[at.LAMP, j] == r.shows[j] or (turn == 0) != amber:
                continue
            if not (want[j] or prepare[j] or amber):
                continue
            code[j], wait[j] = 0, -1
            if amber:
                due = t >= s[at.READY, j] and (want[j] or not prepare[j])
                due |= t >= s[at.READY, j] + at.LONGEST_PREPARING_S
                if due and _start_wait(r, s, t, ends, begins, j, 0) == 0:
                    begins[j] = True
                continue
            if ((r.foe[:, j] != at.NO_FOE) & (want | ambers | begins)).any():
                code[j] = at.STRANGE
                continue
            if _blocks(r, misc, want, ends, j):
                code[j] = at.WAITING
                continue
            first = (r.amber_s[j] > 0 or not want[j]) and not _head_stays(r, s, ends, begins, j)
            ahead = r.amber_s[j] if want[j] else at.LONGEST_PREPARING_S
            late = _start_wait(r, s, t, ends, begins, j, ahead if first else 0)
            if late == 0 and first and not _head_dark(r, s, t, j):
                late = 1
            if late != 0:
                code[j], wait[j] = at.CLEARANCE, late
            elif first:
                ambers[j] = True
            elif want[j]:
                begins[j] = True
    return begins


@njit(cache=True)
def apply(r: Rules, s: I64, misc: I64, t: int, want: Flags, yellow: I64, prepare: Flags,
          called: Flags, code: I64, wait: I64) -> None:  # fmt: skip
    """Show as much of `want` (P,) as is safe: change `s` and `misc`, say in `code` what was not.

    `yellow` (P,) is how long a green that ends now shall show yellow, -1 as the rules say.
    """
    count = want.shape[0]
    ends = _wants_end(r, s, t, want, code, wait)
    ambers = np.zeros(count, dtype=np.bool_)
    begins = _starts(r, s, misc, t, want, prepare, ends, ambers, code, wait)
    again = True
    while again:
        again = False
        for k in range(count):
            if (
                s[at.TOOK, k] == 0
                or s[at.HEAD, k] == at.NEVER
                or _head_stays(r, s, ends, begins, k)
            ):
                continue
            late = s[at.HEAD, k] + r.least_s[k] - t
            if late <= 0:
                continue
            for i in range(count):
                if r.head[k, i] and ends[i]:
                    ends[i] = False
                    code[i], wait[i] = at.MINIMUM, late
                    again = True
        if again:
            begins = _starts(r, s, misc, t, want, prepare, ends, ambers, code, wait)
    stays = np.array([_head_stays(r, s, ends, begins, k) for k in range(count)])
    for i in range(count):
        if ends[i]:
            long = max(yellow[i], 0)
            if not stays[i]:
                long = max(long, r.yellow_s[i])
                s[at.CLEAR, i] = t + r.yellow_s[i]
            s[at.ENDED, i], s[at.COMMIT, i], s[at.YELLOW_TO, i] = t, at.NEVER, t + long
            s[at.LAMP, i] = at.YELLOW if long > 0 else at.RED
        elif begins[i]:
            s[at.LAMP, i], s[at.LIT, i] = r.shows[i], t
        elif ambers[i]:
            s[at.LAMP, i] = at.RED_AMBER
            s[at.READY, i] = t + (r.amber_s[i] if want[i] else 1)
        elif s[at.LAMP, i] == at.YELLOW and t >= s[at.YELLOW_TO, i]:
            s[at.LAMP, i] = at.RED
        if not r.goes[i]:
            if want[i]:
                s[at.LAMP, i] = r.shows[i]
            elif s[at.LAMP, i] == r.shows[i] and r.shows[i] != at.RED:
                s[at.LAMP, i] = at.YELLOW if yellow[i] > 0 else at.RED
                s[at.YELLOW_TO, i] = t + max(yellow[i], 0)
    for k in range(count):
        if stays[k]:
            if s[at.HEAD, k] == at.NEVER:
                s[at.HEAD, k], s[at.TOOK, k] = t, 0
            if _goes(r, s, k):
                s[at.TOOK, k] = 1
            s[at.ASKED, k] = at.NEVER
        else:
            if s[at.HEAD, k] != at.NEVER:
                s[at.RED_FROM, k] = t
            s[at.HEAD, k], s[at.TOOK, k] = at.NEVER, 0
            if called[k] and s[at.ASKED, k] == at.NEVER and r.goes[k]:
                s[at.ASKED, k] = t
    for f in range(r.follow.shape[0]):
        phase, after = r.follow[f, 0], r.follow[f, 1]
        if begins[after]:
            misc[at.FOLLOWS + f] = at.ARMED
        if ends[after] and misc[at.FOLLOWS + f] == at.ARMED:
            misc[at.FOLLOWS + f] = at.PENDING
        if begins[phase]:
            misc[at.FOLLOWS + f] = at.IDLE
    misc[at.TIME] = t


@njit(cache=True)
def _required(r: Rules, s: I64, q: int, began: int, i: int) -> bool:
    """Say whether phase i must have gone before stage q may be left."""
    due = not r.walk[i] or (s[at.ASKED, i] != at.NEVER and s[at.ENDED, i] < began)
    return bool(due and r.greens[q, i] and r.goes[i])


@njit(cache=True)
def _next_stage(r: Rules, asked: I64, open_: Flags, q: int) -> int:
    """Return the next stage of the guarantee after q.

    By call: on the way to the phase that asked first of those still open. By the tour: the next one
    of the site's order.
    """
    goal, first = -1, -at.NEVER
    for k in range(asked.shape[0] if r.by_call else 0):
        away = open_[k] and r.home[k] >= 0 and r.home[k] != q
        if away and (asked[k] < first or (asked[k] == first and r.path[q, r.home[k]] == r.home[k])):
            goal, first = r.home[k], asked[k]
    return int(r.after[q] if goal < 0 else r.path[q, goal])


@njit(cache=True)
def first_late(r: Rules, s: I64, misc: I64) -> int:
    """Return a phase that the guarantee would serve too late, or -1.

    It starts in the next second, finishes what is under way, and gives each stage its minimum, as
    if people called at every crossing; see `_next_stage`. It is played second by second: ends,
    notice, yellows, red-amber, all intergreens.
    """
    count = s.shape[1]
    now = misc[at.TIME] + 1
    due = np.where(s[at.ASKED] != at.NEVER, s[at.ASKED] + r.red_s, -at.NEVER)
    if due.min() > now + 2 * r.tour_s:
        return -1
    going, open_ = r.goes & (s[at.LAMP] == r.shows), s[at.ASKED] != at.NEVER
    began, ended, clear = s[at.HEAD].copy(), s[at.ENDED].copy(), s[at.CLEAR].copy()
    q = misc[at.STAGE]
    decided = now
    for hop in range(MOST_HOPS * r.greens.shape[0] + 2):
        if hop > 0 or q < 0:
            q = r.cycle[0] if q < 0 else _next_stage(r, s[at.ASKED], open_, q)
        last = decided
        for i in range(count):
            leaves = going[i] and not r.greens[q, i] and not r.fixed[i]
            if leaves or (going[i] and hop == 0 and s[at.COMMIT, i] != at.NEVER):
                end = decided + r.notice_s[i]
                if hop == 0:
                    end = max(end, began[i] + r.most_least_s[i])
                    if s[at.COMMIT, i] != at.NEVER:
                        end = max(s[at.COMMIT, i], now)
                ended[i], clear[i], going[i] = end, end + r.yellow_s[i], False
                last = max(last, end + 1)
        fresh = going.copy()
        for j in range(count):
            over = hop == 0 and r.walk[j] and s[at.ENDED, j] >= misc[at.BEGAN]
            over |= hop == 0 and s[at.COMMIT, j] != at.NEVER
            if going[j] or over or not (r.greens[q, j] and r.goes[j]):
                continue
            amber = r.amber_s[j]
            start = decided + amber
            if s[at.LAMP, j] == at.RED_AMBER and hop == 0:
                start = max(now, s[at.READY, j])
            for f in range(count):
                if r.foe[f, j] != at.NO_FOE and ended[f] != at.NEVER:
                    need = 10_000 if r.foe[f, j] == at.UNKNOWN else max(r.foe[f, j], amber)
                    if s[at.LAMP, j] == at.RED_AMBER and hop == 0:
                        need = r.foe[f, j]
                    start = max(start, ended[f] + need)
                if r.head[f, j]:
                    start = max(start, clear[f] + amber)
            for k in range(count):
                if r.head[k, j] and open_[k]:
                    if start > due[k]:
                        return k
                    open_[k] = False
            fresh[j], began[j] = True, start
            last = max(last, start + 1)
        going = fresh
        decided = last
        for i in range(count):
            if going[i] and not r.fixed[i]:
                decided = max(decided, began[i] + r.most_least_s[i] - r.notice_s[i])
        if not open_.any():
            return -1
    return -1


@njit(cache=True)
def _promised_stage(r: Rules, s: I64, misc: I64, t: int) -> int:
    """Return the stage that the guarantee aims at in this second."""
    q = misc[at.STAGE]
    if q < 0:
        return int(r.cycle[0])
    going = r.goes & (s[at.LAMP] == r.shows)
    for i in range(s.shape[1]):
        waits = _required(r, s, q, misc[at.BEGAN], i) and not going[i]
        young = s[at.HEAD, i] + r.most_least_s[i] - r.notice_s[i] > t
        if waits or (going[i] and not r.fixed[i] and (young or not r.greens[q, i])):
            return int(q)
    return _next_stage(r, s[at.ASKED], (s[at.ASKED] != at.NEVER) & ~going, q)


@njit(cache=True)
def _passes_over(r: Rules, s: I64, began: int, p: int, q: int, called: Flags) -> bool:
    """Say whether a change from p to q passes over a stage that is called.

    It is called by phases that this round through the order, which began then, has not lit yet.
    """
    if not r.skips or r.place[p] < 0 or r.place[q] < 0:
        return False
    waits = called & r.goes & ~r.fixed & ~r.greens[p] & ~r.greens[q]
    count = r.cycle.shape[0]
    for k in range(1, (r.place[q] - r.place[p]) % count):
        place = (r.place[p] + k) % count
        anew = place < r.place[p]  # in the next round
        if (waits & r.greens[r.cycle[place]] & (anew | (s[at.LIT] <= began))).any():
            return True
    return False


@njit(cache=True)
def _take_up(r: Rules, misc: I64, q: int, t: int) -> None:
    """Aim at stage q from now on."""
    now = misc[at.STAGE]
    if now < 0 or r.place[q] <= r.place[now]:
        misc[at.ROUND] = t
    misc[at.STAGE], misc[at.BEGAN] = q, t


@njit(cache=True)
def _wished_stage(r: Rules, greens: Flags, going: Flags, named: int, now: int) -> int:
    """Return the stage with these vehicle phases: the one named, the present one, any, or -1.

    The present one may be wished with phases left out that have not started yet.
    """
    found = -1
    told = r.goes & ~r.walk & ~r.fixed
    if named == now and now >= 0:
        more, fewer = greens & ~r.greens[now], r.greens[now] & ~greens
        if not (told & (more | (fewer & going))).any():
            return now
    for q in range(r.greens.shape[0]):
        if (told & (r.greens[q] != greens)).any():
            continue
        if found < 0 or q == named or (q == now and found != named):
            found = q
    return found


@njit(cache=True)
def _aim(r: Rules, s: I64, misc: I64, t: int, wish: Flags, named: int, called: Flags,
         code: I64) -> None:  # fmt: skip
    """Set the stage aimed at: the one wished if it is one, and may follow now."""
    now = misc[at.STAGE]
    going = r.goes & (s[at.LAMP] == r.shows)
    q = _wished_stage(r, wish, going, named, now)
    why = at.STRANGE if q < 0 else 0
    if q >= 0 and q != now and now >= 0:
        stands = r.greens[now] & r.goes & ~r.walk & ~going
        over = going & ~r.greens[now] & ~r.fixed
        if not r.legal[now, q] or _passes_over(r, s, misc[at.ROUND], now, q, called):
            why = at.ORDER
        elif (stands | over).any():
            why = at.CLEARANCE
    if why == 0:
        if q != now:
            _take_up(r, misc, q, t)
        return
    for i in range(wish.shape[0]):
        if wish[i] != going[i] and not r.walk[i]:
            code[i] = why


@njit(cache=True)
def _stage_wants(r: Rules, s: I64, q: int, wish: Flags, named: int, promised: int) -> Flags:
    """Return the phases of a stage that shall go: vehicles, and people who are asked for.

    Where the stage is the one named, its phases that stand start only if they are wished.
    """
    going = r.goes & (s[at.LAMP] == r.shows)
    want = r.fixed | (~r.goes & wish)
    if q < 0:
        return np.asarray(want | going)
    afoot = wish.copy()
    if promised > 0:
        afoot |= (s[at.ASKED] != at.NEVER) | going
    afoot |= ~r.walk
    if promised == 0 and named == q:
        afoot &= going | wish | r.walk
    return np.asarray(want | (r.goes & r.greens[q] & afoot))


@njit(cache=True)
def _first_due(r: Rules, s: I64, t: int) -> int:
    """Return the phase that must be made way for now, where there are no stages; else -1."""
    found, least = -1, 0
    for j in range(s.shape[1]):
        if s[at.ASKED, j] == at.NEVER or _goes(r, s, j):
            continue
        start = t + 1 + r.amber_s[j]
        for f in range(s.shape[1]):
            if r.foe[f, j] < 0:
                continue
            end = s[at.ENDED, f]
            if _goes(r, s, f):
                end = max(t + 1 + r.notice_s[f], s[at.HEAD, f] + r.most_least_s[f])
                if s[at.COMMIT, f] != at.NEVER:
                    end = s[at.COMMIT, f]
            if end != at.NEVER:
                start = max(start, end + max(r.foe[f, j], r.amber_s[j]))
        slack = s[at.ASKED, j] + r.red_s[j] - start
        if slack < least:
            found, least = j, slack
    return found


@njit(cache=True)
def decide(r: Rules, s: I64, misc: I64, t: int, wish: Flags, named: int, yellow: I64,
           prepare: Flags, called: Flags, code: I64,
           wait: I64) -> int:  # fmt: skip
    """Grant what is safe and legal of a wish; return the phase served instead of it, or -1."""
    code[:], wait[:] = 0, -1
    if r.greens.shape[0] == 0:
        due = _first_due(r, s, t)
        want = wish | r.fixed
        forced = -1
        if due >= 0:
            for f in range(want.shape[0]):
                if r.foe[f, due] != at.NO_FOE and want[f]:
                    want[f], forced = False, due
            if not want[due]:
                want[due], forced = True, due
        apply(r, s, misc, t, want, yellow, prepare, called, code, wait)
        return int(forced)
    first, first_misc = s.copy(), misc.copy()
    _aim(r, s, misc, t, wish, named, called, code)
    want = _stage_wants(r, s, misc[at.STAGE], wish, named, 0)  # outside the stage none is prepared:
    apply(r, s, misc, t, want, yellow, prepare & want, called, code, wait)  # it would have to start
    late = first_late(r, s, misc)
    if late < 0:
        return -1
    granted = s[at.LAMP].copy()
    s[:], misc[:] = first, first_misc
    q = _promised_stage(r, s, misc, t)
    if q != misc[at.STAGE]:
        _take_up(r, misc, q, t)
    want = _stage_wants(r, s, q, wish, named, 1)
    apply(r, s, misc, t, want, yellow, prepare & want, called, code, wait)
    return int(late) if (granted != s[at.LAMP]).any() else -1


@njit(cache=True)
def run(r: Rules, s: I64, misc: I64, wishes: Flags, named: I64, yellow: I64, prepare: Flags,
        called: Flags, lamps: I64) -> int:  # fmt: skip
    """Decide wishes (N, P) second by second from a state; fill `lamps` (N, P).

    `named` (N,), `yellow` (N, P), `prepare` (N, P) and `called` (N, P) go with them. Returns how
    often a phase was served against the wish.
    """
    count = wishes.shape[1]
    code, wait = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    forced = 0
    for k in range(wishes.shape[0]):
        t = misc[at.TIME] + 1
        late = decide(r, s, misc, t, wishes[k], named[k], yellow[k], prepare[k], called[k], code,
                      wait)  # fmt: skip
        forced += late >= 0
        lamps[k] = s[at.LAMP]
    return forced
