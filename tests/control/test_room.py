# SPDX-License-Identifier: Apache-2.0
"""Room that is kept for those who stand before a full exit in each of their greens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.control.crossroads import crossroads
from tests.control.test_adaptive_model import empty

from lvbo.control.room import GIVEN_UP_S, Room
from lvbo.ids import LinkId

SITE = crossroads()
LANES = len(SITE.lanes)
LONG_S = 60.0
SHORT = LinkId("short section")
SHARED = replace(SITE, exits=(SHORT, SHORT, *SITE.exits[2:]))
"""The first two lanes lead into one section."""
ONE_EACH = np.eye(LANES)
FIRST = np.arange(LANES) == 0


def stand(
    room: Room, seconds: int, *, wait_s: float = 100.0, queue: float = 4.0, left: float = 0.0
) -> None:
    """Let the first lane stand in its green, or leave by so many a second."""
    seen = replace(
        empty(SITE),
        queue=np.where(FIRST, queue, 0.0),
        wait_s=np.where(FIRST, wait_s, 0.0),
        left=np.where(FIRST, left, 0.0),
        stands=FIRST & (left <= 0),
    )
    for _ in range(seconds):
        room.feel(seen, FIRST & (left <= 0), LONG_S)


def kept(room: Room) -> list[float]:
    return [float(part) for part in room.kept_from(ONE_EACH)]


def test_room_is_kept_from_those_who_lead_to_the_same_exit() -> None:
    room = Room(SHARED)
    before = kept(room)
    stand(room, 1)

    assert not any(before)
    assert kept(room) == [0.0, 1.0] + [0.0] * (LANES - 2)


def test_only_the_part_that_turns_there_is_kept_back() -> None:
    room = Room(SHARED)
    stand(room, 1)
    shares = ONE_EACH.copy()
    shares[1, 1], shares[1, 2] = 0.4, 0.6

    assert room.kept_from(shares)[1] == 0.4


def test_nobody_keeps_room_from_himself_where_no_exit_is_shared() -> None:
    room = Room(SITE)
    stand(room, 1)

    assert room.owed[0] == 4.0
    assert not any(kept(room))


def test_who_has_not_waited_long_is_kept_no_room_for() -> None:
    room = Room(SHARED)
    stand(room, 10, wait_s=LONG_S - 1)

    assert not any(kept(room))


def test_room_is_kept_until_those_are_through_who_stood_there() -> None:
    room = Room(SHARED)
    stand(room, 1)
    stand(room, 3, left=1.0, wait_s=0.0)
    before = kept(room)
    stand(room, 1, left=1.0, wait_s=0.0)

    assert any(before)
    assert not any(kept(room))


def test_room_is_kept_for_one_after_the_other() -> None:
    room = Room(SHARED)
    stand(room, 1)
    third = np.arange(LANES) == 2
    seen = replace(empty(SITE), queue=np.where(FIRST | third, 4.0, 0.0))
    seen = replace(seen, wait_s=np.full(LANES, 100.0), stands=FIRST | third)
    for _ in range(6):
        room.feel(seen, third, LONG_S)

    assert room.owed[0] > 0
    assert room.owed[2] == 0

    for _ in range(GIVEN_UP_S):
        room.feel(seen, third, LONG_S)

    assert room.owed[0] == 0
    assert room.owed[2] > 0


def test_an_empty_lane_needs_no_room() -> None:
    room = Room(SHARED)
    stand(room, 1)
    stand(room, 1, queue=0.0)

    assert not any(kept(room))


def test_room_that_nobody_can_use_is_given_up_until_somebody_moves() -> None:
    room = Room(SHARED)
    stand(room, GIVEN_UP_S)
    before = kept(room)
    stand(room, 6)
    after = kept(room)
    stand(room, 1, left=1.0)
    stand(room, 1)

    assert any(before)
    assert not any(after)
    assert any(kept(room))
