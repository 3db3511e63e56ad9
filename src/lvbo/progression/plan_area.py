# SPDX-License-Identifier: Apache-2.0
"""Plans for many signals at once: common cycles, waves on the streets, offsets for the rest.

The cycle of each group is chosen among those with little delay: each is given its waves and
polished offsets, and its cost is what the platoon model says of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InfeasibleError, InputError
from lvbo.ids import ControllerId, LinkId, PlanId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.area import AreaModel
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.room import Room
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.timing.cures import diagnose
from lvbo.timing.model import ControllerModel, CycleLimits, Timing
from lvbo.timing.plans import (
    Group,
    Volumes,
    best_cycles,
    controller_models,
    coordination_groups,
    group_timings,
    period_volumes,
    plan_name,
)

ORDER_DELAY, MOST_ORDERS = 1.12, 8
"""Other stage orders serve a wave if they cost a signal at most 12 % more delay."""


@dataclass(frozen=True, kw_only=True)
class AreaOrder:
    """What an area plan is asked: which streets get waves, in order, and within which limits.

    `corridors` None takes every corridor of the network, the longest first. `cycles` is how many
    cycles of each group are tried out in full; a stop costs as much as `stop_s` s of delay. Among
    trials that cost at most `near_best` times the least, the widest bands win.
    """

    corridors: tuple[Corridor, ...] | None = None
    groups: tuple[Group, ...] | None = None
    limits: CycleLimits = field(default_factory=CycleLimits)
    settings: WaveSettings = field(default_factory=WaveSettings)
    speeds_mps: Mapping[LinkId, float] | None = None
    cycles: int = 5
    stop_s: float = 20.0
    near_best: float = 1.01


@dataclass(frozen=True, kw_only=True)
class AreaPlan:
    """Plans by period with the waves they carry; `cost_vehs_ph` is the model's, by period."""

    plans: PlanSet
    waves: tuple[Wave, ...]
    cost_vehs_ph: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """One period tried at one cycle per group."""

    plans: Mapping[ControllerId, Plan]
    waves: tuple[PeriodWave | None, ...]
    cost: float

    @property
    def band(self) -> float:
        """Return the bands of all waves, in cycles."""
        shares = (w.runs.outbound_share + w.runs.inbound_share for w in self.waves if w)
        return sum(shares)


def plan_area(
    network: Network,
    demand: Demand,
    periods: Iterable[DayPlan],
    order: AreaOrder | None = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> AreaPlan:
    """Return plans for every controller and period, coordinated along the streets asked for.

    `progress` is told the share of periods that are done.

    Raises:
        InfeasibleError: LV510 where the limits of a signal contradict; it names the smallest set.

    """
    asked = order or AreaOrder()
    days = tuple(periods)
    corridors = _in_order(network) if asked.corridors is None else asked.corridors
    plans: list[Plan] = []
    runs: list[Assignment] = []
    waves: list[list[PeriodWave]] = [[] for _ in corridors]
    costs: list[tuple[str, float]] = []
    findings: list[Finding] = []
    for day in days:
        for period in day.periods:
            task = _Task(network, demand, day, period, asked, corridors)
            trial = task.best()
            plans += trial.plans.values()
            runs += [
                Assignment(controller=c, day_type=day.day_type, period=period.name, plan=plan.id)
                for c, plan in sorted(trial.plans.items())
            ]
            for kept, wave in zip(waves, trial.waves, strict=True):
                kept.extend([wave] if wave else [])
            costs.append((plan_name(day.day_type, period), trial.cost))
            findings += task.findings()
            if progress is not None:
                progress(len(costs) / sum(len(d.periods) for d in days))
    plan_set = PlanSet(
        plans=tuple(sorted(plans, key=lambda p: (p.controller, p.id))),
        day_plans=days,
        assignments=tuple(runs),
        findings=tuple(findings),
    )
    return AreaPlan(
        plans=plan_set,
        waves=tuple(
            Wave(corridor=c, plans=plan_set, periods=tuple(w), settings=asked.settings)
            for c, w in zip(corridors, waves, strict=True)
            if w
        ),
        cost_vehs_ph=tuple(costs),
    )


def _in_order(network: Network) -> tuple[Corridor, ...]:
    return tuple(sorted(network.corridors, key=lambda c: (-c.length_m, c.id)))


class _Task:
    """Hold one period: models, tables, the streets."""

    def __init__(
        self,
        network: Network,
        demand: Demand,
        day: DayPlan,
        period: Period,
        order: AreaOrder,
        corridors: Sequence[Corridor],
    ) -> None:
        self.network, self.demand, self.order = network, demand, order
        self.day, self.period, self.corridors = day, period, corridors
        self.volumes: Volumes = period_volumes(demand, day.day_type, period)
        models = controller_models(network, demand, self.volumes)
        self.models: dict[ControllerId, ControllerModel] = {m.controller.id: m for m in models}
        self.area = AreaModel(
            network, self.models, self.volumes, order.speeds_mps, stop_s=order.stop_s
        )
        self.groups = order.groups or coordination_groups(network)
        self.timings: dict[ControllerId, Timing] = {}

    def best(self) -> _Trial:
        """Return the trial with the widest bands among those of least cost."""
        trials = [self._trial(timings) for timings in self._choices()]
        least = min(trial.cost for _, trial in trials)
        near = [pair for pair in trials if pair[1].cost <= self.order.near_best * least]
        self.timings, trial = max(near, key=lambda pair: pair[1].band)
        return trial

    def _choices(self) -> list[dict[ControllerId, Timing]]:
        """Return timings of all controllers, each group at its k-th best cycle."""
        per_group = []
        for group in self.groups:
            members = [self.models[c] for c in group.controllers if c in self.models]
            if not members:
                continue
            tables = group_timings(members, self.volumes, self.order.limits)
            count = self.order.cycles if len(members) > 1 else 1
            per_group.append(best_cycles(tables, self.order.limits, count))
        most = max(len(found) for found in per_group)
        chosen = [[found[min(k, len(found) - 1)] for found in per_group] for k in range(most)]
        return [{c: t for part in parts for c, t in part.items()} for parts in chosen]

    def _trial(
        self, timings: dict[ControllerId, Timing]
    ) -> tuple[dict[ControllerId, Timing], _Trial]:
        name = plan_name(self.day.day_type, self.period)
        plans = {c: self.models[c].plan(timing, name) for c, timing in timings.items()}
        waves = self._waves(plans, self._alternatives(timings, name))
        rooms = _Rooms([w for w in waves if w is not None])
        kept = self.area.polish(plans, rooms.allowed)
        waves = [_moved(w, kept) if w is not None else None for w in waves]
        cost = self.area.cost(kept).total
        return timings, _Trial(plans=kept, waves=tuple(waves), cost=cost)

    def _alternatives(
        self, timings: Mapping[ControllerId, Timing], name: PlanId
    ) -> dict[ControllerId, tuple[Plan, ...]]:
        """Return plans of other stage orders for the signals on the streets asked for."""
        wanted = {c for corridor in self.corridors for c in corridor.controllers}
        found = {}
        for c in sorted(wanted & set(timings)):
            model, best = self.models[c], timings[c]
            others = model.variants(self.volumes, best, most_delay=ORDER_DELAY)
            found[c] = tuple(model.plan(t, name) for t in others[:MOST_ORDERS])
        return found

    def _waves(
        self,
        plans: dict[ControllerId, Plan],
        alternatives: Mapping[ControllerId, tuple[Plan, ...]],
    ) -> list[PeriodWave | None]:
        """Lay a wave on each street in turn; `plans` takes the offsets and orders they give."""
        locked: frozenset[ControllerId] = frozenset()
        found: list[PeriodWave | None] = []
        for corridor in self.corridors:
            street = Street(
                network=self.network,
                demand=self.demand,
                speeds_mps=self.order.speeds_mps,
                locked=locked,
                alternatives=alternatives,
                models=self.models,
            )
            if locked.issuperset(corridor.controllers):
                found.append(None)
                continue
            try:
                wave = coordinate(
                    corridor,
                    self._one(plans),
                    street=street,
                    settings=self.order.settings.to_build_on,
                ).periods[0]
            except (InputError, InfeasibleError):  # cycles or offsets that do not fit each other
                found.append(None)
                continue
            plans.update(zip(wave.controllers, wave.plans, strict=True))
            locked |= frozenset(wave.controllers)
            found.append(wave)
        return found

    def _one(self, plans: Mapping[ControllerId, Plan]) -> PlanSet:
        """Return the plans as a set whose only period has the name and volumes of this one."""
        rest = Period(start_s=self.period.end_s, end_s=self.period.start_s, name="rest")
        whole = self.period.start_s == self.period.end_s
        periods = (self.period,) if whole else (self.period, rest)
        return PlanSet(
            plans=tuple(plans[c] for c in sorted(plans)),
            day_plans=(DayPlan(day_type=self.day.day_type, periods=periods),),
            assignments=tuple(
                Assignment(
                    controller=c,
                    day_type=self.day.day_type,
                    period=p.name,
                    plan=plans[c].id,
                )
                for c in sorted(plans)
                for p in periods
            ),
        )

    def findings(self) -> list[Finding]:
        """Return what the chosen timings leave unserved, and what would cure it."""
        name = plan_name(self.day.day_type, self.period)
        found: list[Finding] = []
        for c, timing in sorted(self.timings.items()):
            found += diagnose(self.models[c], timing, self.volumes, f"{c} {name}")
        return found


class _Rooms:
    """Know how far offsets may move without touching the bands of any wave."""

    def __init__(self, waves: Sequence[PeriodWave]) -> None:
        self.rooms = [Room(w.problem, w.runs, w.controllers) for w in waves]

    def allowed(self, controller: ControllerId, plans: Mapping[ControllerId, Plan]) -> list[int]:
        """Return the whole-second offsets a controller may take, given all others."""
        cycle, now = plans[controller].cycle_ds // 10, plans[controller].offset_ds // 10
        early, late = cycle // 2, (cycle - 1) // 2
        for room in self.rooms:
            if controller in room.controllers:
                shifts = room.shifts(controller, plans)
                early, late = min(early, -shifts.start), min(late, shifts.stop - 1)
        return [(now + shift) % cycle for shift in range(-early, late + 1)]


def _moved(wave: PeriodWave, plans: Mapping[ControllerId, Plan]) -> PeriodWave:
    """Return the wave with the offsets the plans have now and the bands they give."""
    runs = Room(wave.problem, wave.runs, wave.controllers).kept(plans)
    return replace(wave, runs=runs, plans=tuple(plans[c] for c in wave.controllers))
