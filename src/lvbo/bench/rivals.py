# SPDX-License-Identifier: Apache-2.0
"""Who competes in the control bench, and the plans that plan-based rivals run."""

from __future__ import annotations

from collections.abc import Mapping

from lvbo.control.walks import plan_with_walks
from lvbo.ids import ControllerId
from lvbo.io.scenario import Scenario
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S
from lvbo.timing.insert import made_safe

JUDGED = "lvbo"
ALWAYS = frozenset({"fixed", "coordinated", "actuated"})
"""Controllers that need plans under every protocol."""


def street_plans(scenario: Scenario) -> Mapping[ControllerId, Plan]:
    """Return the programmes in force at the start, with walks, keeping all rules.

    Raises:
        InfeasibleError: LV604 where a programme cannot be made to keep them.

    """
    plans = scenario.plans
    running = plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S)
    index = scenario.network.controller_index
    found: dict[ControllerId, Plan] = {}
    for name, plan in running.items():
        rules = index[name].rules
        found[name] = made_safe(plan_with_walks(plan, rules), rules)
    return found
