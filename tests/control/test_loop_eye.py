# SPDX-License-Identifier: Apache-2.0
"""Queues from loops: by hand, under loops that fail, and beside the replayed street."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import LANE, WHEELS, Queues, crossroads, turns_on_red
from tests.control.test_eyes import (
    ADVANCE_M,
    FOUR,
    LINE_M,
    SPAN_S,
    look_at,
    loops,
    replayed,
    truth,
)

from lvbo.control.estimate import MOST_QUEUE, SPACE_M, Served
from lvbo.control.loop_eye import EMPTY_S, GAP_S, SEVERAL_S, LoopEye
from lvbo.ids import LinkId
from lvbo.simulation.sensing import parse_sensing
from lvbo.testing import EW, NS, NSL, Condition

ETA_S = 3
"""From the advance loop to the stop line of the crossroads at 14 m/s, s."""


def test_a_vehicle_over_the_advance_loop_by_hand() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    begun = eye.look(look_at(site, EW, loops=loops({(NS, ADVANCE_M): 1.0})))
    for _ in range(ETA_S):
        coming = eye.look(look_at(site, EW, loops=loops()))
    there = eye.look(look_at(site, EW, loops=loops(covered={(NS, LINE_M): 1.0})))
    at = LANE[NS]

    assert np.flatnonzero(begun.arrivals[at, : ETA_S + 1] > 0.5).tolist() == [ETA_S]
    assert np.flatnonzero(coming.arrivals[at, : ETA_S + 1] > 0.5).tolist() == [0]
    assert [begun.queue[at], coming.queue[at], there.queue[at]] == [0.0, 0.0, 1.0]
    assert (coming.stands[at], there.stands[at]) == (False, True)
    assert coming.head[at] == -1 < there.head[at]


def test_loops_follow_a_queue_that_forms_and_goes() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    standing = {(NS, LINE_M): 1.0}
    for second in range(20):
        came = {(NS, ADVANCE_M): 1.0} if second % 4 == 0 else {}
        here = standing if second > ETA_S else {}
        red = eye.look(look_at(site, EW, loops=loops(came, here)))
    for second in range(12):
        left = {(NS, LINE_M): 1.0} if second % 2 == 0 else {}
        green = eye.look(look_at(site, NS, age_s=second, loops=loops(left, {})))

    assert red.queue[LANE[NS]] + red.arrivals[LANE[NS], : ETA_S + 1].sum() == pytest.approx(5.0)
    assert green.queue[LANE[NS]] == 0.0
    assert green.left[LANE[NS]] == 0.0


def scripted(miss: float, seconds: int, *, stuck: bool = False) -> np.ndarray:
    """Return estimated and true queues by second, (seconds, 2, lanes), of loops that fail."""
    site, eye, rng = crossroads(), LoopEye(crossroads(), SPAN_S), np.random.default_rng(3)
    street = Queues(site, dict.fromkeys(WHEELS, 300.0))
    found = []
    for second in range(seconds):
        going = WHEELS[second // 20 % 4]
        lit = second % 20 < 15
        seen = look_at(site, *((going,) if lit else ()), age_s=second % 20)
        before = [len(street.lines[p]) for p in WHEELS]
        passed = street.step(second, seen.lamps)
        raw = street.loops(passed)
        now = [len(street.lines[p]) + passed[p] for p in WHEELS]
        came = np.array([[0.0, b - a] for a, b in zip(before, now, strict=True)]).ravel()
        luck = rng.random(len(raw.passed)) >= miss
        broken = replace(raw, passed=(raw.passed + came) * luck)
        if stuck:
            at = np.arange(len(raw.passed)) < 2
            broken = replace(
                broken,
                passed=np.where(at, 0.0, broken.passed),
                occupied=np.where(at, 1.0, broken.occupied),
            )
        lanes = eye.look(replace(seen, loops=broken))
        found.append([lanes.queue, [len(street.lines[p]) for p in WHEELS]])
    return np.array(found)


def test_loops_that_see_all_are_close_to_the_truth() -> None:
    found = scripted(0.0, 1600)[160:]
    error = np.abs(found[:, 0] - found[:, 1])

    assert found[:, 1].max() >= 4
    assert error.mean() < 1.0
    assert error.max() <= 3.0


@pytest.mark.parametrize("miss", [0.1, 0.3])
def test_loops_that_miss_do_not_let_the_queue_grow(miss: float) -> None:
    found = scripted(miss, 2400)[160:]
    early, late = found[:640, 0], found[-640:, 0]

    assert (found[:, 0] - found[:, 1]).max() < 8
    assert late.mean() < early.mean() + 0.3
    assert np.abs(found[:, 0] - found[:, 1]).mean() < 1.5


def test_a_stuck_loop_keeps_its_lane_in_bounds_and_leaves_the_others_alone() -> None:
    found, sound = scripted(0.0, 1600, stuck=True), scripted(0.0, 1600)
    room = ADVANCE_M / 7

    assert found[:, 0, 0].max() <= MOST_QUEUE + room + 1
    assert np.abs(found[:, 0, 1:] - sound[:, 0, 1:]).max() == 0.0


def test_a_loop_that_gets_well_is_believed_again() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    jam = {(NS, LINE_M): 1.0, (NS, ADVANCE_M): 1.0}
    for _ in range(300):
        held = eye.look(look_at(site, EW, loops=loops(covered=jam)))
    for _ in range(EMPTY_S + SEVERAL_S):
        freed = eye.look(look_at(site, EW, loops=loops()))

    assert held.queue[LANE[NS]] > 5
    assert freed.queue[LANE[NS]] == 0.0


def test_a_gap_behind_the_first_one_does_not_end_a_queue_of_several() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    jam = {(NS, LINE_M): 1.0, (NS, ADVANCE_M): 1.0}
    for _ in range(5):
        eye.look(look_at(site, EW, loops=loops(covered=jam)))
    eye.look(look_at(site, NS, age_s=3, loops=loops({(NS, LINE_M): 1.0})))
    queues = []
    for second in range(GAP_S + SEVERAL_S):
        lanes = eye.look(look_at(site, NS, age_s=4 + second, loops=loops()))
        queues.append(float(lanes.queue[LANE[NS]]))

    assert queues[-2] == pytest.approx(ADVANCE_M / SPACE_M - 2.0, abs=0.1)  # one on it, one left
    assert queues[-1] == 0.0


def test_no_more_stand_between_the_loops_than_there_is_room_for() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    for second in range(200):
        came = {(NS, ADVANCE_M): 1.0} if second % 4 == 0 else {}
        lanes = eye.look(look_at(site, EW, loops=loops(came, {(NS, LINE_M): 1.0})))

    assert lanes.queue[LANE[NS]] == pytest.approx(ADVANCE_M / SPACE_M + 1.0)


def test_two_lanes_of_a_link_share_what_one_of_them_was_thought_to_hold() -> None:
    site = replace(crossroads(), links=tuple(map(LinkId, ("a", "a", "b", "b"))))
    eye = LoopEye(site, SPAN_S)
    came = {(NS, ADVANCE_M): 1.0}
    for second in range(8):
        lanes = eye.look(
            look_at(site, EW, loops=loops(came if second < 3 else {}, {(NSL, LINE_M): 1.0}))
        )

    # Three were thought to stand on the first lane; its stop line stays free, that of its
    # neighbour is covered: they changed over, behind the one who stands there.
    assert lanes.queue[[LANE[NS], LANE[NSL]]].tolist() == [0.0, pytest.approx(4.0)]


def test_loops_of_the_replayed_street_keep_close_to_its_queues() -> None:
    street = replayed(Condition(sensing=parse_sensing("loops")), load=0.4)
    eye, served = LoopEye(FOUR, SPAN_S), Served(FOUR)
    error, total = [], []
    for second in range(700):
        (seen,) = street.observe()
        lanes = eye.look(seen)
        red = served.green_s(seen) == 0
        if second > 120:
            error.append((lanes.queue - truth(street))[red])
            total.append(truth(street)[red])
        street.rest(1)
    errors = np.concatenate(error)

    assert np.concatenate(total).max() >= 4
    assert np.abs(errors).mean() < 1.0
    assert -11 < errors.min() < errors.max() < 8  # it sees no further than its advance loop


def test_a_stop_line_loop_knows_whether_somebody_stands() -> None:
    street = replayed(Condition(sensing=parse_sensing("stopline")), load=0.4)
    eye, served = LoopEye(FOUR, SPAN_S), Served(FOUR)
    right = []
    for second in range(500):
        (seen,) = street.observe()
        lanes = eye.look(seen)
        red = served.green_s(seen) == 0
        if second > 120:
            right.append(((lanes.queue > 0.5) == (truth(street) > 0))[red])
        street.rest(1)

    assert np.concatenate(right).mean() > 0.9


def packed(rounds: int, *, gap_s: int) -> float:
    """Return the queue of a lane that stands over its advance loop in each red, by its estimate.

    In each green a vehicle passes both loops every 2 s, in its last `gap_s` the stop line alone.
    """
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    line, far = (NS, LINE_M), (NS, ADVANCE_M)
    for at in [*range(40)] * rounds:
        if at < 20:
            seen = look_at(site, EW, loops=loops({}, {line: 1.0, far: 1.0}))
        else:
            over = (line, far) if at < 40 - gap_s else (line,)
            hit = () if at % 2 else over
            passed, covered = dict.fromkeys(hit, 1.0), dict.fromkeys(hit, 0.3)
            seen = look_at(site, NS, age_s=at - 20, loops=loops(passed, covered))
        state = eye.look(seen)
    return float(state.queue[LANE[NS]])


def test_a_queue_goes_on_beyond_its_loop_until_its_end_is_seen() -> None:
    few, many, ended = packed(3, gap_s=0), packed(12, gap_s=0), packed(12, gap_s=8)

    assert many > ended + 2.0
    assert few > ended


def starting(after_s: int, left: int) -> np.ndarray:
    """Return by second of green who is on a lane whose queue stood over both loops for 20 s.

    Somebody leaves its line every other second, `left` of them; after so many seconds the advance
    loop is free.
    """
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    line, far = {(NS, LINE_M): 1.0}, {(NS, ADVANCE_M): 1.0}
    for _ in range(20):
        state = eye.look(look_at(site, EW, loops=loops({}, line | far)))
    present = [state.present[LANE[NS]]]
    for second in range(1, 14):
        passed = line if second % 2 == 0 and second // 2 <= left else {}
        over = far if second == after_s else {}
        covered = far if second < after_s else {}
        seen = look_at(site, NS, age_s=second, loops=loops(passed | over, line | covered))
        present.append(eye.look(seen).present[LANE[NS]])
    return np.array(present)


def test_who_leaves_has_left_room_until_those_at_the_advance_loop_start() -> None:
    wave_s = int(ADVANCE_M / 5.0)
    present = starting(wave_s, left=6)

    gone = np.arange(wave_s) // 2
    assert present[:wave_s] == pytest.approx(present[0] - gone, abs=0.5)


def test_who_stood_on_the_advance_loop_counts_once() -> None:
    wave_s = int(ADVANCE_M / 5.0)
    present = starting(wave_s, left=0)

    assert present[wave_s] == pytest.approx(present[wave_s - 1], abs=0.1)


def test_those_at_the_advance_loop_have_closed_up_who_stand_for_longer() -> None:
    present = starting(60, left=1)

    assert present[2] == pytest.approx(present[0] - 1.0, abs=0.3)
    assert present[2 + int(ADVANCE_M / 5.0) + 1] >= present[0]


def test_who_is_shut_in_before_a_free_line_is_nobody_who_could_go_in_this_green() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    far = {(NS, ADVANCE_M): 1.0}
    for _ in range(10):
        red = eye.look(look_at(site, EW, loops=loops({}, far)))
    green = [eye.look(look_at(site, NS, age_s=s, loops=loops({}, far))) for s in range(30)]
    again = eye.look(look_at(site, EW, loops=loops({}, far)))
    queues = np.array([state.queue[LANE[NS]] for state in green])
    due_s = ADVANCE_M / 5.0 + ADVANCE_M / 14.0 + 3.0

    room = ADVANCE_M / SPACE_M
    assert [red.queue[LANE[NS]], again.queue[LANE[NS]]] == pytest.approx([room, room], abs=0.1)
    assert (queues[: int(due_s)] >= room).all()
    assert not queues[int(due_s) + 1 :].any()


def test_a_queue_that_leaves_over_a_covered_loop_is_not_shut_in() -> None:
    site, eye = crossroads(), LoopEye(crossroads(), SPAN_S)
    far = {(NS, ADVANCE_M): 1.0}
    for second in range(60):
        left = {(NS, LINE_M): 1.0} if second % 10 == 0 else {}
        state = eye.look(look_at(site, NS, age_s=second, loops=loops(left, far)))

    assert state.queue[LANE[NS]] >= ADVANCE_M / SPACE_M


def test_two_who_stand_at_red_beside_the_loop_do_not_end_a_queue_that_may_turn_right() -> None:
    queues = []
    for site in (crossroads(), turns_on_red(crossroads())):
        eye = LoopEye(site, SPAN_S)
        for second in range(60):
            far = {} if second >= 30 else {(NS, ADVANCE_M): 1.0}
            seen = look_at(site, EW, age_s=second, loops=loops({}, {(NS, LINE_M): 1.0} | far))
            state = eye.look(seen)
        queues.append(float(state.queue[LANE[NS]]))

    assert queues[0] == queues[1] > ADVANCE_M / SPACE_M
