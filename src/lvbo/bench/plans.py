# SPDX-License-Identifier: Apache-2.0
"""The plan bench: our plans beside fixed and adaptive baselines, paired seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from lvbo.bench.common import BenchResult, Progress, Row, cpu_seconds, machine_load, used_versions
from lvbo.bench.design import Planner, Task, design_plans, our_offsets
from lvbo.bench.kept_plans import Entry, KeptPlans
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBench:
    """What a plan bench runs: how many judged seeds, which controllers, whose plans.

    With `times` rows tell the CPU time that making the plans took. `cache` keeps plans and runs.
    """

    name: str = "plans"
    seeds: int = 5
    workers: int = 2
    controllers: tuple[str, ...] = BASIC
    planner: Planner = design_plans
    times: bool = False
    cache: Path | None = None


@dataclass(frozen=True, kw_only=True)
class _Result:
    scenario: Scenario
    entry: Entry
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
    progress(f"{scenario.name}: {OURS}", 0.0)
    kept = KeptPlans(bench.cache, scenario)
    entries = list(_Entrants(scenario, bench, kept).entries())
    return [
        _run(
            entry,
            bench,
            kept,
            lambda share, k=k, name=entry.controller: progress(  # type: ignore[misc]
                f"{scenario.name}: {name}", (1 + k + share) / (1 + len(entries))
            ),
        )
        for k, entry in enumerate(entries)
    ]


_COORDINATED = "cycle_adaptation_coordinated"
_TOOLS = ("shipped_coordinated", "cycle_adaptation", _COORDINATED)


class _Entrants:
    """Hold what all who enter a bench on one scenario need."""

    def __init__(self, scenario: Scenario, bench: PlanBench, kept: KeptPlans) -> None:
        self.scenario, self.bench, self.kept = scenario, bench, kept
        self.safe = _attempt(SHIPPED, lambda: repaired(scenario.plans, scenario))
        self.counts = cache(lambda: count_scenario(scenario, workers=bench.workers))

    def entries(self) -> Iterable[Entry]:
        """Yield the controllers asked for, in the order of the table; ours are designed first."""
        asked = set(self.bench.controllers)
        planner = self.bench.planner
        ours: dict[str, Entry] = {}
        tools: dict[str, Entry] = {}
        moved: dict[str, Entry] = {}
        if asked & DESIGNED:
            ours = self.kept.entries(f"{planner.__module__}.{planner.__qualname__}", self._ours)
        if asked & {*_TOOLS, OFFSETS}:
            tools = self.kept.entries("tools", self._tools)
        for name in sorted(asked & {OFFSETS, SHIPPED_OFFSETS}):
            given = tools[_COORDINATED] if name == OFFSETS else self._running()
            moved |= self.kept.entries(name, lambda n=name, g=given: self._offsets(n, g))  # type: ignore[misc]
        known = {SHIPPED: self.safe, **ours, **tools, **moved}
        for name in FAMILIES:
            if name in asked:
                yield known[name] if name in known else self._as_shipped(name)

    def _as_shipped(self, name: str) -> Entry:
        """Return the plans in force, as they are or under another control."""
        if name == RAW:
            return Entry(controller=RAW, plans=None)
        safe = self.safe
        return Entry(controller=name, plans=safe.plans, control=Control(name), failed=safe.failed)

    def _running(self) -> Entry:
        return _attempt(SHIPPED_OFFSETS, lambda: running_safely(self.scenario))

    def _ours(self) -> dict[str, Entry]:
        if self.safe.plans is None:
            return {name: replace(self.safe, controller=name) for name in DESIGNED}
        try:
            design = self.bench.planner(
                Task(
                    network=self.scenario.network,
                    net_file=self.scenario.net_file,
                    counts=self.counts(),
                    installed=self.scenario.plans,
                    safe=self.safe.plans,
                    workers=self.bench.workers,
                )
            )
        except LvboError as error:
            return {name: Entry(controller=name, plans=None, failed=error) for name in DESIGNED}
        made = {"isolated": design.isolated, CORRIDORS: design.corridors, OURS: design.lvbo}
        return {
            name: Entry(
                controller=name,
                plans=plans,
                kept=name == OURS and design.kept,
                cpu_s=design.cpu_s.get(name),
            )
            for name, plans in made.items()
        }

    def _offsets(self, name: str, given: Entry) -> dict[str, Entry]:
        """Return plans with our offsets: same cycle, same greens."""
        plans = given.plans
        if plans is None:
            return {name: replace(given, controller=name)}
        counts = self.counts()
        begin = cpu_seconds()
        made = _attempt(name, lambda: our_offsets(self.scenario.network, counts, plans))
        return {name: replace(made, cpu_s=cpu_seconds() - begin)}

    def _tools(self) -> dict[str, Entry]:
        begin = cpu_seconds()
        found = adapt_with_sumo(self.scenario)
        spent_s = (cpu_seconds() - begin) / len(_TOOLS)
        made = {name: getattr(found, name) for name in _TOOLS}
        return {
            name: Entry(controller=name, plans=None, failed=plans)
            if isinstance(plans, LvboError)
            else Entry(controller=name, plans=plans, cpu_s=spent_s)
            for name, plans in made.items()
        }


def _attempt(name: str, make: Callable[[], PlanSet]) -> Entry:
    try:
        return Entry(controller=name, plans=make())
    except LvboError as error:
        return Entry(controller=name, plans=None, failed=error)


def _run(
    entry: Entry, bench: PlanBench, kept: KeptPlans, progress: Callable[[float], None]
) -> _Result:
    scenario = kept.scenario
    if entry.failed is not None:
        return _Result(scenario=scenario, entry=entry, measures=(), failed=entry.failed)

    def make(seeds: Sequence[int]) -> tuple[Measures, ...]:
        conduct = Conduct(name=entry.controller, control=entry.control)
        plans, workers = entry.plans, bench.workers
        runs = simulate(
            scenario, plans, seeds=seeds, conduct=conduct, workers=workers, progress=progress
        )
        return tuple(measure(run, scenario.network) for run in runs.runs)

    try:
        measures = kept.measures(entry, range(bench.seeds), make)
    except LvboError as error:
        return _Result(scenario=scenario, entry=entry, measures=(), failed=error)
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
