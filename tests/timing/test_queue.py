# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import UsageError
from lvbo.timing.delay import uniform_delay
from lvbo.timing.permitted import (
    Service,
    blocked_green,
    permitted_rate,
    permitted_saturation,
    polygon_delay,
)
from lvbo.timing.queue import (
    BackOfQueue,
    Lane,
    back_of_queue,
    deterministic_queue,
    stop_rate,
    stopped_vehicles,
    storage_finding,
    storage_ratio,
    vehicle_spacing_m,
)


def test_the_deterministic_queue_of_a_minute() -> None:
    queue = deterministic_queue(1200, 3000, 30, 60)

    assert queue.mean_delay_s == pytest.approx(12.5)
    assert queue.longest_veh == pytest.approx(10)
    assert queue.clearing_s == pytest.approx(20)


def test_a_deterministic_queue_over_capacity_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        deterministic_queue(1600, 3000, 30, 60)

    assert caught.value.code == "LV517"


@given(st.floats(50, 850), st.floats(20, 60))
def test_the_polygon_of_one_green_is_the_uniform_delay(volume: float, green: float) -> None:
    x = volume * 90 / (1800 * green)
    services = [
        Service(duration_s=90 - green, rate_vph=0),
        Service(duration_s=green, rate_vph=1800),
    ]

    assert polygon_delay(services, volume) == pytest.approx(
        float(uniform_delay(x, green, 90)), rel=1e-6
    )


def test_two_greens_in_a_cycle_wait_as_in_half_the_cycle() -> None:
    half = [Service(duration_s=30, rate_vph=0), Service(duration_s=15, rate_vph=1800)]

    assert polygon_delay([*half, *half], 400) == pytest.approx(polygon_delay(half, 400))


def test_without_service_the_polygon_never_ends() -> None:
    assert polygon_delay([Service(duration_s=60, rate_vph=0)], 10) == float("inf")
    assert polygon_delay([Service(duration_s=60, rate_vph=0)], 0) == 0


def test_gaps_shrink_as_the_opposing_flow_grows() -> None:
    flows = permitted_saturation([0, 200, 624, 1200])

    assert flows[0] == pytest.approx(3600 / 2.5, rel=1e-4)
    assert flows[2] == pytest.approx(813, abs=0.5)
    assert (flows[1:] < flows[:-1]).all()


def test_the_opposing_queue_blocks_its_clearing_time() -> None:
    # 60 s red at 600 veh/h leaves at 1800 - 600: 30 s; an oversaturated one blocks all green.
    assert float(blocked_green(600, 1800, 40, 100)) == pytest.approx(30)
    assert float(blocked_green(900, 1800, 40, 100)) == 40


def test_a_permitted_green_discharges_at_its_open_share() -> None:
    assert permitted_rate(800, 40, 30) == pytest.approx(200)
    assert permitted_rate(800, [0, 40], [0, 45]).tolist() == [0, 0]


def test_without_slowing_all_who_meet_red_or_queue_stop() -> None:
    lane = Lane(volume_vph=600, saturation_vph=1800, green_s=45, cycle_s=90)

    assert stopped_vehicles(lane) == pytest.approx(600 / 3600 * (45 + 22.5))


def test_arrivals_on_green_shorten_the_queue() -> None:
    random = Lane(volume_vph=600, saturation_vph=1800, green_s=45, cycle_s=90)
    wave = Lane(volume_vph=600, saturation_vph=1800, green_s=45, cycle_s=90, green_arrivals=0.85)

    assert stopped_vehicles(wave) < 0.5 * stopped_vehicles(random)


def test_an_initial_queue_stands_behind_the_others() -> None:
    lane = Lane(volume_vph=600, saturation_vph=1800, green_s=45, cycle_s=90)
    queue = back_of_queue(lane, 5.0, initial_veh=20, period_h=0.25)

    # 300 veh/h spare: gone after 0.0667 h; its mean over the period is 20 / 2 x 0.0667 / 0.25.
    assert queue.initial_veh == pytest.approx(10 * (20 / 300) / 0.25)
    assert queue.overflow_veh == pytest.approx(900 * 5 / 3600)
    assert queue.mean_veh == pytest.approx(
        queue.cyclic_veh + queue.overflow_veh + queue.initial_veh
    )


def test_the_95th_percentile_lies_between_the_mean_and_its_1_8_fold() -> None:
    lane = Lane(volume_vph=850, saturation_vph=1800, green_s=45, cycle_s=90)
    full = Lane(volume_vph=1000, saturation_vph=1800, green_s=45, cycle_s=90)
    queue = BackOfQueue(cyclic_veh=12, overflow_veh=4)

    assert queue.percentile_veh(lane) == pytest.approx(16 * (1 + 1.64 / 4))
    # At X = 10/9 the overflow adds 0.60 z^0.24 (g/C)^0.33 (1 - e^(2 - 2 X)) to the factor.
    added = 0.60 * 1.64**0.24 * 0.5**0.33 * (1 - math.exp(-2 / 9))
    assert queue.percentile_veh(full) == pytest.approx(16 * (1 + 1.64 / 4 + added))
    assert queue.percentile_veh(lane) < queue.percentile_veh(full) <= 1.8 * 16
    assert BackOfQueue(cyclic_veh=1, overflow_veh=0).percentile_veh(lane) == pytest.approx(1.8)
    assert BackOfQueue(cyclic_veh=0, overflow_veh=0).percentile_veh(lane) == 0


def test_a_queue_longer_than_its_bay_is_a_finding() -> None:
    spacing = vehicle_spacing_m(0)

    assert spacing == vehicle_spacing_m() == pytest.approx(7.62)
    assert vehicle_spacing_m(10) == pytest.approx(0.9 * 7.62 + 0.1 * 13.716)
    assert storage_ratio(10, 60, spacing_m=spacing) == pytest.approx(1.27)
    finding = storage_finding("J1 east left", 10, 60, spacing)
    assert finding is not None
    assert finding.fields == {"queue_m": 76, "storage_m": 60}
    assert storage_finding("J1 east left", 7, 60, spacing) is None


def test_every_vehicle_that_stops_once_is_one_stop() -> None:
    lane = Lane(volume_vph=600, saturation_vph=1800, green_s=45, cycle_s=90)
    arrivals = 600 / 3600 * 90

    assert stop_rate(lane, stopped_vehicles(lane), 0.0) == pytest.approx(
        stopped_vehicles(lane) / arrivals
    )
