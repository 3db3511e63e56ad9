# SPDX-License-Identifier: Apache-2.0
"""HCM 7, chapters 19 and 31: single published numbers, restated so that they need no data folder.

Example problem 1 (5th Avenue and 12th Street) is in exhibits 31-69 to 31-82: cycle 101.8 s.
"""

from __future__ import annotations

import pytest

from lvbo.timing.capacity import (
    available_capacity,
    capacity,
    crossing_pedestrians_factor,
    shared_right_saturation,
)
from lvbo.timing.critical import RingPhase, critical_path
from lvbo.timing.delay import actuated_k, incremental_delay
from lvbo.timing.pedestrian import (
    WalkWindow,
    bicycle_delay,
    bicycle_score,
    manual_times,
    two_stage_delay,
)
from lvbo.timing.permitted import (
    Service,
    permitted_capacity,
    permitted_saturation,
    polygon_delay,
    protected_permitted_capacity,
)
from lvbo.timing.queue import FOOT_M, MPH_MPS, Lane, back_of_queue, slowing_delay
from lvbo.timing.webster import critical_saturation, target_cycle, target_greens, webster_greens

CYCLE_S = 101.8


@pytest.mark.parametrize(
    ("volume", "saturation", "green", "longest", "queue"),
    [
        (239, 1643, 30.0, 30.0, 4.8),
        (185, 1201, 30.0, 30.0, 3.8),
        (337, 1643, 30.0, 30.0, 7.6),
        (287, 1398, 30.0, 30.0, 6.6),
        (870, 1683, 50.0, 50.0, 28.9),
        (863, 1648, 50.0, 50.0, 29.4),
        (513, 1683, 53.6, 50.0, 7.7),
        (497, 1630, 53.6, 50.0, 7.5),
    ],
)
def test_example_1_back_of_queue(
    volume: float, saturation: float, green: float, longest: float, queue: float
) -> None:
    cap = float(capacity(saturation, green, CYCLE_S))
    able = available_capacity(cap, saturation, longest, CYCLE_S)
    second = float(
        incremental_delay(volume / cap, cap, 0.25, k=actuated_k(volume, able, passage_s=2.0))
    )
    lane = Lane(
        volume_vph=volume,
        saturation_vph=saturation,
        green_s=green,
        cycle_s=CYCLE_S,
        slowing_s=slowing_delay(35 * MPH_MPS),
    )

    assert back_of_queue(lane, second).mean_veh == pytest.approx(queue, abs=0.06)


def test_example_1_a_phase_past_its_maximum_has_its_own_capacity_available() -> None:
    cap = float(capacity(1683, 53.6, CYCLE_S))
    able = float(available_capacity(cap, 1683, 50.0, CYCLE_S))
    right = float(incremental_delay(513 / cap, cap, 0.25, k=actuated_k(513, able, 2.0)))
    only_maximum = float(capacity(1683, 50.0, CYCLE_S))
    wrong = float(incremental_delay(513 / cap, cap, 0.25, k=actuated_k(513, only_maximum, 2.0)))

    assert able == cap
    assert right == pytest.approx(0.6, abs=0.05)
    assert wrong == pytest.approx(0.84, abs=0.01)


def test_example_1_permitted_lefts_have_the_printed_capacity() -> None:
    east, west = 702.0, 825.0

    assert float(permitted_saturation(624)) == pytest.approx(813, abs=0.5)
    assert float(permitted_capacity(east, 11.4, CYCLE_S)) == pytest.approx(149, abs=0.6)
    assert float(permitted_capacity(west, 17.0, CYCLE_S)) == pytest.approx(208, abs=0.6)


def test_example_1_permitted_lefts_have_the_printed_uniform_delay() -> None:
    east = [Service(duration_s=90.4, rate_vph=0), Service(duration_s=11.4, rate_vph=702)]
    west = [Service(duration_s=84.8, rate_vph=0), Service(duration_s=17.0, rate_vph=825)]

    assert polygon_delay(east, 71) == pytest.approx(44.6, abs=0.1)
    assert polygon_delay(west, 118) == pytest.approx(41.3, abs=0.2)


def test_example_1_protected_permitted_lefts_have_the_printed_capacity() -> None:
    north = protected_permitted_capacity(
        Service(duration_s=6.2, rate_vph=1603),
        Service(duration_s=32.5, rate_vph=float(permitted_saturation(1011)) * 0.9844 * 0.9),
        CYCLE_S,
    )
    south = protected_permitted_capacity(
        Service(duration_s=9.8, rate_vph=1603), Service(duration_s=0, rate_vph=0), CYCLE_S
    )

    assert north == pytest.approx(328, abs=1.0)
    assert south == pytest.approx(225, abs=0.6)


def test_example_1_the_leading_lefts_have_nearly_the_printed_uniform_delay() -> None:
    # Both are off by about a second, as in other implementations of the polygon.
    permitted = float(permitted_saturation(1011)) * 0.9844 * 0.9
    north = [
        Service(duration_s=6.2, rate_vph=1603),
        Service(duration_s=7.6 + 17.5, rate_vph=0),
        Service(duration_s=32.5, rate_vph=permitted, extra_veh=2),
        Service(duration_s=CYCLE_S - 6.2 - 7.6 - 50.0, rate_vph=0),
    ]

    south = [
        Service(duration_s=9.8, rate_vph=1603),
        Service(duration_s=4.0 + 50.0, rate_vph=0, extra_veh=2),
        Service(duration_s=CYCLE_S - 63.8, rate_vph=0),
    ]

    assert polygon_delay(north, 133) == pytest.approx(13.2, abs=1.5)
    assert polygon_delay(south, 194) == pytest.approx(28.9, abs=1.5)


def test_example_1_pedestrians_slow_right_turns() -> None:
    east = crossing_pedestrians_factor(120, CYCLE_S, 30.0, receiving_spare=True)
    north = crossing_pedestrians_factor(40, CYCLE_S, 50.0, receiving_spare=True)
    shared = shared_right_saturation(1643.31 * 0.875, 106 / 185, pedestrian_factor=east)

    assert east == pytest.approx(0.88, abs=0.005)
    assert north == pytest.approx(0.98, abs=0.005)
    assert float(shared) == pytest.approx(1201, abs=1.5)


def test_chapter_31_section_7_design_for_a_wanted_saturation() -> None:
    # Two critical phases, X = 0.92 wanted, C = 61.3 s computed and 60 s used.
    y = [0.45, 0.35]
    cycle = target_cycle(sum(y), 8.0, 0.92)
    greens = webster_greens(y, 8.0, 60.0)

    assert cycle == pytest.approx(8 * 0.92 / 0.12)
    assert greens.tolist() == pytest.approx([29.25, 22.75])
    assert critical_saturation(0.8, 8.0, 60.0) == pytest.approx(0.923, abs=0.0005)
    assert target_greens(y, 60.0, critical_saturation(0.8, 8.0, 60.0)).tolist() == pytest.approx(
        greens.tolist()
    )


def test_example_3_bicycles_wait_23_seconds_at_level_b() -> None:
    score = bicycle_score(70 * FOOT_M, 17 * FOOT_M, 85 + 924 + 77, 2)

    assert bicycle_delay(120, 48, 120) == pytest.approx(23.0, abs=0.05)
    assert score.value == pytest.approx(2.45, abs=0.006)
    assert score.level == "B"


def test_example_4_a_crossing_in_two_stages_costs_78_seconds() -> None:
    windows = [WalkWindow(start_s=78, walk_s=5), WalkWindow(start_s=112, walk_s=5)]

    assert two_stage_delay(140, windows, [56 / 3.3]) == pytest.approx(78.0, abs=0.5)


def test_mutcd_2003_clears_130_feet_at_4_feet_per_second() -> None:
    times = manual_times(130 * FOOT_M, clearing_mps=4.0 * FOOT_M)

    assert (times.walk_s, times.clear_s, times.total_s) == (7, 33, 40)


def test_the_critical_path_crosses_from_ring_to_ring_at_a_barrier() -> None:
    phases = [
        RingPhase(name="1", flow_ratio=0.10, lost_time_s=4, ring=1, barrier=1),
        RingPhase(name="2", flow_ratio=0.25, lost_time_s=4, ring=1, barrier=1),
        RingPhase(name="5", flow_ratio=0.05, lost_time_s=4, ring=2, barrier=1),
        RingPhase(name="6", flow_ratio=0.35, lost_time_s=4, ring=2, barrier=1),
        RingPhase(name="4", flow_ratio=0.20, lost_time_s=4, ring=1, barrier=2),
        RingPhase(name="8", flow_ratio=0.15, lost_time_s=4, ring=2, barrier=2),
    ]
    path = critical_path(phases)

    assert path.phases == ("5", "6", "4")
    assert path.flow_ratio == pytest.approx(0.60)
    assert path.lost_time_s == 12
