# SPDX-License-Identifier: Apache-2.0
"""The widest bands along one chain of signals: exact, two-way, compared with one-way plans.

The method: for a fixed cycle both bands exist with sum S if and only if the scalar
q = outbound front - inbound end can pass arcs of the circle (`_kernels`); S is found by bisection,
cycles that cannot beat the best so far cost one pass. A MAXBAND programme forces a line through
every green even for an empty direction and so loses one-way plans; here they always compete.
"""

from __future__ import annotations

import numpy as np

from lvbo.errors import Finding, Severity
from lvbo.progression.band_fit import find_paced, fit_band, plan_of
from lvbo.progression.chain import Chain, build_chain
from lvbo.progression.locks import find_locked
from lvbo.progression.posted import each_posted
from lvbo.progression.problem import Band, BandKind, BandPlan, BandProblem
from lvbo.progression.rounding import whole_seconds
from lvbo.progression.search import Found, find_one_way, find_two_way

Locked = tuple[Found | None, Found, Found]


def two_way_band(problem: BandProblem) -> Band:
    """Return the best plan of a problem, two-way or one-way, exact and in whole seconds."""
    if problem.posted and problem.locks:
        bands = [two_way_band(signed) for signed in each_posted(problem)]
        return max(bands, key=lambda band: value_of(problem, band.exact))
    chain = build_chain(problem)
    locked = find_locked(problem) if problem.locks else None
    both = _find_both(problem, chain, locked)
    two_way = None if both is None else plan_of(problem, chain, both)
    cycle_ms = two_way.cycle_ms if two_way else problem.cycles_ms[0]
    outward, inward = one_way_plans(problem, chain, cycle_ms, locked)
    exact = _best(problem, two_way, outward, inward)
    return Band(
        exact=exact,
        whole=whole_seconds(problem, chain, exact),
        two_way=two_way,
        one_way_out=outward,
        one_way_in=inward,
        findings=() if two_way else (_unmet(problem),),
    )


def one_way_plans(
    problem: BandProblem, chain: Chain, cycle_ms: int, locked: Locked | None = None
) -> tuple[BandPlan, BandPlan]:
    """Return the widest outbound and the widest inbound plan; locks may want another cycle."""
    if problem.locks:
        _, out, back = locked or find_locked(problem)
    else:
        out = find_one_way(problem, chain, cycle_ms, BandKind.OUTBOUND)
        back = find_one_way(problem, chain, cycle_ms, BandKind.INBOUND)
    return plan_of(problem, chain, out), plan_of(problem, chain, back)


def widest_two_way(problem: BandProblem) -> BandPlan | None:
    """Return the exact two-way plan alone: no one-way plans, no rounding."""
    if problem.posted and problem.locks:
        plans = [widest_two_way(signed) for signed in each_posted(problem)]
        return max((p for p in plans if p), key=lambda p: value_of(problem, p), default=None)
    chain = build_chain(problem)
    found = _find_both(problem, chain)
    return None if found is None else plan_of(problem, chain, found)


def value_of(problem: BandProblem, plan: BandPlan) -> float:
    """Return (weight_out x outbound + weight_in x inbound) / cycle."""
    weighted = problem.weight_out * plan.outbound_ms + problem.weight_in * plan.inbound_ms
    return weighted / plan.cycle_ms


def _best(
    problem: BandProblem, two_way: BandPlan | None, outward: BandPlan, inward: BandPlan
) -> BandPlan:
    low, high = problem.ratio_range or (0.0, np.inf)
    rivals = [two_way] if two_way else []
    if two_way is None or (problem.min_in_ms == 0 and low == 0):
        rivals.append(outward)
    if two_way is None or (problem.min_out_ms == 0 and high == np.inf):
        rivals.append(inward)
    return max(rivals, key=lambda plan: value_of(problem, plan))


def _unmet(problem: BandProblem) -> Finding:
    return Finding(
        code="LV409",
        place="corridor",
        severity=Severity.WARNING,
        fields={
            "ratio_range": problem.ratio_range,
            "min_out_ms": problem.min_out_ms,
            "min_in_ms": problem.min_in_ms,
        },
    )


def _find_both(problem: BandProblem, chain: Chain, locked: Locked | None = None) -> Found | None:
    """Return the best two-way setting, its link times fitted where they were tried in levels."""
    if problem.locks:
        found = (locked or find_locked(problem))[0]
        return found and fit_band(problem, chain, found)
    if chain.both.levels > 1 and not problem.posted:
        return find_paced(problem, chain)
    return find_two_way(problem, chain)
