# SPDX-License-Identifier: Apache-2.0
"""One plan per controller and period, with a common cycle for signals that are coordinated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.demand import Demand
from lvbo.demand.saturation import saturations
from lvbo.errors import Finding
from lvbo.ids import ControllerId, MovementId, PlanId
from lvbo.network.network import Network
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Assignment, Calendar, DayPlan, Period, PlanSet
from lvbo.timing.build_model import build_model
from lvbo.timing.cures import diagnose
from lvbo.timing.model import ControllerModel, CycleLimits, Timing

COUPLED_M = 800.0
"""Signals closer than this on one street share a cycle (practice where flows are unknown)."""
HALF_CYCLE_GAIN = 0.98
"""A signal runs half the group's cycle only where that saves at least 2 % of its delay."""

MOST_DELAY = 1.12

Volumes = Mapping[MovementId, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Controllers that run a common cycle (or half of it)."""

    controllers: tuple[ControllerId, ...]


def coordination_groups(network: Network, *, within_m: float = COUPLED_M) -> tuple[Group, ...]:
    """Return controllers in groups: neighbours on a corridor closer than `within_m` go together."""
    parent: dict[ControllerId, ControllerId] = {c.id: c.id for c in network.controllers}

    def root(c: ControllerId) -> ControllerId:
        while parent[c] != c:
            c = parent[c]
        return c

    for corridor in network.corridors:
        sections = corridor.outbound or corridor.inbound
        owners = [s.outbound_controller or s.inbound_controller for s in corridor.stops]
        for a, b, section in zip(owners, owners[1:], sections, strict=False):
            if a is not None and b is not None and section.length_m <= within_m:
                parent[root(b)] = root(a)
    members: dict[ControllerId, list[ControllerId]] = {}
    for c in parent:
        members.setdefault(root(c), []).append(c)
    return tuple(Group(controllers=tuple(sorted(m))) for _, m in sorted(members.items()))


def each_alone(network: Network) -> tuple[Group, ...]:
    """Return every controller as a group of its own."""
    return tuple(Group(controllers=(c.id,)) for c in network.controllers)


def period_volumes(demand: Demand, day_type: str, period: Period) -> Volumes:
    """Return the mean volume per movement over the known slots of a period, veh/h; else 0."""
    typical = demand.typical(day_type)
    rows = [k for k, start in enumerate(demand.slot_starts_s()) if period.holds(start)]
    if not rows:
        return dict.fromkeys(demand.movements, 0.0)
    return dict(zip(demand.movements, _known_mean(typical[rows]).tolist(), strict=True))


def day_volumes(demand: Demand, day_type: str, period: Period) -> list[Volumes]:
    """Return the mean volume per movement over the known slots of a period, day by day, veh/h."""
    rows = [k for k, start in enumerate(demand.slot_starts_s()) if period.holds(start)]
    days = [d for d, kind in enumerate(demand.day_types) if kind == day_type]
    volumes = np.asarray(demand.volume_vph)
    return [
        dict(zip(demand.movements, _known_mean(volumes[d, rows]).tolist(), strict=True))
        for d in days
        if rows
    ]


def mean_volumes(demand: Demand) -> Volumes:
    """Return the mean volume per movement over all known days and slots, veh/h; else 0."""
    volumes = np.asarray(demand.volume_vph).reshape(-1, len(demand.movements))
    return dict(zip(demand.movements, _known_mean(volumes).tolist(), strict=True))


def _known_mean(volumes_vph: Floats) -> Floats:
    """Return the mean of each column over the rows that are known, 0 where none is."""
    known = np.isfinite(volumes_vph)
    total = np.where(known, volumes_vph, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def controller_models(
    network: Network,
    demand: Demand,
    volumes: Volumes | None = None,
    *,
    only: Collection[ControllerId] | None = None,
) -> tuple[ControllerModel, ...]:
    """Return every controller as a model; drivers choose lanes at the given (else mean) volumes.

    With `only` these controllers alone.

    Where each lane was counted they choose as they did then; flows swing as they were seen to. A
    controller whose heads are always green has nothing to be timed and is left out.
    """
    flows = {s.lane: s for s in saturations(network, demand.saturations)}
    at = volumes if volumes is not None else mean_volumes(demand)
    wanted = (c for c in network.controllers if only is None or c.id in only)
    models = (build_model(network, c, flows, at, demand) for c in wanted)
    return tuple(model for model in models if model.orders)


def time_plans(
    network: Network,
    demand: Demand,
    periods: Iterable[DayPlan],
    *,
    groups: Sequence[Group] | None = None,
    limits: CycleLimits | None = None,
) -> PlanSet:
    """Return plans for every controller and period; offsets are 0 until a corridor is coordinated.

    Controllers of one group get the common cycle with the least total delay; a signal may run half
    of it. Where demand is over capacity the findings say by how much, and what would cure it.

    Raises:
        InfeasibleError: LV510 where the limits of a signal contradict; it names the smallest set.

    """
    day_plans = tuple(periods)
    chosen = coordination_groups(network) if groups is None else tuple(groups)
    plans: list[Plan] = []
    runs: list[Assignment] = []
    findings: list[Finding] = []
    for day in day_plans:
        for period in day.periods:
            name = plan_name(day.day_type, period)
            volumes = period_volumes(demand, day.day_type, period)
            models = {m.controller.id: m for m in controller_models(network, demand, volumes)}
            timings = time_groups(models, volumes, chosen, limits or CycleLimits())
            for controller, timing in sorted(timings.items()):
                model = models[controller]
                plans.append(model.plan(timing, name))
                runs.append(_run(controller, day, period, name))
                findings += diagnose(model, timing, volumes, f"{controller} {name}")
    return PlanSet(
        plans=tuple(sorted(plans, key=lambda p: (p.controller, p.id))),
        day_plans=day_plans,
        assignments=tuple(runs),
        calendar=Calendar(),
        findings=tuple(findings),
    )


def plan_name(day_type: str, period: Period) -> PlanId:
    """Return the id of the plan of a period: its name, with the day type where not a workday."""
    return PlanId(period.name if day_type == "workday" else f"{day_type}-{period.name}")


def _run(controller: ControllerId, day: DayPlan, period: Period, plan: PlanId) -> Assignment:
    return Assignment(controller=controller, day_type=day.day_type, period=period.name, plan=plan)


def time_groups(
    models: Mapping[ControllerId, ControllerModel],
    volumes: Volumes,
    groups: Sequence[Group],
    limits: CycleLimits,
) -> dict[ControllerId, Timing]:
    """Return the timing of every controller: each group at its best common cycle."""
    found: dict[ControllerId, Timing] = {}
    for group in groups:
        members = [models[c] for c in group.controllers if c in models]
        if not members:
            continue
        best = best_cycles(group_timings(members, volumes, limits), limits, 1)[0]
        found.update({c: models[c].judged(timing, volumes) for c, timing in best.items()})
    return found


Tables = Mapping[ControllerId, Mapping[int, Timing]]
"""Per controller the best timing at each cycle in s."""


def group_timings(
    members: Iterable[ControllerModel], volumes: Volumes, limits: CycleLimits
) -> Tables:
    """Return the best timing of each member at every cycle of the limits."""
    return {m.controller.id: _by_cycle(m, volumes, limits) for m in members}


def best_cycles(
    tables: Tables, limits: CycleLimits, count: int
) -> list[dict[ControllerId, Timing]]:
    """Return the timings of a group at up to `count` common cycles, the least delay first.

    The others are spread evenly over the cycles with at most `MOST_DELAY` times the least delay.
    Where no cycle fits all, each runs what it can.
    """
    costs: dict[int, float] = {}
    for cycle in (int(c) for c in limits.cycles()):
        timings = [_fitting(table, cycle) for table in tables.values()]
        if all(t is not None for t in timings):
            costs[cycle] = sum(t.delay_vehs_ph for t in timings if t is not None)
    least = min(costs.values(), default=0.0)
    near = sorted(c for c, cost in costs.items() if cost <= MOST_DELAY * least)
    best = [min(near, key=lambda c: (costs[c], c))] if near else []
    steps = np.linspace(0, len(near) - 1, count - 1).round().astype(int) if count > 1 else ()
    spread = [near[k] for k in steps]
    chosen = list(dict.fromkeys([*best, *spread]))[:count] if near else []
    return [
        {c: _at_cycle(table, cycle) for c, table in tables.items()}
        for cycle in chosen or [limits.most_s]
    ]


def _by_cycle(model: ControllerModel, volumes: Volumes, limits: CycleLimits) -> dict[int, Timing]:
    table = model.table(volumes, limits)
    return {timing.cycle_s: timing for timing in table if timing is not None}


def _fitting(table: Mapping[int, Timing], cycle: int) -> Timing | None:
    whole = table.get(cycle)
    half = table.get(cycle // 2) if cycle % 2 == 0 else None
    if whole is None or half is None:
        return whole or half
    return half if half.delay_vehs_ph < HALF_CYCLE_GAIN * whole.delay_vehs_ph else whole


def _at_cycle(table: Mapping[int, Timing], cycle: int) -> Timing:
    fitting = _fitting(table, cycle)
    if fitting is not None:
        return fitting
    return min(table.values(), key=lambda t: (abs(t.cycle_s - cycle), t.cycle_s))
