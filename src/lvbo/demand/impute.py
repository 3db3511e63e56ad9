# SPDX-License-Identifier: Apache-2.0
"""Fill slots that were not seen: neighbours first, then like days; what was filled is said.

Order after Chen et al. (2003): linear regression on neighbours fitted on common history, then the
median of the same slot on days of the same type, else nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
NEIGHBOURS = 3
LEAST_COMMON = 24
LEAST_FIT = 0.7
TWO_SIGMA = 2.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Imputed:
    """Volumes without the holes that could be filled; arrays (days, slots, movements)."""

    volume: Array
    lower: Array
    upper: Array
    filled: Mask


def fill_gaps(
    volume: Array,
    lower: Array,
    upper: Array,
    day_types: Sequence[str],
    beside: Sequence[Sequence[int]],
) -> Imputed:
    """Return volumes with gaps filled; `beside` are columns of movements that vary together."""
    out, low, high = volume.copy(), lower.copy(), upper.copy()
    holes = np.asarray(np.isnan(volume))
    for columns in beside:
        for k in columns:
            if holes[:, :, k].any() and not holes[:, :, k].all():
                _by_neighbours(out, volume, k, [n for n in columns if n != k])
    _by_like_days(out, day_types)
    filled = holes & ~np.isnan(out)
    spread = _spread_of(volume)
    low[filled] = np.maximum(0.0, out - TWO_SIGMA * spread)[filled]
    high[filled] = (out + TWO_SIGMA * spread)[filled]
    return Imputed(volume=out, lower=low, upper=high, filled=filled)


def _by_neighbours(out: Array, volume: Array, k: int, others: Sequence[int]) -> None:
    """Fill column k with the median prediction of its three best neighbours."""
    own = volume[:, :, k]
    fits = []
    for n in others:
        both = ~np.isnan(own) & ~np.isnan(volume[:, :, n])
        if both.sum() < LEAST_COMMON:
            continue
        x, y = volume[:, :, n][both], own[both]
        if x.std() == 0 or y.std() == 0:
            continue
        fit = float(np.corrcoef(x, y)[0, 1])
        if fit >= LEAST_FIT:
            slope = fit * y.std() / x.std()
            fits.append((fit, y.mean() + slope * (volume[:, :, n] - x.mean())))
    if not fits:
        return
    best = sorted(fits, key=lambda pair: -pair[0])[:NEIGHBOURS]
    guesses = np.stack([guess for _, guess in best])
    told = ~np.isnan(guesses).all(axis=0) & np.isnan(own)
    out[:, :, k][told] = np.maximum(0.0, np.nanmedian(guesses[:, told], axis=0))


def _by_like_days(out: Array, day_types: Sequence[str]) -> None:
    for kind in dict.fromkeys(day_types):
        rows = [d for d, own in enumerate(day_types) if own == kind]
        block = out[rows]
        told = ~np.isnan(block).all(axis=0)
        usual = np.full(block.shape[1:], np.nan)
        usual[told] = np.nanmedian(block[:, told], axis=0)
        out[rows] = np.where(np.isnan(block), usual[None], block)


def _spread_of(volume: Array) -> Array:
    """Return the spread over days of each slot and movement, at least that of a Poisson count."""
    seen = (~np.isnan(volume)).sum(axis=0)
    mean = np.nansum(volume, axis=0) / np.maximum(seen, 1)
    squares = np.nansum((volume - mean) ** 2, axis=0) / np.maximum(seen - 1, 1)
    return np.asarray(np.maximum(np.sqrt(squares), np.sqrt(np.maximum(mean, 1.0)))[None])
