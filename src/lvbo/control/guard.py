# SPDX-License-Identifier: Apache-2.0
"""The gate of one site with what belongs to it: its memory, the calls of vehicles, the walks."""

from __future__ import annotations

import numpy as np

from lvbo.control.calls import Calls
from lvbo.control.eyes import Eyes
from lvbo.control.gate import Gate, Memory, admit, handed_over, make_gate
from lvbo.control.lamps import goes
from lvbo.control.protocols import Observation, Verdict, Wish
from lvbo.control.site import Site
from lvbo.control.stages import StageTable


class Guarded:
    """Pass the wishes for one site through its gate.

    A stage that is held shows its walks for their minimum only, so that people have cleared when
    the stage ends. With `plans`, the gate of phases, wishes that name no stage pass through that
    one: what is remembered, also who waits since when, is handed over from one to the other.
    """

    def __init__(
        self, site: Site, gate: Gate, *, times_walks: bool = True, plans: Gate | None = None
    ) -> None:
        self.gate = self._last = gate
        self._plans = plans
        self._memory = Memory()
        limits = site.rules.limit_index
        least = np.array([limits[p].min_green_ds // 10 for p in site.phases])
        self._walk_s = np.maximum(least - gate.notice_s, 1)  # an end that needs notice is given it
        self._walks = site.walks if times_walks else np.zeros_like(site.walks)
        self._done = np.zeros(len(site.phases), dtype=bool)
        self._calls, self._eyes = Calls(site), Eyes(site)

    def __call__(self, seen: Observation, wish: Wish) -> Verdict:
        """Return what may be shown from now on."""
        gate = self._gate_of(wish)
        by_stage = gate is self.gate
        asked = self._timed(seen, wish) if by_stage and self._walks.any() else wish
        called = self._calls.of(self._eyes.look(seen), seen.working)
        verdict, self._memory = admit(gate, self._memory, seen, asked, called)
        return verdict

    def _gate_of(self, wish: Wish) -> Gate:
        """Return the gate that a wish passes; a release goes through the one before."""
        if self._plans is None or wish.release:
            return self._last
        gate = self._plans if wish.stage < 0 else self.gate
        if gate is not self._last:
            self._memory = handed_over(gate, self._memory)
            self._done[:] = False
            self._last = gate
        return gate

    def _timed(self, seen: Observation, wish: Wish) -> Wish:
        """Return the wish with walks left out that have had their time in this stage."""
        if wish.greens.shape != self._walks.shape:
            return wish
        self._done &= wish.greens
        going = goes(seen.lamps)
        self._done |= self._walks & going & (seen.since_s >= self._walk_s)
        return Wish(
            greens=wish.greens & ~(self._walks & self._done),
            stage=wish.stage,
            yellow_s=wish.yellow_s,
            preparing=wish.preparing,
            release=wish.release,
            reason=wish.reason,
        )


def guard_of_either(site: Site, table: StageTable) -> Guarded:
    """Return the gate of a site for wishes of either kind: by stage, and by phase as plans do."""
    by_phase = make_gate(site, None, table.order)
    return Guarded(site, make_gate(site, table), plans=by_phase)
