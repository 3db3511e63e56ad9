# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from tests.io.sumo_nets import cross

from lvbo.demand.saturation import saturations
from lvbo.ids import ControllerId, PlanId, StageId
from lvbo.io.sumo_net import read_network
from lvbo.network.network import Network
from lvbo.optimize.evaluate import Profiles
from lvbo.optimize.lamps import build_lamps
from lvbo.optimize.mesh import AreaMesh, build_mesh
from lvbo.optimize.plan_windows import windows_of_plans
from lvbo.optimize.transmission import Span, Then, build_transmission
from lvbo.optimize.windows import Windows, windows_of_lamps
from lvbo.signal.plan import Plan
from lvbo.signal.stages import from_stages
from lvbo.timing.build_model import build_model

Held = dict[ControllerId, Plan]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return read_network(cross(tmp_path_factory.mktemp("cross")))


def mesh_of(network: Network, vph: float = 150.0) -> AreaMesh:
    volumes = {m.id: vph * (2 if m.turn == "through" else 1) for m in network.movements}
    table = {s.lane: s for s in saturations(network)}
    controller = network.controllers[0]
    model = build_model(network, controller, table, volumes)
    return build_mesh(network, {controller.id: model}, volumes)


def plan(mesh: AreaMesh, green_s: int, offset_s: int = 0) -> Held:
    model = mesh.models[0]
    order = model.orders[0].stages
    stages = [(StageId(f"{k}"), phases, 10 * green_s + 20 * k) for k, phases in enumerate(order)]
    controller = model.controller
    made = from_stages(PlanId("P"), controller.id, controller.rules, stages, 0, order[0][0])
    return {controller.id: made.at_offset(10 * offset_s)}


def cycle_of(held: Held) -> int:
    return next(iter(held.values())).cycle_ds // 10


def rows(windows: Windows) -> dict[tuple[int, int], list[list[float]]]:
    return {
        (int(m), int(r)): [windows.begin[w].tolist(), windows.length[w].tolist()]
        for w, (m, r) in enumerate(zip(windows.move, windows.right, strict=True))
    }


def test_plans_read_phase_by_phase_give_the_windows_of_their_lamps(network: Network) -> None:
    mesh = mesh_of(network)
    plans = [plan(mesh, green, 7 * green) for green in (12, 20, 25)]

    quick = windows_of_plans(mesh, plans)
    slow = windows_of_plans(mesh, plans, [None])

    assert rows(quick) == {
        key: [pytest.approx(own, abs=1e-4) for own in held] for key, held in rows(slow).items()
    }
    assert len(rows(quick)) == len(mesh.models[0].movements)
    assert quick.cycle_s[0, :3].tolist() == [cycle_of(held) for held in plans]


def test_plans_and_the_lamps_of_the_search_come_to_the_same(network: Network) -> None:
    mesh = mesh_of(network)
    held = [plan(mesh, 20), plan(mesh, 20, 31)]
    cycle_s = cycle_of(held[0])
    model = build_transmission(mesh)

    own = model.run(held, Span(end_s=610))
    lamps = windows_of_lamps(build_lamps(mesh, held, cycle_s), cycle_s, 2)
    theirs = model.run_windows(lamps, Span(end_s=610))

    assert own.delay_vehs.tolist() == pytest.approx(theirs.delay_vehs.tolist(), rel=1e-4)
    assert own.delay_vehs[0] != pytest.approx(own.delay_vehs[1], rel=1e-3)


def test_shared_lanes_and_those_who_yield_wait_as_in_cyclic_profiles(network: Network) -> None:
    mesh = mesh_of(network, 70)
    held = [plan(mesh, 20)]
    cycle_s = cycle_of(held[0])
    window = (2 * cycle_s, 12 * cycle_s)

    found = build_transmission(mesh).run(held, Span(end_s=window[1], window_s=window))

    judge = Profiles(mesh)
    expected = judge.cost(judge.lamps(held, cycle_s), cycle_s)[:, 0].sum()
    assert found.delay_vehs[0] / (10 * cycle_s) == pytest.approx(expected, rel=0.05)


def test_other_plans_may_follow_at_a_second(network: Network) -> None:
    mesh = mesh_of(network)
    model = build_transmission(mesh)
    first, second = [plan(mesh, 12)], [plan(mesh, 30)]

    change = Then(plans=second, at_s=dict.fromkeys(mesh.controllers, 200))
    whole = model.run(first, Span(end_s=400), then=change)
    begin = model.run(first, Span(end_s=200))
    end = model.run(second, Span(end_s=400), start=begin.end)

    assert whole.inside[0] == pytest.approx(end.inside[0], abs=0.01)
    assert whole.left[0] == pytest.approx(begin.left[0] + end.left[0], abs=0.01)
