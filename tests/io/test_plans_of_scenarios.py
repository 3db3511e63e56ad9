# SPDX-License-Identifier: Apache-2.0
"""The plans that published scenarios ship with: seen by both checkers, written and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lvbo.io.plans_toml import read_plans, write_plans
from lvbo.io.scenario import Scenario
from lvbo.io.stage_sheet import write_stage_sheet
from lvbo.io.stage_sheet_reader import read_stage_sheet
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.check import is_safe
from lvbo.signal.watch import LampChecker
from lvbo.testing import lamp_rows
from lvbo.text import Language

NAMES = ("bologna_acosta", "cologne1", "cologne8", "grid4x4", "ingolstadt7")


@pytest.fixture(scope="module", params=NAMES)
def scenario(request: pytest.FixtureRequest, bench_data: Path) -> Scenario:
    return read_scenario(bench_data / "scenarios" / request.param)


def test_the_lamp_checker_and_the_plan_check_agree_on_every_plan(scenario: Scenario) -> None:
    for plan in scenario.plans.plans:
        rules = scenario.network.controller_index[plan.controller].rules
        rows = lamp_rows(plan, rules)
        seen = LampChecker(rules).see_all(10 * np.arange(len(rows)), np.array(rows))

        assert (seen == ()) == is_safe(plan, rules), (plan.controller, plan.id)


def test_every_plan_comes_back_from_toml(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    write_plans(scenario.plans, path)

    assert read_plans(path, scenario.network) == replace(scenario.plans, findings=())


def test_every_plan_that_a_stage_sheet_holds_comes_back(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "plans.xlsx"
    left_out = write_stage_sheet(scenario.plans, scenario.network, path, Language.ZH)
    back = read_stage_sheet(path, scenario.network)
    lost = {(finding.place, finding.fields["plan"]) for finding in left_out}
    kept = [p for p in scenario.plans.plans if (p.controller, p.id) not in lost]

    assert len(lost) <= 2
    assert set(back.plan_index) == {(p.controller, p.id) for p in kept}
    for plan in kept:
        again = back.plan_index[plan.controller, plan.id]
        assert (again.index, again.offset_ds) == (plan.index, plan.offset_ds)
