# SPDX-License-Identifier: Apache-2.0
"""What an officers' route gained its vehicles and cost others: the run with it and without."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lvbo.errors import UsageError
from lvbo.simulation.escorts import PREFIX
from lvbo.simulation.runs import Run, Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEffect:
    """One route in one seed, with way made for it and without.

    Trip and delay are means over the vehicles of the route, from the scheduled departure; `stops`
    are theirs. `others_s` is the mean delay of all other vehicles due in the judged window, of all
    routes of the run together, and `others_h` what they lost with way made, in vehicle-hours.
    """

    route: str
    seed: int
    vehicles: int
    trip_s: float
    trip_without_s: float
    delay_s: float
    delay_without_s: float
    stops: float
    stops_without: float
    others_s: float
    others_without_s: float
    others_h: float


def measure_routes(without: Runs, given: Runs) -> tuple[RouteEffect, ...]:
    """Return the effect of every route in every seed of two sets of runs with the same vehicles.

    Raises:
        UsageError: LV605 where the scenarios or the seeds differ.

    """
    if without.scenario != given.scenario or without.seeds != given.seeds:
        before, after = (f"{r.scenario} {list(r.seeds)}" for r in (without, given))
        raise UsageError("LV605", place=given.scenario, before=before, after=after)
    return tuple(
        _effect(name, old, new)
        for old, new in zip(without.runs, given.runs, strict=True)
        for name in _names(new)
    )


def _names(run: Run) -> list[str]:
    return [] if run.stops is None else run.stops["route"].unique(maintain_order=True).to_list()


def _effect(name: str, old: Run, new: Run) -> RouteEffect:
    before, after = _own(old, name), _own(new, name)
    others_old, others_new = _others(old), _others(new)
    return RouteEffect(
        route=name,
        seed=new.seed,
        vehicles=after.height,
        trip_s=_mean(after, "trip_s"),
        trip_without_s=_mean(before, "trip_s"),
        delay_s=_mean(after, "delay_s"),
        delay_without_s=_mean(before, "delay_s"),
        stops=_mean(after, "stops"),
        stops_without=_mean(before, "stops"),
        others_s=_mean(others_new, "delay_s"),
        others_without_s=_mean(others_old, "delay_s"),
        others_h=(float(others_new["delay_s"].sum()) - float(others_old["delay_s"].sum())) / 3600,
    )


def _own(run: Run, name: str) -> pl.DataFrame:
    vehicle = pl.col("vehicle")
    own = vehicle.str.starts_with(PREFIX) & (
        vehicle.str.strip_prefix(PREFIX).str.replace(r"\.\d+$", "") == name
    )
    return _timed(run.vehicles.filter(own))


def _others(run: Run) -> pl.DataFrame:
    return _timed(run.due.filter(~pl.col("vehicle").str.starts_with(PREFIX)))


def _timed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        delay_s=pl.col("time_loss_s") + pl.col("depart_delay_s"),
        trip_s=pl.col("duration_s") + pl.col("depart_delay_s"),
    )


def _mean(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].fill_null(0).to_numpy().mean()) if frame.height else 0.0
