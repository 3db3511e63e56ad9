# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvbo.errors import PlanError
from lvbo.ids import PhaseId, PlanId
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import Phase, SignalRules
from lvbo.testing import EW, NS, NSL, TINY, tiny_plan, tiny_rules


def test_a_larger_offset_is_later() -> None:
    plan = tiny_plan(offset_s=60)

    assert plan.local_ds(600) == 0
    assert plan.later(5).offset_ds == 650
    assert plan.later(5).local_ds(650) == 0
    assert plan.later(45).offset_ds == 50
    assert plan.at_offset(1050).offset_ds == 50


def test_a_head_shows_green_then_yellow_then_red() -> None:
    plan, phase = tiny_plan(), tiny_rules().phase_index[NS]
    shown = {s: plan.lamp(phase, 10 * s) for s in (0, 29, 30, 32, 33, 99)}

    assert shown == {
        0: Lamp.GREEN,
        29: Lamp.GREEN,
        30: Lamp.YELLOW,
        32: Lamp.YELLOW,
        33: Lamp.RED,
        99: Lamp.RED,
    }


def test_red_amber_comes_before_the_window_also_over_the_end_of_the_cycle() -> None:
    window = Window(start_ds=0, length_ds=200, yellow_ds=30, red_amber_ds=20)
    plan = replace(tiny_plan(), greens=(Greens(phase=NS, windows=(window,)),))
    phase = tiny_rules().phase_index[NS]

    assert plan.lamp(phase, 975) is Lamp.RED
    assert plan.lamp(phase, 985) is Lamp.RED_AMBER


@given(turn=st.integers(0, 999), start=st.integers(0, 999), clock=st.integers(0, 5000))
def test_a_new_reference_leaves_the_lamps_on_the_street_as_they_were(
    turn: int, start: int, clock: int
) -> None:
    turned = [
        Greens(phase=g.phase, windows=tuple(sorted(w.later(turn, 1000) for w in g.windows)))
        for g in tiny_plan().greens
    ]
    one = referenced(PlanId("P"), TINY, 1000, turned, NS, start)
    other = referenced(PlanId("P"), TINY, 1000, turned, EW, start)

    for phase in tiny_rules().phases:
        shown = {plan.lamp(phase, plan.local_ds(clock)) for plan in (one, other)}
        assert len(shown) == 1


def test_a_permanent_green_stays_where_it_is_when_the_reference_moves() -> None:
    greens = (
        Greens(phase=NS, windows=(Window(start_ds=0, length_ds=1000),)),
        Greens(phase=EW, windows=(Window(start_ds=300, length_ds=100),)),
    )
    plan = referenced(PlanId("P"), TINY, 1000, greens, EW, 0)

    assert plan.offset_ds == 300
    assert plan.windows_of(NS) == (Window(start_ds=0, length_ds=1000),)
    assert plan.green_ds(NS) == 1000
    assert plan.windows_of(NSL) == ()


def wrong(**changes: object) -> Plan:
    return replace(tiny_plan(), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cycle_ds": 0}, "LV301"),
        ({"cycle_ds": 200}, "LV302"),
        ({"greens": (Greens(phase=NS, windows=(Window(start_ds=0, length_ds=0),)),)}, "LV302"),
        ({"offset_ds": 1000}, "LV303"),
        ({"offset_ds": -1}, "LV303"),
        ({"reference": EW}, "LV304"),
        ({"reference": PhaseId("none")}, "LV304"),
    ],
)
def test_a_wrong_plan_cannot_be_built(changes: dict[str, object], code: str) -> None:
    with pytest.raises(PlanError) as caught:
        wrong(**changes)

    assert caught.value.code == code
    assert caught.value.exit_code == 3


def test_a_phase_listed_twice_cannot_be_built() -> None:
    with pytest.raises(PlanError) as caught:
        SignalRules(phases=(Phase(id=NS), Phase(id=NS)))

    assert caught.value.code == "LV300"
