# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import UsageError
from lvbo.timing.pedestrian import (
    CrossedStreet,
    WalkWindow,
    bicycle_score,
    crossing_times,
    flash_finding,
    longest_wait,
    manual_times,
    pedestrian_score,
    textbook_minimum,
    two_stage_delay,
    two_stage_times,
    wait_finding,
    walk_delay,
)


def test_the_flash_lets_the_last_one_cross_fully() -> None:
    times = crossing_times(18.5, speed_mps=1.0)

    assert (times.walk_s, times.clear_s, times.total_s) == (7, 19, 26)


def test_a_refuge_lets_each_part_clear_alone() -> None:
    parts = two_stage_times([12, 10], speed_mps=1.0)

    assert [part.total_s for part in parts] == [19, 17]


def test_schools_and_ice_need_longer() -> None:
    assert crossing_times(16, speed_mps=0.8).clear_s == 20
    assert crossing_times(16, speed_mps=0.9).clear_s == 18


def test_a_far_button_lengthens_the_walk_not_the_clearance() -> None:
    near = manual_times(39.624)
    far = manual_times(39.624, button_m=18.288)

    assert (near.walk_s, near.clear_s) == (7, 38)
    assert (far.walk_s, far.clear_s, far.total_s) == (26, 38, 64)


def test_the_textbook_minimum_counts_the_intergreen() -> None:
    assert textbook_minimum(20, 5) == 22


def test_120_s_of_cycle_need_50_s_of_steady_green_or_a_second_service() -> None:
    assert longest_wait(120, 50) == 70
    assert longest_wait(120, 10, services=2) == 50
    assert wait_finding("J1 north", 70, refuge=False) is None
    advice = wait_finding("J1 north", 95, refuge=True)
    assert advice is not None
    assert (advice.code, advice.severity) == ("LV515", "advice")
    assert advice.fields == {"wait_s": 95, "limit_s": 90}


def test_a_short_flash_is_advice() -> None:
    advice = flash_finding("J1 north", 4, 18, 1.2)

    assert advice is not None
    assert advice.fields == {"flash_s": 4, "needed_s": 15.0}
    assert flash_finding("J1 north", 15, 18, 1.2) is None


def test_walking_delay_of_the_book() -> None:
    assert walk_delay(80, 7) == pytest.approx(29.756, abs=0.001)
    assert walk_delay(10, 20) == 0


@given(st.integers(0, 119), st.integers(0, 119), st.integers(4, 30), st.integers(3, 60))
def test_two_stage_delay_is_that_of_walking_it_second_by_second(
    start_x: int, start_y: int, walk: int, crossing: int
) -> None:
    cycle = 120
    windows = [
        WalkWindow(start_s=start_x, walk_s=walk),
        WalkWindow(start_s=start_y, walk_s=walk + 3),
    ]
    at = np.arange(0, cycle, 0.01) + 0.005

    def wait(window: WalkWindow, when: np.ndarray) -> np.ndarray:
        since = (when - window.start_s) % cycle
        return np.where(since < window.green_s, 0.0, cycle - since)

    first = wait(windows[0], at)
    # Who waited leaves with the walk, a hair inside it.
    leave = np.where(first > 0, start_x + 1e-7, at)
    walked = first + wait(windows[1], leave + crossing)

    assert two_stage_delay(cycle, windows, [float(crossing)]) == pytest.approx(
        walked.mean(), abs=0.2
    )


def test_waiting_less_scores_better_on_foot() -> None:
    street = CrossedStreet(
        lanes_crossed=4, through_lanes=2, volume_vph=1200, speed85_mps=16, turning_vph=80
    )
    short, long = pedestrian_score(street, 15.0), pedestrian_score(street, 60.0)

    assert short.value < long.value
    assert pedestrian_score(street, 0.0).delay == 0


def test_wider_outside_lanes_score_better_by_bicycle() -> None:
    assert bicycle_score(20, 5.5, 900, 2).value < bicycle_score(20, 3.5, 900, 2).value


def test_standing_pedestrians_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        crossing_times(18, speed_mps=0)

    assert caught.value.code == "LV505"
