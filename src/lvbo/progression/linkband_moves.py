# SPDX-License-Identifier: Apache-2.0
"""Improve bands by link one signal at a time: another window or whole cycle, everything fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lvbo.progression.chain import Chain
from lvbo.progression.linkband_fit import Fit, Structure, bounds_of, fit_structure
from lvbo.progression.linkbands import LinkBandProblem

SWEEPS = 3
GAIN = 1e-5


def moved(problem: LinkBandProblem, chain: Chain, best: Fit, sweeps: int = SWEEPS) -> Fit:
    """Return the fit after moves of single signals, as long as a sweep over all helps."""
    for _ in range(sweeps):
        better = _swept(problem, chain, best)
        if better.value <= best.value + GAIN:
            return better
        best = better
    return best


def fit_again(problem: LinkBandProblem, chain: Chain, structure: Structure) -> Fit | None:
    """Return the best plan of a structure, at any cycle of the problem where no locks hold it."""
    cycles = problem.street.cycles_ms
    low, high = (structure.cycle_ms,) * 2 if problem.street.locks else (min(cycles), max(cycles))
    return fit_structure(problem, chain, structure, bounds_of(problem.street, low, high))


def _swept(problem: LinkBandProblem, chain: Chain, best: Fit) -> Fit:
    """Return the fit after trying other windows and turns at each signal in turn."""
    for i in range(problem.street.signals):
        for structure in _neighbours(problem, chain, best.structure, i):
            fit = fit_again(problem, chain, structure)
            if fit is not None and fit.value > best.value + GAIN:
                best = fit
                break
    return best


def _neighbours(
    problem: LinkBandProblem, chain: Chain, known: Structure, i: int
) -> Iterator[Structure]:
    windows = chain.windows / problem.street.parts_per_cycle
    out, back = float(known.lines_out[i]), float(known.lines_in[i])
    for c in range(int(chain.first[i]), int(chain.first[i + 1])):
        a, g, a_in, g_in = (float(v) for v in windows[:, c])
        p = (out - back - (a - a_in - g_in)) % 1.0
        for spare in (p, p - 1.0):
            w = min(max(spare / 2, spare - g_in, 0.0), g)
            offset = out - a - w
            turn = round(back - offset - a_in - g_in + spare - w)
            if (c, turn) == (known.choices[i], known.turns[i]):
                continue
            offsets = known.offsets.copy()
            offsets[i] = offset
            yield replace(
                known,
                choices=(*known.choices[:i], c, *known.choices[i + 1 :]),
                turns=(*known.turns[:i], turn, *known.turns[i + 1 :]),
                offsets=offsets,
            )
