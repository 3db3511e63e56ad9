# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.simulation.tiny import build_tiny

from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.optimize.calibrate import Fit
from lvbo.optimize.mesh import Traits
from lvbo.project.calibration import fit_finding, link_waits
from lvbo.simulation.runs import EDGES, PASSAGES, PERSONS, VEHICLES, Run


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    config: Path = build_tiny(tmp_path_factory.mktemp("fit"))
    return read_scenario(config)


def run_with(passages: pl.DataFrame) -> Run:
    return Run(
        seed=0,
        begin_s=0,
        judged_from_s=0,
        judged_to_s=2400,
        end_s=2400.0,
        vehicles=pl.DataFrame(schema=VEHICLES),
        persons=pl.DataFrame(schema=PERSONS),
        passages=passages,
        edges=pl.DataFrame(schema=EDGES),
        tracks=None,
        lamps=(),
        violations=(),
        teleports=0,
        collisions=0,
        wall_s=0.0,
    )


def test_waits_are_added_up_by_link_and_hour_once_streets_are_full(scenario: Scenario) -> None:
    assert scenario.network.sumo is not None
    edge, link = scenario.network.sumo.edges[0]
    passages = pl.DataFrame(
        {
            "vehicle": ["a", "b", "c"],
            "edge": [edge, edge, edge],
            "enter_s": [100.0, 700.0, 2000.0],
            "leave_s": [150.0, 760.0, 2050.0],
            "stops": [1, 1, 0],
            "slow_s": [40.0, 25.0, 5.0],
        },
        schema=PASSAGES,
    )
    waits = link_waits(run_with(passages), scenario.network)

    # the first came before second 600; 30 veh-s in the half hour after it
    assert waits[link] == pytest.approx(60.0)
    assert sum(waits.values()) == pytest.approx(60.0)


def test_a_fit_says_how_far_off_links_are_that_were_held_out() -> None:
    fit = Fit(
        traits=Traits(alpha=0.5), level=1.0, error=0.1, held_out_before=0.36, held_out=0.17, links=5
    )
    said = fit_finding(fit, "workday p1730")

    assert said.code == "LV661"
    assert said.fields["before_percent"] == 36
    assert said.fields["after_percent"] == 17


def test_too_few_links_are_said_to_be_too_few() -> None:
    fit = Fit(traits=Traits(), level=1.0, error=0.0, held_out_before=0.0, held_out=0.0, links=0)

    assert fit_finding(fit, "x").code == "LV662"
