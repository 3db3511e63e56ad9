# SPDX-License-Identifier: Apache-2.0
"""Lane changes between the advance loops and the stop line, learned from counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import crossroads

from lvbo.control.weaving import PRIOR, Weaving
from lvbo.ids import LinkId

BOTH = LinkId("one link of two lanes")
SITE = replace(crossroads(), links=(BOTH, BOTH, *crossroads().links[2:]))
LANES = len(SITE.lanes)
SEEN = np.ones(LANES, dtype=bool)


def lanes(*first: float) -> np.ndarray:
    return np.array([*first, *[0.0] * (LANES - len(first))])


def learned(far: np.ndarray, line: np.ndarray, seconds: int = 600) -> Weaving:
    weaving = Weaving(SITE)
    for _ in range(seconds):
        weaving.take(far, line, SEEN, SEEN)
    return weaving


def test_at_first_everybody_is_taken_to_stay_on_his_lane() -> None:
    entered = lanes(2.0, 1.0)

    assert Weaving(SITE).shared(entered).tolist() == entered.tolist()


def test_who_passes_another_stop_line_is_expected_there() -> None:
    found = learned(lanes(0.3, 0.1), lanes(0.2, 0.2)).shared(lanes(3.0, 1.0))

    assert found.sum() == pytest.approx(4.0)
    assert found[:2] == pytest.approx([2.0, 2.0], abs=0.2)
    assert not found[2:].any()


def test_loops_that_miss_some_move_nobody() -> None:
    found = learned(lanes(0.3, 0.1), lanes(0.15, 0.05)).shared(lanes(3.0, 1.0))

    assert found[:2] == pytest.approx([3.0, 1.0])


def test_few_vehicles_prove_little() -> None:
    found = learned(lanes(0.3, 0.1), lanes(0.1, 0.3), seconds=10).shared(lanes(3.0, 1.0))

    assert 3.0 > found[0] > 3.0 * PRIOR / (PRIOR + 3.0)


def test_lanes_of_other_links_and_blind_ones_are_left_alone() -> None:
    weaving = Weaving(SITE)
    for _ in range(600):
        weaving.take(lanes(0.3, 0.1), lanes(0.1, 0.3), SEEN, ~SEEN)
    other = learned(lanes(0.2, 0.2, 0.3), lanes(0.2, 0.2, 0.1))

    assert weaving.shared(lanes(3.0, 1.0)).tolist() == lanes(3.0, 1.0).tolist()
    assert other.shared(lanes(0.0, 0.0, 2.0)).tolist() == lanes(0.0, 0.0, 2.0).tolist()
