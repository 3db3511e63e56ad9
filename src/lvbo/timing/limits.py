# SPDX-License-Identifier: Apache-2.0
"""Which greens the limits leave: least greens of stages and windows, and limits that contradict.

Least greens of stages, least lengths of green windows over several stages and a total time are
difference constraints on the running sum of greens, so the longest path decides exactly, in whole
seconds. Limits are named in signs that need no language: g green, C cycle, I intergreens.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

INTERGREENS = "I"
_EXHAUSTIVE = 1000
_NO_CAP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The least sum of greens, s, of `length` stages in a row from `first`; `name` is its limit."""

    name: str
    first: int
    length: int
    least_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The greatest green of one stage, s."""

    name: str
    stage: int
    most_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLimits:
    """All hard limits of one stage order: the intergreen after each stage, needs and caps, s."""

    intergreen_s: tuple[int, ...]
    needs: tuple[Need, ...] = ()
    caps: tuple[Cap, ...] = ()

    @property
    def lost_s(self) -> int:
        """Return the sum of intergreens."""
        return sum(self.intergreen_s)

    def most_greens(self) -> tuple[int, ...]:
        """Return the greatest green of each stage, s; 10000 where there is no limit."""
        most = [_NO_CAP] * len(self.intergreen_s)
        for cap in self.caps:
            most[cap.stage] = min(most[cap.stage], cap.most_s)
        return tuple(most)

    def least_greens(self) -> tuple[int, ...] | None:
        """Return the shortest greens that keep every need and cap, s; None where none do."""
        high = min(sum(self.most_greens()), sum(need.least_s for need in self.needs))
        low = max((need.least_s for need in self.needs), default=0)
        if _greens_of(self, high) is None:
            return None
        while low < high:  # more time never makes least lengths harder to keep
            middle = (low + high) // 2
            if _greens_of(self, middle) is None:
                low = middle + 1
            else:
                high = middle
        return _greens_of(self, high)

    def only(self, names: Collection[str]) -> StageLimits:
        """Return the limits with every one that is not named lifted."""
        gaps = self.intergreen_s if INTERGREENS in names else (0,) * len(self.intergreen_s)
        return replace(
            self,
            intergreen_s=gaps,
            needs=tuple(need for need in self.needs if need.name in names),
            caps=tuple(cap for cap in self.caps if cap.name in names),
        )


def least_cycle(limits: StageLimits) -> int:
    """Return the shortest cycle of one order in s, caps left aside."""
    greens = replace(limits, caps=()).least_greens()
    return sum(greens or ()) + limits.lost_s


def smallest_conflict(
    orders: Sequence[StageLimits], least_cycle_s: int, most_cycle_s: int
) -> tuple[str, ...]:
    """Return a smallest set of limits that no stage order can keep together; none if one can.

    Limits are dropped one by one, the least demanding first, as long as the rest still conflict;
    then all smaller sets are tried where they are few enough.
    """
    cycle = (f"C_min = {least_cycle_s} s", f"C_max = {most_cycle_s} s")
    names = (*_by_size(orders), INTERGREENS, *cycle)

    def conflict(some: Collection[str]) -> bool:
        shortest = least_cycle_s if cycle[0] in some else 0
        longest = most_cycle_s if cycle[1] in some else len(names) * _NO_CAP
        return not any(_holds(order.only(some), shortest, longest) for order in orders)

    if not conflict(names):
        return ()
    kept = list(names)
    for name in names:
        rest = [other for other in kept if other != name]
        if conflict(rest):
            kept = rest
    for size in range(1, len(kept)):
        if math.comb(len(names), size) > _EXHAUSTIVE:
            break
        for some in combinations(reversed(names), size):
            if conflict(some):
                return tuple(sorted(some))
    return tuple(sorted(kept))


def _by_size(orders: Sequence[StageLimits]) -> tuple[str, ...]:
    """Return the names of all needs, the least demanding first, then those of all caps."""
    sizes: dict[str, int] = {}
    for need in (need for order in orders for need in order.needs):
        sizes[need.name] = max(sizes.get(need.name, 0), need.least_s)
    caps = sorted({cap.name for order in orders for cap in order.caps})
    return (*sorted(sizes, key=lambda name: (sizes[name], name)), *caps)


def _holds(limits: StageLimits, least_cycle_s: int, most_cycle_s: int) -> bool:
    """Say whether some whole greens keep all limits within these cycles."""
    greens = limits.least_greens()
    if greens is None or least_cycle_s > most_cycle_s:
        return False
    longest = sum(limits.most_greens()) + limits.lost_s
    return sum(greens) + limits.lost_s <= most_cycle_s and longest >= least_cycle_s


def _greens_of(limits: StageLimits, total_s: int) -> tuple[int, ...] | None:
    """Return whole greens within the limits that sum to at most `total_s`; None if none do.

    Longest paths over running sums P_0 .. P_S with P_S - P_0 <= total (Bellman and Ford).
    """
    count = len(limits.intergreen_s)
    edges = [(count, 0, -total_s), *((s, s + 1, 0) for s in range(count))]
    edges += [(cap.stage + 1, cap.stage, -cap.most_s) for cap in limits.caps]
    over_the_end = False
    for need in limits.needs:
        end = need.first + need.length
        if end <= count:
            edges.append((need.first, end, need.least_s))
        else:  # over the end of the cycle: total - (P_first - P_end) >= need
            edges.append((need.first, end - count, need.least_s - total_s))
            over_the_end = True
    if over_the_end:  # such a window counts on the whole total being green
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
