# SPDX-License-Identifier: Apache-2.0
"""Why a link gains or loses: one thing is changed, and that thing is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId, PlanId
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, Bands, optimize_area
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.gains import PeriodGains, Waved, order_of, period_gains, spans_in_force
from lvbo.optimize.search import Effort, Programme, plan_of
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet
from lvbo.testing.tiny import tiny_plan
from lvbo.timing.model import ControllerModel

Models = dict[ControllerId, ControllerModel]
DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
MOMENT = ("workday", "all")


@pytest.fixture(scope="module")
def good(network: Network, demand: Demand) -> Plans:
    goal = AreaGoal(effort=Effort(kicks=1, finalists=1, cycles_s=(80,)), bands=Bands.NONE)
    return optimize_area(network, demand, DAYS, goal).plans.running("workday", 0)


def changed(judge: AreaJudge, before: Plans, after: Plans) -> PeriodGains:
    return period_gains(judge, MOMENT, [(1.0, before)], after)


def codes(gains: PeriodGains) -> set[str]:
    return {reason.code for link in gains.links for reason in link.reasons}


def shuffled(plans: Plans) -> Plans:
    """Return the plans with offsets that break every wave."""
    return {c: p.later(40 * (k % 2)) for k, (c, p) in enumerate(sorted(plans.items()))}


def test_nothing_changes_between_equal_plans(judge: AreaJudge, good: Plans) -> None:
    gains = changed(judge, good, good)

    assert all(link.change_vehs == 0 for link in gains.links)
    assert codes(gains) == set()


def test_offsets_alone_are_told_by_platoons(judge: AreaJudge, good: Plans) -> None:
    worse = changed(judge, good, shuffled(good))

    assert worse.delay_vehs_ph[1] > worse.delay_vehs_ph[0]
    assert "LV571" in codes(worse)
    assert codes(worse) <= {"LV570", "LV571"}


def test_gains_turned_round_are_losses(judge: AreaJudge, good: Plans) -> None:
    there, back = changed(judge, good, shuffled(good)), changed(judge, shuffled(good), good)

    assert there.delay_vehs_ph == pytest.approx(tuple(reversed(back.delay_vehs_ph)))
    assert "LV570" in codes(back)


def stretched(models: Models, cycle_s: int) -> Plans:
    """Return equal shares of green at some cycle, all in step."""
    found = {}
    for c, model in models.items():
        order, _, _ = model.order_arrays[0]
        inters = [int(i) for i in order.inters]
        free = cycle_s - sum(inters)
        greens = [free // len(inters)] * len(inters)
        greens[-1] += free - sum(greens)
        programme = Programme(order=0, cycle_s=cycle_s, greens_s=tuple(greens))
        found[c] = plan_of(model, programme, PlanId("p"))
    return found


def test_a_longer_cycle_alone_is_told_by_the_cycle(judge: AreaJudge, models: Models) -> None:
    told = changed(judge, stretched(models, 90), stretched(models, 140))

    assert told.delay_vehs_ph[1] > told.delay_vehs_ph[0]
    assert "LV575" in codes(told)
    assert "LV574" in codes(changed(judge, stretched(models, 140), stretched(models, 90)))


def test_green_taken_from_a_street_is_told_on_it(judge: AreaJudge, models: Models) -> None:
    even = stretched(models, 90)
    moved = dict(even)
    c, model = sorted(models.items())[1]
    order, low, _ = model.order_arrays[0]
    greens = [int(g) for g in low]
    greens[0] += 90 - sum(greens) - int(order.inters.sum())
    moved[c] = plan_of(model, Programme(order=0, cycle_s=90, greens_s=tuple(greens)), PlanId("p"))
    told = changed(judge, even, moved)
    own = [r for link in told.losers if link.controller == c for r in link.reasons]
    less = [r.fields for r in own if r.code == "LV573"]

    assert less
    assert all(float(str(f["after"])) < float(str(f["before"])) for f in less)
    assert {link.controller for link in told.links if link.change_vehs > 720} == {c}


def test_losers_come_first(judge: AreaJudge, good: Plans) -> None:
    links = changed(judge, good, shuffled(good)).links
    changes = [link.change_vehs for link in links]

    assert changes == sorted(changes, reverse=True)


def test_what_a_link_pays_for_a_wave_is_told_with_the_street(judge: AreaJudge, good: Plans) -> None:
    streets = dict.fromkeys(good, "High St")
    waved = Waved(plans=good, streets=streets)
    told = period_gains(judge, MOMENT, [(1.0, good)], shuffled(good), waved)
    loser = told.links[0]

    assert loser.reasons[0].code == "LV578"
    assert loser.reasons[0].fields["street"] == "High St"
    assert loser.reasons[0].fields["vehh"] == pytest.approx(loser.change_vehs / 3600, abs=0.01)


def test_plans_in_force_count_as_long_as_they_run(good: Plans) -> None:
    night = Period(start_s=79_200, end_s=21_600, name="night")
    day = Period(start_s=21_600, end_s=79_200, name="day")
    c, plan = min(good.items())
    late = replace(plan.later(7), id=PlanId("late"))
    shipped = PlanSet(
        plans=tuple(sorted((plan, late), key=lambda p: p.id)),
        day_plans=(DayPlan(day_type="workday", periods=(day, night)),),
        assignments=(
            Assignment(controller=c, day_type="workday", period="day", plan=plan.id),
            Assignment(controller=c, day_type="workday", period="night", plan=late.id),
        ),
    )
    asked = Period(start_s=72_000, end_s=0, name="evening")
    spans = spans_in_force(shipped, "workday", asked, good)

    assert [(share, at[c].id) for share, at in spans] == [(0.5, plan.id), (0.5, "late")]
    assert spans_in_force(shipped, "sunday", asked, good) == spans


def test_the_order_of_phases_is_the_same_wherever_it_begins() -> None:
    plan = tiny_plan()
    turned = replace(
        plan,
        reference=None,
        greens=tuple(
            replace(g, windows=tuple(w.later(230, plan.cycle_ds) for w in g.windows))
            for g in plan.greens
        ),
    )
    back = replace(
        plan,
        reference=None,
        greens=tuple(
            replace(
                g,
                windows=tuple(
                    replace(w, start_ds=(-w.start_ds) % plan.cycle_ds) for w in g.windows
                ),
            )
            for g in plan.greens
        ),
    )

    assert order_of(turned) == order_of(plan)
    assert order_of(back) != order_of(plan)
