# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.timing.queue import FOOT_M, MPH_MPS
from lvbo.timing.stops import (
    Segment,
    base_free_speed,
    free_speed,
    running_time,
    stops_per_km,
    travel_speed,
)

# HCM 7, chapter 30, section 8, example problem 1: a segment of 1,800 ft.
STREET = Segment(
    length_m=1800 * FOOT_M,
    entry_width_m=50 * FOOT_M,
    lanes=2,
    limit_mps=35 * MPH_MPS,
    volume_vph=1150,
    kerb_share=0.7,
    accesses=8,
    friction_s=0.387,
)


def test_the_segment_of_the_book() -> None:
    assert base_free_speed(STREET) / MPH_MPS == pytest.approx(40.78, abs=0.005)
    assert running_time(STREET) == pytest.approx(33.54, abs=0.01)
    assert travel_speed(STREET, 18.31) / MPH_MPS == pytest.approx(23.67, abs=0.005)
    assert stops_per_km(STREET, 0.547) * 1.609344 == pytest.approx(1.61, abs=0.01)


def test_less_delay_at_the_signal_is_more_travel_speed() -> None:
    assert travel_speed(STREET, 5.0) > travel_speed(STREET, 18.31)


def test_close_signals_and_traffic_slow_the_street() -> None:
    short = replace(STREET, length_m=120.0)
    empty = replace(STREET, volume_vph=0.0)

    assert free_speed(short) < free_speed(STREET)
    assert running_time(empty) < running_time(STREET)
