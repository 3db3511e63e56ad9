# SPDX-License-Identifier: Apache-2.0
"""SUMO's own planners as baselines: tlsCycleAdaptation.py and tlsCoordinator.py.

They are given the real traffic of the scenario, as vehicles with their routes; what they write is
read back as plans and made to keep the same rules as everyone's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from lvbo.errors import LvboError, ToolError
from lvbo.ids import ControllerId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_net import read_network_and_plans
from lvbo.io.sumo_xml import elements
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet, one_period
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.sumo import sumo_home
from lvbo.timing.repair import repair_clearance

PATIENCE_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlans:
    """The plans of SUMO's planners; a planner that failed gives the error instead."""

    cycle_adaptation: PlanSet | LvboError
    cycle_adaptation_coordinated: PlanSet | LvboError


def repaired(plans: PlanSet, scenario: Scenario) -> PlanSet:
    """Return the plans with every hard rule of the scenario's controllers kept.

    Raises:
        InfeasibleError: LV604 where a cycle is too short for the clearance it lacks.

    """
    index = scenario.network.controller_index
    return plans.mapped(lambda plan: repair_clearance(plan, index[plan.controller].rules))


def adapt_with_sumo(scenario: Scenario) -> ToolPlans:
    """Return what SUMO's planners propose for the traffic of a scenario.

    Raises:
        ToolError: LV600 where SUMO is missing.

    """
    tools = sumo_home() / "tools"
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        return ToolPlans(
            cycle_adaptation=_attempt(scenario, tools, folder, coordinated=False),
            cycle_adaptation_coordinated=_attempt(scenario, tools, folder, coordinated=True),
        )


def _attempt(
    scenario: Scenario, tools: Path, folder: Path, *, coordinated: bool
) -> PlanSet | LvboError:
    try:
        routes = _routed(scenario, folder)
        adapted = folder / f"adapted-{int(coordinated)}.add.xml"
        common = ["-n", str(scenario.net_file.resolve()), "-r", str(routes)]
        more = ["-b", str(scenario.begin_s), "-o", str(adapted), *(["-u"] if coordinated else [])]
        _python(tools / "tlsCycleAdaptation.py", [*common, *more], folder)
        plans = _plans(scenario, adapted)
        if coordinated:
            offsets = folder / "offsets.add.xml"
            extra = ["-a", str(adapted), "-o", str(offsets)]
            _python(tools / "tlsCoordinator.py", [*common, *extra], folder)
            plans = _moved(plans, adapted, offsets)
        return repaired(plans, scenario)
    except LvboError as error:
        return error


def _routed(scenario: Scenario, folder: Path) -> Path:
    """Return the scenario's traffic as vehicles with embedded routes; trips are routed."""
    target = folder / "routed.rou.xml"
    if target.is_file():
        return target
    additional = copy_additionals(scenario, folder / "own", keep_signals=False)
    program = sumo_home() / "bin" / ("duarouter.exe" if sys.platform == "win32" else "duarouter")
    files = {
        "-n": str(scenario.net_file.resolve()),
        "-r": ",".join(str(path.resolve()) for path in scenario.route_files),
        "-a": ",".join(map(str, additional)),
        "-b": str(scenario.begin_s),
        "-e": str(scenario.end_s),
        "-o": str(target),
    }
    listed = [word for key, value in files.items() if value for word in (key, value)]
    options = ["--ignore-errors", "--no-warnings", "--no-step-log", "--named-routes", "false"]
    _run([str(program), *listed, *options], "duarouter", folder)
    return target


def _python(script: Path, arguments: list[str], folder: Path) -> None:
    _run([sys.executable, str(script), *arguments], script.name, folder)


def _run(command: list[str], tool: str, folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError("LV606", tool=tool, reason=str(error)) from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise ToolError("LV606", tool=tool, reason=lines[-1] if lines else str(done.returncode))


def _plans(scenario: Scenario, additional: Path) -> PlanSet:
    """Return what a planner wrote as plans, one per controller, with the rest as shipped."""
    if not additional.is_file():
        raise ToolError("LV606", tool="tlsCycleAdaptation.py", reason="-")
    _, read = read_network_and_plans(scenario.net_file, (additional,))
    newest = {plan.controller: plan for plan in read.plans}
    newest.update(read.running(read.day_plans[0].day_type, 0))
    return one_period(newest.values(), day_type=scenario.plans.day_plans[0].day_type)


def _moved(plans: PlanSet, adapted: Path, offsets: Path) -> PlanSet:
    """Return the plans moved from the offsets of one file to those of the other."""
    old, new = _offsets_ds(adapted), _offsets_ds(offsets)

    def move(plan: Plan) -> Plan:
        by_ds = new.get(plan.controller, 0) - old.get(plan.controller, 0)
        return plan.at_offset(plan.offset_ds + by_ds) if plan.controller in new else plan

    return replace(plans, plans=tuple(move(plan) for plan in plans.plans))


def _offsets_ds(file: Path) -> dict[ControllerId, int]:
    return {
        ControllerId(element.attrib["id"]): round(10 * float(element.get("offset", "0")))
        for element in elements(file)
        if element.tag == "tlLogic"
    }
