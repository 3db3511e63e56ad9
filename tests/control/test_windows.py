# SPDX-License-Identifier: Apache-2.0
"""Windows of a wave: when they lie, which steps still keep them, and that control keeps them.

The crossroads' plan has NS 0 to 30 s, NSL 35 to 50, EW 55 to 80, EWL 85 to 95, of 100 s.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.crossroads import (
    LANE,
    Queues,
    Stretch,
    Traffic,
    crossroads,
    crossroads_plan,
)

from lvbo.control._window_kernels import NEVER, first_steps, soonest
from lvbo.control.adaptive import AdaptiveController
from lvbo.control.adaptive_model import make_frame, make_street
from lvbo.control.learning import Learned
from lvbo.control.protocols import BandWindow, Coordination, Order
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.control.windows import Calendar, Onward, both, free, held, in_window
from lvbo.ids import PhaseId
from lvbo.testing import EW, EWL, NS, NSL, WALK, plan_of

CYCLE_S = 100
PASSED_OVER = "LV724"


def coordination(
    site: Site, start_s: float = 5, length_s: float = 20, *, offset_s: int = 0, holds: bool = True
) -> Coordination:
    """Return what keeps NS green in a window of the plan's cycle."""
    return Coordination(
        plan=crossroads_plan(site, offset_s),
        windows=(
            BandWindow(
                phases=(NS,),
                start_ds=round(10 * start_s),
                length_ds=round(10 * length_s),
                cycle_ds=10 * CYCLE_S,
            ),
        ),
        holds=holds,
    )


@pytest.fixture(scope="module")
def site() -> Site:
    return crossroads()


def test_windows_and_none_are_told_in_arrays_of_the_same_kinds(site: Site) -> None:
    """Else the search, whose compiling takes half a minute, would be compiled twice."""
    table, learned = stage_table(site, Order.SKIP), Learned(site)
    frame = make_frame(site, table, np.zeros(len(site.phases), dtype=np.int64))
    street = make_street(frame, learned.shares, learned.profile)
    calendar = Calendar(site, table, coordination(site))
    windows = held(calendar, street, Onward(0, table.legal[0], table.legal), 0, 60)
    kinds = [
        [(x.dtype, x.ndim, x.flags.c_contiguous) for x in told if isinstance(x, np.ndarray)]
        for told in (windows, free(table.count, len(site.lanes), 60))
    ]

    assert kinds[0] == kinds[1]


@pytest.fixture(scope="module")
def table(site: Site) -> StageTable:
    return stage_table(site, Order.SKIP)


def stage_of(site: Site, table: StageTable, phase: PhaseId) -> int:
    """Return the stage that lights this phase alone."""
    return int(np.flatnonzero(table.greens[:, site.phases.index(phase)])[0])


def test_a_calendar_asks_for_the_window_and_one_second_before_it(
    site: Site, table: StageTable
) -> None:
    keeps = Calendar(site, table, coordination(site, 5.5, 20)).keeps
    ns, ew = stage_of(site, table, NS), stage_of(site, table, EW)

    assert keeps[ns].all()
    assert np.flatnonzero(~keeps[ew]).tolist() == list(range(4, 26))


def test_a_window_over_the_end_of_the_cycle_is_asked_for_on_both_sides(
    site: Site, table: StageTable
) -> None:
    keeps = Calendar(site, table, coordination(site, 95, 10, offset_s=90)).keeps

    assert set(np.flatnonzero(~keeps[stage_of(site, table, EW)])) == {*range(94, 100), *range(5)}


def test_the_coordinated_stage_starts_from_shortly_before_its_green_in_the_plan_to_its_end(
    site: Site, table: StageTable
) -> None:
    """The plan's NS green is 40 to 70 at this offset, and may begin 6 s early."""
    starts = Calendar(site, table, coordination(site, 45, 20, offset_s=40)).starts

    assert np.flatnonzero(starts[stage_of(site, table, NS)]).tolist() == list(range(34, 70))
    assert starts[stage_of(site, table, EW)].all()


def test_what_is_ahead_follows_the_clock(site: Site, table: StageTable) -> None:
    calendar = Calendar(site, table, coordination(site, 5, 20))
    breaks, starts = calendar.ahead(1190, 30)

    assert np.flatnonzero(breaks[stage_of(site, table, EW)]).tolist() == list(range(14, 30))
    assert starts.shape == (table.count, 31)


@pytest.mark.parametrize(
    ("second", "inside"), [(4, False), (5, True), (24, True), (25, False), (105, True)]
)
def test_a_second_lies_in_a_window_or_not(site: Site, second: int, *, inside: bool) -> None:
    (window,) = coordination(site).windows

    assert in_window(window, second) is inside


def test_a_signal_on_two_streets_keeps_the_windows_of_both_while_both_hold(site: Site) -> None:
    one, other = coordination(site, 5, 20), coordination(site, 60, 10)
    given_up = coordination(site, 60, 10, holds=False)

    assert both([one, other]).windows == (*one.windows, *other.windows)
    assert both([given_up, one]).windows == one.windows
    assert not both([given_up, given_up]).holds


# the exact look ahead --------------------------------------------------------------------------


def fewest(breaks: np.ndarray, starts: np.ndarray, change: np.ndarray, least: np.ndarray,
           hold: np.ndarray, stage: int, time: int) -> int:  # fmt: skip
    """Return the fewest broken seconds from a stage that may be left, by trying everything."""
    span = breaks.shape[1]
    if time >= span:
        return 0
    best = int(breaks[stage, time]) + fewest(breaks, starts, change, least, hold, stage, time + 1)
    for other in range(len(breaks)):
        if other != stage:
            best = min(best, changed(breaks, starts, change, least, hold, stage, other, time))
    return best


def changed(breaks: np.ndarray, starts: np.ndarray, change: np.ndarray, least: np.ndarray,
            hold: np.ndarray, stage: int, other: int, time: int) -> int:  # fmt: skip
    """Return the same where the stage is changed at this time."""
    span = breaks.shape[1]
    begun = min(time + int(change[stage, other]), span)
    if not starts[other, begun]:
        return NEVER
    lost = 0
    for x in range(time, begun):
        both = breaks[stage, x] or (x - time >= hold[stage] and breaks[other, x])
        lost += int(both)
    free = min(begun + max(int(least[other]), 1), span)
    lost += int(breaks[other, begun:free].sum())
    return lost + fewest(breaks, starts, change, least, hold, other, free)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_look_ahead_finds_the_fewest_broken_seconds_of_all_sequences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stages, span = 3, 11
    breaks = rng.random((stages, span)) < 0.5
    starts = rng.random((stages, span + 1)) < 0.8
    change = rng.integers(1, 4, (stages, stages))
    least, hold = rng.integers(1, 5, stages), rng.integers(0, 3, stages)
    found, ahead = first_steps(
        breaks, starts, np.ones((stages, stages), dtype=bool), change, least, hold, 0,
        np.ones(stages, dtype=bool),
    )  # fmt: skip

    assert found[0] == int(breaks[0, 0]) + fewest(breaks, starts, change, least, hold, 0, 1)
    for other in (1, 2):
        assert found[other] == changed(breaks, starts, change, least, hold, 0, other, 0)
    for stage, time in product(range(stages), (0, 4, 8)):
        assert ahead[stage, time] == fewest(breaks, starts, change, least, hold, stage, time)


def soon(breaks: np.ndarray, starts: np.ndarray, change: np.ndarray, least: np.ndarray,
         hold: np.ndarray, stage: int, wanted: int, time: int) -> int:  # fmt: skip
    """Return how soon a stage can begin without losing more than must be, by trying everything."""
    span = breaks.shape[1]
    if stage == wanted:
        return 0
    if time >= span:
        return int(change[stage, wanted])
    how = (breaks, starts, change, least, hold)
    must, found = fewest(*how, stage, time), NEVER
    if int(breaks[stage, time]) + fewest(*how, stage, time + 1) == must:
        found = 1 + soon(*how, stage, wanted, time + 1)
    for other in range(len(breaks)):
        if other == stage or changed(*how, stage, other, time) > must:
            continue
        begun = min(time + int(change[stage, other]), span)
        free = min(begun + max(int(least[other]), 1), span)
        then = free - time + soon(*how, other, wanted, free)
        found = min(found, int(change[stage, other]) if other == wanted else then)
    return found


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_look_ahead_knows_how_soon_a_stage_can_be_had_that_gives_no_window_away(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    breaks, starts = rng.random((3, 9)) < 0.4, rng.random((3, 10)) < 0.8
    change = rng.integers(1, 4, (3, 3))
    least, hold = rng.integers(1, 5, 3), rng.integers(0, 3, 3)
    legal = np.ones((3, 3), dtype=bool)
    _, lost = first_steps(breaks, starts, legal, change, least, hold, 0, legal[0])
    found = soonest(breaks, starts, legal, change, least, hold, lost)

    for stage, wanted, time in product(range(3), range(3), (0, 3, 7)):
        expected = soon(breaks, starts, change, least, hold, stage, wanted, time)
        assert min(int(found[stage, wanted, time]), NEVER) == min(expected, NEVER)


def test_what_may_not_follow_is_no_first_step() -> None:
    breaks, starts = np.zeros((2, 5), dtype=bool), np.ones((2, 6), dtype=bool)
    one = np.ones((2, 2), dtype=np.int64)
    both, own = np.ones((2, 2), dtype=bool), np.array([True, False])
    found, _ = first_steps(breaks, starts, both, one, one[0], one[0], 0, own)

    assert found.tolist() == [0, NEVER]


# control within windows ------------------------------------------------------------------------


def drive(site: Site, table: StageTable, keep: Coordination | None, cycles: int = 8) -> Stretch:
    """Let traffic pass that wants EW most of all, one window a cycle for NS."""
    made = Stretch(site, AdaptiveController(site, table), table, keep=keep)
    made.drive(cycles * CYCLE_S, Queues(site, {EW: 900, EWL: 150, NS: 500, NSL: 120}))
    return made


def kept(made: Stretch, first_s: int, last_s: int, cycles: int = 8) -> int:
    """Return in how many cycles NS was green from one second to another, the first left out."""
    return sum(
        all(made.is_lit(NS, CYCLE_S * k + s) for s in range(first_s, last_s))
        for k in range(1, cycles)
    )


def test_control_keeps_every_window_and_breaks_them_where_it_is_free(
    site: Site, table: StageTable
) -> None:
    bound = drive(site, table, coordination(site, 5, 20))

    assert kept(bound, 5, 25) == 7
    assert all(len(bound.greens(phase)) >= 6 for phase in (NSL, EW, EWL))
    assert kept(drive(site, table, None), 5, 25) < 7


@pytest.mark.parametrize(
    ("others", "from_s"), [((), 0), ((EW, EWL), 40), ((NSL, EWL), 80), ((NSL, EW), 90)]
)
def test_who_walks_in_a_held_green_walks_again_before_windows_must_be_broken_for_it(
    others: tuple[PhaseId, ...], from_s: int
) -> None:
    """Hardly anybody drives across: NS would be held for long, and its walk be had only once.

    Who comes across late lies on the way back to the walk, and the gate passes over nobody.
    """
    site = crossroads(walks=True)
    rules = site.rules.with_limits(
        replace(limit, max_red_ds=900) if limit.phase == WALK else limit
        for limit in site.rules.limits
    )
    site = replace(site, controller=replace(site.controller, rules=rules))
    table = stage_table(site, Order.SKIP)
    made = Stretch(site, AdaptiveController(site, table), table, keep=coordination(site, 5, 20))
    rare = Queues(
        site,
        {NS: 500, **dict.fromkeys(others, 72)},
        lambda phase, now: phase == NS or from_s <= now % CYCLE_S < from_s + 20,
    )
    made.drive(6 * CYCLE_S, rare)

    assert kept(made, 5, 25, cycles=6) == 5
    assert len(made.greens(WALK)) >= 5


def restless(seed: int) -> Traffic:
    """Return road users who stand somewhere or drive, and others every 4 s."""
    rng = np.random.default_rng(seed)
    made = [
        {
            k: (rng.uniform(5, 180), rng.choice([0.0, 9.0]))
            for k in LANE.values()
            if rng.random() < 0.4
        }
        for _ in range(60)
    ]
    return lambda now: made[now // 4 % len(made)]


def test_in_windows_a_stage_is_called_for_the_search_as_it_is_for_the_gate(
    site: Site, table: StageTable
) -> None:
    for seed in range(4):
        made = Stretch(site, AdaptiveController(site, table), table, keep=coordination(site, 5, 20))
        made.run(240, restless(seed))

        assert PASSED_OVER not in made.refused


def test_who_may_come_lies_on_the_way_to_a_window(site: Site, table: StageTable) -> None:
    """EW must be green from 60 s on; whoever comes to NSL before comes too late to be let go."""
    keep = replace(
        coordination(site),
        windows=(BandWindow(phases=(EW,), start_ds=600, length_ds=150, cycle_ds=10 * CYCLE_S),),
    )
    made = Stretch(site, AdaptiveController(site, table), table, keep=keep)
    some = {NS: 900, EW: 200, NSL: 72}
    late = Queues(site, some, lambda phase, now: phase != NSL or 45 <= now % CYCLE_S < 55)
    made.drive(8 * CYCLE_S, late)

    assert PASSED_OVER not in made.refused
    for start in range(3 * CYCLE_S + 60, 8 * CYCLE_S, CYCLE_S):
        assert all(made.is_lit(EW, s) for s in range(start, start + 15))


def test_a_cycle_that_just_holds_all_minima_is_kept_to(site: Site, table: StageTable) -> None:
    """Who leaves a second late, or a stage out, must hold the next NS green for a whole cycle."""
    spans = {NS: (0, 10), NSL: (15, 5), EW: (25, 10), EWL: (40, 5)}
    plan = plan_of(site.rules, spans, cycle_s=50, reference=NS)
    window = BandWindow(phases=(NS,), start_ds=10, length_ds=80, cycle_ds=500)
    keep = Coordination(plan=plan, windows=(window,))
    made = Stretch(site, AdaptiveController(site, table), table, keep=keep)
    made.drive(800, Queues(site, {NS: 300, EW: 300, NSL: 100, EWL: 100}))

    assert all(len(made.greens(phase)) == 16 for phase in (NS, NSL, EW, EWL))


def test_windows_are_kept_by_commands_that_come_late(site: Site, table: StageTable) -> None:
    """How late they are is learned from the first changes."""
    controller = AdaptiveController(site, table)
    made = Stretch(site, controller, table, keep=coordination(site, 5, 20), late_s=3)
    made.drive(8 * CYCLE_S, Queues(site, {EW: 900, EWL: 150, NS: 500, NSL: 120}))

    assert controller.late_s == 3
    assert all(made.is_lit(NS, CYCLE_S * k + s) for k in range(2, 8) for s in range(5, 25))


def test_a_wave_that_does_not_hold_is_priced_and_not_kept(site: Site, table: StageTable) -> None:
    free = drive(site, table, None)
    priced = drive(site, table, coordination(site, 5, 20, holds=False))

    assert [row.tolist() for row in priced.rows] == [row.tolist() for row in free.rows]
    assert not any(price is not None for price in free.prices)
    assert sum(price for price in priced.prices if price is not None) > 0
    assert all(price >= 0 for price in priced.prices if price is not None)


@pytest.mark.parametrize(("holds", "patience_s"), [(True, CYCLE_S), (False, 50)])
def test_a_wait_is_long_that_is_longer_than_a_round_or_than_the_cycle_that_is_kept(
    site: Site, table: StageTable, *, holds: bool, patience_s: int
) -> None:
    keep = coordination(site, holds=holds)
    controller = AdaptiveController(site, table)
    made = Stretch(site, controller, table, keep=keep)
    made.run(1, restless(0))

    assert controller.patience_s == patience_s


def test_a_green_that_starts_in_the_plan_does_not_start_far_before_it(
    site: Site, table: StageTable
) -> None:
    made = drive(site, table, coordination(site, 5, 20))
    begun = [a % CYCLE_S for a, _ in made.greens(NS)[1:]]

    assert begun
    assert all(second >= CYCLE_S - 6 or second < 30 for second in begun)
