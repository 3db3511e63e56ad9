# SPDX-License-Identifier: Apache-2.0
"""The widest bands along crossing corridors: block moves on a grid, then fits without a grid.

Each start places the corridors in a random order, each as a block that is exact for itself and
for what the corridors it crosses gain or lose (`network_grid`), moves them again while that helps,
and fits the structure found (`network_fit`). Shakes take some corridors off the best plan and place
them anew. At one cycle no plan is worth more than the sum of what each corridor could have alone:
where that bound is reached the search ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.errors import InfeasibleError
from lvbo.progression.band import two_way_band, value_of
from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    NetworkBands,
    evaluate_network,
    network_value,
    short_of_least,
)
from lvbo.progression.network_fit import rank, refit
from lvbo.progression.network_grid import Board, Grid, build_grid, built, shaken
from lvbo.progression.network_whole import whole_network
from lvbo.progression.problem import BandPlan, BandProblem, Lock

REACHED = 3e-4  # a value this near its bound (share) cannot be worth another look
WORTH_A_FIT = 0.97  # boards below this share of the best one are not fitted
APART_MS = 2000  # cycles nearer than this are not told apart before the fit
TAKEN = 2  # corridors that a shake takes off


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEffort:
    """Say how long to look: starts and shakes, cells of the cycle, and cycles that get a start."""

    seed: int = 0
    starts: int = 4
    shakes: int = 24
    cells: int = 40
    cycles: int = 6


def network_bands(
    problem: NetworkBandProblem,
    effort: NetworkEffort | None = None,
    *,
    known: Sequence[NetworkBandPlan] = (),
) -> NetworkBands:
    """Return the best plan found, exact and in whole seconds; `known` plans compete.

    Deterministic for a seed. Not proved: `bound` says how much there can be at most.

    Raises:
        InfeasibleError: LV485 a corridor cannot keep its least bands even alone, LV486 no plan
            was found in which it does.

    """
    search = _Search(problem=problem, effort=effort or NetworkEffort(), known=tuple(known))
    return search.answer()


def alone_problem(problem: NetworkBandProblem, k: int, cycle_ms: int) -> BandProblem:
    """Return corridor k as if no other crossed it, with its fixed nodes and those passed twice."""
    nodes, fixed = problem.nodes[k], dict(problem.fixed_ms)
    locks = []
    for node in dict.fromkeys(nodes):
        own = tuple(i for i, v in enumerate(nodes) if v == node)
        if node in fixed:
            locks.append(Lock(signals=own, offsets_ms=(fixed[node],) * len(own)))
        elif len(own) > 1:
            locks.append(Lock(signals=own, offsets_ms=(0,) * len(own), absolute=False))
    return replace(problem.corridors[k], cycles_ms=(cycle_ms,), locks=tuple(locks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Look for the best plan of a problem."""

    problem: NetworkBandProblem
    effort: NetworkEffort
    known: tuple[NetworkBandPlan, ...]

    def answer(self) -> NetworkBands:
        problem = self.problem
        exact, starts = self._best()
        alone = self._alone(exact.cycle_ms)
        rivals = [whole_network(problem, exact), *(p for p in self.known if _whole(p))]
        whole = max(rivals, key=lambda p: rank(problem, p))
        exact = max((exact, whole), key=lambda p: rank(problem, p))
        if short_of_least(problem, whole.corridors):
            self._refuse(whole, alone)
        return NetworkBands(
            exact=exact,
            whole=whole,
            alone=alone,
            bound=self._bound(exact.cycle_ms),
            starts=starts,
        )

    def _bound(self, cycle_ms: int) -> float:
        """Return what all corridors could be worth alone at a cycle, locks left out."""
        plans = [(replace(c, cycles_ms=(cycle_ms,), locks=()), c) for c in self.problem.corridors]
        return sum(value_of(c, two_way_band(p).exact) for p, c in plans)

    def _alone(self, cycle_ms: int) -> tuple[BandPlan, ...]:
        problem, found = self.problem, []
        for k, corridor in enumerate(problem.corridors):
            band = two_way_band(alone_problem(problem, k, cycle_ms))
            found.append(band.whole)
            if corridor.min_out_ms + corridor.min_in_ms and band.two_way is None:
                raise InfeasibleError(
                    "LV485",
                    place=problem.names[k],
                    least_out_s=corridor.min_out_ms / 1000,
                    least_in_s=corridor.min_in_ms / 1000,
                    conflict=("least bands", "greens"),
                )
        return tuple(found)

    def _refuse(self, plan: NetworkBandPlan, alone: Sequence[BandPlan]) -> None:
        for k, (corridor, p) in enumerate(zip(self.problem.corridors, plan.corridors, strict=True)):
            if p.outbound_ms < corridor.min_out_ms or p.inbound_ms < corridor.min_in_ms:
                raise InfeasibleError(
                    "LV486",
                    place=self.problem.names[k],
                    least_out_s=corridor.min_out_ms / 1000,
                    least_in_s=corridor.min_in_ms / 1000,
                    found_out_s=p.outbound_ms / 1000,
                    found_in_s=p.inbound_ms / 1000,
                    alone_out_s=alone[k].outbound_ms / 1000,
                    alone_in_s=alone[k].inbound_ms / 1000,
                    conflict=("least bands", "crossing corridors"),
                )

    def _cycles(self) -> list[tuple[float, int]]:
        """Return the cycles to start at with their bounds, the most promising first."""
        kept: list[int] = []
        for cycle_ms in sorted(self.problem.corridors[0].cycles_ms):
            if not kept or cycle_ms - kept[-1] >= APART_MS:
                kept.append(cycle_ms)
        ranked = sorted(((self._bound(c), c) for c in kept), key=lambda pair: (-pair[0], pair[1]))
        return ranked[: self.effort.cycles]

    def _best(self) -> tuple[NetworkBandPlan, int]:
        source = random.Random(self.effort.seed)
        cycles = self._cycles()
        best: tuple[NetworkBandPlan, Grid, Board] | None = None
        starts = 0
        for bound, cycle_ms in self._starts(cycles):
            if best and network_value(self.problem, best[0]) >= bound * (1 - REACHED):
                continue
            grid = build_grid(self.problem, cycle_ms, self.effort.cells)
            order = list(range(len(grid.lines)))
            source.shuffle(order)
            board = built(grid, order)
            plan = self._fitted(grid, board)
            starts += 1
            if best is None or rank(self.problem, plan) > rank(self.problem, best[0]):
                best = plan, grid, board
        if best is None:
            raise ValueError(cycles)
        plan, grid, board = best
        for _ in range(self.effort.shakes):
            if rank(self.problem, plan) >= (0, self._limit(cycles, plan) * (1 - REACHED)):
                break
            trial = shaken(grid, board, source, TAKEN)
            if trial.total < WORTH_A_FIT * board.total:
                continue
            fitted = self._fitted(grid, trial)
            starts += 1
            if rank(self.problem, fitted) > rank(self.problem, plan):
                plan, board = fitted, trial
        rivals = [plan, *(refit(self.problem, p) for p in self.known)]
        return max(rivals, key=lambda p: rank(self.problem, p)), starts

    def _starts(self, cycles: Sequence[tuple[float, int]]) -> Iterator[tuple[float, int]]:
        count = max(self.effort.starts, len(cycles))
        yield from cycles
        for k in range(count - len(cycles)):
            yield cycles[k % min(len(cycles), 2)]

    def _limit(self, cycles: Sequence[tuple[float, int]], plan: NetworkBandPlan) -> float:
        return max(self._bound(plan.cycle_ms), cycles[0][0] if len(cycles) > 1 else 0.0)

    def _fitted(self, grid: Grid, board: Board) -> NetworkBandPlan:
        offsets = np.rint(board.theta * grid.cycle_ms / grid.cells).astype(np.int64)
        pattern = board.pattern.tolist()
        plan = evaluate_network(self.problem, grid.cycle_ms, offsets.tolist(), pattern)
        return refit(self.problem, plan)


def _whole(plan: NetworkBandPlan) -> bool:
    return plan.cycle_ms % 1000 == 0 and all(o % 1000 == 0 for o in plan.offsets_ms)
