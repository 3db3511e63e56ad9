# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.errors import PlanError
from lvbo.ids import MovementId, PhaseId
from lvbo.progression.clocks import clock_findings, is_counted_on, surely_green
from lvbo.progression.usable import going_phases, usable_greens
from lvbo.progression.wave import WaveSettings
from lvbo.signal.lamp import Countdown, Right
from lvbo.signal.rules import Clock, Service
from lvbo.testing.tiny import EW, NS, NSL, TINY, tiny_controller, tiny_plan, tiny_rules

PLAIN = WaveSettings(end_trim_s=1.0)


def green_ms(settings: WaveSettings, *, flash: bool = True, counted: bool = False) -> int:
    """Return the usable green of the north-south phase of the tiny plan."""
    rules = tiny_rules()
    if not flash:
        rules = replace(rules, phases=tuple(replace(p, flash_ds=0) for p in rules.phases))
    if counted:
        rules = replace(rules, countdown=Countdown.FULL)
    controller = replace(tiny_controller(), rules=rules)
    ((_, length),) = usable_greens(tiny_plan(), (NS,), settings, controller, "here")
    return length


def test_a_green_ends_for_a_band_where_its_flash_begins() -> None:
    """The flash of 3 s is longer than the trim of 1 s."""
    shown = 100 * tiny_plan().green_ds(NS)

    assert green_ms(PLAIN, flash=False) == shown - 1_000
    assert green_ms(PLAIN) == shown - 3_000
    assert green_ms(replace(PLAIN, end_trim_s=4.0)) == shown - 4_000


def test_a_countdown_takes_its_own_trim_beside_the_flash() -> None:
    counting = replace(PLAIN, countdown_trim_s=1.5)

    assert green_ms(counting) == green_ms(PLAIN)
    assert green_ms(counting, counted=True) == green_ms(PLAIN) - 1_500


def test_a_plan_without_green_for_the_street_is_refused() -> None:
    with pytest.raises(PlanError) as refused:
        usable_greens(tiny_plan(), (PhaseId("none"),), PLAIN, None, str(TINY))

    assert refused.value.code == "LV453"


def test_a_clock_that_may_be_off_takes_from_both_ends_of_a_green() -> None:
    """2 s a day, set every 12 h: off by 1 s at most to either side."""
    clock = Clock(drift_s_pd=2, set_every_h=12)

    assert surely_green([(5_000, 30_000), (0, 100_000)], clock, 100_000) == (
        (6_000, 28_000),
        (0, 100_000),
    )


def test_a_wave_does_not_count_on_a_clock_that_nobody_sees_or_that_is_far_off() -> None:
    clocks = (
        Clock(),
        Clock(drift_s_pd=4),
        Clock(drift_s_pd=2),
        Clock(drift_s_pd=2, set_every_h=96),
    )
    hidden = Clock(linked=False)
    controllers = [replace(tiny_controller(), clock=c) for c in (*clocks, hidden)]
    found = list(clock_findings(controllers, "here"))

    assert [is_counted_on(c.clock) for c in controllers] == [True, True, True, False, False]
    assert [f.code for f in found] == ["LV455", "LV455", "LV449", "LV448"]
    assert [f.severity for f in found[:2]] == ["warning", "advice"]


def test_a_movement_goes_by_what_its_plan_lights() -> None:
    """Protected before permitted; a plan that lights neither gives it nothing."""
    go, left = MovementId(f"go {NS}"), MovementId(f"go {NSL}")
    rules = tiny_rules()
    also = Service(phase=EW, right=Right.PERMITTED, movement=left)
    rules = replace(rules, services=(*rules.services, also))
    plan = tiny_plan()
    without = replace(plan, greens=tuple(g for g in plan.greens if g.phase != NSL))
    dark = replace(without, greens=tuple(g for g in without.greens if g.phase != EW))

    assert going_phases(rules, go, plan) == (NS,)
    assert going_phases(rules, left, plan) == (NSL,)
    assert going_phases(rules, left, without) == (EW,)
    assert going_phases(rules, left, dark) == ()
    assert going_phases(rules, MovementId("free"), plan) is None
