# SPDX-License-Identifier: Apache-2.0
"""The networks that come with SUMO itself are read, or refused with a reason, and show the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvbo.errors import InputError
from lvbo.io.doubts import check_network
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_net import read_network_and_plans
from lvbo.signal.check import check_plan
from lvbo.simulation.selfcheck import self_check
from lvbo.simulation.sumo import sumo_home

NETS = sorted((sumo_home() / "tools").rglob("*.net.xml*"))


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS, ids=lambda net: f"{net.parent.name}/{net.name}")
def test_an_example_of_sumo_is_read_whole(net: Path) -> None:
    try:
        network, plans = read_network_and_plans(net)
    except InputError as error:
        codes = {finding.code for finding in error.findings()}
    else:
        codes = set()
        read = Scenario(
            name=net.name,
            folder=net.parent,
            net_file=net,
            route_files=(),
            additional_files=(),
            begin_s=0,
            end_s=3600,
            network=network,
            plans=plans,
        )
        check_network(network, plans)
        for plan in plans.plans:
            check_plan(plan, network.controller_index[plan.controller].rules)

        assert self_check(read) == ()

    assert codes <= {"LV116"}  # a railway or a race track has no street
