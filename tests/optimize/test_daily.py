# SPDX-License-Identifier: Apache-2.0
"""Few plans for a day: the best choice, against every schedule tried by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from lvbo.errors import InputError
from lvbo.optimize.daily import Choice, Table, choose, limit_plans
from lvbo.signal.schedule import PlanSet
from lvbo.testing.tiny import tiny_plans


def table(cost: list[list[float]], price: float = 0.0, days: int = 1) -> Table:
    values = np.array(cost, float)
    count, periods = values.shape
    switch = np.full((count, count, periods), price)
    switch[np.arange(count), np.arange(count)] = 0.0
    whole = tuple(range(periods))
    half = periods // days
    chains = tuple(whole[d * half : (d + 1) * half] for d in range(days))
    return Table(cost=values, switch=switch, chains=chains)


def by_hand(own: Table, most: int) -> float:
    """Return the least cost over every schedule with at most `most` plans."""
    count, periods = own.cost.shape
    found = []
    for plan_of in product(range(count), repeat=periods):
        if len(set(plan_of)) <= most:
            cost = sum(own.cost[p, t] for t, p in enumerate(plan_of))
            for chain in own.chains:
                pairs = zip((chain[-1], *chain[:-1]), chain, strict=True)
                cost += sum(own.switch[plan_of[a], plan_of[b], b] for a, b in pairs)
            found.append(float(cost))
    return min(found)


def cost_of(own: Table, choice: Choice) -> float:
    cost = sum(own.cost[p, t] for t, p in enumerate(choice.plan_of))
    for chain in own.chains:
        pairs = zip((chain[-1], *chain[:-1]), chain, strict=True)
        cost += sum(own.switch[choice.plan_of[a], choice.plan_of[b], b] for a, b in pairs)
    return float(cost)


def test_each_period_runs_its_own_plan_where_nothing_is_limited() -> None:
    own = table([[1, 9, 9], [9, 1, 9], [9, 9, 1]])

    assert choose(own, 3) == Choice(plan_of=(0, 1, 2), cost=3.0, exact=True)


def test_the_plan_that_is_missed_least_is_given_up() -> None:
    own = table([[1, 9, 9], [9, 1, 3], [9, 9, 1]])

    assert choose(own, 2) == Choice(plan_of=(0, 1, 1), cost=5.0, exact=True)


def test_a_dear_switch_keeps_one_plan_all_day() -> None:
    assert set(choose(table([[1, 2, 1], [2, 1, 2], [5, 5, 5]], price=3.0), 3).plan_of) == {0}


def test_the_first_period_of_a_day_comes_after_its_last() -> None:
    own = table([[1, 1, 5], [5, 5, 1]], price=1.9)

    assert choose(own, 2).cost == pytest.approx(1 + 1 + 1 + 2 * 1.9)
    assert choose(table([[1, 1, 5], [5, 5, 1]], price=2.1), 2).plan_of == (0, 0, 0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_schedule_costs_less_than_the_one_chosen(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.uniform(1, 10, (4, 4))
    own = table(cost.tolist(), days=1 + seed % 2)
    own = Table(
        cost=own.cost,
        switch=rng.uniform(0, 3, (4, 4, 4)) * (1 - np.eye(4))[:, :, None],
        chains=own.chains,
    )
    found = choose(own, most)

    assert len(set(found.plan_of)) <= most
    assert found.cost == pytest.approx(by_hand(own, most))
    assert cost_of(own, found) == pytest.approx(found.cost)


def test_beyond_what_can_be_tried_plans_are_given_up_one_by_one() -> None:
    rng = np.random.default_rng(0)
    own = table(rng.uniform(1, 10, (24, 24)).tolist())
    found = choose(own, 8)

    assert not found.exact
    assert len(set(found.plan_of)) <= 8
    assert found.cost >= choose(own, 24).cost


def test_no_plan_at_all_is_refused() -> None:
    plans: PlanSet = tiny_plans()

    with pytest.raises(InputError, match="LV589"):
        limit_plans(plans, {}, (), 0)
