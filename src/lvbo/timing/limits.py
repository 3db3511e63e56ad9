# SPDX-License-Identifier: Apache-2.0
"""Which greens the limits leave: least greens of stages and windows, and limits that contradict.

Least greens of stages, least lengths of green windows over several stages and a total time are
difference constraints on the running sum of greens, so the longest path decides exactly, in whole
seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from lvbo.errors import InfeasibleError

_EXHAUSTIVE = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A green over consecutive stages: its name, first stage, stages, and least sum of greens."""

    name: str
    first: int
    length: int
    least_s: float

    def covers(self, stage: int, stages: int) -> bool:
        """Say whether the window has green in this stage."""
        return (stage - self.first) % stages < self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """All hard limits of one search, whole seconds; the greens left over are what a search may set.

    `most_s` is infinite where a stage has no maximum. Windows lie over two stages or more.
    """

    stages: tuple[str, ...]
    least_s: tuple[float, ...]
    most_s: tuple[float, ...]
    intergreen_s: tuple[float, ...]
    windows: tuple[Window, ...] = ()
    least_cycle_s: int = 30
    most_cycle_s: int = 150

    @property
    def lost_s(self) -> float:
        """Return the sum of intergreens."""
        return sum(self.intergreen_s)


def least_greens(bounds: Bounds) -> tuple[int, ...]:
    """Return the shortest greens that keep every limit, or raise with the conflicting limits."""
    names = _limit_names(bounds)
    greens = _solve(bounds, names)
    if greens is not None:
        return greens
    conflict = _smallest_conflict(bounds, names)
    raise InfeasibleError(
        "LV510",
        conflict=conflict,
        least_s=round(sum(bounds.least_s) + bounds.lost_s),
        most_s=bounds.most_cycle_s,
    )


def cycle_range(bounds: Bounds) -> tuple[int, int]:
    """Return the shortest and longest whole cycle that the limits allow."""
    shortest = math.ceil(sum(least_greens(bounds)) + bounds.lost_s - 1e-9)
    longest = min(float(bounds.most_cycle_s), sum(bounds.most_s) + bounds.lost_s)
    return max(bounds.least_cycle_s, shortest), math.floor(longest + 1e-9)


def _limit_names(bounds: Bounds) -> tuple[str, ...]:
    """Return a name for every limit that can be part of a conflict, the least demanding first."""
    sizes = [
        (least, f"min_green:{n}") for n, least in zip(bounds.stages, bounds.least_s, strict=True)
    ]
    sizes += [(w.least_s, f"min_window:{w.name}") for w in bounds.windows]
    sizes += [
        (gap, f"intergreen:{n}") for n, gap in zip(bounds.stages, bounds.intergreen_s, strict=True)
    ]
    asked = [name for size, name in sorted(sizes) if size > 0]
    tops = [
        f"max_green:{n}"
        for n, most in zip(bounds.stages, bounds.most_s, strict=True)
        if math.isfinite(most)
    ]
    return (*asked, *tops, "min_cycle", "max_cycle")


def _only(bounds: Bounds, names: Sequence[str]) -> Bounds:
    """Return the bounds with every limit that is not named lifted."""
    kept = set(names)

    def pick(kind: str, values: tuple[float, ...], otherwise: float) -> tuple[float, ...]:
        return tuple(
            value if f"{kind}:{name}" in kept else otherwise
            for name, value in zip(bounds.stages, values, strict=True)
        )

    return replace(
        bounds,
        least_s=pick("min_green", bounds.least_s, 0.0),
        most_s=pick("max_green", bounds.most_s, math.inf),
        intergreen_s=pick("intergreen", bounds.intergreen_s, 0.0),
        windows=tuple(w for w in bounds.windows if f"min_window:{w.name}" in kept),
        least_cycle_s=bounds.least_cycle_s if "min_cycle" in kept else 0,
        most_cycle_s=bounds.most_cycle_s if "max_cycle" in kept else 1_000_000,
    )


def _solve(bounds: Bounds, names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the shortest greens under the named limits alone, or None where there are none."""
    kept = _only(bounds, names)
    top = math.floor(kept.most_cycle_s - kept.lost_s + 1e-9)
    bottom = max(0, math.ceil(kept.least_cycle_s - kept.lost_s - 1e-9))
    room = min(
        float(top),
        sum(math.floor(most + 1e-9) if math.isfinite(most) else math.inf for most in kept.most_s),
    )
    low = math.ceil(sum(kept.least_s) - 1e-9)
    windows = sum(math.ceil(window.least_s) for window in kept.windows)
    high = math.floor(min(room, low + windows + len(kept.stages)))
    if room < bottom or high < 0 or _greens_of(kept, high) is None:
        return None
    while low < high:  # more time never makes least lengths harder to keep
        middle = (low + high) // 2
        if _greens_of(kept, middle) is None:
            low = middle + 1
        else:
            high = middle
    return _greens_of(kept, high)


def _greens_of(bounds: Bounds, total_s: int) -> tuple[int, ...] | None:
    """Return whole greens within the bounds that sum to at most `total_s`; None if none do.

    Longest paths over running sums P_0 .. P_S with P_S - P_0 <= total (Bellman and Ford).
    """
    count = len(bounds.stages)
    edges = [(count, 0, -total_s)]
    for s in range(count):
        edges.append((s, s + 1, math.ceil(bounds.least_s[s] - 1e-9)))
        if math.isfinite(bounds.most_s[s]):
            edges.append((s + 1, s, -math.floor(bounds.most_s[s] + 1e-9)))
    for window in bounds.windows:
        need = math.ceil(window.least_s - 1e-9)
        end = window.first + window.length
        if end <= count:
            edges.append((window.first, end, need))
        else:  # over the end of the cycle: total - (P_first - P_end) >= need
            edges.append((window.first, end - count, need - total_s))
    # A window over the end counts on the whole total being green, so the sum must be exact there.
    if any(w.first + w.length > count for w in bounds.windows):
        edges.append((0, count, total_s))
    sums = _longest(edges, count + 1)
    return None if sums is None else tuple(sums[s + 1] - sums[s] for s in range(count))


def _longest(edges: Sequence[tuple[int, int, int]], nodes: int) -> list[int] | None:
    """Return longest-path values from node 0, or None where a positive cycle contradicts."""
    unreached = -(10**9)
    values = [0] + [unreached] * (nodes - 1)
    for _ in range(nodes + 1):
        changed = False
        for start, end, length in edges:
            if values[start] > unreached and values[start] + length > values[end]:
                values[end] = values[start] + length
                changed = True
        if not changed:
            return values
    return None


def _smallest_conflict(bounds: Bounds, names: Sequence[str]) -> tuple[str, ...]:
    """Return a smallest set of limits that cannot hold together.

    Limits are dropped one by one, the least demanding first, as long as the rest still conflict;
    then all smaller sets are tried where they are few enough.
    """
    kept = list(names)
    for name in names:
        rest = [other for other in kept if other != name]
        if _solve(bounds, rest) is None:
            kept = rest
    for size in range(1, len(kept)):
        if math.comb(len(names), size) > _EXHAUSTIVE:
            break
        for some in combinations(reversed(names), size):
            if _solve(bounds, some) is None:
                return tuple(sorted(some))
    return tuple(sorted(kept))
