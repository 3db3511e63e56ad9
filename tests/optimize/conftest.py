# SPDX-License-Identifier: Apache-2.0
"""A street of four signals with side streets, and what is known of its traffic."""

from __future__ import annotations

import numpy as np
import pytest
from tests.io.sumo_nets import generate

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId
from lvbo.io.sumo_net import read_network
from lvbo.network.network import Network
from lvbo.optimize.evaluate import AreaJudge
from lvbo.timing.model import ControllerModel
from lvbo.timing.plans import Volumes, controller_models, mean_volumes

THROUGH_VPH, TURN_VPH = 350.0, 40.0


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    options = ["--grid", "--grid.x-number=4", "--grid.y-number=1", "--grid.length=300"]
    options += ["--grid.attach-length=200", "--default-junction-type=traffic_light"]
    net = generate(tmp_path_factory.mktemp("street"), *options, "--default.lanenumber=2")
    return read_network(net)


@pytest.fixture(scope="session")
def demand(network: Network) -> Demand:
    movements = tuple(m.id for m in network.movements)
    turns = [network.movement_index[m].turn for m in movements]
    volumes = np.array([[[THROUGH_VPH if t == "through" else TURN_VPH for t in turns]]])
    return Demand(
        days=("day",),
        day_types=("workday",),
        first_s=0,
        slot_s=86_400,
        slots=1,
        movements=movements,
        volume_vph=volumes,
        lower_vph=volumes.copy(),
        upper_vph=volumes.copy(),
        saturated=np.zeros(volumes.shape, dtype=np.bool_),
        saturations=(),
    )


@pytest.fixture(scope="session")
def volumes(demand: Demand) -> Volumes:
    return mean_volumes(demand)


@pytest.fixture(scope="session")
def models(
    network: Network, demand: Demand, volumes: Volumes
) -> dict[ControllerId, ControllerModel]:
    return {m.controller.id: m for m in controller_models(network, demand, volumes)}


@pytest.fixture(scope="session")
def judge(
    network: Network, models: dict[ControllerId, ControllerModel], volumes: Volumes
) -> AreaJudge:
    return AreaJudge(network, models, volumes)
