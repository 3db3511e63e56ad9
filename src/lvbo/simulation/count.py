# SPDX-License-Identifier: Apache-2.0
"""Count a scenario: run it as shipped with virtual detectors, on seeds that are never judged."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.errors import ToolError, UsageError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_counts import FIRST_DAY, SimulatedDay, read_sumo_counts
from lvbo.io.sumo_detectors import (
    VirtualDetector,
    advance_detectors,
    virtual_detectors,
    write_virtual_detectors,
)
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.controls import Actuation, Control, write_controls
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.sumo import sumo_home

COUNTING_FROM = 1000
"""Seeds from here on are for counting; below lie those that plans are judged on."""
COUNTING_SEEDS = range(COUNTING_FROM, COUNTING_FROM + 3)
COUNTS, EVENTS, ADDITIONAL = "counts.xml", "events.xml", "detectors.add.xml"
SIGNALS = "signals.add.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    scenario: Scenario
    additional: tuple[Path, ...]
    detectors: tuple[VirtualDetector, ...]
    folder: Path
    seed: int
    number: int
    dt_s: int


def count_scenario(
    scenario: Scenario,
    *,
    seeds: Iterable[int] = COUNTING_SEEDS,
    dt_s: int = 60,
    workers: int = 2,
    ahead: bool = False,
) -> Counts:
    """Return what virtual detectors count under the shipped plan; each seed is a day of its own.

    With `ahead` loops between signals note every vehicle too: they show platoons.

    Raises:
        UsageError: LV194 for a seed that plans are judged on.
        ToolError: LV600 SUMO missing, LV601 it broke off.

    """
    days = dict.fromkeys(seeds, scenario)
    return count_days(days, dt_s=dt_s, workers=workers, ahead=ahead)


def count_days(
    days: Mapping[int, Scenario],
    *,
    plans: PlanSet | None = None,
    dt_s: int = 60,
    workers: int = 2,
    ahead: bool = False,
) -> Counts:
    """Return what is counted where each day, by its seed, has traffic of its own on one network.

    Signals show `plans`, or what the scenarios ship where there are none.

    Raises:
        UsageError: LV194 as `count_scenario`.
        InputError: LV602 a plan breaks a hard rule.
        ToolError: as `count_scenario`.

    """
    judged = [seed for seed in days if seed < COUNTING_FROM]
    if judged or not days:
        raise UsageError("LV194", seeds=", ".join(map(str, judged)) or "-", first=COUNTING_FROM)
    scenario = next(iter(days.values()))
    detectors = virtual_detectors(scenario.network, scenario.net_file)
    if ahead:
        detectors += advance_detectors(scenario.network, scenario.net_file)
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        additional = copy_additionals(scenario, Path(place), keep_signals=plans is None)
        if plans is not None:
            signals = Path(place) / SIGNALS
            write_controls(scenario, plans, signals, control=Control.FIXED, actuation=Actuation())
            additional = (*additional, signals)
        jobs = [
            _Job(
                scenario=own,
                additional=additional,
                detectors=detectors,
                folder=Path(place) / f"seed-{seed}",
                seed=seed,
                number=number,
                dt_s=dt_s,
            )
            for number, (seed, own) in enumerate(days.items())
        ]
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            parts = list(pool.map(_count, jobs))
    return _together(parts)


def _count(job: _Job) -> Counts:
    job.folder.mkdir(parents=True)
    path = job.folder / ADDITIONAL
    write_virtual_detectors(
        job.detectors, path, counts_file=COUNTS, events_file=EVENTS, dt_s=job.dt_s
    )
    _run(job, path)
    kinds = [plan.day_type for plan in job.scenario.plans.day_plans]
    day = SimulatedDay(
        name=f"seed-{job.seed}",
        on=FIRST_DAY + timedelta(days=7 * job.number),
        day_type=kinds[0] if kinds else "workday",
        zone=job.scenario.network.zone,
    )
    files = [job.folder / COUNTS, job.folder / EVENTS]
    return read_sumo_counts(
        [file for file in files if file.is_file()],
        {one.detector.id: one.detector for one in job.detectors}.values(),
        day=day,
        names={one.id: one.detector.id for one in job.detectors},
    )


def _run(job: _Job, detectors: Path) -> None:
    scenario = job.scenario
    values = {
        **dict(_located(scenario)),
        "net-file": scenario.net_file.resolve(),
        "route-files": ",".join(str(path.resolve()) for path in scenario.route_files),
        "additional-files": ",".join(map(str, (*job.additional, detectors))),
        "begin": scenario.begin_s,
        "end": scenario.end_s,
        "step-length": scenario.step_s,
        "seed": job.seed,
        "time-to-teleport": scenario.teleport_s,
        "no-step-log": "true",
        "no-warnings": "true",
        "duration-log.disable": "true",
    }
    options = [f"--{key}={value}" for key, value in values.items() if str(value)]
    program = sumo_home() / "bin" / "sumo"
    done = subprocess.run(
        [str(program), *options], capture_output=True, text=True, check=False, cwd=job.folder
    )
    if done.returncode:
        words = " ".join(done.stderr.split())[-400:]
        raise ToolError("LV601", seed=job.seed, reason=words or str(done.returncode))


def _located(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """Return the scenario's options with the files they name found from anywhere."""
    return tuple(
        (key, str((scenario.folder / value).resolve()))
        if value and (scenario.folder / value).is_file()
        else (key, value)
        for key, value in scenario.options
    )


def _together(parts: Sequence[Counts]) -> Counts:
    events = [part.events for part in parts if part.events is not None]
    return replace(
        parts[0],
        table=pl.concat([part.table for part in parts]),
        events=pl.concat(events) if events else None,
        findings=tuple(finding for part in parts for finding in part.findings),
    )
