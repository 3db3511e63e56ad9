# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from lvbo.ids import ControllerId, PhaseId, PlanId
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.testing import head_rules
from lvbo.timing.join import join_heads

LP, LG, OPP = PhaseId("LP"), PhaseId("LG"), PhaseId("OPP")


def plan(spans: dict[PhaseId, tuple[int, int]]) -> Plan:
    greens = [
        Greens(phase=p, windows=(Window(start_ds=10 * at, length_ds=10 * length, yellow_ds=30),))
        for p, (at, length) in spans.items()
    ]
    return referenced(PlanId("P"), ControllerId("head"), 600, greens, OPP, 0)


def test_a_permitted_green_lasts_until_the_protected_one_of_its_head() -> None:
    rules = head_rules()
    joined = join_heads(plan({OPP: (0, 20), LP: (0, 20), LG: (25, 10)}), rules)

    assert joined.windows_of(LP) == (Window(start_ds=0, length_ds=250),)
    assert joined.windows_of(LG)[0].start_ds == 250
    assert is_safe(joined, rules)


def test_a_long_pause_stays() -> None:
    apart = plan({OPP: (0, 20), LP: (0, 20), LG: (40, 10)})

    assert join_heads(apart, head_rules()) is apart
