# SPDX-License-Identifier: Apache-2.0
"""Sites that are given away run their own plan by the rules, from the lamps shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.simulation.test_controlled import shown_at

from lvbo.control.registry import ControllerSpec
from lvbo.control.walks import with_walks
from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import state_at
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import Countdown
from lvbo.simulation import tools
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import simulate_controlled
from lvbo.simulation.tools import local_plans


def given_away(tiny: Scenario, countdown: Countdown) -> Scenario:
    """Return the tiny street with walks; a display of whole greens leaves it to itself."""
    network = with_walks(tiny.network)
    return replace(
        tiny,
        network=replace(
            network,
            controllers=tuple(
                replace(c, rules=replace(c.rules, countdown=countdown)) for c in network.controllers
            ),
        ),
    )


def drive(scenario: Scenario) -> Run:
    controlling = Controlling(spec=ControllerSpec(name="lvbo"))
    (run,) = simulate_controlled(scenario, controlling, seeds=[0], workers=1).runs
    return run


def test_a_site_that_is_given_away_runs_its_own_plan_by_the_rules(tiny: Scenario) -> None:
    scenario = given_away(tiny, Countdown.FULL)
    index = scenario.network.controller_index
    assert not all(is_safe(plan, index[plan.controller].rules) for plan in scenario.plans.plans)
    run = drive(scenario)
    plan = local_plans(scenario)[ControllerId("A")]
    wrong = [
        at
        for at in range(240, 590)
        if shown_at(run, "A", at) != state_at(plan, scenario.network, plan.local_ds(10 * at))
    ]

    assert run.controlled is not None
    assert run.controlled.released == len(local_plans(scenario)) * 600
    assert run.violations == ()
    assert wrong == []


def test_a_programme_that_cannot_keep_the_rules_runs_as_it_is_and_the_watch_tells(
    tiny: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InfeasibleError("LV604", place="A", cycle_s=1, least_s=2)

    monkeypatch.setattr(tools, "made_safe", refuse)
    scenario = given_away(tiny, Countdown.FULL)

    assert local_plans(scenario) == {}
    assert drive(scenario).violations
