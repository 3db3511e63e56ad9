# SPDX-License-Identifier: Apache-2.0
"""Several demands of one period: which of them plans are made for, and how plans bear all days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvbo.demand.demand import Demand
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.gains import Spans
from lvbo.signal.schedule import Period
from lvbo.timing.plans import Volumes, day_volumes, period_volumes

SPREAD = 0.1
"""By how much demands differ from the mean where the days do not tell."""


def samples(demand: Demand, day_type: str, period: Period, count: int) -> list[Volumes]:
    """Return `count` demands of a period, light to heavy, at least two.

    They are days evenly spread by their traffic, the lightest and the heaviest among them; where
    fewer days were counted, the mean times factors of `SPREAD` around one.
    """
    days = day_volumes(demand, day_type, period)
    if len(days) < count:
        mean = period_volumes(demand, day_type, period)
        factors = [1 + SPREAD * (2 * k / (count - 1) - 1) for k in range(count)]
        return [{m: f * v for m, v in mean.items()} for f in factors]
    ranked = sorted(days, key=lambda day: sum(day.values()))
    return [ranked[round(k * (len(ranked) - 1) / (count - 1))] for k in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """How plans of one period bear its days: mean and worst delay, veh-s per hour.

    Each is that of the plans in force, of plans for the mean demand, and of those chosen. `days` is
    how many days were judged; `counted` says whether they were counted or made from the mean.
    """

    day_type: str
    period: str
    days: int
    counted: bool
    mean_vehs_ph: tuple[float, float, float]
    worst_vehs_ph: tuple[float, float, float]


def bear_days(
    judge: AreaJudge,
    demand: Demand,
    when: tuple[str, Period],
    tried: tuple[Spans, Plans, Plans],
    count: int,
) -> Borne:
    """Return how plans in force, for the mean, and chosen bear all days that were counted.

    Where fewer than `count` days were counted, they bear the demands that stand for them.
    """
    day_type, period = when
    counted = day_volumes(demand, day_type, period)
    known = len(counted) >= count
    days = counted if known else samples(demand, day_type, period, count)
    spans, plain, chosen = tried
    rows = [_delays(judge, days, own) for own in (spans, [(1.0, plain)], [(1.0, chosen)])]
    before, mean, after = rows
    return Borne(
        day_type=day_type,
        period=period.name,
        days=len(days),
        counted=known,
        mean_vehs_ph=(_mean(before), _mean(mean), _mean(after)),
        worst_vehs_ph=(max(before), max(mean), max(after)),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _delays(judge: AreaJudge, days: Sequence[Volumes], spans: Spans) -> list[float]:
    """Return the delay of each day, veh-s per hour."""
    judges = [AreaJudge(judge.network, judge.models, v, judge.speeds, judge.traits) for v in days]
    return [sum(share * own.cost(plans).delay_vehs_ph for share, plans in spans) for own in judges]
