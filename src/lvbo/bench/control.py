# SPDX-License-Identifier: Apache-2.0
"""The control bench: controllers beside each other under one protocol, paired seed by seed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvbo.bench.common import (
    BenchResult,
    Progress,
    Row,
    geometric_mean,
    machine_load,
    used_versions,
)
from lvbo.bench.kept import Kept, code_digest
from lvbo.bench.ratios import judge
from lvbo.bench.rivals import COMPETITORS, JUDGED, Rivals, plain_name, row_family
from lvbo.bench.tries import Entrant, Ground, OutOfTimeError
from lvbo.city.build import yuci_folder
from lvbo.control.protocols import Order
from lvbo.control.published import as_published
from lvbo.control.registry import BUILT_IN, controller_names
from lvbo.control.walks import with_walks
from lvbo.errors import Finding, LvboError, UsageError
from lvbo.evaluation.measures import measure
from lvbo.io.scenario import Scenario, Weather
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.closure import busiest_closure, with_closure
from lvbo.simulation.count import COUNTING_FROM, count_scenario
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import Conduct
from lvbo.simulation.sumo import other_sumo
from lvbo.simulation.weather import in_weather

CURRENT = "current"
STREET, RESCO = "street", "resco"
SENSING = {STREET: "loops", RESCO: "area"}
"""What is sensed where nothing else is asked for: loops at the stop line and in advance of it on
the street, area sensing of 200 m under the published protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlBench:
    """What a control bench runs; `budget_min` ends it after so many minutes, kept runs stay.

    A controller may be followed by `@` and its decision clock in seconds. Where `closed` is asked
    for, the busiest lane that has another beside it is closed for a quarter of an hour. With a
    `depart_offset_s` every vehicle departs up to so many seconds later, by a timetable of its own
    for each seed, the same for all controllers. `cache` keeps finished runs; None keeps nothing.
    """

    controllers: tuple[str, ...] = ()
    seeds: int = 3
    first_seed: int = 0
    sensing: str = ""
    protocol: str = STREET
    order: Order = Order.SKIP
    demand: float = 1.0
    weather: Weather = Weather.DRY
    closed: bool = False
    depart_offset_s: int = 0
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

    Rivals are set up on seeds that are not judged: plans are designed from counts, detectors and
    gaps tuned; `setting` says what was chosen. Runs and tries that were made before by the same
    code and options are taken from the cache.

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
    ends = None if chosen.budget_min is None else time.monotonic() + 60 * chosen.budget_min
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        asked = [
            (scenario, name, seed)
            for number, path in enumerate(scenarios)
            for scenario in [prepared(read_scenario(path), chosen, Path(place) / str(number))]
            for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds)
            for name in names
        ]
        made = list(_rows(asked, chosen, home, ends, progress))
    rows = [one for one in made if not isinstance(one, Finding)]
    rows.sort(key=lambda row: (row["scenario"], names.index(str(row["controller"])), row["seed"]))
    return BenchResult(
        bench="control",
        versions=used_versions() | ({} if home is None else {"sumo": chosen.sumo}),
        load=machine_load(),
        rows=tuple(rows),
        summary=judge(rows, JUDGED, geometric_mean),
        findings=tuple(_once(one for one in made if isinstance(one, Finding))),
    )


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Return what was found, each once."""
    told: list[Finding] = []
    for finding in findings:
        if finding not in told:
            told.append(finding)
    return told


def _controllers(bench: ControlBench) -> tuple[str, ...]:
    """Return the controllers asked for; else those that compete, and all plugged in."""
    here = controller_names()
    asked = bench.controllers or (*COMPETITORS, *(name for name in here if name not in BUILT_IN))
    for name in asked:
        _, _, clock = name.partition("@")
        if plain_name(name) not in here or (clock and not clock.isdecimal()):
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


def prepared(scenario: Scenario, bench: ControlBench, folder: Path) -> Scenario:
    """Return the scenario under the rules of the protocol, its traffic and weather as asked for.

    Files that differ from the scenario's go to a folder.
    """
    options = dict(scenario.options)
    if bench.demand != 1.0:
        options["scale"] = f"{bench.demand:g}"
    if bench.depart_offset_s:
        options["random-depart-offset"] = str(bench.depart_offset_s)
    scaled = replace(scenario, options=tuple(options.items()), step_s=scenario.step_s)
    if bench.closed:
        counts = count_scenario(scaled, seeds=[COUNTING_FROM], workers=bench.workers)
        scaled = with_closure(scaled, busiest_closure(scaled, counts), folder / "closed")
    scaled = in_weather(scaled, bench.weather, folder / bench.weather)
    if bench.protocol == RESCO:
        return replace(scaled, network=as_published(scenario.network), teleport_s=-1.0)
    return replace(scaled, network=with_walks(scenario.network))


def _rows(
    asked: Sequence[tuple[Scenario, str, int]],
    bench: ControlBench,
    home: Path | None,
    ends: float | None,
    progress: Progress | None,
) -> Iterable[Row | Finding]:
    """Yield a row per run, and why some failed.

    Those of one scenario and controller run side by side.
    """
    groups: dict[str, dict[str, list[int]]] = {}
    scenarios: dict[str, Scenario] = {}
    for scenario, name, seed in asked:
        place = str(scenario.folder / scenario.name)
        scenarios[place] = scenario
        groups.setdefault(place, {}).setdefault(name, []).append(seed)
    done = 0
    for place, names in groups.items():
        ground = _ground(scenarios[place], bench, home, ends)
        judged = sorted({seed for seeds in names.values() for seed in seeds})
        rivals = Rivals(ground=ground, judged=judged, with_plans=bench.protocol == STREET)
        for name, seeds in names.items():
            yield from _rows_of(rivals, name, seeds, bench)
            done += len(seeds)
            if progress is not None:
                progress(f"{ground.scenario.name}: {name}", done / len(asked))


def _ground(
    scenario: Scenario, bench: ControlBench, home: Path | None, ends: float | None
) -> Ground:
    return Ground(
        scenario=scenario,
        order=bench.order,
        sensing=parse_sensing(bench.sensing or SENSING[bench.protocol]),
        conduct=Conduct(name="bench", home=home),
        workers=bench.workers,
        kept=Kept(bench.cache),
        code=code_digest() if bench.cache is not None else "",
        options=(bench.protocol, bench.sumo),
        ends=ends,
    )


def _rows_of(
    rivals: Rivals, name: str, seeds: Sequence[int], bench: ControlBench
) -> Iterable[Row | Finding]:
    """Yield the rows of one controller in one scenario: from the cache, else from new runs."""
    ground = rivals.ground

    def row(seed: int, run: Run | None, status: str, setting: str = "") -> Row:
        plain = _row(ground.scenario, name, seed, bench, run, status)
        return {**plain, "setting": setting}

    try:
        entrant = rivals.entrant(name)
    except OutOfTimeError:
        yield from (row(seed, None, "not run") for seed in seeds)
        return
    except LvboError as error:
        yield from error.findings()
        yield from (row(seed, None, f"crashed {error.code}") for seed in seeds)
        return
    yield from _found(ground, name, entrant, seeds, row)


def _found(
    ground: Ground,
    name: str,
    entrant: Entrant,
    seeds: Sequence[int],
    row: Callable[[int, Run | None, str, str], Row],
) -> Iterable[Row | Finding]:
    """Yield a row per seed, and why some failed; those that are run now are kept."""
    kept, code = ground.kept, ground.code
    asked = (name, ground.order, ground.sensing)  # a row tells them, also where they do not matter
    told = (*asked, *ground.told(entrant))
    keys = {seed: kept.key(code, ground.scenario, seed, *told) for seed in seeds}
    known = {seed: old for seed in seeds if (old := kept.read(keys[seed])) is not None}
    yield from known.values()
    missing = [seed for seed in seeds if seed not in known]
    workers = max(1, ground.workers)
    for first in range(0, len(missing), workers):
        if ground.ends is not None and time.monotonic() > ground.ends:
            yield from (row(seed, None, "not run", entrant.setting) for seed in missing[first:])
            return
        part = missing[first : first + workers]
        try:
            runs = ground.runs(entrant, part)
        except LvboError as error:
            yield from error.findings()
            yield from (row(seed, None, f"crashed {error.code}", entrant.setting) for seed in part)
            continue
        for run in runs:
            made = row(run.seed, run, "ok", entrant.setting)
            kept.write(keys[run.seed], made)
            yield made


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
        "family": row_family(name),
        "kind": "ours" if plain_name(name) == JUDGED else "baseline",
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
        "locked_at": facts.first_locked if facts else None,
        "rules_fired": facts.rules_fired if facts else None,
        "decision_ms_mean": facts.decision_ms_mean if facts else None,
        "decision_ms_p99": facts.decision_ms_p99 if facts else None,
        "status": status,
        "demand": bench.demand,
        "weather": str(bench.weather),
        "closed": bench.closed,
        "depart_offset_s": bench.depart_offset_s,
    }
