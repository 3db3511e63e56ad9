# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import InfeasibleError, UsageError
from lvbo.timing import webster
from lvbo.timing.delay import control_delay, mean_delay


def test_websters_cycle_of_the_engineering_exam_of_2021() -> None:
    # GATE CE 2021, shift 1: y 0.37 and 0.40, L 6 s.
    assert webster.webster_cycle(0.77, 6) == pytest.approx(60.87, abs=0.005)


def test_the_cycle_for_a_saturation_of_085() -> None:
    assert webster.target_cycle(0.75, 20, 0.85) == pytest.approx(170)
    assert webster.target_greens([0.225, 0.175, 0.2, 0.15], 170, 0.85).tolist() == pytest.approx(
        [45, 35, 40, 30]
    )


@given(st.floats(0.05, 0.85), st.floats(4, 30), st.floats(0.86, 1.0))
def test_the_target_cycle_has_the_target_saturation(ratio: float, lost: float, x: float) -> None:
    cycle = webster.target_cycle(ratio, lost, x)

    assert webster.critical_saturation(ratio, lost, cycle) == pytest.approx(x)


def test_websters_cycle_is_near_the_delay_optimum_of_fixed_volumes() -> None:
    y, lost, saturation = np.array([0.30, 0.30]), 10.0, 1800.0
    best = webster.webster_cycle(0.6, lost)

    def mean(cycle: float) -> float:
        greens = webster.webster_greens(y, lost, cycle)
        delays = control_delay(y * saturation, saturation, greens, cycle)
        return mean_delay(y * saturation, delays)

    cycles = np.arange(26, 160)
    least = min(mean(float(c)) for c in cycles)

    assert mean(best) <= 1.05 * least
    assert mean(1.5 * best) <= 1.35 * least


def test_the_near_optimal_range_is_three_quarters_to_one_and_a_half() -> None:
    assert webster.near_optimal_cycles(0.5, 10) == (30, 60)
    assert webster.least_cycle(0.5, 10) == 20


def test_displayed_green_gains_the_start_and_gives_the_used_amber() -> None:
    assert webster.displayed_greens([28.0], [3], [3], amber_used_s=[3]).tolist() == [28]
    assert webster.displayed_greens([28.0], [2], [3], amber_used_s=[1]).tolist() == [29]


def test_cycles_round_up_to_the_step_of_the_sheet() -> None:
    assert webster.round_up_cycle(118.0, 10) == 120
    assert webster.round_up_cycle(120.0, 10) == 120
    assert webster.round_up_cycle(118.2, 1) == 119


def test_flow_ratios_of_one_have_no_cycle() -> None:
    with pytest.raises(InfeasibleError) as caught:
        webster.webster_cycle(1.0, 12)

    assert caught.value.code == "LV501"


def test_a_cycle_that_only_loses_time_is_infeasible() -> None:
    with pytest.raises(InfeasibleError) as caught:
        webster.webster_greens([0.3, 0.3], 20, 20)

    assert caught.value.code == "LV502"
    with pytest.raises(InfeasibleError):
        webster.critical_saturation(0.5, 20, 15)


@pytest.mark.parametrize("ratio", [-0.1])
def test_a_negative_flow_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(UsageError) as caught:
        webster.webster_cycle(ratio, 10)

    assert caught.value.code == "LV504"


def test_more_amber_used_than_there_is_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        webster.displayed_greens([20], [2], [3], amber_used_s=[4])

    assert caught.value.code == "LV503"


def test_flow_ratios_above_nine_tenths_ask_for_a_redesign() -> None:
    finding = webster.redesign_finding("J1", 0.93)

    assert finding is not None
    assert (finding.code, finding.place, finding.fields["ratio"]) == ("LV525", "J1", 0.93)
    assert webster.redesign_finding("J1", 0.9) is None
