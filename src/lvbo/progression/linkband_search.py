# SPDX-License-Identifier: Apache-2.0
"""Find the structures of good bands by link on grids, and fit them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lvbo.progression.chain import Chain, Floats, Ints
from lvbo.progression.linkband_fit import Fit, Structure, bounds_of, fit_structure
from lvbo.progression.linkband_grid import Places, solve_centred
from lvbo.progression.linkbands import LinkBandProblem
from lvbo.progression.problem import BandProblem, SpeedRange

COARSE, FINE = 60, 120  # steps of a cycle
SCREEN_MS = 1000  # cycles nearer than this are not told apart at first
FITTED = 10  # structures that are fitted, of the best cycles
REFINED = 3  # of these, how many are looked at on the fine grid
GAIN = 1e-5


def find_line(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the best fit found with a line in both directions, over all cycles."""
    fits = [_coarse(problem, chain, cycle) for cycle in _promising(problem, chain)]
    found = sorted((f for f in fits if f), key=lambda f: -f.value)[:REFINED]
    refined = [_refined(problem, chain, fit) for fit in found]
    return max(refined, key=lambda f: f.value, default=None)


def _promising(problem: LinkBandProblem, chain: Chain) -> list[int]:
    """Return the best cycles of a coarse look at all."""
    cycles = _thinned(problem.street.cycles_ms)
    if len(cycles) <= FITTED:
        return cycles
    values = {c: solve_centred(problem, chain, c, COARSE).value for c in cycles}
    return sorted(cycles, key=lambda c: -values[c])[:FITTED]


def _thinned(cycles_ms: Iterable[int]) -> list[int]:
    kept: list[int] = []
    for cycle in sorted(cycles_ms):
        if not kept or cycle - kept[-1] >= SCREEN_MS:
            kept.append(cycle)
    return kept


def _coarse(problem: LinkBandProblem, chain: Chain, cycle_ms: int) -> Fit | None:
    return _fitted(problem, chain, cycle_ms, COARSE)


def _refined(problem: LinkBandProblem, chain: Chain, best: Fit) -> Fit:
    while True:
        fit = _fitted(problem, chain, best.structure.cycle_ms, FINE)
        if fit is None or fit.value <= best.value + GAIN:
            return best
        best = fit


def _fitted(problem: LinkBandProblem, chain: Chain, cycle_ms: float, steps: int) -> Fit | None:
    solved = solve_centred(problem, chain, cycle_ms, steps)
    if solved.value < 0:
        return None
    places = solved.places(chain, problem.street.parts_per_cycle)
    return fit_places(problem, chain, cycle_ms, places)


def fit_places(
    problem: LinkBandProblem, chain: Chain, cycle_ms: float, places: Places
) -> Fit | None:
    """Return the best plan of the structure of these places, at any cycle of the problem."""
    cycles = problem.street.cycles_ms
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
