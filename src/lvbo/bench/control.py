# SPDX-License-Identifier: Apache-2.0
"""The control bench: controllers beside each other under one protocol, paired seed by seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvbo.bench.common import BenchResult, Row, geometric_mean, machine_load, used_versions
from lvbo.bench.kept import Kept, code_digest
from lvbo.bench.ratios import judge
from lvbo.bench.rivals import ALWAYS, JUDGED, street_plans
from lvbo.city.build import yuci_folder
from lvbo.control.protocols import Order
from lvbo.control.published import as_published
from lvbo.control.registry import ControllerSpec, controller_names, family
from lvbo.control.walks import with_walks
from lvbo.errors import LvboError, UsageError
from lvbo.evaluation.measures import measure
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import Conduct, simulate_controlled
from lvbo.simulation.sumo import other_sumo

CURRENT = "current"
STREET, RESCO = "street", "resco"
SENSING = {STREET: "area", RESCO: "area"}
"""What is sensed where nothing else is asked for: area sensing, 200 m."""

Progress = Callable[[str, float], None]
"""Told what is being done and the share of all of it that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlBench:
    """What a control bench runs; `budget_min` ends it after so many minutes, kept runs stay.

    A controller may be followed by `@` and its decision clock in seconds. `cache` keeps finished
    runs; None keeps nothing.
    """

    controllers: tuple[str, ...] = ()
    seeds: int = 3
    first_seed: int = 0
    sensing: str = ""
    protocol: str = STREET
    order: Order = Order.SKIP
    demand: float = 1.0
    sumo: str = CURRENT
    budget_min: float | None = None
    workers: int = 2
    cache: Path | None = None
    env: Path = field(default_factory=lambda: Path(".bench-env"))


def built_in() -> list[Path | str]:
    """Return the bundled city, for a first look without scenarios of one's own."""
    return [yuci_folder() / "yuci.offpeak.sumocfg"]


def run_control(
    scenarios: Sequence[Path | str],
    *,
    bench: ControlBench | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per scenario, controller and seed, and how ours compares, losers first.

    Runs that were made before by the same code and options are taken from the cache.

    Raises:
        UsageError: LV741 for an unknown controller, LV743 for an unknown protocol, no seeds or
            no scenario, LV740 for unknown sensing.
        InputError: where a scenario cannot be read.
        ToolError: LV600 where SUMO is missing, LV744 where the other SUMO is.

    """
    chosen = bench or ControlBench()
    names = _controllers(chosen)
    _check(chosen, scenarios)
    home = None if chosen.sumo == CURRENT else other_sumo(chosen.env, chosen.sumo)
    asked = [
        (prepared(read_scenario(path), chosen), name, seed)
        for path in scenarios
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds)
        for name in names
    ]
    ends = None if chosen.budget_min is None else time.monotonic() + 60 * chosen.budget_min
    rows = list(_rows(asked, chosen, home, ends, progress))
    rows.sort(key=lambda row: (str(row["scenario"]), names.index(str(row["controller"]))))
    return BenchResult(
        bench="control",
        versions=used_versions() | ({} if home is None else {"sumo": chosen.sumo}),
        load=machine_load(),
        rows=tuple(rows),
        summary=judge(rows, JUDGED, geometric_mean),
    )


def _controllers(bench: ControlBench) -> tuple[str, ...]:
    """Return the controllers asked for, or all there are for the protocol."""
    here = controller_names()
    asked = bench.controllers or tuple(here)
    for name in asked:
        plain, _, clock = name.partition("@")
        if plain not in here or (clock and not clock.isdecimal()):
            raise UsageError("LV741", place=name, known=", ".join(here))
    return asked


def _check(bench: ControlBench, scenarios: Sequence[Path | str]) -> None:
    parse_sensing(bench.sensing or SENSING[STREET])
    if bench.protocol not in SENSING or bench.seeds < 1 or not scenarios or bench.demand <= 0:
        raise UsageError(
            "LV743",
            place=bench.protocol,
            known=", ".join(SENSING),
            seeds=bench.seeds,
            scenarios=len(scenarios),
        )


def prepared(scenario: Scenario, bench: ControlBench) -> Scenario:
    """Return the scenario under the rules of the protocol, its demand scaled."""
    options = dict(scenario.options)
    if bench.demand != 1.0:
        options["scale"] = f"{bench.demand:g}"
    scaled = replace(scenario, options=tuple(options.items()), step_s=scenario.step_s)
    if bench.protocol == RESCO:
        return replace(scaled, network=as_published(scenario.network), teleport_s=-1.0)
    return replace(scaled, network=with_walks(scenario.network))


def _rows(
    asked: Sequence[tuple[Scenario, str, int]],
    bench: ControlBench,
    home: Path | None,
    ends: float | None,
    progress: Progress | None,
) -> Iterable[Row]:
    """Yield a row per run; those of one scenario and controller run side by side."""
    kept = Kept(bench.cache)
    code = code_digest() if bench.cache is not None else ""
    groups: dict[tuple[str, str], list[tuple[Scenario, str, int]]] = {}
    for scenario, name, seed in asked:
        groups.setdefault((str(scenario.folder / scenario.name), name), []).append(
            (scenario, name, seed)
        )
    done = 0
    for group in groups.values():
        scenario, name, _ = group[0]
        seeds = [seed for _, _, seed in group]
        keys = {seed: kept.key(code, scenario, name, seed, _options(bench)) for seed in seeds}
        found = {seed: row for seed in seeds if (row := kept.read(keys[seed])) is not None}
        missing = [seed for seed in seeds if seed not in found]
        for first in range(0, len(missing), max(1, bench.workers)):
            if ends is not None and time.monotonic() > ends:
                break
            part = missing[first : first + max(1, bench.workers)]
            for row in _run(scenario, name, part, bench, home):
                found[int(str(row["seed"]))] = row
                if row["status"] == "ok":
                    kept.write(keys[int(str(row["seed"]))], row)
        for seed in seeds:
            yield found.get(seed, _row(scenario, name, seed, bench, None, "not run"))
        done += len(group)
        if progress is not None:
            progress(f"{scenario.name}: {name}", done / len(asked))


def _options(bench: ControlBench) -> tuple[object, ...]:
    return (bench.protocol, bench.order, bench.sensing, bench.demand, bench.sumo)


def _run(
    scenario: Scenario, name: str, seeds: Sequence[int], bench: ControlBench, home: Path | None
) -> list[Row]:
    plain, _, clock = name.partition("@")
    try:
        plans = street_plans(scenario) if plain in ALWAYS or bench.protocol == STREET else {}
        controlling = Controlling(
            spec=ControllerSpec(name=plain, params=(("clock_s", int(clock)),) if clock else ()),
            order=bench.order,
            sensing=parse_sensing(bench.sensing or SENSING[bench.protocol]),
            plans=plans,
        )
        runs = simulate_controlled(
            scenario,
            controlling,
            seeds=seeds,
            conduct=Conduct(name=name, home=home),
            workers=bench.workers,
        )
    except LvboError as error:
        return [_row(scenario, name, seed, bench, None, f"crashed {error.code}") for seed in seeds]
    return [_row(scenario, name, run.seed, bench, run, "ok") for run in runs.runs]


def _row(
    scenario: Scenario, name: str, seed: int, bench: ControlBench, run: Run | None, status: str
) -> Row:
    m = None if run is None else measure(run, scenario.network)
    facts = None if run is None else run.controlled
    return {
        "scenario": scenario.name,
        "protocol": bench.protocol,
        "order": str(bench.order),
        "sensing": bench.sensing or SENSING[bench.protocol],
        "controller": name,
        "family": family(name.partition("@")[0]),
        "kind": "ours" if name.partition("@")[0] == JUDGED else "baseline",
        "seed": seed,
        "delay_s": m.delay_s if m else None,
        "trip_s": m.trip_s if m else None,
        "stops": m.stops if m else None,
        "worst_wait_s": facts.worst_wait_s if facts else None,
        "queue": m.queue if m else None,
        "due": m.due if m else None,
        "arrived": m.arrived if m else None,
        "unfinished": m.unfinished if m else None,
        "teleports": m.teleports if m else None,
        "lamp_violations": m.lamp_violations if m else None,
        "locks": facts.locks if facts else None,
        "rules_fired": facts.rules_fired if facts else None,
        "decision_ms_mean": facts.decision_ms_mean if facts else None,
        "decision_ms_p99": facts.decision_ms_p99 if facts else None,
        "status": status,
    }
