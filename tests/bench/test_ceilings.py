# SPDX-License-Identifier: Apache-2.0
"""The ceilings: the kernels do the work that is counted."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.bench._ceiling_kernels import CHAIN, multiply_add, triad


@pytest.mark.parametrize("rounds", [1, 3])
def test_every_element_goes_through_all_multiply_adds(rounds: int) -> None:
    x = np.array([0.0, 1.0, -2.0], dtype=np.float32)
    expected = x.astype(np.float64)
    for _ in range(CHAIN * rounds):
        expected = 0.9 * expected + 0.5
    multiply_add(x, np.float32(0.9), np.float32(0.5), rounds)

    assert x == pytest.approx(expected, rel=1e-5)


def test_the_triad_writes_to_both_arrays_in_turn() -> None:
    a, b = np.zeros(5, dtype=np.float32), np.arange(5, dtype=np.float32)
    c = np.ones(5, dtype=np.float32)
    triad(a, b, c, np.float32(2), 1)

    assert a.tolist() == [2, 3, 4, 5, 6]
    triad(a, b, c, np.float32(2), 2)
    assert a.tolist() == [2, 3, 4, 5, 6]
    assert b.tolist() == [4, 5, 6, 7, 8]
