# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from lvbo.evaluation.intervals import interval, t_95


@pytest.mark.parametrize(
    ("freedom", "point"), [(1, 12.706), (4, 2.776), (30, 2.042), (40, 2.021), (120, 1.980)]
)
def test_the_points_of_student_t_are_those_of_the_tables(freedom: int, point: float) -> None:
    assert t_95(freedom) == pytest.approx(point, abs=6e-4)


def test_three_values_give_the_interval_of_the_textbook() -> None:
    found = interval([1.0, 2.0, 3.0])

    assert found.mean == 2.0
    assert found.low == pytest.approx(2 - 4.3027 / 3**0.5)
    assert found.high == pytest.approx(2 + 4.3027 / 3**0.5)
    assert not found.excludes_zero


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = interval([7.0])

    assert (found.mean, found.low, found.high) == (7.0, None, None)
    assert not found.excludes_zero


def test_values_that_agree_exclude_zero() -> None:
    assert interval([-3.0, -3.1, -2.9]).excludes_zero
