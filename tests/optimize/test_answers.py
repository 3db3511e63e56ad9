# SPDX-License-Identifier: Apache-2.0
"""Wrong, empty and hopeless input is said; what is in force stays where nothing is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.optimize.test_area_plan import DAYS

from lvbo.demand.demand import Demand
from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.optimize.answers import (
    check_limits,
    compare_in_force,
    coupling_findings,
    flow_findings,
    with_kept,
)
from lvbo.optimize.area_plan import AreaGoal, Bands
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.search import Effort
from lvbo.signal.schedule import one_period
from lvbo.timing.model import ControllerModel, CycleLimits
from lvbo.timing.plans import each_alone, time_plans

Models = dict[ControllerId, ControllerModel]
GOAL = AreaGoal(bands=Bands.NONE)


@pytest.fixture(scope="module")
def plans(network: Network, demand: Demand) -> Plans:
    return time_plans(network, demand, DAYS).running("workday", 0)


def test_a_cycle_that_no_signal_can_run_names_the_limits(models: Models) -> None:
    short = AreaGoal(limits=CycleLimits(least_s=20, most_s=24))

    with pytest.raises(InfeasibleError, match="LV510") as refused:
        check_limits(tuple(models.values()), short)
    assert any("C_max = 24 s" in name for name in refused.value.conflict)
    check_limits(tuple(models.values()), GOAL)


def test_cycles_named_one_by_one_are_checked_too(models: Models) -> None:
    with pytest.raises(InfeasibleError, match="LV510"):
        check_limits(tuple(models.values()), AreaGoal(effort=Effort(cycles_s=(20, 22))))


def test_signals_that_stand_alone_are_said_to(network: Network) -> None:
    alone = replace(GOAL, groups=each_alone(network))

    assert [f.code for f in coupling_findings(network, alone)] == ["LV580"]
    assert coupling_findings(network, GOAL) == []


def silenced(judge: AreaJudge, signals: set[ControllerId]) -> AreaJudge:
    quiet = {m for c in signals for m in judge.models[c].movements}
    volumes = {m: 0.0 if m in quiet else v for m, v in judge.volumes.items()}
    return AreaJudge(judge.network, judge.models, volumes)


def test_a_signal_without_traffic_is_named(judge: AreaJudge) -> None:
    first = min(judge.models)
    (found,) = flow_findings(silenced(judge, {first}), "workday all")

    assert (found.code, found.place) == ("LV581", f"{first} workday all")
    assert flow_findings(judge, "workday all") == []


def test_no_traffic_anywhere_is_one_error(judge: AreaJudge) -> None:
    (found,) = flow_findings(silenced(judge, set(judge.models)), "workday all")

    assert (found.code, found.severity) == ("LV582", "error")


def test_equal_plans_are_no_reason_to_change(judge: AreaJudge, plans: Plans) -> None:
    answer = compare_in_force(judge, plans, [(1.0, plans)], GOAL, waves=False)

    assert answer.kept == plans
    assert answer.finding("all", Bands.NONE).code == "LV583"  # type: ignore[union-attr]


def spoilt(plans: Plans) -> Plans:
    return {c: p.later(30 * (k % 2)) for k, (c, p) in enumerate(sorted(plans.items()))}


def test_better_plans_replace_those_in_force(judge: AreaJudge, plans: Plans) -> None:
    costs = [judge.cost(p).delay_vehs_ph for p in (plans, spoilt(plans))]
    good, bad = (plans, spoilt(plans)) if costs[0] < costs[1] else (spoilt(plans), plans)
    goal = replace(GOAL, objective=replace(GOAL.objective, stop_s=0.0))

    assert min(costs) < 0.97 * max(costs)
    assert compare_in_force(judge, good, [(1.0, bad)], goal, waves=False).kept is None
    assert compare_in_force(judge, bad, [(1.0, good)], goal, waves=False).kept == good


def test_a_wave_that_was_asked_for_is_given_and_its_price_said(
    judge: AreaJudge, plans: Plans
) -> None:
    good, bad = sorted((plans, spoilt(plans)), key=lambda p: judge.cost(p).delay_vehs_ph)
    goal = replace(GOAL, bands=Bands.HARD, objective=replace(GOAL.objective, stop_s=0.0))
    answer = compare_in_force(judge, bad, [(1.0, good)], goal, waves=True)

    assert answer.kept is None
    assert answer.finding("all", Bands.HARD).code == "LV584"  # type: ignore[union-attr]


def test_plans_that_break_a_rule_are_never_kept(judge: AreaJudge, plans: Plans) -> None:
    c, plan = min(plans.items())
    first = plan.greens[0]
    cut = replace(first, windows=tuple(replace(w, length_ds=10) for w in first.windows))
    broken = {**plans, c: replace(plan, greens=(cut, *plan.greens[1:]), stages=())}

    assert compare_in_force(judge, plans, [(1.0, broken)], GOAL, waves=False).kept is None


def test_without_traffic_what_is_in_force_stays(judge: AreaJudge, plans: Plans) -> None:
    empty = silenced(judge, set(judge.models))
    hard = replace(GOAL, bands=Bands.HARD)

    assert compare_in_force(empty, spoilt(plans), [(1.0, plans)], hard, waves=True).kept == plans


def test_kept_plans_run_under_a_name_of_their_own(plans: Plans) -> None:
    new = one_period(spoilt(plans).values())
    kept = with_kept(new, {("workday", "all"): plans})

    assert {p.id for p in kept.plans} == {"kept-all"}
    assert [p.offset_ds for p in kept.plans] == [p.offset_ds for _, p in sorted(plans.items())]
    assert with_kept(new, {}) is new


def test_a_demand_of_nothing_is_planned_all_the_same(network: Network, demand: Demand) -> None:
    nothing = replace(
        demand, volume_vph=np.zeros_like(demand.volume_vph), lower_vph=0.0 * demand.lower_vph
    )
    found = time_plans(network, nothing, DAYS)

    assert len(found.plans) == len(network.controllers)
