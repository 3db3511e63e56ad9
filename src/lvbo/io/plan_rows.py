# SPDX-License-Identifier: Apache-2.0
"""What every reader of plans checks against the network: names, and minimum greens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvbo.errors import Finding
from lvbo.ids import PhaseId
from lvbo.network.network import Network
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import DAY_S

CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")


def clock_second(text: str) -> int | None:
    """Return the second of the day that HH:MM or HH:MM:SS names, 24:00 as 0; None if neither."""
    match = CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + seconds
    return total % DAY_S if total <= DAY_S else None


def check_known(plan: Plan, network: Network, place: str) -> Iterator[Finding]:
    """Yield what a plan names that the network does not have."""
    controller = network.controller_index.get(plan.controller)
    if controller is None:
        names = ", ".join(network.controller_index)
        fields = {"controller": plan.controller, "known": names}
        yield Finding(code="LV345", place=place, fields=fields)
        return
    known = controller.rules.phase_index
    named = [
        *(greens.phase for greens in plan.greens),
        *(phase for stage in plan.stages for phase in stage.phases),
    ]
    for phase in sorted(set(named) - set(known)):
        yield Finding(code="LV235", place=place, fields={"plan": plan.id, "phase": phase})


def minimum_findings(plan: Plan, network: Network, place: str) -> Iterator[Finding]:
    """Yield the phases that can never fit the cycle: pairwise foes with their minimum greens."""
    controller = network.controller_index.get(plan.controller)
    if controller is None:
        return
    rules = controller.rules
    rivals = _rivals(plan, rules)
    needed = sum(rules.limit_index[phase].min_green_ds for phase in rivals)
    if len(rivals) > 1:
        needed += sum(min(rules.intergreen_ds(a, b) or 0 for b in rivals if b != a) for a in rivals)
    if needed > plan.cycle_ds:
        fields = {
            "plan": plan.id,
            "phases": ", ".join(rivals),
            "needed_s": needed / 10,
            "cycle_s": plan.cycle_s,
        }
        yield Finding(code="LV343", place=place, fields=fields)


def _rivals(plan: Plan, rules: SignalRules) -> list[PhaseId]:
    """Return phases of the plan that are all forbidden with one another, longest minima first."""
    served = [p for p in plan.index if p in rules.limit_index and rules.phase_index[p].is_going]
    chosen: list[PhaseId] = []
    for phase in sorted(served, key=lambda p: (-rules.limit_index[p].min_green_ds, p)):
        if all(rules.forbidden(phase, other) for other in chosen):
            chosen.append(phase)
    return sorted(chosen)
