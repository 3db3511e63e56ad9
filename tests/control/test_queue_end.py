# SPDX-License-Identifier: Apache-2.0
"""Queues that reach the advance loop, second by second, by hand."""

from __future__ import annotations

import numpy as np

from lvbo.control.queue_end import END_S, QueueEnd

FAR_M = np.array([40.0])
"""The start and the end of a green come there after 8 s; all rest again after 16 s."""
FREE, OVER, PASSES = (0.0, 0.0), (0.0, 1.0), (1.0, 0.0)
"""Who passed, and for which share of the second the loop was covered."""


def after(*rows: tuple[int, tuple[float, float], int]) -> QueueEnd:
    """Return the end after so many seconds each of what the loop sees, from a second of green on.

    A green of 0 is red.
    """
    end = QueueEnd(1)
    for seconds, (passed, occupied), green in rows:
        for second in range(seconds):
            lit = np.array([green + second if green else 0])
            end.look(np.array([passed]), np.array([occupied]), FAR_M, lit)
    return end


def test_who_passes_is_no_queue_and_who_stands_is() -> None:
    assert not after((1, OVER, 0), (1, PASSES, 0)).packed[0]
    assert after((2, OVER, 0)).packed[0]


def test_two_who_stand_may_leave_the_loop_free() -> None:
    crept = after((5, OVER, 0), (1, PASSES, 0), (60, FREE, 0))

    assert crept.packed[0]
    assert not crept.reached[0]


def test_who_comes_at_red_and_leaves_the_loop_free_has_found_room() -> None:
    assert not after((2, OVER, 0), (20, FREE, 0), (1, PASSES, 0), (1, FREE, 0)).packed[0]


def test_a_gap_tells_only_while_the_queue_moves_there() -> None:
    standing = ((2, OVER, 0), (20, FREE, 0), (8, FREE, 1))

    assert after(*standing, (END_S - 1, FREE, 9)).packed[0]
    assert not after(*standing, (END_S, FREE, 9)).packed[0]


def test_where_there_is_no_advance_loop_nothing_is_known() -> None:
    end = QueueEnd(1)
    for _ in range(5):
        end.look(np.zeros(1), np.ones(1), np.zeros(1), np.zeros(1, dtype=np.int64))

    assert not end.packed[0]
