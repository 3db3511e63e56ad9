# SPDX-License-Identifier: Apache-2.0
"""Plans are only replaced where traffic fitted to counts says that it clearly helps."""

from __future__ import annotations

import pytest

from lvbo.demand.estimate import estimate_demand
from lvbo.io.scenario import Scenario
from lvbo.project.trial import TRIAL_SEEDS, Trial, robust_delay, try_out
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.simulation.count import count_scenario
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import time_plans


@pytest.fixture(scope="module")
def trial(tiny: Scenario) -> Trial:
    counts = count_scenario(tiny, seeds=(1000,))
    demand = estimate_demand(tiny.network, counts, plans=tiny.plans)
    (day_type,) = demand.kinds
    return Trial(
        network=tiny.network, net_file=tiny.net_file, demand=demand, day_type=day_type, workers=1
    )


def timed(trial: Trial, cycle_s: int) -> PlanSet:
    """Return plans of one cycle for all day."""
    whole = Period(start_s=0, end_s=0, name="all")
    days = (DayPlan(day_type=trial.day_type, periods=(whole,)),)
    limits = CycleLimits(least_s=cycle_s, most_s=cycle_s)
    return time_plans(trial.network, trial.demand, days, limits=limits)


def test_one_locked_run_outweighs_a_few_seconds() -> None:
    assert robust_delay((60.0, 100.0)) == 90.0
    assert robust_delay((70.0, 70.0)) < robust_delay((60.0, 100.0))


@pytest.mark.slow
def test_plans_that_save_nothing_are_not_worth_a_change(trial: Trial) -> None:
    plans = timed(trial, 60)
    tried = try_out(trial, {"installed": plans, "same": plans})

    assert tried.best == "installed"
    assert tried.counted_s["same"] == tried.counted_s["installed"]
    assert tried.stressed_s == {}


@pytest.mark.slow
def test_plans_that_clearly_help_replace_those_in_force(trial: Trial) -> None:
    """A cycle of 140 s on two quiet signals is the plain case; the trial must see it."""
    tried = try_out(trial, {"installed": timed(trial, 140), "short": timed(trial, 60)})

    assert tried.best == "short"
    assert set(tried.stressed_s) == {"installed", "short"}
    assert robust_delay(tried.stressed_s["short"]) < robust_delay(tried.stressed_s["installed"])


@pytest.mark.slow
def test_the_hopeless_run_only_once(trial: Trial) -> None:
    tried = try_out(trial, {"installed": timed(trial, 60), "long": timed(trial, 140)})

    assert tried.best == "installed"
    assert len(tried.counted_s["long"]) == 1
    assert len(tried.counted_s["installed"]) == len(TRIAL_SEEDS)
