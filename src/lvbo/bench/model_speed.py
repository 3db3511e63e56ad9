# SPDX-License-Identifier: Apache-2.0
"""How much CPU time of one core a plan takes in each engine, on the same streets and vehicles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lvbo.bench.ceilings import Ceilings, measure_ceilings
from lvbo.bench.common import Row, timed
from lvbo.bench.fast import FastModel, Maker, Plans
from lvbo.bench.grids import Grid, make_grid_at
from lvbo.bench.model_rows import (
    MESO,
    MICRO,
    MISSING,
    OK,
    PLATOONS,
    SPEED,
    UXSIM,
)
from lvbo.bench.plan_samples import search_plans
from lvbo.bench.referees import SEED
from lvbo.bench.uxsim_world import has_uxsim, read_trips, run_uxsim
from lvbo.io.scenario import Scenario
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.plain import run_plain

SATURATION = 0.85
REPEATS = 3
LOADED_S = 1
"""So long a run is that tells what reading the network takes."""

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedTask:
    """The grid that is timed, the models timed beside SUMO and UXsim, how many plans at once."""

    folder: Path
    side: int
    seed: int
    makers: tuple[Maker, ...]
    batch: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """The rows of the speed part, and what the core can do at most."""

    rows: tuple[Row, ...]
    ceilings: Ceilings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """One engine timed; no time where it is not installed."""

    engine: str
    plans: int
    cpu_ms: float | None
    flops: float | None = None
    bytes_moved: float | None = None


def measure_speed(task: SpeedTask, tell: Tell) -> Speed:
    """Return CPU time per plan by engine; repeated ones give their least time.

    Single runs are of the shipped plan; models value it alone and many plans at once.

    Raises:
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    grid = make_grid_at(task.folder, side=task.side, saturation=SATURATION, seed=task.seed)
    tell("ceilings", 0.0)
    ceilings = measure_ceilings()
    found: list[_Timed] = []
    for what, measure in _measurements(grid, task):
        tell(what, 0.1 + 0.9 * len(found) / (len(PLATOONS) + 2 + 2 * len(task.makers)))
        found += measure()
    times = {one.engine: one.cpu_ms for one in found if one.plans == 1}
    return Speed(rows=tuple(_row(one, grid, times, ceilings) for one in found), ceilings=ceilings)


def _measurements(grid: Grid, task: SpeedTask) -> Iterator[tuple[str, Callable[[], list[_Timed]]]]:
    shipped = grid.scenario.plans
    yield MICRO, lambda: [_sumo(grid.scenario, shipped, MICRO, repeats=1)]
    yield MESO, lambda: [_sumo(grid.scenario, shipped, MESO, repeats=REPEATS)]
    yield UXSIM, lambda: _uxsim(grid.scenario, _running(shipped))
    if task.makers:
        many = search_plans(grid.network, grid.demand, task.batch, seed=task.seed)
        for maker in task.makers:
            model = _made(maker, grid)
            yield model.name, lambda m=model: _fast(m, _running(shipped), many)  # type: ignore[misc]


def _running(plans: PlanSet) -> Plans:
    return plans.running(plans.day_plans[0].day_type, 0)


def _made(maker: Maker, grid: Grid) -> FastModel:
    scenario = grid.scenario
    return maker(grid.network, grid.volumes_vph, (scenario.warm_up_s, scenario.end_s))


def _sumo(scenario: Scenario, plans: PlanSet, engine: str, *, repeats: int) -> _Timed:
    """Return the CPU time of a run less that of a run of one second: reading the network."""
    started = replace(scenario, end_s=scenario.begin_s + LOADED_S, warm_up_s=0)
    meso = engine == MESO
    all_s, load_s = (
        min(run_plain(one, plans, seed=SEED, mesoscopic=meso).cpu_s for _ in range(repeats))
        for one in (scenario, started)
    )
    return _Timed(engine=engine, plans=1, cpu_ms=1000 * (all_s - load_s))


def _uxsim(scenario: Scenario, plans: Plans) -> list[_Timed]:
    if not has_uxsim():
        return [_Timed(engine=name, plans=1, cpu_ms=None) for name in PLATOONS]
    trips = read_trips(scenario)
    found = []
    for name, platoon in PLATOONS.items():
        runs = (run_uxsim(scenario, trips, plans, platoon=platoon) for _ in range(REPEATS))
        least_s = min(run.cpu_s for run in runs)
        found.append(_Timed(engine=name, plans=1, cpu_ms=1000 * least_s))
    return found


def _fast(model: FastModel, one: Plans, many: Sequence[Plans]) -> list[_Timed]:
    return [
        _Timed(
            engine=model.name,
            plans=len(plans),
            cpu_ms=timed(lambda w=written: model.delays_vehs(w), REPEATS)[1] / len(plans),  # type: ignore[misc]
            flops=model.flops(),
            bytes_moved=model.bytes_moved(),
        )
        for plans in ([one], many)
        for written in (model.written(plans),)
    ]


def _row(one: _Timed, grid: Grid, times: Mapping[str, float | None], ceilings: Ceilings) -> Row:
    row: dict[str, object] = {
        "part": SPEED,
        "level": SATURATION,
        "engine": one.engine,
        "status": MISSING if one.cpu_ms is None else OK,
        "signals": len(grid.network.controllers),
        "plans": one.plans,
        "saturation": grid.saturation,
        "cpu_ms_per_plan": one.cpu_ms,
    }
    if one.cpu_ms is None:
        return row
    for key, engine in (
        ("ratio_to_micro", MICRO),
        ("ratio_to_meso", MESO),
        ("ratio_to_uxsim", UXSIM),
    ):
        other_ms = times.get(engine)
        row[key] = None if other_ms is None else other_ms / one.cpu_ms
    if one.flops is not None and one.bytes_moved is not None:
        row["flop_share"] = 1000 * one.flops / one.cpu_ms / ceilings.flops
        row["memory_share"] = 1000 * one.bytes_moved / one.cpu_ms / ceilings.near_bytes
    return row


def told(speed: Speed) -> Mapping[str, object]:
    """Return the ratios of each model, and the ceilings."""
    models: dict[str, object] = {}
    for row in speed.rows:
        if row.get("flop_share") is not None:
            name = f"{row['engine']} x{row['plans']}"
            models[name] = {
                "plans_per_s": 1000 / float(str(row["cpu_ms_per_plan"])),
                **{key: row[key] for key in ("ratio_to_micro", "ratio_to_meso", "ratio_to_uxsim")},
            }
    return {"speed": models, "ceilings": asdict(speed.ceilings)}
