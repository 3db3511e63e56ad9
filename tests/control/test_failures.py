# SPDX-License-Identifier: Apache-2.0
"""Greens in a row that were too short for those who stood at their start."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.control.failures import MORE, MOST, Failures

ONE = np.ones(1)
PLAIN = np.ones(1, dtype=np.float32)


def round_of(failures: Failures, *, stand: float, leave: float, come: float = 0.0) -> None:
    """Let one lane have a green of two seconds, then red."""
    for queue, left, green in (
        (stand, 0.0, True),
        (stand - leave + come, leave, True),
        (stand - leave + come, 0.0, False),
    ):
        failures.feel(queue * ONE, left * ONE, np.array([green]))


def test_a_green_too_short_is_counted_and_one_that_is_not_halves_the_count() -> None:
    failures = Failures(1)
    counts = []
    for leave in (4.0, 4.0, 6.0, 6.0):
        round_of(failures, stand=6.0, leave=leave)
        counts.append(float(failures.count[0]))

    assert counts == [1.0, 2.0, 1.0, 0.5]


def test_who_came_during_the_green_may_be_left_behind() -> None:
    failures = Failures(1)
    round_of(failures, stand=6.0, leave=6.0, come=5.0)

    assert failures.count[0] == 0.0


def test_a_queue_that_went_elsewhere_was_not_left_behind() -> None:
    failures = Failures(1)
    for queue, green in ((6.0, True), (0.0, True), (0.0, False)):
        failures.feel(queue * ONE, 0.0 * ONE, np.array([green]))

    assert failures.count[0] == 0.0


@pytest.mark.parametrize(
    ("rounds", "weight"), [(0, 1.0), (1, 1.0), (2, 1.0 + MORE), (20, 1.0 + MORE * (MOST - 1.0))]
)
def test_a_lane_counts_more_from_its_second_short_green_on(rounds: int, weight: float) -> None:
    failures = Failures(1)
    for _ in range(rounds):
        round_of(failures, stand=6.0, leave=4.0)

    assert failures.weighed(PLAIN)[0] == pytest.approx(weight)
