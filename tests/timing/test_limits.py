# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.timing.limits import Cap, Need, StageLimits, least_cycle, smallest_conflict


def limits(
    least: list[int], *, windows: tuple[Need, ...] = (), most: dict[int, int] | None = None
) -> StageLimits:
    """Return stages A, B, C and so on with an intergreen of 5 s after each."""
    names = "ABCDEF"
    return StageLimits(
        intergreen_s=(5,) * len(least),
        needs=(
            *(
                Need(name=f"g_min({names[k]})", first=k, length=1, least_s=green)
                for k, green in enumerate(least)
            ),
            *windows,
        ),
        caps=tuple(
            Cap(name=f"g_max({names[k]})", stage=k, most_s=green)
            for k, green in (most or {}).items()
        ),
    )


def test_without_windows_the_least_greens_are_the_minima() -> None:
    assert limits([10, 20, 15]).least_greens() == (10, 20, 15)
    assert least_cycle(limits([10, 20, 15])) == 60


def test_a_window_over_two_stages_lengthens_them_together() -> None:
    crossing = Need(name="walk", first=0, length=2, least_s=40)
    greens = limits([10, 20, 15], windows=(crossing,)).least_greens()

    assert greens is not None
    assert greens[0] + greens[1] == 40
    assert greens[2] == 15


def test_a_window_over_the_end_of_the_cycle_counts_both_ends() -> None:
    crossing = Need(name="walk", first=2, length=2, least_s=50)
    greens = limits([10, 20, 15], windows=(crossing,)).least_greens()

    assert greens is not None
    assert greens[2] + greens[0] == 50
    assert greens[1] == 20


def test_two_windows_share_the_stage_they_both_need() -> None:
    windows = (
        Need(name="east", first=0, length=2, least_s=40),
        Need(name="west", first=1, length=2, least_s=40),
    )
    greens = limits([10, 10, 10], windows=windows).least_greens()

    assert greens is not None
    assert sum(greens) == 50


def test_a_cap_sends_the_time_of_a_window_to_its_other_stage() -> None:
    crossing = Need(name="walk", first=0, length=2, least_s=60)

    assert limits([10, 10], windows=(crossing,), most={1: 25}).least_greens() == (35, 25)


def test_a_minimum_above_its_maximum_leaves_no_greens() -> None:
    assert limits([30, 10], most={0: 20}).least_greens() is None


def test_stages_over_the_longest_cycle_are_named_and_nothing_else() -> None:
    conflict = smallest_conflict([limits([60, 8, 60, 8])], 40, 110)

    assert set(conflict) == {"C_max = 110 s", "g_min(A)", "g_min(C)"}


def test_a_minimum_above_its_maximum_is_the_whole_conflict() -> None:
    conflict = smallest_conflict([limits([30, 10, 10], most={0: 20, 1: 50})], 40, 140)

    assert conflict == ("g_max(A)", "g_min(A)")


def test_a_shortest_cycle_above_the_longest_is_the_whole_conflict() -> None:
    conflict = smallest_conflict([limits([10, 10])], 120, 100)

    assert conflict == ("C_max = 100 s", "C_min = 120 s")


def test_maxima_that_cannot_fill_the_shortest_cycle_conflict_with_it() -> None:
    conflict = smallest_conflict([limits([10, 10], most={0: 20, 1: 20})], 60, 140)

    assert set(conflict) == {"C_min = 60 s", "g_max(A)", "g_max(B)"}


def test_intergreens_that_fill_the_cycle_alone_are_the_conflict() -> None:
    wide = StageLimits(intergreen_s=(30, 40), needs=limits([10, 10]).needs)

    assert set(smallest_conflict([wide], 40, 60)) == {"C_max = 60 s", "I"}


def test_another_order_that_fits_leaves_no_conflict() -> None:
    tight, free = limits([60, 60, 60]), limits([60, 60])

    assert smallest_conflict([tight], 40, 140) != ()
    assert smallest_conflict([tight, free], 40, 140) == ()


def test_a_conflict_holds_for_every_order() -> None:
    split = limits([60, 30, 30])
    paired = StageLimits(
        intergreen_s=(5, 5),
        needs=(
            Need(name="g_min(A)", first=0, length=1, least_s=60),
            Need(name="g_min(B)", first=1, length=1, least_s=30),
        ),
    )

    assert set(smallest_conflict([split, paired], 40, 80)) == {
        "C_max = 80 s",
        "g_min(A)",
        "g_min(B)",
    }


@given(st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(20, 120))
def test_a_conflict_is_named_exactly_where_no_cycle_fits(least: list[int], most: int) -> None:
    conflict = smallest_conflict([limits(least)], 10, most)

    assert bool(conflict) == (sum(least) + 5 * len(least) > most)


@pytest.mark.parametrize("total", [100, 110, 119])
def test_every_member_of_a_conflict_is_needed(total: int) -> None:
    order = limits([40, 30, 20, 10])
    conflict = smallest_conflict([order], 40, total)
    without = [
        smallest_conflict([order.only(set(conflict) - {name})], 0, 10**6) for name in conflict
    ]

    assert all(rest == () for rest in without)
    assert f"C_max = {total} s" in conflict
