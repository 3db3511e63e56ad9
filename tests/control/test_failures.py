# SPDX-License-Identifier: Apache-2.0
"""Split failures, followed green by green, and what a lane counts that is left behind for long."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.control.failures import AFTER_S, AGAIN_S, GAP_S, LONG_S, MORE, MOST, Failures

ONE = np.ones(1)
PLAIN = np.ones(1, dtype=np.float32)
GREEN_S, ROUND_S = 10, 60


def round_of(failures: Failures, *, gap_s: float = 0.0, stands: bool = True) -> None:
    """Let one lane have green, which ends after a gap, and somebody stand after it, or nobody."""
    for second in range(ROUND_S):
        green = second < GREEN_S
        gap = gap_s if second == GREEN_S - 1 else 0.0
        failures.feel(np.array([stands and not green]), gap * ONE, np.array([green]))


def test_short_greens_are_followed_and_one_that_is_not_halves_their_time() -> None:
    failures = Failures(1)
    times = []
    for stands in (True, True, False, False):
        round_of(failures, stands=stands)
        times.append(float(failures.short_s[0]))

    first = ROUND_S - GREEN_S - AFTER_S + 1
    until_told = first + ROUND_S + GREEN_S + AFTER_S - 1
    assert times == [first, first + ROUND_S, until_told / 2, until_told / 4]


def test_who_comes_after_a_gap_was_not_left_behind() -> None:
    failures = Failures(1)
    round_of(failures, gap_s=GAP_S + 1.0)

    assert failures.short_s[0] == 0.0


@pytest.mark.parametrize(
    ("short_s", "weight"),
    [
        (0.0, 1.0),
        (LONG_S, 1.0),
        (LONG_S + AGAIN_S, 1.0 + MORE),
        (3600.0, 1.0 + MORE * MOST),
    ],
)
def test_a_lane_counts_more_the_longer_it_is_left_behind(short_s: float, weight: float) -> None:
    failures = Failures(1)
    failures.short_s[0] = short_s

    assert failures.weighed(PLAIN)[0] == pytest.approx(weight)
