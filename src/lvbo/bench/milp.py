# SPDX-License-Identifier: Apache-2.0
"""MAXBAND as a mixed-integer programme in HiGHS, the yardstick of the band bench.

Little, Kelson, Gartner (1981) in the window form: with times in cycles, z = 1/C, q = outbound
front - inbound end, q grows by t + t_in over a link up to an integer; w is green before the
outbound band, w_in green after the inbound band.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise, product

from lvbo.errors import ToolError
from lvbo.progression.problem import BandProblem, Pattern, Window

try:
    import highspy
except ModuleNotFoundError:
    raise ToolError("LV685", place="highspy") from None

Terms = dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MilpResult:
    """Hold the objective of HiGHS (weighted bands in cycles), its solve time, proof and bound."""

    value: float | None
    outbound: float
    inbound: float
    cycle_s: float
    cpu_ms: float
    proved: bool
    bound: float


@dataclass(slots=True)
class Model:
    """A programme under construction."""

    solver: highspy.Highs = field(default_factory=highspy.Highs)
    columns: int = 0

    def __post_init__(self) -> None:
        self.solver.setOptionValue("output_flag", False)  # noqa: FBT003
        self.solver.changeObjectiveSense(highspy.ObjSense.kMaximize)

    @property
    def proved(self) -> bool:
        """Say whether the solver has proved its answer to be the best."""
        return bool(self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def variable(self, low: float, high: float, *, integer: bool = False, cost: float = 0) -> int:
        """Add a column; return its number."""
        self.solver.addVar(low, high)
        self.solver.changeColCost(self.columns, cost)
        if integer:
            self.solver.changeColIntegrality(self.columns, highspy.HighsVarType.kInteger)
        self.columns += 1
        return self.columns - 1

    def row(self, low: float, high: float, terms: Terms) -> None:
        """Add low <= sum of terms <= high."""
        self.solver.addRow(low, high, len(terms), list(terms), list(terms.values()))

    def at_most(self, terms: Terms, high: float = 0.0) -> None:
        """Add sum of terms <= high."""
        self.row(-highspy.kHighsInf, high, terms)


def solve_maxband(problem: BandProblem, *, gap: float = 1e-4, limit_s: float = 120.0) -> MilpResult:
    """Return the best two-way plan of HiGHS on one thread; only the solve is timed."""
    model, b, b_in, z = _build(problem)
    solver = model.solver
    cpu_ms = run_model(model, gap, limit_s)
    proved = model.proved
    bound = solver.getInfo().mip_dual_bound
    values = list(solver.getSolution().col_value)
    if not values or values[z] <= 0:
        return MilpResult(
            value=None, outbound=0, inbound=0, cycle_s=0, cpu_ms=cpu_ms, proved=proved, bound=bound
        )
    return MilpResult(
        value=problem.weight_out * values[b] + problem.weight_in * values[b_in],
        outbound=values[b],
        inbound=values[b_in],
        cycle_s=1 / values[z],
        cpu_ms=cpu_ms,
        proved=proved,
        bound=bound,
    )


def run_model(model: Model, gap: float, limit_s: float) -> float:
    """Solve on one thread; return the CPU time, ms."""
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("mip_rel_gap", gap),
        ("time_limit", limit_s),
    ):
        model.solver.setOptionValue(option, value)
    start = time.process_time_ns()
    model.solver.run()
    return (time.process_time_ns() - start) / 1e6


def _build(problem: BandProblem) -> tuple[Model, int, int, int]:
    model = Model()
    b = model.variable(0, 1, cost=problem.weight_out)
    b_in = model.variable(0, 1, cost=problem.weight_in)
    low, high = min(problem.cycles_ms) / 1000, max(problem.cycles_ms) / 1000
    z = model.variable(1 / high, 1 / low)
    positions = [_signal(model, p, problem.parts_per_cycle, b, b_in) for p in problem.patterns]
    out = link_times(model, problem, z, inbound=False)
    back = link_times(model, problem, z, inbound=True)
    clear_out = problem.clearance_out_ms or (0,) * problem.signals
    clear_in = problem.clearance_in_ms or (0,) * problem.signals
    for i, ((q, constant), (q_next, constant_next)) in enumerate(pairwise(positions)):
        turns = model.variable(-2, 200, integer=True)
        loop = dict(q_next)
        for column, factor in q.items():
            loop[column] = loop.get(column, 0.0) - factor
        loop |= {out[i]: -1.0, back[i]: -1.0, turns: 1.0}
        loop[z] = (clear_out[i + 1] + clear_in[i]) / 1000
        model.row(constant - constant_next, constant - constant_next, loop)
    _limits(model, problem, b, b_in, z)
    return model, b, b_in, z


def _signal(
    model: Model, patterns: tuple[Pattern, ...], parts: int, b: int, b_in: int
) -> tuple[Terms, float]:
    """Add one signal; return its position q as terms and a constant."""
    pick_out, pick_in, _ = pick_windows(model, patterns, parts)
    position: Terms = {}
    constant = 0.0
    for (place, place_0, green, green_0), band in ((pick_out, b), (pick_in, b_in)):
        spare = model.variable(0, 1)
        model.at_most({spare: 1.0, band: 1.0} | {c: -g for c, g in green.items()}, high=green_0)
        position[spare] = 1.0
        for column, factor in place.items():
            position[column] = position.get(column, 0.0) + factor
        constant += place_0
    return position, constant


Pick = tuple[Terms, float, Terms, float]  # place and green, as terms and constant each
Ones = dict[tuple[Window, Window], set[int]]


def pick_windows(
    model: Model, patterns: tuple[Pattern, ...], parts: int
) -> tuple[Pick, Pick, Ones]:
    """Add the choice of a signal; return place and green of both directions, and which are 1."""
    choices = list(
        dict.fromkeys((o, i) for p in patterns for o, i in product(p.outbound, p.inbound))
    )
    out = sorted({o for o, _ in choices})
    back = sorted({i for _, i in choices})
    if len(out) * len(back) == len(choices):  # every order of the two directions is allowed
        pick_out, of_out = _pick(model, [(a / parts, g / parts) for a, g in out])
        pick_in, of_in = _pick(model, [(-(a + g) / parts, g / parts) for a, g in back])
        ones = {
            (o, i): {c for c in (of_out[out.index(o)], of_in[back.index(i)]) if c is not None}
            for o, i in choices
        }
        return pick_out, pick_in, ones
    columns = [model.variable(0, 1, integer=True) for _ in choices]
    model.row(1, 1, dict.fromkeys(columns, 1.0))
    pairs = list(zip(columns, choices, strict=True))
    pick_out = (
        {c: o[0] / parts for c, (o, _) in pairs},
        0.0,
        {c: o[1] / parts for c, (o, _) in pairs},
        0.0,
    )
    pick_in = (
        {c: -(i[0] + i[1]) / parts for c, (_, i) in pairs},
        0.0,
        {c: i[1] / parts for c, (_, i) in pairs},
        0.0,
    )
    return pick_out, pick_in, {choice: {c} for c, choice in pairs}


def _pick(model: Model, options: list[tuple[float, float]]) -> tuple[Pick, list[int | None]]:
    """Return place and green of one of the options, and the column that takes each."""
    place_0, green_0 = options[0]
    columns = [model.variable(0, 1, integer=True) for _ in options[1:]]
    if len(columns) > 1:
        model.at_most(dict.fromkeys(columns, 1.0), high=1.0)
    pairs = list(zip(columns, options[1:], strict=True))
    place = {c: o[0] - place_0 for c, o in pairs}
    green = {c: o[1] - green_0 for c, o in pairs if o[1] != green_0}
    return (place, place_0, green, green_0), [None, *columns]


def link_times(model: Model, problem: BandProblem, z: int, *, inbound: bool) -> list[int]:
    """Add the link times of one direction with their speed and speed-change limits."""
    metres = problem.distance_in_m if inbound else problem.distance_out_m
    speeds = problem.speed_in_mps if inbound else problem.speed_out_mps
    columns = []
    for d, (slow, fast) in zip(metres, speeds, strict=True):
        t = model.variable(0, highspy.kHighsInf)
        model.at_most({z: d / fast, t: -1.0})
        model.at_most({t: 1.0, z: -d / slow})
        columns.append(t)
    limit = problem.speed_change_limit_s_per_m
    if limit is not None:
        pairs = pairwise(zip(columns, metres, strict=True))
        for (t, d), (t_next, d_next) in pairs:
            model.at_most({t_next: 1 / d_next, t: -1 / d, z: -limit})
            model.at_most({t_next: -1 / d_next, t: 1 / d, z: -limit})
    return columns


def _limits(model: Model, problem: BandProblem, b: int, b_in: int, z: int) -> None:
    if problem.ratio_range is not None:
        low, high = problem.ratio_range
        model.at_most({b: low, b_in: -1.0})
        if high != float("inf"):
            model.at_most({b_in: 1.0, b: -high})
    model.at_most({z: problem.min_out_ms / 1000, b: -1.0})
    model.at_most({z: problem.min_in_ms / 1000, b_in: -1.0})
