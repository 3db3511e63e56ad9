# SPDX-License-Identifier: Apache-2.0
"""The stages of a plan are its sets of greens, read off the timeline."""

from __future__ import annotations

from lvbo.ids import ControllerId, PhaseId, PlanId
from lvbo.signal.lamp import Lamp
from lvbo.signal.orders import permanent_phases, short_stages, stage_sets
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import Phase

A, B, C = PhaseId("a"), PhaseId("b"), PhaseId("c")
PHASES = tuple(Phase(id=name) for name in (A, B, C))


def plan(cycle_s: float, **windows: list[tuple[float, float]]) -> Plan:
    """Return a plan with windows of (start, length) in seconds."""
    return Plan(
        id=PlanId("x"),
        controller=ControllerId("X"),
        cycle_ds=round(10 * cycle_s),
        offset_ds=0,
        reference=None,
        greens=tuple(
            Greens(
                phase=PhaseId(name),
                windows=tuple(
                    Window(start_ds=round(10 * s), length_ds=round(10 * n)) for s, n in spans
                ),
            )
            for name, spans in sorted(windows.items())
        ),
    )


def test_stages_follow_each_other_as_on_the_street() -> None:
    assert stage_sets(PHASES, plan(90, a=[(0, 40)], b=[(45, 20)], c=[(70, 15)])) == (
        (A,),
        (B,),
        (C,),
    )


def test_phases_that_end_apart_share_a_stage_all_the_same() -> None:
    assert stage_sets(PHASES, plan(90, a=[(0, 40)], b=[(0, 30)], c=[(50, 30)])) == ((A, B), (C,))


def test_an_overlap_is_a_stage_of_its_own_only_where_neither_neighbour_holds_it() -> None:
    lead_lag = plan(90, a=[(0, 50)], b=[(20, 60)])

    assert stage_sets(PHASES, lead_lag) == ((A, B),)


def test_a_green_over_the_end_of_the_cycle_is_one_stage() -> None:
    assert stage_sets(PHASES, plan(60, a=[(50, 30)], b=[(25, 20)])) == ((B,), (A,))


def test_a_phase_that_is_always_green_is_no_part_of_a_stage() -> None:
    listed = plan(60, a=[(0, 25)], b=[(30, 25)], c=[(0, 60)])

    assert stage_sets(PHASES, listed) == ((A,), (B,))
    assert permanent_phases(PHASES, [listed]) == (C,)


def test_a_phase_is_permanent_only_where_every_plan_that_lights_it_keeps_it_lit() -> None:
    always, once = plan(60, c=[(0, 60)]), plan(60, c=[(0, 30)])

    assert permanent_phases(PHASES, [always, plan(60, a=[(0, 20)])]) == (C,)
    assert permanent_phases(PHASES, [always, once]) == ()


def test_a_dark_head_is_never_permanent_nor_a_stage() -> None:
    dark = (Phase(id=A, shows=Lamp.DARK),)

    assert permanent_phases(dark, [plan(60, a=[(0, 60)])]) == ()
    assert stage_sets(dark, plan(60, a=[(0, 30)])) == ()


def test_greens_of_two_seconds_between_others_are_a_transition() -> None:
    assert stage_sets(PHASES, plan(60, a=[(0, 20)], b=[(20, 2)], c=[(25, 30)])) == ((A,), (C,))


def test_a_short_stage_is_told_with_its_place_and_length() -> None:
    lone = plan(60, a=[(0, 20)], b=[(22, 1)], c=[(25, 30)])

    assert short_stages(PHASES, lone) == ((220, 10, (B,)),)


def test_the_short_end_of_a_long_stage_is_no_short_stage() -> None:
    late = plan(60, a=[(0, 20)], b=[(0, 21)], c=[(25, 30)])

    assert short_stages(PHASES, late) == ()
