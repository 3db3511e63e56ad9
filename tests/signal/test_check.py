# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from lvbo.errors import Severity
from lvbo.ids import PhaseId
from lvbo.signal.check import check_plan, check_rules, is_safe
from lvbo.signal.lamp import Conflict
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import ConflictMatrix, IntergreenMatrix, PhaseLimits, SignalRules
from lvbo.testing import (
    EW,
    EWL,
    NS,
    NSL,
    WALK,
    head_rules,
    legal_plans,
    plan_of,
    tiny_plan,
    tiny_rules,
)

LEGAL = {NS: (0, 30), NSL: (35, 15), EW: (55, 25), EWL: (85, 10), WALK: (0, 23)}


def plan_with(
    changed: dict[PhaseId, tuple[int, int]], cycle_s: int = 100, rules: SignalRules | None = None
) -> Plan:
    return plan_of(rules or tiny_rules(), {**LEGAL, **changed}, cycle_s=cycle_s, reference=NS)


def errors(plan: Plan, rules: SignalRules | None = None) -> list[str]:
    found = check_plan(plan, rules or tiny_rules())
    return [finding.code for finding in found if finding.severity is Severity.ERROR]


def doubts(plan: Plan, rules: SignalRules | None = None) -> list[str]:
    found = check_plan(plan, rules or tiny_rules())
    return [finding.code for finding in found if finding.severity is not Severity.ERROR]


def without_yellow(plan: Plan, phase: PhaseId) -> Plan:
    greens = tuple(
        replace(g, windows=tuple(replace(w, yellow_ds=0) for w in g.windows))
        if g.phase == phase
        else g
        for g in plan.greens
    )
    return replace(plan, greens=greens)


def test_the_tiny_plan_keeps_every_rule_and_only_its_walk_waits_long() -> None:
    found = check_plan(tiny_plan(), tiny_rules())

    assert [(f.code, f.severity) for f in found] == [("LV231", Severity.ADVICE)]
    assert found[0].fields["wait_s"] == 77


@given(legal_plans())
def test_a_legal_plan_has_no_error(case: tuple[SignalRules, Plan]) -> None:
    rules, plan = case

    assert errors(plan, rules) == []
    assert is_safe(plan, rules)


@given(legal_plans())
def test_safe_means_that_no_error_is_found_however_the_windows_are_moved(
    case: tuple[SignalRules, Plan],
) -> None:
    rules, plan = case
    for moved in plan.greens[1:]:
        later = replace(
            moved, windows=tuple(sorted(w.later(10, plan.cycle_ds) for w in moved.windows))
        )
        greens = tuple(later if g is moved else g for g in plan.greens)
        other = replace(plan, greens=greens, reference=None)

        assert is_safe(other, rules) == (errors(other, rules) == [])


def test_two_conflicting_greens_are_told_once_with_their_overlap() -> None:
    found = check_plan(plan_with({EW: (45, 35)}), tiny_rules())
    clash = [f for f in found if f.code == "LV220"]

    assert len(clash) == 1
    assert clash[0].place == "tiny"
    assert dict(clash[0].fields) == {
        "plan": "P1",
        "first": NSL,
        "second": EW,
        "at_s": 45,
        "overlap_s": 5,
    }


def test_conflicting_greens_that_start_together_are_told_once() -> None:
    assert errors(plan_with({EW: (35, 15)})).count("LV220") == 1


def test_a_permanent_green_clashes_with_every_foe() -> None:
    assert errors(plan_with({WALK: (0, 100)})).count("LV220") == 3


def test_an_intergreen_one_second_short_is_found_with_both_values() -> None:
    found = check_plan(plan_with({EWL: (84, 11)}), tiny_rules())
    short = [f for f in found if f.code == "LV221"]

    assert len(short) == 1
    assert dict(short[0].fields) == {
        "plan": "P1",
        "ending": EW,
        "starting": EWL,
        "found_s": 4,
        "least_s": 5,
        "at_s": 84,
    }


def test_an_intergreen_is_also_measured_over_the_end_of_the_cycle() -> None:
    found = check_plan(plan_with({EWL: (85, 11)}), tiny_rules())
    pairs = {(f.fields["ending"], f.fields["starting"]) for f in found if f.code == "LV221"}

    assert pairs == {(EWL, NS), (EWL, WALK)}


def test_the_clearance_of_a_walk_is_its_own_intergreen() -> None:
    assert errors(plan_with({WALK: (0, 24)})) == ["LV221"]


def test_an_unknown_intergreen_is_not_allowed() -> None:
    rules = tiny_rules()
    pairs = tuple((a, b, None if (a, b) == (NSL, EW) else v) for a, b, v in rules.intergreens.pairs)

    assert errors(tiny_plan(), replace(rules, intergreens=IntergreenMatrix(pairs=pairs))) == [
        "LV222"
    ]
    assert "LV222" in errors(tiny_plan(), replace(rules, intergreens=IntergreenMatrix()))


def test_a_green_below_its_minimum_is_found() -> None:
    assert errors(plan_with({EWL: (85, 4)})) == ["LV223"]


def test_a_green_above_its_maximum_is_found() -> None:
    rules = tiny_rules().with_limits(
        [PhaseLimits(phase=EW, min_green_ds=100, max_green_ds=240, max_red_ds=1200)]
    )

    assert errors(tiny_plan(), rules) == ["LV233"]


def test_a_dropped_yellow_is_found() -> None:
    assert errors(without_yellow(tiny_plan(), EW)) == ["LV224"]


def test_a_second_green_within_the_yellow_cuts_it_short() -> None:
    rules = tiny_rules()
    plan = tiny_plan()
    windows = (
        Window(start_ds=550, length_ds=110, yellow_ds=30),
        Window(start_ds=680, length_ds=120, yellow_ds=30),
    )
    greens = tuple(replace(g, windows=windows) if g.phase == EW else g for g in plan.greens)

    assert errors(replace(plan, greens=greens), rules) == ["LV224"]


def test_two_windows_that_touch_are_one_green() -> None:
    plan = tiny_plan()
    windows = (
        Window(start_ds=550, length_ds=60),
        Window(start_ds=610, length_ds=190, yellow_ds=30),
    )
    greens = tuple(replace(g, windows=windows) if g.phase == EW else g for g in plan.greens)

    assert errors(replace(plan, greens=greens)) == []


def test_a_left_with_a_waiting_area_may_not_be_separated_from_its_through() -> None:
    moved = {NS: (0, 30), EW: (35, 25), NSL: (65, 15), EWL: (85, 10)}

    assert errors(plan_with(moved)) == ["LV225"]


def test_a_left_with_a_waiting_area_may_not_be_left_out() -> None:
    spans = {name: span for name, span in LEGAL.items() if name != NSL}
    plan = plan_of(tiny_rules(), spans, cycle_s=100, reference=NS)

    assert errors(plan) == ["LV225"]
    assert "LV228" in doubts(plan)


def test_a_flash_must_leave_some_steady_green() -> None:
    rules = tiny_rules().with_limits([PhaseLimits(phase=WALK, min_green_ds=50)])

    assert errors(plan_with({WALK: (0, 8)}), rules) == ["LV226"]
    assert errors(plan_with({WALK: (0, 9)}), rules) == []


def test_a_plan_for_another_controller_is_found() -> None:
    plan = tiny_plan()
    greens = (*plan.greens, Greens(phase=PhaseId("X"), windows=(Window(start_ds=0, length_ds=10),)))

    assert errors(replace(plan, greens=greens)) == ["LV235"]


def test_a_red_beyond_the_guarantee_is_a_warning() -> None:
    plan = plan_with({EW: (55, 85), EWL: (145, 10)}, cycle_s=160)

    assert errors(plan) == []
    assert [c for c in doubts(plan) if c == "LV227"] == ["LV227"] * 4


def test_cycles_over_150_s_and_walkers_waiting_over_70_s_are_advice() -> None:
    plan = plan_with({EW: (55, 85), EWL: (145, 10)}, cycle_s=160)
    found = {f.code: f.severity for f in check_plan(plan, tiny_rules())}

    assert found["LV230"] is Severity.ADVICE
    assert found["LV231"] is Severity.ADVICE


def test_a_green_of_one_second_is_doubted() -> None:
    rules = tiny_rules().with_limits([PhaseLimits(phase=EWL, min_green_ds=0)])

    assert "LV232" in doubts(plan_with({EWL: (85, 1)}), rules)


def test_full_greens_for_two_that_should_yield_are_doubted() -> None:
    rules = tiny_rules()
    conflicts = ConflictMatrix(pairs=((NS, WALK, Conflict.YIELD), *rules.conflicts.pairs))

    assert "LV229" in doubts(tiny_plan(), replace(rules, conflicts=conflicts))


def head_plan(spans: dict[str, tuple[int, int, int]], cycle_s: int = 60) -> Plan:
    greens = tuple(
        Greens(
            phase=PhaseId(name),
            windows=(Window(start_ds=10 * start, length_ds=10 * length, yellow_ds=10 * yellow),),
        )
        for name, (start, length, yellow) in sorted(spans.items())
    )
    return replace(tiny_plan(), cycle_ds=10 * cycle_s, greens=greens, reference=None)


def test_a_permitted_green_that_turns_protected_needs_no_yellow_and_no_minimum_of_its_own() -> None:
    plan = head_plan({"OPP": (0, 20, 3), "LP": (0, 25, 0), "LG": (25, 3, 3)})

    assert errors(plan, head_rules()) == []


def test_a_protected_green_that_turns_permitted_still_clears_before_its_foe() -> None:
    early = head_plan({"LG": (0, 10, 0), "LP": (10, 30, 3), "OPP": (12, 28, 3)})
    right = head_plan({"LG": (0, 10, 0), "LP": (10, 30, 3), "OPP": (15, 25, 3)})

    assert errors(early, head_rules()) == ["LV221"]
    assert errors(right, head_rules()) == []


def test_a_head_that_ends_permitted_needs_its_yellow() -> None:
    plan = head_plan({"LG": (0, 10, 0), "LP": (10, 30, 0), "OPP": (15, 25, 3)})

    assert errors(plan, head_rules()) == ["LV224"]


@pytest.mark.parametrize(("length_s", "code"), [(4, ["LV223"]), (5, [])])
def test_the_minimum_green_of_a_head_counts_both_greens(length_s: int, code: list[str]) -> None:
    plan = head_plan({"LP": (0, length_s - 2, 0), "LG": (length_s - 2, 2, 3), "OPP": (20, 10, 3)})

    assert sorted(set(errors(plan, head_rules()))) == code


def test_short_flashes_and_clearances_are_doubts_about_the_rules() -> None:
    rules = tiny_rules()
    phases = tuple(replace(p, flash_ds=40) if p.id == WALK else p for p in rules.phases)
    pairs = tuple((a, b, 20 if (a, b) == (NSL, EW) else v) for a, b, v in rules.intergreens.pairs)
    found = check_rules(
        replace(rules, phases=phases, intergreens=IntergreenMatrix(pairs=pairs)), "tiny"
    )

    assert [f.code for f in found] == ["LV236", "LV234"]
    assert check_rules(rules, "tiny") == ()
