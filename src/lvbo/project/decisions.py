# SPDX-License-Identifier: Apache-2.0
"""The decision log of controlled runs on disk: one file for all seeds, in no language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lvbo.errors import InputError, UsageError
from lvbo.simulation.runs import DECISIONS, Runs

FILE = "decisions.parquet"
COLUMNS = {"seed": pl.Int64, **DECISIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Which part of a log is wanted: one seed (the first by default), one controller, a span.

    The span is of seconds of the day, both ends included.
    """

    seed: int | None = None
    controller: str | None = None
    from_s: int | None = None
    to_s: int | None = None


def decisions_of(runs: Runs) -> pl.DataFrame:
    """Return the decisions of all runs with their seed, those of plans having none."""
    found = [
        run.decisions.select(pl.lit(run.seed, pl.Int64).alias("seed"), *DECISIONS)
        for run in runs.runs
        if run.decisions is not None
    ]
    return pl.concat(found) if found else pl.DataFrame(schema=COLUMNS)


def write_decisions(runs: Runs, folder: Path) -> pl.DataFrame:
    """Write the decisions of runs into a folder and return them."""
    table = decisions_of(runs)
    table.write_parquet(folder / FILE)
    return table


def read_decisions(folder: Path) -> pl.DataFrame:
    """Return the decisions kept in a folder of runs.

    Raises:
        InputError: LV717 where there are none, LV715 where they cannot be read.

    """
    file = folder / FILE
    if not file.is_file():
        raise InputError("LV717", place=str(folder))
    try:
        return pl.read_parquet(file, columns=list(COLUMNS)).cast(COLUMNS)  # type: ignore[arg-type]
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError("LV715", place=str(file), reason=reason) from error


def extracted(table: pl.DataFrame, wanted: Extract) -> pl.DataFrame:
    """Return the wanted part of a log, in order of time and controller.

    Raises:
        UsageError: LV718 for a seed or a controller that is not in the log.

    """
    seeds = table["seed"].unique().sort().to_list()
    seed = wanted.seed if wanted.seed is not None else next(iter(seeds), 0)
    if seeds and seed not in seeds:
        raise UsageError("LV718", place=str(seed), known=", ".join(map(str, seeds)))
    found = table.filter(pl.col("seed") == seed)
    if wanted.controller is not None:
        names = found["controller"].unique().sort().to_list()
        if wanted.controller not in names:
            raise UsageError("LV718", place=wanted.controller, known=", ".join(names))
        found = found.filter(pl.col("controller") == wanted.controller)
    if wanted.from_s is not None:
        found = found.filter(pl.col("second") >= wanted.from_s)
    if wanted.to_s is not None:
        found = found.filter(pl.col("second") <= wanted.to_s)
    return found.sort("second", "controller", maintain_order=True)
