# SPDX-License-Identifier: Apache-2.0
"""Crossing corridors on a cycle of whole cells, and what each is worth as its signals move.

What a corridor is worth if one of its signals alone moved is tabulated over the cells of the cycle,
for all its signals in one pass from either end. `network_blocks` moves whole corridors by these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lvbo.errors import InfeasibleError
from lvbo.progression import _network_kernels as kernels
from lvbo.progression.chain import Chain, Floats, Ints, Links
from lvbo.progression.locks import unlocked_cases
from lvbo.progression.network_bands import NetworkBandPlan, NetworkBandProblem
from lvbo.progression.problem import BandProblem, Lock

PRICE = 50.0
"""What a second missing to a least band costs, in seconds of band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One corridor as kernels read it: each node once, times in cells.

    `first`, `windows`, `pattern`, `spread` as in `_network_kernels`; `wishes` are the weights, the
    least bands and the price of what is missing to them. `kinds` index the distinct windows of
    each signal (first, windows) and `kind_of` (m) names the one of each choice.
    """

    nodes: Ints
    first: Ints
    windows: Floats
    pattern: Ints
    spread: Ints
    wishes: Floats
    kind_first: Ints
    kind_windows: Floats
    kind_of: Ints
    sequences: int

    def value(self, out: float, back: float) -> float:
        """Return what bands of these widths (cells) are worth."""
        return float(kernels.worth(float(out), float(back), self.wishes))

    @property
    def caps(self) -> tuple[float, float]:
        """Return the widest bands that the greens alone allow."""
        out = np.maximum.reduceat(self.windows[1], self.first[:-1]).min()
        back = np.maximum.reduceat(self.windows[3], self.first[:-1]).min()
        return float(out), float(back)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Offsets (cells) and sequences by node; what each line is worth with them, in cells."""

    theta: Floats
    pattern: Ints
    placed: Ints
    worth: Floats
    tables: tuple[Floats, ...]

    @property
    def total(self) -> float:
        """Return the worth of all lines."""
        return float(self.worth.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The lines of a problem at one cycle of `cells` cells; `fixed` is NaN where a node is free."""

    cycle_ms: int
    cells: int
    lines: tuple[Line, ...]
    fixed: Floats
    passing: tuple[tuple[int, ...], ...]
    place: tuple[dict[int, int], ...]  # by line: node to signal


def build_grid(problem: NetworkBandProblem, cycle_ms: int, cells: int) -> Grid:
    """Return the problem on a cycle of so many cells."""
    per_ms = cells / cycle_ms
    fixed = np.full(problem.size, np.nan)
    for node, offset in problem.fixed_ms:
        fixed[node] = offset * per_ms % cells
    lines = tuple(
        _line(corridor, chain, nodes, cycle_ms, per_ms)
        for corridor, chain, nodes in zip(
            problem.corridors, problem.chains, problem.nodes, strict=True
        )
    )
    return Grid(
        cycle_ms=cycle_ms,
        cells=cells,
        lines=lines,
        fixed=fixed,
        passing=problem.passing,
        place=tuple({int(v): i for i, v in enumerate(line.nodes)} for line in lines),
    )


def _line(
    corridor: BandProblem, chain: Chain, nodes: Sequence[int], cycle_ms: int, per_ms: float
) -> Line:
    single = replace(corridor, cycles_ms=(cycle_ms,))
    repeated = len(set(nodes)) < len(nodes)
    parts = single.parts_per_cycle
    if repeated:
        single, chain, sequence = _folded(single, nodes)
        parts = cycle_ms
    else:
        sequence = chain.pattern
    out = chain.travel_out.plus(-chain.clear_out[1:])
    back = chain.travel_in.plus(-chain.clear_in[:-1])
    keep = [nodes.index(v) == i for i, v in enumerate(nodes)]
    windows: Floats = (chain.windows * (cycle_ms * per_ms / parts)).astype(np.float64)
    signal = np.repeat(np.arange(len(nodes)), np.diff(chain.first))
    windows[0] -= _so_far(out.lo[:, 0])[signal] * per_ms
    windows[2] += _so_far(back.lo[:, 0])[signal] * per_ms
    stays = np.array(keep)[signal] & (sequence >= 0)
    first = np.concatenate(
        ([0], np.cumsum([int(stays[signal == i].sum()) for i in range(len(nodes)) if keep[i]]))
    )
    spread = np.stack([_spread(links, keep, per_ms) for links in (out, back)])
    windows, pattern = np.array(windows[:, stays], np.float64, order="C"), sequence[stays]
    kinds = _kinds(first, windows)
    return Line(
        nodes=np.array([v for v, k in zip(nodes, keep, strict=True) if k], np.int64),
        first=first.astype(np.int64),
        windows=windows,
        pattern=pattern,
        spread=spread,
        wishes=np.array(
            [
                corridor.weight_out,
                corridor.weight_in,
                corridor.min_out_ms * per_ms,
                corridor.min_in_ms * per_ms,
                PRICE,
            ]
        ),
        kind_first=kinds[0],
        kind_windows=kinds[1],
        kind_of=kinds[2],
        sequences=max(len(p) for p in corridor.patterns),
    )


def _so_far(times: Ints) -> Ints:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(times)))


def _spread(links: Links, keep: Sequence[bool], per_ms: float) -> Ints:
    """Return how much later than by the shortest times a front may be, cells, link by link."""
    room = _so_far(links.hi[:, 0] - links.lo[:, 0])[np.array(keep)] * per_ms
    whole: Ints = np.floor(room + 1e-7).astype(np.int64)
    return np.diff(whole)


def _folded(corridor: BandProblem, nodes: Sequence[int]) -> tuple[BandProblem, Chain, Ints]:
    """Return the chain with the signals of each node folded into the first, and its sequences.

    Link times between them are in the middle of their range. Choices in which the signals of one
    node run different sequences get the sequence -1.
    """
    locks = []
    for node in dict.fromkeys(nodes):
        own = tuple(i for i, v in enumerate(nodes) if v == node)
        if len(own) > 1:
            locks.append(Lock(signals=own, offsets_ms=(0,) * len(own), absolute=False))
    cases = list(unlocked_cases(replace(corridor, locks=tuple(locks))))
    if not cases:
        shared = tuple(s for lock in locks for s in lock.signals)
        raise InfeasibleError("LV411", signals=shared, conflict=("locks", "speed ranges"))
    case = cases[len(cases) // 2]
    sequence = case.chain.pattern.copy()
    for i in range(len(nodes)):
        if i not in case.combos:
            continue
        for c in range(case.chain.first[i], case.chain.first[i + 1]):
            combo = case.combos[i][case.chain.pattern[c]]
            sequence[c] = combo[0] if len(set(combo)) == 1 else -1
    return case.problem, case.chain, sequence


def _kinds(first: Ints, windows: Floats) -> tuple[Ints, Floats, Ints]:
    """Return the distinct windows of each signal, and which of them each choice has."""
    starts, columns, of = [0], [], []
    for a, b in pairwise(first):
        seen: dict[tuple[float, ...], int] = {}
        for c in range(a, b):
            key = tuple(windows[:, c])
            of.append(starts[-1] + seen.setdefault(key, len(seen)))
        columns += list(seen)
        starts.append(len(columns))
    table = np.ascontiguousarray(np.array(columns).T)
    return np.array(starts, np.int64), table, np.array(of, np.int64)


# boards -----------------------------------------------------------------------------------------


def empty_board(grid: Grid) -> Board:
    """Return a board on which no free node has a place yet."""
    held = ~np.isnan(grid.fixed)
    board = Board(
        theta=np.where(held, grid.fixed, 0.0),
        pattern=np.zeros(grid.fixed.size, np.int64),
        placed=held.astype(np.int64),
        worth=np.zeros(len(grid.lines)),
        tables=(np.zeros(0),) * len(grid.lines),
    )
    return refreshed(grid, board, range(len(grid.lines)))


def board_of(grid: Grid, plan: NetworkBandPlan) -> Board:
    """Return the board on which all nodes stand where a plan has them, in whole cells."""
    held = ~np.isnan(grid.fixed)
    cells = np.rint(np.array(plan.offsets_ms) * grid.cells / grid.cycle_ms) % grid.cells
    board = Board(
        theta=np.where(held, grid.fixed, cells),
        pattern=np.array(plan.patterns, np.int64),
        placed=np.ones(grid.fixed.size, np.int64),
        worth=np.zeros(len(grid.lines)),
        tables=(np.zeros(0),) * len(grid.lines),
    )
    return refreshed(grid, board, range(len(grid.lines)))


def refreshed(grid: Grid, board: Board, lines: Sequence[int]) -> Board:
    """Return the board with worth and tables of these lines computed again."""
    worth, tables = board.worth.copy(), list(board.tables)
    for k in lines:
        worth[k], tables[k] = _tabulated(grid, board, grid.lines[k])
    return replace(board, worth=worth, tables=tuple(tables))


def _tabulated(grid: Grid, board: Board, line: Line) -> tuple[float, Floats]:
    n, cells = line.nodes.size, grid.cells
    rest = np.empty((2, n, cells))
    signal = np.repeat(np.arange(n), np.diff(line.first))
    chosen = (line.pattern == board.pattern[line.nodes][signal]).astype(np.int64)
    out, back = kernels.measure(
        board.theta[line.nodes],
        board.placed[line.nodes],
        line.first,
        line.windows,
        chosen,
        line.spread,
        cells,
        rest,
    )
    table = np.empty((n, line.sequences, cells))
    kernels.tabulate(line.first, line.windows, line.pattern, cells, rest, line.wishes, table)
    return float(kernels.worth(out, back, line.wishes)), table
