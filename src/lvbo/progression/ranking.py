# SPDX-License-Identifier: Apache-2.0
"""Which streets a green wave is worth most on: each corridor by what coordination would save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InputError, Severity
from lvbo.ids import ControllerId, LinkId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.area import AreaModel
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.flows import corridor_flows
from lvbo.progression.slack import CorridorFlows, platoon_ratio
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import (
    Group,
    Volumes,
    controller_models,
    day_volumes,
    period_volumes,
    plan_name,
    time_groups,
)

CHANCES = 12
"""Over so many draws of offsets the cost of signals that know nothing of each other is averaged."""
LEAST_DAYS, DRAWS = 2, 2000
CLOSE_M, FAR_M = 500.0, 800.0
MANY_TURN_IN = 0.4
TIGHT = 0.9
ON_RED = 0.85
"""A lower platoon ratio says that platoons meet red: arrival types 1 and 2 of the manual."""
CARRIED = 0.5
"""Plans in force that save at least this part of what could be saved carry a wave already."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A corridor with what a wave on it would save on a day, by the model of platoons.

    `saving_vehh` is what coordinated offsets save against offsets by chance, at the same new
    timings; `retiming_vehh` what those timings save against the plans in force (None where these
    leave a controller out). `range_vehh` bounds the saving: 95 % of the means of days drawn again
    from those counted (None of one day). `in_force` is the part of the saving that the plans in
    force have already, `platoon_ratio` how much more than its share of the cycle arrives on green
    under them (Highway Capacity Manual, chapter 19; None where cycles differ), `through_vph` the
    through traffic of both directions at its signals in the busiest period, `turn_in` the share of
    it that came from side streets, `saturation` the largest degree.
    """

    corridor: Corridor
    saving_vehh: float
    range_vehh: tuple[float, float] | None
    retiming_vehh: float | None
    in_force: float | None
    platoon_ratio: float | None
    spacing_m: float
    through_vph: float
    turn_in: float
    saturation: float
    reasons: tuple[Finding, ...]


def rank_corridors(  # noqa: PLR0913  the ranking joins all of these
    network: Network,
    demand: Demand,
    periods: Iterable[DayPlan],
    plans: PlanSet,
    *,
    speeds_mps: Mapping[LinkId, float] | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> tuple[Candidate, ...]:
    """Return the network's corridors by what a wave would save on a day, most first.

    The day is of the first day type of the periods; `plans` are those in force. `seed` draws the
    days of the intervals.
    """
    day = next(iter(periods))
    judge = _Judge(network, demand, day, plans, speeds_mps, seed)
    found = []
    for number, corridor in enumerate(network.corridors):
        found.append(judge.candidate(corridor))
        if progress is not None:
            progress((number + 1) / len(network.corridors))
    return tuple(sorted(found, key=lambda c: (-c.saving_vehh, c.corridor.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    """Costs of one period in veh-s per hour: offsets by chance, in a wave, and as they are now.

    `daily` is what the wave saves at the volumes of each day that was counted.
    """

    chance: float
    wave: float
    now: float | None
    now_chance: float | None
    saturation: float
    daily: tuple[float, ...]


class _Judge:
    """Hold what is the same for every corridor."""

    def __init__(
        self,
        network: Network,
        demand: Demand,
        day: DayPlan,
        plans: PlanSet,
        speeds_mps: Mapping[LinkId, float] | None,
        seed: int,
    ) -> None:
        self._network, self._demand, self._day = network, demand, day
        self._plans, self._speeds, self._seed = plans, speeds_mps, seed
        self._volumes = [period_volumes(demand, day.day_type, p) for p in day.periods]
        self._busy = max(range(len(self._volumes)), key=lambda k: sum(self._volumes[k].values()))

    def candidate(self, corridor: Corridor) -> Candidate:
        """Return a corridor with its evidence."""
        costs = [
            (_hours(period), self._costs(period, volumes, corridor))
            for period, volumes in zip(self._day.periods, self._volumes, strict=True)
        ]
        traffic = corridor_flows(corridor, self._network, self._volumes[self._busy])
        running = _running(self._plans, self._day, self._day.periods[self._busy].start_s)
        turned = (*traffic.turn_in_out[1:], *traffic.turn_in_in[:-1])
        sections = corridor.outbound or corridor.inbound
        saving = _day(costs, lambda c: c.chance - c.wave)
        known = all(c.now is not None for _, c in costs)
        now_saves = _day(costs, lambda c: (c.now_chance or 0.0) - (c.now or 0.0))
        retiming = _day(costs, lambda c: (c.now_chance or 0.0) - c.chance)
        found = Candidate(
            corridor=corridor,
            saving_vehh=saving,
            range_vehh=self._range_vehh(costs, saving),
            retiming_vehh=retiming if known else None,
            in_force=now_saves / saving if known and saving > 0 else None,
            platoon_ratio=self._platoon_ratio(corridor, running, traffic),
            spacing_m=corridor.length_m / max(len(sections), 1),
            through_vph=sum((*traffic.volume_out_vph, *traffic.volume_in_vph))
            / max(len(corridor.stops), 1),
            turn_in=sum(turned) / max(len(turned), 1),
            saturation=max(c.saturation for _, c in costs),
            reasons=(),
        )
        cycles = {running[c].cycle_s for c in corridor.controllers if c in running}
        return replace(found, reasons=_reasons(found, sorted(cycles)))

    def _range_vehh(
        self, costs: Sequence[tuple[float, _Costs]], saving: float
    ) -> tuple[float, float] | None:
        """Return 95 % of the mean savings of days drawn again (Efron and Tibshirani 1993)."""
        days = np.array([np.array(c.daily) * hours for hours, c in costs]).sum(axis=0)
        if len(days) < LEAST_DAYS or days.mean() <= 0:
            return None
        rng = np.random.default_rng(self._seed)
        means = days[rng.integers(len(days), size=(DRAWS, len(days)))].mean(axis=1)
        low, high = np.percentile(means, (2.5, 97.5)) * saving / days.mean()
        return float(low), float(high)

    def _platoon_ratio(
        self, corridor: Corridor, running: Mapping[ControllerId, Plan], traffic: CorridorFlows
    ) -> float | None:
        """Return the platoon ratio of plans; None where they have no common cycle."""
        whole = Period(start_s=0, end_s=0, name="all")
        day = DayPlan(day_type=self._day.day_type, periods=(whole,))
        runs = tuple(
            Assignment(controller=c, day_type=day.day_type, period=whole.name, plan=p.id)
            for c, p in running.items()
        )
        plans = PlanSet(plans=tuple(running.values()), day_plans=(day,), assignments=runs)
        street = Street(network=self._network, speeds_mps=self._speeds)
        try:
            wave = evaluate_wave(corridor, plans, street=street).periods[0]
        except InputError:
            return None
        return platoon_ratio(wave.problem, wave.runs, traffic)

    def _costs(self, period: Period, volumes: Volumes, corridor: Corridor) -> _Costs:
        made = controller_models(self._network, self._demand, volumes, only=corridor.controllers)
        models = {m.controller.id: m for m in made}
        area = AreaModel(self._network, models, volumes, self._speeds)
        group = Group(controllers=tuple(sorted(models)))
        timings = time_groups(models, volumes, (group,), CycleLimits())
        name = plan_name(self._day.day_type, period)
        timed = {c: models[c].plan(timing, name) for c, timing in timings.items()}
        now = _in_force(self._plans, self._day, period, models)
        waved = area.polish(timed)
        return _Costs(
            chance=_by_chance(area, timed),
            wave=area.cost(waved).total,
            now=None if now is None else area.cost(now).total,
            now_chance=None if now is None else _by_chance(area, now),
            saturation=max((t.saturation for t in timings.values()), default=0.0),
            daily=tuple(
                self._saved(models, own, timed, waved)
                for own in day_volumes(self._demand, self._day.day_type, period)
            ),
        )

    def _saved(
        self,
        models: Mapping[ControllerId, ControllerModel],
        volumes: Volumes,
        timed: Mapping[ControllerId, Plan],
        waved: Mapping[ControllerId, Plan],
    ) -> float:
        """Return what the offsets of a wave save at these volumes, veh-s per hour."""
        area = AreaModel(self._network, models, volumes, self._speeds)
        return _by_chance(area, timed) - area.cost(waved).total


def _day(costs: Sequence[tuple[float, _Costs]], of: Callable[[_Costs], float]) -> float:
    """Return a difference over all periods of the day, veh-h."""
    return sum(hours * of(c) for hours, c in costs) / 3600


def _hours(period: Period) -> float:
    return (((period.end_s - period.start_s - 1) % 86_400) + 1) / 3600


def _in_force(
    plans: PlanSet, day: DayPlan, period: Period, models: Mapping[ControllerId, ControllerModel]
) -> dict[ControllerId, Plan] | None:
    """Return the plans that run in the middle of a period; None where some signal has none."""
    middle = int(period.start_s + 1800 * _hours(period)) % 86_400
    running = _running(plans, day, middle)
    if any(c not in running for c in models):
        return None
    return {c: running[c] for c in models}


def _running(plans: PlanSet, day: DayPlan, second: int) -> Mapping[ControllerId, Plan]:
    """Return the plans in force at a second of this day type, or of the first that they know."""
    known = [d.day_type for d in plans.day_plans]
    return plans.running(day.day_type if day.day_type in known else known[0], second)


def _by_chance(area: AreaModel, plans: Mapping[ControllerId, Plan]) -> float:
    """Return the mean cost where nothing ties the offsets; the draws are always the same."""
    rng = np.random.default_rng(0)
    draws = [
        {c: int(rng.integers(max(1, p.cycle_ds // 10))) for c, p in sorted(plans.items())}
        for _ in range(CHANCES)
    ]
    return area.mean_cost(plans, draws)


def _reasons(c: Candidate, cycles_s: Sequence[float]) -> tuple[Finding, ...]:
    """Return the sentences that say what speaks for a corridor and what against."""
    found: list[tuple[str, dict[str, object]]] = []
    spacing: dict[str, object] = {"spacing_m": round(c.spacing_m)}
    if c.spacing_m <= CLOSE_M:
        found.append(("LV460", spacing))
    if c.spacing_m > FAR_M:
        found.append(("LV461", spacing))
    if c.turn_in > MANY_TURN_IN:
        found.append(("LV462", {"percent": round(100 * c.turn_in)}))
    if c.saturation > TIGHT:
        found.append(("LV463", {"percent": round(100 * c.saturation)}))
    if len(cycles_s) > 1:
        found.append(("LV464", {"cycles_s": ", ".join(f"{s:g}" for s in cycles_s)}))
    if c.platoon_ratio is not None and c.platoon_ratio < ON_RED:
        found.append(("LV459", {"ratio": round(c.platoon_ratio, 2)}))
    if c.in_force is not None and c.in_force >= CARRIED:
        found.append(("LV465", {"percent": round(100 * min(c.in_force, 1.0))}))
    return tuple(
        Finding(code=code, place=c.corridor.name, severity=Severity.ADVICE, fields=fields)
        for code, fields in found
    )
