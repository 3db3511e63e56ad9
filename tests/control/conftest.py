# SPDX-License-Identifier: Apache-2.0
"""Two signals one behind the other, for tests of what one tells the other."""

from __future__ import annotations

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.site import Site, read_site
from lvbo.ids import ControllerId
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.network import Network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return read_scenario(build_tiny(tmp_path_factory.mktemp("two"))).network


@pytest.fixture(scope="module")
def sites(network: Network) -> dict[ControllerId, Site]:
    return {c.id: read_site(network, c) for c in network.controllers}
