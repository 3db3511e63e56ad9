# SPDX-License-Identifier: Apache-2.0
"""Offsets of a network in whole seconds near an exact plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    corridor_plan,
    evaluate_network,
)
from lvbo.progression.network_fit import fit_network, near_order, rank, whole_ms

SECOND_MS = 1000
SHIFTS_MS = (0, 200, 400, 600, 800)
ROUNDS = 12  # nodes are rounded in so many groups, the others free to follow


def whole_network(problem: NetworkBandProblem, exact: NetworkBandPlan) -> NetworkBandPlan:
    """Return the best plan found near `exact` with offsets in whole seconds; fixed ones stay."""
    tries = [*_rounded(problem, exact), _in_groups(problem, exact)]
    return _polished(problem, max(tries, key=lambda p: rank(problem, p)))


def _rounded(problem: NetworkBandProblem, exact: NetworkBandPlan) -> Iterator[NetworkBandPlan]:
    fixed = dict(problem.fixed_ms)
    for shift in SHIFTS_MS if not fixed else SHIFTS_MS[:1]:
        offsets = [fixed.get(v, _nearest_second(o + shift)) for v, o in enumerate(exact.offsets_ms)]
        yield evaluate_network(problem, exact.cycle_ms, offsets, exact.patterns)


def _in_groups(problem: NetworkBandProblem, exact: NetworkBandPlan) -> NetworkBandPlan:
    """Return the plan after rounding some nodes at a time and fitting the rest again."""
    held = dict(problem.fixed_ms)
    order = [v for v in near_order(problem) if v not in held]
    cycle_ms, plan = exact.cycle_ms, exact
    size = -(-len(order) // ROUNDS)
    for begin in range(0, len(order), size or 1):
        held |= {v: _nearest_second(plan.offsets_ms[v]) for v in order[begin : begin + size]}
        fit = fit_network(problem, plan, (cycle_ms, cycle_ms), held)
        offsets = list(plan.offsets_ms) if fit is None else whole_ms(fit.offsets, cycle_ms)
        for v, offset in held.items():
            offsets[v] = offset
        plan = evaluate_network(problem, cycle_ms, offsets, plan.patterns)
    return plan


def _nearest_second(ms: int) -> int:
    return (ms + SECOND_MS // 2) // SECOND_MS * SECOND_MS


def _polished(problem: NetworkBandProblem, plan: NetworkBandPlan) -> NetworkBandPlan:
    """Return the plan after moves of single nodes by a second, while any helps."""
    fixed = {v for v, _ in problem.fixed_ms}
    better = True
    while better:
        better = False
        for v in sorted(_binding(problem, plan) - fixed):
            for by in (-SECOND_MS, SECOND_MS):
                trial = moved_node(problem, plan, v, by)
                if rank(problem, trial) > rank(problem, plan):
                    plan, better = trial, True
    return plan


def _binding(problem: NetworkBandProblem, plan: NetworkBandPlan) -> set[int]:
    """Return the nodes whose green touches a band."""
    return {
        nodes[i]
        for nodes, runs in zip(problem.nodes, plan.corridors, strict=True)
        for i in (*runs.binding_out, *runs.binding_in)
    }


def moved_node(
    problem: NetworkBandProblem, plan: NetworkBandPlan, node: int, by_ms: int
) -> NetworkBandPlan:
    """Return the plan with the offset of one node moved and its corridors measured again."""
    offsets = np.array(plan.offsets_ms, np.int64)
    offsets[node] = (offsets[node] + by_ms) % plan.cycle_ms
    corridors = list(plan.corridors)
    for k in problem.passing[node]:
        corridors[k] = corridor_plan(problem, k, plan.cycle_ms, offsets, plan.patterns)
    return replace(plan, offsets_ms=tuple(offsets.tolist()), corridors=tuple(corridors))
