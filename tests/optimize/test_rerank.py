# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lvbo.ids import ControllerId, PlanId
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.rerank import transmitted
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import Group, Volumes, time_groups

Models = dict[ControllerId, ControllerModel]


def timed(models: Models, volumes: Volumes, cycle_s: int) -> dict[ControllerId, Plan]:
    group = (Group(controllers=tuple(models)),)
    limits = CycleLimits(least_s=cycle_s, most_s=cycle_s)
    timings = time_groups(models, volumes, group, limits)
    return {c: models[c].plan(t, PlanId("all")) for c, t in timings.items()}


def test_finalists_cost_about_what_the_profiles_say_below_saturation(
    judge: AreaJudge, models: Models, volumes: Volumes
) -> None:
    sets = [timed(models, volumes, cycle_s) for cycle_s in (70, 100)]
    delay = transmitted(judge.mesh(tuple(models)), sets)

    assert delay is not None
    assert delay == pytest.approx([judge.cost(p).delay_vehs_ph for p in sets], rel=0.1)


def test_a_street_that_fills_up_costs_more_than_the_profiles_see(
    judge: AreaJudge, models: Models, volumes: Volumes
) -> None:
    plans = timed(models, volumes, 80)
    mesh = judge.mesh(tuple(models))
    crowded = replace(
        mesh,
        queues=tuple(replace(q, total_vph=2.2 * q.total_vph) for q in mesh.queues),
        arrays=mesh.arrays._replace(
            total=np.float32(2.2) * mesh.arrays.total,
            base=np.float32(2.2) * mesh.arrays.base,
            mean=np.float32(2.2) * mesh.arrays.mean,
        ),
    )
    light, heavy = transmitted(mesh, [plans]), transmitted(crowded, [plans])

    assert light is not None
    assert heavy is not None
    assert heavy[0] > 4 * light[0]


def test_cycles_too_short_to_be_run_are_left_to_the_profiles(
    judge: AreaJudge, models: Models, volumes: Volumes
) -> None:
    plans = timed(models, volumes, 80)
    first = min(plans)
    short = {
        **plans,
        first: replace(plans[first], cycle_ds=10, offset_ds=0, greens=(), reference=None),
    }

    assert transmitted(judge.mesh(tuple(models)), [short]) is None
