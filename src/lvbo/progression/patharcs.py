# SPDX-License-Identifier: Apache-2.0
"""Arcs of a circle in whole milliseconds: what is green at once, and how long at most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Arc = tuple[int, int]  # start in [0, cycle) and length; a length of a cycle or more is the circle
Arcs = tuple[Arc, ...]

ALWAYS: Arcs = ((0, 1 << 40),)


def turned(arcs: Sequence[Arc], shift_ms: int, cycle_ms: int, less_ms: int = 0) -> Arcs:
    """Return arcs moved later, each `less_ms` shorter; those that vanish are left out."""
    if any(length >= cycle_ms for _, length in arcs):
        return ALWAYS
    return tuple(
        ((start + shift_ms) % cycle_ms, length - less_ms)
        for start, length in arcs
        if length > less_ms
    )


def common(a: Arcs, b: Arcs, cycle_ms: int) -> Arcs:
    """Return the arcs that lie in both."""
    if a == ALWAYS:
        return b
    if b == ALWAYS:
        return a
    found = []
    for start, length in a:
        for other, size in b:
            for at in (other - cycle_ms, other, other + cycle_ms):
                low, high = max(start, at), min(start + length, at + size)
                if high > low:
                    found.append((low % cycle_ms, high - low))
    return tuple(found)


def longest(arcs: Arcs, cycle_ms: int) -> Arc:
    """Return the longest arc, the first of equals; (0, 0) where there is none."""
    if arcs == ALWAYS:
        return 0, cycle_ms
    return max(arcs, key=lambda arc: (arc[1], -arc[0]), default=(0, 0))


def overlaps(a: Arcs, b: Arcs, shifts_ms: Ints, cycle_ms: int) -> Ints:
    """Return the longest common arc for each shift of `b`, (shifts,)."""
    if ALWAYS in (a, b) or not a or not b:
        own = longest(common(a, b, cycle_ms), cycle_ms)[1]
        return np.full(shifts_ms.size, own, np.int64)
    here, there = np.array(a, np.int64), np.array(b, np.int64)
    starts = (there[:, :1] + shifts_ms) % cycle_ms
    starts = np.stack((starts - cycle_ms, starts, starts + cycle_ms))[:, :, None]
    begin, end = here[:, 0, None], here.sum(1)[:, None]
    ends = np.minimum(starts + there[:, 1, None, None], end)
    longest_ms: Ints = (ends - np.maximum(starts, begin)).max((0, 1, 2))
    return np.maximum(longest_ms, 0)
