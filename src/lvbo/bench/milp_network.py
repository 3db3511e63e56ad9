# SPDX-License-Identifier: Apache-2.0
"""Networks of crossing corridors as a mixed-integer programme in HiGHS, with one offset per node.

Times in cycles, z = 1/C. Outbound the front leaves signal i at theta + a + w, w green before the
band; over a link it grows by the link time up to a whole number of cycles. On a spanning tree of
the nodes these numbers of one direction are zero, for offsets may move by whole cycles: 2E - N + 1
integers are left. A direction may be dropped, so that one-way plans compete (a MAXBAND programme
forces a line through every green also where there is no band).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from lvbo.bench.milp import Model, Terms, link_times, run_model
from lvbo.progression.network_bands import NetworkBandProblem
from lvbo.progression.problem import BandProblem, Window

FAR = 100.0  # offsets and whole cycles stay within this many cycles
Slot = tuple[int, int, bool]  # corridor, signal, outbound


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProof:
    """Hold what HiGHS found and proved: value and bound in cycles, CPU time, integers used.

    `offsets` by node (cycles) are None where it found no plan.
    """

    value: float | None
    bound: float
    proved: bool
    cycle_s: float
    cpu_ms: float
    integers: int
    offsets: tuple[float, ...] | None = None

    @property
    def gap(self) -> float | None:
        """Return by which share the bound lies above the value, None without a value."""
        return self.bound / self.value - 1 if self.value else None


def prove_network(
    problem: NetworkBandProblem,
    *,
    drops: bool = True,
    gap: float = 1e-4,
    limit_s: float = 60.0,
) -> NetworkProof:
    """Return the best plan of HiGHS on one thread; only the solve is timed.

    Without `drops` every direction needs a line through all greens, as in MAXBAND. Without HiGHS
    installed this module cannot be imported: ToolError LV685.
    """
    writer = _Writer(problem, drops=drops)
    model = writer.model
    cpu_ms = run_model(model, gap, limit_s)
    solver = model.solver
    info, values = solver.getInfo(), list(solver.getSolution().col_value)
    found = bool(values) and values[writer.z] > 0
    return NetworkProof(
        value=info.objective_function_value if found else None,
        bound=info.mip_dual_bound,
        proved=model.proved,
        cycle_s=1 / values[writer.z] if found else 0.0,
        cpu_ms=cpu_ms,
        integers=writer.integers,
        offsets=tuple(values[c] % 1 for c in writer.theta) if found else None,
    )


class _Writer:
    """Write the programme."""

    def __init__(self, problem: NetworkBandProblem, *, drops: bool) -> None:
        self.problem, self.drops = problem, drops
        self.model = Model()
        cycles = problem.corridors[0].cycles_ms
        self.z = self.model.variable(1000 / max(cycles), 1000 / min(cycles))
        self.integers = 0
        fixed = dict(problem.fixed_ms)
        self.theta = [self._theta(v, fixed) for v in range(problem.size)]
        self.picked: dict[Slot, tuple[Terms, float, Terms, float]] = {}
        for v in range(problem.size):
            self._sequences(v)
        self._corridors()

    def _theta(self, v: int, fixed: dict[int, int]) -> int:
        if v not in fixed:
            low, high = (0.0, 0.0) if v == 0 and not fixed else (-FAR, FAR)
            return self.model.variable(low, high)
        column = self.model.variable(-FAR, FAR)
        self.model.row(0, 0, {column: 1.0, self.z: -fixed[v] / 1000})
        return column

    def _slots(self, v: int) -> list[Slot]:
        return [
            (k, i, outbound)
            for k in self.problem.passing[v]
            for i, node in enumerate(self.problem.nodes[k])
            if node == v
            for outbound in (True, False)
        ]

    def _windows(self, slot: Slot, sequence: int) -> tuple[Window, ...]:
        k, i, outbound = slot
        pattern = self.problem.corridors[k].patterns[i][sequence]
        return pattern.outbound if outbound else pattern.inbound

    def _sequences(self, v: int) -> None:
        """Choose the windows of all bands through a node so that one sequence has them all."""
        slots = self._slots(v)
        rows = [tuple(self._windows(s, p) for s in slots) for p in range(self.problem.sequences[v])]
        distinct = list(dict.fromkeys(rows))
        each = [list(dict.fromkeys(row[j] for row in distinct)) for j in range(len(slots))]
        parts = self.problem.corridors[0].parts_per_cycle
        if prod(len(e) for e in each) == len(distinct):  # the choices do not depend on each other
            for slot, options in zip(slots, each, strict=True):
                ones = self._one_of(len(options))
                self._choose(slot, list(zip(ones, options, strict=True)), parts)
            return
        ones = self._one_of(len(distinct))
        for j, slot in enumerate(slots):
            self._choose(slot, [(c, row[j]) for c, row in zip(ones, distinct, strict=True)], parts)

    def _one_of(self, count: int) -> list[int | None]:
        """Return columns of which exactly one is 1; None stands for 1 where there is no choice."""
        if count == 1:
            return [None]
        columns = [self.model.variable(0, 1, integer=True) for _ in range(count)]
        self.model.row(1, 1, dict.fromkeys(columns, 1.0))
        return list(columns)

    def _choose(
        self, slot: Slot, options: Sequence[tuple[int | None, tuple[Window, ...]]], parts: int
    ) -> None:
        place: Terms = {}
        green: Terms = {}
        constant = [0.0, 0.0]
        for column, windows in options:
            spread: list[tuple[int | None, Window]] = [(column, windows[0])]
            if len(windows) > 1:
                inner = [self.model.variable(0, 1, integer=True) for _ in windows]
                terms = dict.fromkeys(inner, 1.0)
                if column is not None:
                    terms[column] = -1.0
                self.model.row(*((0, 0) if column is not None else (1, 1)), terms)
                spread = list(zip(inner, windows, strict=True))
            for c, (start, length) in spread:
                size = 2.0 if length >= parts else length / parts  # always green: any front will do
                if c is None:
                    constant[0] += start / parts
                    constant[1] += size
                else:
                    place[c] = place.get(c, 0.0) + start / parts
                    green[c] = green.get(c, 0.0) + size
        self.picked[slot] = (place, constant[0], green, constant[1])

    def _corridors(self) -> None:
        tree = _Tree(self.problem.size)
        for k, corridor in enumerate(self.problem.corridors):
            nodes = self.problem.nodes[k]
            on_tree = [tree.joins(a, b) for a, b in pairwise(nodes)]
            for outbound in (True, False):
                fronts = self._fronts(k, corridor, outbound=outbound)
                times = link_times(self.model, corridor, self.z, inbound=not outbound)
                clear = (corridor.clearance_out_ms if outbound else corridor.clearance_in_ms) or (
                    0,
                ) * corridor.signals
                for i, t in enumerate(times):
                    a, b = (i, i + 1) if outbound else (i + 1, i)
                    free = not (outbound and on_tree[i])
                    self._link(fronts[a], fronts[b], t, clear[b] / 1000, free=free)

    def _fronts(
        self, k: int, corridor: BandProblem, *, outbound: bool
    ) -> list[tuple[Terms, float]]:
        model = self.model
        weight = corridor.weight_out if outbound else corridor.weight_in
        least = corridor.min_out_ms if outbound else corridor.min_in_ms
        band = model.variable(0, 1, cost=weight)
        drop = model.variable(0, 1, integer=True) if self.drops and not least else None
        if drop is not None:
            model.at_most({band: 1.0, drop: 1.0}, high=1.0)
        model.at_most({self.z: least / 1000, band: -1.0})
        fronts = []
        for i, v in enumerate(self.problem.nodes[k]):
            place, place_0, green, green_0 = self.picked[k, i, outbound]
            spare = model.variable(0, 1)
            terms = {spare: 1.0, band: 1.0} | {c: -g for c, g in green.items()}
            if drop is not None:
                terms[drop] = -1.0
            model.at_most(terms, high=green_0)
            front = {self.theta[v]: 1.0, spare: 1.0}
            for c, x in place.items():
                front[c] = front.get(c, 0.0) + x
            fronts.append((front, place_0))
        return fronts

    def _link(
        self,
        earlier: tuple[Terms, float],
        later: tuple[Terms, float],
        time: int,
        clear_s: float,
        *,
        free: bool,
    ) -> None:
        terms = dict(later[0])
        for c, x in earlier[0].items():
            terms[c] = terms.get(c, 0.0) - x
        terms[time] = -1.0
        terms[self.z] = clear_s
        if free:
            terms[self.model.variable(-FAR, FAR, integer=True)] = 1.0
            self.integers += 1
        self.model.row(earlier[1] - later[1], earlier[1] - later[1], terms)


class _Tree:
    """Say which links join two parts of the network that were apart."""

    def __init__(self, nodes: int) -> None:
        self.parent = list(range(nodes))

    def root(self, v: int) -> int:
        """Return the representative of the part of a node."""
        while self.parent[v] != v:
            v = self.parent[v]
        return v

    def joins(self, a: int, b: int) -> bool:
        """Join two nodes; return whether they were apart."""
        a, b = self.root(a), self.root(b)
        self.parent[a] = b
        return a != b
