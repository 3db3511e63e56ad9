# SPDX-License-Identifier: Apache-2.0
"""What loops saw of platoons gives back the dispersion and the speed they were made with."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.ids import LinkId
from lvbo.optimize.mesh import Traits
from lvbo.optimize.profile_fit import Stretch, arrivals, fit_profiles

USUAL = Traits()
CYCLE_S = 90


def street(number: int, truth: Traits, rng: np.random.Generator | None = None) -> Stretch:
    """Return a street of 15 to 40 s on which 70 % of those who left arrive, and 400 others."""
    left = np.zeros(CYCLE_S)
    left[10 * number : 10 * number + 30] = 40.0
    bare = Stretch(link=LinkId(f"s{number}"), time_s=15.0 + 5 * number, left=left, came=left)
    moved = spread(left, bare.time_s * USUAL.speed_share / truth.speed_share, truth)
    came = 0.7 * moved + 400 / CYCLE_S
    if rng is not None:
        came = rng.poisson(came).astype(float)
    return Stretch(link=bare.link, time_s=bare.time_s, left=left, came=came)


def spread(left: np.ndarray, time_s: float, truth: Traits) -> np.ndarray:
    """Return Robertson's recursion, second by second, over twenty cycles."""
    lag, smooth = truth.beta * time_s, 1 / (1 + truth.alpha * truth.beta * time_s)
    whole = int(lag)
    part = lag - whole
    now, out = 0.0, np.zeros(CYCLE_S)
    for t in range(20 * CYCLE_S):
        due = (1 - part) * left[(t - whole) % CYCLE_S] + part * left[(t - whole - 1) % CYCLE_S]
        now = smooth * due + (1 - smooth) * now
        out[t % CYCLE_S] = now
    return out


def test_arrivals_follow_robertsons_recursion() -> None:
    one = street(2, USUAL)

    assert arrivals(one, USUAL, USUAL) == pytest.approx(one.came, abs=0.03 * one.came.max())


def test_dispersion_and_speed_are_found_again_in_noise() -> None:
    truth = Traits(alpha=0.55, speed_share=0.9)
    rng = np.random.default_rng(5)
    found = fit_profiles([street(k, truth, rng) for k in range(6)])

    assert found.traits.alpha == pytest.approx(0.55, abs=0.1)
    assert found.traits.speed_share == pytest.approx(0.9, abs=0.04)
    assert found.streets == 3
    assert found.held_out < 0.7 * found.held_out_before


def test_too_few_streets_leave_the_usual_values() -> None:
    found = fit_profiles([street(k, Traits(alpha=0.8)) for k in range(3)])

    assert found.traits == USUAL
    assert found.streets == 0
