# SPDX-License-Identifier: Apache-2.0
"""Walks derived where a network has none: length, clearance, stages, plans; published rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.published import published_rules
from lvbo.control.walks import (
    add_walks,
    find_walks,
    plan_with_walks,
    with_street_minima,
    with_walks,
)
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.network import Network
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.plan import Plan
from lvbo.signal.rules import ConflictMatrix, IntergreenMatrix, SignalRules


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(build_tiny(tmp_path_factory.mktemp("walks")))


@pytest.fixture(scope="module")
def carless(tiny: Scenario) -> Network:
    """Return the tiny network with its own walks taken away."""
    controllers = tuple(replace(c, rules=without_walks(c.rules)) for c in tiny.network.controllers)
    return replace(tiny.network, controllers=controllers)


def without_walks(rules: SignalRules) -> SignalRules:
    on_foot = {p.id for p in rules.phases if p.kind is PhaseKind.PEDESTRIAN}
    return replace(
        rules,
        phases=tuple(p for p in rules.phases if p.id not in on_foot),
        services=tuple(s for s in rules.services if s.phase not in on_foot),
        conflicts=ConflictMatrix(
            pairs=tuple(x for x in rules.conflicts.pairs if not on_foot & {x[0], x[1]})
        ),
        intergreens=IntergreenMatrix(
            pairs=tuple(x for x in rules.intergreens.pairs if not on_foot & {x[0], x[1]})
        ),
        limits=tuple(x for x in rules.limits if x.phase not in on_foot),
        orders=tuple(
            tuple(tuple(p for p in stage if p not in on_foot) for stage in order)
            for order in rules.orders
        ),
    )


def test_a_walk_crosses_all_lanes_of_its_leg_in_and_out(carless: Network) -> None:
    walks = {str(w.enter): w for w in find_walks(carless, carless.controllers[0])}

    assert walks["WA"].length_m == 14.0  # two lanes in, two out
    assert walks["WA"].leave == "AW"
    assert walks["ANA"].length_m == 7.0
    assert walks["WA"].clear_s == 14


def test_people_cross_a_street_while_the_other_street_has_green(carless: Network) -> None:
    rules = carless.controllers[0].rules
    extended, used = add_walks(rules, find_walks(carless, carless.controllers[0]), carless)
    order = extended.orders[0]

    assert len(used) == 4
    through = next(s for s in order if "W.T" in s)
    assert {"ANA.walk", "ASA.walk"} <= set(through)
    assert not {"WA.walk", "BA.walk"} & set(through)
    assert extended.intergreen_ds("WA.walk", "W.T") == 140  # type: ignore[arg-type]


def test_lamps_of_walks_lie_beyond_the_state_string(carless: Network) -> None:
    network = with_walks(carless)

    assert network.sumo is not None
    for name, size in network.sumo.sizes:
        more = [h for h in network.sumo.head_index[name] if h.index >= size]
        assert [h.index for h in more] == list(range(size, size + 4))


def test_a_plan_gets_its_walks_and_keeps_every_rule(tiny: Scenario, carless: Network) -> None:
    network = with_walks(carless)
    for plan in tiny.plans.plans:
        rules = network.controller_index[plan.controller].rules
        known = {p.id for p in rules.phases}
        bare = Plan(
            id=plan.id,
            controller=plan.controller,
            cycle_ds=plan.cycle_ds,
            offset_ds=plan.offset_ds,
            reference=plan.reference,
            greens=tuple(g for g in plan.greens if g.phase in known),
        )
        walked = plan_with_walks(bare, rules)

        assert is_safe(walked, rules)
        assert all(walked.windows_of(p.id) for p in rules.phases if p.id.endswith("walk"))


def test_greens_of_vehicles_are_ten_seconds_and_seven_for_lefts_alone(carless: Network) -> None:
    rules = with_street_minima(carless.controllers[0].rules, carless)

    assert rules.limit_index["W.T"].min_green_ds == 100  # type: ignore[index]
    assert rules.limit_index["W.L"].min_green_ds == 70  # type: ignore[index]


def test_published_rules_change_with_three_seconds_of_yellow_only(carless: Network) -> None:
    rules = published_rules(carless.controllers[0].rules)

    assert {value for _, _, value in rules.intergreens.pairs} == {30}
    assert {limit.min_green_ds for limit in rules.limits} == {50}
