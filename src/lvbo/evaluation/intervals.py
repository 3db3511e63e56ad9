# SPDX-License-Identifier: Apache-2.0
"""Paired differences over seeds with 95 % intervals by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Two-sided 95 % points of Student's t by degrees of freedom from 1 on.
_T_95 = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
_NORMAL_95 = 1.959964


def t_95(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t; beyond 30 by the first terms in 1/n."""
    if freedom <= len(_T_95):
        return _T_95[freedom - 1]
    z = _NORMAL_95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % interval; `low` and `high` are None where one value allows none."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Say whether the interval lies wholly on one side of zero."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of values with its 95 % t interval; they must not be empty."""
    n = len(values)
    mean = float(np.mean(values))
    if n == 1:
        return Interval(mean=mean, low=None, high=None, n=1)
    half = t_95(n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)
