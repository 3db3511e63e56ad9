# SPDX-License-Identifier: Apache-2.0
"""Through bands whose link times were chosen in levels, fitted without levels.

Pace levels (where a speed-change limit binds) and speeds tried between locked signals find the
windows and whole cycles of a good plan; cycle, offsets and link times are then a linear programme
(MAXBAND of Little, Kelson, Gartner 1981 with its integers given).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Ints, coarsely_paced
from lvbo.progression.linkband_fit import Structure, bounds_of, fit_structure
from lvbo.progression.linkband_plan import from_bands, nearest_cycles, structure_of_plan, written
from lvbo.progression.linkbands import LinkBandPlan, LinkBandProblem
from lvbo.progression.offsets import Setting, fix_times, one_ways, plan_at
from lvbo.progression.problem import BandKind, BandPlan, BandProblem
from lvbo.progression.search import Found, find_two_way

LOST_TO_LEVELS = 0.005
"""A cycle whose levels lose more than this share against the best fit is not looked at."""


def find_paced(problem: BandProblem, chain: Chain) -> Found | None:
    """Return the best two-way setting under a speed-change limit.

    Few pace levels find a first plan; its fit tells which cycles are worth more levels.
    """
    coarse = find_two_way(problem, coarsely_paced(problem, chain))
    first = coarse and fit_band(problem, chain, coarse)
    known = _value(problem, first) * (1 - LOST_TO_LEVELS) if first else -1.0
    fine = find_two_way(problem, chain, known)
    found = [first, fine and fit_band(problem, chain, fine)]
    return max((f for f in found if f), key=lambda f: _value(problem, f), default=None)


def fit_band(problem: BandProblem, chain: Chain, found: Found) -> Found:
    """Return the setting with cycle, offsets and link times free, if that is better."""
    if min(found.outbound_ms, found.inbound_ms) <= 0:
        return found
    asked = _as_links(problem)
    structure = _structure(problem, asked, chain, found)
    cycles = problem.cycles_ms
    if not problem.locks and min(cycles) < max(cycles):
        bounds = bounds_of(problem, min(cycles), max(cycles))
        free = fit_structure(asked, chain, structure, bounds, through=True)
        structure = free.structure if free else structure
    rivals = [found]
    for cycle_ms in nearest_cycles(problem, structure.cycle_ms):
        if not problem.locks or cycle_ms == found.setting.cycle_ms:
            rivals += _at_cycle(problem, asked, chain, structure, cycle_ms)
    return max(rivals, key=lambda f: _value(problem, f))


def _as_links(problem: BandProblem) -> LinkBandProblem:
    links = problem.signals - 1
    return LinkBandProblem(
        street=problem,
        weight_out=(problem.weight_out / links,) * links,
        weight_in=(problem.weight_in / links,) * links,
    )


def _structure(
    problem: BandProblem, asked: LinkBandProblem, chain: Chain, found: Found
) -> Structure:
    fixed = fix_times(chain, found.travel_out_ms, found.travel_in_ms)
    plan = plan_at(problem, fixed, found.setting, (found.outbound_ms, found.inbound_ms))
    return structure_of_plan(asked, chain, from_bands(asked, plan))


def _at_cycle(
    problem: BandProblem, asked: LinkBandProblem, chain: Chain, structure: Structure, cycle_ms: int
) -> list[Found]:
    there = replace(structure, cycle_ms=float(cycle_ms))
    fit = fit_structure(asked, chain, there, bounds_of(problem, cycle_ms, cycle_ms), through=True)
    if fit is None:
        return []
    return _measured(problem, chain, written(asked, chain, fit.structure, cycle_ms))


def _measured(problem: BandProblem, chain: Chain, plan: LinkBandPlan) -> list[Found]:
    """Return the setting of a plan with the bands that its offsets and link times give."""
    travel_out: Ints = np.array(plan.travel_out_ms, np.int64)
    travel_in: Ints = np.array(plan.travel_in_ms, np.int64)
    offsets: Ints = np.array(plan.offsets_ms, np.int64)
    setting = Setting(cycle_ms=plan.cycle_ms, offsets_ms=offsets, patterns=plan.patterns)
    out, back = one_ways(problem, fix_times(chain, travel_out, travel_in), setting)
    guess = plan.bands_out_ms[0], plan.bands_in_ms[0]
    b = max(out.widest(offsets, guess[0]), 0)
    d = max(back.widest(np.ascontiguousarray(offsets[::-1]), guess[1]), 0)
    b, d = _kernels.split(b + d, b, d, chain.wishes)
    if min(b, d) < 0:
        return []
    found = Found(
        setting=setting,
        outbound_ms=int(b),
        inbound_ms=int(d),
        travel_out_ms=travel_out,
        travel_in_ms=travel_in,
    )
    return [found]


def _value(problem: BandProblem, found: Found) -> float:
    weighted = problem.weight_out * found.outbound_ms + problem.weight_in * found.inbound_ms
    return weighted / found.setting.cycle_ms


def plan_of(problem: BandProblem, chain: Chain, found: Found) -> BandPlan:
    """Return the plan of a setting; where link times were chosen in levels they stay."""
    if chain.both.levels > 1 or problem.locks:
        chain = fix_times(chain, found.travel_out_ms, found.travel_in_ms)
    if found.setting.kind is BandKind.TWO_WAY:
        return plan_at(problem, chain, found.setting, (found.outbound_ms, found.inbound_ms))
    return plan_at(problem, chain, found.setting)
