# SPDX-License-Identifier: Apache-2.0
"""Crossing corridors on a cycle of whole cells: one corridor after the other moves as a block.

What each corridor is worth if one of its signals alone moved is tabulated over the cells of the
cycle; a corridor that crosses the others then gets the offsets and sequences that are best for
itself and for all these tables, by an exact chain programme over the positions of both fronts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lvbo.errors import InfeasibleError
from lvbo.progression import _network_kernels as kernels
from lvbo.progression.chain import Chain, Floats, Ints, Links
from lvbo.progression.locks import unlocked_cases
from lvbo.progression.network_bands import NetworkBandProblem
from lvbo.progression.problem import BandProblem, Lock

PRICE = 50.0
"""What a second missing to a least band costs, in seconds of band."""
NONE = -1  # no band asked for
SAME = 1e-6  # values nearer than this are the same, cells
Bands = tuple[int, int]
STEPS = (0.16, 0.08, 0.04, 0.02)  # of the cycle, by which bands are tried around the best so far
SHARES = (1.0, 0.8, 0.6, 0.4)  # of the widest bands there can be, with which a block starts


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


# one corridor as a block ------------------------------------------------------------------------


def moved_block(grid: Grid, board: Board, k: int) -> Board:
    """Return the board with corridor k where it is best for itself and the corridors it crosses."""
    return _Block.of(grid, board, k).placed(grid, board)


def improved(grid: Grid, board: Board, k: int) -> Board | None:
    """Return the board with corridor k moved if that raises the total, else None."""
    block = _Block.of(grid, board, k)
    line = grid.lines[k]
    others = (board.worth[m] for v in line.nodes for m in grid.passing[v] if m != k)
    now = float(board.worth[k] + sum(others))
    if block.room + line.value(*line.caps) <= now + SAME:
        return None
    trial = block.placed(grid, board)
    return trial if trial.total > board.total + SAME else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """One corridor to be placed.

    `values` (kinds, M) say what an offset with these windows is worth to the corridors crossed,
    `sequence` (kinds, M) the sequence that gives it; `room` is the most they all can be worth.
    """

    k: int
    line: Line
    values: Floats
    sequence: Ints
    room: float
    state: Floats

    @classmethod
    def of(cls, grid: Grid, board: Board, k: int) -> _Block:
        """Return corridor k with what its crossings are worth on this board."""
        line = grid.lines[k]
        values, sequence = _values(grid, board, k)
        n, cells = line.nodes.size, grid.cells
        return cls(
            k=k,
            line=line,
            values=values,
            sequence=sequence,
            room=float(np.maximum.reduceat(values.max(1), line.kind_first[:-1]).sum()),
            state=np.empty((n, cells, cells)),
        )

    def placed(self, grid: Grid, board: Board) -> Board:
        """Return the board with this corridor at the best bands and offsets found for it."""
        line, n = self.line, self.line.nodes.size
        bands = self._best_bands(grid.cells)
        self._block(bands)
        choice, offset = np.empty(n, np.int64), np.empty(n, np.int64)
        kernels.pick(
            line.kind_first,
            line.kind_windows,
            self.values,
            line.spread,
            *bands,
            self.state,
            choice,
            offset,
        )
        theta, pattern = board.theta.copy(), board.pattern.copy()
        placed = board.placed.copy()
        held = ~np.isnan(grid.fixed[line.nodes])
        theta[line.nodes] = np.where(held, grid.fixed[line.nodes], offset)
        pattern[line.nodes] = self.sequence[choice, offset]
        placed[line.nodes] = 1
        touched = sorted({m for v in line.nodes for m in grid.passing[v]})
        moved = replace(board, theta=theta, pattern=pattern, placed=placed)
        return refreshed(grid, moved, touched)

    def _block(self, bands: Bands) -> float:
        line = self.line
        sum_ = kernels.block(
            line.kind_first, line.kind_windows, self.values, line.spread, *bands, self.state
        )
        return float(sum_) + line.value(*bands)

    def _best_bands(self, cells: int) -> Bands:
        """Return the bands whose block is worth most, by steps that grow smaller."""
        caps = tuple(
            int(min(cap, cells)) if weight > 0 else NONE
            for cap, weight in zip(self.line.caps, self.line.wishes[:2], strict=True)
        )
        known: dict[Bands, float] = {}

        def tried(bands: Bands) -> float:
            if bands not in known:
                most = self.room + self.line.value(*bands)
                top = max(known.values(), default=-np.inf)
                known[bands] = self._block(bands) if most > top else most - cells
            return known[bands]

        best = max(_first_bands(caps), key=tried)
        for share in STEPS:
            step = max(1, round(share * cells))
            while True:
                top = max(_beside(best, step, caps), key=tried, default=best)
                if tried(top) <= tried(best) + SAME:
                    break
                best = top
        return best


def _first_bands(caps: Sequence[int]) -> list[Bands]:
    """Return bands to begin with, both directions or one."""
    shares = [(round(caps[0] * s), round(caps[1] * s)) for s in SHARES]
    pairs = [*shares, (caps[0], NONE), (NONE, caps[1]), (NONE, NONE)]
    return list(
        dict.fromkeys(
            (a if caps[0] > NONE else NONE, b if caps[1] > NONE else NONE) for a, b in pairs
        )
    )


def _beside(bands: Bands, step: int, caps: Sequence[int]) -> list[Bands]:
    moves = [(a, b) for a in (1, 0, -1) for b in (1, 0, -1) if a or b]
    near = [(bands[0] + a * step, bands[1] + b * step) for a, b in moves]
    return [(a, b) for a, b in near if NONE <= a <= caps[0] and NONE <= b <= caps[1]]


def _values(grid: Grid, board: Board, k: int) -> tuple[Floats, Ints]:
    """Return by distinct windows and cell what the others gain, and the sequence that gives it."""
    line = grid.lines[k]
    values = np.full((line.kind_windows.shape[1], grid.cells), -1e18)
    sequence = np.zeros(values.shape, np.int64)
    for i, v in enumerate(line.nodes):
        table = _crossings(grid, board, k, int(v))
        for c in range(line.first[i], line.first[i + 1]):
            p, kind = line.pattern[c], line.kind_of[c]
            better = table[p] > values[kind]
            values[kind][better] = table[p][better]
            sequence[kind][better] = p
    return values, sequence


def _crossings(grid: Grid, board: Board, k: int, node: int) -> Floats:
    """Return by sequence and cell what a node is worth to the corridors that cross k there."""
    table = np.zeros((grid.lines[k].sequences, grid.cells))
    for other in grid.passing[node]:
        if other != k:
            rows = board.tables[other][grid.place[other][node]]
            table[: rows.shape[0]] += rows[: table.shape[0]]
    if not np.isnan(grid.fixed[node]):
        at = round(float(grid.fixed[node])) % grid.cells
        held = table[:, at].copy()
        table[:] = -1e18
        table[:, at] = held
    return table


# search -----------------------------------------------------------------------------------------


def built(grid: Grid, order: Sequence[int]) -> Board:
    """Return a board on which corridors were placed in this order, then moved while that helps."""
    board = empty_board(grid)
    for k in order:
        board = moved_block(grid, board, k)
    return climbed(grid, board, order)


def climbed(grid: Grid, board: Board, order: Sequence[int]) -> Board:
    """Return the board after moves of corridors, in this order, while any raises the total."""
    waiting = list(order)
    while waiting:
        k = waiting.pop(0)
        trial = improved(grid, board, k)
        if trial is not None:
            board = trial
            touched = {m for v in grid.lines[k].nodes for m in grid.passing[v]}
            waiting += [m for m in order if m in touched and m != k and m not in waiting]
    return board


def shaken(grid: Grid, board: Board, source: random.Random, count: int) -> Board:
    """Return the board with some corridors taken off, placed anew, and all moved again."""
    taken = source.sample(range(len(grid.lines)), min(count, len(grid.lines)))
    free = {int(v) for k in taken for v in grid.lines[k].nodes if np.isnan(grid.fixed[v])}
    placed = board.placed.copy()
    placed[sorted(free)] = 0
    touched = sorted({m for v in free for m in grid.passing[v]})
    board = refreshed(grid, replace(board, placed=placed), touched)
    for k in taken:
        board = moved_block(grid, board, k)
    return climbed(grid, board, list(dict.fromkeys([*taken, *touched])))
