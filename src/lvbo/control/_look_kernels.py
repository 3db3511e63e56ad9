# SPDX-License-Identifier: Apache-2.0
"""What the gate takes from lamps that it sees: whether they can be, are its own, and what they say.

Arrays only. P phases, S stages, F orders of waiting areas; all times are whole seconds. A state is
an integer matrix of `ROWS` rows and P columns. The constants and `Rules` serve `_gate_kernels` too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

RED, RED_AMBER, YELLOW = 0, 1, 2
NEVER = -1_000_000_000
NO_FOE, UNKNOWN = -2, -1

LAMP, HEAD, TOOK, ENDED, YELLOW_TO, CLEAR, COMMIT, READY, ASKED, RED_FROM, LIT = range(11)
ROWS = 11
TIME, STAGE, BEGAN, ROUND, FOLLOWS = range(5)
"""Scalars: time of the last step, stage aimed at (-1 unknown), since when, when the round through
the site's order began; then one per order of a waiting area."""

IDLE, PENDING, UNSEEN, ARMED = 0, 1, 2, 3
STRANGE, ORDER, MINIMUM, FROZEN, CLEARANCE, WAITING = 1, 2, 3, 4, 5, 6
LONGEST_PREPARING_S = 5
FAR_S = 1_000_000
"""Stands for never: the time to a stage that no legal way leads to."""


class Rules(NamedTuple):
    """The rules of one site; without stages `greens` has no rows.

    `foe` (P, P) is the intergreen from the end of a row to the start of a column, `NO_FOE` or
    `UNKNOWN`. `head` (P, P) marks the phases that light the head of a row, itself included;
    `share` those that serve something together. `least_s` is the minimum green, `most_least_s` the
    longest of all heads that a phase lights. `notice_s` is how long ahead an end is fixed.
    """

    shows: I64
    goes: Flags
    walk: Flags
    fixed: Flags
    foe: I64
    head: Flags
    share: Flags
    least_s: I64
    most_least_s: I64
    yellow_s: I64
    amber_s: I64
    notice_s: I64
    red_s: I64
    follow: I64  # (F, 2): phase, after
    greens: Flags
    legal: Flags
    place: I64
    after: I64  # (S,) the next stage of the tour that serves all
    home: I64  # (P,) the stage in which the guarantee serves the head of a phase, -1 none
    path: I64  # (S, S) the next stage on the quickest legal way from a row to a column
    by_call: bool  # the guarantee serves calls in the order in which they came, else by the tour
    cycle: I64
    skips: bool
    tour_s: int


@njit(cache=True)
def is_possible(r: Rules, lamps: I64) -> bool:
    """Say whether each lamp is one that the phase has, and no foes go together."""
    for i in range(lamps.shape[0]):
        if lamps[i] not in (RED, RED_AMBER, YELLOW) and lamps[i] != r.shows[i]:
            return False
        if not (r.goes[i] and lamps[i] == r.shows[i]):
            continue
        for j in range(i):
            if r.foe[i, j] != NO_FOE and r.goes[j] and lamps[j] == r.shows[j]:
                return False
    return True


@njit(cache=True)
def is_commanded(r: Rules, shown: I64, lamps: I64) -> bool:
    """Say whether the lamps are those of one of the rows commanded last, shape (rows, P).

    Phases that light the same head cannot always be told apart by looking at it.
    """
    for row in range(shown.shape[0]):
        if shown[row, 0] < 0:
            continue
        same = True
        for i in range(lamps.shape[0]):
            if lamps[i] == shown[row, i]:
                continue
            same = False
            for j in range(lamps.shape[0]):
                if r.share[i, j] and j != i:
                    going = r.goes[j] and shown[row, j] == r.shows[j]
                    if lamps[i] == shown[row, j] or (lamps[i] == RED and going):
                        same = True
            if not same:
                break
        if same:
            return True
    return False


@njit(cache=True)
def adopt(r: Rules, s: I64, misc: I64, t: int, lamps: I64, since: I64) -> None:
    """Take over lamps that others have shown; what ended before counts as ended when red began."""
    for i in range(lamps.shape[0]):
        going = r.goes[i] and lamps[i] == r.shows[i]
        began = t - max(since[i], 0)
        s[LAMP, i] = lamps[i]
        s[HEAD, i] = NEVER
        s[TOOK, i] = 1 if going else 0
        s[ENDED, i] = NEVER if going else began
        s[YELLOW_TO, i] = began + r.yellow_s[i] if lamps[i] == YELLOW else NEVER
        s[CLEAR, i] = s[YELLOW_TO, i]
        s[COMMIT, i] = NEVER
        s[READY, i] = t + 1 if lamps[i] == RED_AMBER else NEVER
        s[ASKED, i] = NEVER
        s[RED_FROM, i] = t
        s[LIT, i] = began if going else NEVER
    for k in range(lamps.shape[0]):
        for i in range(lamps.shape[0]):
            if r.head[k, i] and r.goes[i] and lamps[i] == r.shows[i]:
                s[HEAD, k] = max(s[HEAD, k], t - max(since[i], 0))
    misc[STAGE] = -1
    for q in range(r.greens.shape[0]):
        same = True
        for i in range(lamps.shape[0]):
            if r.goes[i] and not r.walk[i]:
                same &= r.greens[q, i] == (lamps[i] == r.shows[i])
        if same:
            misc[STAGE] = q
            break
    misc[BEGAN] = misc[ROUND] = t
    for f in range(r.follow.shape[0]):
        after = r.follow[f, 1]
        misc[FOLLOWS + f] = ARMED if lamps[after] == r.shows[after] else UNSEEN
