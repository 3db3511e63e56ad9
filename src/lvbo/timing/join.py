# SPDX-License-Identifier: Apache-2.0
"""Let one head go on from its permitted green to its protected one without a stop between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lvbo.signal.check import is_safe
from lvbo.signal.plan import Greens, Plan, Window
from lvbo.signal.rules import SignalRules

MOST_DS = 150
"""A longer pause between the greens of one head is no change of stage."""


def join_heads(plan: Plan, rules: SignalRules) -> Plan:
    """Return the plan with greens that last until another green of their head begins.

    Only where every hard rule still holds; the stage writing is dropped where anything changes.
    """
    joined = plan
    for greens, window, gap_ds in _pauses(plan, rules):
        longer = replace(window, length_ds=window.length_ds + gap_ds, yellow_ds=0)
        found = _with_window(joined, greens, window, longer)
        if is_safe(found, rules):
            joined = found
    return joined


def _pauses(plan: Plan, rules: SignalRules) -> Iterator[tuple[Greens, Window, int]]:
    """Yield greens after which their head stands, with the time until a mate of theirs goes."""
    for greens in plan.greens:
        mates = rules.mates.get(greens.phase, ())
        starts = [w.start_ds for mate in mates for w in plan.windows_of(mate)]
        for window in greens.windows:
            gaps = [(start - window.end_ds) % plan.cycle_ds for start in starts]
            if gaps and 0 < min(gaps) <= MOST_DS:
                yield greens, window, min(gaps)


def _with_window(plan: Plan, greens: Greens, old: Window, new: Window) -> Plan:
    def changed(other: Greens) -> Greens:
        if other.phase != greens.phase:
            return other
        return replace(other, windows=tuple(new if w == old else w for w in other.windows))

    return replace(plan, greens=tuple(changed(g) for g in plan.greens), stages=())
