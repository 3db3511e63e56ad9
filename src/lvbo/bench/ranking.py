# SPDX-License-Identifier: Apache-2.0
"""Whether two judges rank alike: Spearman's and Kendall's correlation, with ties and intervals.

Kendall (1970), Rank Correlation Methods; Efron and Tibshirani (1993) for the percentile bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats], float | None]

LEAST = 2
DRAWS = 2000
SURE = 95.0


def ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1 for the least value; equal values share the mean of their ranks."""
    listed = np.asarray(values, dtype=np.float64)
    _, place, count = np.unique(listed, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place])


def spearman(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return Spearman's rho: Pearson's correlation of the ranks; None where one ranks nothing."""
    a, b = ranks(first), ranks(second)
    if len(a) < LEAST or a.std() == 0 or b.std() == 0:
        return None
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def kendall(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return Kendall's tau-b: pairs in equal less in opposite order, ties taken off each side."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    upper = np.triu_indices(len(a), k=1)
    x = np.sign(a[:, None] - a[None, :])[upper]
    y = np.sign(b[:, None] - b[None, :])[upper]
    untied = float(np.count_nonzero(x)) * float(np.count_nonzero(y))
    return None if untied == 0 else float((x * y).sum() / np.sqrt(untied))


def bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Statistic = spearman,
    *,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic over plans drawn again with replacement."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(len(a), size=len(a)) for _ in range(DRAWS))
    found = [value for rows in drawn if (value := statistic(a[rows], b[rows])) is not None]
    if not found:
        return None
    low, high = np.percentile(found, [(100 - SURE) / 2, (100 + SURE) / 2])
    return float(low), float(high)
