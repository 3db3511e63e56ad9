# SPDX-License-Identifier: Apache-2.0
"""Fitted traffic discharges as was counted, whatever gaps the counted headways have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lvbo.bench.arteries import Artery, make_artery
from lvbo.demand.demand import Demand, Saturation
from lvbo.demand.estimate import estimate_demand
from lvbo.ids import LaneId
from lvbo.io.build_scenario import CALMEST, calmer, calmness
from lvbo.io.scenario import Scenario
from lvbo.project.drivers import longer_s, with_drivers
from lvbo.project.trial import Trial
from lvbo.signal.schedule import DayPlan, Period
from lvbo.simulation.count import count_scenario
from lvbo.timing.plans import time_plans


@pytest.fixture(scope="module")
def demand(tiny: Scenario) -> Demand:
    return estimate_demand(tiny.network, count_scenario(tiny, seeds=[1000]), plans=tiny.plans)


def discharging(demand: Demand, headways_s: Mapping[str, float]) -> Demand:
    """Return the demand with these headways measured, and no others."""
    found = tuple(
        Saturation(lane=LaneId(lane), flow_vph=3600 / headway_s, observed=True)
        for lane, headway_s in headways_s.items()
    )
    return replace(demand, saturations=found)


def test_headways_are_compared_lane_by_lane(demand: Demand) -> None:
    """A lane seen only once says nothing; of 0.1, 0.2 and 0.6 s the median counts."""
    before = discharging(demand, {"a": 2.0, "b": 2.1, "c": 2.2, "d": 9.0})
    after = discharging(demand, {"a": 2.1, "b": 2.3, "c": 2.8, "e": 1.0})

    assert longer_s(before, after) == pytest.approx(0.2)
    assert longer_s(after, before) == pytest.approx(-0.2)
    assert longer_s(before, discharging(demand, {"a": 2.1, "b": 2.3})) is None


def test_longer_headways_make_calmer_drivers_within_bounds() -> None:
    assert calmer(1.0, 0.0) == 1.0
    assert calmer(1.0, -0.122) == pytest.approx(0.5)
    assert calmer(1.0, 1.0) == CALMEST
    assert calmer(1.0, -1.0) == 0.0


def test_where_few_lanes_tell_nothing_runs(tiny: Scenario, demand: Demand, tmp_path: Path) -> None:
    trial = Trial(
        network=tiny.network,
        net_file=tmp_path / "none.net.xml",
        demand=discharging(demand, {"a": 2.1, "b": 2.3}),
        day_type="workday",
    )

    assert with_drivers(trial, tiny.plans) is trial


@pytest.mark.slow
def test_drivers_are_those_who_were_counted_not_calmer_ones(tmp_path: Path) -> None:
    """Those of generated streets have calmness 1; who turns off into bays leaves gaps to them."""
    artery = Artery(name="small", signals=4, saturation=0.9)
    scenario = make_artery(tmp_path, artery, seed=7).scenario
    counts = count_scenario(scenario, seeds=[1000, 1001], workers=1)
    demand = estimate_demand(scenario.network, counts, plans=scenario.plans)
    (day_type,) = demand.kinds
    trial = Trial(
        network=scenario.network, net_file=scenario.net_file, demand=demand, day_type=day_type
    )
    days = (DayPlan(day_type=day_type, periods=(Period(start_s=0, end_s=0, name="all"),)),)
    found = with_drivers(trial, time_plans(scenario.network, demand, days))

    assert calmness(demand, scenario.network) > 1.3
    assert found.calm == pytest.approx(1.0, abs=0.15)
    assert replace(found, calm=None) == trial
