# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lvbo.ids import PhaseId
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import IntergreenMatrix, Phase, PhaseLimits, SignalRules
from lvbo.signal.watch import LampChecker, Violation
from lvbo.testing import (
    EW,
    EWL,
    NS,
    NSL,
    WALK,
    head_rules,
    lamp_rows,
    legal_plans,
    tiny_plan,
    tiny_rules,
)

G, Y, R, P, RA, DARK = (
    Lamp.GREEN,
    Lamp.YELLOW,
    Lamp.RED,
    Lamp.PERMITTED,
    Lamp.RED_AMBER,
    Lamp.DARK,
)


def watched(plan: Plan, rules: SignalRules) -> tuple[Violation, ...]:
    rows = lamp_rows(plan, rules)
    return LampChecker(rules).see_all(10 * np.arange(len(rows)), np.array(rows))


def shown(rules: SignalRules, spans: list[tuple[int, list[Lamp]]]) -> list[tuple[str, float]]:
    """Show rows of lamps for some seconds each; return the codes and seconds of what was found."""
    rows = [row for seconds, row in spans for _ in range(seconds)]
    found = LampChecker(rules).see_all(10 * np.arange(len(rows)), np.array(rows))
    return [(v.code, v.second) for v in found]


def with_windows(plan: Plan, phase: PhaseId, windows: tuple[Window, ...]) -> Plan:
    greens = tuple(
        Greens(phase=phase, windows=windows) if g.phase == phase else g for g in plan.greens
    )
    return replace(plan, greens=greens, reference=None)


def two_phases(*, red_amber_ds: int = 0) -> SignalRules:
    """Return NS and EW of the tiny rules alone: intergreen 5 s, yellow 3 s, minimum green 5 s."""
    rules = tiny_rules()
    return replace(
        rules,
        phases=(Phase(id=NS, red_amber_ds=red_amber_ds), Phase(id=EW)),
        limits=(PhaseLimits(phase=NS), PhaseLimits(phase=EW)),
        follows=(),
    )


@given(legal_plans())
def test_nothing_is_found_in_the_lamps_of_a_legal_plan(case: tuple[SignalRules, Plan]) -> None:
    rules, plan = case

    assert watched(plan, rules) == ()


@given(legal_plans(), st.data())
def test_a_green_that_starts_one_second_into_its_clearance_is_found(
    case: tuple[SignalRules, Plan], data: st.DataObject
) -> None:
    rules, plan = case
    tight = [
        (a, b)
        for a, b, need in rules.foes
        for x in plan.windows_of(a)
        for y in plan.windows_of(b)
        if (y.start_ds - x.end_ds) % plan.cycle_ds == need
    ]
    assume(tight)
    ending, starting = data.draw(st.sampled_from(tight))
    (window,) = plan.windows_of(starting)
    early = replace(
        window,
        start_ds=(window.start_ds - 10) % plan.cycle_ds,
        length_ds=window.length_ds + 10,
    )
    found = watched(with_windows(plan, starting, (early,)), rules)

    assert ("LV321", (ending, starting)) in {(v.code, v.phases) for v in found}


@given(legal_plans(), st.data())
def test_a_window_shifted_by_its_whole_slack_and_a_second_is_found(
    case: tuple[SignalRules, Plan], data: st.DataObject
) -> None:
    rules, plan = case
    moved = data.draw(st.sampled_from([g.phase for g in plan.greens]))
    (window,) = plan.windows_of(moved)
    slack = [
        (y.start_ds - window.end_ds) % plan.cycle_ds - need
        for a, b, need in rules.foes
        if a == moved and need is not None
        for y in plan.windows_of(b)
    ]
    assume(slack)
    later = window.later(min(slack) + 10, plan.cycle_ds)

    assert watched(with_windows(plan, moved, (later,)), rules)


@given(legal_plans(), st.data())
def test_two_phases_swapped_are_found(case: tuple[SignalRules, Plan], data: st.DataObject) -> None:
    rules, plan = case
    mixed = [
        (a, b)
        for a, b, _ in rules.foes
        for c in plan.index
        if c not in (a, b)
        and rules.forbidden(b, c)
        and plan.windows_of(a)[0].start_ds == plan.windows_of(c)[0].start_ds
    ]
    assume(mixed)
    a, b = data.draw(st.sampled_from(mixed))
    swapped = with_windows(with_windows(plan, a, plan.windows_of(b)), b, plan.windows_of(a))

    assert "LV320" in {v.code for v in watched(swapped, rules)}


@given(legal_plans(), st.data())
def test_a_dropped_yellow_is_found(case: tuple[SignalRules, Plan], data: st.DataObject) -> None:
    rules, plan = case
    phase = data.draw(st.sampled_from([g.phase for g in plan.greens]))
    (window,) = plan.windows_of(phase)
    found = watched(with_windows(plan, phase, (replace(window, yellow_ds=0),)), rules)

    assert {(v.code, v.phases) for v in found} == {("LV324", (phase,))}


@given(legal_plans(), st.data())
def test_a_yellow_one_second_short_is_found(
    case: tuple[SignalRules, Plan], data: st.DataObject
) -> None:
    rules, plan = case
    phase = data.draw(st.sampled_from([g.phase for g in plan.greens]))
    (window,) = plan.windows_of(phase)
    short = replace(window, yellow_ds=window.yellow_ds - 10)
    found = watched(with_windows(plan, phase, (short,)), rules)

    assert {(v.code, v.phases) for v in found} == {("LV325", (phase,))}
    assert all(v.measured_ds == short.yellow_ds for v in found)


@given(st.lists(st.lists(st.sampled_from([R, RA, Y, G]), min_size=5, max_size=5), max_size=40))
def test_looking_step_by_step_finds_what_looking_at_all_finds(rows: list[list[Lamp]]) -> None:
    rules = tiny_rules()
    one, all_at_once = LampChecker(rules), LampChecker(rules)
    steps = [v for t, row in enumerate(rows) for v in one.see(10 * t, row)]

    assert tuple(steps) == all_at_once.see_all(10 * np.arange(len(rows)), np.array(rows))


@st.composite
def any_plan(draw: st.DrawFn, rules: SignalRules) -> Plan:
    """Return a plan with greens anywhere, and yellows that may be short."""
    greens = []
    for phase in rules.phases:
        start, length = draw(st.integers(0, 39)), draw(st.integers(3, 40))
        window = Window(
            start_ds=10 * start,
            length_ds=10 * length,
            yellow_ds=min(phase.yellow_ds, 10 * draw(st.integers(2, 9))) if length < 40 else 0,
        )
        if draw(st.booleans()):
            greens.append(Greens(phase=phase.id, windows=(window,)))
    return replace(tiny_plan(), cycle_ds=400, greens=tuple(greens), reference=None)


PLAIN = replace(
    tiny_rules(),
    phases=tuple(replace(phase, flash_ds=0) for phase in tiny_rules().phases),
    follows=(),
)


@settings(max_examples=300)
@given(any_plan(PLAIN))
def test_the_checker_and_the_plan_check_agree_on_any_plan(plan: Plan) -> None:
    assert is_safe(plan, PLAIN) == (watched(plan, PLAIN) == ())


@settings(max_examples=300)
@given(any_plan(head_rules()))
def test_the_two_agree_also_where_phases_share_a_head(plan: Plan) -> None:
    assert is_safe(plan, head_rules()) == (watched(plan, head_rules()) == ())


def test_lamps_may_be_given_by_phase() -> None:
    checker = LampChecker(tiny_rules())

    assert checker.see(0, {NS: Lamp.GREEN}) == ()
    assert [v.code for v in checker.see(10, {NS: Lamp.GREEN, EW: Lamp.GREEN})] == ["LV320"]


def test_conflicting_greens_are_told_once_with_the_second_they_began() -> None:
    found = shown(two_phases(), [(10, [G, R]), (3, [G, G]), (3, [Y, G]), (9, [R, G])])

    assert found == [("LV320", 10.0)]


def test_a_clash_that_goes_on_while_another_head_changes_is_told_once() -> None:
    rows = [[G, R, G, R, R], [G, R, G, R, R], [G, R, G, R, G], [G, R, G, R, G]]
    found = LampChecker(tiny_rules()).see_all(10 * np.arange(4), np.array(rows))

    assert [(v.code, v.phases, v.second) for v in found] == [
        ("LV320", (NS, EW), 0.0),
        ("LV320", (EW, WALK), 2.0),
    ]


def test_a_green_that_was_there_at_first_sight_is_not_judged_by_its_length() -> None:
    rows = [(1, [G, R, R, R, R]), (2, [G, R, R, R, G]), (3, [Y, R, R, R, G])]

    assert shown(tiny_rules(), [*rows, (9, [R, R, R, R, G])]) == []


def test_greens_that_clash_at_first_sight_are_found() -> None:
    assert shown(two_phases(), [(10, [G, G])]) == [("LV320", 0.0)]


def test_an_intergreen_says_what_was_measured_and_required() -> None:
    rules = two_phases()
    rows = [[G, R]] * 10 + [[Y, R]] * 3 + [[R, R]] + [[R, G]] * 10
    (found,) = LampChecker(rules).see_all(10 * np.arange(len(rows)), np.array(rows))

    assert (found.code, found.phases, found.second) == ("LV321", (NS, EW), 14.0)
    assert (found.measured_ds, found.required_ds) == (40, 50)
    assert found.finding("tiny").fields == {
        "phases": "NS, EW",
        "at_s": 14.0,
        "found_s": 4.0,
        "least_s": 5.0,
    }


def test_a_change_between_phases_without_a_known_intergreen_is_found() -> None:
    rules = replace(two_phases(), intergreens=IntergreenMatrix())
    found = shown(rules, [(10, [G, R]), (3, [Y, R]), (60, [R, R]), (9, [R, G])])

    assert found == [("LV322", 73.0)]


def test_a_minimum_green_is_judged_only_where_its_start_was_seen() -> None:
    cut = [(3, [G, R]), (3, [Y, R]), (5, [R, R]), (4, [G, R]), (3, [Y, R]), (1, [R, R])]

    assert shown(two_phases(), cut) == [("LV323", 15.0)]


def test_a_green_that_is_switched_off_needs_no_yellow() -> None:
    assert shown(two_phases(), [(10, [G, R]), (5, [DARK, DARK])]) == []


def test_a_red_amber_must_end_in_green() -> None:
    rules = two_phases(red_amber_ds=20)

    assert shown(rules, [(5, [R, R]), (2, [RA, R]), (9, [G, R])]) == []
    assert shown(rules, [(5, [R, R]), (2, [RA, R]), (9, [R, R])]) == [("LV326", 7.0)]


def test_a_lamp_the_phase_does_not_have_is_found() -> None:
    assert shown(two_phases(), [(5, [R, R]), (9, [P, R])]) == [("LV327", 5.0)]
    checker = LampChecker(two_phases())
    assert [v.code for v in checker.see(0, [99, 0])] == ["LV327"]


def test_a_head_that_turns_from_permitted_to_protected_has_not_ended() -> None:
    rows = [(5, [R, R, R]), (20, [P, R, G]), (3, [P, R, Y]), (2, [P, R, R]), (2, [R, G, R])]

    assert shown(head_rules(), [*rows, (3, [R, Y, R]), (9, [R, R, R])]) == []


def test_the_foe_of_a_protected_green_waits_though_its_head_goes_on_permitted() -> None:
    soon = [(5, [R, R, R]), (10, [R, G, R]), (2, [P, R, R]), (9, [P, R, G])]
    late = [(5, [R, R, R]), (10, [R, G, R]), (5, [P, R, R]), (9, [P, R, G])]

    assert shown(head_rules(), soon) == [("LV321", 17.0)]
    assert shown(head_rules(), late) == []


def test_a_head_of_two_phases_still_needs_its_yellow_and_minimum_green() -> None:
    cut = [(5, [R, R, R]), (2, [P, R, R]), (2, [R, G, R]), (9, [R, R, R])]

    assert {code for code, _ in shown(head_rules(), cut)} == {"LV323", "LV324"}


def test_the_tiny_plan_shows_nothing_wrong_and_its_lefts_cut_by_a_second_do() -> None:
    plan, rules = tiny_plan(), tiny_rules()
    (left,) = plan.windows_of(EWL)
    cut = with_windows(plan, EWL, (replace(left, length_ds=40),))

    assert watched(plan, rules) == ()
    assert {(v.code, v.phases) for v in watched(cut, rules)} == {("LV323", (EWL,))}
    assert NSL in plan.index
