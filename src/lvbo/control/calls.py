# SPDX-License-Identifier: Apache-2.0
"""Which phases vehicles call, from what is seen of the lanes."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, Observation
from lvbo.control.site import NONE, TURN_SHARE, Site
from lvbo.signal.lamp import GOING

_GOING = np.array([int(lamp) for lamp in GOING])
PATIENCE_S = 30.0
"""A vehicle that stood this long also calls what its neighbours on the lane do not need."""
NEAR_M = 100.0
"""Vehicles beyond this do not call yet."""


class Calls:
    """Follow who calls at one site.

    On a shared lane a call is for its main movement, and for the others, and for a protected green
    beside a permitted one, once somebody has stood for `PATIENCE_S`.
    """

    def __init__(self, site: Site) -> None:
        self._first, self._all = _calls(site)
        self._waiting = np.zeros(len(site.lanes))
        self._ahead = np.zeros((len(site.zones), len(site.lanes)), dtype=bool)
        for k, zone in enumerate(site.zones):
            self._ahead[k, list(zone.lanes)] = True

    def of(self, seen: Observation) -> Bools:
        """Return the phases that some vehicle seen waits for, (phases,); an unseen lane calls."""
        any_, long = ~seen.working, ~seen.working
        if seen.vehicles is not None:
            near = seen.vehicles.distance_m <= NEAR_M
            ahead = self._ahead[seen.vehicles.zone]
            any_ = any_ | ahead[near].any(axis=0)
            long = long | ahead[near & (seen.vehicles.wait_s >= PATIENCE_S)].any(axis=0)
        elif seen.loops is not None:
            self._count(seen)
            any_, long = any_ | (self._waiting > 0), long | (self._waiting >= PATIENCE_S)
        return np.asarray(self._first[any_].any(axis=0) | self._all[long].any(axis=0))

    def _count(self, seen: Observation) -> None:
        """Keep, by lane, for how long somebody has waited since it was last seen to flow out."""
        if seen.loops is None:
            return
        hit = np.zeros(len(self._waiting), dtype=bool)
        np.logical_or.at(hit, seen.loops.lane, (seen.loops.passed > 0) | (seen.loops.occupied > 0))
        served = self._all[:, np.isin(seen.lamps, _GOING)].any(axis=1)
        self._waiting = np.where(hit | (self._waiting > 0), self._waiting + 1, 0.0)
        self._waiting = np.where(served & ~hit, 0.0, self._waiting)


def _calls(site: Site) -> tuple[Bools, Bools]:
    """Return which phases each lane calls at once and which when it waits, (lanes, phases) each."""
    serves = (site.serves > NONE).T
    worth = np.array([TURN_SHARE[turn] for turn in site.turns])
    most = np.where(site.uses, worth, 0.0).max(axis=1, initial=0.0)
    main = site.uses & (worth[None, :] >= most[:, None])
    at = {phase: k for k, phase in enumerate(site.phases)}
    with_mate = [at[p] for p, mates in site.rules.mates.items() if mates]
    first = (main[:, :, None] & serves[None]).any(axis=1)
    whole = (site.uses[:, :, None] & serves[None]).any(axis=1)
    protected = [k for k in with_mate if (site.serves[k] > 1).any()]
    first[:, protected] = False
    return np.asarray(first), np.asarray(whole)
