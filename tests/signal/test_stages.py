# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from lvbo.errors import PlanError
from lvbo.ids import PhaseId, PlanId, StageId
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import IntergreenMatrix, SignalRules
from lvbo.signal.stages import StageWish, as_stages, from_stages
from lvbo.testing import (
    EW,
    EWL,
    NS,
    NSL,
    TINY,
    WALK,
    head_rules,
    legal_plans,
    tiny_plan,
    tiny_rules,
)


def wish(name: str, phases: tuple[PhaseId, ...], green_s: int) -> StageWish:
    return StageId(name), phases, 10 * green_s


FOUR = (
    wish("A", (NS, WALK), 20),
    wish("A2", (NS,), 10),
    wish("B", (NSL,), 15),
    wish("C", (EW,), 25),
    wish("D", (EWL,), 10),
)


def built(
    stages: tuple[StageWish, ...], rules: SignalRules | None = None, reference: PhaseId = NS
) -> Plan:
    return from_stages(PlanId("P1"), TINY, rules or tiny_rules(), stages, 120, reference)


def test_stages_give_the_timeline_an_engineer_would_draw() -> None:
    plan = built(FOUR)

    assert plan.cycle_ds == 1000
    assert plan.offset_ds == 120
    assert plan.windows_of(NS) == (Window(start_ds=0, length_ds=300, yellow_ds=30),)
    assert plan.windows_of(WALK) == (Window(start_ds=0, length_ds=200),)
    assert plan.windows_of(NSL) == (Window(start_ds=350, length_ds=150, yellow_ds=30),)
    assert plan.windows_of(EW) == (Window(start_ds=550, length_ds=250, yellow_ds=30),)
    assert plan.windows_of(EWL) == (Window(start_ds=850, length_ds=100, yellow_ds=30),)
    assert [stage.interstage_ds for stage in plan.stages] == [0, 50, 50, 50, 50]


def test_a_walk_ends_early_inside_its_stage_so_that_vehicles_need_not_wait_for_it() -> None:
    plan = built((wish("A", (NS, WALK), 20), wish("A2", (NS,), 2), *FOUR[2:]))

    assert plan.stages[1].interstage_ds == 50
    assert plan.windows_of(WALK)[0].length_ds == 150
    assert is_safe(plan, tiny_rules())


def test_a_walk_that_could_not_clear_in_time_is_refused() -> None:
    with pytest.raises(PlanError, match="LV333"):
        built((wish("A", (NS, WALK), 5), *FOUR[2:]))


def test_the_reference_may_be_any_phase_and_then_starts_the_cycle() -> None:
    plan = built(FOUR, reference=EW)

    assert plan.offset_ds == 120
    assert plan.windows_of(EW)[0].start_ds == 0
    assert plan.windows_of(NS)[0].start_ds == 450


def test_a_phase_in_every_stage_is_permanent() -> None:
    free = PhaseId("FREE")
    rules = tiny_rules()
    rules = replace(rules, phases=(*rules.phases, replace(rules.phases[0], id=free)))
    plan = built(tuple((name, (*phases, free), green) for name, phases, green in FOUR), rules)

    assert plan.windows_of(free)[0].length_ds == plan.cycle_ds
    assert as_stages(replace(plan, stages=()), rules) is not None


def test_a_head_that_goes_on_by_its_mate_gets_no_yellow_between() -> None:
    lp, lg, opp = PhaseId("LP"), PhaseId("LG"), PhaseId("OPP")
    stages = (wish("A", (opp, lp), 20), wish("B", (lp,), 7), wish("C", (lg,), 9))
    plan = built(stages, head_rules(), opp)

    assert plan.windows_of(lp) == (Window(start_ds=0, length_ds=300),)
    assert plan.windows_of(lg) == (Window(start_ds=300, length_ds=90, yellow_ds=30),)
    assert plan.cycle_ds == 440
    assert is_safe(plan, head_rules())


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ((), "LV330"),
        ((wish("A", (PhaseId("X"),), 10),), "LV331"),
        ((wish("A", (NS, EW), 10),), "LV332"),
        ((wish("A", (NS,), 0),), "LV333"),
        ((wish("A", (EW,), 10),), "LV334"),
    ],
)
def test_a_wrong_stage_sequence_is_refused(stages: tuple[StageWish, ...], code: str) -> None:
    with pytest.raises(PlanError) as caught:
        built(stages)

    assert caught.value.code == code


def test_an_unknown_intergreen_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        built(FOUR, replace(tiny_rules(), intergreens=IntergreenMatrix()))

    assert caught.value.code == "LV335"


def test_the_stages_of_a_timeline_are_found_again() -> None:
    plan = built(FOUR)
    found = as_stages(replace(plan, stages=()), tiny_rules())

    assert found is not None
    assert [(s.phases, s.green_ds, s.interstage_ds) for s in found] == [
        (s.phases, s.green_ds, s.interstage_ds) for s in plan.stages
    ]


def test_a_timeline_with_a_late_start_under_two_seconds_has_no_stages() -> None:
    plan = tiny_plan()
    (walk,) = plan.windows_of(WALK)
    late = replace(walk, start_ds=10, length_ds=walk.length_ds - 10)
    greens = tuple(replace(g, windows=(late,)) if g.phase == WALK else g for g in plan.greens)

    assert as_stages(replace(plan, greens=greens), tiny_rules()) is None


def test_kept_stages_that_no_longer_give_the_timeline_are_not_returned() -> None:
    plan = replace(tiny_plan(), stages=built(FOUR).stages)
    found = as_stages(plan, tiny_rules())

    assert found is not None
    assert found != plan.stages
    assert found[0].green_ds == 230


def test_a_phase_that_breaks_between_two_stages_needs_a_clearance_stage() -> None:
    a, b, c = PhaseId("LP"), PhaseId("OPP"), PhaseId("LG")
    windows = (
        Window(start_ds=0, length_ds=200, yellow_ds=30),
        Window(start_ds=230, length_ds=200, yellow_ds=30),
    )
    greens = (
        Greens(phase=a, windows=windows),
        Greens(phase=b, windows=windows[:1]),
        Greens(phase=c, windows=windows[1:]),
    )
    plan = replace(tiny_plan(), cycle_ds=460, greens=greens, reference=a, offset_ds=0)
    found = as_stages(plan, head_rules())

    assert found is not None
    assert [(s.phases, s.green_ds) for s in found] == [
        ((a, b), 200),
        ((), 30),
        ((c, a), 200),
        ((), 30),
    ]


@given(legal_plans())
def test_stages_found_in_a_plan_give_the_plan(case: tuple[SignalRules, Plan]) -> None:
    rules, plan = case
    found = as_stages(plan, rules)

    if found is not None and all(stage.phases for stage in found):
        wishes = [(s.id, s.phases, s.green_ds) for s in found]
        again = from_stages(
            plan.id, plan.controller, rules, wishes, plan.offset_ds, plan.reference or PhaseId("")
        )
        assert is_safe(again, rules)
        assert again.cycle_ds <= plan.cycle_ds
        assert as_stages(again, rules) is again.stages
