# SPDX-License-Identifier: Apache-2.0
"""One row of the band bench: a model on one corridor, ours walked and timed, HiGHS beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lvbo.bench.common import Row, timed
from lvbo.bench.instances import Instance
from lvbo.progression.band import two_way_band, widest_two_way
from lvbo.progression.linkband import widest_link_bands
from lvbo.progression.linkbands import CENTRED, LinkBandPlan, LinkBandProblem
from lvbo.progression.problem import Band, BandProblem
from lvbo.progression.walk import Walk, walk_plan
from lvbo.progression.walk_links import walk_links

FINE_GRID_S = 0.05
WHOLE_GRID_S = 1.0
REPEATS = 7
LINK_REPEATS = 2
CHANGE_LIMIT_S_PER_M = 0.003


class BandModel(StrEnum):
    """Say what is maximised."""

    TWO_WAY = "two_way_sum"
    PACED = "two_way_paced"
    MULTIBAND = "multiband"
    AMBAND = "amband"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Hold a row and, for through bands, the answer behind it."""

    row: Row
    band: Band | None = None
    walk: Walk | None = None
    whole_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Say whether HiGHS runs, and for how long at most."""

    with_highs: bool
    highs_limit_s: float


def measure(instance: Instance, model: BandModel, limits: Limits) -> list[Measured]:
    """Return the rows of one model on one corridor; none where it is not asked for there."""
    if model is BandModel.NETWORK:
        return []
    if model is BandModel.TWO_WAY:
        return _through(instance, model, limits, (FINE_GRID_S, WHOLE_GRID_S))
    if model is BandModel.PACED:
        ranges = instance.speed_out_mps + instance.speed_in_mps
        if instance.speed_change_limit_s_per_m is not None or all(a == b for a, b in ranges):
            return []  # the file's own limit binds in the first model already, or nothing can
        limited = replace(instance, speed_change_limit_s_per_m=CHANGE_LIMIT_S_PER_M, expected=None)
        return _through(limited, model, limits, (FINE_GRID_S,))
    if not instance.weight_out:
        return []
    side = CENTRED if model is BandModel.MULTIBAND else 0.0
    expected = instance.expected_multiband if model is BandModel.MULTIBAND else None
    return [_by_link(instance, model, limits, instance.link_problem(FINE_GRID_S, side), expected)]


def _through(
    instance: Instance, model: BandModel, limits: Limits, grids_s: Sequence[float]
) -> list[Measured]:
    highs: dict[str, float | bool | None] = {}
    if limits.with_highs:
        from lvbo.bench.milp import solve_maxband

        result = solve_maxband(instance.problem(WHOLE_GRID_S), limit_s=limits.highs_limit_s)
        highs = {
            "value": result.value,
            "ms": result.cpu_ms,
            "proved": result.proved,
            "bound": result.bound,
        }
    rows = []
    for grid_s in grids_s:
        rows.append(_two_way(instance, model, grid_s, highs))
        highs = {}
    return rows


def _two_way(
    instance: Instance, model: BandModel, grid_s: float, highs: dict[str, float | bool | None]
) -> Measured:
    problem = instance.problem(grid_s)
    _, ours_ms = timed(lambda: widest_two_way(problem), REPEATS)
    band, whole_ms = timed(lambda: two_way_band(problem), REPEATS)
    walk = _walked(problem, band)
    row = _row(
        instance,
        model,
        {
            "value": walk.sum_share,
            "expected": instance.expected,
            "violations": len(walk.violations),
            "cycle_s": walk.cycle_ms / 1000,
            "grid_s": grid_s,
            "ours_ms": ours_ms,
            "bound": highs.get("bound"),
            "highs": highs,
        },
    )
    return Measured(row=row, band=band, walk=walk, whole_ms=whole_ms)


def _walked(problem: BandProblem, band: Band) -> Walk:
    """Walk the two-way plan; where there is none, the one-way plan given instead."""
    return walk_plan(problem, band.two_way or band.exact)


def _by_link(
    instance: Instance,
    model: BandModel,
    limits: Limits,
    problem: LinkBandProblem,
    expected: float | None,
) -> Measured:
    plan, ours_ms = timed(lambda: widest_link_bands(problem), LINK_REPEATS)
    walk = None if plan is None else walk_links(problem, plan)
    highs, bound = _highs_by_link(problem, plan, limits)
    row = _row(
        instance,
        model,
        {
            "value": walk.value if walk else 0.0,
            "expected": expected,
            "violations": len(walk.violations) if walk else 0,
            "cycle_s": plan.cycle_ms / 1000 if plan else 0.0,
            "grid_s": FINE_GRID_S,
            "ours_ms": ours_ms,
            "bound": bound,
            "highs": highs,
        },
    )
    return Measured(row=row)


def _highs_by_link(
    problem: LinkBandProblem, plan: LinkBandPlan | None, limits: Limits
) -> tuple[dict[str, float | bool | None], float | None]:
    """Return what HiGHS finds alone, and the least bound it proves, alone or from our plan."""
    if not limits.with_highs:
        return {}, None
    from lvbo.bench.milp_links import solve_linkbands

    alone = solve_linkbands(problem, limit_s=limits.highs_limit_s)
    bound = alone.bound
    if not alone.proved and plan is not None:
        started = solve_linkbands(problem, start=plan, limit_s=limits.highs_limit_s)
        bound = min(bound, started.bound)
    return {"value": alone.value, "ms": alone.cpu_ms, "proved": alone.proved}, bound


def _row(instance: Instance, model: BandModel, found: dict[str, object]) -> Row:
    highs = found["highs"]
    known = highs if isinstance(highs, dict) else {}
    value, bound = _number(found["value"]), found["bound"]
    return {
        "instance": instance.name,
        "model": str(model),
        "signals": instance.signals,
        "value": round(value, 6),
        "expected": found["expected"],
        "violations": found["violations"],
        "cycle_s": found["cycle_s"],
        "grid_s": found["grid_s"],
        "ours_ms": round(_number(found["ours_ms"]), 3),
        "highs_value": rounded(known.get("value"), 6),
        "highs_ms": rounded(known.get("ms"), 3),
        "highs_proved": known.get("proved"),
        "bound": rounded(bound, 6),
        "gap": None if bound is None or value <= 0 else round(_number(bound) / value - 1, 6),
    }


def rounded(value: object, digits: int) -> float | None:
    """Return a number with so many digits, None for None."""
    return None if value is None else round(_number(value), digits)


def _number(value: object) -> float:
    return float(str(value))
