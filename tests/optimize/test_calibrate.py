# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.optimize.calibrate import Seen, calibrate
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.mesh import Traits
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import Group, Volumes, time_groups

Models = dict[ControllerId, ControllerModel]

TRUE = Traits(alpha=0.5, speed_share=0.9, flow_share=0.9)


@pytest.fixture(scope="module")
def runs(models: Models, volumes: Volumes) -> list[dict[ControllerId, Plan]]:
    group = (Group(controllers=tuple(models)),)
    timings = time_groups(models, volumes, group, CycleLimits(least_s=70, most_s=70))
    chance = np.random.default_rng(5)
    return [
        {
            c: models[c].plan(t, PlanId("all"), offset_ds=10 * int(chance.integers(70)))
            for c, t in timings.items()
        }
        for _ in range(3)
    ]


def seen(
    network: Network, models: Models, volumes: Volumes, runs: list[dict[ControllerId, Plan]]
) -> list[Seen]:
    judge = AreaJudge(network, models, volumes, traits=TRUE)
    return [
        Seen(
            plans=plans,
            waits_vehs_ph={c.link: 0.8 * c.delay_vehs for c in judge.cost(plans).links},
        )
        for plans in runs
    ]


def test_traits_that_made_the_waits_are_found(
    network: Network, models: Models, volumes: Volumes, runs: list[dict[ControllerId, Plan]]
) -> None:
    fit = calibrate(network, models, volumes, seen(network, models, volumes, runs))

    assert fit.traits == TRUE
    assert fit.level == pytest.approx(0.8, rel=1e-3)
    assert fit.held_out < 0.01 < fit.held_out_before
    assert fit.links > 0


def test_where_nothing_was_seen_the_usual_traits_stay(
    network: Network, models: Models, volumes: Volumes
) -> None:
    fit = calibrate(network, models, volumes, [])

    assert fit.traits == Traits()
    assert fit.links == 0
