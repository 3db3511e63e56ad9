# SPDX-License-Identifier: Apache-2.0
"""The tables, blocks and fits behind the bands of crossing corridors."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from tests.progression.networks import CYCLE_S, tiny

from lvbo.progression.network_bands import NetworkBandProblem, evaluate_network, network_value
from lvbo.progression.network_blocks import improved, moved_block
from lvbo.progression.network_fit import fit_network
from lvbo.progression.network_grid import Board, build_grid, empty_board, refreshed
from lvbo.progression.network_whole import moved_node
from lvbo.progression.problem import BandProblem, Pattern

CYCLE_MS = 1000 * CYCLE_S


def long_street(seed: int) -> NetworkBandProblem:
    """Return one street of four signals with whole-second windows and link times in ranges."""
    source = random.Random(seed)

    def window() -> tuple[tuple[int, int], ...]:
        return ((1000 * source.randrange(CYCLE_S), 1000 * source.randrange(4, 10)),)

    street = BandProblem(
        patterns=tuple((Pattern(outbound=window(), inbound=window()),) for _ in range(4)),
        parts_per_cycle=CYCLE_MS,
        cycles_ms=(CYCLE_MS,),
        distance_out_m=(60.0, 30.0, 120.0),
        distance_in_m=(60.0, 30.0, 120.0),
        speed_out_mps=((10.0, 15.0), (10.0, 10.0), (12.0, 15.0)),
        speed_in_mps=((10.0, 20.0), (10.0, 15.0), (15.0, 20.0)),
        weight_in=2.0,
    )
    return NetworkBandProblem(corridors=(street,), nodes=((2, 0, 1, 3),), names=("long",))


def board_at(problem: NetworkBandProblem, offsets_s: tuple[int, ...]) -> Board:
    """Return the board of these offsets on cells of a second."""
    grid = build_grid(problem, CYCLE_MS, CYCLE_S)
    empty = empty_board(grid)
    board = replace(empty, theta=np.array(offsets_s, float), placed=np.ones_like(empty.placed))
    return refreshed(grid, board, range(len(grid.lines)))


def worth_s(problem: NetworkBandProblem, offsets_s: tuple[int, ...], k: int) -> float:
    """Return what corridor k is worth at these offsets, in seconds of weighted band."""
    plan = evaluate_network(problem, CYCLE_MS, [1000 * o for o in offsets_s], (0,) * problem.size)
    corridor, runs = problem.corridors[k], plan.corridors[k]
    value = corridor.weight_out * runs.outbound_ms + corridor.weight_in * runs.inbound_ms
    return float(value) / 1000


@pytest.mark.parametrize("problem", [tiny(3), tiny(8), long_street(1), long_street(2)])
def test_tables_say_what_a_street_is_worth_with_one_signal_moved(
    problem: NetworkBandProblem,
) -> None:
    offsets = (0, 3, 7, 5)

    board = board_at(problem, offsets)

    for k, nodes in enumerate(problem.nodes):
        assert board.worth[k] == pytest.approx(worth_s(problem, offsets, k))
        for i, v in enumerate(nodes):
            moved = [
                worth_s(problem, (*offsets[:v], t, *offsets[v + 1 :]), k) for t in range(CYCLE_S)
            ]
            assert board.tables[k][i, 0].tolist() == pytest.approx(moved)


@pytest.mark.parametrize("seed", [3, 8, 25])
def test_a_block_is_as_good_as_the_best_of_all_offsets_of_its_street(seed: int) -> None:
    problem = tiny(seed)
    grid, board = build_grid(problem, CYCLE_MS, CYCLE_S), board_at(problem, (0, 3, 7, 5))

    moved = moved_block(grid, board, 0)

    best = max(board_at(problem, (a, b, 7, 5)).total for a, b in product(range(CYCLE_S), repeat=2))
    assert moved.total == pytest.approx(best)
    assert improved(grid, moved, 0) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_fit_promises_what_its_offsets_give(seed: int) -> None:
    problem = tiny(seed)
    plan = evaluate_network(problem, CYCLE_MS, (0, 3000, 7000, 5000), (0,) * 4)

    fit = fit_network(problem, plan, (CYCLE_MS, CYCLE_MS))

    assert fit is not None
    offsets = np.rint(fit.offsets * CYCLE_MS).astype(int).tolist()
    given = network_value(problem, evaluate_network(problem, CYCLE_MS, offsets, (0,) * 4))
    assert given >= fit.value - 1e-3
    assert fit.value >= network_value(problem, plan) - 1e-3


def test_a_moved_node_gives_what_its_new_offset_gives() -> None:
    problem = tiny(5)
    plan = evaluate_network(problem, CYCLE_MS, (0, 3000, 7000, 5000), (0,) * 4)

    moved = moved_node(problem, plan, 1, 2000)

    assert moved == evaluate_network(problem, CYCLE_MS, (0, 5000, 7000, 5000), (0,) * 4)
