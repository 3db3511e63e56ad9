# SPDX-License-Identifier: Apache-2.0
"""Exits that are full, seen or felt, and for how long they are taken to stay so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.control.crossroads import crossroads
from tests.control.test_adaptive_model import empty

from lvbo.control.sight import HELD_S, STAYS_S, Exits

TURNS = np.array([[0.6, 0.4, 0.0], [0.0, 0.0, 1.0]])
"""Which movements are made from two lanes."""


def test_the_blocked_part_of_a_lane_is_that_of_its_full_exits() -> None:
    exits = Exits(3, 2)

    exits.see(np.array([True, False, False]))
    assert exits.blocked(TURNS).tolist() == [0.6, 0.0]
    exits.see(np.array([True, True, True]))
    assert exits.blocked(TURNS).tolist() == [1.0, 1.0]


def test_an_exit_is_taken_to_stay_full_for_as_long_as_it_was() -> None:
    least_s, most_s = STAYS_S
    exits = Exits(3, 2)

    for second in range(1, 2 * most_s):
        exits.see(np.array([False, True, False]))
        assert exits.stays_s(TURNS).tolist() == [min(max(second, least_s), most_s), least_s]
    exits.see(np.zeros(3, dtype=bool))
    assert exits.stays_s(TURNS).tolist() == [least_s, least_s]


def stand(exits: Exits, seconds: int, *, left: float = 0.0, unseen: bool = True) -> None:
    """Let the first of two lanes stand in its green, or leave by so many a second."""
    first = np.array([True, False])
    usual = empty(crossroads())
    seen = replace(usual, left=left * first, queue=4.0 * first, stands=first)
    for _ in range(seconds):
        exits.see(np.zeros(3, dtype=bool))
        exits.feel(seen, first, unseen=unseen)


def test_who_stands_in_his_green_tells_of_an_exit_that_nobody_sees() -> None:
    exits, seen = Exits(3, 2), Exits(3, 2)
    stand(exits, HELD_S - 1)
    before = exits.blocked(TURNS)
    stand(exits, 1)
    stand(seen, HELD_S, unseen=False)

    assert not before.any()
    assert exits.blocked(TURNS).tolist() == [1.0, 0.0]
    assert exits.held.tolist() == [True, False]
    assert not seen.blocked(TURNS).any()
    assert seen.held.tolist() == [True, False]


def test_an_exit_that_is_felt_to_be_full_is_tried_again_later_and_later() -> None:
    least_s, _ = STAYS_S
    exits, nobody = Exits(3, 2), np.zeros(2, dtype=bool)
    two = np.ones(2, dtype=bool)
    standing = replace(empty(crossroads()), queue=4.0 * two, stands=two, left=0.0 * two)
    tried = []
    for _ in range(3):
        stand(exits, HELD_S)
        seconds = 0
        while exits.blocked(TURNS).any():
            exits.feel(standing, nobody, unseen=True)
            seconds += 1
        tried.append(seconds)
    stand(exits, 1, left=1.0)

    assert tried[0] == least_s
    assert tried == sorted(tried)
    assert tried[0] < tried[2]
    assert not exits.blocked(TURNS).any()


def test_how_long_an_exit_stays_full_is_told_of_those_who_want_it() -> None:
    _, most_s = STAYS_S
    shares = np.array([[0.99, 0.01, 0.0], [0.0, 0.0, 1.0]])
    exits = Exits(3, 2)
    for _ in range(2 * most_s):
        exits.see(np.array([False, True, False]))
    exits.see(np.array([True, True, False]))

    assert exits.stays_s(shares)[0] == STAYS_S[0]
