# SPDX-License-Identifier: Apache-2.0
"""Which phases vehicles call, from the state of the lanes."""

from __future__ import annotations

import numpy as np

from lvbo.control.protocols import Bools, LaneState
from lvbo.control.site import NONE, TURN_SHARE, Site

PATIENCE_S = 30.0
"""A vehicle that stood this long also calls what its neighbours on the lane do not need."""
HERE = 0.5
"""Less of a vehicle than this is nobody."""


class Calls:
    """Say who calls at one site.

    On a shared lane a call is for its main movement, and for the others, and for a protected green
    beside a permitted one, once somebody has stood for `PATIENCE_S`.
    """

    def __init__(self, site: Site) -> None:
        self._first, self._all = _calls(site)

    def of(self, lanes: LaneState, working: Bools) -> Bools:
        """Return the phases that some vehicle waits for, (phases,); a lane nobody sees calls."""
        some = (lanes.present >= HERE) | ~working
        long = (lanes.wait_s >= PATIENCE_S) | ~working
        return np.asarray(self._first[some].any(axis=0) | self._all[long].any(axis=0))

    def unseen(self, working: Bools) -> Bools:
        """Return the phases that lanes call which nobody sees, (phases,)."""
        return np.asarray(self._all[~working].any(axis=0))


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
