# SPDX-License-Identifier: Apache-2.0
"""The band bench: our bands, walked by cars, beside the mixed-integer programme in HiGHS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lvbo.bench.common import (
    BenchResult,
    Row,
    geometric_mean,
    machine_load,
    timed,
    used_versions,
)
from lvbo.bench.instances import Instance, generate_instances, read_instances
from lvbo.progression.band import two_way_band, widest_two_way
from lvbo.progression.problem import Band, BandProblem
from lvbo.progression.walk import Walk, walk_plan

FINE_GRID_S = 0.05
WHOLE_GRID_S = 1.0
MODEL = "two_way_sum"
SAME = 0.002  # values nearer than this count as the same, cycles
LARGE = 50  # signals at which the speed-up is summed up
REPEATS = 7

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    row: Row
    band: Band
    walk: Walk
    whole_ms: float


def run_bands(
    instances: Sequence[Path] | None = None,
    *,
    with_highs: bool = True,
    highs_limit_s: float = 120.0,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per instance and cycle grid: ours walked and timed, HiGHS beside it.

    Without files a small generated set is used. Times are CPU ms after a first call: ours
    from the problem to offsets, sequences and speeds of the exact two-way plan; HiGHS its solve
    on the continuous cycle range, beside the fine grid. Without HiGHS installed, or
    with `with_highs` false, its columns are None.
    """
    chosen = _chosen(instances)
    solve_highs = with_highs and find_spec("highspy") is not None
    measured: list[_Measured] = []
    for instance in chosen:
        if progress:
            progress(instance.name)
        highs = _highs(instance, highs_limit_s) if solve_highs else (None, None)
        measured.append(_measure(instance, FINE_GRID_S, highs))
        measured.append(_measure(instance, WHOLE_GRID_S, (None, None)))
    return BenchResult(
        bench="bands",
        versions=used_versions(),
        load=machine_load(),
        rows=tuple(m.row for m in measured),
        summary=_summary(measured),
    )


def _chosen(instances: Sequence[Path] | None) -> tuple[Instance, ...]:
    if not instances:
        return generate_instances()
    return tuple(i for path in instances for i in read_instances(path))


def _highs(instance: Instance, limit_s: float) -> tuple[float | None, float | None]:
    from lvbo.bench.milp import solve_maxband

    result = solve_maxband(instance.problem(WHOLE_GRID_S), limit_s=limit_s)
    return result.value, result.cpu_ms


def _measure(
    instance: Instance, grid_s: float, highs: tuple[float | None, float | None]
) -> _Measured:
    problem = instance.problem(grid_s)
    _, ours_ms = timed(lambda: widest_two_way(problem), REPEATS)
    band, whole_ms = timed(lambda: two_way_band(problem), REPEATS)
    walk = _walked(problem, band)
    row: Row = {
        "instance": instance.name,
        "model": MODEL,
        "signals": instance.signals,
        "value": round(walk.sum_share, 6),
        "expected": instance.expected,
        "violations": len(walk.violations),
        "cycle_s": walk.cycle_ms / 1000,
        "grid_s": grid_s,
        "ours_ms": round(ours_ms, 3),
        "highs_value": None if highs[0] is None else round(highs[0], 6),
        "highs_ms": None if highs[1] is None else round(highs[1], 3),
    }
    return _Measured(row=row, band=band, walk=walk, whole_ms=whole_ms)


def _walked(problem: BandProblem, band: Band) -> Walk:
    """Walk the two-way plan; where there is none, the one-way plan given instead."""
    return walk_plan(problem, band.two_way or band.exact)


def _summary(measured: Sequence[_Measured]) -> dict[str, object]:
    fine = [m for m in measured if m.row["grid_s"] == FINE_GRID_S]
    whole = [m for m in measured if m.row["grid_s"] == WHOLE_GRID_S]
    known = [m for m in fine if m.row["expected"] is not None]
    return {
        "reached": sum(_excess(m) >= -SAME for m in known),
        "with_expected": len(known),
        "worst_gap": min((_excess(m) for m in known), default=None),
        "above_expected": [_log(m) for m in known if _excess(m) > SAME],
        "violations": sum(len(m.walk.violations) for m in measured),
        "speed_up_50": _speed_up([m for m in fine if _signals(m) == LARGE]),
        "speed_up_all": _speed_up(fine),
        "slowest_50_whole_ms": max(
            (_number(m, "ours_ms") for m in whole if _signals(m) == LARGE), default=None
        ),
        "slowest_50_with_rounding_ms": max(
            (m.whole_ms for m in whole if _signals(m) == LARGE), default=None
        ),
        "whole_cycles_cost": max(
            (_number(a, "value") - _number(b, "value") for a, b in zip(fine, whole, strict=True)),
            default=None,
        ),
        "whole_offsets_cost": max((m.band.rounding_cost for m in whole), default=None),
        "one_way_wins": [m.row["instance"] for m in fine if m.band.exact is not m.band.two_way],
    }


def _speed_up(measured: Sequence[_Measured]) -> float | None:
    """Return the geometric mean of HiGHS time over ours where both reach the same value."""
    pairs = [
        (_number(m, "highs_ms"), _number(m, "ours_ms"))
        for m in measured
        if m.row["highs_value"] is not None
        and _number(m, "value") >= _number(m, "highs_value") - SAME
    ]
    return geometric_mean(highs / ours for highs, ours in pairs)


def _excess(m: _Measured) -> float:
    return round(_number(m, "value") - _number(m, "expected"), 6)


def _signals(m: _Measured) -> int:
    return int(_number(m, "signals"))


def _number(m: _Measured, key: str) -> float:
    return float(str(m.row[key]))


def _log(m: _Measured) -> dict[str, object]:
    """Return what the walker saw, stop line by stop line."""
    return {
        "instance": m.row["instance"],
        "steps": [
            {
                "signal": step.signal,
                "direction": "outbound" if step.outbound else "inbound",
                "front_ms": step.front_ms,
                "end_ms": step.end_ms,
                "green_before_ms": step.green_before_ms,
                "green_after_ms": step.green_after_ms,
            }
            for step in m.walk.log
        ],
    }
