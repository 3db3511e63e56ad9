# SPDX-License-Identifier: Apache-2.0
"""What the gate bench counts as late, from lamps and calls alone."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.bench.gate import Waits
from lvbo.control.gate import make_gate
from lvbo.control.protocols import Order
from lvbo.control.stages import stage_table
from lvbo.signal.lamp import Lamp
from lvbo.testing import four_stages

SITE = four_stages()
GATE = make_gate(SITE, stage_table(SITE, Order.SKIP))
BOUND_S = int(GATE.red_s[0])
CALL_S = 3


def late(lit_s: int | None, *, parts: int = 1, called: bool = True) -> int:
    """Return what is late when the first phase calls at 3 s and goes at `lit_s`."""
    count = CALL_S + BOUND_S + 20
    lamps = np.full((count, len(SITE.phases)), int(Lamp.RED))
    if lit_s is not None:
        lamps[lit_s : lit_s + 5, 0] = int(SITE.rules.phases[0].shows)
    calls = np.zeros(lamps.shape, dtype=bool)
    calls[CALL_S, 0] = called
    waits = Waits(SITE, GATE)
    cut = zip(np.array_split(lamps, parts), np.array_split(calls, parts), strict=True)
    return sum(waits.late(shown, own) for shown, own in cut)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_call_is_late_one_second_after_its_bound_and_counts_once(parts: int) -> None:
    assert late(CALL_S + BOUND_S, parts=parts) == 0
    assert late(CALL_S + BOUND_S + 1, parts=parts) == 1
    assert late(None, parts=parts) == 1


def test_nobody_waits_without_a_call_or_after_the_green() -> None:
    assert late(None, called=False) == 0
    assert late(CALL_S + 1) == 0
