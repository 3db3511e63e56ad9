# SPDX-License-Identifier: Apache-2.0
"""Split failures, counted green by green, and what a lane counts that is left behind."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control.crossroads import LANE, crossroads, turns_on_red
from tests.control.test_eyes import ADVANCE_M, LINE_M, look_at, loops

from lvbo.control.adaptive import AdaptiveController
from lvbo.control.failures import AFTER_S, GAP_S, MORE, MOST, ONCE, Failures
from lvbo.control.protocols import Order
from lvbo.control.stages import stage_table
from lvbo.testing import EW, NS

ALONE = np.ones((1, 1), dtype=bool)
PLAIN = np.ones(1, dtype=np.float32)


def round_of(
    failures: Failures, *, gap_s: float = 0.0, stands: bool = True, passes: bool = True
) -> None:
    """Let lanes have green, which ends after a gap, and somebody stand after it, or nobody."""
    all_ = np.ones_like(failures.count)
    for second in range(10 + AFTER_S + 4):
        green = second < 10
        gap, left = gap_s if second == 9 else 0.0, float(passes and green and second % 2 == 0)
        behind = np.full(len(all_), stands and not green)
        failures.feel(behind, gap * all_, left * all_, np.full(len(all_), green))


def test_a_short_green_is_counted_and_a_longer_one_halves_the_count() -> None:
    failures = Failures(ALONE)
    counts = []
    for stands in (True, True, False, False):
        round_of(failures, stands=stands)
        counts.append(float(failures.count[0]))

    assert counts == [1.0, 2.0, 1.0, 0.5]


def test_who_comes_after_a_gap_was_not_left_behind() -> None:
    failures = Failures(ALONE)
    round_of(failures, gap_s=GAP_S + 1.0)

    assert failures.count[0] == 0.0


def test_a_longer_green_would_not_help_who_stands_in_it() -> None:
    failures = Failures(ALONE)
    round_of(failures, passes=False)

    assert failures.count[0] == 0.0


@pytest.mark.parametrize(
    ("rounds", "weight"),
    [(0, 1.0), (2, 1.0), (3, 1.0 + MORE), (20, 1.0 + MORE * (MOST - ONCE))],
)
def test_a_lane_counts_more_from_its_third_short_green_on(rounds: int, weight: float) -> None:
    failures = Failures(ALONE)
    for _ in range(rounds):
        round_of(failures)

    assert failures.weighed(PLAIN)[0] == pytest.approx(weight)


def test_where_all_are_left_behind_none_counts_more() -> None:
    apart, together = np.eye(2, dtype=bool), np.ones((1, 2), dtype=bool)
    weight = np.ones(2, dtype=np.float32)
    both = []
    for serves in (apart, together):
        failures = Failures(serves)
        for _ in range(4):
            round_of(failures)
        both.append(failures.weighed(weight).tolist())

    assert both == [[1.0, 1.0], [1.0 + 2 * MORE, 1.0 + 2 * MORE]]


def test_short_greens_count_also_where_the_lane_may_turn_right_at_red() -> None:
    counts = []
    for site in (crossroads(), turns_on_red(crossroads())):
        controller = AdaptiveController(site, stage_table(site, Order.SKIP))
        for second in range(4 * 30):
            going, age_s = (NS, second % 30) if second % 30 < 10 else (EW, second % 30 - 10)
            passes = {(NS, LINE_M): 1.0} if going == NS and second % 2 == 0 else {}
            far = {(NS, ADVANCE_M): 1.0}
            here = far if going == NS else far | {(NS, LINE_M): 1.0}
            seen = look_at(
                site, going, age_s=age_s, time_s=second, seen_s=second, loops=loops(passes, here)
            )
            controller.decide(seen)
        counts.append(controller._failures.count[LANE[NS]])

    assert counts == [4.0, 4.0]
