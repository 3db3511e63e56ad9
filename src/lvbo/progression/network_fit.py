# SPDX-License-Identifier: Apache-2.0
"""The best plan of one structure of a network: windows chosen and whole cycles counted.

With the window that each band uses at each signal and the whole cycles between fronts and offsets
given, offsets, fronts, bands and, where it is free, the cycle are a linear programme (the node form
of MAXBAND with its integers given; times in cycles, z = 1/C).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lvbo.progression.chain import Floats
from lvbo.progression.linear import Programme
from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    evaluate_network,
    network_value,
    short_of_least,
)
from lvbo.progression.problem import Window

INSIDE_MS = 2.0
"""Least bands get this much more, so that whole milliseconds keep them."""
HALF_TICK_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Hold cycle (ms), offsets (cycles) and value of a fit."""

    cycle_ms: float
    offsets: Floats
    value: float


def fit_network(
    problem: NetworkBandProblem,
    plan: NetworkBandPlan,
    cycles_ms: tuple[float, float],
    held_ms: Mapping[int, int] | None = None,
) -> Fitted | None:
    """Return the best cycle in this range and offsets with the structure of a plan.

    Directions in which the plan has no band are left out; nodes in `held_ms` stay there. None
    where the least bands cannot be kept so.
    """
    writer = _Writer(problem, plan, cycles_ms, {**(held_ms or {}), **dict(problem.fixed_ms)})
    best = writer.programme.solve()
    if best is None:
        return None
    cycle_ms = 1000 / float(best.columns[0]) if writer.free else cycles_ms[0]
    offsets = np.array(
        [
            best.columns[c] if c is not None else given
            for c, given in zip(writer.offset, writer.given, strict=True)
        ]
    )
    return Fitted(cycle_ms=cycle_ms, offsets=offsets, value=best.value)


def refit(
    problem: NetworkBandProblem, plan: NetworkBandPlan, *, free_cycle: bool = True
) -> NetworkBandPlan:
    """Return the plan after a fit, in whole milliseconds, if that is better; else as it is."""
    cycles = problem.corridors[0].cycles_ms
    beside = [plan.cycle_ms]
    if free_cycle and len(cycles) > 1 and not problem.fixed_ms:
        free = fit_network(problem, plan, (min(cycles), max(cycles)))
        if free is not None:
            beside = _nearest(cycles, free.cycle_ms)
            at = evaluate_network(
                problem, beside[0], whole_ms(free.offsets, beside[0]), plan.patterns
            )
            plan = max((plan, at), key=lambda p: rank(problem, p))
    found = [plan]
    for cycle_ms in beside:
        # whole cycles between fronts are those of the plan whatever cycle it is told in
        fit = fit_network(problem, plan, (cycle_ms, cycle_ms))
        if fit is not None:
            offsets = whole_ms(fit.offsets, cycle_ms)
            found.append(evaluate_network(problem, cycle_ms, offsets, plan.patterns))
    return max(found, key=lambda p: rank(problem, p))


def rank(problem: NetworkBandProblem, plan: NetworkBandPlan) -> tuple[int, float]:
    """Return what plans are compared by: least bands first, then the value."""
    return -short_of_least(problem, plan.corridors), network_value(problem, plan)


def _nearest(cycles_ms: Sequence[int], cycle_ms: float) -> list[int]:
    cycles = np.array(sorted(cycles_ms))
    at = int(np.searchsorted(cycles, cycle_ms))
    return sorted({int(cycles[max(at - 1, 0)]), int(cycles[min(at, cycles.size - 1)])})


def whole_ms(offsets: Floats, cycle_ms: int) -> list[int]:
    """Return offsets in cycles as whole milliseconds in [0, cycle)."""
    return [int(x) for x in np.rint(offsets * cycle_ms).astype(np.int64) % cycle_ms]


class _Writer:
    """Write the programme of one structure."""

    def __init__(
        self,
        problem: NetworkBandProblem,
        plan: NetworkBandPlan,
        cycles_ms: tuple[float, float],
        held_ms: Mapping[int, int],
    ) -> None:
        self.problem, self.plan, self.held_ms = problem, plan, held_ms
        self.free = cycles_ms[1] > cycles_ms[0]
        self.cycle_ms = plan.cycle_ms if self.free else cycles_ms[0]
        ways = [
            (k, outbound)
            for k, p in enumerate(plan.corridors)
            for outbound in (True, False)
            if (p.outbound_ms if outbound else p.inbound_ms) > 0
        ]
        self.programme = Programme(border=int(self.free) + len(ways))
        self.z = 1000 / self.cycle_ms
        if self.free:
            self.programme.column(self.z)
        self.bands = {way: self._band(*way) for way in ways}
        self.offset: list[int | None] = [None] * problem.size
        self.given: list[float] = [0.0] * problem.size
        self.fronts: dict[tuple[int, bool, int], int] = {}
        self._nodes()
        self._rows(cycles_ms)

    def _band(self, k: int, outbound: bool) -> int:  # noqa: FBT001  half of a pair
        corridor, p = self.problem.corridors[k], self.plan.corridors[k]
        weight = corridor.weight_out if outbound else corridor.weight_in
        width = p.outbound_ms if outbound else p.inbound_ms
        return self.programme.column(width / self.plan.cycle_ms, cost=weight)

    def _nodes(self) -> None:
        """Add offset and fronts of each node, neighbours near each other."""
        visits: list[list[tuple[int, int]]] = [[] for _ in range(self.problem.size)]
        for k, nodes in enumerate(self.problem.nodes):
            for i, v in enumerate(nodes):
                visits[v].append((k, i))
        cycle = self.plan.cycle_ms
        for v in near_order(self.problem):
            if v in self.held_ms:
                self.given[v] = self.held_ms[v] / self.cycle_ms
            else:
                self.offset[v] = self.programme.column(self.plan.offsets_ms[v] / cycle)
            for k, i in visits[v]:
                p = self.plan.corridors[k]
                for outbound, fronts in ((True, p.front_out_ms), (False, p.front_in_ms)):
                    if (k, outbound) in self.bands:
                        at = self.programme.column(fronts[i] / cycle)
                        self.fronts[k, outbound, i] = at

    def row(self, terms: dict[int, float], per_z: float = 0.0, high: float = 0.0) -> None:
        """Add sum of terms + per_z x z <= high."""
        if self.free:
            self.programme.at_most({**terms, 0: per_z}, high)
        else:
            self.programme.at_most(terms, high - per_z * self.z)

    def _rows(self, cycles_ms: tuple[float, float]) -> None:
        if self.free:
            self.programme.between(1000 / cycles_ms[1], {0: 1.0}, 1000 / cycles_ms[0])
        for (k, outbound), band in self.bands.items():
            self._least(k, band, outbound=outbound)
            for i in range(self.problem.corridors[k].signals):
                self._green(k, i, band, outbound=outbound)
            for i in range(self.problem.corridors[k].signals - 1):
                self._drive(k, i, outbound=outbound)

    def _least(self, k: int, band: int, *, outbound: bool) -> None:
        corridor = self.problem.corridors[k]
        least = corridor.min_out_ms if outbound else corridor.min_in_ms
        self.row({band: -1.0}, (least + INSIDE_MS) / 1000 if least else 0.0)

    def _green(self, k: int, i: int, band: int, *, outbound: bool) -> None:
        """Keep front and end of a band inside the window that the plan uses."""
        corridor, p = self.problem.corridors[k], self.plan.corridors[k]
        v = self.problem.nodes[k][i]
        pattern = corridor.patterns[i][self.plan.patterns[v]]
        windows = pattern.outbound if outbound else pattern.inbound
        front_ms = (p.front_out_ms if outbound else p.front_in_ms)[i]
        width = p.outbound_ms if outbound else p.inbound_ms
        since = (front_ms - self.plan.offsets_ms[v]) / self.plan.cycle_ms
        start, length, turns = _used(
            windows, corridor.parts_per_cycle, since, width / self.plan.cycle_ms
        )
        if length >= 1:
            self.row({band: 1.0}, high=1.0)
            return
        front = {self.fronts[k, outbound, i]: 1.0}
        column = self.offset[v]
        known = start + turns
        if column is None:  # the fixed offset, told in cycles, runs on with the front
            whole = round(self.plan.offsets_ms[v] / self.plan.cycle_ms - self.given[v])
            known += self.given[v] + whole
        else:
            front[column] = -1.0
        self.row({c: -x for c, x in front.items()}, high=-known)
        self.row({**front, band: 1.0}, high=known + length)

    def _drive(self, k: int, i: int, *, outbound: bool) -> None:
        corridor, chain = self.problem.corridors[k], self.problem.chains[k]
        metres = (corridor.distance_out_m if outbound else corridor.distance_in_m)[i]
        slow, fast = (corridor.speed_out_mps if outbound else corridor.speed_in_mps)[i]
        later, earlier = (i + 1, i) if outbound else (i, i + 1)
        clear = float((chain.clear_out if outbound else chain.clear_in)[later]) / 1000
        a, b = self.fronts[k, outbound, later], self.fronts[k, outbound, earlier]
        room = HALF_TICK_S / 4 if slow == fast else -HALF_TICK_S
        shortest, longest = metres / fast, metres / slow
        if shortest - room > longest + room:
            room = HALF_TICK_S / 4
        self.row({a: 1.0, b: -1.0}, clear - longest - room)
        self.row({a: -1.0, b: 1.0}, shortest - clear - room)


def _used(
    windows: Sequence[Window], parts: int, since: float, width: float
) -> tuple[float, float, int]:
    """Return start and length of the window a band lies in, and whole cycles before it."""
    best: tuple[float, tuple[float, float, int]] | None = None
    for begin, size in windows:
        start, length = begin / parts, size / parts
        if size >= parts:
            return start, 1.0, 0
        turns = round(since + width / 2 - start - length / 2)
        out = max(start - (since - turns), since - turns + width - start - length)
        if best is None or out < best[0]:
            best = (out, (start, length, turns))
    if best is None:
        raise ValueError(windows)
    return best[1]


def near_order(problem: NetworkBandProblem) -> list[int]:
    """Return the nodes breadth first from an end, so that neighbours get near columns."""
    near: list[set[int]] = [set() for _ in range(problem.size)]
    for nodes in problem.nodes:
        for a, b in pairwise(nodes):
            near[a].add(b)
            near[b].add(a)
    order: list[int] = []
    for root in sorted(range(problem.size), key=lambda v: (len(near[v]), v)):
        if root in order:
            continue
        start = _walked(near, _walked(near, root)[-1])
        order += start
    return order


def _walked(near: Sequence[set[int]], root: int) -> list[int]:
    seen, queue = [root], deque([root])
    known = {root}
    while queue:
        for v in sorted(near[queue.popleft()] - known, key=lambda w: (len(near[w]), w)):
            known.add(v)
            seen.append(v)
            queue.append(v)
    return seen
