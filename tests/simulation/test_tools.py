# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from lvbo.io.scenario import Scenario
from lvbo.signal.check import is_safe
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.tools import adapt_with_sumo, running_safely


def test_what_the_tools_of_sumo_propose_is_read_back_and_safe(tiny: Scenario) -> None:
    found = adapt_with_sumo(tiny)
    index = tiny.network.controller_index
    made = (found.shipped_coordinated, found.cycle_adaptation, found.cycle_adaptation_coordinated)
    for plans in made:
        assert isinstance(plans, PlanSet)
        assert plans.controllers == ("A", "B")
        assert all(is_safe(plan, index[plan.controller].rules) for plan in plans.plans)
    assert isinstance(found.shipped_coordinated, PlanSet)
    before = running_safely(tiny).mapped(lambda plan: plan.at_offset(0))
    assert found.shipped_coordinated.mapped(lambda plan: plan.at_offset(0)) == before
