# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.errors import PlanError
from lvbo.ids import PhaseId
from lvbo.progression.usable import usable_greens
from lvbo.progression.wave import WaveSettings
from lvbo.signal.lamp import Countdown
from lvbo.testing.tiny import NS, TINY, tiny_plan, tiny_rules

PLAIN = WaveSettings(end_trim_s=1.0)


def green_ms(settings: WaveSettings, *, flash: bool = True, counted: bool = False) -> int:
    """Return the usable green of the north-south phase of the tiny plan."""
    rules = tiny_rules()
    if not flash:
        rules = replace(rules, phases=tuple(replace(p, flash_ds=0) for p in rules.phases))
    if counted:
        rules = replace(rules, countdown=Countdown.FULL)
    ((_, length),) = usable_greens(tiny_plan(), (NS,), settings, rules, "here")
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
