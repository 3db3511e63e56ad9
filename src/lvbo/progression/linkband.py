# SPDX-License-Identifier: Apache-2.0
"""Bands of their own on every link, weighted by flow: MULTIBAND and AM-BAND.

The method: for each cycle the state (position, half-bands) makes the chain a dynamic programme,
run on a grid (`_linkband_kernels`); the structures it finds, windows and whole cycles, are fitted
exactly as linear programmes with cycle, speeds and offsets free (`linkband_fit`). As with through
bands, a plan with a line in one direction alone always competes.
"""

from __future__ import annotations

from lvbo.errors import Finding, Severity
from lvbo.progression.band import one_way_plans
from lvbo.progression.chain import Chain, build_chain
from lvbo.progression.linkband_locked import find_locked_line
from lvbo.progression.linkband_plan import from_bands, settle, whole_seconds_of
from lvbo.progression.linkband_search import find_line
from lvbo.progression.linkbands import LinkBandPlan, LinkBandProblem, LinkBands, value_of_links
from lvbo.progression.problem import BandPlan
from lvbo.progression.rounding import whole_seconds


def link_bands(problem: LinkBandProblem) -> LinkBands:
    """Return the best plan of a problem, with lines in both directions or one."""
    chain = build_chain(problem.street)
    two_way = _with_line(problem, chain)
    cycle_ms = two_way.cycle_ms if two_way else problem.street.cycles_ms[0]
    one_way = one_way_plans(problem.street, chain, cycle_ms)
    outward, inward = (from_bands(problem, plan) for plan in one_way)
    exact = _best(problem, two_way, (outward, inward))
    if exact is two_way:
        whole = whole_seconds_of(problem, chain, two_way)
    else:
        whole = _rounded(problem, chain, one_way[0 if exact is outward else 1])
    return LinkBands(
        exact=exact,
        whole=whole,
        two_way=two_way,
        one_way_out=outward,
        one_way_in=inward,
        findings=() if two_way else (_unmet(problem),),
    )


def widest_link_bands(problem: LinkBandProblem) -> LinkBandPlan | None:
    """Return the exact plan with lines in both directions alone: no one-way plans, no rounding."""
    return _with_line(problem, build_chain(problem.street))


def _with_line(problem: LinkBandProblem, chain: Chain) -> LinkBandPlan | None:
    find = find_locked_line if problem.street.locks else find_line
    fit = find(problem, chain)
    return None if fit is None else settle(problem, chain, fit)


def _best(
    problem: LinkBandProblem,
    two_way: LinkBandPlan | None,
    one_way: tuple[LinkBandPlan, LinkBandPlan],
) -> LinkBandPlan:
    if two_way is None:
        return max(one_way, key=lambda plan: value_of_links(problem, plan))
    street = problem.street
    low, high = street.ratio_range or (0.0, float("inf"))
    rivals = [two_way]
    if street.min_in_ms == 0 and low == 0:
        rivals.append(one_way[0])
    if street.min_out_ms == 0 and high == float("inf"):
        rivals.append(one_way[1])
    return max(rivals, key=lambda plan: value_of_links(problem, plan))


def _rounded(problem: LinkBandProblem, chain: Chain, plan: BandPlan) -> LinkBandPlan:
    return from_bands(problem, whole_seconds(problem.street, chain, plan))


def _unmet(problem: LinkBandProblem) -> Finding:
    street = problem.street
    return Finding(
        code="LV434",
        place="corridor",
        severity=Severity.WARNING,
        fields={
            "ratio_range": street.ratio_range,
            "min_out_ms": street.min_out_ms,
            "min_in_ms": street.min_in_ms,
        },
    )
