# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from lvbo.optimize.deadline import Deadline, shared_out, within


def still() -> float:
    return 100.0


def test_shares_count_what_is_left() -> None:
    until = within(60.0, still)

    assert until.left_s == 60.0
    assert until.after(0.25).at_s == 115.0
    assert not until.is_over


def test_of_time_that_is_over_nothing_is_left_to_share() -> None:
    over = Deadline(at_s=90.0, clock=still)

    assert over.is_over
    assert over.after(0.5).at_s == 100.0


@pytest.mark.parametrize(
    ("workers", "ends_s"),
    [(1, [10.0, 30.0, 40.0]), (2, [15.0, 30.0, 30.0]), (3, [15.0, 30.0, 15.0])],
)
def test_tasks_end_by_their_work_and_who_is_free_first(workers: int, ends_s: list[float]) -> None:
    """Works of 1, 2 and 1: two workers need as long as the second alone, or twice the others."""
    until = within(40.0 if workers == 1 else 30.0, still)
    ends = shared_out(until, [1.0, 2.0, 1.0], workers)

    assert [end.at_s - 100.0 for end in ends if end is not None] == ends_s


def test_without_a_deadline_no_task_has_one() -> None:
    assert shared_out(None, [1.0, 2.0]) == [None, None]
    assert shared_out(within(1.0, still), []) == []
