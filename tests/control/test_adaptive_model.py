# SPDX-License-Identifier: Apache-2.0
"""What the adaptive controller knows of a site: stages, lanes, foes, calls and stuck heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.test_stage_controllers import look, standing

from lvbo.control._plan_values import Street
from lvbo.control._queue_kernels import FREE, MIXED
from lvbo.control._queue_kernels import NONE as UNSERVED
from lvbo.control._sight_kernels import EXPIRES_S, STILL_ALONE_S, STILL_S, STILL_YIELDING_S
from lvbo.control.adaptive import AdaptiveController, weights
from lvbo.control.adaptive_model import Frame, make_frame, make_street
from lvbo.control.calls import PATIENCE_S, Calls
from lvbo.control.eyes import Eyes
from lvbo.control.gate import make_gate
from lvbo.control.learning import Learned
from lvbo.control.protocols import LaneState, Observation, Order, Vehicles
from lvbo.control.sight import STARTED_S, Heads
from lvbo.control.site import NONE, PROTECTED, Site
from lvbo.control.stages import stage_table
from lvbo.ids import LinkId, PhaseId
from lvbo.testing import ReplayStreet, four_stages, two_stages

FOUR, TWO = four_stages(), two_stages()
NS, NSL, EW, EWL = range(4)


def frame_of(site: Site, order: Order = Order.SKIP) -> Frame:
    return make_frame(site, stage_table(site, order), make_gate(site).notice_s)


def street_of(site: Site, order: Order = Order.SKIP) -> Street:
    learned = Learned(site)
    return make_street(frame_of(site, order), learned.shares, learned.profile)


def lane(site: Site, name: str) -> int:
    return [str(x) for x in site.lanes].index(name)


def empty(site: Site) -> LaneState:
    lanes = len(site.lanes)
    none = np.zeros(lanes)
    return LaneState(
        queue=none,
        arrivals=np.zeros((lanes, 90), dtype=np.float32),
        present=none,
        near=none,
        wait_s=none,
        left=none,
        rate_vps=none,
        gap_s=none,
        head=np.full(lanes, -1),
        stands=np.zeros(lanes, dtype=bool),
        load=np.ones(lanes),
        endless=np.ones(lanes, dtype=bool),
    )


# how stages serve lanes -----------------------------------------------------------------------


def test_each_stage_serves_its_lanes_and_no_others() -> None:
    kind = street_of(FOUR).kind

    assert kind[NSL, lane(FOUR, "N_1")] == kind[EWL, lane(FOUR, "E_1")] == FREE
    assert kind[NS, lane(FOUR, "N_0")] == MIXED  # rights give way to people on foot
    assert kind[NS, lane(FOUR, "E_0")] == kind[NS, lane(FOUR, "N_1")] == UNSERVED
    assert ((kind != UNSERVED).sum(axis=0) == 1).all()


def test_shares_of_a_lane_are_split_by_right() -> None:
    street = street_of(TWO)
    at = lane(TWO, "N_0")

    assert street.green[0, at] == pytest.approx(1.0 / 1.7)
    assert street.yields[0, at] == pytest.approx(0.7 / 1.7)
    assert street.held[0, at] == 0
    assert street.held[1, at] == pytest.approx(1.0)


def test_a_left_gives_way_to_the_oncoming_through_and_to_nobody_else() -> None:
    street = street_of(TWO)
    foes = street.foe[0, lane(TWO, "N_0")]

    assert foes[foes >= 0].tolist() == [lane(TWO, "S_0")]
    assert street.foe_share[0, lane(TWO, "N_0"), 0] == pytest.approx(1.0 / 1.7)
    assert (street.foe[1, lane(TWO, "N_0")] == -1).all()


def test_changes_take_the_intergreen_and_ways_the_minima_between() -> None:
    street, table = street_of(FOUR, Order.FIXED), stage_table(FOUR, Order.FIXED)
    least = frame_of(FOUR, Order.FIXED).least_s

    assert street.change_s[NS, NSL] == 5
    assert street.way_s[NS, NSL] == 5
    assert street.way_s[NS, EW] == 5 + least[NSL] + 5
    assert street.way_s[NSL, NS] == 5 + least[EW] + 5 + least[EWL] + 5
    assert not table.legal[NS, EW]


def test_a_round_takes_all_minima_and_the_changes_between() -> None:
    assert frame_of(FOUR).round_s == 14 + 5 + 14 + 5 + 4 * 5


def test_a_wait_counts_more_beyond_the_patience_only() -> None:
    assert weights(np.array([30.0, 58.0, 88.0, 900.0]), 58).tolist() == [1.0, 1.0, 2.0, 50.0]


def test_a_walk_stage_lasts_until_people_have_cleared() -> None:
    least = frame_of(FOUR).least_s

    # 7 s of walk, then 12 s to clear, of which the change of vehicles takes the last 5 s.
    assert least[[NS, EW]].tolist() == [14, 14]
    assert least[[NSL, EWL]].tolist() == [5, 5]


def long_green(phase: str, *stages: tuple[str, ...]) -> Frame:
    """Return the frame of the cross in these stages, a phase with a minimum green of 40 s."""
    rules = FOUR.rules.with_limits(
        replace(limit, min_green_ds=400) if limit.phase == phase else limit
        for limit in FOUR.rules.limits
    )
    site = replace(FOUR, controller=replace(FOUR.controller, rules=rules))
    sets = tuple(tuple(PhaseId(p) for p in stage) for stage in stages)
    return make_frame(site, stage_table(site, Order.SKIP, sets), make_gate(site).notice_s)


def test_a_green_that_never_ends_makes_no_stage_longer() -> None:
    frame = long_green("EWL", ("NS", "EWL"), ("NSL", "EWL"), ("EW", "EWL"))

    assert frame.least_s.tolist() == [10, 5, 10]


def test_a_green_that_runs_on_has_had_its_minimum_where_its_first_stage_is_never_skipped() -> None:
    """After the walk stage NS goes on beside NSL; without a walk NSL might be the first of both."""
    always = long_green("NS", ("NS", "WALK_NS"), ("NS", "NSL"), ("EW", "WALK_EW"))
    skipped = long_green("NS", ("NS",), ("NS", "NSL"), ("EW", "WALK_EW"))

    assert always.least_s[:2].tolist() == [40, 5]
    assert skipped.least_s[:2].tolist() == [40, 40]


def test_walks_may_clear_while_the_change_goes_on_for_others_than_those_they_are_foes_of() -> None:
    """NSL could start as soon as EW ends, NS 5 s later; who walked beside EW clears meanwhile."""
    rules = FOUR.rules
    meeting = rules.conflicts.pairs
    apart = replace(rules.conflicts, pairs=tuple(p for p in meeting if {*p[:2]} != {"EW", "NSL"}))
    site = replace(FOUR, controller=replace(FOUR.controller, rules=replace(rules, conflicts=apart)))
    sets = tuple(
        tuple(PhaseId(p) for p in stage) for stage in (("EW", "WALK_EW"), ("NS", "NSL"), ("EWL",))
    )
    frame = make_frame(site, stage_table(site, Order.SKIP, sets), make_gate(site).notice_s)
    at = [site.phases.index(PhaseId(p)) for p in ("NS", "NSL")]

    assert frame.change_s[0, 1, at].tolist() == [5, 0]
    assert frame.least_s[0] == 7 + 12 - 5


def test_people_on_foot_are_served_in_the_fewest_stages() -> None:
    assert frame_of(FOUR).recall.tolist() == [True, False, True, False]
    assert not frame_of(TWO).recall.any()


def test_a_skip_passes_over_the_stages_between() -> None:
    over = street_of(FOUR).over

    assert np.flatnonzero(over[NS, EW]).tolist() == [NSL]
    assert over[NS, EWL].tolist() == [0, 1, 1, 0]
    assert over[EW, NSL].tolist() == [2, 0, 0, 1]
    assert not over[NS, NSL].any()
    assert not street_of(FOUR, Order.ANY).over.any()


# who calls ------------------------------------------------------------------------------------


def test_somebody_calls_the_green_of_the_lane_and_nobody_calls_none() -> None:
    calls, lanes, works = Calls(FOUR), empty(FOUR), np.ones(len(FOUR.lanes), dtype=bool)
    one = np.zeros(len(FOUR.lanes))
    one[lane(FOUR, "N_1")] = 1.0

    assert not calls.of(lanes, works).any()
    called = calls.of(replace(lanes, present=one), works)
    assert [str(p) for p, x in zip(FOUR.phases, called, strict=True) if x] == ["NSL"]
    assert not calls.of(replace(lanes, present=0.4 * one), works).any()


def test_a_lane_that_nobody_sees_calls_all_its_greens() -> None:
    works = np.ones(len(FOUR.lanes), dtype=bool)
    works[lane(FOUR, "E_0")] = False
    called = Calls(FOUR).of(empty(FOUR), works)

    assert [str(p) for p, x in zip(FOUR.phases, called, strict=True) if x] == ["EW"]


def test_a_shared_lane_calls_for_its_main_movement_and_for_the_others_after_patience() -> None:
    left, at = [str(m) for m in TWO.movements].index("NL"), lane(TWO, "N_0")
    serves = TWO.serves.copy()
    serves[:, left] = NONE
    serves[[str(p) for p in TWO.phases].index("E"), left] = PROTECTED
    calls = Calls(replace(TWO, serves=serves))
    works = np.ones(len(TWO.lanes), dtype=bool)
    present, wait = np.zeros(len(TWO.lanes)), np.zeros(len(TWO.lanes))
    present[at] = 1.0
    soon = calls.of(replace(empty(TWO), present=present), works)
    wait[at] = PATIENCE_S
    late = calls.of(replace(empty(TWO), present=present, wait_s=wait), works)

    assert {str(p) for p, x in zip(TWO.phases, soon, strict=True) if x} == {"N"}
    assert {str(p) for p, x in zip(TWO.phases, late, strict=True) if x} == {"N", "E"}


# heads that do not move -----------------------------------------------------------------------


APART = np.broadcast_to(np.eye(2, dtype=bool)[:, :, None], (2, 2, len(TWO.lanes)))
"""No stage serves any lane worse than another does."""


def feel(
    heads: Heads,
    street: Street,
    seconds: int,
    *,
    begin_s: int = 0,
    key: int = 7,
    stage: int = 0,
    blocked: float = 0.0,
) -> None:
    """Let the head of every lane stand while a stage has green."""
    lanes = street.kind.shape[1]
    state = replace(empty(TWO), head=np.full(lanes, key), stands=np.ones(lanes, dtype=bool))
    for k in range(seconds):
        full = np.full(lanes, blocked)
        heads.feel(state, street, full, stage, STARTED_S + 1 + k, begin_s + k)


def two_ways() -> Street:
    """Return the street of two stages in which both stages serve the first lane."""
    street = street_of(TWO)
    kind, green = street.kind.copy(), street.green.copy()
    held, yields = street.held.copy(), street.yields.copy()
    kind[:, 0], green[:, 0], yields[:, 0], held[:, 0] = FREE, 1.0, 0.0, 0.0
    return street._replace(kind=kind, green=green, held=held, yields=yields)


def test_a_head_that_stands_in_its_green_is_stuck_after_patience() -> None:
    street, heads = two_ways(), Heads(APART)
    feel(heads, street, STILL_S)
    before = heads.stuck.any()
    feel(heads, street, 1, begin_s=STILL_S)

    assert not before
    assert heads.stuck[0, 0]
    assert heads.why[0] == 2
    assert not heads.stuck[1].any()


def test_one_who_yields_is_given_more_time() -> None:
    street = two_ways()
    yields = street.yields.copy()
    yields[0, 0] = 0.5
    heads = Heads(APART)
    feel(heads, street._replace(yields=yields), STILL_YIELDING_S)
    before = bool(heads.stuck[0, 0])
    feel(heads, street._replace(yields=yields), 1, begin_s=STILL_YIELDING_S)

    assert not before
    assert heads.stuck[0, 0]
    assert heads.why[0] == 1


def test_a_lane_that_no_other_stage_serves_is_given_up_late_and_until_its_stage_is_over() -> None:
    heads, street = Heads(APART), street_of(TWO)
    own = street.kind != UNSERVED
    feel(heads, street, STILL_ALONE_S)
    before = heads.stuck.any()
    feel(heads, street, 10, begin_s=STILL_ALONE_S)
    stood = heads.stuck.copy()
    feel(heads, street, 1, begin_s=STILL_ALONE_S + 10, stage=-1)

    assert not before
    assert stood[0].tolist() == own[0].tolist()
    assert not heads.stuck.any()


def test_who_stands_before_a_full_exit_is_not_stuck() -> None:
    heads = Heads(APART)
    feel(heads, two_ways(), 60, blocked=0.9)

    assert not heads.stuck.any()


def test_who_wants_more_than_a_stage_gives_stands_in_those_that_give_no_more() -> None:
    street, no_more = two_ways(), APART.copy()
    no_more[0, 1] = True
    held = street.held.copy()
    held[:, 0] = 0.5
    mixed, free = Heads(no_more), Heads(no_more)
    feel(mixed, street._replace(held=held), STILL_S + 1)
    feel(free, street, STILL_S + 1)

    assert mixed.stuck[:, 0].tolist() == [True, True]
    assert free.stuck[:, 0].tolist() == [True, False]


def test_who_stood_in_every_stage_that_serves_him_is_tried_again() -> None:
    street, heads = two_ways(), Heads(APART)
    feel(heads, street, STILL_S + 1)
    feel(heads, street, 1, begin_s=STILL_S + 1, stage=-1)
    feel(heads, street, STILL_S, begin_s=STILL_S + 2, stage=1)
    both = heads.stuck[:, 0].all()
    feel(heads, street, 1, begin_s=2 * STILL_S + 2, stage=-1)

    assert both
    assert not heads.stuck.any()
    assert heads.why[0] == 0


def test_a_new_head_or_time_lifts_the_mark() -> None:
    street = two_ways()
    for key, later in ((8, 0), (7, EXPIRES_S + 1)):
        heads = Heads(APART)
        feel(heads, street, STILL_S + 1)
        assert heads.stuck[0, 0]
        feel(heads, street, 1, begin_s=STILL_S + later, key=key)

        assert heads.stuck[0, 0] == (key == 7)
        if key == 8:
            assert heads.why[0] == 0


# the whole controller -------------------------------------------------------------------------


def wishes(seen: list[Observation], shift_s: int) -> list[int]:
    controller = AdaptiveController(FOUR, stage_table(FOUR, Order.SKIP))
    found = []
    for each in seen:
        later = replace(each, time_s=each.time_s + shift_s, seen_s=each.seen_s + shift_s)
        found.append(controller.decide(later).stage)
    return found


def test_a_later_day_and_an_equal_street_give_equal_wishes() -> None:
    street = ReplayStreet([FOUR], seed=2)
    seen: list[Observation] = []
    for _ in range(240):
        seen += street.observe()
        street.rest(1)
    found = wishes(seen, 0)

    assert wishes(seen, 0) == found
    assert wishes(seen, 7 * 60) == found
    assert wishes(seen, 86_400) == found
    assert len(set(found)) > 2


@pytest.mark.parametrize("order", [Order.ANY, Order.SKIP, Order.FIXED])
def test_a_queue_behind_an_empty_stage_is_not_left_standing(order: Order) -> None:
    table = stage_table(FOUR, order)
    controller = AdaptiveController(FOUR, table)
    waiting = standing(FOUR, {lane(FOUR, "E_1"): 6})
    asked = []
    for second in range(20):
        seen = look(FOUR, table, table.cycle[NS], 40 + second, waiting)
        later = replace(seen, time_s=1000 + second, seen_s=1000 + second)
        asked.append(controller.decide(later).stage)

    # The lefts of the other street are called; between lie an empty left and a stage with a walk.
    first = {Order.ANY: EWL, Order.SKIP: EW, Order.FIXED: NSL}[order]
    assert first in asked
    if order is not Order.FIXED:
        assert asked[0] == first


@pytest.mark.parametrize("full", [False, True])
def test_a_queue_before_a_full_exit_teaches_no_saturation_flow(
    monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    told: list[np.ndarray] = []
    monkeypatch.setattr(Learned, "discharged", lambda _self, *given: told.append(given[3]))
    table = stage_table(FOUR, Order.SKIP)
    controller = AdaptiveController(FOUR, table)
    seen = look(FOUR, table, table.cycle[NSL], 40, standing(FOUR, {lane(FOUR, "N_1"): 6}))
    controller.watch(replace(seen, blocked=np.full(len(FOUR.movements), full)))

    assert told[0].any() != full


def test_the_state_made_for_all_decides_like_one_made_by_itself() -> None:
    street = ReplayStreet([FOUR], seed=2)
    alone, given = (AdaptiveController(FOUR, stage_table(FOUR, Order.SKIP)) for _ in range(2))
    eyes = Eyes(FOUR)
    for _ in range(120):
        (seen,) = street.observe()

        assert alone.decide(seen).stage == given.decide(replace(seen, lanes=eyes.look(seen))).stage
        street.rest(1)


@pytest.mark.parametrize("held_up", [False, True])
def test_a_stage_that_fills_the_exit_of_who_stands_in_all_his_greens_is_left(
    *, held_up: bool
) -> None:
    into_one = {"NL": "short", "NR": "short", "NT": "short"}
    exits = tuple(into_one.get(m, e) for m, e in zip(FOUR.movements, FOUR.exits, strict=True))
    site = replace(FOUR, exits=tuple(LinkId(e) for e in exits))
    table = stage_table(site, Order.SKIP)
    controller = AdaptiveController(site, table)
    left, through = lane(site, "N_1"), lane(site, "N_0")
    stood = standing(site, {left: 2})
    for second in range(12 if held_up else 0):
        seen = look(site, table, table.cycle[NSL], 10 + second, waiting(stood, 80.0))
        controller.watch(later(seen, second))
    both = waiting(standing(site, {left: 2, through: 8}), 95.0, zone=int(stood.zone[0]))
    asked = controller.decide(later(look(site, table, table.cycle[NS], 40, both), 20)).stage

    assert asked == table.cycle[NSL if held_up else NS]


def waiting(vehicles: Vehicles, wait_s: float, zone: int | None = None) -> Vehicles:
    """Return them with those of a zone, or all, waiting for so long."""
    some = vehicles.zone >= 0 if zone is None else vehicles.zone == zone
    return replace(vehicles, wait_s=np.where(some, wait_s, vehicles.wait_s))


def later(seen: Observation, second: int) -> Observation:
    return replace(seen, time_s=seen.time_s + second, seen_s=seen.seen_s + second)
