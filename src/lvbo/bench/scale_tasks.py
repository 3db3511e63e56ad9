# SPDX-License-Identifier: Apache-2.0
"""What the scale bench measures, each task in a process of its own that has run a small one before.

Every function here takes a task and returns what it measured, so that any runner may run it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.common import peak_mib
from lvbo.bench.lattice import lattice_mesh, lattice_of
from lvbo.bench.lattice_area import SWEEPS, delay_of, even_out, lattice_area, time_signals
from lvbo.optimize.deadline import within
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import AreaSearch, Effort, Found, timed
from lvbo.optimize.tables import search_offsets

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

Ints = NDArray[np.int64]
R = TypeVar("R")

WARM_SIGNALS = 9
WARM_S = 0.1
KICKS = 10
CYCLES_S = tuple(range(56, 121, 4))
"""The cycles among which a full plan is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTask:
    """Signals of a lattice with a seed, at a cycle; `seconds` of CPU time for a long search."""

    signals: int
    seed: int = 0
    cycle_s: int = 90
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """CPU and wall time of a search, memory of its process, delay without and with it.

    `delay`s in veh-h per hour, `cost` in the objective of the search, veh-s per second.
    """

    cpu_s: float
    wall_s: float
    peak_mib: float | None
    before: float | None
    delay: float
    cost: float
    cycle_s: int


@dataclass(frozen=True, eq=False, kw_only=True)
class PartTask:
    """One area of a lattice at a cycle, its greens set."""

    mesh: AreaMesh
    greens: Ints
    cycle_s: int
    seed: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class PartMeasured:
    """The offsets of one area, and what finding them took."""

    offsets_s: Ints
    cpu_s: float
    peak_mib: float | None


def offsets_task(task: ScaleTask) -> Measured:
    """Measure the offsets of a whole lattice; greens are set before, offsets are 0 until then."""
    return _offsets(task, lambda area, own: search_offsets(area, seed=own.seed))


def long_offsets_task(task: ScaleTask) -> Measured:
    """Measure the offsets that a search of so many seconds finds."""
    return _offsets(task, _long_search)


def cycle_task(task: ScaleTask) -> Measured:
    """Measure greens and offsets of a lattice at one cycle."""
    area = lattice_area(_mesh(task.signals, task.seed), task.cycle_s)

    def search() -> float:
        time_signals(area)
        return search_offsets(area, seed=task.seed)

    cost, cpu_s, wall_s = _timed(search)
    return Measured(
        cpu_s=cpu_s,
        wall_s=wall_s,
        peak_mib=peak_mib(),
        before=None,
        delay=delay_of(area),
        cost=cost,
        cycle_s=task.cycle_s,
    )


def part_task(task: PartTask) -> PartMeasured:
    """Measure the offsets of one area alone."""
    area = lattice_area(task.mesh, task.cycle_s)
    area.at.greens[:] = task.greens
    _, cpu_s, _ = _timed(lambda: search_offsets(area, seed=task.seed))
    return PartMeasured(offsets_s=area.at.offset.copy(), cpu_s=cpu_s, peak_mib=peak_mib())


def full_task(task: ScaleTask) -> Measured:
    """Measure a full plan: cycle, stage orders, splits and offsets; long where `seconds` are given.

    Stage orders are tabulated within that time; streets and rules are at hand before.
    """
    AreaSearch(mesh=_mesh(WARM_SIGNALS, 0)).run(CYCLES_S[::8], Effort(kicks=1))
    mesh = _mesh(task.signals, task.seed)
    effort = Effort(seed=task.seed)
    if task.seconds:
        effort = timed(effort, within(task.seconds, time.process_time))

    def plan() -> tuple[AreaSearch, Found]:
        search = AreaSearch(mesh=mesh)
        return search, search.run(CYCLES_S, effort)[0]

    (search, found), cpu_s, wall_s = _timed(plan)
    area = search.placed(found.programmes, found.cycle_s)
    return Measured(
        cpu_s=cpu_s,
        wall_s=wall_s,
        peak_mib=peak_mib(),
        before=None,
        delay=delay_of(area),
        cost=found.cost,
        cycle_s=found.cycle_s,
    )


def spin_task(turns: int) -> float:
    """Count to a number and do nothing else; return the CPU time that took, s."""
    begin, left = time.process_time(), turns
    while left:
        left -= 1
    return time.process_time() - begin


def warm_task(task: ScaleTask) -> None:
    """Load what later tasks of this process need: compiled kernels, the lattice."""
    offsets_task(ScaleTask(signals=WARM_SIGNALS))
    _mesh(task.signals, task.seed)


def timed_lattice(task: ScaleTask) -> tuple[AreaMesh, Area]:
    """Return a lattice and its area, each signal timed alone."""
    mesh = _mesh(task.signals, task.seed)
    area = lattice_area(mesh, task.cycle_s)
    time_signals(area)
    return mesh, area


def _offsets(task: ScaleTask, search: Callable[[Area, ScaleTask], float]) -> Measured:
    if task.signals != WARM_SIGNALS:
        _offsets(ScaleTask(signals=WARM_SIGNALS, seconds=min(task.seconds, WARM_S)), search)
    _, area = timed_lattice(task)
    before = delay_of(area)
    cost, cpu_s, wall_s = _timed(lambda: search(area, task))
    return Measured(
        cpu_s=cpu_s,
        wall_s=wall_s,
        peak_mib=peak_mib(),
        before=before,
        delay=delay_of(area),
        cost=cost,
        cycle_s=task.cycle_s,
    )


def _long_search(area: Area, task: ScaleTask) -> float:
    """Return the least cost found: half the time anew with other seeds, half by kicks."""
    from lvbo.optimize._descent_kernels import kick, seed_kicks, settle_all

    none, least, best = np.zeros(0, np.int64), np.inf, area.at.offset.copy()
    seed_kicks(task.seed)
    begin = time.process_time()
    for k in count():
        spent = time.process_time() - begin
        if spent > task.seconds:
            break
        if spent < task.seconds / 2:
            area.at.offset[:] = 0
            even_out(area)
            cost = search_offsets(area, seed=task.seed + k, rounds=4)
        else:
            area.at.offset[:] = best
            settle_all(area, SWEEPS)
            for _ in range(KICKS):
                kick(area, 12, none)
            cost = float(settle_all(area, SWEEPS))
        if cost < least:
            least, best = cost, area.at.offset.copy()
    area.at.offset[:] = best
    return float(settle_all(area, SWEEPS))


def _timed(call: Callable[[], R]) -> tuple[R, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = call()
    return found, time.process_time() - cpu, time.perf_counter() - wall


@lru_cache(maxsize=2)
def _mesh(signals: int, seed: int) -> AreaMesh:
    return lattice_mesh(lattice_of(signals, seed))
