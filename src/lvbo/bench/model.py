# SPDX-License-Identifier: Apache-2.0
"""The model bench: how fast our fast models are, and whether they rank plans as SUMO does.

Everything runs on generated grids whose demand is known exactly, so that models are judged and not
counts. Models are fitted, if at all, on another grid: that of `CALIBRATION_SEED`.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvbo.bench.common import PACKAGES, BenchResult, Progress, Row, machine_load, used_versions
from lvbo.bench.fast import Maker
from lvbo.bench.kept import Kept
from lvbo.bench.model_ranks import Ranked, RankTask, rank, ranking_rows
from lvbo.bench.model_rows import whole
from lvbo.bench.model_speed import SpeedTask, measure_speed, told
from lvbo.bench.own_models import MODELS
from lvbo.bench.uxsim_world import WANTED, has_uxsim
from lvbo.errors import UsageError

CALIBRATION_SEED = 101
"""The grid on which models may be fitted; every other one is held out."""
LEAST_SIDE, LEAST_PLANS, MOST_LEVEL = 2, 3, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBench:
    """What is run: on how many signals plans are ranked and engines timed, plans, and levels.

    `levels` are critical degrees of saturation; `seed` draws the grids, `cache` keeps SUMO's runs.
    """

    signals: int = 36
    speed_signals: int = 100
    plans: int = 34
    levels: tuple[float, ...] = (0.6, 0.85, 1.1)
    seed: int = 1
    workers: int = 2
    cache: Path | None = None
    makers: tuple[Maker, ...] = MODELS


def run_model(bench: ModelBench | None = None, *, progress: Progress | None = None) -> BenchResult:
    """Return the speed of each engine, then how its ranks agree with those of SUMO micro.

    CPU time is that of one core. SUMO's is of its own process, reading the network taken off;
    UXsim's is of its simulation alone; a model's is that of valuing plans once it is built.

    Raises:
        UsageError: LV618 where a number is too small, a level out of range, or no grid is as large.
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    chosen = bench or ModelBench()
    _check(chosen)
    parts = 1 + len(chosen.levels)
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        speed = measure_speed(
            SpeedTask(
                folder=folder / "speed",
                side=math.isqrt(chosen.speed_signals),
                seed=chosen.seed,
                makers=chosen.makers,
            ),
            _part(progress, 0, parts),
        )
        ranked = [
            rank(_task(chosen, level, folder / f"level-{k}"), _part(progress, k + 1, parts))
            for k, level in enumerate(chosen.levels)
        ]
    ranking = [row for level in ranked for row in ranking_rows(level)]
    return BenchResult(
        bench="model",
        versions=used_versions((*PACKAGES, "uxsim")),
        load=machine_load(),
        rows=tuple(whole(row) for row in (*speed.rows, *ranking)),
        summary={**told(speed), **_summary(chosen, ranked, ranking)},
    )


def _check(bench: ModelBench) -> None:
    sizes = (bench.signals, bench.speed_signals)
    square = all(math.isqrt(n) ** 2 == n and n >= LEAST_SIDE**2 for n in sizes)
    levels = bench.levels and all(0 < level <= MOST_LEVEL for level in bench.levels)
    if not (square and levels and bench.plans >= LEAST_PLANS):
        raise UsageError(
            "LV618",
            signals=", ".join(map(str, sizes)),
            plans=bench.plans,
            levels=", ".join(map(str, bench.levels)) or "-",
        )


def _part(progress: Progress | None, number: int, parts: int) -> Progress:
    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(what, (number + share) / parts)

    return tell


def _task(bench: ModelBench, level: float, folder: Path) -> RankTask:
    return RankTask(
        folder=folder,
        side=math.isqrt(bench.signals),
        seed=bench.seed,
        saturation=level,
        plans=bench.plans,
        makers=bench.makers,
        kept=Kept(bench.cache),
        workers=bench.workers,
    )


def _summary(
    bench: ModelBench, ranked: Sequence[Ranked], ranking: Sequence[Row]
) -> Mapping[str, object]:
    """Return ranks by level, what luck does to them, and whether the grids were held out."""
    return {
        "spearman": {
            f"{level.asked:g}": {
                str(row["engine"]): row.get("spearman")
                for row in ranking
                if row["level"] == level.asked
            }
            for level in ranked
        },
        "seed_noise": {f"{level.asked:g}": level.noise for level in ranked},
        "spread_of_plans": {f"{level.asked:g}": level.spread for level in ranked},
        "grids": {
            "judged_seed": bench.seed,
            "calibration_seed": CALIBRATION_SEED,
            "held_out": bench.seed != CALIBRATION_SEED,
        },
        "uxsim": "installed" if has_uxsim() else f"missing: pip install {WANTED}",
    }
