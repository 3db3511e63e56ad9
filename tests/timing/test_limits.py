# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import InfeasibleError
from lvbo.timing.limits import Bounds, Window, cycle_range, least_greens


def bounds(
    least: list[int], *, most_cycle_s: int = 150, windows: tuple[Window, ...] = ()
) -> Bounds:
    return Bounds(
        stages=tuple("ABCDEF"[: len(least)]),
        least_s=tuple(map(float, least)),
        most_s=(math.inf,) * len(least),
        intergreen_s=(5.0,) * len(least),
        windows=windows,
        most_cycle_s=most_cycle_s,
    )


def test_without_windows_the_least_greens_are_the_minima() -> None:
    assert least_greens(bounds([10, 20, 15])) == (10, 20, 15)
    assert cycle_range(bounds([10, 20, 15])) == (60, 150)


def test_a_window_over_two_stages_lengthens_them_together() -> None:
    crossing = Window(name="walk", first=0, length=2, least_s=40)
    greens = least_greens(bounds([10, 20, 15], windows=(crossing,)))

    assert greens[0] + greens[1] == 40
    assert greens[2] == 15


def test_a_window_over_the_end_of_the_cycle_counts_both_ends() -> None:
    crossing = Window(name="walk", first=2, length=2, least_s=50)
    greens = least_greens(bounds([10, 20, 15], windows=(crossing,)))

    assert greens[2] + greens[0] == 50
    assert greens[1] == 20


def test_two_windows_share_the_stage_they_both_need() -> None:
    windows = (
        Window(name="east", first=0, length=2, least_s=40),
        Window(name="west", first=1, length=2, least_s=40),
    )

    assert sum(least_greens(bounds([10, 10, 10], windows=windows))) == 50


def test_stages_over_the_longest_cycle_are_named_and_nothing_else() -> None:
    with pytest.raises(InfeasibleError) as caught:
        least_greens(bounds([60, 8, 60, 8], most_cycle_s=110))

    assert caught.value.code == "LV510"
    assert caught.value.conflict == ("max_cycle", "min_green:A", "min_green:C")


def test_many_limits_still_give_a_conflict_without_a_needless_one() -> None:
    six = replace(bounds([25] * 6, most_cycle_s=120), most_s=(90.0,) * 6)
    with pytest.raises(InfeasibleError) as caught:
        least_greens(six)

    assert len(caught.value.conflict) == 6
    assert "max_cycle" in caught.value.conflict
    assert all(name.startswith(("min_green", "max_cycle")) for name in caught.value.conflict)


def test_a_window_can_be_what_conflicts() -> None:
    crossing = Window(name="walk", first=0, length=2, least_s=140)
    with pytest.raises(InfeasibleError) as caught:
        least_greens(bounds([10, 10, 10], most_cycle_s=120, windows=(crossing,)))

    assert caught.value.conflict == ("max_cycle", "min_window:walk")


@given(st.lists(st.integers(5, 60), min_size=2, max_size=5), st.integers(40, 120))
def test_dropping_any_limit_of_a_conflict_resolves_it(least: list[int], most: int) -> None:
    problem = replace(bounds(least, most_cycle_s=most), least_cycle_s=20)
    if sum(least) + 5 * len(least) <= most:
        assert least_greens(problem) == tuple(least)
        return
    with pytest.raises(InfeasibleError) as caught:
        least_greens(problem)
    conflict = caught.value.conflict
    sizes = {f"min_green:{n}": s for n, s in zip(problem.stages, least, strict=True)}
    gaps = {f"intergreen:{n}": 5 for n in problem.stages}
    needed = [(sizes | gaps)[name] for name in conflict if name != "max_cycle"]

    assert "max_cycle" in conflict
    assert sum(needed) > most
    assert all(sum(needed) - one <= most for one in needed)
    # No fewer limits can conflict: the largest ones of that number do not.
    largest = sorted([*sizes.values(), *gaps.values()], reverse=True)
    assert sum(largest[: len(needed) - 1]) <= most
