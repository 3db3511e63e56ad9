# SPDX-License-Identifier: Apache-2.0
"""The scale bench: how the area search grows with the number of signals and of workers.

Every figure is taken in a fresh process that has run a small task before, so that compiled kernels
are loaded and the memory is that of this size alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from lvbo.bench.common import BenchResult, Progress, Row, machine_load, peak_mib, used_versions
from lvbo.bench.lattice import lattice_of
from lvbo.bench.lattice_area import delay_of
from lvbo.bench.scale_tasks import (
    Measured,
    PartTask,
    ScaleTask,
    cycle_task,
    full_task,
    long_offsets_task,
    offsets_task,
    part_task,
    spin_task,
    timed_lattice,
    warm_task,
)
from lvbo.optimize.areas import AreaRules, find_areas
from lvbo.optimize.coupling import savings
from lvbo.optimize.executor import Cluster, Pool, TaskRunner
from lvbo.optimize.submesh import submesh
from lvbo.optimize.tables import search_offsets

PARALLEL_CYCLES_S = (62, 70, 78, 86, 94, 102, 110, 118)
"""The independent tasks whose wall time one and several workers are compared by."""
PARALLEL_MOST = 1000
"""Larger lattices are not run at many cycles: it would take minutes and show the same."""
FULL_SIGNALS = 100
LONG_SIZES = (100, 1000)
"""Sizes whose offsets are also searched for long, to show what is left."""
SLOPE_FROM = 100
STITCH_ROUNDS = 1
SPIN_TURNS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBench:
    """What a scale bench runs; `long_s` is the CPU time of the long searches it compares with.

    Each number of workers takes its turn `repeats` times, and the least time counts: others may use
    the machine too.
    """

    signals: tuple[int, ...] = (36, 100, 1000, 10_000)
    workers: tuple[int, ...] = (1, 2)
    cluster: str = ""
    long_s: float = 60.0
    repeats: int = 3
    seed: int = 0


def run_scale(bench: ScaleBench | None = None, *, progress: Progress | None = None) -> BenchResult:
    """Return a row for each task, size and number of workers.

    `offsets`: those of the whole lattice, one process. `cycles`: greens and offsets at eight
    cycles, independent tasks, the delay that of the best. `areas`: Louvain areas solved one by one,
    then all offsets once more together, from there. `full`: cycle, stage orders, splits, offsets.
    `offsets long` and `full long`: the same searched for `long_s` of CPU time. `spin`: as many
    tasks that only count, in the same processes between the others: what the machine lets several
    workers gain at most.

    Raises:
        ToolError: LV680 to LV682 where workers die or no cluster answers.

    """
    chosen = bench or ScaleBench()
    steps = _steps(chosen)
    rows: list[Row] = []
    for k, (name, step) in enumerate(steps):
        if progress is not None:
            progress(name, k / len(steps))
        rows += step()
    return BenchResult(
        bench="scale",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary=_summary(rows),
    )


def _steps(bench: ScaleBench) -> list[tuple[str, Callable[[], list[Row]]]]:
    """Return all that is to be measured, with its name, the small sizes first."""
    steps: list[tuple[str, Callable[[], list[Row]]]] = []
    for n in sorted(bench.signals):
        task = ScaleTask(signals=n, seed=bench.seed)
        long = ScaleTask(signals=n, seed=bench.seed, seconds=bench.long_s)
        steps.append((f"offsets {n}", _alone("offsets", offsets_task, task)))
        if n in LONG_SIZES and bench.long_s > 0:
            steps.append((f"long offsets {n}", _alone("offsets long", long_offsets_task, long)))
        if n <= PARALLEL_MOST:
            steps.append((f"cycles and areas {n}", _sharing(task, bench)))
        if n == FULL_SIGNALS:
            steps.append((f"full {n}", _alone("full", full_task, task)))
            if bench.long_s > 0:
                steps.append((f"long full {n}", _alone("full long", full_task, long)))
    return steps


def _sharing(task: ScaleTask, bench: ScaleBench) -> Callable[[], list[Row]]:
    """Return the step for workers that are all processes, one alone too, warm before any clock."""

    def step() -> list[Row]:
        with ExitStack() as stack:
            runners: list[TaskRunner] = [
                stack.enter_context(Pool(workers)) for workers in bench.workers
            ]
            if bench.cluster:
                runners.append(stack.enter_context(Cluster(bench.cluster)))
            for runner in runners:
                _warm(runner, task)
            shared = _in_turns(task, runners, bench.repeats)
            return [*shared, *(_areas(task, runner) for runner in runners)]

    return step


def _warm(runner: TaskRunner, task: ScaleTask) -> None:
    runner.map(warm_task, [task] * (2 * runner.workers))


def _alone(
    name: str, measure: Callable[[ScaleTask], Measured], task: ScaleTask
) -> Callable[[], list[Row]]:
    def step() -> list[Row]:
        with Pool(1) as one:
            found = one.map(measure, [task])[0]
        return [_row(name, task.signals, 1, found)]

    return step


def _in_turns(task: ScaleTask, runners: Sequence[TaskRunner], repeats: int) -> list[Row]:
    """Measure the same independent tasks, shared by each of the runners, and as many spins."""
    rows: dict[tuple[str, int], Row] = {}
    for _ in range(repeats):
        for runner in runners:
            for row in (_cycles(task, runner), _spins(task, runner)):
                key = str(row["task"]), runner.workers
                best = rows.get(key)
                if best is None or _number(row, "wall_s") < _number(best, "wall_s"):
                    rows[key] = row
    return list(rows.values())


def _cycles(task: ScaleTask, runner: TaskRunner) -> Row:
    tasks = [ScaleTask(signals=task.signals, seed=task.seed, cycle_s=c) for c in PARALLEL_CYCLES_S]
    begin = time.perf_counter()
    found = runner.map(cycle_task, tasks)
    wall_s = time.perf_counter() - begin
    best = min(found, key=lambda m: (m.cost, m.cycle_s))
    whole = Measured(
        cpu_s=sum(m.cpu_s for m in found),
        wall_s=wall_s,
        peak_mib=_most([m.peak_mib for m in found]),
        before=None,
        delay=best.delay,
        cost=best.cost,
        cycle_s=best.cycle_s,
    )
    return _row("cycles", task.signals, runner.workers, whole)


def _spins(task: ScaleTask, runner: TaskRunner) -> Row:
    begin = time.perf_counter()
    spent = runner.map(spin_task, [SPIN_TURNS] * len(PARALLEL_CYCLES_S))
    wall_s = time.perf_counter() - begin
    known = ("task", "signals", "workers", "cpu_s", "wall_s")
    values = ("spin", task.signals, runner.workers, sum(spent), wall_s)
    return {**dict.fromkeys(KEYS), **dict(zip(known, values, strict=True))}


def _areas(task: ScaleTask, runner: TaskRunner) -> Row:
    """Measure areas solved one by one and stitched, beside the offsets of the whole lattice."""
    mesh, area = timed_lattice(task)
    before = delay_of(area)
    cpu, begin = time.process_time(), time.perf_counter()
    lattice = lattice_of(task.signals, task.seed)
    streets = tuple(tuple(mesh.controllers[s] for s in line) for line in lattice.corridors)
    parts = find_areas(mesh.controllers, savings(mesh, area), AreaRules(corridors=streets))
    number = {c: s for s, c in enumerate(mesh.controllers)}
    members = [np.array([number[c] for c in own]) for own in parts.areas]
    tasks = [
        PartTask(
            mesh=submesh(mesh, own),
            greens=area.at.greens[at],
            cycle_s=task.cycle_s,
            seed=task.seed,
        )
        for own, at in zip(parts.areas, members, strict=True)
    ]
    solved = runner.map(part_task, tasks)
    for at, part in zip(members, solved, strict=True):
        area.at.offset[at] = part.offsets_s
    cost = search_offsets(area, rounds=STITCH_ROUNDS, seed=task.seed)
    whole = Measured(
        cpu_s=time.process_time() - cpu + sum(part.cpu_s for part in solved),
        wall_s=time.perf_counter() - begin,
        peak_mib=_most([peak_mib(), *(part.peak_mib for part in solved)]),
        before=before,
        delay=delay_of(area),
        cost=cost,
        cycle_s=task.cycle_s,
    )
    return {**_row("areas", task.signals, runner.workers, whole), "areas": len(parts.areas)}


def _most(known: Sequence[float | None]) -> float | None:
    return max((m for m in known if m is not None), default=None)


KEYS = (
    "task", "signals", "workers", "cpu_s", "wall_s", "peak_mib", "delay_before", "delay", "cost",
    "cycle_s", "areas",
)  # fmt: skip


def _row(name: str, signals: int, workers: int, found: Measured) -> Row:
    return {
        "task": name,
        "signals": signals,
        "workers": workers,
        "cpu_s": found.cpu_s,
        "wall_s": found.wall_s,
        "peak_mib": found.peak_mib,
        "delay_before": found.before,
        "delay": found.delay,
        "cost": found.cost,
        "cycle_s": found.cycle_s,
        "areas": None,
    }


def _summary(rows: Sequence[Row]) -> dict[str, object]:
    """Return the ratios that the rows are there for."""
    offsets = {int(str(r["signals"])): r for r in rows if r["task"] == "offsets"}
    return {
        "offsets_cpu_s": {str(n): row["cpu_s"] for n, row in offsets.items()},
        "exponent": _exponent({n: _number(row, "cpu_s") for n, row in offsets.items()}),
        "speed_up": {
            f"{task} {n}": ratio
            for task in ("cycles", "areas", "spin")
            for n, ratio in _speed_ups([r for r in rows if r["task"] == task]).items()
        },
        "share_of_spin": _shares(rows),
        "gap_to_long": {
            f"{task} {n}": gap
            for task in ("offsets", "full")
            for n, gap in _gaps(rows, task).items()
        },
        "lost_by_areas": {
            str(n): _number(row, "cost") / _number(offsets[n], "cost") - 1
            for row in rows
            if row["task"] == "areas" and (n := int(str(row["signals"]))) in offsets
        },
    }


def _exponent(cpu_s: dict[int, float]) -> float | None:
    """Return the slope of CPU time over signals, both as logarithms, by least squares."""
    used = {n: t for n, t in cpu_s.items() if n >= SLOPE_FROM and t > 0}
    if len(used) < 2:  # noqa: PLR2004
        return None
    return float(np.polyfit(np.log(list(used)), np.log(list(used.values())), 1)[0])


def _speed_ups(rows: Sequence[Row]) -> dict[int, float]:
    """Return by size how many times faster the most workers are than one, by wall time."""
    found = {}
    for n in dict.fromkeys(int(str(r["signals"])) for r in rows):
        own = {int(str(r["workers"])): r for r in rows if r["signals"] == n}
        if 1 in own and len(own) > 1:
            found[n] = _number(own[1], "wall_s") / _number(own[max(own)], "wall_s")
    return found


def _shares(rows: Sequence[Row]) -> dict[str, float]:
    """Return by size the speed-up of the search as a share of that of tasks that only count."""
    found = _speed_ups([r for r in rows if r["task"] == "cycles"])
    limit = _speed_ups([r for r in rows if r["task"] == "spin"])
    return {f"cycles {n}": ratio / limit[n] for n, ratio in found.items() if n in limit}


def _gaps(rows: Sequence[Row], task: str) -> dict[int, float]:
    """Return by size how much more the short search leaves than the long one, as a share."""
    used = [r for r in rows if r["task"] in {task, f"{task} long"}]
    cost = {(r["task"], r["signals"]): _number(r, "cost") for r in used}
    return {
        int(str(n)): found / cost[f"{task} long", n] - 1
        for (name, n), found in cost.items()
        if name == task and (f"{task} long", n) in cost
    }


def _number(row: Row, key: str) -> float:
    return float(str(row[key]))
