# SPDX-License-Identifier: Apache-2.0
"""The array type of the formula rooms, and the one place where numbers become arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def real(value: ArrayLike) -> Array:
    """Return a number or nested numbers as an array of floats."""
    return np.asarray(value, dtype=np.float64)


def quotient(above: ArrayLike, below: ArrayLike, *, otherwise: ArrayLike) -> Array:
    """Return above / below where below is positive, else `otherwise`, broadcast together."""
    top, bottom, other = np.broadcast_arrays(real(above), real(below), real(otherwise))
    result = np.array(other, dtype=np.float64)
    np.divide(top, bottom, out=result, where=bottom > 0)
    return result
