# SPDX-License-Identifier: Apache-2.0
"""Simulate a scenario under plans, once per seed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lvbo.codec import digest
from lvbo.control.protocols import Order
from lvbo.control.registry import find_maker
from lvbo.control.site import read_site
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.simulation.controlled import RUNS_PLANS, Controlling
from lvbo.simulation.controls import Actuation, Control, refuse_unsafe, write_controls
from lvbo.simulation.escorts import demand_of
from lvbo.simulation.files import copy_additionals
from lvbo.simulation.loops import detectors
from lvbo.simulation.manifest import manifest
from lvbo.simulation.output import read_edges
from lvbo.simulation.pool import Progress, run_all
from lvbo.simulation.runs import Runs
from lvbo.simulation.sensing import Eye, Sensing
from lvbo.simulation.sumo import Setup
from lvbo.simulation.tools import local_plans
from lvbo.simulation.worker import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How plans are run: the control that runs them, the name in tables, what is kept.

    With `trajectories` every run keeps where each vehicle was in every step of its first two hours;
    `home` is the folder of another SUMO than the installed one.
    """

    name: str = "lvbo"
    control: Control = Control.FIXED
    actuation: Actuation = field(default_factory=Actuation)
    trajectories: bool = False
    home: Path | None = None


def simulate(
    scenario: Scenario,
    plans: PlanSet | None,
    *,
    seeds: Iterable[int],
    conduct: Conduct | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> Runs:
    """Return one run per seed of the scenario under these plans.

    None runs the programmes as the scenario ships them, unchecked. Plans are checked first; the
    lamps of every run are watched. Each run has a process of its own and leaves no files. Where
    plans change within the span, the gate leads from one to the next: SUMO's own switching jumps.

    Raises:
        InputError: LV602 a plan breaks a hard rule.
        ToolError: LV600 SUMO is missing, LV601 or LV603 it broke off.

    """
    how = conduct or Conduct(name="shipped_raw" if plans is None else "lvbo")
    chosen = tuple(seeds)
    if plans is not None and how.control is Control.FIXED and _change(scenario, plans):
        return _through_gate(scenario, plans, chosen, how, workers, progress)
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        additional = copy_additionals(scenario, folder, keep_signals=plans is None)
        if plans is not None:
            signals = folder / "signals.add.xml"
            write_controls(scenario, plans, signals, control=how.control, actuation=how.actuation)
            additional = (*additional, signals)
        record = manifest(scenario, chosen, how.name, additional)
        jobs = [_job(scenario, additional, folder, seed, how) for seed in chosen]
        runs = run_all(jobs, workers=workers, progress=progress)
    return Runs(
        scenario=scenario.name,
        controller=how.name,
        teleport_s=scenario.teleport_s,
        runs=runs,
        manifest=record,
    )


def _change(scenario: Scenario, plans: PlanSet) -> bool:
    """Say whether any controller runs more than one plan within the span."""
    used = plans.within(
        plans.day_plans[0].day_type, scenario.begin_s, scenario.end_s + scenario.run_out_s
    )
    return len(used) > len({plan.controller for plan in used})


def _through_gate(
    scenario: Scenario,
    plans: PlanSet,
    seeds: tuple[int, ...],
    how: Conduct,
    workers: int,
    progress: Progress | None,
) -> Runs:
    """Return runs in which plans follow each other by the rules, after checking each of them."""
    refuse_unsafe(scenario.network, plans)
    running = plans.running(plans.day_plans[0].day_type, scenario.begin_s % DAY_S)
    controlling = Controlling(
        spec=RUNS_PLANS,
        order=Order.ANY,
        sensing=Sensing(eye=Eye.NONE),
        plans=running,
        schedule=plans,
    )
    runs = simulate_controlled(
        scenario, controlling, seeds=seeds, conduct=how, workers=workers, progress=progress
    )
    return replace(runs, runs=tuple(replace(run, decisions=None) for run in runs.runs))


def simulate_controlled(
    scenario: Scenario,
    controlling: Controlling,
    *,
    seeds: Iterable[int],
    conduct: Conduct | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> Runs:
    """Return one run per seed of the scenario in which controllers decide every second.

    Each run has a process of its own, which makes controllers and gates from the description. Where
    it names no plan for a site to run by itself, that is the scenario's, made to keep the rules;
    a programme that cannot be runs as it is, and the watch over the lamps tells what it breaks.

    Raises:
        UsageError: LV741 where no controller has the name.
        ToolError: LV600 SUMO is missing, LV601 or LV603 it broke off.

    """
    find_maker(controlling.spec.name)
    how = conduct or Conduct(name=controlling.spec.name)
    chosen = tuple(seeds)
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        additional = copy_additionals(scenario, folder, keep_signals=True)
        sites = tuple(read_site(scenario.network, c) for c in scenario.network.controllers)
        loops = detectors(scenario.network, sites, controlling.sensing, scenario.net_file)
        if loops is not None:
            file = folder / "detectors.add.xml"
            write_xml(loops, file)
            additional = (*additional, file)
        record = manifest(scenario, chosen, how.name, additional) | {
            "control": described(controlling)
        }
        routed = _with_routes(scenario, controlling, folder)
        local = {**local_plans(scenario), **controlling.local}
        whole = replace(controlling, local=local)
        jobs = [_job(routed, additional, folder, s, how, whole) for s in chosen]
        runs = run_all(jobs, workers=workers, progress=progress)
    return Runs(
        scenario=scenario.name,
        controller=how.name,
        teleport_s=scenario.teleport_s,
        runs=runs,
        manifest=record,
    )


def _with_routes(scenario: Scenario, controlling: Controlling, folder: Path) -> Scenario:
    """Return the scenario with the vehicles that drive officers' routes."""
    if not controlling.escorts:
        return scenario
    file = folder / "escorts.rou.xml"
    edges = read_edges(scenario.net_file)
    write_xml(demand_of(controlling.escorts, scenario.network, edges), file)
    return replace(scenario, route_files=(*scenario.route_files, file))


def described(controlling: Controlling) -> dict[str, object]:
    """Return what it takes to control a run in the same way again, as plain data."""
    return {
        "controller": controlling.spec.name,
        "params": dict(controlling.spec.params),
        "order": str(controlling.order),
        "sensing": asdict(controlling.sensing),
        "plans": {str(name): digest(plan) for name, plan in sorted(controlling.plans.items())},
        "waves": [wave.corridor.name for wave in controlling.waves],
        "schedule": None if controlling.schedule is None else digest(controlling.schedule),
        "routes": [asdict(escort) for escort in controlling.escorts],
        "priority": controlling.priority,
    }


def _job(
    scenario: Scenario,
    additional: tuple[Path, ...],
    folder: Path,
    seed: int,
    how: Conduct,
    controlling: Controlling | None = None,
) -> Job:
    setup = Setup(
        folder=folder / f"seed-{seed}",
        net_file=scenario.net_file.resolve(),
        route_files=tuple(path.resolve() for path in scenario.route_files),
        additional_files=additional,
        begin_s=scenario.begin_s,
        end_s=scenario.end_s + scenario.run_out_s,
        step_s=scenario.step_s,
        seed=seed,
        teleport_s=scenario.teleport_s,
        options=_located(scenario),
        home=how.home,
    )
    return Job(
        setup=setup,
        network=scenario.network,
        judged_from_s=scenario.begin_s + scenario.warm_up_s,
        judged_to_s=scenario.end_s,
        trajectories=how.trajectories,
        controlling=controlling,
    )


def _located(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """Return the scenario's options with the files they name found from anywhere."""
    return tuple(
        (
            key,
            str(path.resolve()) if value and (path := scenario.folder / value).is_file() else value,
        )
        for key, value in scenario.options
    )
