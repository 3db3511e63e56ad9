# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.timing.capacity import (
    bus_factor,
    capacity,
    effective_green,
    heavy_and_grade_factor,
    parking_factor,
    saturation,
    width_factor,
)
from lvbo.timing.delay import (
    PLATOON_RATIO,
    Conditions,
    Level,
    control_delay,
    green_arrivals,
    incremental_delay,
    initial_queue_delay,
    level_of_service,
    mean_delay,
    progression_factor,
    queue_after,
    uniform_delay,
    upstream_filter,
)


def test_slots_and_movements_broadcast() -> None:
    volumes = np.array([[100, 300, 500], [200, 400, 600.0]])
    table = control_delay(volumes, [1800, 1800, 3600], [20, 30, 40], 90)

    assert table.shape == (2, 3)
    assert table[1, 2] == pytest.approx(float(control_delay(600, 3600, 40, 90)))
    assert (np.diff(table, axis=0) > 0).all()


def test_a_lone_vehicle_waits_half_the_squared_red_over_the_cycle() -> None:
    assert float(control_delay(0, 1800, 30, 90)) == pytest.approx(60**2 / 180)


def test_no_red_means_no_uniform_delay_even_at_capacity() -> None:
    assert float(uniform_delay(1.0, 60, 60)) == pytest.approx(0, abs=1e-6)


def test_volume_without_green_waits_for_ever() -> None:
    assert np.isinf(control_delay(100, 1800, 0, 90))


def test_oversaturation_costs_half_the_overflow_time() -> None:
    # Well above capacity d2 tends to 1800 T (X - 1): half of what the queue grows to.
    assert float(incremental_delay(1.5, 1000, 1.0)) == pytest.approx(900, rel=0.01)


@given(st.floats(0.05, 1.5), st.floats(10, 60))
def test_random_arrivals_leave_the_uniform_delay_as_it_is(x: float, green: float) -> None:
    share = green_arrivals(1.0, green, 90)

    assert float(progression_factor(share, green, 90, x)) == pytest.approx(1.0)


def test_a_platoon_on_green_lowers_delay_and_one_on_red_raises_it() -> None:
    good, bad = (
        float(progression_factor(green_arrivals(ratio, 40, 90), 40, 90, 0.7))
        for ratio in (1.667, 0.333)
    )
    coordinated = control_delay(700, 1800, 40, 90, Conditions(progression=good, upstream=0.4))

    assert good < 1 < bad
    assert coordinated < control_delay(700, 1800, 40, 90)


def test_the_progression_factor_is_the_delay_of_a_queue_with_two_arrival_rates() -> None:
    # C 90, g 36, X 0.8, P 0.6: 14.4 veh a cycle, 5.76 of them in the 54 s of red at 0.1067 veh/s.
    # The queue leaves at 0.5 - 0.24 veh/s in 22.15 s: 219.3 veh s, against 23.82 s/veh uniform.
    factor = float(progression_factor(0.6, 36, 90, 0.8))
    area = 5.76 * 54 / 2 + 5.76 * (5.76 / 0.26) / 2

    assert factor == pytest.approx(area / 14.4 / (0.5 * 90 * 0.36 / 0.68))
    assert factor == pytest.approx(0.6393, abs=1e-4)


def test_platoon_ratios_of_the_six_arrival_types() -> None:
    ratios = {kind: round(ratio, 2) for kind, ratio in PLATOON_RATIO.items()}

    assert ratios == {1: 0.33, 2: 0.67, 3: 1.0, 4: 1.33, 5: 1.67, 6: 2.0}


def test_upstream_signals_filter_randomness_but_not_all_of_it() -> None:
    assert upstream_filter([0, 0.5, 1.0, 1.4]).tolist() == pytest.approx(
        [1, 1 - 0.91 * 0.5**2.68, 0.09, 0.09]
    )


def test_an_initial_queue_that_clears_costs_its_triangle() -> None:
    # 20 veh ahead, 400 veh/h spare: gone after 0.05 h; 20 x 0.05 / 2 veh h over 600 x 0.25 veh.
    found = float(initial_queue_delay(20, 600, 1000, 0.25))

    assert found == pytest.approx(3600 / 150 * (0.05 * 20 / 2 - 20**2 / 2000))
    assert float(queue_after(20, 600, 1000, 0.25)) == 0
    assert float(queue_after(20, 1100, 1000, 0.25)) == pytest.approx(45)


def test_an_initial_queue_under_full_load_stays_in_front_of_everyone() -> None:
    # v = c: each of the arrivals of the period waits for the whole queue, 20 / c h.
    assert float(initial_queue_delay(20, 1000, 1000, 0.25)) == pytest.approx(72)
    assert float(initial_queue_delay(0, 1000, 1000, 0.25)) == 0


def test_means_weigh_by_volume() -> None:
    assert mean_delay([100, 300], [10, 20]) == pytest.approx(17.5)
    assert mean_delay([0, 0], [10, 20]) == 0


def test_levels_of_service_end_at_10_20_35_55_80_seconds() -> None:
    levels = [level_of_service(d) for d in (10, 10.1, 35, 35.1, 80, 80.1)]

    assert levels == [Level.A, Level.B, Level.C, Level.D, Level.E, Level.F]
    assert level_of_service(12, x=1.01) is Level.F


def test_effective_green_loses_the_start_and_gains_part_of_the_yellow() -> None:
    chinese = effective_green(30, 3, 2, start_loss_s=2, end_gain_s=1)
    american = effective_green(30, 4, 0, start_loss_s=2, end_gain_s=2)

    assert (float(chinese), float(american)) == (29, 30)
    assert float(effective_green(1, 3, 0, start_loss_s=4, end_gain_s=0)) == 0


def test_capacity_and_saturation_of_nothing() -> None:
    assert float(capacity(1800, 30, 90)) == 600
    assert saturation([0, 10, 300], [0, 0, 600]).tolist() == [0, np.inf, 0.5]


def test_narrow_lanes_buses_and_grades_slow_discharge() -> None:
    assert [width_factor(w) for w in (2.8, 3.25, 4.2)] == [0.96, 1.0, 1.04]
    assert bus_factor(1, 20) == pytest.approx(0.92)
    assert bus_factor(2, 20) == pytest.approx(0.96)
    assert parking_factor(2, 20) == pytest.approx((2 - 0.1 - 0.1) / 2)
    assert parking_factor(1, 500) == 0.05
    assert heavy_and_grade_factor(0, 4) == pytest.approx(0.9504)
    assert heavy_and_grade_factor(0, -4) == pytest.approx(1.0828)
