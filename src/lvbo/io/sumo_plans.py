# SPDX-License-Identifier: Apache-2.0
"""Plans to SUMO: state strings, programmes, offsets and switching tables.

SUMO's own switching jumps. Where a plan set says how a controller gets into step, what it shows on
the way is a programme of its own, which runs once between the two plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import UsageError
from lvbo.ids import ControllerId
from lvbo.io.atomic import write_whole
from lvbo.network.network import Network
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet

STATE = {
    Lamp.RED: "r",
    Lamp.RED_AMBER: "u",
    Lamp.YELLOW: "y",
    Lamp.DARK: "O",
    Lamp.BLINK: "o",
    Lamp.STOP_THEN_GO: "s",
    Lamp.PERMITTED: "g",
    Lamp.GREEN: "G",
}


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Passage:
    """What a controller shows from local second `start_s` of the day until `plan` is in step.

    `lamps` (seconds, phases) in the order of the controller's phases; the programme is `name`.
    """

    controller: ControllerId
    name: str
    start_s: int
    lamps: NDArray[np.int64]


def state_at(plan: Plan, network: Network, local_ds: int) -> str:
    """Return the state string of a plan's controller at a time on its local cycle."""
    return StateTable(plan, network).at(local_ds)


def states(plan: Plan, network: Network) -> tuple[tuple[int, str], ...]:
    """Return the intervals of one cycle from local second 0: (tenths, state string)."""
    table = StateTable(plan, network)
    moments = sorted({0} | {t % plan.cycle_ds for t in _changes(plan)})
    found: list[tuple[int, str]] = []
    for start, end in zip(moments, [*moments[1:], plan.cycle_ds], strict=True):
        state = table.at(start)
        if found and found[-1][1] == state:
            found[-1] = (found[-1][0] + end - start, state)
        else:
            found.append((end - start, state))
    return tuple(found)


def _changes(plan: Plan) -> Iterable[int]:
    for greens in plan.greens:
        for window in greens.windows:
            yield window.start_ds - window.red_amber_ds
            yield window.start_ds
            yield window.end_ds
            yield window.end_ds + window.yellow_ds


class StateTable:
    """Which phases light which characters of one controller, under one plan."""

    def __init__(self, plan: Plan, network: Network) -> None:
        if network.sumo is None:
            raise UsageError("LV123", place=plan.controller)
        rules = network.controller_index[plan.controller].rules
        self.plan = plan
        self.phases = rules.phases
        self.size = network.sumo.size_index[plan.controller]
        self.lit: dict[int, list[str]] = {}
        for head in network.sumo.head_index[plan.controller]:
            self.lit.setdefault(head.index, []).extend(head.phases)

    def at(self, local_ds: int) -> str:
        """Return the state string at a time on the local cycle."""
        local = local_ds % self.plan.cycle_ds
        return self.showing([self.plan.lamp(phase, local) for phase in self.phases])

    def showing(self, lamps: Iterable[int]) -> str:
        """Return the state string that shows these lamps, by phase."""
        shown = {str(phase.id): lamp for phase, lamp in zip(self.phases, lamps, strict=True)}
        lit = (
            max((shown[name] for name in self.lit.get(k, ())), default=Lamp.RED)
            for k in range(self.size)
        )
        return "".join(STATE[Lamp(lamp)] for lamp in lit)


def programme(plan: Plan, network: Network, name: str) -> ET.Element:
    """Return one plan as a SUMO `tlLogic`; its second 0 is our local second 0."""
    logic = ET.Element(
        "tlLogic",
        id=str(plan.controller),
        type="static",
        programID=name,
        offset=seconds(plan.offset_ds),
    )
    for length_ds, state in states(plan, network):
        ET.SubElement(logic, "phase", duration=seconds(length_ds), state=state)
    return logic


def passage_programme(passage: Passage, plan: Plan, network: Network) -> ET.Element:
    """Return what is shown on the way into a plan as a `tlLogic` that begins when it is due."""
    table, length_s = StateTable(plan, network), len(passage.lamps)
    logic = ET.Element(
        "tlLogic",
        id=str(passage.controller),
        type="static",
        programID=_name(passage.name),
        offset=str(passage.start_s % length_s),
    )
    found: list[tuple[int, str]] = []
    for row in passage.lamps.tolist():
        state = table.showing(row)
        if found and found[-1][1] == state:
            found[-1] = (found[-1][0] + 1, state)
        else:
            found.append((1, state))
    for seconds_, state in found:
        ET.SubElement(logic, "phase", duration=str(seconds_), state=state)
    return logic


def write_sumo_plans(
    plans: PlanSet,
    network: Network,
    path: Path,
    day_type: str,
    passages: Sequence[Passage] = (),
) -> None:
    """Write an additional file with all plans of one day type and their switching table.

    A passage of this day type runs between the plans that it leads from and to.
    """
    root = ET.Element("additional")
    days = plans.day_plan(day_type)
    for controller in plans.controllers:
        runs = [(p, plans.run_index.get((controller, day_type, p.name))) for p in days.periods]
        used = {plan.id: plan for _, plan in runs if plan is not None}
        root.extend(programme(used[key], network, _name(key)) for key in sorted(used))
        if len(used) > 1:
            starts = {p.start_s: plan for p, plan in runs if plan}
            own = [p for p in passages if p.controller == controller and p.start_s in starts]
            root.extend(passage_programme(p, starts[p.start_s], network) for p in own)
            root.extend(_table(controller, starts, own))
    write_xml(root, path)


def _name(plan: str) -> str:
    return f"lvbo-{plan}"


def _table(
    controller: ControllerId, runs: Mapping[int, Plan], passages: Sequence[Passage]
) -> Iterable[ET.Element]:
    switches = {start: str(plan.id) for start, plan in runs.items()}
    for passage in passages:
        switches[(passage.start_s + len(passage.lamps)) % DAY_S] = switches[passage.start_s]
        switches[passage.start_s] = passage.name
    at_midnight = max(switches) if 0 not in switches else 0
    name = f"lvbo-{controller}"
    waut = ET.Element("WAUT", id=name, refTime="0", startProg=_name(switches[at_midnight]))
    for start in sorted(switches):
        if 0 < start < DAY_S:
            ET.SubElement(waut, "wautSwitch", time=str(start), to=_name(switches[start]))
    yield waut
    yield ET.Element("wautJunction", wautID=name, junctionID=str(controller))


def seconds(tenths: int) -> str:
    """Return tenths of a second as SUMO writes seconds: no trailing zero."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def write_xml(root: ET.Element, path: Path) -> None:
    """Write an XML tree, indented, whole or not at all."""
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode", xml_declaration=True)
    write_whole(path, (text + "\n").encode())
