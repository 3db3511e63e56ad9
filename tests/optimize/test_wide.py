# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.typing import NDArray

from lvbo.optimize import _wide as wide
from lvbo.optimize._wide import WIDTH, below, fill, largest, least, load, most, root, store

Rows = NDArray[np.float32]


def mix(rows: Rows, out: Rows) -> float:
    """Use every operation once."""
    a, b = load(rows, 0), load(rows, 1)
    store(out, 0, a + b)
    store(out, 1, a - b)
    store(out, 2, a * b)
    store(out, 3, a / b)
    store(out, 4, 2.0 * a + 1.0)
    store(out, 5, 3.0 - b / 2.0)
    store(out, 6, least(a, b))
    store(out, 7, most(a, fill(0.5)))
    store(out, 8, below(a, b, fill(1), fill(2)))
    store(out, 9, root(a))
    total = fill(0)
    for t in range(rows.shape[0]):
        total += load(rows, t)
    store(out, 10, total)
    return largest(total)


def middle(block: Rows, out: Rows) -> None:
    store(out, 0, load(block[1], 3))


MIDDLE = njit()(middle)
MIX = njit()(mix)


@pytest.fixture
def rows() -> Rows:
    return np.random.default_rng(1).uniform(0.1, 1.0, (5, WIDTH)).astype(np.float32)


def test_compiled_wide_values_do_what_numpy_rows_do(rows: Rows) -> None:
    compiled, plain = np.zeros((11, WIDTH), np.float32), np.zeros((11, WIDTH), np.float32)
    top = MIX(rows, compiled)

    assert top == pytest.approx(mix(rows, plain), rel=1e-6)
    assert compiled == pytest.approx(plain, rel=1e-6)
    assert plain[0] == pytest.approx(rows[0] + rows[1])
    assert plain[8] == pytest.approx(np.where(rows[0] < rows[1], 1.0, 2.0))


def test_a_row_of_the_middle_of_an_array_is_that_row(rows: Rows) -> None:
    block = np.stack([rows, 2 * rows, 3 * rows])
    out = np.zeros((1, WIDTH), np.float32)
    MIDDLE(block, out)

    assert out[0] == pytest.approx(2 * rows[3])


def test_a_wide_value_is_sixteen_numbers() -> None:
    assert WIDTH == 16
    assert wide.fill(2.5).shape == (WIDTH,)


def test_rows_that_do_not_lie_together_are_refused(rows: Rows) -> None:
    block = np.stack([rows, rows])

    with pytest.raises(TypingError):
        MIDDLE(np.asfortranarray(block), np.zeros((1, WIDTH), np.float32))
