# SPDX-License-Identifier: Apache-2.0
"""One controller as arrays: its lanes, turns and stage orders, ready to be searched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import InfeasibleError
from lvbo.ids import LaneId, LinkId, MovementId, PhaseId, PlanId, StageId
from lvbo.signal.lamp import Lamp, PhaseKind, Right
from lvbo.signal.plan import Plan
from lvbo.signal.rules import Controller, SignalRules, StageSets
from lvbo.signal.stages import from_stages, interstages_ds
from lvbo.timing.limits import Cap, Need, StageLimits, least_cycle, smallest_conflict
from lvbo.timing.stages import StageOrder

if TYPE_CHECKING:
    from lvbo.timing._flow_kernels import Layout, Order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATUS = {Lamp.GREEN: 2, Lamp.PERMITTED: 1, Lamp.STOP_THEN_GO: 1}
KEPT_ORDERS = 2
"""How many stage orders are looked at in full after a first coarse look."""
COARSE_S = 25
LEAST_STAGE_S = 8
"""Stages we make are never shorter: practice asks 8 to 10 s for lefts; starved lanes lock up."""
NO_CYCLE_S = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleLimits:
    """The cycles a plan may have, in whole seconds."""

    least_s: int = 40
    most_s: int = 140
    step_s: int = 2

    def cycles(self) -> Ints:
        """Return all cycles from least to most."""
        return np.arange(self.least_s, self.most_s + 1, self.step_s, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A stage order with its greens in whole seconds, and what the model expects of it.

    `delay_vehs_ph` is veh-s of delay per hour, `saturation` the largest degree of saturation.
    """

    order: int
    cycle_s: int
    greens_s: tuple[int, ...]
    delay_vehs_ph: float
    saturation: float


@dataclass(frozen=True, eq=False, kw_only=True)
class ControllerModel:
    """One controller ready for search. `shares[L, M]` splits movement volumes over lanes.

    `approaches` are the links of the movements, `storage_m[L]` the lengths of the lanes.
    """

    controller: Controller
    movements: tuple[MovementId, ...]
    lanes: tuple[LaneId, ...]
    orders: tuple[StageOrder, ...]
    layout: Layout
    shares: Floats
    approaches: tuple[LinkId, ...]
    storage_m: Floats
    hours: float = 0.25

    def lane_volumes(self, volumes_vph: Mapping[MovementId, float]) -> Floats:
        """Return veh/h per lane."""
        volumes = np.array([max(volumes_vph.get(m, 0.0), 0.0) for m in self.movements])
        return np.asarray(self.shares @ np.nan_to_num(volumes))

    @cached_property
    def order_arrays(self) -> tuple[tuple[Order, Ints, Ints], ...]:
        """Return each order as kernel arrays with its least and greatest stage greens in s.

        An order whose limits contradict each other has least greens that fit no cycle.
        """
        found = []
        for sequence, limits in zip(self.orders, self.order_limits, strict=True):
            least = limits.least_greens() or (NO_CYCLE_S,) * len(sequence.stages)
            low, high = np.array(least, np.int64), np.array(limits.most_greens(), np.int64)
            found.append((self._order(sequence.stages, limits.intergreen_s), low, high))
        return tuple(found)

    @cached_property
    def order_limits(self) -> tuple[StageLimits, ...]:
        """Return the hard limits of each order."""
        return tuple(self._limits(order.stages) for order in self.orders)

    def _limits(self, stages: StageSets) -> StageLimits:
        rules = self.controller.rules
        least = [LEAST_STAGE_S] * len(stages)
        between = interstages_ds(self.controller.id, rules, self._wishes(stages, least))
        inters = tuple(-(-gap // 10) for gap in between)
        return StageLimits(
            intergreen_s=inters,
            needs=(
                *_floors(stages),
                *_minima(rules, stages, inters),
                *_walks(rules, stages, inters),
            ),
            caps=_maxima(rules, stages),
        )

    def _order(self, stages: StageSets, inters_s: Sequence[int]) -> Order:
        from lvbo.timing._flow_kernels import Order

        lit = np.array([self._status(stage) for stage in stages], dtype=np.int64)
        pairs = zip(stages, [*stages[1:], stages[0]], strict=True)
        kept = [self._status([p for p in a if p in b]) for a, b in pairs]
        return Order(np.array(inters_s, np.int64), lit, np.array(kept, dtype=np.int64))

    def _wishes(
        self, stages: Sequence[Sequence[PhaseId]], greens_s: Iterable[int]
    ) -> list[tuple[StageId, tuple[PhaseId, ...], int]]:
        free = self.controller.rules.permanent
        return [
            (StageId(str(k + 1)), tuple(sorted({*phases, *free})), 10 * int(green))
            for k, (phases, green) in enumerate(zip(stages, greens_s, strict=True))
        ]

    def _status(self, phases: Iterable[PhaseId]) -> list[int]:
        rules = self.controller.rules
        lit = [*phases, *rules.permanent]
        best: dict[MovementId, int] = defaultdict(int)
        for service in rules.services:
            if service.movement is not None and service.phase in lit:
                shown = STATUS.get(rules.phase_index[service.phase].shows, 1)
                best[service.movement] = max(best[service.movement], shown)
        return [best[m] for m in self.movements]

    def table(
        self, volumes_vph: Mapping[MovementId, float], limits: CycleLimits
    ) -> tuple[Timing | None, ...]:
        """Return the best timing for each cycle of the limits; None where the minima do not fit.

        Raises:
            InfeasibleError: LV510 where no cycle fits.

        """
        volumes = self.lane_volumes(volumes_vph)
        cycles = limits.cycles()
        coarse = np.unique(np.append(cycles[:: max(1, COARSE_S // limits.step_s)], cycles[-1]))
        tried = [self._search(k, coarse, volumes) for k in range(len(self.orders))]
        ranked = sorted(range(len(tried)), key=lambda k: (tried[k][1].min(), k))
        is_all = len(coarse) == len(cycles)
        best: list[Timing | None] = [None] * len(cycles)
        for k in ranked[:KEPT_ORDERS]:
            greens, cost = tried[k] if is_all else self._search(k, cycles, volumes)
            for n, cycle in enumerate(cycles):
                held = best[n]
                if np.isfinite(cost[n]) and (held is None or cost[n] < held.delay_vehs_ph - 1e-6):
                    best[n] = Timing(
                        order=k,
                        cycle_s=int(cycle),
                        greens_s=tuple(int(g) for g in greens[n]),
                        delay_vehs_ph=float(cost[n]),
                        saturation=0.0,
                    )
        if not any(best):
            self._refuse(limits)
        return tuple(best)

    def _search(self, k: int, cycles: Ints, volumes: Floats) -> tuple[Ints, Floats]:
        from lvbo.timing._flow_kernels import search

        order, low, high = self.order_arrays[k]
        greens = np.zeros((len(cycles), len(low)), dtype=np.int64)
        cost = np.full(len(cycles), np.inf)
        search(low, high, cycles, order, self.layout, volumes, self.hours, greens, cost)
        return greens, cost

    def variants(
        self, volumes_vph: Mapping[MovementId, float], best: Timing, *, most_delay: float = 1.06
    ) -> tuple[Timing, ...]:
        """Return timings of other stage orders at the same cycle that cost little more delay."""
        volumes = self.lane_volumes(volumes_vph)
        cycle = np.array([best.cycle_s], dtype=np.int64)
        found = []
        for k in range(len(self.orders)):
            greens, cost = self._search(k, cycle, volumes)
            if k != best.order and cost[0] <= most_delay * best.delay_vehs_ph:
                found.append(
                    Timing(
                        order=k,
                        cycle_s=best.cycle_s,
                        greens_s=tuple(int(g) for g in greens[0]),
                        delay_vehs_ph=float(cost[0]),
                        saturation=0.0,
                    )
                )
        return tuple(sorted(found, key=lambda t: (t.delay_vehs_ph, t.order)))

    def _refuse(self, limits: CycleLimits) -> None:
        """Raise with a smallest set of limits that no stage order can keep together."""
        raise InfeasibleError(
            "LV510",
            place=self.controller.id,
            conflict=smallest_conflict(self.order_limits, limits.least_s, limits.most_s),
            least_s=min(least_cycle(order) for order in self.order_limits),
            most_s=limits.most_s,
        )

    def design(
        self, volumes_vph: Mapping[MovementId, float], limits: CycleLimits | None = None
    ) -> Timing:
        """Return the timing with the least delay over all cycles."""
        table = self.table(volumes_vph, limits or CycleLimits())
        found = [timing for timing in table if timing is not None]
        best = min(found, key=lambda t: (t.delay_vehs_ph, t.cycle_s))
        return self.judged(best, volumes_vph)

    def judged(self, timing: Timing, volumes_vph: Mapping[MovementId, float]) -> Timing:
        """Return the timing with delay and saturation for these volumes."""
        delay, satur = self.lane_results(timing, self.lane_volumes(volumes_vph))
        return Timing(
            order=timing.order,
            cycle_s=timing.cycle_s,
            greens_s=timing.greens_s,
            delay_vehs_ph=float(delay.sum()),
            saturation=float(satur.max(initial=0.0)),
        )

    def lane_results(self, timing: Timing, lane_vph: Floats) -> tuple[Floats, Floats]:
        """Return delay in veh-s per hour and degree of saturation of each lane."""
        from lvbo.timing import _flow_kernels as kernels

        order = self.order_arrays[timing.order][0]
        work = kernels.scratch(len(self.movements), len(self.lanes), timing.cycle_s)
        greens = np.array(timing.greens_s, dtype=np.int64)
        kernels.evaluate(greens, order, self.layout, lane_vph, self.hours, work)
        return work.delay, work.satur

    def delay(self, timing: Timing, volumes_vph: Floats) -> Floats:
        """Return veh-s per hour for rows of volumes, shape (slots, movements) in model order."""
        lanes = np.nan_to_num(volumes_vph) @ self.shares.T
        return np.array([self.lane_results(timing, row)[0].sum() for row in lanes])

    def plan(self, timing: Timing, plan_id: PlanId, *, offset_ds: int = 0) -> Plan:
        """Return the timing as a plan of the controller.

        Interstages that a long stage makes shorter than the model's give their time to the last
        stage, so that the cycle is kept.
        """
        stages = self.orders[timing.order].stages
        greens = list(timing.greens_s)
        plan = self._built(stages, greens, plan_id)
        greens[-1] += timing.cycle_s - plan.cycle_ds // 10
        if greens[-1] != timing.greens_s[-1]:
            plan = self._built(stages, greens, plan_id)
        return plan.at_offset(offset_ds)

    def _built(self, stages: StageSets, greens_s: Sequence[int], plan_id: PlanId) -> Plan:
        return from_stages(
            plan_id,
            self.controller.id,
            self.controller.rules,
            self._wishes(stages, greens_s),
            0,
            self.reference(stages),
        )

    def reference(self, stages: StageSets) -> PhaseId:
        """Return the phase plans refer to: the one on most lanes, the first by name."""
        rules = self.controller.rules
        lanes: dict[PhaseId, float] = defaultdict(float)
        for service in rules.services:
            if service.movement in self.movements and service.right is Right.PROTECTED:
                column = self.movements.index(service.movement)
                lanes[service.phase] += float(np.count_nonzero(self.shares[:, column]))
        used = sorted({p for stage in stages for p in stage} - set(rules.permanent))
        return max(used, key=lambda p: lanes[p])


def _floors(stages: StageSets) -> Iterable[Need]:
    """Return the least green of every stage that practice asks."""
    name = f"g_min = {LEAST_STAGE_S} s"
    return (Need(name=name, first=k, length=1, least_s=LEAST_STAGE_S) for k in range(len(stages)))


def _minima(rules: SignalRules, stages: StageSets, inters_s: Sequence[int]) -> Iterable[Need]:
    """Return the minimum green of every window; intergreens inside a window are green."""
    for phase, first, length in _windows(stages):
        least = -(-rules.limit_index[phase].min_green_ds // 10)
        inside = sum(inters_s[(first + k) % len(stages)] for k in range(length - 1))
        name = f"g_min({phase}) = {least} s"
        yield Need(name=name, first=first, length=length, least_s=max(0, least - inside))


def _walks(rules: SignalRules, stages: StageSets, inters_s: Sequence[int]) -> Iterable[Need]:
    """Return for each walk the least green of its last stage, so that people clear in time."""
    for phase, first, length in _windows(stages):
        if rules.phase_index[phase].kind is not PhaseKind.PEDESTRIAN:
            continue
        last = (first + length - 1) % len(stages)
        starting = [p for p in stages[(last + 1) % len(stages)] if p not in stages[last]]
        clear = max((rules.intergreen_ds(phase, p) or 0 for p in starting), default=0)
        spare = max(0, clear - 10 * inters_s[last])
        least = -(-(rules.limit_index[phase].min_green_ds + spare) // 10)
        yield Need(name=f"g_walk({phase})", first=last, length=1, least_s=least)


def _maxima(rules: SignalRules, stages: StageSets) -> tuple[Cap, ...]:
    """Return the greatest green of every phase, for each of its stages."""
    most = {p: rules.limit_index[p].max_green_ds for stage in stages for p in stage}
    return tuple(
        Cap(name=f"g_max({p}) = {most_ds // 10} s", stage=k, most_s=most_ds // 10)
        for k, stage in enumerate(stages)
        for p in stage
        if (most_ds := most[p]) is not None
    )


def _windows(stages: StageSets) -> Iterable[tuple[PhaseId, int, int]]:
    """Return phase, first stage and number of stages of each green that ends."""
    count = len(stages)
    for first, stage in enumerate(stages):
        for phase in stage:
            if count == 1:
                yield phase, 0, 1
            elif phase not in stages[first - 1]:
                yield phase, first, _run(stages, phase, first)


def _run(stages: StageSets, phase: PhaseId, first: int) -> int:
    """Return over how many stages the green of a phase runs that starts with stage `first`."""
    count = len(stages)
    return next(k for k in range(1, count + 1) if phase not in stages[(first + k) % count])
