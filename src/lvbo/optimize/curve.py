# SPDX-License-Identifier: Apache-2.0
"""The trade-off of one period: delay against stops against bands, by the price of a stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.errors import InfeasibleError, InputError
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, Bands, optimize_area
from lvbo.optimize.deadline import Deadline
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.executor import TaskRunner
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.signal.schedule import DAY_S, DayPlan, Period, one_period
from lvbo.timing.plans import period_volumes

STOPS_S = (0.0, 40.0, 16.0, 100.0, 4.0)
"""Prices of a stop that the curve is drawn through, in seconds of delay."""
KICKS = 2
SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePoint:
    """One way to run a period: what it was asked, and delay, stops and bands it gives.

    `band_s` is the sum of the bands of all streets, both directions, each cycle.
    """

    stop_s: float
    bands: Bands
    delay_vehs_ph: float
    stops_ph: float
    band_s: float
    chosen: bool = False

    def beats(self, other: TradePoint) -> bool:
        """Say whether the point is nowhere worse than another, and somewhere better."""
        own = (self.delay_vehs_ph, self.stops_ph, -self.band_s)
        its = (other.delay_vehs_ph, other.stops_ph, -other.band_s)
        pairs = list(zip(own, its, strict=True))
        return all(a <= b + SAME for a, b in pairs) and any(a < b - SAME for a, b in pairs)


@dataclass(frozen=True, kw_only=True)
class TradeOff:
    """The points of one period that no other beats, by delay; `before` is what is in force."""

    day_type: str
    period: str
    points: tuple[TradePoint, ...]
    before: TradePoint | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a trade-off is drawn for: a period, its judge, the plans chosen and those in force."""

    day_type: str
    period: Period
    judge: AreaJudge
    chosen: Plans
    before: Plans | None = None


def trade_off(  # noqa: PLR0913  who works and until when, beside what is asked
    network: Network,
    demand: Demand,
    asked: Asked,
    goal: AreaGoal,
    *,
    tell: Callable[[float], None] | None = None,
    until: Deadline | None = None,
    runner: TaskRunner | None = None,
) -> TradeOff:
    """Return the trade-off of one period around a goal; what is dominated is dropped.

    The chosen point stays in any case. Searches are short: the curve shows the range, the chosen
    plans come from the full search. After `until` no further point is begun.
    """
    single = period_demand(demand, asked.day_type, asked.period)
    effort = replace(goal.effort, kicks=KICKS, until=None)
    wishes = _wishes(goal)
    street = Street(network=network, demand=single, speeds_mps=goal.speeds_mps)
    chosen = _point(street, asked, asked.chosen, goal)
    points = [replace(chosen, chosen=True)]
    for k, wish in enumerate(wishes):
        if until is not None:
            if until.is_over:
                break
            effort = replace(effort, until=until.after(1 / (len(wishes) - k)))
        plans = _plans(network, single, asked, replace(wish, effort=effort), runner)
        points += [] if plans is None else [_point(street, asked, plans, wish)]
        if tell is not None:
            tell((k + 1) / len(wishes))
    before = None
    if asked.before is not None:
        before = _point(street, asked, asked.before, goal)
    return TradeOff(
        day_type=asked.day_type,
        period=asked.period.name,
        points=undominated(points),
        before=before,
    )


def undominated(points: Sequence[TradePoint]) -> tuple[TradePoint, ...]:
    """Return the points that no other beats, each place once, and the chosen one, by delay."""
    kept: dict[tuple[float, float, float], TradePoint] = {}
    for p in sorted(points, key=lambda p: not p.chosen):
        place = (p.delay_vehs_ph, p.stops_ph, p.band_s)
        if p.chosen or not any(q.beats(p) for q in points):
            kept.setdefault(place, p)
    return tuple(kept[place] for place in sorted(kept))


def period_demand(demand: Demand, day_type: str, period: Period) -> Demand:
    """Return the mean demand of one period as a demand of one slot."""
    volumes = period_volumes(demand, day_type, period)
    row = np.array([volumes[m] for m in demand.movements])[None, None]
    return replace(
        demand,
        days=(period.name,),
        day_types=(day_type,),
        first_s=period.start_s,
        slot_s=period.length_s,
        slots=1,
        volume_vph=row,
        lower_vph=row.copy(),
        upper_vph=row.copy(),
        saturated=np.zeros(row.shape, bool),
    )


def band_seconds(street: Street, plans: Plans, goal: AreaGoal, day_type: str) -> float:
    """Return the bands that plans give the streets of a goal, s of both directions together.

    The demand that `street` knows is that of one period.
    """
    total = 0.0
    for corridor in goal.corridors:
        members = [plan for c, plan in plans.items() if c in corridor.controllers]
        own = one_period(members, day_type=day_type)
        try:
            wave = evaluate_wave(corridor, own, street=street, settings=goal.settings)
        except (InputError, InfeasibleError):  # cycles that do not fit each other make no band
            continue
        total += sum(w.runs.outbound_ms + w.runs.inbound_ms for w in wave.periods) / 1000
    return total


def _wishes(goal: AreaGoal) -> list[AreaGoal]:
    """Return what is tried, the most telling first: no waves, then waves, then prices of a stop."""
    prices = dict.fromkeys((goal.objective.stop_s, *STOPS_S))
    own, *others = (
        replace(goal, bands=Bands.NONE, objective=replace(goal.objective, stop_s=stop_s))
        for stop_s in prices
    )
    waved = [replace(goal, bands=bands) for bands in (Bands.SOFT, Bands.HARD)]
    return [own, *(waved if goal.corridors else ()), *others]


def _plans(
    network: Network, single: Demand, asked: Asked, goal: AreaGoal, runner: TaskRunner | None
) -> Plans | None:
    whole = Period(start_s=0, end_s=0, name=asked.period.name)
    days = (DayPlan(day_type=asked.day_type, periods=(whole,)),)
    try:
        found = optimize_area(network, single, days, goal, runner=runner)
    except InfeasibleError:  # a wish that no plan meets is no point of the curve
        return None
    return found.plans.running(asked.day_type, asked.period.start_s % DAY_S)


def _point(street: Street, asked: Asked, plans: Plans, goal: AreaGoal) -> TradePoint:
    cost = asked.judge.cost(plans)
    return TradePoint(
        stop_s=goal.objective.stop_s,
        bands=goal.bands,
        delay_vehs_ph=cost.delay_vehs_ph,
        stops_ph=cost.stops_ph,
        band_s=band_seconds(street, plans, goal, asked.day_type),
    )
