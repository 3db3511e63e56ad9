# SPDX-License-Identifier: Apache-2.0
"""Plans for several days at once: which days, and what they gain on the worst."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimize.test_area_plan import DAYS

from lvbo.demand.demand import Demand
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, optimize_area
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.robust import SPREAD, bear_days, samples
from lvbo.optimize.search import Effort
from lvbo.timing.plans import Volumes

ALL = DAYS[0].periods[0]
FACTORS = (1.3, 0.8, 1.0, 0.7, 1.2)


@pytest.fixture(scope="module")
def uneven(demand: Demand) -> Demand:
    """Return five days of the same traffic, heavier and lighter."""
    days = len(FACTORS)
    factors = np.array(FACTORS)[:, None, None]

    def many(values: np.ndarray) -> np.ndarray:
        return np.repeat(values[:1], days, axis=0)

    return replace(
        demand,
        days=tuple(f"2026-03-{k + 2:02d}" for k in range(days)),
        day_types=("workday",) * days,
        volume_vph=factors * many(demand.volume_vph),
        lower_vph=factors * many(demand.lower_vph),
        upper_vph=factors * many(demand.upper_vph),
        saturated=many(demand.saturated),
    )


def test_days_are_taken_from_the_lightest_to_the_heaviest(uneven: Demand, volumes: Volumes) -> None:
    def totals(count: int) -> list[float]:
        found = samples(uneven, "workday", ALL, count)
        return [sum(day.values()) / sum(volumes.values()) for day in found]

    assert totals(2) == pytest.approx([0.7, 1.3])
    assert totals(3) == pytest.approx([0.7, 1.0, 1.3])
    assert totals(5) == pytest.approx(sorted(FACTORS))


def test_too_few_days_are_made_from_the_mean(uneven: Demand, volumes: Volumes) -> None:
    found = samples(uneven, "workday", ALL, 6)
    total = [sum(day.values()) / sum(volumes.values()) for day in found]

    assert total[0] == pytest.approx(1 - SPREAD)
    assert total[-1] == pytest.approx(1 + SPREAD)


def test_plans_for_all_days_are_no_worse_over_them_than_plans_for_the_mean(
    network: Network, uneven: Demand, judge: AreaJudge
) -> None:
    effort = Effort(kicks=0, finalists=1, cycles_s=(60, 70, 80, 90))
    plain, robust = (
        optimize_area(network, uneven, DAYS, AreaGoal(effort=effort, samples=n)).plans.running(
            "workday", 0
        )
        for n in (1, 5)
    )
    own = bear_days(judge, uneven, ("workday", ALL), ([(1.0, plain)], plain, robust), 5)

    assert own.counted
    assert own.days == 5
    assert own.mean_vehs_ph[0] == pytest.approx(own.mean_vehs_ph[1])
    assert own.mean_vehs_ph[2] < 1.005 * own.mean_vehs_ph[1]
    assert own.worst_vehs_ph[2] < 1.02 * own.worst_vehs_ph[1]
    assert own.worst_vehs_ph[1] == pytest.approx(
        max(
            AreaJudge(network, judge.models, day).cost(plain).delay_vehs_ph
            for day in samples(uneven, "workday", ALL, 5)
        )
    )
