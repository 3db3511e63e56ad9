# SPDX-License-Identifier: Apache-2.0
"""Which next step still lets a signal keep the windows of its wave, and who must wait for them.

Exact, by dynamic programming.

Arrays only. S stages, H seconds.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = 1 << 30


@njit(cache=True)
def _lost_in_change(breaks: Flags, p: int, j: int, t: int, last: int, held: int) -> int:
    """Return the seconds of a change in which windows are not kept; p alone counts while held."""
    lost = 0
    for x in range(t, last):
        if breaks[p, x] or (x - t >= held and breaks[j, x]):
            lost += 1
    return lost


@njit(cache=True)
def _least_lost(breaks: Flags, starts: Flags, legal: Flags, change_s: I64, least_s: I64,
                hold_s: I64) -> I64:  # fmt: skip
    """Return (S, H + 1) the fewest broken seconds to come, for a stage past its minimum green."""
    stages, span = breaks.shape
    so_far = np.zeros((stages, span + 1), np.int64)
    for s in range(stages):
        for t in range(span):
            so_far[s, t + 1] = so_far[s, t] + breaks[s, t]
    lost = np.zeros((stages, span + 1), np.int64)
    for t in range(span - 1, -1, -1):
        for p in range(stages):
            best = lost[p, t + 1] + breaks[p, t]
            for j in range(stages):
                if j == p or not legal[p, j] or best == 0:
                    continue
                begun = min(t + change_s[p, j], span)
                if not starts[j, begun]:
                    continue
                free = min(begun + max(least_s[j], 1), span)
                found = _lost_in_change(breaks, p, j, t, begun, hold_s[p])
                found += so_far[j, free] - so_far[j, begun] + lost[j, free]
                best = min(best, found)
            lost[p, t] = best
    return lost


@njit(cache=True)
def first_steps(breaks: Flags, starts: Flags, legal: Flags, change_s: I64, least_s: I64,
                hold_s: I64, stage: int, next_: Flags) -> tuple[I64, I64]:  # fmt: skip
    """Return (S,) the fewest broken seconds if each stage is changed to now; own entry: stays.

    Beside it the fewest to come, (S, H + 1), for a stage past its minimum green.

    `breaks` (S, H) says in which seconds a stage does not show what the windows ask for, `starts`
    (S, H + 1) when it may begin, `change_s` (S, S) the changes, `least_s` (S,) the minimum greens,
    `hold_s` (S,) for how long greens run on into a change.
    The stage that runs, `stage`, has had its minimum; `next_` (S,) may follow it now, what may
    follow what later on is `legal` (S, S). What may not begin now is `NEVER`.
    """
    stages, span = breaks.shape
    lost = _least_lost(breaks, starts, legal, change_s, least_s, hold_s)
    found = np.full(stages, NEVER, np.int64)
    found[stage] = lost[stage, 1] + breaks[stage, 0]
    for j in range(stages):
        if j == stage or not next_[j]:
            continue
        begun = min(change_s[stage, j], span)
        if not starts[j, begun]:
            continue
        free = min(begun + max(least_s[j], 1), span)
        own = _lost_in_change(breaks, stage, j, 0, begun, hold_s[stage]) + lost[j, free]
        for t in range(begun, free):
            own += breaks[j, t]
        found[j] = own
    return found, lost


@njit(cache=True)
def soonest(breaks: Flags, starts: Flags, legal: Flags, change_s: I64, least_s: I64,
            hold_s: I64, lost: I64) -> I64:  # fmt: skip
    """Return (S, S, H + 1) how soon another stage can begin where no window is given away, s.

    By the stage that runs, past its minimum, the one to begin, and the second. Only steps count
    that lose as little as can be, by `lost` (S, H + 1) of `first_steps`. What begins beyond the
    last second is taken to begin after a change from then on.
    """
    stages, span = breaks.shape
    soon = np.empty((stages, stages, span + 1), np.int64)
    soon[:, :, span] = change_s
    for t in range(span - 1, -1, -1):
        for p in range(stages):
            stays = lost[p, t + 1] + breaks[p, t] == lost[p, t]
            for s in range(stages):
                soon[p, s, t] = soon[p, s, t + 1] + 1 if stays else NEVER
            for j in range(stages):
                begun = min(t + change_s[p, j], span)
                if j == p or not legal[p, j] or not starts[j, begun]:
                    continue
                free = min(begun + max(least_s[j], 1), span)
                found = _lost_in_change(breaks, p, j, t, begun, hold_s[p]) + lost[j, free]
                for x in range(begun, free):
                    found += breaks[j, x]
                if found > lost[p, t]:
                    continue
                for s in range(stages):
                    then = change_s[p, j] if s == j else free - t + soon[j, s, free]
                    soon[p, s, t] = min(soon[p, s, t], then)
            soon[p, p, t] = 0
    return soon
