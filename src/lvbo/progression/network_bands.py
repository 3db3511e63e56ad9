# SPDX-License-Identifier: Apache-2.0
"""Bands of corridors that cross: what is asked and what a plan of this kind holds.

A node is a controller: one offset and one phase sequence for all corridors that pass it. Each
corridor is a chain over nodes with its own greens; the conventions are those of `problem`. With
one offset per node the loops of the network close by themselves, and 2E - N + 1 whole cycles are
left to find (E links, N nodes); MAXBAND-86 (Chang et al. 1988) writes them as loops instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lvbo.errors import UsageError
from lvbo.progression.chain import Chain, Ints, build_chain
from lvbo.progression.offsets import Setting, plan_at
from lvbo.progression.problem import BandPlan, BandProblem


@dataclass(frozen=True, kw_only=True)
class NetworkBandProblem:
    """Ask for the widest bands along corridors that share nodes, at one common cycle.

    `nodes[k][i]` is the node of signal i of corridor k; nodes are numbered 0 to N - 1, and all
    signals of a node list their greens for the same sequences in the same order. Weights and least
    bands of each corridor are those of its `BandProblem`; the value is the sum of all (weight x
    band) / cycle. `fixed_ms` are offsets that stay, by node. `names` stand in messages.

    Raises:
        UsageError: LV481 a node's sequences differ between corridors, LV482 cycles differ, LV483 a
            corridor brings locks, signs, a ratio or a speed-change limit, which are not for here.

    """

    corridors: tuple[BandProblem, ...]
    nodes: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    fixed_ms: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        sizes = [(f"nodes of {n}", len(v), c.signals) for n, v, c in self._named()]
        sizes.append(("nodes", len(self.nodes), len(self.corridors)))
        sizes.append(("names", len(self.names), len(self.corridors)))
        for field, found, expected in sizes:
            if found != expected or not expected:
                raise UsageError("LV400", field=field, found=found, expected=expected)
        for name, _, corridor in self._named():
            _check_alike(name, corridor, self.corridors[0])
        self._check_nodes()

    def _named(self) -> list[tuple[str, tuple[int, ...], BandProblem]]:
        return list(zip(self.names, self.nodes, self.corridors, strict=False))

    def _check_nodes(self) -> None:
        counts: dict[int, int] = {}
        for name, nodes, corridor in self._named():
            for node, patterns in zip(nodes, corridor.patterns, strict=True):
                if counts.setdefault(node, len(patterns)) != len(patterns):
                    raise UsageError(
                        "LV481", place=name, node=node, found=len(patterns), expected=counts[node]
                    )
        if set(counts) != set(range(len(counts))) or not {n for n, _ in self.fixed_ms} <= set(
            counts
        ):
            raise UsageError("LV484", nodes=sorted(counts), fixed=[n for n, _ in self.fixed_ms])

    @cached_property
    def size(self) -> int:
        """Return the number of nodes."""
        return 1 + max(node for nodes in self.nodes for node in nodes)

    @cached_property
    def sequences(self) -> tuple[int, ...]:
        """Return how many sequences each node may choose from."""
        found = {
            node: len(patterns)
            for nodes, corridor in zip(self.nodes, self.corridors, strict=True)
            for node, patterns in zip(nodes, corridor.patterns, strict=True)
        }
        return tuple(found[node] for node in range(self.size))

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        """Return the arrays of each corridor."""
        return tuple(build_chain(corridor) for corridor in self.corridors)

    @cached_property
    def passing(self) -> tuple[tuple[int, ...], ...]:
        """Return the corridors through each node."""
        return tuple(
            tuple(k for k, nodes in enumerate(self.nodes) if node in nodes)
            for node in range(self.size)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkBandPlan:
    """Hold one offset and sequence per node, and the bands they give each corridor."""

    cycle_ms: int
    offsets_ms: tuple[int, ...]
    patterns: tuple[int, ...]
    corridors: tuple[BandPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkBands:
    """Answer a `NetworkBandProblem`.

    `exact` is the best plan in milliseconds, `whole` the same with offsets in whole seconds.
    `alone` are the best plans of each corridor by itself at the cycle of `exact`: with them no
    network plan of this cycle can be worth more than `bound`. `starts` plans were built.
    """

    exact: NetworkBandPlan
    whole: NetworkBandPlan
    alone: tuple[BandPlan, ...]
    bound: float
    starts: int


def network_value(problem: NetworkBandProblem, plan: NetworkBandPlan) -> float:
    """Return the sum over corridors and directions of weight x band, in cycles."""
    return weighted(problem, plan.corridors) / plan.cycle_ms


def weighted(problem: NetworkBandProblem, plans: Sequence[BandPlan]) -> float:
    """Return the sum over corridors and directions of weight x band, ms."""
    pairs = zip(problem.corridors, plans, strict=True)
    return sum(c.weight_out * p.outbound_ms + c.weight_in * p.inbound_ms for c, p in pairs)


def short_of_least(problem: NetworkBandProblem, plans: Sequence[BandPlan]) -> int:
    """Return by how much bands fall short of the least bands of their corridors, ms in all."""
    pairs = zip(problem.corridors, plans, strict=True)
    return sum(
        max(0, c.min_out_ms - p.outbound_ms) + max(0, c.min_in_ms - p.inbound_ms) for c, p in pairs
    )


def evaluate_network(
    problem: NetworkBandProblem, cycle_ms: int, offsets_ms: Sequence[int], patterns: Sequence[int]
) -> NetworkBandPlan:
    """Return the bands of all corridors that these offsets and sequences (by node) give."""
    offsets: Ints = np.array(offsets_ms, np.int64) % cycle_ms
    plans = [
        corridor_plan(problem, k, cycle_ms, offsets, patterns)
        for k in range(len(problem.corridors))
    ]
    return NetworkBandPlan(
        cycle_ms=cycle_ms,
        offsets_ms=tuple(offsets.tolist()),
        patterns=tuple(int(p) for p in patterns),
        corridors=tuple(plans),
    )


def corridor_plan(
    problem: NetworkBandProblem, k: int, cycle_ms: int, offsets_ms: Ints, patterns: Sequence[int]
) -> BandPlan:
    """Return what offsets and sequences by node give corridor k."""
    nodes = problem.nodes[k]
    setting = Setting(
        cycle_ms=cycle_ms,
        offsets_ms=offsets_ms[list(nodes)],
        patterns=tuple(int(patterns[v]) for v in nodes),
    )
    return plan_at(problem.corridors[k], problem.chains[k], setting)


def _check_alike(name: str, corridor: BandProblem, first: BandProblem) -> None:
    if (corridor.cycles_ms, corridor.parts_per_cycle) != (first.cycles_ms, first.parts_per_cycle):
        raise UsageError("LV482", place=name, cycles_ms=corridor.cycles_ms[:3])
    unfit = {
        "locks": bool(corridor.locks),
        "posted": corridor.posted is not None,
        "ratio_range": corridor.ratio_range is not None,
        "speed_change_limit_s_per_m": corridor.speed_change_limit_s_per_m is not None,
    }
    if any(unfit.values()):
        raise UsageError("LV483", place=name, fields=[f for f, there in unfit.items() if there])
