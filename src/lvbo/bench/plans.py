# SPDX-License-Identifier: Apache-2.0
"""The plan bench: our plans beside fixed and adaptive baselines, paired seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lvbo.bench.common import BenchResult, Row, cpu_seconds, machine_load, used_versions
from lvbo.bench.design import Planner, Task, design_plans, our_offsets
from lvbo.city.build import yuci_folder
from lvbo.errors import Fields, LvboError, UsageError
from lvbo.evaluation.compare import compare_measures
from lvbo.evaluation.intervals import Interval
from lvbo.evaluation.measures import Measures, measure
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.controls import Control
from lvbo.simulation.count import count_scenario
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.simulation.tools import adapt_with_sumo, repaired, running_safely

OURS, SHIPPED, RAW = "lvbo", "shipped", "shipped_raw"
OFFSETS, CORRIDORS, SHIPPED_OFFSETS = "offsets", "corridors", "shipped_offsets"
"""Our offsets on the greens of SUMO's coordinated tool; isolated greens with waves on streets; our
offsets on the greens in force."""
FAMILIES: Mapping[str, str] = {
    SHIPPED: "fixed",
    RAW: "fixed",
    "actuated": "actuated",
    "delay_based": "adaptive",
    "shipped_coordinated": "fixed",
    "cycle_adaptation": "fixed",
    "cycle_adaptation_coordinated": "fixed",
    "isolated": "fixed",
    SHIPPED_OFFSETS: "fixed",
    OFFSETS: "fixed",
    CORRIDORS: "fixed",
    OURS: "fixed",
}
"""All controllers by their fixed names, in the order of the table."""
DESIGNED = frozenset({"isolated", CORRIDORS, OURS})
OWN = DESIGNED | {SHIPPED_OFFSETS, OFFSETS}
AREA_ONLY = frozenset({"shipped_coordinated", SHIPPED_OFFSETS, OFFSETS, CORRIDORS})
BASIC = tuple(name for name in FAMILIES if name not in AREA_ONLY)
AREA = (
    SHIPPED,
    "shipped_coordinated",
    "cycle_adaptation",
    "cycle_adaptation_coordinated",
    "isolated",
    SHIPPED_OFFSETS,
    OFFSETS,
    CORRIDORS,
    OURS,
)
"""Who stands in the area bench."""

BUILT_IN_S = 900

Progress = Callable[[str, float], None]
"""Told what is being done and the share of all of it that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBench:
    """What a plan bench runs: how many judged seeds, which controllers, whose plans.

    With `times` rows tell the CPU time that making the plans took.
    """

    name: str = "plans"
    seeds: int = 5
    workers: int = 2
    controllers: tuple[str, ...] = BASIC
    planner: Planner = design_plans
    times: bool = False


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One controller of one scenario: its plans, or why there are none."""

    controller: str
    plans: PlanSet | None
    control: Control = Control.FIXED
    kept: bool = False
    failed: LvboError | None = None
    cpu_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Result:
    scenario: Scenario
    entry: _Entry
    measures: tuple[Measures, ...]
    failed: LvboError | None


def run_plans(
    scenarios: Sequence[Path | str | Scenario] | None = None,
    *,
    bench: PlanBench | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per scenario, controller and seed, and how ours compares.

    Each scenario is counted on seeds that are never judged, then our plans are designed, then all
    controllers run on the seeds 0, 1, ... The warm-up is zero. Without scenarios a quarter of
    an hour of the bundled city is used. A controller that fails is shown as crashed.

    Raises:
        UsageError: LV607 for an unknown controller or no seeds.
        InputError: where a scenario cannot be read.
        ToolError: LV600 where SUMO is missing.

    """
    chosen = bench or PlanBench()
    unknown = sorted(set(chosen.controllers) - set(FAMILIES))
    if unknown or chosen.seeds < 1:
        raise UsageError(
            "LV607", place=", ".join(unknown), seeds=chosen.seeds, known=", ".join(FAMILIES)
        )
    read = [_read(given) for given in scenarios] if scenarios else [_built_in()]
    results: list[_Result] = []
    for number, scenario in enumerate(read):
        results.extend(_judge(scenario, chosen, _part(progress, number, len(read))))
    return BenchResult(
        bench=chosen.name,
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(row for result in results for row in _rows(result, chosen)),
        summary={scenario.name: _summary(scenario, results) for scenario in read},
    )


def _read(given: Path | str | Scenario) -> Scenario:
    return given if isinstance(given, Scenario) else read_scenario(given)


def _built_in() -> Scenario:
    """Return a quarter of an hour of the bundled city: enough to try the bench."""
    whole = read_scenario(yuci_folder() / "yuci.offpeak.sumocfg")
    return replace(whole, name=f"{whole.name}.short", end_s=whole.begin_s + BUILT_IN_S)


def _part(progress: Progress | None, number: int, count: int) -> Progress:
    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(what, (number + share) / count)

    return tell


def _judge(scenario: Scenario, bench: PlanBench, progress: Progress) -> list[_Result]:
    entries = list(_entries(scenario, bench, progress))
    return [
        _run(
            scenario,
            entry,
            bench,
            lambda share, k=k, name=entry.controller: progress(  # type: ignore[misc]
                f"{scenario.name}: {name}", (1 + k + share) / (1 + len(entries))
            ),
        )
        for k, entry in enumerate(entries)
    ]


def _entries(scenario: Scenario, bench: PlanBench, progress: Progress) -> Iterable[_Entry]:
    """Yield the controllers asked for, in the order of the table; ours are designed first."""
    progress(f"{scenario.name}: {OURS}", 0.0)
    asked = set(bench.controllers)
    ours = _ours(scenario, bench.planner) if asked & DESIGNED else {}
    safe = _attempt(SHIPPED, lambda: repaired(scenario.plans, scenario))
    tools = _of_tools(scenario) if asked & {*_TOOLS, OFFSETS} else {}
    if OFFSETS in asked:
        tools[OFFSETS] = _with_offsets(scenario, tools[_COORDINATED], OFFSETS)
    if SHIPPED_OFFSETS in asked:
        running = _attempt(SHIPPED_OFFSETS, lambda: running_safely(scenario))
        tools[SHIPPED_OFFSETS] = _with_offsets(scenario, running, SHIPPED_OFFSETS)
    for name in FAMILIES:
        if name not in asked:
            continue
        if name == RAW:
            yield _Entry(controller=RAW, plans=None)
        elif name in {Control.ACTUATED, Control.DELAY_BASED}:
            yield _Entry(
                controller=name, plans=safe.plans, control=Control(name), failed=safe.failed
            )
        else:
            yield {SHIPPED: safe, **ours, **tools}[name]


_COORDINATED = "cycle_adaptation_coordinated"
_TOOLS = ("shipped_coordinated", "cycle_adaptation", _COORDINATED)


def _attempt(name: str, make: Callable[[], PlanSet]) -> _Entry:
    try:
        return _Entry(controller=name, plans=make())
    except LvboError as error:
        return _Entry(controller=name, plans=None, failed=error)


def _ours(scenario: Scenario, planner: Planner) -> dict[str, _Entry]:
    try:
        task = Task(
            network=scenario.network,
            net_file=scenario.net_file,
            counts=count_scenario(scenario),
            installed=scenario.plans,
            safe=repaired(scenario.plans, scenario),
        )
        design = planner(task)
    except LvboError as error:
        return {name: _Entry(controller=name, plans=None, failed=error) for name in DESIGNED}
    return {
        OURS: _Entry(
            controller=OURS, plans=design.lvbo, kept=design.kept, cpu_s=design.cpu_s.get(OURS)
        ),
        "isolated": _Entry(
            controller="isolated", plans=design.isolated, cpu_s=design.cpu_s.get("isolated")
        ),
        CORRIDORS: _Entry(
            controller=CORRIDORS, plans=design.corridors, cpu_s=design.cpu_s.get(CORRIDORS)
        ),
    }


def _with_offsets(scenario: Scenario, given: _Entry, name: str) -> _Entry:
    """Return plans with our offsets: same cycle, same greens."""
    if given.plans is None:
        return replace(given, controller=name)
    counts = count_scenario(scenario)
    begin = cpu_seconds()
    try:
        plans = our_offsets(scenario.network, counts, given.plans)
    except LvboError as error:
        return _Entry(controller=name, plans=None, failed=error)
    return _Entry(controller=name, plans=plans, cpu_s=cpu_seconds() - begin)


def _of_tools(scenario: Scenario) -> dict[str, _Entry]:
    begin = cpu_seconds()
    found = adapt_with_sumo(scenario)
    spent_s = (cpu_seconds() - begin) / len(_TOOLS)
    made = {name: getattr(found, name) for name in _TOOLS}
    return {
        name: _Entry(controller=name, plans=None, failed=plans)
        if isinstance(plans, LvboError)
        else _Entry(controller=name, plans=plans, cpu_s=spent_s)
        for name, plans in made.items()
    }


def _run(
    scenario: Scenario, entry: _Entry, bench: PlanBench, progress: Callable[[float], None]
) -> _Result:
    if entry.failed is not None:
        return _Result(scenario=scenario, entry=entry, measures=(), failed=entry.failed)
    conduct = Conduct(name=entry.controller, control=entry.control)
    try:
        runs = simulate(
            scenario,
            entry.plans,
            seeds=range(bench.seeds),
            conduct=conduct,
            workers=bench.workers,
            progress=progress,
        )
    except LvboError as error:
        return _Result(scenario=scenario, entry=entry, measures=(), failed=error)
    measures = tuple(measure(run, scenario.network) for run in runs.runs)
    return _Result(scenario=scenario, entry=entry, measures=measures, failed=None)


# rows -----------------------------------------------------------------------------------------


def _rows(result: _Result, bench: PlanBench) -> Iterable[Row]:
    found = {m.seed: m for m in result.measures}
    name = result.entry.controller
    for seed in range(bench.seeds):
        m = found.get(seed)
        row: dict[str, object] = {
            "scenario": result.scenario.name,
            "controller": name,
            "family": FAMILIES[name],
            "kind": "ours" if name in OWN else "baseline",
            "kept": result.entry.kept,
            "seed": seed,
            "delay_s": m.delay_s if m else None,
            "trip_s": m.trip_s if m else None,
            "stops": m.stops if m else None,
            "due": m.due if m else None,
            "arrived": m.arrived if m else None,
            "unfinished": m.unfinished if m else None,
            "teleports": m.teleports if m else None,
            "teleport_s": result.scenario.teleport_s,
            "lamp_violations": m.lamp_violations if m else None,
            "status": "ok" if m else "crashed",
        }
        yield row | ({"cpu_s": result.entry.cpu_s} if bench.times else {})


# summary --------------------------------------------------------------------------------------


def _summary(scenario: Scenario, results: Sequence[_Result]) -> Mapping[str, object]:
    """Return how ours compares with the best fixed baseline that broke no lamp rule."""
    own = [r for r in results if r.scenario is scenario]
    failed: dict[str, Fields] = {
        r.entry.controller: {"code": r.failed.code, **_plain(r.failed.fields)}
        for r in own
        if r.failed is not None
    }
    means = {r.entry.controller: _mean_delay(r.measures) for r in own if r.measures}
    said: dict[str, object] = {"delay_s": means, "crashed": failed}
    ours = next((r for r in own if r.entry.controller == OURS and r.measures), None)
    rivals = [r for r in own if r.measures and _is_rival(r)]
    if ours is None or not rivals:
        return said
    best = min(rivals, key=lambda r: _mean_delay(r.measures))
    against = {r.entry.controller: _against(r, ours) for r in own if r.measures and r is not ours}
    return said | {
        "best_fixed": best.entry.controller,
        "lvbo_vs_best_fixed": against[best.entry.controller],
        "lvbo_vs": against,
    }


def _is_rival(result: _Result) -> bool:
    name = result.entry.controller
    fixed = FAMILIES[name] == "fixed" and name not in OWN
    return fixed and all(m.lamp_violations == 0 for m in result.measures)


def _mean_delay(measures: Sequence[Measures]) -> float:
    return sum(m.delay_s for m in measures) / len(measures)


def _against(other: _Result, ours: _Result) -> dict[str, object]:
    """Return the paired change of delay from another controller to ours."""
    delay = {d.measure: d for d in compare_measures(other.measures, ours.measures)}["delay_s"]
    percent: Interval | None = delay.percent
    return {
        "change_s": asdict(delay.change),
        "percent": None if percent is None else asdict(percent),
        "worst_seed": delay.worst_seed,
        "worst_s": delay.worst,
    }


def _plain(fields: Fields) -> dict[str, object]:
    return {key: v if isinstance(v, int | float | str) else str(v) for key, v in fields.items()}
