# SPDX-License-Identifier: Apache-2.0
"""Bands by link where some signals may not move against each other.

A lock joins signals that the chain programme treats one after the other, so the programme only
proposes structures; they are fitted with the locks as given, beside the structure of the widest
through bands that keep them, and the best is improved one signal at a time. This finds good plans,
not provably the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lvbo.progression.band import widest_two_way
from lvbo.progression.chain import Chain
from lvbo.progression.linkband_fit import Fit, Structure, bounds_of, fit_structure
from lvbo.progression.linkband_plan import from_bands, structure_of_plan
from lvbo.progression.linkband_search import GAIN, find_line
from lvbo.progression.linkbands import LinkBandProblem

SWEEPS = 3


def find_locked_line(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the best fit found that keeps the locks."""
    fits = [find_line(problem, chain), _through(problem, chain)]
    best = max((f for f in fits if f), key=lambda f: f.value, default=None)
    if best is None:
        return None
    for _ in range(SWEEPS):
        better = _swept(problem, chain, best)
        if better.value <= best.value + GAIN:
            return better
        best = better
    return best


def _through(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the fit of the structure that the widest through bands have."""
    street = replace(problem.street, ratio_range=None, min_out_ms=0, min_in_ms=0)
    plan = widest_two_way(street)
    if plan is None or min(plan.outbound_ms, plan.inbound_ms) <= 0:
        return None
    structure = structure_of_plan(problem, chain, from_bands(problem, plan))
    return _fit(problem, chain, structure)


def _fit(problem: LinkBandProblem, chain: Chain, structure: Structure) -> Fit | None:
    cycle = structure.cycle_ms
    return fit_structure(problem, chain, structure, bounds_of(problem.street, cycle, cycle))


def _swept(problem: LinkBandProblem, chain: Chain, best: Fit) -> Fit:
    """Return the fit after trying other windows and turns at each signal in turn."""
    for i in range(problem.street.signals):
        for structure in _neighbours(problem, chain, best.structure, i):
            fit = _fit(problem, chain, structure)
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
