# SPDX-License-Identifier: Apache-2.0
"""Rank correlation: textbook values, ties, and intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.bench.ranking import bootstrap, kendall, ranks, spearman

IQ = (86, 97, 99, 100, 101, 103, 106, 110, 112, 113)
TV_HOURS = (2, 20, 28, 27, 50, 29, 7, 17, 6, 12)
"""The usual example of Spearman's rho: the squared differences of ranks add up to 194."""


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks([30.0, 10.0, 20.0, 20.0]).tolist() == [4, 1, 2.5, 2.5]


def test_spearman_of_the_usual_example_is_minus_29_in_165() -> None:
    assert spearman(IQ, TV_HOURS) == pytest.approx(1 - 6 * 194 / (10 * 99))
    assert spearman(IQ, TV_HOURS) == pytest.approx(-29 / 165)


def test_kendall_counts_pairs_in_equal_less_in_opposite_order() -> None:
    # 45 pairs, 20 of them in equal order, 25 in opposite order
    assert kendall(IQ, TV_HOURS) == pytest.approx((20 - 25) / 45)


def test_ties_count_as_half_way() -> None:
    first, second = (1, 2, 2, 4), (1, 3, 2, 4)

    assert spearman(first, second) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
    assert kendall(first, second) == pytest.approx(5 / (5 * 6) ** 0.5)


def test_who_finds_all_alike_has_no_rank() -> None:
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert kendall([1, 2, 3], [5, 5, 5]) is None
    assert bootstrap([1, 1, 1], [1, 2, 3]) is None


VALUES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=12)


@given(VALUES)
def test_only_order_matters_and_reversing_one_side_turns_the_sign(
    pairs: list[tuple[int, int]],
) -> None:
    first, second = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    for statistic in (spearman, kendall):
        found = statistic(first, second)
        stretched = statistic([a**3 + 7 for a in first], second)
        reversed_ = statistic([-a for a in first], second)
        if found is None:
            assert stretched is reversed_ is None
        else:
            assert -1 - 1e-9 <= found <= 1 + 1e-9
            assert stretched == pytest.approx(found)
            assert reversed_ == pytest.approx(-found)


def test_the_interval_holds_the_estimate_and_narrows_with_more_plans() -> None:
    noisy = [value + 3 * (-1) ** value for value in range(40)]
    few = bootstrap(range(10), noisy[:10])
    many = bootstrap(range(40), noisy)
    found = spearman(range(40), noisy)

    assert few is not None
    assert many is not None
    assert found is not None
    assert many[0] < found < many[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert bootstrap(range(40), noisy) == many
    assert bootstrap(range(40), noisy, seed=1) != many
