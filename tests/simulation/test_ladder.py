# SPDX-License-Identifier: Apache-2.0
"""The ladder of controllers in SUMO, on the tiny street, with faults of detectors and equipment."""

from __future__ import annotations

import pytest

from lvbo.control.registry import ControllerSpec
from lvbo.io.scenario import Scenario
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import simulate_controlled
from lvbo.simulation.tools import in_span


def drive(scenario: Scenario, name: str, sensing: str) -> Run:
    schedule = in_span(scenario, scenario.plans)
    controlling = Controlling(
        spec=ControllerSpec(name=name),
        sensing=parse_sensing(sensing),
        plans=schedule.running(schedule.day_plans[0].day_type, scenario.begin_s),
        schedule=schedule,
    )
    (run,) = simulate_controlled(scenario, controlling, seeds=[3], workers=1).runs
    return run


@pytest.mark.parametrize(
    "sensing",
    [
        "loops+dead:0.25+latency:2",
        "loops+stuck:0.3+missed:0.1",
        "loops+command:3",
        "stopline+dead:0.6+command:1",
        "area:80+noise:5+capability:cycle",
    ],
)
def test_faults_leave_the_lamps_lawful_and_nobody_locked(tiny: Scenario, sensing: str) -> None:
    run = drive(tiny, "lvbo", sensing)

    assert run.violations == ()
    assert run.controlled is not None
    assert run.controlled.locks == 0
    assert run.controlled.released == 0


@pytest.mark.parametrize("sensing", ["none", "loops+dead:1", "loops+capability:plan"])
def test_without_sensing_or_stages_a_site_shows_exactly_what_its_plans_show(
    tiny: Scenario, sensing: str
) -> None:
    run, plain = drive(tiny, "lvbo", sensing), drive(tiny, "fixed", "none")

    assert run.lamps == plain.lamps
    assert run.decisions is not None
    codes = set(run.decisions["code"].to_list())
    assert codes & {"LV752", "LV755"}
