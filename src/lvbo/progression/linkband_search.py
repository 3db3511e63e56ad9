# SPDX-License-Identifier: Apache-2.0
"""Find the structures of good bands by link on grids, and fit them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from lvbo.progression.chain import Chain, Floats, Ints
from lvbo.progression.linkband_fit import Fit, Structure, bounds_of, fit_structure
from lvbo.progression.linkband_grid import Places, Solved, solve_centred
from lvbo.progression.linkband_moves import GAIN, moved
from lvbo.progression.linkband_sides import solve_uneven
from lvbo.progression.linkbands import CENTRED, LinkBandProblem
from lvbo.progression.problem import BandProblem, SpeedRange

CENTRED_STEPS = (54, 96)  # of a cycle, at first and at last
UNEVEN_STEPS = (24, 36, 48)  # the most that the work below allows, half as many more at last
UNEVEN_WORK = 1e10
FITTED = 10  # structures that are fitted, of the best cycles
REFINED = 3  # of these, how many are looked at on the fine grid


class Solve(Protocol):
    """Solve one cycle on a grid."""

    def __call__(
        self, problem: LinkBandProblem, chain: Chain, cycle_ms: float, steps: int, *, traced: bool
    ) -> Solved:
        """Return its value and, where traced, its places."""
        ...


def find_line(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the best fit found with a line in both directions, over all cycles."""
    found = _found(problem, chain, solve_centred, CENTRED_STEPS, apart_ms=1000)
    if problem.least_side < CENTRED:
        steps = _uneven_steps(problem, chain)
        found += _found(problem, chain, solve_uneven, (steps, 3 * steps // 2), apart_ms=2000)
    best = max(found, key=lambda fit: fit.value, default=None)
    limited = problem.street.speed_change_limit_s_per_m is not None
    if best is not None and limited and problem.least_side < CENTRED:
        return moved(problem, chain, best, sweeps=1)  # the programme of uneven bands knows no limit
    return best


def _uneven_steps(problem: LinkBandProblem, chain: Chain) -> int:
    """Return into how many steps the cycle is cut; the work grows with their fourth power."""
    choices = np.diff(chain.first)
    links = float(np.sum(choices[1:] * choices[:-1]))
    cycles = len(_thinned(problem.street.cycles_ms, 2000))
    fits = [s for s in UNEVEN_STEPS if s**4 * links * cycles <= UNEVEN_WORK]
    return max(fits, default=UNEVEN_STEPS[0])


def _found(
    problem: LinkBandProblem, chain: Chain, solve: Solve, steps: tuple[int, int], apart_ms: int
) -> list[Fit]:
    """Return the best fits of the structures that one programme finds."""
    cycles = _thinned(problem.street.cycles_ms, apart_ms)
    solved = [
        (solve(problem, chain, cycle, steps[0], traced=False).value, cycle) for cycle in cycles
    ]
    fits = [
        _fitted(problem, chain, solve, cycle, steps[0])
        for _, cycle in sorted(solved, reverse=True)[:FITTED]
    ]
    best = sorted((f for f in fits if f), key=lambda f: -f.value)[:REFINED]
    return [_refined(problem, chain, fit, solve, steps[1]) for fit in best]


def _thinned(cycles_ms: Iterable[int], apart_ms: int) -> list[int]:
    kept: list[int] = []
    for cycle in sorted(cycles_ms):
        if not kept or cycle - kept[-1] >= apart_ms:
            kept.append(cycle)
    return kept


def _refined(problem: LinkBandProblem, chain: Chain, best: Fit, solve: Solve, steps: int) -> Fit:
    """Return the fit after looking at its own cycle on a finer grid, as long as that helps."""
    while True:
        fit = _fitted(problem, chain, solve, best.structure.cycle_ms, steps)
        if fit is None or fit.value <= best.value + GAIN:
            return best
        best = fit


def _fitted(
    problem: LinkBandProblem, chain: Chain, solve: Solve, cycle_ms: float, steps: int
) -> Fit | None:
    places = solve(problem, chain, cycle_ms, steps, traced=True).places
    return fit_places(problem, chain, cycle_ms, places) if places else None


def fit_places(
    problem: LinkBandProblem, chain: Chain, cycle_ms: float, places: Places
) -> Fit | None:
    """Return the best plan of the structure of these places, at any cycle of the problem.

    Locks tell offsets in ms, so with locks the cycle stays.
    """
    cycles = (cycle_ms,) if problem.street.locks else problem.street.cycles_ms
    bounds = bounds_of(problem.street, min(cycles), max(cycles))
    return fit_structure(problem, chain, structure_of(problem, chain, cycle_ms, places), bounds)


def structure_of(
    problem: LinkBandProblem, chain: Chain, cycle_ms: float, places: Places
) -> Structure:
    """Return the structure of a chain of places."""
    street = problem.street
    start, _, start_in, green_in = chain.windows[:, list(places.choices)] / street.parts_per_cycle
    out = _outbound_s(street, chain, np.diff(places.q) * cycle_ms / 1000)
    lines_out = np.concatenate(([0.0], np.cumsum(out))) * 1000 / cycle_ms
    lines_in = lines_out - places.q
    offsets = lines_out - start - places.before_out
    turns = np.rint(lines_in - offsets - start_in - green_in + places.after_in)
    return Structure(
        cycle_ms=cycle_ms,
        choices=places.choices,
        turns=tuple(int(turn) for turn in turns),
        offsets=offsets,
        lines_out=lines_out,
        lines_in=lines_in,
    )


def _outbound_s(street: BandProblem, chain: Chain, moved_s: Floats) -> Floats:
    """Return the outbound part of what q moves over each link, as the ranges allow, s."""
    low, high = _range_s(street.distance_out_m, street.speed_out_mps)
    low_in, high_in = _range_s(street.distance_in_m, street.speed_in_mps)
    clear: Ints = chain.clear_out[1:] + chain.clear_in[:-1]
    extra = moved_s + clear / 1000 - low - low_in
    width = np.maximum(high - low + high_in - low_in, 1e-9)
    out: Floats = low + np.clip(extra / width, 0, 1) * (high - low) - chain.clear_out[1:] / 1000
    return out


def _range_s(metres: tuple[float, ...], speeds: tuple[SpeedRange, ...]) -> tuple[Floats, Floats]:
    slow, fast = np.array(speeds).T
    return np.array(metres) / fast, np.array(metres) / slow
