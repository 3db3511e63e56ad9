# SPDX-License-Identifier: Apache-2.0
"""The widest bands along crossing corridors: block moves on a grid, then fits without a grid.

Each start places the corridors in a random order, each as a block that is exact for itself and
for what the corridors it crosses gain or lose (`network_blocks`), moves them again while that
helps, and fits the structure found (`network_fit`). Shakes take some corridors off the best plan
and place them anew. At one cycle no plan is worth more than the sum of what each corridor could
have alone: where that bound is reached the search ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.errors import InfeasibleError
from lvbo.progression.band import two_way_band, value_of, widest_two_way
from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    NetworkBands,
    evaluate_network,
    short_of_least,
)
from lvbo.progression.network_blocks import built, shaken
from lvbo.progression.network_fit import rank, refit
from lvbo.progression.network_grid import Board, Grid, board_of, build_grid
from lvbo.progression.network_whole import whole_network
from lvbo.progression.problem import Band, BandPlan, BandProblem, Lock

REACHED = 3e-4  # a value this near its bound (share) cannot be worth another look
WORTH_A_FIT = 0.97  # boards below this share of the best one are not fitted
APART_MS = 2000  # cycles nearer than this are not told apart before the fit
TAKEN = 2  # corridors that a shake takes off
IN_VAIN = 2  # shakes per corridor without a better plan, after which the cycle is cut otherwise
DIGITS = 6  # boards whose totals agree so far are taken for the same


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEffort:
    """Say how long to look: starts and shakes, and how many cycles get a start.

    Starts cut the cycle in so many `cells` by turns, for a rounding may hide an optimum.
    """

    seed: int = 0
    starts: int = 4
    shakes: int = 40
    cells: tuple[int, ...] = (30, 40, 48)
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
class _Found:
    """Hold a plan and the board that it was fitted from."""

    plan: NetworkBandPlan
    grid: Grid
    board: Board


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
        return sum(_most(replace(c, cycles_ms=(cycle_ms,))) for c in self.problem.corridors)

    def _alone(self, cycle_ms: int) -> tuple[BandPlan, ...]:
        problem, found = self.problem, []
        for k, corridor in enumerate(problem.corridors):
            band = two_way_band(alone_problem(problem, k, cycle_ms))
            found.append(band.whole)
            if not _can_keep(corridor, band):
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
        first, starts = self._started(cycles, source)
        found, shakes = self._improved(first, cycles, source)
        rivals = [found.plan, *(refit(self.problem, p) for p in self.known)]
        return max(rivals, key=lambda p: rank(self.problem, p)), starts + shakes

    def _started(
        self, cycles: Sequence[tuple[float, int]], source: random.Random
    ) -> tuple[_Found, int]:
        """Return the best of the first plans and how many were made."""
        made: list[_Found] = []
        best = (-np.inf, 0.0)
        for k, (bound, cycle_ms) in enumerate(self._starts(cycles)):
            if best >= (0, bound * (1 - REACHED)):
                continue
            cells = self.effort.cells[k % len(self.effort.cells)]
            grid = build_grid(self.problem, cycle_ms, cells)
            order = list(range(len(grid.lines)))
            source.shuffle(order)
            board = built(grid, order)
            made.append(_Found(plan=self._fitted(grid, board), grid=grid, board=board))
            best = max(best, rank(self.problem, made[-1].plan))
        return max(made, key=lambda f: rank(self.problem, f.plan)), len(made)

    def _starts(self, cycles: Sequence[tuple[float, int]]) -> Iterator[tuple[float, int]]:
        yield from cycles
        for k in range(self.effort.starts - len(cycles)):
            yield cycles[k % min(len(cycles), 2)]

    def _improved(
        self, found: _Found, cycles: Sequence[tuple[float, int]], source: random.Random
    ) -> tuple[_Found, int]:
        """Return the best plan after shakes, and how many there were.

        The cycle is cut otherwise after some shakes in vain. The end is the bound, the number of
        shakes, or shakes in vain with every cut.
        """
        seen = {round(found.board.total, DIGITS)}
        cuts = len(self.effort.cells)
        vain, count = 0, 0
        limit = self._limit(cycles, found.plan)
        while count < self.effort.shakes and vain < cuts * IN_VAIN * len(found.grid.lines):
            if rank(self.problem, found.plan) >= (0, limit * (1 - REACHED)):
                break
            count, vain = count + 1, vain + 1
            if vain % (IN_VAIN * len(found.grid.lines)) == 0:
                found = self._cut_otherwise(found)
            board = shaken(found.grid, found.board, source, TAKEN)
            total = round(board.total, DIGITS)
            if total in seen or total < WORTH_A_FIT * found.board.total:
                continue
            seen.add(total)
            plan = self._fitted(found.grid, board)
            if rank(self.problem, plan) > rank(self.problem, found.plan):
                found, vain = _Found(plan=plan, grid=found.grid, board=board), 0
                limit = self._limit(cycles, plan)
        return found, count

    def _cut_otherwise(self, found: _Found) -> _Found:
        """Return the same plan on a grid of the next number of cells."""
        cells = self.effort.cells
        at = cells.index(found.grid.cells) + 1
        grid = build_grid(self.problem, found.plan.cycle_ms, cells[at % len(cells)])
        return replace(found, grid=grid, board=board_of(grid, found.plan))

    def _limit(self, cycles: Sequence[tuple[float, int]], plan: NetworkBandPlan) -> float:
        return max(self._bound(plan.cycle_ms), cycles[0][0] if len(cycles) > 1 else 0.0)

    def _fitted(self, grid: Grid, board: Board) -> NetworkBandPlan:
        offsets = np.rint(board.theta * grid.cycle_ms / grid.cells).astype(np.int64)
        pattern = board.pattern.tolist()
        plan = evaluate_network(self.problem, grid.cycle_ms, offsets.tolist(), pattern)
        return refit(self.problem, plan)


def _can_keep(corridor: BandProblem, band: Band) -> bool:
    """Return whether some plan of a corridor alone has its least bands."""
    plans = (band.two_way, band.one_way_out, band.one_way_in)
    return any(
        p and p.outbound_ms >= corridor.min_out_ms and p.inbound_ms >= corridor.min_in_ms
        for p in plans
    )


def _most(corridor: BandProblem) -> float:
    """Return what a corridor can be worth at its cycle with both directions or one.

    A millisecond per signal and direction is for times that were rounded.
    """
    plan = widest_two_way(corridor)
    weight = corridor.weight_out + corridor.weight_in
    rounded = weight * corridor.signals / corridor.cycles_ms[0]
    parts = corridor.parts_per_cycle
    out = min(max(g for p in s for _, g in p.outbound) for s in corridor.patterns)
    back = min(max(g for p in s for _, g in p.inbound) for s in corridor.patterns)
    one_way = max(corridor.weight_out * out, corridor.weight_in * back) / parts
    return max(one_way, value_of(corridor, plan) if plan else 0.0) + rounded


def _whole(plan: NetworkBandPlan) -> bool:
    return plan.cycle_ms % 1000 == 0 and all(o % 1000 == 0 for o in plan.offsets_ms)
