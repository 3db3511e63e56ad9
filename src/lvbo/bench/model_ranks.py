# SPDX-License-Identifier: Apache-2.0
"""Whether models rank plans as SUMO micro does, one degree of saturation at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvbo.bench.common import Row
from lvbo.bench.fast import Maker
from lvbo.bench.grids import Grid, make_grid_at
from lvbo.bench.kept import Kept
from lvbo.bench.model_rows import MESO, MICRO, MISSING, OK, PLATOONS, RANKING
from lvbo.bench.plan_samples import Sample
from lvbo.bench.ranking import bootstrap, kendall, spearman
from lvbo.bench.referees import OTHER_SEED, Referee, samples_of
from lvbo.bench.uxsim_world import has_uxsim, read_trips, run_uxsim

NOISE_PLANS = 4
"""So many plans run with another seed, to tell how much of a difference is luck."""
FROM_SAMPLES, FROM_MESO, FROM_MICRO = 0.1, 0.15, 0.9

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTask:
    """Which grid is judged, at which degree of saturation, with how many plans, by which models."""

    folder: Path
    side: int
    seed: int
    saturation: float
    plans: int
    makers: tuple[Maker, ...]
    kept: Kept
    workers: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """The plans of one degree of saturation and what each engine says of them, veh-s.

    An engine that is not installed says nothing. `noise` is the standard deviation of SUMO micro's
    delay over seeds, `spread` that over plans, as shares of the mean.
    """

    asked: float
    grid: Grid
    samples: tuple[Sample, ...]
    delays: Mapping[str, Sequence[float] | None]
    noise: float
    spread: float


def rank(task: RankTask, tell: Tell) -> Ranked:
    """Run all plans in all engines at one degree of saturation.

    Raises:
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    grid = make_grid_at(task.folder, side=task.side, saturation=task.saturation, seed=task.seed)
    samples = samples_of(
        grid, task.plans, task.kept, lambda share: tell("plans", FROM_SAMPLES * share)
    )
    plans = [sample.index for sample in samples]
    referee = Referee(scenario=grid.scenario, kept=task.kept, workers=task.workers)
    meso = referee.delays_vehs(plans, _part(tell, MESO, FROM_SAMPLES, FROM_MESO), mesoscopic=True)
    micro = referee.delays_vehs(plans, _part(tell, MICRO, FROM_MESO, FROM_MICRO))
    few = plans[:NOISE_PLANS]
    again = referee.delays_vehs(few, _part(tell, MICRO, FROM_MICRO, 1.0), seed=OTHER_SEED)
    return Ranked(
        asked=task.saturation,
        grid=grid,
        samples=samples,
        delays={
            MICRO: micro,
            MESO: meso,
            **_in_uxsim(grid, samples),
            **_by_models(grid, samples, task),
        },
        noise=_noise(micro, again),
        spread=float(np.std(micro, ddof=1) / np.mean(micro)),
    )


def ranking_rows(ranked: Ranked) -> Iterator[Row]:
    """Yield how the ranks of each engine agree with those of SUMO micro."""
    micro = np.array(ranked.delays[MICRO])
    same = [k for k, sample in enumerate(ranked.samples) if sample.same_greens]
    for engine, delays in ranked.delays.items():
        row: dict[str, object] = {
            "part": RANKING,
            "level": ranked.asked,
            "engine": engine,
            "status": MISSING if delays is None else OK,
            "signals": len(ranked.grid.network.controllers),
            "plans": len(ranked.samples),
            "saturation": ranked.grid.saturation,
        }
        if delays is not None and engine != MICRO:
            own = np.array(delays)
            bounds = bootstrap(micro, own)
            row |= {
                "spearman": spearman(micro, own),
                "low": bounds[0] if bounds else None,
                "high": bounds[1] if bounds else None,
                "kendall": kendall(micro, own),
                "offsets_only_spearman": spearman(micro[same], own[same]),
                "delay_ratio": float(own.mean() / micro.mean()),
            }
        if engine != MICRO:
            yield row


def _part(tell: Tell, what: str, begin: float, end: float) -> Callable[[float], None]:
    return lambda share: tell(what, begin + (end - begin) * share)


def _in_uxsim(grid: Grid, samples: Sequence[Sample]) -> dict[str, list[float] | None]:
    if not has_uxsim():
        return dict.fromkeys(PLATOONS)
    trips = read_trips(grid.scenario)
    return {
        engine: [
            run_uxsim(grid.scenario, trips, sample.index, platoon=platoon).delay_vehs
            for sample in samples
        ]
        for engine, platoon in PLATOONS.items()
    }


def _by_models(
    grid: Grid, samples: Sequence[Sample], task: RankTask
) -> dict[str, list[float] | None]:
    window_s = (grid.scenario.warm_up_s, grid.scenario.end_s)
    found: dict[str, list[float] | None] = {}
    for maker in task.makers:
        model = maker(grid.network, grid.volumes_vph, window_s)
        written = model.written([s.index for s in samples])
        found[model.name] = [float(d) for d in model.delays_vehs(written)]
    return found


def _noise(first: Sequence[float], again: Sequence[float]) -> float:
    """Return the standard deviation over seeds as a share of the mean, from pairs of runs."""
    pairs = zip(first, again, strict=False)
    squares = [((a - b) / ((a + b) / 2)) ** 2 / 2 for a, b in pairs]
    return float(np.sqrt(np.mean(squares)))
