# SPDX-License-Identifier: Apache-2.0
"""Small networks of crossing corridors for tests."""

from __future__ import annotations

import random
from functools import cache
from itertools import product

from tests.progression.problems import plain

from lvbo.progression.network_bands import NetworkBandProblem
from lvbo.progression.network_solve import NetworkEffort
from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.problem import BandProblem, Pattern

CYCLE_S = 12
BRIEF = NetworkEffort(starts=3, shakes=4)


def tiny(seed: int, *, sequences: int = 1) -> NetworkBandProblem:
    """Return a square of four nodes, two streets each way, 12 s cycle, times in whole seconds."""
    source = random.Random(seed)
    drives = [source.randrange(2, 11) for _ in range(4)]
    share = [[source.randrange(4, 9) for _ in range(sequences)] for _ in range(4)]
    start = [[source.randrange(CYCLE_S) for _ in range(sequences)] for _ in range(4)]
    pairs = ((0, 1), (2, 3), (0, 2), (1, 3))
    corridors = [
        _street(
            [
                [_half(start[v][p], share[v][p], first=k < 2) for p in range(sequences)]
                for v in pair
            ],
            drives[k],
        )
        for k, pair in enumerate(pairs)
    ]
    return NetworkBandProblem(
        corridors=tuple(corridors), nodes=pairs, names=("south", "north", "west", "east")
    )


def _half(start: int, green: int, *, first: bool) -> Pattern:
    """Return the green of one of two streets that share a cycle."""
    begin, length = (start, green) if first else ((start + green) % CYCLE_S, CYCLE_S - green)
    window = ((1000 * begin, 1000 * length),)
    return Pattern(outbound=window, inbound=window)


def _street(patterns: list[list[Pattern]], drive_s: int) -> BandProblem:
    street = plain([6, 6], [drive_s], cycle_s=CYCLE_S)
    return BandProblem(
        patterns=tuple(tuple(p) for p in patterns),
        parts_per_cycle=street.parts_per_cycle,
        cycles_ms=street.cycles_ms,
        distance_out_m=street.distance_out_m,
        distance_in_m=street.distance_in_m,
        speed_out_mps=street.speed_out_mps,
        speed_in_mps=street.speed_in_mps,
    )


def best_by_trying_all(problem: NetworkBandProblem) -> int:
    """Return the most that whole-second offsets and all sequences give, ms of weighted band.

    For streets of two nodes: the difference of two offsets says what a street gets.
    """
    fixed = dict(problem.fixed_ms)
    free = [[fixed.get(v, 1000 * t) // 1000 for t in range(CYCLE_S)] for v in range(problem.size)]
    offsets = [sorted(set(choice)) for choice in free]
    offsets[0] = offsets[0] if fixed else [0]
    return max(
        sum(
            worth[chosen[a], chosen[b], (at[b] - at[a]) % CYCLE_S]
            for (a, b), worth in zip(problem.nodes, map(_worths, problem.corridors), strict=True)
        )
        for chosen in product(*(range(n) for n in problem.sequences))
        for at in product(*offsets)
    )


@cache
def _worths(street: BandProblem) -> dict[tuple[int, int, int], int]:
    """Return both bands of two signals by their sequences and the difference of their offsets."""
    return {
        (p, q, later): evaluate_offsets(street, 1000 * CYCLE_S, (0, 1000 * later), (p, q)).sum_ms
        for p in range(len(street.patterns[0]))
        for q in range(len(street.patterns[1]))
        for later in range(CYCLE_S)
    }
