# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import state_at, states
from lvbo.simulation.lamps import plan_of_states, watch_lamps
from lvbo.simulation.runs import LampChange
from lvbo.simulation.tools import repaired


def test_a_plan_written_as_states_and_read_back_shows_the_same_lamps(tiny: Scenario) -> None:
    for plan in repaired(tiny.plans, tiny).plans:
        controller = tiny.network.controller_index[plan.controller]
        moved = plan.at_offset(170)
        intervals = states(moved, tiny.network)
        again = plan_of_states(tiny.network, controller, "x", intervals, moved.offset_ds)
        differ = [
            second
            for second in range(60)
            if state_at(again, tiny.network, again.local_ds(10 * second))
            != state_at(moved, tiny.network, moved.local_ds(10 * second))
        ]

        assert differ == []


def test_a_yellow_that_is_dropped_is_seen(tiny: Scenario) -> None:
    plan = repaired(tiny.plans, tiny).plans[0]
    changes, at = [], 0.0
    for length_ds, state in states(plan, tiny.network) * 3:
        shown = state.replace("y", "r")
        changes.append(LampChange(controller=plan.controller, second=at, state=shown))
        at += length_ds / 10
    found = watch_lamps(tiny.network, changes, 0.0)

    assert "LV324" in {finding.code for finding in found}
    assert {finding.place for finding in found} == {str(plan.controller)}
