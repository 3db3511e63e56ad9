# SPDX-License-Identifier: Apache-2.0
"""A street of four signals with side streets, and what is known of its traffic."""

from __future__ import annotations

import pytest
from tests.streets import flat_demand, four_signals

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.optimize.evaluate import AreaJudge
from lvbo.timing.model import ControllerModel
from lvbo.timing.plans import Volumes, controller_models, mean_volumes

THROUGH_VPH, TURN_VPH = 350.0, 40.0


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="session")
def demand(network: Network) -> Demand:
    return flat_demand(network, THROUGH_VPH, TURN_VPH)


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
