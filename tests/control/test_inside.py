# SPDX-License-Identifier: Apache-2.0
"""Who yields within the junction is let across before foes start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import LANE, crossroads, vehicles

from lvbo.control._count_kernels import COUNT_MEMORY, EMPTY_S
from lvbo.control.inside import ACROSS_BEFORE_S, ACROSS_S, MOST_S, STOOD_S, YELLOW_S, Inside
from lvbo.control.protocols import Crossings, Observation, Order
from lvbo.control.registry import ControllerSpec, Situation, make_controller
from lvbo.control.site import YIELDING, Site
from lvbo.control.stages import stage_table
from lvbo.signal.lamp import Lamp
from lvbo.testing import EW, NS

NOW_S = 1000
GREEN = np.ones(len(LANE), dtype=bool)
ONLY = np.eye(len(LANE), dtype=bool)
NOBODY = np.zeros(len(LANE), dtype=bool)


def crossed(*lanes: int) -> Crossings:
    lane = np.array(lanes, dtype=np.int64)
    return Crossings(lane=lane, movement=lane)


def left(*lanes: int) -> np.ndarray:
    return np.bincount(np.array(lanes, dtype=np.int64), minlength=len(LANE)).astype(float)


def test_who_left_the_stop_line_and_was_not_seen_to_arrive_stands_within() -> None:
    inside = Inside(crossroads())
    inside.take(left(0, 0, 1, 1, 2), crossed(), GREEN, NOBODY)
    inside.take(left(), crossed(1), GREEN, NOBODY)
    for _ in range(ACROSS_S):
        inside.take(left(), crossed(), GREEN, NOBODY)

    assert [inside.may_lock(lane) for lane in ONLY] == [True, False, False, False]

    inside.take(left(), crossed(0), GREEN, NOBODY)

    assert not inside.may_lock(GREEN)


def test_nobody_stands_within_where_no_arrivals_are_seen() -> None:
    inside = Inside(crossroads())
    for _ in range(2 * ACROSS_S):
        inside.take(left(0, 0), None, GREEN, NOBODY)

    assert not inside.may_lock(GREEN)


def test_a_lane_whose_vehicles_are_often_lost_is_not_believed() -> None:
    inside = Inside(crossroads())
    for _ in range(int(COUNT_MEMORY)):
        inside.take(left(0, 0, 0), crossed(0, 0), GREEN, NOBODY)

    assert not inside.may_lock(ONLY[0])


def test_a_long_red_shows_that_nobody_is_within() -> None:
    inside = Inside(crossroads())
    inside.take(left(0, 0), crossed(), GREEN, NOBODY)
    for _ in range(EMPTY_S):
        inside.take(left(), crossed(), ~GREEN, NOBODY)

    assert inside.may_lock(ONLY[0])

    inside.take(left(), crossed(), ~GREEN, NOBODY)

    assert not inside.may_lock(ONLY[0])


def facing() -> Site:
    """Return the crossroads where those of the first two lanes yield to each other."""
    site = crossroads()
    yields = site.yields.copy()
    yields[0, 1] = yields[1, 0] = True
    return replace(site, yields=yields)


def shared() -> Site:
    """Return that crossroads where some of the second lane go on without yielding."""
    site = facing()
    uses = site.uses.copy()
    uses[1, 2] = True
    return replace(site, uses=uses)


def two_from_each_side(site: Site) -> Inside:
    """Return who is within: from each of two lanes one who stands and one who has just left."""
    inside = Inside(site)
    inside.take(left(0, 1), crossed(), GREEN, NOBODY)
    for _ in range(ACROSS_S - 1):
        inside.take(left(), crossed(), GREEN, NOBODY)
    inside.take(left(0, 1), crossed(), GREEN, NOBODY)
    return inside


def test_two_who_stand_face_to_face_may_lock_with_somebody_right_behind_each() -> None:
    inside = two_from_each_side(facing())

    assert inside.may_lock(GREEN)
    assert not inside.may_lock(ONLY[0] | ONLY[2])

    inside.take(left(), crossed(1), GREEN, NOBODY)

    assert not inside.may_lock(GREEN)


@pytest.mark.parametrize(
    ("stood_s", "went", "red_s", "locks"),
    [
        (STOOD_S, 2, 1, True),
        (STOOD_S - YELLOW_S, 2, YELLOW_S, True),  # in the yellow, too, but not longer
        (STOOD_S - YELLOW_S - 1, 2, YELLOW_S + 1, False),
        (STOOD_S, 1, 1, False),
        (STOOD_S, 2, EMPTY_S + 1, False),
    ],
)
def test_without_arrivals_one_who_stood_in_green_and_several_who_face_him_may_lock(
    *, stood_s: int, went: int, red_s: int, locks: bool
) -> None:
    inside = Inside(shared())
    inside.take(left(), None, ~GREEN, NOBODY)
    inside.take(left(0, *[1] * went), None, GREEN, NOBODY)
    for _ in range(stood_s):
        inside.take(left(), None, GREEN, ONLY[0])
    for _ in range(red_s):
        inside.take(left(), None, ~GREEN, ONLY[0])

    assert inside.may_lock(GREEN) == locks

    inside.forget()

    assert not inside.may_lock(GREEN)


def one_stood(site: Site, *, after: int = 0) -> Inside:
    """Return who is within where the first one of a lane stood, went, and had green `after`."""
    inside = Inside(site)
    inside.take(left(), None, ~GREEN, NOBODY)
    inside.take(left(0, 1, 1), None, GREEN, NOBODY)
    for _ in range(STOOD_S):
        inside.take(left(), None, GREEN, ONLY[0])
    for _ in range(after):
        inside.take(left(), None, GREEN, NOBODY)
    inside.take(left(), None, ~GREEN, NOBODY)
    return inside


def test_once_he_moves_in_the_yellow_those_before_him_need_some_seconds_more() -> None:
    inside = one_stood(shared())
    held = []
    for _ in range(ACROSS_BEFORE_S + 1):
        held.append(inside.may_lock(GREEN))
        inside.take(left(), None, ~GREEN, NOBODY)

    assert held == [True] * (ACROSS_BEFORE_S + 1)
    assert not inside.may_lock(GREEN)


def test_once_he_moves_they_are_not_waited_for_again_after_the_patience_is_over() -> None:
    inside = one_stood(shared())
    inside.forget()

    assert not inside.may_lock(GREEN)


@pytest.mark.parametrize(
    ("after_s", "locks"), [(ACROSS_BEFORE_S - 1, True), (ACROSS_BEFORE_S + 1, False)]
)
def test_who_moves_on_in_his_green_is_within_only_where_it_ends_soon(
    *, after_s: int, locks: bool
) -> None:
    assert one_stood(shared(), after=after_s).may_lock(GREEN) == locks


def test_who_stands_at_red_after_the_yellow_is_no_longer_counted_up() -> None:
    inside = Inside(shared())
    inside.take(left(0, 1, 1), None, GREEN, ONLY[0])
    for _ in range(YELLOW_S + STOOD_S):
        inside.take(left(), None, ~GREEN, ONLY[0])

    assert not inside.may_lock(GREEN)


def test_without_arrivals_lanes_in_which_all_yield_do_not_lock() -> None:
    inside = Inside(facing())
    inside.take(left(0, 1, 1), None, GREEN, NOBODY)
    for _ in range(STOOD_S):
        inside.take(left(), None, GREEN, ONLY[0])

    assert not inside.may_lock(GREEN)


def test_who_stood_in_an_earlier_green_only_is_not_within() -> None:
    inside = Inside(shared())
    inside.take(left(0, 1, 1), None, GREEN, NOBODY)
    for _ in range(STOOD_S):
        inside.take(left(), None, GREEN, ONLY[0])
    inside.take(left(), None, ~GREEN, NOBODY)
    inside.take(left(0, 1, 1), None, GREEN, NOBODY)

    assert not inside.may_lock(GREEN)


def test_those_who_do_not_yield_to_each_other_do_not_lock() -> None:
    assert not two_from_each_side(crossroads()).may_lock(GREEN)


def yielding() -> Site:
    """Return the crossroads whose first lane yields in its stage."""
    site = crossroads()
    serves = site.serves.copy()
    serves[site.phases.index(NS), LANE[NS]] = YIELDING
    return replace(site, serves=serves)


class Told:
    """One controller and what it is told second by second."""

    def __init__(self, site: Site, *, looked_at: bool = True) -> None:
        self.site = site
        self.looked_at = looked_at
        self.now_s = NOW_S
        situation = Situation(site=site, order=Order.ANY, params={})
        self.controller = make_controller(ControllerSpec(name="lvbo"), situation)

    def wish(self, lamp: Lamp | None, *, came: int = 0, across: int = 0) -> np.ndarray:
        """Return the greens wished while the first lane shows a lamp, None for its green."""
        site, at = self.site, self.site.phases.index(NS)
        lamps = np.zeros(len(site.phases), dtype=np.int64)
        lamps[at] = int(site.rules.phases[at].shows) if lamp is None else int(lamp)
        found = {LANE[EW]: (5.0, 0.0)}
        found |= {LANE[NS] + len(LANE) * k: (2.0, 5.0) for k in range(came)}
        seen = Observation(
            controller=site.id,
            time_s=self.now_s,
            seen_s=self.now_s,
            lamps=lamps,
            since_s=np.full(len(site.phases), self.now_s - NOW_S + 60, dtype=np.int64),
            vehicles=replace(shown := vehicles(found), zone=shown.key % len(LANE)),
            crossed=crossed(*[LANE[NS]] * across) if self.looked_at else None,
            working=np.ones(len(site.lanes), dtype=bool),
            blocked=np.zeros(len(site.movements), dtype=bool),
            calls=np.zeros(len(site.phases), dtype=bool),
        )
        self.now_s += 1
        return self.controller.decide(seen).greens


def test_a_change_waits_until_they_are_across_but_not_for_ever() -> None:
    site = yielding()
    ew = site.phases.index(EW)
    told = Told(site)
    told.wish(None, came=2)
    wished = [told.wish(None)[ew]]
    wished += [told.wish(Lamp.YELLOW)[ew] for _ in range(3)]
    held = [told.wish(Lamp.RED)[ew] for _ in range(ACROSS_S)]

    assert any(wished)
    assert not held[-1]
    assert told.wish(Lamp.RED, across=2)[ew]

    again = Told(site)
    again.wish(None, came=2)
    again.wish(None)
    last = [again.wish(Lamp.RED)[ew] for _ in range(60)]

    assert not last[ACROSS_S]
    assert last[MOST_S + 20]


def test_who_is_only_supposed_within_is_waited_for_as_long_as_who_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Inside, "may_lock", lambda *_: True)
    site = yielding()
    ew = site.phases.index(EW)
    waited_s = []
    for looked_at in (True, False):
        told = Told(site, looked_at=looked_at)
        told.wish(None, came=2)
        told.wish(None)
        changing = [told.wish(Lamp.YELLOW)[ew] for _ in range(3)]
        changing += [told.wish(Lamp.RED)[ew] for _ in range(4 * MOST_S)]
        waited_s.append(changing.index(True))

    change_s = stage_table(site, Order.ANY).change_s.max()
    assert waited_s[0] == waited_s[1] >= change_s + MOST_S
