# SPDX-License-Identifier: Apache-2.0
"""The same greens in other stage orders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.stages import from_stages
from lvbo.timing.stages import keeps_waiting_areas

MOST_ORDERS_OF = 5
"""Plans with more stages keep their order: there would be too many others."""


def other_orders(plan: Plan, rules: SignalRules) -> list[Plan]:
    """Return the plan with its stages in every other legal order, cycle and greens kept.

    Time that a shorter interstage frees goes to the longest stage; orders that need more are left
    out, and so are all where the site's order is fixed.
    """
    stages = plan.stages
    if not rules.may_skip or not 2 < len(stages) <= MOST_ORDERS_OF:  # noqa: PLR2004
        return []
    found = []
    for order in permutations(range(1, len(stages))):
        if order == tuple(range(1, len(stages))):
            continue
        built = _reordered(plan, rules, [0, *order])
        if built is not None:
            found.append(built)
    return found


def _reordered(plan: Plan, rules: SignalRules, order: Sequence[int]) -> Plan | None:
    stages = [plan.stages[k] for k in order]
    if not keeps_waiting_areas(rules, [s.phases for s in stages]) or plan.reference is None:
        return None
    greens = [s.green_ds for s in stages]
    longest = max(range(len(greens)), key=greens.__getitem__)
    for _ in range(2):
        wishes = [(s.id, s.phases, g) for s, g in zip(stages, greens, strict=True)]
        built = from_stages(plan.id, plan.controller, rules, wishes, 0, plan.reference)
        spare = plan.cycle_ds - built.cycle_ds
        if spare == 0:
            return built.at_offset(plan.offset_ds)
        greens[longest] += spare
        if spare < 0:
            return None
    return None
