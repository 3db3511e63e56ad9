# SPDX-License-Identifier: Apache-2.0
"""SUMO by itself: the delay in the window, and that nothing unsafe runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lvbo.errors import InputError, ToolError
from lvbo.io.scenario import Scenario
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.plain import _waits, run_plain
from lvbo.simulation.simulate import simulate
from lvbo.simulation.tools import repaired

WAITS = """<tripinfos>
<tripinfo id="before" depart="95.00" departDelay="10.00" arrival="300.00"/>
<tripinfo id="across" depart="130.00" departDelay="40.00" arrival="-1.00"/>
<tripinfo id="inside" depart="150.00" departDelay="20.00" arrival="200.00"/>
<tripinfo id="never" depart="-1.00" departDelay="60.00" arrival="-1.00"/>
</tripinfos>"""


@pytest.fixture(scope="module")
def safe(tiny: Scenario) -> PlanSet:
    return repaired(tiny.plans, tiny)


def lost_s(scenario: Scenario, plans: PlanSet, end_s: int) -> float:
    cut = replace(scenario, end_s=end_s, warm_up_s=0, run_out_s=0)
    vehicles = simulate(cut, plans, seeds=[3]).runs[0].vehicles
    return float((vehicles["time_loss_s"] + vehicles["depart_delay_s"]).sum())


@pytest.mark.slow
def test_delay_in_the_window_is_what_all_lost_by_its_end_less_by_its_begin(
    tiny: Scenario, safe: PlanSet
) -> None:
    end_s = tiny.begin_s + 300
    plain = run_plain(replace(tiny, end_s=end_s, warm_up_s=120), safe, seed=3)
    expected = lost_s(tiny, safe, end_s) - lost_s(tiny, safe, tiny.begin_s + 120)

    assert expected > 0
    assert plain.delay_vehs == pytest.approx(expected, rel=0.05)
    assert plain.cpu_s > 0


def test_only_waits_inside_the_window_count(tmp_path: Path) -> None:
    file = tmp_path / "trips.xml"
    file.write_text(WAITS)

    assert list(_waits(file, 100, 180)) == [(0, True), (30, False), (20, True), (60, False)]


def test_signals_hold_up_mesoscopic_traffic_too(tiny: Scenario, safe: PlanSet) -> None:
    micro = run_plain(tiny, safe, seed=0)
    meso = run_plain(tiny, safe, seed=0, mesoscopic=True)

    assert meso.vehicles == micro.vehicles > 0
    assert meso.delay_vehs != micro.delay_vehs
    assert meso.delay_vehs > 0.5 * micro.delay_vehs  # without junction control hardly anybody waits


def test_a_plan_that_breaks_a_rule_does_not_run(tiny: Scenario, safe: PlanSet) -> None:
    rules = tiny.network.controllers[0].rules
    plan = next(p for p in safe.plans if p.controller == tiny.network.controllers[0].id)
    foes = next((a, b) for a, b, _ in rules.foes if plan.windows_of(a) and plan.windows_of(b))
    greens = tuple(
        replace(g, windows=plan.windows_of(foes[0])) if g.phase == foes[1] else g
        for g in plan.greens
    )
    broken = safe.with_plans([replace(plan, greens=greens, reference=None, stages=())])

    with pytest.raises(InputError, match="LV602"):
        run_plain(tiny, broken, seed=0)


def test_a_run_that_breaks_off_says_why(tiny: Scenario, safe: PlanSet, tmp_path: Path) -> None:
    routes = tmp_path / "lost.rou.xml"
    routes.write_text(
        '<routes><vehicle id="a" depart="0"><route edges="nowhere"/></vehicle></routes>'
    )

    with pytest.raises(ToolError, match="LV601") as caught:
        run_plain(replace(tiny, route_files=(routes,)), safe, seed=0)
    assert "nowhere" in str(caught.value.fields["reason"])
