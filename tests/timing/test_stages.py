# SPDX-License-Identifier: Apache-2.0
"""Stage orders serve everybody, keep foes apart, and keep what the site has fixed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.io.sumo_nets import cross, generate, logic, scenario

from lvbo.demand.saturation import saturations
from lvbo.ids import MovementId, PlanId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.check import check_plan
from lvbo.signal.lamp import PhaseKind
from lvbo.signal.rules import Controller, Follows
from lvbo.timing.build_model import build_model
from lvbo.timing.stages import Pattern, StageOrder, stage_orders

VOLUMES = {Turn.THROUGH: 200.0, Turn.LEFT: 60.0, Turn.RIGHT: 50.0, Turn.UTURN: 2.0}


@pytest.fixture(scope="module")
def big_cross(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Return a cross whose lefts have lanes and stages of their own."""
    go, left, red = "gGGGGr", "rrrrrG", "rrrrrr"
    intervals = []
    for order in ((0, 1, 0, 1), (1, 0, 1, 0)):
        for lit in (go, left):
            state = "".join(red if other else lit for other in order)
            intervals += [(20, state), (3, re.sub("[gG]", "y", state)), (2, 4 * red)]
    net = cross(tmp_path_factory.mktemp("big"), lanes=4)
    content = net.read_text(encoding="utf-8")
    bare = re.sub("<tlLogic.*?</tlLogic>", "", content, flags=re.DOTALL)
    net.write_text(bare, encoding="utf-8")
    return scenario(net, logic("C", "own", intervals)).network


def served(controller: Controller, order: StageOrder) -> set[str]:
    lit = {phase for stage in order.stages for phase in stage}
    return {str(s.movement or s.crossing) for s in controller.rules.services if s.phase in lit}


def check_orders(controller: Controller, orders: tuple[StageOrder, ...]) -> None:
    """Check that each order serves all and gives no green to two foes."""
    rules = controller.rules
    everybody = {str(s.movement or s.crossing) for s in rules.services}
    free = {str(s.movement or s.crossing) for s in rules.services if s.phase in rules.permanent}
    for order in orders:
        assert served(controller, order) >= everybody - free
        for stage in order.stages:
            assert not any(rules.forbidden(a, b) for a in stage for b in stage)


def test_the_orders_of_the_site_come_first_and_none_twice(big_cross: Network) -> None:
    controller = big_cross.controllers[0]
    orders = stage_orders(big_cross, controller)

    assert orders[0].pattern == Pattern.SHIPPED
    assert orders[0].stages == controller.rules.orders[0]
    assert len({order.stages for order in orders}) == len(orders)


def test_every_order_serves_all_and_keeps_foes_apart(big_cross: Network) -> None:
    controller = big_cross.controllers[0]
    orders = stage_orders(big_cross, controller)

    assert len(orders) > 3
    check_orders(controller, orders)


def test_all_ways_of_sharing_time_with_lefts_apart_are_offered(big_cross: Network) -> None:
    orders = stage_orders(big_cross, big_cross.controllers[0])
    patterns = {name for order in orders for name in order.pattern.split("+")}

    assert patterns == set(Pattern) - {Pattern.TOGETHER}


def test_lefts_that_only_yield_go_together_with_the_rest(tmp_path: Path) -> None:
    network = scenario(cross(tmp_path)).network
    orders = stage_orders(network, network.controllers[0])

    assert [len(order.stages) for order in orders] == [2] * len(orders)
    assert Pattern.BY_APPROACH not in {order.pattern for order in orders}


def test_where_skipping_is_not_allowed_only_the_sites_orders_stay(big_cross: Network) -> None:
    controller = big_cross.controllers[0]
    strict = replace(controller, rules=replace(controller.rules, may_skip=False))

    assert {o.pattern for o in stage_orders(big_cross, strict)} == {Pattern.SHIPPED}


def test_a_waiting_area_keeps_only_orders_in_which_the_left_follows(big_cross: Network) -> None:
    controller = big_cross.controllers[0]
    names = [str(p.id) for p in controller.rules.phases]
    left = next(p.id for p in controller.rules.phases if str(p.id) == "N.L")
    through = next(p.id for p in controller.rules.phases if str(p.id).startswith("N.T"))
    rule = Follows(phase=left, after=through)
    bound = replace(controller, rules=replace(controller.rules, follows=(rule,)))

    assert {"N.L"} <= set(names)
    for order in stage_orders(big_cross, bound):
        for k, stage in enumerate(order.stages):
            before = order.stages[k - 1]
            assert left not in stage or left in before or through in before


def test_an_order_of_the_site_that_lights_two_foes_is_left_out(big_cross: Network) -> None:
    controller = big_cross.controllers[0]
    a, b, _ = controller.rules.foes[0]
    rest = controller.rules.orders[0]
    wrong = replace(controller, rules=replace(controller.rules, orders=(((a, b), *rest),)))

    assert all(o.stages != ((a, b), *rest) for o in stage_orders(big_cross, wrong))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", ["--grid", "--spider", "--rand"])
def test_plans_for_any_generated_city_break_no_rule(tmp_path: Path, kind: str, seed: int) -> None:
    size = {
        "--grid": ["--grid.number", "3", "--grid.attach-length", "100", "--turn-lanes", "1"],
        "--spider": ["--arms", "4", "--circles", "2"],
        "--rand": ["--rand.iterations", "25"],
    }[kind]
    options = ["--seed", str(seed), "-j", "traffic_light", "-L", "2", *size]
    network = scenario(generate(tmp_path, kind, *options)).network
    flows = {s.lane: s for s in saturations(network)}
    volumes: dict[MovementId, float] = {m.id: VOLUMES[m.turn] for m in network.movements}
    made = 0
    for controller in network.controllers:
        orders = stage_orders(network, controller)
        check_orders(controller, orders)
        if not orders:
            assert controller.rules.foes == ()
            continue
        model = build_model(network, controller, flows, volumes)
        plan = model.plan(model.design(volumes), PlanId("made"))
        found = check_plan(plan, controller.rules)
        made += 1

        assert [f for f in found if f.severity == "error"] == []
    assert made > 2


def test_where_arrows_would_leave_no_walk_people_come_first(tmp_path: Path) -> None:
    net = cross(tmp_path, "--sidewalks.guess", "--crossings.guess")
    network = scenario(net).network
    controller = network.controllers[0]
    walks = [p.id for p in controller.rules.phases if p.kind is PhaseKind.PEDESTRIAN]
    forgotten = replace(controller, rules=replace(controller.rules, orders=()))
    orders = stage_orders(network, forgotten)

    assert orders
    assert all({p for stage in order.stages for p in stage} >= set(walks) for order in orders)
