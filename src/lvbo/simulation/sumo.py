# SPDX-License-Identifier: Apache-2.0
"""Run SUMO once: the only file that knows libsumo, and traci where another SUMO is asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from lvbo.errors import ToolError
from lvbo.ids import ControllerId
from lvbo.simulation.output import EdgeFact, read_edges
from lvbo.simulation.runs import LampChange

TRIPS, STEPS, LOG = "trips.xml", "steps.parquet", "sumo.log"
OLD_STEPS = "steps.xml"
"""What another SUMO writes in place of `STEPS`: it may know no Parquet."""
REPORT_EVERY_S = 60
OUTPUTS = ("--tripinfo", "--fcd", "--device", "--person")
"""How options begin that ask for output about vehicles and persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One call of SUMO: its files, span, seed and options, and the folder that takes its output.

    `home` is the folder of another SUMO than the installed one, driven through its own traci.
    """

    folder: Path
    net_file: Path
    route_files: tuple[Path, ...]
    additional_files: tuple[Path, ...]
    begin_s: int
    end_s: int
    step_s: float
    seed: int
    teleport_s: float
    options: tuple[tuple[str, str], ...] = ()
    home: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the running simulation showed, beside its output files."""

    end_s: float
    lamps: tuple[LampChange, ...]
    edges: tuple[EdgeFact, ...]
    classes: dict[str, str]
    teleports: int
    collisions: int
    wall_s: float


def has_sumo() -> bool:
    """Say whether SUMO can be used here."""
    return find_spec("libsumo") is not None


def sumo_home() -> Path:
    """Return the folder of SUMO with its `tools`.

    Raises:
        ToolError: LV600 where SUMO is not installed.

    """
    spec = find_spec("sumo")
    packaged = Path(spec.origin).parent if spec is not None and spec.origin else None
    named = os.environ.get("SUMO_HOME")
    for home in (packaged, Path(named) if named else None):
        if home is not None and (home / "tools").is_dir():
            return home
    raise ToolError("LV600", tool="eclipse-sumo")


def sumo_version() -> str:
    """Return the version of SUMO, as `1.28.0`."""
    return str(_libsumo().getVersion()[1]).removeprefix("SUMO ")


Report = Callable[[float], None]
"""Told the share of a run that is done."""
Drive = Callable[[ModuleType, Setup, Report | None], Ended]
"""Takes the running simulation, by its module, to the end of its span."""


def other_sumo(env: Path, version: str) -> Path:
    """Return the folder of another SUMO in the environment that `make bench-env` builds.

    Raises:
        ToolError: LV744 where the environment has no SUMO of that version.

    """
    for folder in env.glob("lib/python3*/site-packages"):
        if any(folder.glob(f"eclipse_sumo-{version}.dist-info")):
            return (folder / "sumo").resolve()
    raise ToolError("LV744", version=version, place=str(env))


def run_sumo(setup: Setup, report: Report | None = None, drive: Drive | None = None) -> Ended:
    """Run one simulation to its end; its files are `TRIPS`, `STEPS` and `LOG` in the folder.

    `report` is told the share done. Lamps are recorded in every step, changes kept. `drive` moves
    the simulation on in place of the plain run of its programmes.

    Raises:
        ToolError: LV600 SUMO missing, LV601 SUMO refused or broke off, with its last words.

    """
    libsumo = _libsumo() if setup.home is None else _traci(setup.home)
    binary = "sumo" if setup.home is None else str(setup.home / "bin" / "sumo")
    try:
        libsumo.start([binary, *_arguments(setup)])
        ended = (drive or _drive)(libsumo, setup, report)
        libsumo.close()  # the files are complete only now
        return ended
    except (libsumo.TraCIException, libsumo.FatalTraCIError, RuntimeError) as error:
        raise ToolError("LV601", seed=setup.seed, reason=_last_words(setup, error)) from error


def watch_lamps(setup: Setup, spans: Sequence[tuple[int, int]]) -> tuple[LampChange, ...]:
    """Run the programmes and return their lamps within [begin, end) spans, ordered in time.

    Each span begins with a row of every light; then come the changes. A state read after a step
    is the one that held at the second before it.

    Raises:
        ToolError: LV600 SUMO missing, LV601 SUMO refused or broke off, with its last words.

    """
    libsumo = _libsumo()
    arguments = [word for word in _arguments(setup) if not word.startswith(OUTPUTS)]
    found: list[LampChange] = []
    try:
        libsumo.start(["sumo", *arguments])
        lights = libsumo.trafficlight.getIDList()
        for begin, end in spans:
            if begin > setup.begin_s:
                libsumo.simulationStep(begin)
            shown: dict[str, str] = {}
            for second in range(begin, end):
                libsumo.simulationStep()
                _note_lamps(libsumo, lights, second, shown, found)
        libsumo.close()
    except (libsumo.TraCIException, libsumo.FatalTraCIError, RuntimeError) as error:
        raise ToolError("LV601", seed=setup.seed, reason=_last_words(setup, error)) from error
    return tuple(found)


def _note_lamps(
    libsumo: ModuleType,
    lights: Sequence[str],
    second: float,
    shown: dict[str, str],
    found: list[LampChange],
) -> None:
    """Add the lights that show something else than before."""
    for light in lights:
        state = libsumo.trafficlight.getRedYellowGreenState(light)
        if shown.get(light) != state:
            shown[light] = state
            found.append(LampChange(controller=ControllerId(light), second=second, state=state))


def _libsumo() -> ModuleType:
    try:
        import libsumo
    except ImportError as error:
        raise ToolError("LV600", tool="libsumo") from error
    module: ModuleType = libsumo
    return module


def _traci(home: Path) -> ModuleType:
    """Return the traci of another SUMO; a process can hold only one."""
    tools = str(home / "tools")
    if not Path(tools).is_dir():
        raise ToolError("LV600", tool=str(home))
    sys.path.insert(0, tools)
    os.environ["SUMO_HOME"] = str(home)  # without it SUMO looks for its schemas on the web
    return import_module("traci")


def steps_file(setup: Setup) -> Path:
    """Return the file that a run writes every step of every vehicle to."""
    return setup.folder / (STEPS if setup.home is None else OLD_STEPS)


def _arguments(setup: Setup) -> list[str]:
    folder = setup.folder
    own = {
        "net-file": setup.net_file,
        "route-files": ",".join(map(str, setup.route_files)),
        "additional-files": ",".join(map(str, setup.additional_files)),
        "begin": setup.begin_s,
        "end": setup.end_s,
        "step-length": setup.step_s,
        "seed": setup.seed,
        "time-to-teleport": setup.teleport_s,
        "tripinfo-output": folder / TRIPS,
        "tripinfo-output.write-unfinished": "true",
        "tripinfo-output.write-undeparted": "true",
        "device.emissions.probability": "1",
        "fcd-output": steps_file(setup),
        "fcd-output.attributes": "id,speed,pos,lane",
        "person-device.fcd.probability": "0",
        "error-log": folder / LOG,
        "no-step-log": "true",
        "no-warnings": "true",
        "duration-log.disable": "true",
    }
    given = {key: value for key, value in setup.options if key not in own}
    return [f"--{key}={value}" for key, value in {**given, **own}.items() if str(value)]


def _drive(libsumo: ModuleType, setup: Setup, report: Report | None) -> Ended:
    began = time.perf_counter()
    lights = libsumo.trafficlight.getIDList()
    shown: dict[str, str] = {}
    lamps: list[LampChange] = []
    teleports = collisions = 0
    next_report = float(setup.begin_s)
    now = libsumo.simulation.getTime()
    while now < setup.end_s:
        libsumo.simulationStep()
        _note_lamps(libsumo, lights, now, shown, lamps)
        teleports += libsumo.simulation.getStartingTeleportNumber()
        collisions += libsumo.simulation.getCollidingVehiclesNumber()
        now = libsumo.simulation.getTime()
        if report is not None and now >= next_report:
            report((now - setup.begin_s) / (setup.end_s - setup.begin_s))
            next_report = now + REPORT_EVERY_S
    return ended_now(
        libsumo, setup, tuple(lamps), (teleports, collisions), time.perf_counter() - began
    )


def ended_now(
    libsumo: ModuleType,
    setup: Setup,
    lamps: tuple[LampChange, ...],
    counted: tuple[int, int],
    wall_s: float,
) -> Ended:
    """Return what a simulation that has come to its end says, with what was counted on the way.

    `counted` are teleports and collisions.
    """
    return Ended(
        end_s=libsumo.simulation.getTime(),
        lamps=lamps,
        edges=read_edges(setup.net_file),
        classes=_classes(libsumo),
        teleports=counted[0],
        collisions=counted[1],
        wall_s=wall_s,
    )


def _classes(libsumo: ModuleType) -> dict[str, str]:
    kinds = libsumo.vehicletype
    return {name: kinds.getVehicleClass(name) for name in kinds.getIDList()}


def _last_words(setup: Setup, error: Exception) -> str:
    log = setup.folder / LOG
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    words = [line.strip() for line in lines if line.strip() and not line.startswith("Quitting")]
    return " ".join(words[-2:]) or str(error)
