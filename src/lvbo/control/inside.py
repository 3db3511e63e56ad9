# SPDX-License-Identifier: Apache-2.0
"""Who stands within the junction: gone over the stop line to yield there, and not yet across.

A green that starts for their foes before they are across can lock the junction for good: those who
turn left from two sides then stand in each other's way.
"""

from __future__ import annotations

import numpy as np

from lvbo.control._count_kernels import EMPTY_S, count_within
from lvbo.control.protocols import Bools, Crossings, Floats
from lvbo.control.site import Site

ACROSS_S = 5
"""Who is not across after so many seconds stands within the junction."""
SEVERAL = 2.0
"""One alone finds a way by himself; several may lock the junction who stand one behind the other,
or face others, as many, when one stands: each who turns then waits for who is behind the other."""
MOST_S = 6
"""For so long they are waited for, seen or only supposed; in rain 3 s were too few."""
COUNTED, MOST_WITHIN = 0.95, 6.0
"""A lane is believed while this share of those who left it is seen to arrive, but for those who may
still be within."""
STOOD_S, YELLOW_S = 5, 3
"""Where nobody looks at the junction: a first vehicle that stood for so long in its green, and in
the yellow after it, waits for those before it, who wait within."""
ACROSS_BEFORE_S = 5
"""Once he moves they need so much longer to get across."""


class Inside:
    """Count by lane who left the stop line and was not seen to arrive behind the junction.

    Where arrivals are not seen, a lane whose first one stood when its green ended is taken to have
    somebody within, and those who went from shared lanes that face it with him: who goes straight
    there stands right behind one who turns.
    """

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self._count: Floats = np.zeros(lanes)
        self._latest: Floats = np.zeros((ACROSS_S, lanes))
        self._red_s = np.zeros(lanes, dtype=np.int64)
        self._left: Floats = np.zeros(lanes)
        self._arrived: Floats = np.zeros(lanes)
        self._facing = _facing(site)
        self._shared = _shared(site)
        self._halted = Halted(lanes)

    def take(self, left: Floats, crossed: Crossings | None, green: Bools, stands: Bools) -> None:
        """Take in who left each lane in the second before, who arrived, has green, and stands."""
        if crossed is None:
            self._count = self._latest.sum(axis=0)
            self._halted.take(left, green, stands)
            return
        now = (self._count, self._latest, self._red_s)
        count_within(left, crossed.lane, green, *now, self._left, self._arrived)

    def may_lock(self, lanes: Bools) -> bool:
        """Say whether those from these lanes who stand within may shut each other in."""
        lost = self._left - self._arrived
        known = lanes & (lost <= MOST_WITHIN + (1.0 - COUNTED) * self._left)
        several = known & (self._count >= SEVERAL)
        stand = self._count - self._latest.sum(axis=0)
        behind = several & (stand >= SEVERAL)
        facing = self._facing & several & (several & (stand >= 1.0))[:, None]
        stood, went = self._halted.stood & lanes, self._halted.went & self._shared & lanes
        facing |= self._facing & stood & went[:, None]
        return bool(behind.any() or facing.any())

    def forget(self) -> None:
        """Take nobody to be within the junction any more but those who just left."""
        self._count = self._latest.sum(axis=0)
        self._halted.forget()


class Halted:
    """Follow who stands in a green, and how many left in it, until a red has lasted `EMPTY_S`."""

    def __init__(self, lanes: int) -> None:
        self._stood_s = np.zeros(lanes, dtype=np.int64)
        self._moved_s = np.full(lanes, ACROSS_BEFORE_S + 1)
        self._red_s = np.zeros(lanes, dtype=np.int64)
        self._gone: Floats = np.zeros(lanes)

    @property
    def stood(self) -> Bools:
        """Return the lanes whose first one stands in their green, or stood when it ended.

        After he has moved, they are those that had red by then, for as long as it takes those
        before him to get across.
        """
        clearing = (self._moved_s <= ACROSS_BEFORE_S) & (self._red_s > 0)
        return np.asarray(((self._stood_s >= STOOD_S) | clearing) & (self._gone > 0))

    @property
    def went(self) -> Bools:
        """Return the lanes that several have left in their last green."""
        return np.asarray((self._gone >= SEVERAL) & (self._red_s <= EMPTY_S))

    def take(self, left: Floats, green: Bools, stands: Bools) -> None:
        """Take in who left each lane in the second before, who has green, and who stands."""
        begins = green & (self._red_s > 0)
        self._gone = np.where(begins, 0.0, self._gone) + np.where(green, left, 0.0)
        self._red_s = np.where(green, 0, self._red_s + 1)
        stays = stands & (left <= 0) & (green | (self._stood_s > 0))
        moves = ~stays & (self._stood_s >= STOOD_S)
        self._moved_s = np.where(moves, 0, self._moved_s + 1)
        longer = np.where(begins, 1, self._stood_s + (self._red_s <= YELLOW_S))
        self._stood_s = np.where(stays & (self._red_s <= EMPTY_S), longer, 0)

    def forget(self) -> None:
        """Take nobody to stand within any more."""
        self._stood_s[:] = 0
        self._moved_s[:] = ACROSS_BEFORE_S + 1


def _facing(site: Site) -> Bools:
    """Return the pairs of lanes from each of which somebody yields to the other, (lanes, lanes)."""
    uses = site.uses.astype(np.int64)
    yields = uses @ site.yields @ uses.T > 0
    return np.asarray(yields & yields.T)


def _shared(site: Site) -> Bools:
    """Return the lanes with some who yield and some who never do, (lanes,)."""
    ever = site.yields.any(axis=1)
    return np.asarray((site.uses & ever).any(axis=1) & (site.uses & ~ever).any(axis=1))
