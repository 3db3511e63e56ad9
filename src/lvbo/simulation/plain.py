# SPDX-License-Identifier: Apache-2.0
"""The program `sumo` by itself, micro or meso: nothing is watched, so its own time is measured.

Queues of mesoscopic runs form at signals only with junction control, which is always on here.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from lvbo.errors import ToolError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.controls import Actuation, Control, write_controls
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.sumo import sumo_home

TRIPS, EDGES, LOG = "trips.xml", "edges.xml", "sumo.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRun:
    """What one run gave: delay in the judged window, veh-s, and the time the program took.

    Delay is the time lost in the window by all who drive in it, and the time in which those due
    could not enter. `vehicles` were due before the end, `unfinished` had not arrived then.
    """

    delay_vehs: float
    vehicles: int
    unfinished: int
    cpu_s: float


def run_plain(
    scenario: Scenario, plans: PlanSet, *, seed: int, mesoscopic: bool = False
) -> PlainRun:
    """Run plans once, in a process of its own on one core, and return delay and CPU time.

    The judged window is [begin + warm-up, end) of the scenario; the run ends there.

    Raises:
        InputError: LV602 a plan breaks a hard rule.
        ToolError: LV600 SUMO is missing, LV601 it broke off.

    """
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        from_s, to_s = scenario.begin_s + scenario.warm_up_s, scenario.end_s
        signals = folder / "signals.add.xml"
        write_controls(scenario, plans, signals, control=Control.FIXED, actuation=Actuation())
        window = folder / "window.add.xml"
        write_xml(_window(from_s, to_s), window)
        added = (*copy_additionals(scenario, folder, keep_signals=False), signals, window)
        cpu_s = _run(_arguments(scenario, added, seed, mesoscopic=mesoscopic), folder, seed)
        waits = list(_waits(folder / TRIPS, from_s, to_s))
        lost_s = sum(
            float(edge.get("timeLoss", "0")) for edge in ET.parse(folder / EDGES).iter("edge")
        )
    return PlainRun(
        delay_vehs=lost_s + sum(wait_s for wait_s, _ in waits),
        vehicles=len(waits),
        unfinished=sum(not arrived for _, arrived in waits),
        cpu_s=cpu_s,
    )


def _window(from_s: int, to_s: int) -> ET.Element:
    """Return the order to add up the time lost on each edge, those inside junctions too."""
    root = ET.Element("additional")
    ET.SubElement(
        root,
        "edgeData",
        {
            "id": "window",
            "file": EDGES,
            "begin": str(from_s),
            "end": str(to_s),
            "withInternal": "true",
            "excludeEmpty": "true",
        },
    )
    return root


def _arguments(
    scenario: Scenario, added: tuple[Path, ...], seed: int, *, mesoscopic: bool
) -> list[str]:
    values = {
        "net-file": scenario.net_file.resolve(),
        "route-files": ",".join(str(path.resolve()) for path in scenario.route_files),
        "additional-files": ",".join(map(str, added)),
        "begin": scenario.begin_s,
        "end": scenario.end_s,
        "step-length": scenario.step_s,
        "seed": seed,
        "time-to-teleport": scenario.teleport_s,
        "tripinfo-output": TRIPS,
        "tripinfo-output.write-unfinished": "true",
        "tripinfo-output.write-undeparted": "true",
        "no-step-log": "true",
        "no-warnings": "true",
        "duration-log.disable": "true",
    }
    if mesoscopic:
        values |= {"mesosim": "true", "meso-junction-control": "true"}
    return [f"--{key}={value}" for key, value in values.items()]


def _run(options: list[str], folder: Path, seed: int) -> float:
    """Run the program to its end and return the CPU time it took, s."""
    program = sumo_home() / "bin" / "sumo"
    began = time.perf_counter()
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [str(program), *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            status, cpu_s = _waited(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if status:
        words = " ".join((folder / LOG).read_text("utf-8", "replace").split())[-400:]
        raise ToolError("LV601", seed=seed, reason=words or str(status))
    return time.perf_counter() - began if cpu_s is None else cpu_s


def _waited(process: subprocess.Popen[bytes]) -> tuple[int, float | None]:
    """Return exit status and CPU time of a program; None where the system does not tell it."""
    if not hasattr(os, "wait4"):
        return process.wait(), None
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def _waits(trips: Path, from_s: float, to_s: float) -> Iterator[tuple[float, bool]]:
    """Yield for each vehicle how long it waited to enter in the window, and if it arrived."""
    for trip in ET.parse(trips).iter("tripinfo"):
        depart_s, waited_s = float(trip.get("depart", "-1")), float(trip.get("departDelay", "0"))
        entered_s = depart_s if depart_s >= 0 else to_s
        due_s = entered_s - max(waited_s, 0.0)
        inside_s = min(entered_s, to_s) - max(due_s, from_s)
        yield max(inside_s, 0.0), float(trip.get("arrival", "-1")) >= 0
