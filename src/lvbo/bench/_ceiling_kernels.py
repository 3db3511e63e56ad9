# SPDX-License-Identifier: Apache-2.0
"""What one core can do at most: multiply-adds in registers, and a stream through memory.

Arrays are float32. McCalpin (1995) for the triad.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]

CHAIN = 16
"""Multiply-adds that each element goes through between its load and its store."""


@njit(cache=True, fastmath=True, error_model="numpy")
def multiply_add(x: F32, factor: np.float32, term: np.float32, rounds: int) -> None:
    """Send every element of a short array through `CHAIN` multiply-adds, `rounds` times."""
    for _ in range(rounds):
        for i in range(x.size):
            v = x[i]
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            v = v * factor + term
            x[i] = v


@njit(cache=True, fastmath=True, error_model="numpy")
def triad(a: F32, b: F32, c: F32, factor: np.float32, rounds: int) -> None:
    """Write a = b + factor c over whole arrays, `rounds` times, a and b in turn."""
    for k in range(rounds):
        if k % 2 == 0:
            for i in range(a.size):
                a[i] = b[i] + factor * c[i]
        else:
            for i in range(a.size):
                b[i] = a[i] + factor * c[i]
