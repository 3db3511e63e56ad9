# SPDX-License-Identifier: Apache-2.0
"""Sharing a cycle among stages: equal saturation within bounds, whole seconds, exact sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lvbo.errors import InfeasibleError, UsageError
from lvbo.timing.arrays import Array, real

Whole = NDArray[np.int64]

_NO_DEMAND = 1e-9


def equal_saturation_greens(
    flow_ratios: ArrayLike,
    available_s: float,
    *,
    least_s: ArrayLike,
    most_s: ArrayLike = np.inf,
) -> Array:
    """Return greens max(least, min(most, y C / X)) that use up `available_s` with one X.

    This is water-filling: the largest saturation is as small as the bounds allow. Where no stage
    has demand, the time above the bounds is shared evenly. Sums to `available_s` exactly up to
    rounding of floats.
    """
    y = np.where(real(flow_ratios) > _NO_DEMAND, real(flow_ratios), 0.0)
    low = np.array(np.broadcast_to(real(least_s), y.shape))
    high = np.array(np.broadcast_to(real(most_s), y.shape))
    _check_bounds(low, high, available_s)
    return _fill(y if y.sum() > 0 else np.ones(y.shape), low, high, available_s)


def _fill(y: Array, low: Array, high: Array, available_s: float) -> Array:
    """Return clip(y t, low, high) for the level t at which it sums to `available_s`.

    The sum rises piecewise linearly in t: find the piece between two break points, then solve it.
    """
    if low.sum() >= available_s - 1e-9:
        return np.array(low)
    wants = np.flatnonzero(y > 0)
    breaks = np.concatenate([low[wants] / y[wants], high[wants] / y[wants]])
    levels = np.unique(breaks[np.isfinite(breaks)])
    sums = np.array([np.clip(y * t, low, high).sum() for t in levels])
    piece = int(np.searchsorted(sums, available_s, side="left"))
    if piece == len(levels):
        return _beyond(y, low, high, available_s, float(levels[-1]))
    upper = np.clip(y * levels[piece], low, high)
    lower = np.clip(y * levels[piece - 1], low, high)
    share = (available_s - lower.sum()) / max(upper.sum() - lower.sum(), 1e-12)
    return np.asarray(lower + share * (upper - lower))


def _beyond(y: Array, low: Array, high: Array, available_s: float, level: float) -> Array:
    """Return greens past the last break: free stages grow with y, then those without demand."""
    greens = np.clip(y * level, low, high)
    free = np.isinf(high) & (y > 0)
    spare = available_s - greens.sum()
    if free.any():
        return np.asarray(greens + np.where(free, y, 0.0) / y[free].sum() * spare)
    room = high - greens
    if np.isinf(room).any():
        open_end = np.isinf(room)
        return np.asarray(greens + open_end * (spare / open_end.sum()))
    return np.asarray(greens + room * (spare / max(room.sum(), 1e-12)))


def whole_seconds(
    greens_s: ArrayLike, total_s: int, *, least_s: ArrayLike = 0, most_s: ArrayLike = np.inf
) -> Whole:
    """Return whole greens that sum to `total_s` exactly, by largest remainder within the bounds."""
    greens = real(greens_s)
    low = np.ceil(np.broadcast_to(real(least_s), greens.shape) - 1e-9)
    high = np.floor(np.broadcast_to(real(most_s), greens.shape) + 1e-9)
    _check_bounds(low, high, total_s)
    whole = np.clip(np.floor(greens + 1e-9), low, high)
    while (gap := round(float(total_s - whole.sum()))) != 0:
        step = 1 if gap > 0 else -1
        movable = whole < high if step > 0 else whole > low
        missing = np.where(movable, (greens - whole) * step, -np.inf)
        whole[int(np.argmax(missing))] += step
    return whole.astype(np.int64)


def stage_seconds(greens_s: ArrayLike, intergreens_s: ArrayLike) -> Array:
    """Return each stage's split, green plus the intergreen after it; they sum to the cycle."""
    return np.asarray(real(greens_s) + real(intergreens_s))


def _check_bounds(low: Array, high: Array, available_s: float) -> None:
    if np.any(low > high + 1e-9):
        worst = int(np.argmax(low - high))
        raise InfeasibleError(
            "LV507",
            stage=worst,
            least_s=float(low[worst]),
            most_s=float(high[worst]),
            conflict=(f"minimum green {worst}", f"maximum green {worst}"),
        )
    if low.sum() > available_s + 1e-9 or high.sum() < available_s - 1e-9:
        raise UsageError(
            "LV508",
            available_s=available_s,
            least_s=float(low.sum()),
            most_s=float(high.sum()),
        )
