# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import PlanError
from lvbo.ids import PhaseId
from lvbo.signal.offsets import (
    Reading,
    end_of_green,
    end_of_yellow,
    first_interval,
    moved_to,
    reversed_counter,
    start_of_flash,
    start_of_green,
)
from lvbo.testing import EW, NS, tiny_plan

# The tiny plan: cycle 100 s, offset 60 s; NS green 0 to 30, EW green 55 to 80, yellow 3 s.


def test_the_start_of_another_green_is_55_s_later() -> None:
    assert start_of_green(tiny_plan(60), NS) == 600
    assert start_of_green(tiny_plan(60), EW) == 150


def test_the_end_of_green_is_30_s_later() -> None:
    assert end_of_green(tiny_plan(60), NS) == 900


def test_the_start_of_the_flash_is_3_s_before_the_end_of_green() -> None:
    assert start_of_flash(tiny_plan(60), NS, 30) == 870


def test_the_end_of_yellow_is_3_s_after_the_end_of_green() -> None:
    assert end_of_yellow(tiny_plan(60), NS) == 930


def test_a_first_interval_at_local_second_85_gives_sumo_45() -> None:
    assert first_interval(tiny_plan(60), 850) == 450


def test_a_counter_that_runs_on_clock_plus_offset_needs_40() -> None:
    assert reversed_counter(tiny_plan(60)) == 400
    assert (600 + reversed_counter(tiny_plan(60))) % 1000 == 0


def test_a_reversed_counter_that_is_zero_at_local_second_10_needs_30() -> None:
    assert reversed_counter(tiny_plan(60), 100) == 300


READINGS: list[Reading] = [
    partial(start_of_green, phase=EW),
    partial(end_of_green, phase=NS),
    partial(end_of_yellow, phase=NS),
    partial(start_of_flash, phase=NS, flash_ds=30),
    partial(first_interval, local_ds=120),
    reversed_counter,
]


@pytest.mark.parametrize("reading", READINGS)
@given(value_s=st.integers(0, 99), offset_s=st.integers(0, 99))
def test_a_plan_moved_to_a_number_reads_that_number(
    reading: Callable[..., int], value_s: int, offset_s: int
) -> None:
    moved = moved_to(tiny_plan(offset_s), reading, 10 * value_s)

    assert reading(moved) == 10 * value_s


def test_a_phase_without_green_has_no_reference() -> None:
    with pytest.raises(PlanError) as caught:
        start_of_green(tiny_plan(), PhaseId("none"))

    assert caught.value.code == "LV334"
