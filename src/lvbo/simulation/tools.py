# SPDX-License-Identifier: Apache-2.0
"""SUMO's own planners as baselines: tlsCycleAdaptation.py and tlsCoordinator.py.

They are given the real traffic of the scenario, as vehicles with their routes; what they write is
read back as plans and made to keep the same rules as everyone's.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.control.walks import plan_with_walks
from lvbo.errors import InfeasibleError, LvboError, ToolError
from lvbo.ids import ControllerId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import programme, write_xml
from lvbo.io.sumo_xml import elements
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet, one_period
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.lamps import plan_of_states
from lvbo.simulation.sumo import sumo_home
from lvbo.timing.insert import made_safe
from lvbo.timing.repair import repair_clearance

PATIENCE_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlans:
    """The plans of SUMO's planners; a planner that failed gives the error instead.

    `shipped_coordinated` are the plans in force with the offsets of tlsCoordinator.py.
    """

    shipped_coordinated: PlanSet | LvboError
    cycle_adaptation: PlanSet | LvboError
    cycle_adaptation_coordinated: PlanSet | LvboError


def repaired(plans: PlanSet, scenario: Scenario) -> PlanSet:
    """Return the plans with every hard rule of the scenario's controllers kept.

    Raises:
        InfeasibleError: LV604 where a cycle is too short for the clearance it lacks.

    """
    index = scenario.network.controller_index
    return plans.mapped(lambda plan: repair_clearance(plan, index[plan.controller].rules))


def in_force(scenario: Scenario) -> Mapping[ControllerId, Plan]:
    """Return the scenario's plans in force at the start, safe, with the walks that they lack.

    Raises:
        InfeasibleError: LV604 where a plan cannot be made to keep the rules.

    """
    plans = scenario.plans
    running = plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S)
    return {name: _with_all(plan, scenario) for name, plan in running.items()}


def local_plans(scenario: Scenario) -> Mapping[ControllerId, Plan]:
    """Return the plans in force at the start, safe, of those that can be made to keep the rules."""
    plans, found = scenario.plans, {}
    for name, plan in plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S).items():
        with suppress(InfeasibleError):
            found[name] = _with_all(plan, scenario)
    return found


def in_span(scenario: Scenario, plans: PlanSet) -> PlanSet:
    """Return plans in which those that run within the span are safe, with walks, others as before.

    Raises:
        InfeasibleError: LV604 where a plan cannot be made to keep the rules.

    """
    day_type = plans.day_plans[0].day_type
    end_s = scenario.end_s + scenario.run_out_s
    used = plans.within(day_type, scenario.begin_s, end_s)
    return plans.with_plans(_with_all(plan, scenario) for plan in used)


def _with_all(plan: Plan, scenario: Scenario) -> Plan:
    rules = scenario.network.controller_index[plan.controller].rules
    return made_safe(plan_with_walks(plan, rules), rules)


def adapt_with_sumo(scenario: Scenario) -> ToolPlans:
    """Return what SUMO's planners propose for the traffic of a scenario.

    They start from the stages in use, with their own default settings and our least green of 5 s;
    what the first writes is made safe before the second coordinates it.

    Raises:
        ToolError: LV600 where SUMO is missing.

    """
    tools = sumo_home() / "tools"
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        net = folder / "in-use.net.xml"
        _write_net(scenario, net)

        def adapted() -> PlanSet:
            return _adapted(scenario, tools, folder, unified=False)

        def coordinated() -> PlanSet:
            unified = _adapted(scenario, tools, folder, unified=True)
            return _coordinated(scenario, unified, tools, folder)

        def shipped() -> PlanSet:
            return _coordinated(scenario, running_safely(scenario), tools, folder)

        return ToolPlans(
            shipped_coordinated=_attempt(shipped),
            cycle_adaptation=_attempt(adapted),
            cycle_adaptation_coordinated=_attempt(coordinated),
        )


def running_safely(scenario: Scenario) -> PlanSet:
    """Return the plans in force at the start, all day, with every hard rule kept.

    Raises:
        InfeasibleError: LV604 where a cycle is too short for the clearance it lacks.

    """
    index = scenario.network.controller_index
    return one_period(
        (repair_clearance(plan, index[name].rules) for name, plan in _shipped(scenario).items()),
        day_type=scenario.plans.day_plans[0].day_type,
    )


def _attempt(make: Callable[[], PlanSet]) -> PlanSet | LvboError:
    try:
        return make()
    except LvboError as error:
        return error


def _adapted(scenario: Scenario, tools: Path, folder: Path, *, unified: bool) -> PlanSet:
    net, target = folder / "in-use.net.xml", folder / f"adapted-{int(unified)}.add.xml"
    words = ["-n", str(net), "-r", str(_routed(scenario, folder)), "-o", str(target)]
    words += ["-b", str(scenario.begin_s), "-g", "5", *(["-u"] if unified else [])]
    _python(tools / "tlsCycleAdaptation.py", words, folder)
    return _plans(scenario, target)


def _coordinated(scenario: Scenario, plans: PlanSet, tools: Path, folder: Path) -> PlanSet:
    start, target = folder / "start.add.xml", folder / "offsets.add.xml"
    root = ET.Element("additional")
    root.extend(programme(plan, scenario.network, "a") for plan in plans.plans)
    write_xml(root, start)
    words = ["-n", str(folder / "in-use.net.xml"), "-r", str(_routed(scenario, folder))]
    words += ["-a", str(start), "-o", str(target)]
    _python(tools / "tlsCoordinator.py", words, folder)
    offsets = {
        ControllerId(element.attrib["id"]): _tenths(element.get("offset", "0"))
        for element in elements(target)
        if element.tag == "tlLogic"
    }
    return plans.mapped(lambda plan: plan.at_offset(offsets.get(plan.controller, plan.offset_ds)))


def _write_net(scenario: Scenario, target: Path) -> None:
    """Write the network with the programmes in use at the start in place of its own."""
    plans = _shipped(scenario)
    opener = gzip.open if scenario.net_file.suffix == ".gz" else open
    with opener(scenario.net_file, "rb") as stream:
        root = ET.parse(stream).getroot()
    own = [e for e in root if e.tag == "tlLogic" and ControllerId(e.get("id", "")) in plans]
    place = list(root).index(own[0]) if own else 0
    for element in own:
        root.remove(element)
    for number, name in enumerate(sorted(plans)):
        root.insert(place + number, programme(plans[name], scenario.network, "0"))
    write_xml(root, target)


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
    """Return what a planner wrote as plans that keep the rules, one per controller."""
    if not additional.is_file():
        raise ToolError("LV606", tool="tlsCycleAdaptation.py", reason="-")
    running = dict(_shipped(scenario))
    index = scenario.network.controller_index
    for logic in elements(additional):
        name = ControllerId(logic.get("id", ""))
        if logic.tag == "tlLogic" and name in index:
            pairs = [(_tenths(p.attrib["duration"]), p.attrib["state"]) for p in logic]
            kept = [(length, state) for length, state in pairs if length > 0]
            offset_ds = _tenths(logic.get("offset", "0"))
            running[name] = plan_of_states(scenario.network, index[name], "sumo", kept, offset_ds)
    return one_period(
        (made_safe(plan, index[name].rules) for name, plan in running.items()),
        day_type=scenario.plans.day_plans[0].day_type,
    )


def _tenths(text: str) -> int:
    return round(10 * float(text))


def _shipped(scenario: Scenario) -> Mapping[ControllerId, Plan]:
    day_type = scenario.plans.day_plans[0].day_type
    return scenario.plans.running(day_type, scenario.begin_s % DAY_S)
