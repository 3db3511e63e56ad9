# SPDX-License-Identifier: Apache-2.0
"""What a run recorded for diagrams, on disk: where vehicles were, and what the lamps showed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lvbo.errors import InputError
from lvbo.ids import ControllerId
from lvbo.report.street import RIDERS
from lvbo.simulation.runs import TRACKS, LampChange, Run

TRACKS_FILE, LAMPS_FILE = "tracks.parquet", "lamps.parquet"
LAMPS = {"controller": pl.String, "second": pl.Float64, "state": pl.String}


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """Steps of vehicles (`TRACKS`) and the changes of all lamps of one run."""

    tracks: pl.DataFrame
    lamps: tuple[LampChange, ...]


def write_recording(run: Run, folder: Path) -> None:
    """Write what a run with trajectories recorded into a folder, bicycles left out."""
    riders = run.vehicles.filter(pl.col("vclass").is_in(RIDERS))["vehicle"].implode()
    tracks = pl.DataFrame(schema=TRACKS) if run.tracks is None else run.tracks
    tracks.filter(~pl.col("vehicle").is_in(riders)).write_parquet(folder / TRACKS_FILE)
    rows = [(str(c.controller), c.second, c.state) for c in run.lamps]
    pl.DataFrame(rows, schema=LAMPS, orient="row").write_parquet(folder / LAMPS_FILE)


def read_recording(folder: Path) -> Recording:
    """Return what the runs in a folder recorded.

    Raises:
        InputError: LV137 where nothing was recorded there, or something else.

    """
    tracks = _read(folder / TRACKS_FILE, TRACKS)
    lamps = _read(folder / LAMPS_FILE, LAMPS)
    return Recording(
        tracks=tracks,
        lamps=tuple(
            LampChange(controller=ControllerId(name), second=second, state=state)
            for name, second, state in lamps.iter_rows()
        ),
    )


def _read(path: Path, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    if not path.is_file():
        raise InputError("LV137", place=str(path.parent), reason=path.name)
    try:
        found = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError("LV137", place=str(path), reason=str(error).splitlines()[0]) from error
    if dict(found.schema) != schema:
        raise InputError("LV137", place=str(path), reason=", ".join(found.columns))
    return found
