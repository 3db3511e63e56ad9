# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvbo.progression.band import two_way_band
from lvbo.progression.classical import algebraic_method, classical_plan, graphical_method
from lvbo.progression.problem import BandProblem, Pattern

# the worked example of Chinese textbooks for 数解法: eight signals A to H, cycle 80 s, 40 km/h
METRES = (350.0, 400.0, 160.0, 540.0, 280.0, 280.0, 270.0)
GREENS = (0.55, 0.60, 0.65, 0.65, 0.60, 0.65, 0.70, 0.50)
CYCLE_S = 80.0


def street(
    metres: tuple[float, ...], greens: tuple[float, ...], low: float, high: float
) -> BandProblem:
    links = len(metres)
    return BandProblem(
        patterns=tuple(
            (Pattern(outbound=((0, round(g * 80_000)),), inbound=((0, round(g * 80_000)),)),)
            for g in greens
        ),
        parts_per_cycle=80_000,
        cycles_ms=(80_000,),
        distance_out_m=metres,
        distance_in_m=metres,
        speed_out_mps=((low, high),) * links,
        speed_in_mps=((low, high),) * links,
    )


def test_the_textbook_example_comes_out_as_in_the_book() -> None:
    plan = algebraic_method(METRES, GREENS, CYCLE_S, 40 / 3.6)

    # folded onto 500 m the signals lie at 0 10 230 250 280 350 410 450: a gap of 220 m, so the
    # farthest signals lie (500 - 220) / 2 = 140 m from their ideal places; 500 m in half a cycle
    # are 12.5 m/s
    assert plan.spacing_m == 500.0
    assert plan.widest_gap_m == pytest.approx(220.0)
    assert plan.speed_mps == pytest.approx(12.5)
    assert max(abs(d) for d in plan.displaced_m) == pytest.approx(140.0)
    assert [round(100 * x) for x in plan.losses] == [26, 4, 24, 8, 16, 28, 28, 18]
    # greens left: 29 (A) on one side, 32 (H) on the other; the band is half their sum
    assert plan.band_share == pytest.approx(0.305)


def test_its_offsets_give_the_band_that_the_method_says() -> None:
    plan = algebraic_method(METRES, GREENS, CYCLE_S, 40 / 3.6)
    runs = classical_plan(street(METRES, GREENS, 11.0, 14.0), plan)

    assert runs.outbound_ms == pytest.approx(0.305 * 80_000, abs=5)
    assert runs.inbound_ms == pytest.approx(0.305 * 80_000, abs=5)


def test_the_exact_bands_of_the_textbook_example_are_wider() -> None:
    band = two_way_band(street(METRES, GREENS, 12.5, 12.5)).exact

    assert band.sum_ms >= 2 * 0.305 * 80_000 - 5


def test_ideal_places_lose_nothing() -> None:
    metres, greens = (500.0, 1000.0, 500.0), (0.5, 0.4, 0.6, 0.45)
    plans = (
        algebraic_method(metres, greens, CYCLE_S, 12.5),
        graphical_method(metres, greens, CYCLE_S, (11.0, 14.0)),
    )

    for plan in plans:
        assert plan.band_share == pytest.approx(0.4, abs=0.02)
    assert plans[0].halves == (0, 1, 1, 0)
    assert plans[0].displaced_m == pytest.approx((0.0, 0.0, 0.0, 0.0))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(15, 80), min_size=2, max_size=6),
    st.lists(st.integers(30, 60), min_size=7, max_size=7),
)
def test_no_hand_method_beats_the_exact_bands(tens: list[int], percent: list[int]) -> None:
    metres = tuple(10.0 * x for x in tens)
    greens = tuple(p / 100 for p in percent[: len(tens) + 1])
    for plan in (
        algebraic_method(metres, greens, CYCLE_S, 12.5),
        graphical_method(metres, greens, CYCLE_S, (11.0, 14.0)),
    ):
        problem = street(metres, greens, plan.speed_mps, plan.speed_mps)
        exact = two_way_band(problem).exact

        assert classical_plan(problem, plan).sum_ms <= exact.sum_ms + 4
        assert 2 * plan.band_share * 80_000 <= exact.sum_ms + 40
