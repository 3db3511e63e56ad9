# SPDX-License-Identifier: Apache-2.0
"""MULTIBAND and AM-BAND as a mixed-integer programme in HiGHS, with or without a start.

Gartner, Assmann, Lasaga, Hou (1991) in the window form of `milp`: w is green before the outbound
line, w_in green after the inbound line; the band of a link lies about the line at both its ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from lvbo.bench.milp import Model, Ones, Pick, Terms, link_times, pick_windows, run_model
from lvbo.progression.linkbands import CENTRED, LinkBandPlan, LinkBandProblem
from lvbo.progression.problem import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """Hold the value of HiGHS, the bound it proved (both in weighted cycles) and its solve time."""

    value: float | None
    bound: float
    cpu_ms: float
    proved: bool


@dataclass(slots=True)
class _Built:
    model: Model = field(default_factory=Model)
    z: int = 0
    ones: list[Ones] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)


def solve_linkbands(
    problem: LinkBandProblem,
    *,
    start: LinkBandPlan | None = None,
    gap: float = 1e-3,
    limit_s: float = 120.0,
) -> LinkResult:
    """Return the best plan of HiGHS with a line in both directions, on one thread.

    A `start` is handed over as the windows and whole cycles of a known plan.
    """
    built = _build(problem)
    if start is not None:
        known = _start(problem, built, start)
        built.model.solver.setSolution(
            len(known), np.array(list(known), np.int32), np.array(list(known.values()))
        )
    cpu_ms = run_model(built.model, gap, limit_s)
    solver = built.model.solver
    info = solver.getInfo()
    values = list(solver.getSolution().col_value)
    return LinkResult(
        value=info.objective_function_value if values and values[built.z] > 0 else None,
        bound=info.mip_dual_bound,
        cpu_ms=cpu_ms,
        proved=built.model.proved,
    )


def _build(problem: LinkBandProblem) -> _Built:
    built, street = _Built(), problem.street
    model = built.model
    low, high = min(street.cycles_ms) / 1000, max(street.cycles_ms) / 1000
    built.z = model.variable(1 / high, 1 / low)
    bands = [_band(model, problem, i, built.z) for i in range(street.signals - 1)]
    positions = []
    for i, patterns in enumerate(street.patterns):
        pick_out, pick_in, ones = pick_windows(model, patterns, street.parts_per_cycle)
        built.ones.append(ones)
        near = bands[max(i - 1, 0) : i + 1]
        w = _line(model, pick_out, [(b[0], b[1]) for b in near])
        w_in = _line(model, pick_in, [(b[3], b[2]) for b in near])
        terms: Terms = {w: 1.0, w_in: 1.0}
        for pick in (pick_out, pick_in):
            for column, factor in pick[0].items():
                terms[column] = terms.get(column, 0.0) + factor
        positions.append((terms, pick_out[1] + pick_in[1]))
    _loops(built, problem, positions)
    return built


def _band(model: Model, problem: LinkBandProblem, i: int, z: int) -> tuple[int, int, int, int]:
    """Add the sides of the bands of a link, before and after the line, outbound and inbound."""
    w_out, w_in = problem.weight_out[i], problem.weight_in[i]
    if problem.least_side == CENTRED:
        a, b = (model.variable(0, 1, cost=2 * w) for w in (w_out, w_in))
        sides = (a, a, b, b)
        out, back = {a: 2.0}, {b: 2.0}
    else:
        a, b, c, d = (model.variable(0, 1, cost=w) for w in (w_out, w_out, w_in, w_in))
        sides = (a, b, c, d)
        out, back = {a: 1.0, b: 1.0}, {c: 1.0, d: 1.0}
        least = problem.least_side
        for one, other in ((a, b), (b, a), (c, d), (d, c)):
            model.at_most({one: least - 1, other: least})
    street = problem.street
    for terms, least_ms in ((out, street.min_out_ms), (back, street.min_in_ms)):
        model.at_most({z: least_ms / 1000} | {c: -v for c, v in terms.items()})
    low, high = street.ratio_range or (0.0, float("inf"))
    model.at_most({c: low * v for c, v in out.items()} | {c: -v for c, v in back.items()})
    if high != float("inf"):
        model.at_most({c: -high * v for c, v in out.items()} | back)
    return sides


def _line(model: Model, pick: Pick, sides: list[tuple[int, int]]) -> int:
    """Add the place w of a line in its green with the sides about it: towards w, and beyond."""
    w = model.variable(0, 1)
    green = {column: -g for column, g in pick[2].items()}
    model.at_most({w: 1.0} | green, high=pick[3])
    for towards, beyond in sides:
        model.at_most({towards: 1.0, w: -1.0})
        model.at_most({beyond: 1.0, w: 1.0} | green, high=pick[3])
    return w


def _loops(built: _Built, problem: LinkBandProblem, positions: list[tuple[Terms, float]]) -> None:
    street, model = problem.street, built.model
    out = link_times(model, street, built.z, inbound=False)
    back = link_times(model, street, built.z, inbound=True)
    clear_out = street.clearance_out_ms or (0,) * street.signals
    clear_in = street.clearance_in_ms or (0,) * street.signals
    for i, ((q, constant), (q_next, constant_next)) in enumerate(pairwise(positions)):
        built.turns.append(model.variable(-2, 200, integer=True))
        loop = dict(q_next)
        for column, factor in q.items():
            loop[column] = loop.get(column, 0.0) - factor
        loop |= {out[i]: -1.0, back[i]: -1.0, built.turns[i]: 1.0}
        loop[built.z] = (clear_out[i + 1] + clear_in[i]) / 1000
        model.row(constant - constant_next, constant - constant_next, loop)


def _start(problem: LinkBandProblem, built: _Built, plan: LinkBandPlan) -> dict[int, float]:
    """Return the integers of a known plan by column."""
    street, cycle = problem.street, plan.cycle_ms
    found: dict[int, float] = {}
    places = []
    for i, ones in enumerate(built.ones):
        pattern = street.patterns[i][plan.patterns[i]]
        part = cycle / street.parts_per_cycle
        local_out = plan.line_out_ms[i] - plan.offsets_ms[i]
        local_in = plan.line_in_ms[i] - plan.offsets_ms[i]
        out, w = _holding(pattern.outbound, local_out, part, cycle)
        back, before = _holding(pattern.inbound, local_in, part, cycle)
        for columns in ones.values():
            found |= dict.fromkeys(columns, 0.0)
        found |= dict.fromkeys(ones[out, back], 1.0)
        places.append((out[0] * part + w - back[0] * part - before) / cycle)
    clear_out = street.clearance_out_ms or (0,) * street.signals
    clear_in = street.clearance_in_ms or (0,) * street.signals
    for i, column in enumerate(built.turns):
        drive = plan.travel_out_ms[i] + plan.travel_in_ms[i] - clear_out[i + 1] - clear_in[i]
        found[column] = round(drive / cycle + places[i] - places[i + 1])
    return found


def _holding(
    windows: tuple[Window, ...], local: float, part: float, cycle: float
) -> tuple[Window, float]:
    """Return the window that holds an instant best and the green before it."""

    def room(window: Window) -> float:
        before = (local - window[0] * part) % cycle
        return min(before, window[1] * part - before)

    best = max(windows, key=room)
    return best, (local - best[0] * part) % cycle
