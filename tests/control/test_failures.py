# SPDX-License-Identifier: Apache-2.0
"""Split failures, counted green by green, and what a lane counts that is left behind."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.control.failures import AFTER_S, GAP_S, MORE, MOST, ONCE, Failures

ONE = np.ones(1)
PLAIN = np.ones(1, dtype=np.float32)


def round_of(failures: Failures, *, gap_s: float = 0.0, stands: bool = True) -> None:
    """Let one lane have green, which ends after a gap, and somebody stand after it, or nobody."""
    for second in range(10 + AFTER_S + 4):
        green = second < 10
        gap = gap_s if second == 9 else 0.0
        failures.feel(np.array([stands and not green]), gap * ONE, np.array([green]))


def test_a_short_green_is_counted_and_a_longer_one_halves_the_count() -> None:
    failures = Failures(1)
    counts = []
    for stands in (True, True, False, False):
        round_of(failures, stands=stands)
        counts.append(float(failures.count[0]))

    assert counts == [1.0, 2.0, 1.0, 0.5]


def test_who_comes_after_a_gap_was_not_left_behind() -> None:
    failures = Failures(1)
    round_of(failures, gap_s=GAP_S + 1.0)

    assert failures.count[0] == 0.0


@pytest.mark.parametrize(
    ("rounds", "weight"),
    [(0, 1.0), (2, 1.0), (3, 1.0 + MORE), (20, 1.0 + MORE * (MOST - ONCE))],
)
def test_a_lane_counts_more_from_its_third_short_green_on(rounds: int, weight: float) -> None:
    failures = Failures(1)
    for _ in range(rounds):
        round_of(failures)

    assert failures.weighed(PLAIN)[0] == pytest.approx(weight)
