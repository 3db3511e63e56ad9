# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from lvbo.errors import UsageError
from lvbo.timing.critical import (
    critical_ratios,
    flow_ratio,
    lost_time_by_all_red,
    lost_time_by_intergreen,
    lost_time_by_phase,
)
from lvbo.timing.webster import webster_cycle


def test_each_stage_has_its_largest_flow_ratio() -> None:
    served = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool)

    assert critical_ratios([0.3, 0.25, 0.1, 0.15], served).tolist() == [0.3, 0.15]


def test_a_movement_of_two_stages_is_critical_in_neither_alone() -> None:
    served = np.array([[1, 1, 0], [0, 1, 1]], bool)

    assert critical_ratios([0.2, 0.5, 0.1], served).tolist() == [0.2, 0.1]


def test_a_movement_without_volume_has_ratio_zero_whatever_its_saturation() -> None:
    assert flow_ratio([0, 900], [0, 1800]).tolist() == [0, 0.5]


def test_volume_without_saturation_flow_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        flow_ratio([10], [0])

    assert caught.value.code == "LV500"


def test_three_conventions_of_lost_time_give_three_cycles_from_the_same_data() -> None:
    # Khanna and Justo, 400 and 250 pcu/h: two phases, all-red 12 s in a cycle.
    inherited = lost_time_by_all_red(2, 12.0)
    red_alone = lost_time_by_all_red(2, 12.0, start_loss_s=0.0)
    american = lost_time_by_phase([2, 2], [3, 3], [6, 6], [2, 2])

    assert (inherited, red_alone, american) == (16.0, 12.0, 18.0)
    assert webster_cycle(0.57, inherited) == pytest.approx(67.4, abs=0.05)
    assert webster_cycle(0.57, red_alone) == pytest.approx(53.5, abs=0.05)


def test_amber_counts_as_green_in_the_chinese_lost_time() -> None:
    assert lost_time_by_intergreen([3, 3, 3, 3], [3, 3, 3, 3], [3, 3, 3, 3]) == 12
    assert lost_time_by_intergreen([3, 3], [5, 6], [3, 3]) == 11
