# SPDX-License-Identifier: Apache-2.0
"""The area bench: plans searched for a whole area beside SUMO's planners, proved in SUMO.

Generated grids stand beside the scenarios given. What offsets alone are worth show our offsets on
the same cycle and greens: `offsets` beside SUMO's coordinated planner, `shipped_offsets` beside
`shipped_coordinated`, the plans in force with the offsets of its coordinator.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lvbo.bench.common import BenchResult, Progress, geometric_mean
from lvbo.bench.design import Planner, design_plans
from lvbo.bench.grids import make_grid_at
from lvbo.bench.plans import (
    AREA,
    OFFSETS,
    OURS,
    SHIPPED_OFFSETS,
    PlanBench,
    run_plans,
)
from lvbo.errors import UsageError
from lvbo.io.scenario import Scenario

SATURATION = 0.55
"""How full the busiest signal of a grid is at 90 s."""
LEAST_SIDE = 2
_TOOL = "cycle_adaptation_coordinated"
_PAIRS = (
    ("lvbo_to_tool", OURS, _TOOL),
    ("offsets_to_tool", OFFSETS, _TOOL),
    ("shipped_offsets_to_tool", SHIPPED_OFFSETS, "shipped_coordinated"),
)
"""Ours beside SUMO's planner; on the same cycle and greens our offsets beside its coordinator's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaBench:
    """What an area bench runs: sides of the grids it makes, by which seed; how it is judged.

    `saturation` is the critical degree of saturation of their busiest signal at 90 s; `controllers`
    are the rows wanted; `cache` keeps plans and runs, so that a bench goes on where it stopped.
    """

    grids: tuple[int, ...] = ()
    grid_seed: int = 1
    saturation: float = SATURATION
    seeds: int = 5
    workers: int = 2
    controllers: tuple[str, ...] = AREA
    planner: Planner = design_plans
    cache: Path | None = None


def run_area(
    scenarios: Sequence[Path | str] | None = None,
    *,
    bench: AreaBench | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Return one row per scenario, plan and seed, with the CPU time that making the plans took.

    Without scenarios and grids, a grid of 36 signals is made.

    Raises:
        UsageError: LV607 for an unknown plan or no seeds, LV660 for a grid that is too small.
        InputError: where a scenario cannot be read.
        ToolError: LV600 where SUMO is missing.

    """
    chosen = bench or AreaBench()
    sides = chosen.grids or (() if scenarios else (6,))
    if any(side < LEAST_SIDE for side in sides):
        raise UsageError("LV660", sides=", ".join(map(str, sides)), least=LEAST_SIDE)
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        made = [_grid(Path(place), side, chosen) for side in sides]
        judged = run_plans(
            [*made, *(scenarios or ())],
            bench=PlanBench(
                name="area",
                seeds=chosen.seeds,
                workers=chosen.workers,
                controllers=chosen.controllers,
                planner=chosen.planner,
                times=True,
                cache=chosen.cache,
            ),
            progress=progress,
        )
    return replace(judged, summary={**judged.summary, "ratios": _ratios(judged.summary)})


def _grid(folder: Path, side: int, bench: AreaBench) -> Scenario:
    """Return a grid from empty streets on: every vehicle counts."""
    name = f"grid{side}x{side}"
    grid = make_grid_at(folder / name, side=side, saturation=bench.saturation, seed=bench.grid_seed)
    return replace(grid.scenario, name=name, warm_up_s=0)


def _ratios(summary: Mapping[str, object]) -> Mapping[str, object]:
    """Return delay ratios by scenario: ours to the best fixed plan and to SUMO's planner."""
    found: dict[str, dict[str, float]] = {}
    for scenario, told in summary.items():
        if not isinstance(told, Mapping):
            continue
        means, best = told["delay_s"], str(told.get("best_fixed"))
        found[scenario] = {
            name: means[ours] / means[theirs]
            for name, ours, theirs in (("lvbo_to_best_fixed", OURS, best), *_PAIRS)
            if ours in means and theirs in means
        }
    keys = sorted({key for own in found.values() for key in own})
    whole = {key: geometric_mean(own[key] for own in found.values() if key in own) for key in keys}
    return {**found, "geometric_mean": whole}
