# SPDX-License-Identifier: Apache-2.0
"""The second-by-second model of one controller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.io.sumo_nets import cross

from lvbo.demand.saturation import saturations
from lvbo.errors import InfeasibleError
from lvbo.ids import MovementId, PhaseId, PlanId
from lvbo.io.sumo_net import read_network
from lvbo.network.network import Network
from lvbo.signal.check import check_plan
from lvbo.signal.rules import PhaseLimits
from lvbo.timing.build_model import build_model, lane_shares, shares_as_seen
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.stages import StageOrder

Volumes = dict[MovementId, float]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return read_network(cross(tmp_path_factory.mktemp("cross")))


def volumes(network: Network, *, heavy: float = 500.0, turn: float = 60.0) -> Volumes:
    return {m.id: heavy if m.turn == "through" else turn for m in network.movements}


def model(network: Network, wanted: Volumes) -> ControllerModel:
    table = {s.lane: s for s in saturations(network)}
    return build_model(network, network.controllers[0], table, wanted)


def test_a_designed_plan_keeps_every_hard_rule_and_its_cycle(network: Network) -> None:
    wanted = volumes(network)
    made = model(network, wanted)
    timing = made.design(wanted)
    plan = made.plan(timing, PlanId("p"))
    errors = [f for f in check_plan(plan, made.controller.rules) if f.severity == "error"]

    assert errors == []
    assert plan.cycle_ds == 10 * timing.cycle_s


def test_more_demand_asks_for_a_longer_cycle(network: Network) -> None:
    light, heavy = volumes(network, heavy=200.0), volumes(network, heavy=800.0)

    assert model(network, light).design(light).cycle_s < model(network, heavy).design(heavy).cycle_s


def test_a_movement_that_grows_gets_more_green(network: Network) -> None:
    even = volumes(network)
    tidal = {
        m: v * (1.5 if network.movement_index[m].leg in {"E", "W"} else 1.0)
        for m, v in even.items()
    }
    limits = CycleLimits(least_s=80, most_s=80)

    def green(wanted: Volumes) -> int:
        made = model(network, even)
        plan = made.plan(made.design(wanted, limits), PlanId("p"))
        east = [s.phase for s in made.controller.rules.services if s.movement in eastern]
        return max(plan.green_ds(phase) for phase in east)

    eastern = {m.id for m in network.movements if m.leg == "E" and m.turn == "through"}

    assert green(tidal) > green(even)


def test_delay_is_that_of_websters_two_terms_for_a_lane_alone(network: Network) -> None:
    wanted = volumes(network)
    made = model(network, wanted)
    timing = made.design(wanted)
    delay, satur = made.lane_results(timing, made.lane_volumes(wanted))
    lane = int(np.argmax(satur))
    plan = made.plan(timing, PlanId("p"))
    flow = made.lane_volumes(wanted)[lane]
    services = made.controller.rules.services
    movement = made.movements[int(np.argmax(made.shares[lane]))]
    green = max(plan.green_ds(s.phase) for s in services if s.movement == movement) / 10 - 1
    share = green / timing.cycle_s
    x = satur[lane]
    uniform = 0.5 * timing.cycle_s * (1 - share) ** 2 / (1 - min(1.0, x) * share)
    capacity = flow / x
    root = np.sqrt((x - 1) ** 2 + 8 * 0.5 * x / (capacity * made.hours))
    random = 900 * made.hours * ((x - 1) + root)

    assert delay[lane] / flow == pytest.approx(uniform + random, rel=0.15)


def limited(made: ControllerModel, *limits: PhaseLimits) -> ControllerModel:
    """Return the model with other hard limits of some phases."""
    rules = replace(made.controller.rules, limits=limits)
    return replace(made, controller=replace(made.controller, rules=rules))


def test_minima_that_fit_no_cycle_name_the_smallest_set_of_limits(network: Network) -> None:
    wanted = volumes(network)

    with pytest.raises(InfeasibleError) as refused:
        model(network, wanted).design(wanted, CycleLimits(least_s=10, most_s=14))

    assert refused.value.code == "LV510"
    assert refused.value.fields["place"] == "C"
    assert set(refused.value.conflict) == {"C_max = 14 s", "g_min = 8 s"}


def test_two_long_minima_are_named_with_the_cycle_they_pass(network: Network) -> None:
    wanted = volumes(network)
    made = model(network, wanted)
    stages = made.orders[0].stages
    first, second = stages[0][0], next(s[0] for s in stages if not set(s) & set(stages[0]))
    tight = limited(
        made,
        PhaseLimits(phase=first, min_green_ds=700),
        PhaseLimits(phase=second, min_green_ds=800),
    )

    with pytest.raises(InfeasibleError) as refused:
        tight.design(wanted, CycleLimits(most_s=140))

    assert set(refused.value.conflict) == {
        "C_max = 140 s",
        f"g_min({first}) = 70 s",
        f"g_min({second}) = 80 s",
    }


def test_a_minimum_above_its_maximum_is_refused(network: Network) -> None:
    wanted = volumes(network)
    made = model(network, wanted)
    phase = made.orders[0].stages[0][0]
    tight = limited(made, PhaseLimits(phase=phase, min_green_ds=300, max_green_ds=200))

    with pytest.raises(InfeasibleError) as refused:
        tight.design(wanted)

    assert refused.value.conflict == (f"g_max({phase}) = 20 s", f"g_min({phase}) = 30 s")


def test_a_green_over_two_stages_keeps_its_minimum(network: Network) -> None:
    wanted = volumes(network, heavy=150.0, turn=20.0)
    made = model(network, wanted)
    names = (("E.TR", "W.TR"), ("E.TR", "E.L"), ("N.L", "N.TR", "S.L", "S.TR"))
    stages = tuple(tuple(PhaseId(name) for name in stage) for stage in names)
    order = StageOrder(pattern="lead", stages=stages)
    free = replace(made, orders=(order,))
    held = limited(free, PhaseLimits(phase=PhaseId("E.TR"), min_green_ds=450))

    def green_ds(one: ControllerModel) -> int:
        return one.plan(one.design(wanted), PlanId("p")).green_ds(PhaseId("E.TR"))

    assert green_ds(free) < 450 <= green_ds(held)


def test_drivers_level_the_lanes_open_to_them() -> None:
    shares = lane_shares([[0, 1], [1]], [600.0, 200.0], [1800.0, 1800.0])

    assert shares[:, 0] == pytest.approx([2 / 3, 1 / 3], abs=1e-6)
    assert shares[:, 1] == pytest.approx([0.0, 1.0])


def test_a_lane_that_others_fill_is_left_alone() -> None:
    shares = lane_shares([[0, 1], [1]], [100.0, 900.0], [1800.0, 1800.0])

    assert shares[:, 0] == pytest.approx([1.0, 0.0], abs=1e-6)


def test_lanes_that_were_counted_are_shared_as_seen() -> None:
    """Through traffic may use lanes 0 and 1, lefts 1 and 2; they hardly share lane 1."""
    ways, volumes, flows = [[0, 1], [1, 2]], [1200.0, 800.0], [1800.0] * 3
    seen = shares_as_seen(ways, volumes, flows, [1080.0, 520.0, 400.0])

    assert seen @ np.array(volumes) == pytest.approx([1080.0, 520.0, 400.0], rel=0.01)
    assert seen.sum(axis=0) == pytest.approx([1.0, 1.0])
    assert seen[2, 0] == seen[0, 1] == 0


def test_where_a_lane_was_not_counted_drivers_level_them() -> None:
    ways, volumes, flows = [[0, 1], [2]], [600.0, 100.0], [1800.0] * 3

    levelled = lane_shares(ways, volumes, flows)
    assert shares_as_seen(ways, volumes, flows, [500.0, np.nan, 9.0]) == pytest.approx(levelled)


def test_cycles_run_from_least_to_most_in_even_steps() -> None:
    assert CycleLimits(least_s=60, most_s=64).cycles().tolist() == [60, 62, 64]
