# SPDX-License-Identifier: Apache-2.0
"""Groups of nodes that have more to do with each other than chance would let them.

Modularity is raised by moving one node at a time, then whole groups, as Blondel and others (2008)
do; here no group grows over a limit, and nodes are taken in their order, so the answer is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

Weights = Mapping[tuple[int, int], float]

PASSES = 30
LEAST_GAIN = 1e-12


def louvain(weights: Weights, sizes: Sequence[int], most: int) -> list[int]:
    """Return the group of each node: no group's sizes add up to more than `most`.

    `weights` join pairs of nodes. Groups are numbered in the order of their first nodes.
    """
    group = list(range(len(sizes)))
    inner, size = dict(weights), list(sizes)
    while True:
        moved = _Level(inner, size, most).moved()
        if len(set(moved)) == len(size):
            return group
        group = [moved[g] for g in group]
        size = _sums(size, moved)
        inner = _joined(inner, moved)


def modularity(weights: Weights, group: Sequence[int]) -> float:
    """Return Newman's modularity of a grouping, 0 where nothing is joined."""
    total = sum(weights.values())
    if total <= 0:
        return 0.0
    degree: dict[int, float] = defaultdict(float)
    inside = 0.0
    for (a, b), weight in weights.items():
        degree[group[a]] += weight
        degree[group[b]] += weight
        inside += weight if group[a] == group[b] else 0.0
    return inside / total - sum((d / (2 * total)) ** 2 for d in degree.values())


def renumbered(group: Iterable[int]) -> list[int]:
    """Return groups numbered in the order in which they first come."""
    order: dict[int, int] = {}
    return [order.setdefault(g, len(order)) for g in group]


class _Level:
    """One level of the search: nodes, each in a group, and what groups hold."""

    def __init__(self, weights: Weights, sizes: Sequence[int], most: int) -> None:
        self.sizes, self.most = sizes, most
        self.near: list[dict[int, float]] = [{} for _ in sizes]
        self.degree = [0.0] * len(sizes)
        for (a, b), weight in weights.items():
            self.degree[a] += weight
            self.degree[b] += weight
            if a != b:
                self.near[a][b] = self.near[a].get(b, 0.0) + weight
                self.near[b][a] = self.near[b].get(a, 0.0) + weight
        self.twice = max(sum(self.degree), LEAST_GAIN)
        self.group = list(range(len(sizes)))
        self.held, self.full = list(self.degree), list(sizes)

    def moved(self) -> list[int]:
        """Return the groups after nodes have moved one by one as long as that helps."""
        for _ in range(PASSES):
            if not sum(self._move(node) for node in range(len(self.sizes))):
                break
        return renumbered(self.group)

    def _move(self, node: int) -> bool:
        """Put a node into the group where it adds most to the modularity; say if it moved."""
        own = self.group[node]
        self.held[own] -= self.degree[node]
        self.full[own] -= self.sizes[node]
        joins: dict[int, float] = defaultdict(float)
        for other, weight in self.near[node].items():
            joins[self.group[other]] += weight
        best, most = own, self._gain(node, own, joins[own])
        for to in sorted(joins):
            gain = self._gain(node, to, joins[to])
            if gain > most + LEAST_GAIN and self.full[to] + self.sizes[node] <= self.most:
                best, most = to, gain
        self.held[best] += self.degree[node]
        self.full[best] += self.sizes[node]
        self.group[node] = best
        return best != own

    def _gain(self, node: int, to: int, joined: float) -> float:
        return joined - self.degree[node] * self.held[to] / self.twice


def _sums(sizes: Sequence[int], group: Sequence[int]) -> list[int]:
    out = [0] * (max(group) + 1)
    for size, g in zip(sizes, group, strict=True):
        out[g] += size
    return out


def _joined(weights: Weights, group: Sequence[int]) -> dict[tuple[int, int], float]:
    """Return the weights between groups; what lies inside one joins it with itself."""
    out: dict[tuple[int, int], float] = defaultdict(float)
    for (a, b), weight in weights.items():
        ends = group[a], group[b]
        out[min(ends), max(ends)] += weight
    return dict(out)
