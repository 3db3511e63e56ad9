# SPDX-License-Identifier: Apache-2.0
"""Whoever controls leaves every stage while others call: search, gate and both in a closed loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.crossroads import LANE, crossroads
from tests.control.test_windows import CYCLE_S, coordination

from lvbo.control import _gate_kernels as kernels
from lvbo.control import _look_kernels as look
from lvbo.control._sight_kernels import STILL_ALONE_S
from lvbo.control.adaptive import AdaptiveController
from lvbo.control.calls import Calls
from lvbo.control.eyes import Eyes
from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded
from lvbo.control.lamps import goes
from lvbo.control.protocols import (
    Bools,
    Coordination,
    Crossings,
    Observation,
    Order,
    Vehicles,
)
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.testing import EW, NS, NSL, four_stages, shapes, two_stages

ROUND_S = 240
"""So much longer than a round of all stages here that only who is left out is red for so long."""
SECONDS = 250
SOON_S = 15
RARELY = 0.05
ALL_ELSE_S = 30
"""The other three stages of the crossroads with their minima and changes."""
START_S = 1000
LINE = 4
GAP_M, PACE_MPS = 7.0, 8.0


def twice(site: Site) -> Site:
    """Return the site with its first stage again before the last."""
    *before, last = site.rules.orders[0]
    rules = replace(site.rules, orders=((*before, before[0], last),))
    return replace(site, controller=replace(site.controller, rules=rules))


SITES = {
    "two": two_stages(),
    **{s.name: s.site for s in shapes() if s.name == "waiting area"},
    "crossroads": crossroads(),
    "one stage twice": twice(four_stages()),
}


class Crowd:
    """A site with lines that never end: they move in green, or stand all the same where jammed.

    Everybody on foot calls at every red. `worst_s` (phases,) is the longest time for which a phase
    was called and red, `stayed_s` the longest time in one stage, `late` whom the gate served later
    than it promises, `forced` how often it had to serve somebody against the wish. `serves`
    (phases, lanes) says in which phase a line moves.
    """

    def __init__(self, site: Site, order: Order, keep: Coordination | None = None) -> None:
        self.site, self.table = site, stage_table(site, order)
        self.controller = AdaptiveController(site, self.table)
        self._guard = Guarded(site, make_gate(site, self.table, order))
        self._eyes, self._calls, self._keep = Eyes(site), Calls(site), keep
        self._own = {z.lanes[0]: k for k, z in enumerate(site.zones) if z.shares == (1.0,)}
        self.serves = (site.serves > 0) @ site.uses.T
        count, lanes = len(site.phases), len(site.lanes)
        self.now_s = self.forced = self.stayed_s = self._same_s = 0
        self._lamps, self._since = np.zeros(count, dtype=np.int64), np.full(count, 100)
        self._asked_s, self.worst_s = np.full(count, -1), np.zeros(count, dtype=np.int64)
        self._key, self._wait_s = 1000 * np.arange(lanes), np.zeros(lanes)
        self.late: set[str] = set()
        self._shown = -1

    def run(self, seconds: int, lines: Bools, jammed: Bools) -> None:
        """Let seconds pass with lines on some lanes, of which some do not move, (lanes,) both."""
        for _ in range(seconds):
            lit = (self.serves & goes(self._lamps)[:, None]).any(axis=0)
            moves = lit & ~jammed
            self._key += moves & (self.now_s % 2 == 0)
            self._wait_s = np.where(moves | ~lines, 0.0, self._wait_s + 1)
            self._second(self._seen(np.flatnonzero(lines), moves))

    def _seen(self, lanes: np.ndarray, moves: Bools) -> Observation:
        lane, place = (x.ravel() for x in np.meshgrid(lanes, np.arange(LINE), indexing="ij"))
        return Observation(
            controller=self.site.id,
            time_s=self.now_s,
            seen_s=self.now_s,
            lamps=self._lamps,
            since_s=self._since,
            vehicles=Vehicles(
                key=self._key[lane] + place,
                zone=np.array([self._own[int(k)] for k in lane], dtype=np.int64),
                distance_m=2.0 + GAP_M * place,
                speed_mps=np.where(moves[lane], PACE_MPS, 0.0),
                wait_s=self._wait_s[lane],
                persons=np.ones(len(lane)),
            ),
            working=np.ones(len(self.site.lanes), dtype=bool),
            blocked=np.zeros(len(self.site.movements), dtype=bool),
            calls=self.site.walks & ~goes(self._lamps),
            keep=self._keep,
        )

    def _second(self, seen: Observation) -> None:
        called = self._calls.of(self._eyes.look(seen), seen.working)
        verdict = self._guard(seen, self.controller.decide(seen))
        assert verdict.lamps is not None
        self.forced += verdict.forced is not None
        self._note(np.where(self.site.walks, seen.calls, called))
        self._since = np.where(verdict.lamps == self._lamps, self._since + 1, 1)
        self._lamps = verdict.lamps
        self.now_s += 1

    def _note(self, called: Bools) -> None:
        going = goes(self._lamps)
        self._asked_s[going] = -1
        self._asked_s[~going & called & (self._asked_s < 0)] = self.now_s
        waited = np.where(self._asked_s >= 0, self.now_s - self._asked_s, 0)
        self.worst_s = np.maximum(self.worst_s, waited)
        self.late |= {str(self.site.phases[k]) for k in np.flatnonzero(waited > self.red_s)}
        shown = self.table.stage_of(going, self.site.walks)
        self._same_s = self._same_s + 1 if shown == self._shown and (waited > 0).any() else 0
        self._shown, self.stayed_s = shown, max(self.stayed_s, self._same_s)

    @property
    def red_s(self) -> np.ndarray:
        """Return the longest red that the gate promises, (phases,)."""
        return self._guard.gate.red_s


# what may follow -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "order"), list(product(SITES, Order)))
def test_search_and_gate_let_the_same_changes_pass_over_calls_and_never_none(
    name: str, order: Order
) -> None:
    """Every stage, every set of calls, whatever this round has served before."""
    site = SITES[name]
    table = stage_table(site, order)
    rules = make_gate(site, table, order).rules
    controller = AdaptiveController(site, table)
    phases = np.arange(len(site.phases))
    for own, round_ in product(table.cycle, product([False, True], repeat=len(table.cycle))):
        begun = [s for s, yes in zip(table.cycle, round_, strict=True) if yes or s == own]
        lit = np.asarray(table.greens[begun].any(axis=0))
        seen, state = served(site, table, controller, own, lit)
        for calls in range(2 ** len(phases)):
            called = (calls >> phases) & 1 > 0
            controller._called = called & ~site.walks
            asked = replace(seen, calls=called & site.walks)
            barred = controller._passes(asked)
            over = np.array(
                [kernels._passes_over(rules, state, START_S, own, j, called)
                 for j in range(table.count)]
            )  # fmt: skip
            others = np.arange(table.count) != own

            assert barred[others].tolist() == over[others].tolist()
            assert (table.legal[own] & others & ~over).any()


def served(
    site: Site, table: StageTable, controller: AdaptiveController, own: int, lit: Bools
) -> tuple[Observation, np.ndarray]:
    """Let a stage run whose round has lit these phases; return what is seen, the gate's state."""
    state = np.full((look.ROWS, len(site.phases)), look.NEVER, dtype=np.int64)
    state[look.LIT] = np.where(lit, START_S + 1, START_S - 100)
    run = controller._run
    run.stage = run.target = own
    run.round_s = START_S + 1
    controller._began_s = state[look.LIT].copy()
    shows = np.array([int(p.shows) for p in site.rules.phases])
    seen = Observation(
        controller=site.id,
        time_s=START_S + 50,
        seen_s=START_S + 50,
        lamps=np.where(table.greens[own], shows, 0),
        since_s=np.full(len(site.phases), 20),
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=np.zeros(len(site.phases), dtype=bool),
    )
    return seen, state


# closed loops ----------------------------------------------------------------------------------


@pytest.mark.parametrize("jammed", [False, True])
@pytest.mark.parametrize(("name", "order"), list(product(SITES, Order)))
def test_every_stage_is_left_and_every_call_served_while_lines_never_end(
    name: str, order: Order, *, jammed: bool
) -> None:
    crowd = Crowd(SITES[name], order)
    everywhere = np.ones(len(crowd.site.lanes), dtype=bool)
    crowd.run(SECONDS, everywhere, everywhere & jammed)

    assert not crowd.late
    assert crowd.worst_s.max() <= ROUND_S
    assert crowd.stayed_s <= (STILL_ALONE_S + SOON_S if jammed else ROUND_S)
    assert crowd.forced <= RARELY * SECONDS


@pytest.mark.parametrize("jammed", [False, True])
@pytest.mark.parametrize("order", list(Order))
def test_every_stage_is_left_and_every_call_served_within_windows(
    order: Order, *, jammed: bool
) -> None:
    """The longest red of the crossroads is far away, and NS is held in its window only.

    A green that a line without end fills is worth its time to all: it ends because others wait.
    """
    site = SITES["crossroads"]
    crowd = Crowd(site, order, coordination(site, 5, 20))
    everywhere = np.ones(len(site.lanes), dtype=bool)
    crowd.run(SECONDS, everywhere, everywhere & jammed)

    assert crowd.worst_s.max() < 2 * CYCLE_S
    assert crowd.stayed_s <= (CYCLE_S if jammed else 2 * CYCLE_S - ALL_ELSE_S)
    assert not crowd.forced


@pytest.mark.parametrize("order", [Order.SKIP, Order.ANY])
def test_who_turns_where_hardly_anybody_did_before_is_served(order: Order) -> None:
    """On the lane of NS so few turned left that the model takes it as nothing; the first does."""
    site = SITES["crossroads"]
    uses = site.uses.copy()
    uses[LANE[NS], LANE[NSL]] = True
    crowd = Crowd(replace(site, uses=uses), order)
    went = Crossings(lane=np.array([LANE[NS]]), movement=np.array([LANE[NS]]))
    for _ in range(400):
        crowd.controller._learned.turned(went)
    crowd.controller._renew()
    crowd.serves[site.phases.index(NS), LANE[NS]] = False
    lines = np.isin(np.arange(len(site.lanes)), [LANE[NS], LANE[EW]])
    crowd.run(2 * SECONDS, lines, ~lines)

    assert crowd.worst_s[site.phases.index(NSL)] <= ROUND_S
    assert crowd.stayed_s <= ROUND_S


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_whoever_calls_is_served_whatever_moves(data: st.DataObject) -> None:
    name, order = data.draw(st.sampled_from(list(SITES))), data.draw(st.sampled_from(list(Order)))
    crowd = Crowd(SITES[name], order)
    lanes = len(crowd.site.lanes)
    flags = st.lists(st.booleans(), min_size=lanes, max_size=lanes)
    for _ in range(3):
        lines, jammed = (np.array(data.draw(flags)) for _ in range(2))
        crowd.run(50, lines, jammed)

    assert not crowd.late
