# SPDX-License-Identifier: Apache-2.0
"""The bench of waves: each model's green wave on real streets, proved in SUMO seed by seed.

Every model is given the same counts, cycle, greens and stage orders; offsets differ. What was
counted runs on seeds that are never judged, and all offsets are designed before a judged seed runs.
Our default is tried out first, on traffic fitted to these counts and seeds of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import polars as pl

from lvbo.bench.arteries import ARTERIES, Artery, artery_on, make_artery
from lvbo.bench.common import BenchResult, Progress, Row, machine_load, part_of, used_versions
from lvbo.bench.grids import WARM_UP_S, Grid
from lvbo.bench.kept import DESIGN_ROOMS, Kept, code_digest
from lvbo.bench.wave_designs import (
    LVBO,
    MODELS,
    UNSET,
    Ground,
    facts,
    prepare,
    told,
    tried_plans,
    wave_plans,
)
from lvbo.bench.wave_summary import summary
from lvbo.codec import digest, from_plain, to_plain
from lvbo.detection.counts import Counts
from lvbo.errors import LvboError, UsageError
from lvbo.evaluation.corridors import measure_along
from lvbo.evaluation.measures import measure
from lvbo.evaluation.movements import measure_movements
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.corridor import Corridor
from lvbo.project.line import link_speeds
from lvbo.project.trial import LONGEST_S
from lvbo.project.wave_trial import SEEDS, Trying
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.count import COUNTING_SEEDS, count_days
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate

LEAST_SIGNALS = 3
ALL_ROOMS = (*DESIGN_ROOMS, "optimize", "project")
"""The rooms whose code decides what offsets are designed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavesBench:
    """What a bench of waves runs.

    `streets` are the longest of each scenario, so many; `kinds` the generated streets, all where
    neither they nor scenarios are named; `minutes` cuts what is judged of a scenario. Each wave is
    tried `trial_runs` times over `trial_minutes`. `cache` keeps plans and finished runs.
    """

    models: tuple[str, ...] = tuple(MODELS)
    kinds: tuple[str, ...] = ()
    street_seed: int = 1
    streets: int = 1
    minutes: int | None = None
    seeds: int = 10
    trial_runs: int = len(SEEDS)
    trial_minutes: int = LONGEST_S // 60
    workers: int = 2
    cache: Path | None = None


Days = Callable[[int], Scenario]
"""Gives the traffic of the day that a seed stands for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """A street of a scenario; `on` gives its traffic on the day of a seed.

    Vehicles of generated streets depart anew each day, those of a scenario as its files say.
    """

    scenario: Scenario
    corridor: Corridor
    on: Days


def run_waves(
    scenarios: Sequence[Path | str] | None = None,
    *,
    bench: WavesBench | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per street, model and seed, and how our default compares, losers first.

    Raises:
        UsageError: LV690 for an unknown model or kind of street or no seeds, LV691 where a
            scenario has no street.
        InputError: where a scenario cannot be read.
        ToolError: LV600 where SUMO is missing.

    """
    chosen = bench or WavesBench()
    _check(chosen)
    kept = Kept(chosen.cache)
    rows: list[Row] = []
    known: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        cases = list(_cases(scenarios or (), chosen, Path(place)))
        for number, case in enumerate(cases):
            tell = part_of(progress, number, len(cases))
            designed = _designed(case, chosen, kept, part_of(tell, 0, 2))
            known[_name(case)] = designed.facts
            rows += _judged(case, designed, chosen, kept, part_of(tell, 1, 2))
    return BenchResult(
        bench="waves",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary=summary(rows, known),
    )


def _check(bench: WavesBench) -> None:
    unknown = sorted((set(bench.models) - set(MODELS)) | (set(bench.kinds) - set(ARTERIES)))
    minutes = 1 if bench.minutes is None else bench.minutes
    trial = (min(bench.trial_runs, len(SEEDS)), bench.trial_minutes)
    numbers = (bench.seeds, bench.streets, minutes, *trial)
    if unknown or not bench.models or min(numbers) < 1:
        raise UsageError(
            "LV690",
            place=", ".join(unknown),
            models=", ".join(MODELS),
            kinds=", ".join(ARTERIES),
            seeds=bench.seeds,
        )


# streets ----------------------------------------------------------------------------------------


def _cases(scenarios: Sequence[Path | str], bench: WavesBench, folder: Path) -> Iterator[_Case]:
    """Yield generated streets, then those of the scenarios, the longest two-way ones first."""
    kinds = bench.kinds or (() if scenarios else tuple(ARTERIES))
    for name in kinds:
        artery, seed = ARTERIES[name], bench.street_seed
        made = make_artery(folder / name, artery, seed=seed)
        days = partial(_other_day, made, artery, seed)
        yield from _of(made.scenario, 1, days)
    for path in scenarios:
        scenario = judged_part(read_scenario(path), bench.minutes)
        yield from _of(scenario, bench.streets, partial(_same_day, scenario))


def _same_day(scenario: Scenario, _seed: int) -> Scenario:
    return scenario


def _other_day(made: Grid, artery: Artery, street_seed: int, seed: int) -> Scenario:
    """Return the traffic of a day of its own for each seed; day 0 is the street's first."""
    return artery_on(made, artery, seed=street_seed, day=seed + 1)


def judged_part(scenario: Scenario, minutes: int | None) -> Scenario:
    """Return a scenario that is judged once its streets have filled, for so many minutes at most.

    A green wave is for a period that goes on: where a scenario names no time in which it fills,
    this is a third of it, ten minutes at most, as on generated streets.
    """
    length_s = scenario.end_s - scenario.begin_s
    filled_s = scenario.warm_up_s or min(WARM_UP_S, length_s // 3)
    until_s = scenario.end_s
    if minutes is not None:
        until_s = min(until_s, scenario.begin_s + filled_s + 60 * minutes)
    return replace(scenario, warm_up_s=filled_s, end_s=until_s)


def _of(scenario: Scenario, count: int, on: Days) -> Iterator[_Case]:
    found = [c for c in scenario.network.corridors if len(c.stops) >= LEAST_SIGNALS]
    if not found:
        raise UsageError(
            "LV691",
            place=scenario.name,
            signals=LEAST_SIGNALS,
            found=len(scenario.network.corridors),
        )
    found.sort(key=lambda c: (not (c.outbound and c.inbound), -len(c.stops), -c.length_m, c.id))
    yield from (_Case(scenario=scenario, corridor=c, on=on) for c in found[:count])


def _name(case: _Case) -> str:
    return f"{case.scenario.name} {case.corridor.name}"


@dataclass(frozen=True, kw_only=True)
class _Designed:
    """What the street is like, and the plans of each model, or why it has none."""

    facts: dict[str, object]
    plans: dict[str, PlanSet | LvboError]


def _designed(case: _Case, bench: WavesBench, kept: Kept, progress: Progress) -> _Designed:
    """Return the plans of the models asked for; what was designed before is not counted again."""
    ground = cache(lambda: _ground(case, bench))
    code = code_digest(ALL_ROOMS)
    effort = (bench.trial_runs, bench.trial_minutes)

    def made(model: str) -> dict[str, object]:
        if model != LVBO:
            return {"plans": to_plain(_bare(wave_plans(ground(), model)))}
        tell = partial(progress, f"{_name(case)}: trial")
        trying = Trying(
            net_file=case.scenario.net_file,
            seeds=SEEDS[: bench.trial_runs],
            longest_s=60 * bench.trial_minutes,
        )
        plans, trial = tried_plans(ground(), trying, workers=bench.workers, tell=tell)
        return {"plans": to_plain(_bare(plans)), "facts": told(trial)}

    def held(what: str, make: Callable[[], dict[str, object]]) -> Mapping[str, object]:
        key = kept.key(code, case.scenario, "waves", case.corridor.id, what, *effort)
        known = kept.read(key)
        if known is None:
            known = make()
            kept.write(key, known)
        return known

    plans: dict[str, PlanSet | LvboError] = {}
    known = dict(held("facts", lambda: facts(ground())))
    for name in (name for name in MODELS if name in bench.models):
        try:
            design = held(name, partial(made, name))
        except LvboError as error:
            plans[name] = error
        else:
            plans[name] = from_plain(PlanSet, design["plans"])
            known |= _mapping(design.get("facts"))
    return _Designed(facts=known, plans=plans)


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _bare(plans: PlanSet) -> PlanSet:
    """Return the plans without what was found on the way: findings have no plain form."""
    return replace(plans, findings=())


def _ground(case: _Case, bench: WavesBench) -> Ground:
    scenario = case.scenario
    days = {seed: case.on(seed) for seed in COUNTING_SEEDS}
    return prepare(
        scenario.network,
        case.corridor,
        filled(count_days(days, workers=bench.workers), scenario.warm_up_s),
        scenario.plans,
        link_speeds(scenario),
    )


def filled(counts: Counts, warm_up_s: int) -> Counts:
    """Return the counts without the first seconds of each day, in which the streets fill."""
    begins = pl.col("t0_utc").min().over("day") + pl.duration(seconds=warm_up_s)
    return replace(counts, table=counts.table.filter(pl.col("t0_utc") >= begins))


# runs -------------------------------------------------------------------------------------------


def _judged(
    case: _Case, designed: _Designed, bench: WavesBench, kept: Kept, progress: Progress
) -> Iterator[Row]:
    for number, (name, plans) in enumerate(designed.plans.items()):
        progress(f"{_name(case)}: {name}", number / len(designed.plans))
        for seed in range(bench.seeds):
            yield {
                "scenario": case.scenario.name,
                "corridor": case.corridor.name,
                "model": name,
                "controller": "fixed",
                "family": "fixed",
                "kind": MODELS[name],
                "kept": name == UNSET,
                "seed": seed,
                **_values(case, name, plans, seed, kept),
            }


def _values(
    case: _Case, name: str, plans: PlanSet | LvboError, seed: int, kept: Kept
) -> dict[str, object]:
    """Return what a run gave, from the cache where it was made before."""
    if isinstance(plans, LvboError):
        return _measured(None, case) | {"status": plans.code}
    scenario = case.on(seed)
    key = kept.key(code_digest(), scenario, "waves", case.corridor.id, digest(plans), seed)
    known = kept.read(key)
    if known is not None:
        return dict(known)
    try:
        runs = simulate(scenario, plans, seeds=[seed], conduct=Conduct(name=name), workers=1)
    except LvboError as error:
        return _measured(None, case) | {"status": error.code}
    values = _measured(runs.runs[0], case)
    kept.write(key, values)
    return values


COLUMNS = (
    "delay_s",
    "trip_s",
    "stops",
    "due",
    "arrived",
    "unfinished",
    "teleports",
    "lamp_violations",
)


def _measured(run: Run | None, case: _Case) -> dict[str, object]:
    """Return the values of a row; without a run none, with the same keys."""
    network = case.scenario.network
    whole: dict[str, object] = dict.fromkeys(COLUMNS)
    street: dict[str, object] = dict.fromkeys(STREET_COLUMNS)
    if run is not None:
        found = asdict(measure(run, network))
        whole = {name: found[name] for name in COLUMNS}
        street = _along(run, case) | {"side_delay_s": _side_delay_s(run, case)}
    return whole | {"teleport_s": case.scenario.teleport_s} | street | {"status": "ok"}


STREET_COLUMNS = ("corridor_stops_per_km", "corridor_travel_s", "corridor_drives", "side_delay_s")


def _along(run: Run, case: _Case) -> dict[str, object]:
    """Return stops per km, and the time that the street takes at the space-mean speed on it."""
    along = measure_along(run, case.corridor, case.scenario.network)
    travel_s = None if along.speed_mps is None else case.corridor.length_m / along.speed_mps
    return {
        "corridor_stops_per_km": along.stops_per_km,
        "corridor_travel_s": travel_s,
        "corridor_drives": along.drives,
    }


def _side_delay_s(run: Run, case: _Case) -> float | None:
    """Return the mean delay at the signals of the street of all that come from other streets."""
    network, corridor = case.scenario.network, case.corridor
    along = {m for s in corridor.stops for m in (s.outbound, s.inbound) if m is not None}
    links = {network.movement_index[m].from_link for m in along}
    wanted = set(corridor.controllers)
    side = [
        str(m.id)
        for m in network.movements
        if wanted & set(m.controllers) and m.from_link not in links
    ]
    found = measure_movements(run, network).filter(pl.col("movement").is_in(side))
    vehicles = int(found["vehicles"].sum())
    return float((found["delay_s"] * found["vehicles"]).sum()) / vehicles if vehicles else None
