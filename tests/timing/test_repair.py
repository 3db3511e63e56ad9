# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import InfeasibleError
from lvbo.ids import ControllerId, PhaseId, PlanId
from lvbo.signal.check import is_safe
from lvbo.signal.lamp import Conflict, Lamp, Right
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import (
    ConflictMatrix,
    IntergreenMatrix,
    Phase,
    PhaseLimits,
    Service,
    SignalRules,
)
from lvbo.timing.insert import insert_clearance, made_safe
from lvbo.timing.repair import repair_clearance

MAIN, SIDE = PhaseId("main"), PhaseId("side")


def rules_of(intergreen_ds: int, min_green_ds: int = 50) -> SignalRules:
    return SignalRules(
        phases=(Phase(id=MAIN), Phase(id=SIDE)),
        conflicts=ConflictMatrix(pairs=((MAIN, SIDE, Conflict.FORBIDDEN),)),
        intergreens=IntergreenMatrix(
            pairs=((MAIN, SIDE, intergreen_ds), (SIDE, MAIN, intergreen_ds))
        ),
        limits=(
            PhaseLimits(phase=MAIN, min_green_ds=min_green_ds),
            PhaseLimits(phase=SIDE, min_green_ds=min_green_ds),
        ),
    )


def plan_of(main: tuple[int, int], side: tuple[int, int], cycle_ds: int = 600) -> Plan:
    greens = [
        Greens(phase=name, windows=(Window(start_ds=start, length_ds=length, yellow_ds=30),))
        for name, (start, length) in ((MAIN, main), (SIDE, side))
    ]
    return referenced(PlanId("1"), ControllerId("A"), cycle_ds, greens, MAIN, 70)


def test_a_safe_plan_is_returned_as_it_is() -> None:
    plan = plan_of((0, 300), (350, 200))

    assert repair_clearance(plan, rules_of(50)) is plan
    assert insert_clearance(plan, rules_of(50)) is plan


def test_the_longer_green_gives_what_is_missing_at_the_same_cycle() -> None:
    repaired = repair_clearance(plan_of((0, 350), (380, 190)), rules_of(50))

    assert repaired.cycle_ds == 600
    assert repaired.green_ds(MAIN) == 310
    assert repaired.green_ds(SIDE) == 190
    assert is_safe(repaired, rules_of(50))


def test_a_start_that_moves_later_moves_the_offset_with_it() -> None:
    repaired = repair_clearance(plan_of((0, 350), (400, 190)), rules_of(50))

    assert repaired.offset_ds == 110
    assert repaired.windows_of(MAIN)[0].length_ds == 310


def test_a_cycle_too_short_for_the_clearance_is_infeasible() -> None:
    with pytest.raises(InfeasibleError) as told:
        repair_clearance(plan_of((0, 60), (80, 60), cycle_ds=160), rules_of(50))

    assert told.value.code == "LV604"
    assert told.value.conflict


def test_put_in_time_lengthens_the_cycle_and_no_green() -> None:
    plan = plan_of((0, 60), (80, 60), cycle_ds=160)
    grown = insert_clearance(plan, rules_of(50))

    assert grown.cycle_ds == 220
    assert (grown.green_ds(MAIN), grown.green_ds(SIDE)) == (60, 60)
    assert made_safe(plan, rules_of(50)).cycle_ds == 220


def test_a_head_that_hands_over_to_another_lamp_stays_joined() -> None:
    through, left, arrow = PhaseId("through"), PhaseId("left/p"), PhaseId("left")
    rules = SignalRules(
        phases=(Phase(id=through), Phase(id=left, shows=Lamp.PERMITTED), Phase(id=arrow)),
        services=tuple(
            Service(phase=phase, right=right, movement=None, crossing=None)
            for phase, right in ((left, Right.PERMITTED), (arrow, Right.PROTECTED))
        ),
        conflicts=ConflictMatrix(pairs=((through, arrow, Conflict.FORBIDDEN),)),
        intergreens=IntergreenMatrix(pairs=((through, arrow, 60), (arrow, through, 30))),
    )
    greens = [
        Greens(phase=through, windows=(Window(start_ds=0, length_ds=80, yellow_ds=30),)),
        Greens(phase=left, windows=(Window(start_ds=0, length_ds=110),)),
        Greens(phase=arrow, windows=(Window(start_ds=110, length_ds=400, yellow_ds=30),)),
    ]
    plan = referenced(PlanId("1"), ControllerId("A"), 600, greens, through, 0)
    repaired = repair_clearance(plan, rules)
    permitted, protected = repaired.windows_of(left)[0], repaired.windows_of(arrow)[0]

    assert is_safe(repaired, rules)
    assert permitted.end_ds == protected.start_ds == 140


@given(
    st.integers(40, 400), st.integers(0, 80), st.integers(40, 400), st.integers(0, 80),
    st.integers(30, 120),
)  # fmt: skip
def test_whatever_is_repaired_keeps_the_rules_and_the_cycle(
    main: int, first_gap: int, side: int, second_gap: int, intergreen: int
) -> None:
    cycle = main + first_gap + side + second_gap
    plan = plan_of((0, main), (main + first_gap, side), cycle_ds=cycle)
    rules = rules_of(intergreen)
    fits = cycle >= 2 * intergreen + 100

    if fits:
        repaired = repair_clearance(plan, rules)

        assert is_safe(repaired, rules)
        assert repaired.cycle_ds == cycle
    grown = made_safe(plan, rules)

    assert is_safe(grown, rules)
    assert grown.cycle_ds >= cycle


def test_greens_pushed_round_the_whole_cycle_are_infeasible_not_an_error_of_the_plan() -> None:
    tight = rules_of(200)

    with pytest.raises(InfeasibleError):
        repair_clearance(plan_of((0, 100), (110, 100), cycle_ds=300), tight)
