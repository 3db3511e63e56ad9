# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lvbo.errors import InfeasibleError, UsageError
from lvbo.timing.splits import equal_saturation_greens, stage_seconds, whole_seconds

RATIOS = st.lists(st.just(0.0) | st.floats(0.001, 0.6), min_size=2, max_size=6)


def test_without_bounds_every_stage_has_the_same_saturation() -> None:
    greens = equal_saturation_greens([0.3, 0.2, 0.1], 90, least_s=0)

    assert greens.tolist() == pytest.approx([45, 30, 15])


def test_a_stage_at_its_minimum_leaves_the_rest_in_proportion() -> None:
    greens = equal_saturation_greens([0.3, 0.2, 0.02], 90, least_s=[10, 10, 15])

    assert greens.tolist() == pytest.approx([45, 30, 15])


def test_a_stage_at_its_maximum_gives_the_rest_away() -> None:
    greens = equal_saturation_greens([0.4, 0.2, 0.1], 90, least_s=5, most_s=[30, np.inf, np.inf])

    assert greens.tolist() == pytest.approx([30, 40, 20])


def test_minima_that_fill_the_time_are_the_greens() -> None:
    assert equal_saturation_greens([0.3, 0.2], 30, least_s=[10, 20]).tolist() == [10, 20]


def test_time_that_demand_may_not_take_goes_to_stages_without_demand() -> None:
    greens = equal_saturation_greens([0.4, 0, 0], 60, least_s=5, most_s=[20, 25, 45])
    endless = equal_saturation_greens([0.4, 0, 0], 60, least_s=5, most_s=[20, np.inf, 45])

    assert greens.tolist() == pytest.approx([20, 15, 25])
    assert endless.tolist() == pytest.approx([20, 35, 5])


def test_without_any_demand_time_is_shared_evenly() -> None:
    assert equal_saturation_greens([0, 0, 0], 60, least_s=5).tolist() == pytest.approx([20] * 3)


@given(RATIOS, st.floats(20, 160), st.data())
def test_greens_use_the_time_exactly_and_no_transfer_lowers_the_largest_saturation(
    ratios: list[float], available: float, data: st.DataObject
) -> None:
    y = np.array(ratios)
    low = np.array([data.draw(st.floats(0, 15)) for _ in ratios])
    high = np.array([data.draw(st.floats(20, 80)) for _ in ratios])
    assume(low.sum() <= available <= high.sum())
    greens = equal_saturation_greens(y, available, least_s=low, most_s=high)

    assert greens.sum() == pytest.approx(available)
    assert (greens >= low - 1e-6).all()
    assert (greens <= high + 1e-6).all()
    levels = y / np.maximum(greens, 1e-9)
    can_give, can_take = greens > low + 1e-6, greens < high - 1e-6
    if can_give.any() and can_take.any():
        assert levels[can_take].max() <= levels[can_give].min() * (1 + 1e-6) + 1e-9


def test_the_largest_remainder_gets_the_last_second() -> None:
    assert whole_seconds([28.4, 22.39, 29.59, 27.62], 108).tolist() == [28, 22, 30, 28]


@given(st.lists(st.floats(5, 60), min_size=2, max_size=8))
def test_whole_seconds_sum_to_the_cycle_and_stay_within_a_second(greens: list[float]) -> None:
    total = round(sum(greens))
    whole = whole_seconds(greens, total)

    assert whole.sum() == total
    assert np.abs(whole - np.array(greens)).max() <= 1.0 + 1e-6


def test_rounding_never_cuts_a_minimum() -> None:
    whole = whole_seconds([10.2, 15.4, 34.4], 60, least_s=[10.1, 15.4, 8])

    assert whole.tolist() == [11, 16, 33]


def test_a_split_is_green_and_the_intergreen_after_it() -> None:
    assert stage_seconds([20, 30], [5, 6]).tolist() == [25, 36]


def test_a_minimum_above_its_maximum_is_infeasible() -> None:
    with pytest.raises(InfeasibleError) as caught:
        equal_saturation_greens([0.3, 0.2], 60, least_s=[30, 10], most_s=[20, 60])

    assert caught.value.code == "LV507"
    assert caught.value.conflict == ("minimum green 0", "maximum green 0")


def test_time_that_the_bounds_cannot_use_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        whole_seconds([10, 10], 15, least_s=10)

    assert caught.value.code == "LV508"
