# SPDX-License-Identifier: Apache-2.0
"""The area model beside SUMO, movement by movement."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.streets import flat_demand, four_signals

from lvbo.ids import MovementId, PlanId
from lvbo.io.sumo_scenario import read_scenario
from lvbo.optimize.evaluate import AreaJudge
from lvbo.project.flow_check import (
    FlowCheck,
    MovementFlow,
    check_area_flows,
    flow_findings,
    model_means,
)
from lvbo.simulation.count import count_scenario
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import controller_models, mean_volumes


def flow(
    seen_vph: float, model_vph: float, seen_s: float = 20, model_s: float = 20
) -> MovementFlow:
    return MovementFlow(
        movement=MovementId("a>b"),
        seen_vph=seen_vph,
        model_vph=model_vph,
        seen_s=seen_s,
        model_s=model_s,
    )


def test_geh_of_hourly_flows() -> None:
    assert flow(900, 1000).geh == pytest.approx(3.244, abs=0.001)
    assert flow(0, 0).geh == 0


def test_findings_name_flows_that_part_and_delays_that_part_at_equal_flows() -> None:
    rows = (flow(400, 250), flow(400, 390, 60, 12), flow(30, 28, 90, 12), flow(400, 390))
    whole, *found = flow_findings(rows)

    assert [one.code for one in found] == ["LV665", "LV666"]
    assert found[0].fields == {"geh": 8.3, "seen_vph": 400, "model_vph": 250}
    assert (whole.code, whole.fields["percent"]) == ("LV667", 75)
    assert FlowCheck(flows=rows, findings=()).share_alike == 0.75


def test_below_saturation_the_model_serves_every_movement_that_wants_to_go(tmp_path: Path) -> None:
    network = four_signals(tmp_path)
    demand = flat_demand(network, 350.0, 40.0)
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(network, demand, volumes)}
    limits = CycleLimits(least_s=80, most_s=80)
    plans = {c: m.plan(m.design(volumes, limits), PlanId("all")) for c, m in models.items()}
    judge = AreaJudge(network, models, volumes)
    means = model_means(judge, plans, (600, 3000))
    waits = sum(vph * delay_s for vph, delay_s in means.values())

    for movement, (vph, _) in means.items():
        assert vph == pytest.approx(volumes[movement], rel=0.04, abs=2)
    assert waits == pytest.approx(judge.cost(plans).delay_vehs_ph, rel=0.06)


@pytest.mark.slow
def test_a_bundled_scenario_is_compared_with_itself(tmp_path: Path) -> None:
    from tests.simulation.tiny import build_tiny

    scenario = read_scenario(build_tiny(tmp_path))
    counts = count_scenario(scenario, seeds=(1000,))
    found = check_area_flows(scenario.network, scenario.net_file, counts, scenario.plans)

    assert found.share_alike > 0.9
    assert found.findings[0].code == "LV667"
    assert {one.movement for one in found.flows} <= set(scenario.network.movement_index)
