# SPDX-License-Identifier: Apache-2.0
"""The replayed street: who comes and goes, what detectors show of it, who commands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lvbo.control.gate import STALE_S
from lvbo.control.protocols import Capability, Observation, Verdict
from lvbo.control.site import Site
from lvbo.ids import ControllerId, PhaseId
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import Lamp
from lvbo.signal.watch import LampChecker
from lvbo.simulation.sensing import STOP_LOOP_M, Eye, Sensing, parse_sensing
from lvbo.testing import Condition, ReplayStreet, four_stages, named, shapes, two_stages

SITE = four_stages()


def street(condition: Condition | None = None, *, seed: int = 3, site: Site = SITE) -> ReplayStreet:
    return ReplayStreet([site], seed=seed, condition=condition)


def green(site: Site, *phases: str) -> dict[ControllerId, Verdict]:
    """Return the verdict that lights these phases and no other."""
    shows = np.array([int(phase.shows) for phase in site.rules.phases], dtype=np.int64)
    on = np.isin(site.phases, phases)
    return {site.id: Verdict(lamps=np.where(on, shows, int(Lamp.RED)))}


def drive(where: ReplayStreet, seconds: int, *phases: str) -> list[Observation]:
    found: list[Observation] = []
    for _ in range(seconds):
        found += where.observe()
        where.show(green(where.sites[0], *phases))
    return found


def leaving(where: ReplayStreet, seconds: int, *phases: str) -> list[int]:
    """Return, second by second, the movements of those who left."""
    found: list[int] = []
    for _ in range(seconds):
        before = dict(zip(where.queues.key.tolist(), where.queues.move.tolist(), strict=True))
        where.show(green(where.sites[0], *phases))
        found += [before[key] for key in before.keys() - set(where.queues.key.tolist())]
    return found


def test_the_same_seed_gives_the_same_street_and_another_does_not() -> None:
    def keys(seed: int) -> list[list[float]]:
        seen = drive(street(seed=seed), 60, "NS")
        return [o.vehicles.distance_m.tolist() for o in seen if o.vehicles is not None]

    assert keys(1) == keys(1)
    assert keys(1) != keys(2)


def test_nobody_leaves_at_red_and_all_who_come_queue() -> None:
    where = street()
    gone = leaving(where, 120)

    assert gone == []
    assert where.vehicles > 20


def test_only_those_served_leave_and_at_most_one_in_1_7_s_by_lane() -> None:
    where = street()
    drive(where, 120)
    gone = leaving(where, 30, "NS")
    made = {SITE.movements[k] for k in gone}

    assert made <= {"NT", "ST", "NR", "SR"}
    assert 16 <= len(gone) <= 2 * 30 / 1.7


def test_vehicles_of_a_lane_keep_their_room() -> None:
    where = street()
    for phases in (("NS",), (), ("EWL",)):
        drive(where, 40, *phases)
        lane, left_m = where.queues.lane, where.queues.left_m
        same = lane[1:] == lane[:-1]

        assert ((left_m[1:] - left_m[:-1])[same] >= 7.0).all()
        assert (np.diff(lane) >= 0).all()


def test_those_who_give_way_wait_for_gaps() -> None:
    site = two_stages()
    where = street(site=site)
    drive(where, 150)
    shared = leaving(where, 40, "N", "S")
    where = street(site=site)
    drive(where, 150)
    alone = leaving(where, 40, "N")

    assert 0 < len(shared) < 2 * len(alone)


def test_a_full_exit_holds_its_movements_and_is_seen() -> None:
    where = street(Condition(full_exits=True))
    drive(where, 100)
    (seen,) = where.observe()
    gone = leaving(where, 30, "NS", "NSL")

    assert seen.blocked[::2].all()
    assert not seen.blocked[1::2].any()
    assert all(move % 2 for move in gone)


def test_loops_count_everyone_who_leaves_once() -> None:
    where = street(Condition(sensing=parse_sensing("stopline")))
    gone, passed = 0, 0.0
    for second in range(120):
        gone += len(leaving(where, 1, *(("NS",) if second > 40 else ())))
        (seen,) = where.observe()
        assert seen.vehicles is None
        assert seen.loops is not None
        passed += float(seen.loops.passed.sum())
    beyond = int((where.queues.left_m <= STOP_LOOP_M).sum())

    assert gone > 15
    assert passed == gone + beyond


def test_areas_see_who_left_and_which_way() -> None:
    where = street()
    drive(where, 120)
    gone, seen = [], []
    for _ in range(30):
        gone += leaving(where, 1, "NS")
        (observed,) = where.observe()
        assert observed.crossed is not None
        assert SITE.uses[observed.crossed.lane, observed.crossed.movement].all()
        seen += observed.crossed.movement.tolist()

    assert len(gone) > 10
    assert sorted(seen) == sorted(gone)


def test_dead_lanes_show_nobody_and_say_so() -> None:
    (area,) = drive(street(Condition(sensing=Sensing(dead=1.0))), 1)
    late = drive(street(Condition(sensing=Sensing(eye=Eye.LOOPS, dead=1.0))), 50)[-1]

    assert not area.working.any()
    assert area.vehicles is not None
    assert not len(area.vehicles.key)
    assert late.loops is not None
    assert not late.loops.occupied.any()


def test_without_detectors_nothing_is_seen_and_no_lane_works() -> None:
    seen = drive(street(Condition(sensing=Sensing(eye=Eye.NONE))), 20)[-1]

    assert seen.vehicles is None
    assert seen.loops is None
    assert not seen.working.any()


def test_late_sensing_shows_what_was_there_and_stale_lamps_are_old() -> None:
    prompt = drive(street(), 60, "NS")
    late = drive(street(Condition(sensing=Sensing(latency_s=3), stale_s=2)), 60, "NS")

    for k in range(10, 60):
        now, then = late[k], prompt[k - 3]
        assert now.vehicles is not None
        assert then.vehicles is not None
        assert now.vehicles.distance_m.tolist() == then.vehicles.distance_m.tolist()
        assert now.time_s - now.seen_s == 2
        assert now.lamps.tolist() == prompt[k - 2].lamps.tolist()
        assert now.since_s.tolist() == prompt[k - 2].since_s.tolist()


def test_connected_vehicles_are_a_share_of_all() -> None:
    def keys(sensing: Sensing) -> set[int]:
        seen = drive(street(Condition(sensing=sensing)), 200)
        return {k for o in seen if o.vehicles is not None for k in o.vehicles.key.tolist()}

    every, some = keys(Sensing()), keys(parse_sensing("connected:0.3"))
    (reported,) = drive(street(Condition(sensing=parse_sensing("connected:0.3"))), 1)

    assert reported.sampled
    assert some < every
    assert 0.15 < len(some) / len(every) < 0.45


def test_vehicles_far_back_are_seen_on_the_stretch_that_all_lanes_share() -> None:
    fan = next(shape for shape in shapes() if shape.name == "shared lanes upstream").site
    seen = drive(street(site=fan), 60)[-1]
    assert seen.vehicles is not None
    shared = np.array([len(zone.lanes) > 1 for zone in fan.zones])[seen.vehicles.zone]

    assert shared.any()
    assert (shared == (seen.vehicles.distance_m > 60.0)).all()


def test_people_on_foot_call_until_they_go() -> None:
    where = street()
    waiting = drive(where, 200)[-1]
    served = drive(where, 2, "WALK_NS")[-1]
    walk = SITE.phases.index(PhaseId("WALK_NS"))

    assert waiting.calls.tolist() == SITE.walks.tolist()
    assert not served.calls[walk]


def test_a_site_that_is_told_nothing_keeps_its_lamps_and_then_runs_itself_safely() -> None:
    for shape in shapes():
        where = street(site=shape.site)
        checker = LampChecker(shape.site.rules)
        first = str(shape.site.rules.orders[0][0][0])
        drive(where, 30, first)
        shown = []
        for _ in range(200):
            where.rest(1)
            shown.append(where.lamps_of(0).tolist())
            assert checker.see(10 * where.now_s, shown[-1]) == ()

        assert shown[:STALE_S] == [shown[0]] * STALE_S
        assert len({tuple(row) for row in shown}) > 4


def test_a_released_site_runs_itself_at_once() -> None:
    where = street()
    drive(where, 30, "NS")
    for _ in range(STALE_S):
        where.show({SITE.id: Verdict(lamps=None)})

    assert where.lamps_of(0)[SITE.phases.index(PhaseId("NS"))] != int(Lamp.GREEN)


def test_many_sites_have_traffic_of_their_own_and_are_seen_in_the_order_of_their_ids() -> None:
    many = ReplayStreet([named(SITE, name) for name in ("b", "a", "c")], seed=1)
    many.rest(60)
    seen = many.observe()
    left = [o.vehicles.distance_m.tolist() for o in seen if o.vehicles is not None]

    assert [o.controller for o in seen] == ["a", "b", "c"]
    assert left[0] != left[1] != left[2]
    assert all(len(own) > 3 for own in left)


@pytest.mark.parametrize("make", [four_stages, two_stages])
def test_the_plan_of_every_shape_is_safe(make: Callable[[], Site]) -> None:
    for shape in shapes():
        assert is_safe(shape.plan, shape.site.rules), shape.name
    assert {shape.capability for shape in shapes()} == {Capability.STAGE, Capability.PLAN}
    assert len(make().lanes) in {4, 8}
