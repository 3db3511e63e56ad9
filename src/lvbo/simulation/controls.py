# SPDX-License-Identifier: Apache-2.0
"""How SUMO runs plans: as fixed time, or as its own vehicle-actuated or delay-based control."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.errors import InputError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import programme, seconds, states, write_sumo_plans, write_xml
from lvbo.network.network import Network
from lvbo.signal.check import check_plan
from lvbo.signal.plan import Plan
from lvbo.signal.rules import SignalRules
from lvbo.signal.schedule import DAY_S, PlanSet

FREE_FROM_DS = 50
"""An interval shorter than this is a transition and keeps its length."""
CHANGING = frozenset("yYu")


class Control(StrEnum):
    """Who decides how long a green lasts."""

    FIXED = "fixed"
    ACTUATED = "actuated"
    DELAY_BASED = "delay_based"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuation:
    """How an expert sets SUMO's own controllers.

    Maxima are plan greens times `stretch`; `gap_s` is the gap that ends a green; detectors lie
    `detector_s` of free travel upstream (2.5 s is 35 m at 50 km/h). Delay-based control sees
    `range_m` upstream and counts a vehicle as waiting from `least_loss_s` lost.
    """

    stretch: float = 1.3
    gap_s: float = 3.0
    detector_s: float = 2.5
    range_m: float = 100.0
    least_loss_s: float = 1.0


def write_controls(
    scenario: Scenario, plans: PlanSet, path: Path, *, control: Control, actuation: Actuation
) -> None:
    """Write what SUMO needs to run these plans under a control, after checking each of them.

    An actuated controller runs the one plan that holds at the start of the simulated span.

    Raises:
        InputError: LV602 with everything that breaks a hard rule; nothing is written then.

    """
    day_type = plans.day_plans[0].day_type
    refuse_unsafe(scenario.network, plans)
    if control is Control.FIXED:
        write_sumo_plans(plans, scenario.network, path, day_type)
        return
    running = plans.running(day_type, scenario.begin_s % DAY_S)
    root = ET.Element("additional")
    root.extend(
        actuated_programme(running[name], scenario.network, control, actuation)
        for name in sorted(running)
    )
    write_xml(root, path)


def refuse_unsafe(network: Network, plans: PlanSet) -> None:
    """Raise one InputError with every hard rule that a plan of the set breaks."""
    found = [
        finding
        for plan in plans.plans
        for finding in check_plan(plan, network.controller_index[plan.controller].rules)
        if finding.severity == "error"
    ]
    if found:
        raise InputError("LV602", all_findings=found, place=found[0].place, count=len(found))


def actuated_programme(
    plan: Plan, network: Network, control: Control, actuation: Actuation
) -> ET.Element:
    """Return a plan as a SUMO programme whose greens last as long as traffic needs them.

    Only intervals without yellow or red-amber may vary, from the minimum green of the phases that
    show green in them to the stretched plan green; every other interval, and so every yellow and
    all-red of the plan, keeps its length.
    """
    logic = programme(plan, network, f"lvbo-{control}")
    logic.set("type", control.value)
    logic.set("offset", "0")
    phases = logic.findall("phase")
    for key, value in _parameters(control, actuation):
        ET.SubElement(logic, "param", key=key, value=value)
    rules = network.controller_index[plan.controller].rules
    intervals = states(plan, network)
    for phase, (length_ds, _), low_ds in zip(
        phases, intervals, _least_lengths(plan, rules, intervals), strict=True
    ):
        if low_ds < length_ds or _is_free(phase.attrib["state"], length_ds):
            phase.set("minDur", seconds(low_ds))
            phase.set("maxDur", str(math.ceil(length_ds / 10 * actuation.stretch)))
    return logic


def _is_free(state: str, length_ds: int) -> bool:
    """Say whether an interval may vary: long enough, nothing changing, somebody going."""
    return length_ds >= FREE_FROM_DS and not set(state) & CHANGING and bool(set(state) & set("gG"))


def _least_lengths(
    plan: Plan, rules: SignalRules, intervals: tuple[tuple[int, str], ...]
) -> list[int]:
    """Return how short each interval may become, in tenths of a second.

    Greens keep their minima; and where intervals lie between the end of a green and the start of a
    foe, they together stay as long as that pair's intergreen.
    """
    limits = rules.limit_index
    least = {str(g.phase): limits[g.phase].min_green_ds for g in plan.greens if g.phase in limits}
    starts = [sum(length for length, _ in intervals[:k]) for k in range(len(intervals))]
    low = [
        min(length, _least_at(plan, least, start)) if _is_free(state, length) else length
        for start, (length, state) in zip(starts, intervals, strict=True)
    ]
    for ending, starting, need in rules.foes:
        for first in plan.windows_of(ending):
            for second in plan.windows_of(starting):
                between = _between(first.end_ds, second.start_ds, starts, plan.cycle_ds)
                _hold(low, [length for length, _ in intervals], between, need or 0)
    return low


def _between(end_ds: int, start_ds: int, starts: list[int], cycle_ds: int) -> list[int]:
    """Return the intervals from one local time to the next occurrence of another."""
    span = (start_ds - end_ds) % cycle_ds
    return [k for k, at in enumerate(starts) if (at - end_ds) % cycle_ds < span]


def _hold(low: list[int], lengths: list[int], between: list[int], need_ds: int) -> None:
    """Raise the least lengths of some intervals until they add up to what a pair needs."""
    for k in reversed(between):
        lack = need_ds - sum(low[i] for i in between)
        if lack <= 0:
            return
        low[k] += min(lack, lengths[k] - low[k])


def _least_at(plan: Plan, least: dict[str, int], at_ds: int) -> int:
    """Return the longest minimum green of the phases that show green at a local time."""
    return max(
        (
            least.get(str(greens.phase), 0)
            for greens in plan.greens
            for window in greens.windows
            if window.length_ds < plan.cycle_ds
            and (at_ds - window.start_ds) % plan.cycle_ds < window.length_ds
        ),
        default=FREE_FROM_DS,
    )


def _parameters(control: Control, actuation: Actuation) -> Iterator[tuple[str, str]]:
    if control is Control.ACTUATED:
        yield "max-gap", str(actuation.gap_s)
        yield "detector-gap", str(actuation.detector_s)
    else:
        yield "detectorRange", str(actuation.range_m)
        yield "minTimeLoss", str(actuation.least_loss_s)
    yield "file", "NUL"
