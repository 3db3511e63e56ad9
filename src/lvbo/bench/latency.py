# SPDX-License-Identifier: Apache-2.0
"""The latency bench: how long decisions take where one core has a whole city to decide for.

Every site has traffic of its own, replayed without a simulator; only decisions are timed, what is
made of the detectors for them included, and the gate apart from them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvbo.bench.common import BenchResult, Progress, Row, machine_load, used_versions
from lvbo.control.eyes import Eyes
from lvbo.control.gate import make_gate
from lvbo.control.guard import Guarded, guard_of_either
from lvbo.control.protocols import Controller, Ints, Observation, Order, Verdict, Wish
from lvbo.control.registry import (
    BUILT_IN,
    ControllerSpec,
    Situation,
    controller_names,
    make_controller,
)
from lvbo.control.site import Site
from lvbo.control.stages import stage_table
from lvbo.errors import UsageError
from lvbo.ids import ControllerId
from lvbo.simulation.controlled import BY_EITHER, BY_PHASE
from lvbo.testing.replay import ReplayStreet
from lvbo.testing.sites import four_stages, named, stage_plan

WARM_UP_S = 240
"""So long plans run the sites, each at its own point of the cycle, before anybody decides."""
SETTLE_S = 5
"""So many seconds are decided before they are timed: kernels compile, filters fill."""
SEARCHED = frozenset({"LV773", "LV774"})
"""The reasons that come out of a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyBench:
    """What a latency bench runs: every controller on as many sites, for as many seconds."""

    controllers: tuple[str, ...] = ()
    sites: int = 1000
    seconds: int = 30
    order: Order = Order.SKIP
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Times:
    """What was timed, (seconds, sites) in ms; CPU time of all decisions by second; who searched."""

    decide_ms: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    gate_ms: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    cpu_s: np.ndarray[tuple[int], np.dtype[np.float64]]
    searched: int


def run_latency(
    bench: LatencyBench | None = None, *, progress: Progress | None = None
) -> BenchResult:
    """Return one row per controller: the time of a decision, of the gate, of all sites once.

    The sites are alike (four stages, eight lanes, two walks), their traffic is not; all controllers
    are given the same. Times are wall-clock, one after the other in one process; `cpu_s` is the
    processor time of all timed decisions, `all_cpu_s_p99` that of the slowest seconds.

    Raises:
        UsageError: LV741 for an unknown controller.

    """
    chosen = bench or LatencyBench()
    names = _controllers(chosen)
    sites = [named(four_stages(), f"{k:05d}") for k in range(chosen.sites)]
    rows: list[Row] = []
    searched: dict[str, float] = {}
    for number, name in enumerate(names):
        if progress is not None:
            progress(name, number / len(names))
        times = _measure(name, sites, chosen, _share(name, number, len(names), progress))
        rows.append(_row(name, times))
        if times.searched:
            searched[name] = times.searched / times.decide_ms.size
    return BenchResult(
        bench="latency",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(rows),
        summary={
            "sites_per_core": {str(r["controller"]): _sites_per_core(r) for r in rows},
            "searched": searched,
        },
    )


def _controllers(bench: LatencyBench) -> tuple[str, ...]:
    here = controller_names()
    for name in bench.controllers:
        if name not in here:
            raise UsageError("LV741", place=name, known=", ".join(here))
    return bench.controllers or tuple(name for name in BUILT_IN if name in here)


def _share(
    name: str, number: int, count: int, progress: Progress | None
) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda share: progress(name, (number + share) / count)


def _measure(
    name: str,
    sites: Sequence[Site],
    bench: LatencyBench,
    tell: Callable[[float], None] | None,
) -> _Times:
    """Return the times of one controller at all sites, second by second."""
    street = _warm_street(sites, bench.seed)
    minds = [_Mind(Eyes(site), _controller(name, site, bench.order)) for site in street.sites]
    guards = [_guard(name, site, bench.order) for site in street.sites]
    for _ in range(SETTLE_S):
        _second(street, minds, guards)
    gc.collect()
    decide, gate = np.zeros((2, bench.seconds, len(sites)))
    cpu_s, searched = np.zeros(bench.seconds), 0
    for second in range(bench.seconds):
        decide[second], gate[second], cpu_s[second], wishes = _second(street, minds, guards)
        searched += sum(w.reason is not None and w.reason.code in SEARCHED for w in wishes)
        if tell is not None:
            tell((second + 1) / bench.seconds)
    return _Times(decide_ms=decide, gate_ms=gate, cpu_s=cpu_s, searched=searched)


@dataclass(frozen=True, slots=True, eq=False)
class _Mind:
    """What decides at one site: eyes that make the state of its lanes, and its controller."""

    eyes: Eyes
    controller: Controller

    def decide(self, raw: Observation) -> tuple[Observation, Wish]:
        seen = replace(raw, lanes=self.eyes.look(raw))
        return seen, self.controller.decide(seen)


def _second(
    street: ReplayStreet, minds: Sequence[_Mind], guards: Sequence[Guarded]
) -> tuple[list[float], list[float], float, list[Wish]]:
    """Decide once at every site; return the times of decisions and gates in ms, CPU s, wishes."""
    raw = street.observe()
    began_cpu = time.process_time()
    decided, decide_ms = [], []
    for mind, own in zip(minds, raw, strict=True):
        began = time.perf_counter()
        decided.append(mind.decide(own))
        decide_ms.append(1000 * (time.perf_counter() - began))
    cpu_s = time.process_time() - began_cpu
    verdicts, gate_ms = _admitted(guards, decided)
    street.show(verdicts)
    return decide_ms, gate_ms, cpu_s, [wish for _, wish in decided]


def _admitted(
    guards: Sequence[Guarded], decided: Sequence[tuple[Observation, Wish]]
) -> tuple[dict[ControllerId, Verdict], list[float]]:
    verdicts: dict[ControllerId, Verdict] = {}
    took_ms = []
    for guard, (own, wish) in zip(guards, decided, strict=True):
        began = time.perf_counter()
        verdicts[own.controller] = guard(own, wish)
        took_ms.append(1000 * (time.perf_counter() - began))
    return verdicts, took_ms


def _warm_street(sites: Sequence[Site], seed: int) -> ReplayStreet:
    """Return a street that plans have run for a while, with offsets drawn from the seed."""
    street = ReplayStreet(sites, seed=seed)
    shown = _programme(street.sites[0])
    offsets = np.random.default_rng(seed).integers(0, len(shown), len(sites))
    for second in range(WARM_UP_S):
        street.light(shown[(second + offsets) % len(shown)].ravel())
    return street


def _programme(site: Site) -> Ints:
    """Return what a plan of the site shows, second by second, (cycle, phases)."""
    plan = stage_plan(site)
    seconds = range(plan.cycle_ds // 10)
    rows = [[int(plan.lamp(p, 10 * t)) for p in site.rules.phases] for t in seconds]
    return np.array(rows, dtype=np.int64)


def _controller(name: str, site: Site, order: Order) -> Controller:
    situation = Situation(site=site, order=order, plan=stage_plan(site), params={})
    return make_controller(ControllerSpec(name=name), situation)


def _guard(name: str, site: Site, order: Order) -> Guarded:
    if name in BY_EITHER:
        return guard_of_either(site, stage_table(site, order))
    plan = name in BY_PHASE
    table = None if plan else stage_table(site, order)
    return Guarded(site, make_gate(site, table, order), times_walks=not plan)


def _row(name: str, times: _Times) -> Row:
    each, all_s = times.decide_ms, times.decide_ms.sum(axis=1) / 1000
    return {
        "controller": name,
        "sites": each.shape[1],
        "seconds": each.shape[0],
        "decide_ms_mean": float(each.mean()),
        "decide_ms_p50": float(np.percentile(each, 50)),
        "decide_ms_p99": float(np.percentile(each, 99)),
        "decide_ms_max": float(each.max()),
        "gate_ms_mean": float(times.gate_ms.mean()),
        "all_s_mean": float(all_s.mean()),
        "all_s_p99": float(np.percentile(all_s, 99)),
        "all_cpu_s_p99": float(np.percentile(times.cpu_s, 99)),
        "cpu_s": float(times.cpu_s.sum()),
    }


def _sites_per_core(row: Row) -> float:
    """Return for how many sites one core decides within a second, the gate included."""
    each_ms = float(str(row["decide_ms_mean"])) + float(str(row["gate_ms_mean"]))
    return 1000.0 / each_ms
