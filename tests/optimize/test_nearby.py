# SPDX-License-Identifier: Apache-2.0
"""Plans near those in force keep every rule and stay within reach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.optimize.evaluate import AreaJudge
from lvbo.optimize.nearby import Move, Reach, moved, plans_nearby, spans_of
from lvbo.optimize.transmission import Span, build_transmission
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.testing.tiny import EW, EWL, NS, legal_plans, tiny_plan
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import controller_models, mean_volumes

SECONDS = 6


@pytest.fixture(scope="module")
def judge(network: Network, demand: Demand) -> AreaJudge:
    volumes = mean_volumes(demand)
    models = {m.controller.id: m for m in controller_models(network, demand, volumes)}
    return AreaJudge(network, models, volumes)


@pytest.fixture(scope="module")
def in_force(judge: AreaJudge) -> dict[ControllerId, Plan]:
    """Return plans made for other traffic, all starting at once."""
    limits = CycleLimits(least_s=90, most_s=90)
    other = {m: 400.0 if k % 3 else 50.0 for k, m in enumerate(sorted(judge.volumes))}
    return {
        c: model.plan(model.design(other, limits), PlanId("all"))
        for c, model in judge.models.items()
    }


def test_moving_a_span_by_hand_moves_what_comes_after_it() -> None:
    plan = tiny_plan(offset_s=12)
    first, *_ = spans_of(plan)
    longer = moved(plan, Move(spans_s=(4, *(0 for _ in spans_of(plan)[1:])), offset_s=-2))

    assert first == (0, 230)  # NS and the walk go together up to 23 s
    assert longer.cycle_s == 104
    assert longer.offset_s == 10
    assert longer.green_ds(NS) == plan.green_ds(NS) + 40
    assert longer.green_ds(EW) == plan.green_ds(EW)
    assert longer.windows_of(EWL)[0].start_ds == plan.windows_of(EWL)[0].start_ds + 40


@given(legal_plans(), st.integers(-5, 5), st.integers(-9, 9))
def test_time_given_and_taken_back_leaves_the_plan(
    drawn: tuple[SignalRules, Plan], more_s: int, offset_s: int
) -> None:
    _, plan = drawn
    spans = len(spans_of(plan))
    there = moved(plan, Move(spans_s=(max(0, more_s),) * spans, offset_s=offset_s))

    assert moved(plan, Move(spans_s=(0,) * spans)) == plan
    assert there.cycle_ds == plan.cycle_ds + 10 * max(0, more_s) * spans
    assert [g.phase for g in there.greens] == [g.phase for g in plan.greens]


def test_plans_nearby_are_safe_within_reach_and_cost_less(
    judge: AreaJudge, in_force: dict[ControllerId, Plan]
) -> None:
    mesh = judge.mesh(tuple(judge.models))
    found = plans_nearby(mesh, in_force, Reach(seconds=SECONDS, runs=100))
    model = build_transmission(mesh)
    before, after = (
        float(model.run([plans], Span(end_s=1800)).delay_vehs[0]) for plans in (in_force, found)
    )

    assert after < 0.97 * before
    for c, plan in found.items():
        assert is_safe(plan, judge.models[c].controller.rules)
        assert abs(plan.cycle_s - in_force[c].cycle_s) <= SECONDS
        assert len(spans_of(plan)) == len(spans_of(in_force[c]))


def test_without_runs_left_plans_stay(judge: AreaJudge, in_force: dict[ControllerId, Plan]) -> None:
    found = plans_nearby(judge.mesh(tuple(judge.models)), in_force, Reach(runs=0))

    assert found == in_force
