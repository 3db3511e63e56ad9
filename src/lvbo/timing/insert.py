# SPDX-License-Identifier: Apache-2.0
"""Give a plan the time it lacks by inserting it: the cycle grows, the order of events stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lvbo.errors import InfeasibleError
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Greens, Plan, Window, referenced
from lvbo.signal.rules import SignalRules
from lvbo.timing.repair import repair_clearance

ROUNDS = 200


def insert_clearance(plan: Plan, rules: SignalRules) -> Plan:
    """Return the plan with time put in wherever a hard rule lacks it; a safe plan as it is.

    Between foes the time goes directly before the start of the second; a green below its minimum
    gets it inside. Greens that hold through an inserted time grow by it, none shrinks.

    Raises:
        InfeasibleError: LV604 where a rule is broken that time cannot mend.

    """
    grown = plan
    for _ in range(ROUNDS):
        lack = next(_lacks(grown, rules), None)
        if lack is None:
            break
        grown = _with_time(grown, rules, *lack)
    return grown if is_safe(grown, rules) else repair_clearance(grown, rules)


def made_safe(plan: Plan, rules: SignalRules) -> Plan:
    """Return the plan repaired at its own cycle, or with a longer cycle where it does not fit.

    Raises:
        InfeasibleError: LV604 where neither helps.

    """
    try:
        return repair_clearance(plan, rules)
    except InfeasibleError:
        return insert_clearance(plan, rules)


def _lacks(plan: Plan, rules: SignalRules) -> Iterator[tuple[int, int]]:
    """Yield (local time, tenths) of each time that must be put in."""
    for ending, starting, need in rules.foes:
        for first in plan.windows_of(ending):
            for second in plan.windows_of(starting):
                gap = (second.start_ds - first.start_ds) % plan.cycle_ds - first.length_ds
                if need is not None and 0 <= gap < need:
                    yield second.start_ds, need - gap
    for phase in rules.phases:
        alone = phase.is_going and not rules.mates[phase.id]
        for window in plan.windows_of(phase.id) if alone else ():
            least = max(rules.limit_index[phase.id].min_green_ds, phase.flash_ds + 1)
            if window.length_ds < least:
                yield window.start_ds + window.length_ds // 2, least - window.length_ds


def _with_time(plan: Plan, rules: SignalRules, at_ds: int, by_ds: int) -> Plan:
    """Return the plan with `by_ds` put in at a local time, before all that starts there."""
    at = at_ds % plan.cycle_ds or plan.cycle_ds
    starts = {
        greens.phase: {
            window.start_ds % plan.cycle_ds or plan.cycle_ds for window in greens.windows
        }
        for greens in plan.greens
    }

    def moved(greens: Greens) -> Greens:
        joined = any(at in starts.get(mate, ()) for mate in rules.mates.get(greens.phase, ()))
        return replace(
            greens,
            windows=tuple(
                _moved(window, at, by_ds, plan.cycle_ds, joined=joined) for window in greens.windows
            ),
        )

    return referenced(
        plan.id,
        plan.controller,
        plan.cycle_ds + by_ds,
        [moved(greens) for greens in plan.greens],
        plan.reference,
        plan.offset_ds,
    )


def _moved(window: Window, at: int, by_ds: int, cycle_ds: int, *, joined: bool) -> Window:
    start, end = window.start_ds, window.end_ds
    whole = window.length_ds >= cycle_ds
    inside = start < at < end or start < at + cycle_ds < end
    ends_here = at in {end, end - cycle_ds}
    return replace(
        window,
        start_ds=start + by_ds if start >= at and not whole else start,
        length_ds=window.length_ds + by_ds * (whole or inside or (joined and ends_here)),
    )
