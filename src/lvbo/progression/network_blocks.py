# SPDX-License-Identifier: Apache-2.0
"""Corridors of a network moved one after another, each as a block.

A corridor gets the offsets and sequences that are best for itself and for the tables of all that it
crosses, by an exact chain programme over the positions of both fronts, once for each pair of bands
that is tried.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression import _network_kernels as kernels
from lvbo.progression.chain import Floats, Ints
from lvbo.progression.network_grid import Board, Grid, Line, empty_board, refreshed

NONE = -1  # no band asked for
SAME = 1e-6  # values nearer than this are the same, cells
STEPS = (0.16, 0.08, 0.04, 0.02)  # of the cycle, by which bands are tried around the best so far
SHARES = (1.0, 0.8, 0.6, 0.4)  # of the widest bands there can be, with which a block starts
Bands = tuple[int, int]


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
