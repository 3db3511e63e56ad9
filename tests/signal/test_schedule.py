# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lvbo.errors import InputError
from lvbo.ids import ControllerId, PlanId
from lvbo.signal.schedule import Calendar, DayPlan, Period, clock, one_period
from lvbo.signal.transition import Switch, TransitionRule
from lvbo.testing import TINY, tiny_plan, tiny_plans


def hours(*spans: tuple[int, int]) -> tuple[Period, ...]:
    return tuple(Period(start_s=3600 * a, end_s=3600 * b, name=f"{a}") for a, b in spans)


def test_a_period_may_run_over_midnight() -> None:
    (night,) = hours((22, 6))

    assert night.length_s == 8 * 3600
    assert night.holds(23 * 3600)
    assert night.holds(0)
    assert not night.holds(6 * 3600)


@pytest.mark.parametrize(
    "spans", [((0, 12), (11, 24)), ((0, 12), (13, 24)), ((0, 12),), ((6, 22), (22, 5))]
)
def test_periods_that_overlap_or_leave_gaps_are_refused(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(InputError) as caught:
        DayPlan(day_type="workday", periods=hours(*spans))

    assert caught.value.code == "LV310"


def test_each_controller_runs_the_plan_of_the_hour() -> None:
    plans = tiny_plans()

    assert plans.running("workday", 12 * 3600)[TINY].id == "P1"
    assert plans.running("workday", 22 * 3600)[TINY].id == "P2"
    assert plans.running("workday", 5 * 3600)[TINY].id == "P2"
    assert plans.plan(TINY, "workday", "day").cycle_ds == 1000


def test_a_named_date_goes_before_its_weekday() -> None:
    calendar = Calendar(dates=((date(2026, 2, 17), "holiday"),))

    assert calendar.day_type(date(2026, 2, 17)) == "holiday"
    assert calendar.day_type(date(2026, 2, 18)) == "workday"
    assert calendar.day_type(date(2026, 2, 21)) == "weekend"


def test_a_schedule_that_calls_a_lost_plan_is_refused() -> None:
    plans = tiny_plans()
    with pytest.raises(InputError) as caught:
        replace(plans, plans=plans.plans[:1])

    assert caught.value.code == "LV311"
    assert caught.value.fields["plan"] == "P2"


def test_plans_are_put_in_place_of_those_with_their_name() -> None:
    plans = one_period([tiny_plan()]).with_plans([tiny_plan(7)])

    assert plans.plan_index[TINY, PlanId("P1")].offset_s == 7
    assert plans.controllers == (TINY,)


def test_clocks_read_as_people_write_them() -> None:
    assert [clock(s) for s in (0, 27_000, 27_005, 86_400)] == [
        "00:00",
        "07:30",
        "07:30:05",
        "24:00",
    ]


def test_a_part_of_a_set_keeps_when_its_plans_run() -> None:
    plans = tiny_plans()

    assert plans.only({TINY}) == plans
    assert plans.only(()).plans == ()
    assert plans.only(()).running("workday", 12 * 3600) == {}


@pytest.mark.parametrize(
    ("begin_s", "end_s", "ids"),
    [
        (7 * 3600, 8 * 3600, ["P1"]),
        (21 * 3600, 22 * 3600, ["P1"]),
        (21 * 3600, 22 * 3600 + 1, ["P1", "P2"]),
        (23 * 3600, 30 * 3600, ["P2"]),
        (23 * 3600, 31 * 3600, ["P1", "P2"]),
    ],
)
def test_the_plans_of_a_span_are_those_that_run_in_it(
    begin_s: int, end_s: int, ids: list[str]
) -> None:
    found = tiny_plans().within("workday", begin_s, end_s)

    assert [plan.id for plan in found] == ids


def test_rules_of_transition_follow_where_their_switch_and_controller_are() -> None:
    plans = tiny_plans()
    there = Switch(day_type="workday", before="day", after="night")
    gone = Switch(day_type="workday", before="am", after="pm")
    rules = (
        TransitionRule(longer=0.1),
        TransitionRule(longer=0.2, switch=there),
        TransitionRule(longer=0.3, switch=gone),
        TransitionRule(longer=0.4, controller=ControllerId("elsewhere")),
    )

    assert plans.with_transitions_of(plans.with_transitions(rules)).transitions == rules[:2]


def test_the_switches_of_a_day_follow_each_other_round_midnight() -> None:
    day = tiny_plans().day_plan("workday")
    whole = one_period(tiny_plans().plans[:1]).day_plans[0]

    assert [(s.before, s.after) for s in day.switches] == [("night", "day"), ("day", "night")]
    assert day.switch_into(3 * 3600) == day.switches[1]
    assert day.switch_into(12 * 3600) == day.switches[0]
    assert whole.switches == ()
