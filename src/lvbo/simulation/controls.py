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
from lvbo.io.sumo_plans import programme, seconds, write_sumo_plans, write_xml
from lvbo.network.network import Network
from lvbo.signal.check import check_plan
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet

FREE_FROM_DS = 50
"""An interval shorter than this is a transition and keeps its length."""


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

    Only intervals in which every lamp is a steady green or red may vary, from the minimum green of
    the phases that show green in them to the stretched plan green; every other interval, and so
    every yellow and all-red of the plan, keeps its length.
    """
    logic = programme(plan, network, f"lvbo-{control}")
    logic.set("type", control.value)
    logic.set("offset", "0")
    least = _least_greens(plan, network)
    for key, value in _parameters(control, actuation):
        ET.SubElement(logic, "param", key=key, value=value)
    start_ds = 0
    for phase in logic.findall("phase"):
        length_ds = round(10 * float(phase.attrib["duration"]))
        if length_ds >= FREE_FROM_DS and set(phase.attrib["state"]) <= set("gGr") and _goes(phase):
            low = min(length_ds, _least_at(plan, least, start_ds))
            phase.set("minDur", seconds(low))
            phase.set("maxDur", str(math.ceil(length_ds / 10 * actuation.stretch)))
        start_ds += length_ds
    return logic


def _goes(phase: ET.Element) -> bool:
    return bool(set(phase.attrib["state"]) & set("gG"))


def _least_greens(plan: Plan, network: Network) -> dict[str, int]:
    limits = network.controller_index[plan.controller].rules.limit_index
    return {str(g.phase): limits[g.phase].min_green_ds for g in plan.greens if g.phase in limits}


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
