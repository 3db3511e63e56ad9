# SPDX-License-Identifier: Apache-2.0
"""Bands by link where some signals may not move against each other.

A lock joins signals that the chain programme treats one after the other, so the programme only
proposes structures; they are fitted with the locks as given, beside the structure of the widest
through bands that keep them, and the best is improved one signal at a time. This finds good plans,
not provably the best.
"""

from __future__ import annotations

from dataclasses import replace

from lvbo.progression.band import widest_two_way
from lvbo.progression.chain import Chain
from lvbo.progression.linkband_fit import Fit
from lvbo.progression.linkband_moves import fit_again, moved
from lvbo.progression.linkband_plan import from_bands, structure_of_plan
from lvbo.progression.linkband_search import find_line
from lvbo.progression.linkbands import LinkBandProblem


def find_locked_line(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the best fit found that keeps the locks."""
    fits = [find_line(problem, chain), _through(problem, chain)]
    best = max((f for f in fits if f), key=lambda f: f.value, default=None)
    return best and moved(problem, chain, best)


def _through(problem: LinkBandProblem, chain: Chain) -> Fit | None:
    """Return the fit of the structure that the widest through bands have."""
    street = replace(problem.street, ratio_range=None, min_out_ms=0, min_in_ms=0)
    plan = widest_two_way(street)
    if plan is None or min(plan.outbound_ms, plan.inbound_ms) <= 0:
        return None
    structure = structure_of_plan(problem, chain, from_bands(problem, plan))
    return fit_again(problem, chain, structure)
