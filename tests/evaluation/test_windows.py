# SPDX-License-Identifier: Apache-2.0
"""Windows kept, read from the lamps: whole windows only, whole seconds, any of the phases."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.protocols import BandWindow, Coordination
from lvbo.evaluation.windows import windows_kept
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.project.line import safe_plans
from lvbo.simulation.simulate import simulate


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(build_tiny(Path(tmp_path_factory.mktemp("tiny"))))


def test_a_fixed_plan_keeps_the_windows_in_its_greens_and_no_others(scenario: Scenario) -> None:
    plans = safe_plans(scenario.network, scenario.plans)
    runs = simulate(scenario, plans, seeds=[1])
    plan = plans.plans[0]
    phase, green = next(
        (g.phase, g.windows[0]) for g in plan.greens if 100 < g.windows[0].length_ds < plan.cycle_ds
    )
    start = (green.start_ds + plan.offset_ds) % plan.cycle_ds

    def kept(late_ds: int, length_ds: int) -> tuple[int, int, float]:
        window = BandWindow(
            phases=(phase,),
            start_ds=(start + late_ds) % plan.cycle_ds,
            length_ds=length_ds,
            cycle_ds=plan.cycle_ds,
        )
        own = Coordination(plan=plan, windows=(window,))
        found = windows_kept(runs.runs[0], scenario.network, {plan.controller: own})
        return found.windows, found.kept, found.green_share

    def early(until_s: float) -> int:
        window = BandWindow(
            phases=(phase,), start_ds=start, length_ds=green.length_ds, cycle_ds=plan.cycle_ds
        )
        own = {plan.controller: Coordination(plan=plan, windows=(window,))}
        return windows_kept(runs.runs[0], scenario.network, own, until_s).windows

    whole = kept(0, green.length_ds)
    longer = kept(0, green.length_ds + 20)
    before = kept(-20, 40)

    assert whole[0] > 1
    assert whole[1:] == (whole[0], 1.0)
    assert longer[1] == 0
    assert longer[2] == pytest.approx(green.length_ds / (green.length_ds + 20))
    half_s = (runs.runs[0].judged_from_s + runs.runs[0].judged_to_s) / 2
    assert 0 < early(half_s) < whole[0]
    assert early(runs.runs[0].judged_from_s) == 0
    assert before[1] == 0
    assert before[2] == pytest.approx(0.5)
