# SPDX-License-Identifier: Apache-2.0
"""Controlled runs: plans that change within the span, sites that run plans whoever controls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.registry import ControllerSpec
from lvbo.errors import InputError
from lvbo.ids import ControllerId, PlanId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import state_at
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.decisions import PLANS_ONLY
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import simulate, simulate_controlled
from lvbo.simulation.tools import in_force, in_span, repaired

CHANGE_S = 245
COUNTDOWN = """schema = "lvbo-site 1"
[controller.A]
countdown = "full"
"""


def changing(plans: PlanSet) -> PlanSet:
    """Return plans that give way, in the middle of a cycle, to others with another offset."""
    day_type = plans.day_plans[0].day_type
    first = [p for p in plans.plans if p.id == plans.plans[0].id]
    late = [replace(p, id=PlanId("late")).at_offset((p.offset_ds + 230) % 600) for p in first]
    periods = (
        Period(start_s=0, end_s=CHANGE_S, name="early"),
        Period(start_s=CHANGE_S, end_s=0, name="late"),
    )
    return PlanSet(
        plans=tuple(sorted([*first, *late], key=lambda p: (p.controller, p.id))),
        day_plans=(DayPlan(day_type=day_type, periods=periods),),
        assignments=tuple(
            Assignment(controller=p.controller, day_type=day_type, period=period, plan=p.id)
            for period, own in (("early", first), ("late", late))
            for p in own
        ),
    )


def shown_at(run: Run, controller: str, second: int) -> str:
    return [c.state for c in run.lamps if c.controller == controller and c.second <= second][-1]


def test_plans_that_change_within_the_span_follow_each_other_without_a_lamp_fault(
    tiny: Scenario,
) -> None:
    plans = changing(repaired(tiny.plans, tiny))
    (run,) = simulate(tiny, plans, seeds=[0], workers=1).runs

    assert run.violations == ()
    assert run.decisions is None
    for name in ("A", "B"):
        for second, plan_id in ((170, str(plans.plans[0].id)), (595, "late")):
            own = {p.id: p for p in plans.plans if p.controller == name}
            plan = next(p for p in own.values() if (p.id == "late") == (plan_id == "late"))
            for at in range(second - 60, second):
                expected = state_at(plan, tiny.network, plan.local_ds(10 * at))

                assert shown_at(run, name, at) == expected, (name, at)


def test_unsafe_plans_that_change_within_the_span_are_refused(tiny: Scenario) -> None:
    bare = replace(
        tiny,
        network=replace(
            tiny.network,
            controllers=tuple(
                replace(
                    c,
                    rules=replace(
                        c.rules,
                        limits=tuple(replace(x, min_green_ds=2000) for x in c.rules.limits),
                    ),
                )
                for c in tiny.network.controllers
            ),
        ),
    )
    with pytest.raises(InputError, match="LV602"):
        simulate(bare, changing(repaired(tiny.plans, tiny)), seeds=[0])


def test_a_site_whose_countdown_shows_whole_greens_runs_its_plan_and_says_why(
    tmp_path: Path,
) -> None:
    config = build_tiny(tmp_path)
    (tmp_path / "tiny.site.toml").write_text(COUNTDOWN, encoding="utf-8")
    scenario = read_scenario(config)
    schedule = in_span(scenario, scenario.plans)
    controlling = Controlling(spec=ControllerSpec(name="actuated"), schedule=schedule)
    (run,) = simulate_controlled(scenario, controlling, seeds=[0], workers=1).runs
    (alone,) = simulate_controlled(
        scenario, replace(controlling, schedule=None), seeds=[0], workers=1
    ).runs

    assert run.violations == ()
    assert run.controlled is not None
    assert run.controlled.released == 0
    assert run.decisions is not None
    first = run.decisions.filter(run.decisions["code"] == PLANS_ONLY)
    assert first.select("second", "controller").rows() == [(0, "A")]
    plan = in_force(scenario)[ControllerId("A")]
    wrong = [
        at
        for at in range(120, 590)
        if shown_at(run, "A", at) != state_at(plan, scenario.network, plan.local_ds(10 * at))
    ]
    assert wrong == []
    assert alone.controlled is not None
    assert alone.controlled.released == 600
