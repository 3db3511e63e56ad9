# SPDX-License-Identifier: Apache-2.0
"""Search plans for an area at one common cycle, and over cycles: anytime, the same for a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId, PlanId
from lvbo.optimize.coupling import ends_of
from lvbo.optimize.deadline import Deadline
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.stagetable import HALF, WHOLE, StageTable, build_table
from lvbo.optimize.tables import COARSE_COLUMNS, COLUMNS, preset_offsets
from lvbo.signal.plan import Plan
from lvbo.signal.stages import stage_greens
from lvbo.timing.limits import smallest_conflict
from lvbo.timing.model import ControllerModel, Timing

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIZES = (4, 1)
"""Seconds that move between stages, the large steps first."""
ROUNDS_OFFSETS, ROUNDS_GREENS = 1, 2
SWEEPS, SWEEPS_PRESET = 4, 2
BETWEEN_LOOKS = 100
"""So many signals are visited between two looks at the clock."""
FEWEST_KICKS = 2
ENDLESS = 1_000_000
"""Kicks where time, or what they save, is the limit."""
LOOK_S = 80
"""Stage orders are compared at this cycle; the best few are kept for the others."""
KEPT_ORDERS = 3
FINALISTS = 3
COARSE_STEP_S = 16
ORDER_COST = 1.12
"""Other stage orders are offered to a wave if they cost a signal at most 12 % more, alone."""
HALF_GAIN = 0.98
"""A signal runs half the common cycle only where that saves at least 2 % of its own delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is made small: delay, and beside it stops and queues beyond their storage, in veh-s.

    A stop costs as much as `stop_s` s of delay; each second that a vehicle stands beyond the
    storage of its lanes costs `spill_s`.
    """

    stop_s: float = 8.0
    spill_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """How one signal runs: a stage order of its model, its own cycle, stage greens, offset.

    The offset is when the first stage starts on the area clock, in whole seconds of its own cycle.
    """

    order: int
    cycle_s: int
    greens_s: tuple[int, ...]
    offset_s: int = 0


Programmes = Mapping[ControllerId, Programme]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How a signal is bound: its offset may move so many seconds, its greens not at all."""

    early_s: int
    late_s: int


Holds = Mapping[ControllerId, Hold]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to search: so many kicks, and none after `until` if that is given.

    Kicks end sooner once the latter half of them has saved less than the share `least_gain`.
    Without `until` the answer is the same on every machine.
    """

    kicks: int = 20
    least_gain: float = 5e-4
    until: Deadline | None = None
    seed: int = 0
    cycles_s: tuple[int, ...] = ()
    finalists: int = FINALISTS


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found at one common cycle; `cost` in veh-s per second, by its objective.

    `others` are programmes in other stage orders that cost a signal little more when it is alone.
    """

    cycle_s: int
    cost: float
    programmes: Programmes
    others: Mapping[ControllerId, tuple[Programme, ...]]


class AreaSearch:
    """The search over one mesh. All signals run one cycle, or half of it."""

    def __init__(
        self, mesh: AreaMesh, objective: Objective | None = None, table: StageTable | None = None
    ) -> None:
        self.mesh, self.objective = mesh, objective or Objective()
        self.table = build_table(mesh) if table is None else table
        self.kept: dict[int, Ints] = {}
        self.near: dict[int, list[tuple[Ints, Ints]]] = {}

    # one cycle ------------------------------------------------------------------------------

    def start(self, cycle_s: int, *, quick: bool = False) -> Area | None:
        """Return the area with each signal timed alone at a cycle, None where one cannot be.

        The `quick` look tries the best stage order of each signal only.
        """
        area = self.blank(cycle_s)
        rows = [self._rows(s, quick=quick) for s in range(len(self.mesh.controllers))]
        timed = self._timed(area, rows, SIZES[1:])
        if any(not np.isfinite(costs).any() for costs, _ in timed):
            return None
        self.near[cycle_s] = [_near(rows[s], *timed[s]) for s in range(len(rows))]
        return area

    def _timed(
        self, area: Area, rows: Sequence[Ints], sizes: Sequence[int]
    ) -> list[tuple[NDArray[np.float64], Ints]]:
        """Time each signal alone in its rows, keep the best; return costs and greens of all."""
        from lvbo.optimize._alone_kernels import time_all

        first = np.cumsum([0, *(len(r) for r in rows)]).astype(np.int64)
        flat = np.concatenate(rows)
        greens = np.zeros((len(flat), area.at.greens.shape[1]), np.int64)
        costs = np.zeros(len(flat))
        time_all(area, flat, first, np.array(sizes, np.int64), greens, costs)
        for s, own in enumerate(rows):
            part = slice(first[s], first[s + 1])
            pick = _with_half_only_if_worth(self.table.stages.times[own], costs[part])
            area.at.row[s], area.at.greens[s] = own[pick], greens[first[s] + pick]
        parts = [slice(first[s], first[s + 1]) for s in range(len(rows))]
        return [(costs[part], greens[part]) for part in parts]

    def _rows(self, signal: int, *, quick: bool) -> Ints:
        """Return the rows of a signal worth trying: its best stage orders, whole and half."""
        if not self.kept:
            self._look()
        rows = self.kept[signal]
        return rows[:: len(rows) // 2] if quick else rows

    def _look(self) -> None:
        """Find the best stage orders of every signal, at the cycle of a first look."""
        stages = self.table.stages
        whole = [self.table.rows(s, WHOLE) for s in range(len(self.mesh.controllers))]
        shortest = stages.low.sum(axis=1) + stages.inter.sum(axis=1)
        least = max(int(shortest[own].min()) for own in whole)
        area = self.blank(max(LOOK_S, least + least % 2))
        for s, (costs, _) in enumerate(self._timed(area, whole, ())):
            best = np.argsort(costs, kind="stable")[:KEPT_ORDERS]
            same = self.table.rows(s, HALF)[best]
            self.kept[s] = np.concatenate([whole[s][best], same])

    def blank(self, cycle_s: int) -> Area:
        """Return the area with uniform arrivals and nothing set."""
        from lvbo.optimize import _profile_values as values
        from lvbo.optimize._descent_kernels import make_trial

        mesh, signals = self.mesh.arrays, len(self.mesh.controllers)
        copies = (len(mesh.links) - 1) // signals
        starts = mesh.queues[mesh.links]
        return values.Area(
            mesh=mesh,
            stages=self.table.stages,
            lamps=self.table.new_lamps(copies),
            at=values.Setting(
                row=self.table.stages.first[:-1].copy(),
                greens=np.zeros((signals, self.table.stages.low.shape[1]), np.int64),
                offset=np.zeros(signals, np.int64),
                anchor=np.zeros(signals, np.int64),
                early=np.full(signals, cycle_s // 2),
                late=np.full(signals, (cycle_s - 1) // 2),
                keep=np.zeros(signals, np.int64),
            ),
            now=values.Settled(
                flow=np.repeat(mesh.mean[:, None], cycle_s, axis=1),
                leave=np.repeat(mesh.total[:, None], cycle_s, axis=1),
                cost=np.zeros(signals, np.float32),
            ),
            trial=make_trial(
                int(np.diff(mesh.links).max(initial=1)),
                int(np.diff(starts).max(initial=1)),
                int(np.diff(mesh.pipes).max(initial=1)),
                cycle_s,
            ),
            cost=values.Cost(self.objective.stop_s, self.objective.spill_s),
            cycle=cycle_s,
            copies=copies,
        )

    def improve(self, area: Area, until: Deadline | None = None, *, greens: bool = True) -> float:
        """Move offsets, then greens as well, while that helps; return the cost, veh-s per s."""
        from lvbo.optimize._descent_kernels import settle_all

        due = np.ones(len(area.at.row), np.bool_)
        self._preset(area)
        if greens:
            self._reorder(area)
            self._descend(area, SIZES, due, until)
            if not _is_over(until):
                before = area.at.offset.copy()
                self._preset(area)
                due |= _near_those(area, area.at.offset != before)
                self._descend(area, SIZES[1:], due, until)
        else:
            self._descend(area, (), due, until)
        return float(settle_all(area, SWEEPS))

    @staticmethod
    def _preset(area: Area, *, coarse: bool = False) -> float:
        """Set offsets by tables; return the cost by the model, veh-s per s."""
        from lvbo.optimize._descent_kernels import settle_all

        preset_offsets(area, columns=COARSE_COLUMNS if coarse else COLUMNS, kicked=not coarse)
        return float(settle_all(area, SWEEPS_PRESET))

    @staticmethod
    def _descend(area: Area, sizes: Sequence[int], due: Bools, until: Deadline | None) -> None:
        """Visit the signals that are `due` round by round; offsets only without `sizes`."""
        from lvbo.optimize._descent_kernels import visit_due

        order, steps = np.arange(len(due)), np.array(sizes, np.int64)
        between = len(due) if until is None else BETWEEN_LOOKS
        for _ in range(ROUNDS_GREENS if sizes else ROUNDS_OFFSETS):
            for first in range(0, len(order), between):
                if _is_over(until):
                    return
                visit_due(area, order[first : first + between], steps, due)

    def _reorder(self, area: Area) -> None:
        """Offer each signal the other stage orders that serve it well enough alone."""
        from lvbo.optimize._descent_kernels import move_orders

        if area.cycle not in self.near:
            return
        rows, greens, first = [], [], [0]
        for own_rows, own_greens in self.near[area.cycle]:
            rows.append(own_rows)
            greens.append(own_greens)
            first.append(first[-1] + len(own_rows))
        move_orders(area, np.array(first, np.int64), np.concatenate(rows), np.concatenate(greens))

    def kick(self, area: Area, effort: Effort) -> float:
        """Shift random groups and improve around them, as long as the effort says."""
        from lvbo.optimize._descent_kernels import kick, seed_kicks, settle_all

        signals = len(self.mesh.controllers)
        sizes = np.array(SIZES[1:], np.int64)
        seed_kicks(effort.seed)
        costs = [float(area.now.cost.sum())]
        for _ in range(effort.kicks if signals > 1 else 0):
            if _is_over(effort.until) or _is_still(costs, effort.least_gain):
                break
            kick(area, max(1, min(12, signals // 2)), sizes)
            costs.append(float(area.now.cost.sum()))
        return float(settle_all(area, SWEEPS))

    # over cycles ----------------------------------------------------------------------------

    def run(self, cycles_s: Sequence[int], effort: Effort) -> list[Found]:
        """Return the finalists over these cycles, the best first.

        Each cycle is timed and its offsets set; the best few also move greens and are kicked.

        Raises:
            InfeasibleError: LV510 where no cycle fits a signal.

        """
        best = self.ranked(cycles_s, effort)
        return in_order(
            [self.finalist(c, part_of(effort, k, len(best))) for k, c in enumerate(best)]
        )

    def finalist(self, cycle_s: int, effort: Effort) -> Found:
        """Return the best that is found at one cycle.

        Raises:
            ValueError: where a signal does not fit the cycle.

        """
        area = self.start(cycle_s)
        if area is None:
            message = f"no plan of {cycle_s} s"
            raise ValueError(message)
        self.improve(area, effort.until)
        return self._found(area, self.kick(area, effort))

    def ranked(self, cycles_s: Sequence[int], effort: Effort) -> tuple[int, ...]:
        """Return the best few cycles, by offsets from tables, the best first.

        Raises:
            InfeasibleError: LV510 where no cycle fits a signal.

        """
        found: dict[int, float] = {}

        def look(cycle: int) -> None:
            if cycle in found or (found and _is_over(effort.until)):
                return
            area = self.start(cycle, quick=True) or self.start(cycle)
            if area is not None:
                found[cycle] = self._preset(area, coarse=True)

        listed = sorted(cycles_s)
        gap = max(1, COARSE_STEP_S // max(1, min(np.diff(listed), default=1)))
        middle = listed[len(listed) // 2]
        for cycle in sorted({*listed[::gap], listed[-1]}, key=lambda c: (abs(c - middle), c)):
            look(cycle)
        while gap > 1 and found:
            gap = (gap + 1) // 2
            k = listed.index(min(found, key=lambda c: (found[c], c)))
            for near in (k - gap, k + gap):
                if 0 <= near < len(listed):
                    look(listed[near])
        if not found:
            self._refuse(cycles_s)
        return tuple(sorted(found, key=lambda c: (found[c], c))[: effort.finalists])

    def _found(self, area: Area, cost: float) -> Found:
        """Return the settings of an area as values."""
        return Found(
            cycle_s=area.cycle,
            cost=cost,
            programmes=self.programmes(area),
            others={
                c: tuple(
                    self._programme(int(row), greens, area.cycle, 0)
                    for row, greens in zip(*self.near[area.cycle][s], strict=True)
                )
                for s, c in enumerate(self.mesh.controllers)
            },
        )

    def programmes(self, area: Area) -> dict[ControllerId, Programme]:
        """Return how the signals of an area are set."""
        at = area.at
        return {
            c: self._programme(int(at.row[s]), at.greens[s], area.cycle, int(at.offset[s]))
            for s, c in enumerate(self.mesh.controllers)
        }

    def _programme(self, row: int, greens: Ints, cycle_s: int, offset_s: int) -> Programme:
        stages = self.table.stages
        own_s = cycle_s // int(stages.times[row])
        return Programme(
            order=int(self.table.order[row]),
            cycle_s=own_s,
            greens_s=tuple(int(g) for g in greens[: int(stages.size[row])]),
            offset_s=offset_s % own_s,
        )

    def placed(self, programmes: Programmes, cycle_s: int, holds: Holds | None = None) -> Area:
        """Return the area with signals set as these programmes say, and bound as `holds` say.

        Raises:
            ValueError: where a programme's cycle is neither the common one nor half of it.

        """
        area = self.blank(cycle_s)
        for s, c in enumerate(self.mesh.controllers):
            own = programmes[c]
            times = WHOLE if own.cycle_s == cycle_s else HALF
            if own.cycle_s * times != cycle_s:
                message = f"{c}: a cycle of {own.cycle_s} s does not fit {cycle_s} s"
                raise ValueError(message)
            area.at.row[s] = self.table.rows(s, times)[own.order]
            area.at.greens[s, : len(own.greens_s)] = own.greens_s
            area.at.offset[s] = area.at.anchor[s] = own.offset_s
            hold = (holds or {}).get(c)
            if hold is not None:
                area.at.early[s], area.at.late[s], area.at.keep[s] = hold.early_s, hold.late_s, 1
        return area

    def _refuse(self, cycles_s: Sequence[int]) -> None:
        for model in self.mesh.models:
            least = min(int(low.sum() + o.inters.sum()) for o, low, _ in model.order_arrays)
            if least > max(cycles_s):
                raise InfeasibleError(
                    "LV510",
                    place=model.controller.id,
                    conflict=smallest_conflict(model.order_limits, min(cycles_s), max(cycles_s)),
                    least_s=least,
                    most_s=max(cycles_s),
                )


def _near_those(area: Area, moved: Bools) -> Bools:
    """Return the signals that moved, those that they feed and those that feed them."""
    source, target = ends_of(area)
    near = moved.copy()
    near[source[moved[target]]] = near[target[moved[source]]] = True
    return near


def _near(rows: Ints, costs: NDArray[np.float64], greens: Ints) -> tuple[Ints, Ints]:
    """Return the stage orders, with their greens, that cost little more than the best, alone."""
    near = np.flatnonzero(costs <= ORDER_COST * costs.min())
    return rows[near], greens[near]


def plan_of(model: ControllerModel, programme: Programme, name: PlanId) -> Plan:
    """Return a programme as a plan; its offset is in whole seconds."""
    plan = model.plan(
        Timing(
            order=programme.order,
            cycle_s=programme.cycle_s,
            greens_s=programme.greens_s,
            delay_vehs_ph=0.0,
            saturation=0.0,
        ),
        name,
    )
    greens = {g.phase: g.windows for g in stage_greens(plan.stages, model.controller.rules)}
    own = greens[plan.reference] if plan.reference is not None else ()
    turn_ds = min((w.start_ds for w in own), default=0)
    return plan.at_offset(10 * round(programme.offset_s + turn_ds / 10))


def _with_half_only_if_worth(times: Ints, costs: NDArray[np.float64]) -> int:
    """Return the cheapest row; one of half the cycle only where it clearly saves."""
    fair = np.where(times == HALF, costs / HALF_GAIN, costs)
    return int(np.argmin(fair))


def in_order(found: Sequence[Found]) -> list[Found]:
    """Return finalists, the best first."""
    return sorted(found, key=lambda f: (f.cost, f.cycle_s))


def part_of(effort: Effort, k: int, count: int) -> Effort:
    """Return the effort of part k of so many, one after the other: a fair share of the time."""
    until = None if effort.until is None else effort.until.after(1 / (count - k))
    return replace(effort, until=until)


def timed(effort: Effort, until: Deadline, least_gain: float = 0.0) -> Effort:
    """Return the effort as one that time ends, or kicks that save too little if asked."""
    return replace(effort, kicks=ENDLESS, least_gain=least_gain, until=until)


def _is_over(until: Deadline | None) -> bool:
    return until is not None and until.is_over


def _is_still(costs: Sequence[float], least_gain: float) -> bool:
    """Say whether the latter half of the kicks has saved less than a share of the cost."""
    kicks = len(costs) - 1
    half = costs[kicks // 2]
    return kicks >= FEWEST_KICKS and half - costs[-1] < least_gain * half
