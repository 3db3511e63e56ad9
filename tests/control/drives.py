# SPDX-License-Identifier: Apache-2.0
"""Drive a controller that changes between stages and plans on a replayed street full of faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lvbo.control.guard import guard_of_either
from lvbo.control.health import Lookout
from lvbo.control.ladder import LadderController, make
from lvbo.control.protocols import Capability, Loops, Observation, Order, Reason, Wish
from lvbo.control.registry import Situation
from lvbo.control.site import Site
from lvbo.control.stages import stage_table
from lvbo.signal.lamp import GOING, Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.watch import LampChecker
from lvbo.simulation.sensing import Eye, Sensing
from lvbo.testing import Condition, ReplayStreet

LOOPS = Sensing(eye=Eye.LOOPS)
LOCKED_S = 300.0
_GOES = np.array([lamp in GOING for lamp in Lamp])

Spoil = Callable[[Observation], Observation]


def stuck(*lanes: int) -> Spoil:
    """Return what holds the stop-line loops of lanes covered, so that they count nobody."""

    def spoil(seen: Observation) -> Observation:
        assert seen.loops is not None
        at = np.isin(seen.loops.lane, lanes)
        return replace(seen, loops=_loops(seen.loops, at, 1.0))

    return spoil


def silent(*lanes: int) -> Spoil:
    """Return what lets the loops of lanes show nothing any more, unknown to anybody."""

    def spoil(seen: Observation) -> Observation:
        assert seen.loops is not None
        at = np.isin(seen.loops.lane, lanes)
        return replace(seen, loops=_loops(seen.loops, at, 0.0))

    return spoil


def chattering(*lanes: int) -> Spoil:
    """Return what lets the loops of lanes count two vehicles every second."""

    def spoil(seen: Observation) -> Observation:
        assert seen.loops is not None
        at = np.isin(seen.loops.lane, lanes)
        return replace(seen, loops=_loops(seen.loops, at, 0.5, passed=2.0))

    return spoil


def _loops(loops: Loops, at: np.ndarray, occupied: float, passed: float = 0.0) -> Loops:
    return replace(
        loops,
        passed=np.where(at, passed, loops.passed),
        occupied=np.where(at, occupied, loops.occupied),
    )


def as_it_is(seen: Observation) -> Observation:
    """Return the observation unspoiled."""
    return seen


class Drive:
    """A ladder behind its gate; the lamp checker must be content in every second.

    By second: `rungs` who decided, `lamps` shown, `codes` the reasons told. `worst_s` is the
    longest wait of a vehicle, `reds` the longest red of each phase that changes.
    """

    def __init__(
        self, site: Site, plan: Plan | None = None, *, order: Order = Order.SKIP, seed: int = 1
    ) -> None:
        situation = Situation(site=site, order=order, plan=plan, params={})
        self.site = site
        self.ladder: LadderController = make(situation)
        self.street = ReplayStreet([site], seed=seed, load=0.6)
        self._lookout = Lookout(site)
        self._guard = guard_of_either(site, stage_table(site, order))
        self._checker = LampChecker(site.rules)
        self._late: deque[Wish] = deque(maxlen=1)
        self.rungs: list[str] = []
        self.lamps: list[np.ndarray] = []
        self.reasons: list[Reason] = []
        self.working: list[np.ndarray] = []
        self.released = 0
        self.worst_s = 0.0

    @property
    def codes(self) -> list[str]:
        """Return the codes of the changes of rung."""
        return [r.code for r in self.reasons if "LV750" <= r.code <= "LV757"]

    def run(
        self,
        seconds: int,
        *,
        sensing: Sensing = LOOPS,
        stale_s: int = 0,
        capability: Capability = Capability.STAGE,
        late_s: int = 0,
        spoil: Spoil = as_it_is,
        obeys: bool = True,
    ) -> None:
        """Let seconds pass under a condition; a site that does not obey keeps its lamps."""
        self.street.condition = Condition(
            sensing=replace(sensing, capability=capability), stale_s=stale_s
        )
        self._late = deque(self._late, maxlen=late_s + 1)
        for _ in range(seconds):
            (raw,) = self.street.observe()
            seen = self._lookout.look(spoil(raw))
            wish = self.ladder.decide(seen)
            self._late.append(wish)
            verdict = self._guard(seen, self._late[0])
            self.released += verdict.released
            if obeys:
                self.street.show({self.site.id: verdict})
            else:
                self.street.light(self.street.lamps.copy())
            self._take(wish, seen)

    def _take(self, wish: Wish, seen: Observation) -> None:
        lamps = self.street.lamps_of(0).copy()
        wrong = self._checker.see(10 * (self.street.now_s - 1), lamps.tolist())
        assert not wrong, [f"{each.code} {each.phases}" for each in wrong]
        self.rungs.append(self.ladder.rung)
        self.lamps.append(lamps)
        self.working.append(seen.working)
        if wish.reason is not None:
            self.reasons.append(wish.reason)
        self.worst_s = max(self.worst_s, float(self.street.queues.wait_s.max(initial=0.0)))

    def changes(self) -> list[tuple[int, str]]:
        """Return when which rung took over, from the first on."""
        pairs = zip(["", *self.rungs], self.rungs, strict=False)
        return [(k, now) for k, (before, now) in enumerate(pairs) if now != before]

    def longest_red_s(self, first: int = 0) -> int:
        """Return the longest red of any phase of vehicles from a second on."""
        rows = np.array(self.lamps[first:])[:, ~self.site.walks]
        longest = 0
        for lit in _GOES[rows].T:
            edges = np.flatnonzero(np.diff(np.concatenate([[True], lit, [True]]).astype(int)))
            longest = max(
                [longest, *(int(b - a) for a, b in zip(edges[::2], edges[1::2], strict=True))]
            )
        return longest
