# SPDX-License-Identifier: Apache-2.0
"""The ladder of controllers: each rung, each way down, each way up, by faults put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.drives import LOCKED_S, LOOPS, Drive, chattering, silent, stuck

from lvbo.control.ladder import CONFIRM_S, FRESH_S, WELL_S
from lvbo.control.planned import make as make_planned
from lvbo.control.protocols import Capability, Order
from lvbo.control.registry import Situation
from lvbo.control.site import Site
from lvbo.signal.lamp import Countdown
from lvbo.signal.plan import Plan
from lvbo.simulation.sensing import Eye, Sensing
from lvbo.testing import four_stages, shapes, stage_plan, two_stages
from lvbo.text import Language, say

DEAD = Sensing(eye=Eye.NONE)
SETTLED_S = 400
"""In this time every rung has run its stages several times."""


@pytest.fixture
def site() -> Site:
    return four_stages()


@pytest.fixture
def plan(site: Site) -> Plan:
    return stage_plan(site)


def test_sound_sensing_and_equipment_that_takes_stages_keep_the_adaptive_controller(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(SETTLED_S)

    assert set(drive.rungs) == {"adaptive"}
    assert drive.codes == []
    assert drive.worst_s < LOCKED_S


def test_a_site_that_nobody_sees_runs_its_plan_from_the_first_second(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(200, sensing=DEAD)
    alone = make_planned(Situation(site=site, order=Order.SKIP, plan=plan, params={}))

    assert set(drive.rungs) == {"fixed"}
    assert drive.codes == ["LV755"]
    (seen,) = drive.street.observe()
    assert (alone.decide(seen).greens == drive.ladder.decide(seen).greens).all()


def test_a_site_that_nobody_sees_and_that_has_no_plan_serves_everybody_in_turn(site: Site) -> None:
    drive = Drive(site)
    drive.run(600, sensing=DEAD)

    assert set(drive.rungs) == {"actuated"}
    assert drive.longest_red_s(120) <= 120
    assert drive.worst_s < LOCKED_S


def test_dead_detectors_are_confirmed_before_they_change_the_rung(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(200)
    drive.run(CONFIRM_S - 2, sensing=DEAD)
    drive.run(50)
    drive.run(100, sensing=DEAD)

    assert drive.changes()[1:] == [(258 + CONFIRM_S - 1, "fixed")]
    assert drive.codes == ["LV755"]


def test_detectors_that_come_back_are_trusted_again_only_after_a_longer_time(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(100)
    drive.run(60, sensing=DEAD)
    drive.run(SETTLED_S)
    (_, top), (fell, low), (rose, high) = drive.changes()

    assert (top, low, high) == ("adaptive", "fixed", "adaptive")
    assert fell == 100 + CONFIRM_S - 1
    assert rose - 160 >= WELL_S - 1
    assert drive.codes == ["LV755", "LV757"]


def test_detectors_that_fail_again_and_again_do_not_make_the_rungs_flap(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    for _ in range(20):
        drive.run(30, sensing=DEAD)
        drive.run(50)

    assert [rung for _, rung in drive.changes()] == ["fixed"]


def test_the_way_up_takes_twice_as_long_each_time_that_a_rung_falls_back_soon(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(60)
    waits = []
    for _ in range(3):
        drive.run(30, sensing=DEAD)
        healed = len(drive.rungs)
        while drive.ladder.rung != "adaptive":
            drive.run(10)
        waits.append(drive.changes()[-1][0] - healed)

    assert WELL_S - 1 <= waits[0] < WELL_S + 60
    assert 2 * WELL_S - 1 <= waits[1] < 2 * WELL_S + 60
    assert 4 * WELL_S - 1 <= waits[2] < 4 * WELL_S + 60


@pytest.mark.parametrize(
    ("dead", "seen", "rung"), [(0.1, 7, "adaptive"), (0.25, 6, "adaptive"), (0.5, 4, "actuated")]
)
def test_few_dead_lanes_leave_the_adaptive_controller_many_the_actuated_one(
    site: Site, plan: Plan, dead: float, seen: int, rung: str
) -> None:
    drive = Drive(site, plan)
    drive.run(SETTLED_S, sensing=Sensing(eye=Eye.LOOPS, dead=dead))

    assert drive.working[-1].mean() == seen / 8
    assert set(drive.rungs) == {rung}
    assert drive.worst_s < LOCKED_S


def test_stale_lamps_give_the_site_away_at_once_and_fresh_ones_take_it_back_step_by_step(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(100)
    drive.run(20, stale_s=8)
    drive.run(SETTLED_S)
    rungs = [rung for _, rung in drive.changes()]

    assert rungs == ["adaptive", "local", "fixed", "adaptive"]
    assert drive.codes == ["LV750", "LV756", "LV757"]
    assert drive.changes()[1][0] == 100
    assert drive.changes()[2][0] == 119 + FRESH_S
    assert drive.released == 19 + FRESH_S


def test_a_lane_that_is_dead_for_good_does_not_keep_a_site_down_after_another_fault(
    site: Site, plan: Plan
) -> None:
    one_dead = Sensing(eye=Eye.LOOPS, dead=0.1)
    drive = Drive(site, plan)
    drive.run(60, sensing=one_dead)
    drive.run(10, sensing=one_dead, stale_s=8)
    drive.run(SETTLED_S, sensing=one_dead)

    assert [rung for _, rung in drive.changes()] == ["adaptive", "local", "fixed", "adaptive"]


def test_equipment_that_takes_less_gets_less_at_once(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(150)
    drive.run(150, capability=Capability.CYCLE)
    drive.run(150, capability=Capability.PLAN)
    drive.run(2 * WELL_S + 200)
    changes = drive.changes()

    assert changes[:3] == [(0, "adaptive"), (150, "cyclic"), (300, "fixed")]
    assert changes[3][1] == "adaptive"
    assert changes[3][0] >= 450 + WELL_S
    assert drive.codes == ["LV752", "LV752", "LV757"]


@pytest.mark.parametrize("countdown", [Countdown.FULL, Countdown.LEARNING])
def test_a_countdown_of_whole_greens_runs_the_plan_and_is_never_released(
    countdown: Countdown,
) -> None:
    shape = next(s for s in shapes() if s.site.rules.countdown is Countdown.FULL)
    rules = shape.site.rules
    assert rules.countdown is Countdown.FULL
    site = _counting(shape.site, countdown)
    drive = Drive(site, shape.plan, order=Order.FIXED)
    drive.run(300)

    assert set(drive.rungs) == {"fixed"}
    assert drive.codes == ["LV751"]
    assert drive.released == 0


def test_whole_greens_without_any_plan_are_left_to_the_site(site: Site) -> None:
    drive = Drive(_counting(site, Countdown.FULL))
    drive.run(60)

    assert set(drive.rungs) == {"local"}
    assert drive.released == 60


@pytest.mark.parametrize("late_s", [1, 3])
def test_late_commands_are_learned_and_cost_no_rung_and_no_lock(
    site: Site, plan: Plan, late_s: int
) -> None:
    drive = Drive(site, plan)
    drive.run(600, late_s=late_s)

    assert set(drive.rungs) == {"adaptive"}
    assert drive.worst_s < 200
    assert drive.longest_red_s(120) <= 120 + 2 * late_s
    changes = [r for r in drive.reasons[200:] if r.code == "LV774"]
    assert changes
    assert drive.ladder.late_s == late_s


def test_commands_that_come_too_late_for_stages_go_down_to_plans(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(300, late_s=6)

    assert drive.codes[0] == "LV753"
    assert drive.changes()[1][1] == "cyclic"


def test_a_site_that_does_not_obey_is_given_away_and_tried_again_ever_more_seldom(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(100)
    drive.run(200, obeys=False)
    assert drive.rungs[-1] == "local"
    assert drive.codes[0] == "LV754"
    drive.run(1000)

    assert drive.rungs[-1] == "adaptive"
    assert len(drive.changes()) <= 6


def test_stuck_loops_are_found_and_their_lanes_still_served(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(1200, spoil=stuck(1, 3))

    assert not drive.working[-1][[1, 3]].any()
    assert drive.working[-1].sum() == len(site.lanes) - 2
    assert drive.worst_s < LOCKED_S


def test_loops_that_fall_silent_are_found_where_traffic_was_usual(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(900)
    assert drive.working[-1].all()
    drive.run(900, spoil=silent(0))

    assert not drive.working[-1][0]
    assert drive.working[-1][1:].all()
    assert drive.worst_s < LOCKED_S


def test_loops_that_count_more_than_a_lane_carries_are_found_and_believed_again_later(
    site: Site, plan: Plan
) -> None:
    drive = Drive(site, plan)
    drive.run(100, spoil=chattering(4))
    doubted = drive.working[-1].copy()
    drive.run(200)

    assert np.flatnonzero(~doubted).tolist() == [4]
    assert drive.working[-1].all()


def test_who_takes_over_begins_from_the_lamps_shown(site: Site, plan: Plan) -> None:
    for wait in range(100, 180, 7):
        drive = Drive(site, plan)
        drive.run(wait)
        drive.run(3, capability=Capability.CYCLE)
        (before, after) = drive.lamps[wait - 1], drive.lamps[wait]
        greens = [row == [int(p.shows) for p in site.rules.phases] for row in (before, after)]
        wheels = ~site.walks

        assert drive.rungs[-1] == "cyclic"
        assert not (greens[0] & ~greens[1] & wheels).any(), wait


def test_every_change_of_rung_can_be_read_in_both_languages(site: Site, plan: Plan) -> None:
    drive = Drive(site, plan)
    drive.run(60)
    drive.run(20, stale_s=8)
    drive.run(300)
    drive.run(60, sensing=DEAD)
    drive.run(20, capability=Capability.PLAN)
    told = [r for r in drive.reasons if r.code in set(drive.codes)]

    assert {r.code for r in told} >= {"LV750", "LV755", "LV756", "LV757"}
    for reason in told:
        for language in Language:
            assert "{" not in say(reason.code, language, **reason.fields)


def test_a_site_of_two_stages_falls_and_rises_like_any_other() -> None:
    site = two_stages()
    drive = Drive(site, stage_plan(site), order=Order.ANY)
    drive.run(100)
    drive.run(100, sensing=DEAD)
    drive.run(300, sensing=LOOPS)

    assert [rung for _, rung in drive.changes()] == ["adaptive", "fixed", "adaptive"]


def _counting(site: Site, countdown: Countdown) -> Site:
    rules = replace(site.rules, countdown=countdown)
    return replace(site, controller=replace(site.controller, rules=rules))
