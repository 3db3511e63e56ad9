# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LaneId, LinkId, PlanId
from lvbo.optimize._profile_values import Mesh
from lvbo.optimize.evaluate import AreaJudge, Profiles, cycle_classes
from lvbo.optimize.mesh import AreaMesh, Pipe, Queue, Traits, mesh_arrays
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import Group, Volumes, time_groups

Models = dict[ControllerId, ControllerModel]
Plans = dict[ControllerId, Plan]
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def plans(models: Models, volumes: Volumes) -> Plans:
    group = (Group(controllers=tuple(models)),)
    timings = time_groups(models, volumes, group, CycleLimits(least_s=80, most_s=80))
    return {c: models[c].plan(t, PlanId("all")) for c, t in timings.items()}


@pytest.fixture(scope="module")
def mesh(judge: AreaJudge, models: Models) -> AreaMesh:
    return judge.mesh(tuple(models))


def shifted(plans: Plans, offsets_s: list[int]) -> Plans:
    offsets = cycle(offsets_s)
    return {c: plan.at_offset(10 * next(offsets)) for c, plan in sorted(plans.items())}


def cost_of(mesh: AreaMesh, plans: list[Plans], cycle_s: int, sweeps: int = 6) -> Floats:
    profiles = Profiles(mesh)
    lamps = profiles.lamps(plans, cycle_s)
    return profiles.cost(lamps, cycle_s, sweeps=sweeps)[:, : len(plans)]


def steady(arrive: Floats, rate: Floats, cycles: int = 60) -> tuple[float, float, Floats]:
    """Return waiting in veh-s and stops of a cycle, and departures, after many cycles."""
    queue, waits, stops, leave = 0.0, 0.0, 0.0, np.zeros(len(rate))
    for _ in range(cycles):
        waits, stops = 0.0, 0.0
        for t in range(len(rate)):
            queue += arrive[t]
            leave[t] = min(queue, rate[t])
            queue -= leave[t]
            waits += queue
            stops += min(queue, arrive[t])
    return waits, stops, leave


def test_a_cycle_that_begins_empty_ends_with_the_steady_queue() -> None:
    from lvbo.optimize import _profile_kernels as kernels

    rng = np.random.default_rng(4)
    length = 60
    arrays = _one_queue(total=0.3)
    work = kernels.scratch(1, 1, length)
    arrive = rng.uniform(0.0, 1.0, (length, 16)).astype(np.float32)
    arrive *= 0.3 / arrive.mean(axis=0)
    work.rate[:] = rng.uniform(0.0, 0.9, (length, 16))
    work.rate[:, :] *= 0.36 / work.rate.mean(axis=0)
    tally = np.zeros((4, 16), np.float32)
    kernels.run_queue(arrays, 0, arrive, length, work, work.leave[0], tally)

    for b in range(16):
        waits, stops, leave = steady(arrive[:, b].astype(float), work.rate[:, b].astype(float))
        assert tally[0, b] == pytest.approx(waits, rel=1e-3, abs=0.05)
        assert tally[1, b] == pytest.approx(stops, rel=1e-3, abs=0.05)
        assert work.leave[0, :, b] == pytest.approx(leave, abs=2e-3)


def _one_queue(total: float) -> Mesh:
    """Return one queue whose link brings all that it gets."""

    queue = Queue(
        signal=0,
        link=LinkId("in"),
        lanes=(LaneId("in_0"),),
        total_vph=3600 * total,
        sat_vph=1800,
        storage=20,
        turns=((0, 1.0, ()),),
    )
    arrays = mesh_arrays(1, [0, 1], [0], [queue], [], Traits())
    return arrays._replace(share=np.ones(1, np.float32), base=np.zeros(1, np.float32))


def test_a_platoon_arrives_after_its_travel_time_and_keeps_its_vehicles() -> None:
    from lvbo.optimize import _profile_kernels as kernels

    queues = [
        Queue(
            signal=s,
            link=LinkId(f"in{s}"),
            lanes=(LaneId(f"in{s}_0"),),
            total_vph=360,
            sat_vph=1800,
            storage=20,
            turns=((0, 1.0, ()),),
        )
        for s in range(2)
    ]
    pipe = Pipe(source=0, link=1, time_s=20.0, length_m=250.0, lanes=1, shares=((0, 1.0),))
    arrays = mesh_arrays(2, [0, 1, 2], [0, 1], queues, [pipe], Traits(alpha=0.35, beta=0.8))
    work, length = kernels.scratch(1, 1, 60), 60
    work.leave[0, 10:20] = 0.6
    out = np.zeros((length, 16), np.float32)
    kernels.fill_pipe(arrays, 0, length, 0, work, out)

    # Robertson: beta x 20 s later the first vehicles come, F = 1 / (1 + 0.35 x 0.8 x 20)
    assert out.sum(axis=0) == pytest.approx(np.full(16, 6.0), rel=0.01)
    assert int(np.argmax(np.diff(out[:, 0]))) + 1 == 10 + 16
    assert out[26, 0] - out[25, 0] == pytest.approx(0.6 / (1 + 0.35 * 0.8 * 20), rel=0.15)


def test_sixteen_plans_at_once_cost_what_each_costs_alone(mesh: AreaMesh, plans: Plans) -> None:
    rng = np.random.default_rng(7)
    many = [shifted(plans, rng.integers(0, 80, len(plans)).tolist()) for _ in range(16)]
    together = cost_of(mesh, many, 80)

    for b in (0, 5, 15):
        assert cost_of(mesh, [many[b]], 80)[:, 0] == pytest.approx(together[:, b], rel=1e-4)
    assert together.sum(axis=0).std() > 0.01 * together.sum(axis=0).mean()


def test_all_signals_later_by_the_same_cost_the_same(mesh: AreaMesh, plans: Plans) -> None:
    both = [shifted(plans, [3, 50, 20, 70]), shifted(plans, [20, 67, 37, 7])]
    costs = cost_of(mesh, both, 80).sum(axis=0)

    assert costs[0] == pytest.approx(costs[1], rel=1e-4)


def test_a_plan_repeated_within_a_longer_cycle_costs_the_same(
    judge: AreaJudge, models: Models, volumes: Volumes
) -> None:
    group = (Group(controllers=tuple(models)),)
    timings = time_groups(models, volumes, group, CycleLimits(least_s=46, most_s=46))
    plans = {c: models[c].plan(t, PlanId("all")) for c, t in timings.items()}
    mesh = judge.mesh(tuple(models))

    once, twice = cost_of(mesh, [plans], 46), cost_of(mesh, [plans], 92)

    assert once.sum() == pytest.approx(twice.sum(), rel=0.01)


def test_uniform_arrivals_cost_what_the_model_of_one_controller_says(
    mesh: AreaMesh, models: Models, volumes: Volumes
) -> None:
    group = (Group(controllers=tuple(models)),)
    timings = time_groups(models, volumes, group, CycleLimits(least_s=80, most_s=80))
    plans = {c: models[c].plan(t, PlanId("all")) for c, t in timings.items()}
    alone = cost_of(mesh, [plans], 80, sweeps=0)
    by_signal = np.bincount(
        [queue.signal for queue in mesh.queues], alone[:, 0], len(mesh.controllers)
    )

    for s, c in enumerate(mesh.controllers):
        own = models[c].judged(timings[c], volumes)
        assert 3600 * by_signal[s] == pytest.approx(own.delay_vehs_ph, rel=0.04)


def test_platoons_that_meet_green_save_against_uniform_arrivals(
    judge: AreaJudge, plans: Plans
) -> None:
    free_s = 300 / (0.75 * 13.89)
    led = shifted(plans, [round(k * free_s) % 80 for k in range(len(plans))])
    cost = judge.cost(led)
    ahead = [link for link in cost.links if link.link.startswith("A0") or "B0C0" in link.link]

    assert ahead
    assert sum(link.delay_vehs for link in ahead) < sum(link.alone_vehs for link in ahead)


def test_signals_over_capacity_wait_longer_but_send_their_demand_on(
    mesh: AreaMesh, plans: Plans
) -> None:
    heavy = mesh.arrays._replace(
        total=3 * mesh.arrays.total, base=3 * mesh.arrays.base, mean=3 * mesh.arrays.mean
    )
    crowded = replace(mesh, arrays=heavy)
    light, more = cost_of(mesh, [plans], 80).sum(), cost_of(crowded, [plans], 80).sum()

    assert np.isfinite(more)
    assert more > 10 * light


def test_signals_go_by_common_cycle_and_whole_fractions(plans: Plans) -> None:
    mixed = dict(plans)
    first, second, third, *rest = sorted(plans)
    mixed[second] = replace(plans[second], cycle_ds=400, greens=(), reference=None, offset_ds=0)
    mixed[third] = replace(plans[third], cycle_ds=700, greens=(), reference=None, offset_ds=0)

    assert cycle_classes(mixed, mixed) == [(80, [first, *rest, second]), (70, [third])]
