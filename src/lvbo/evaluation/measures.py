# SPDX-License-Identifier: Apache-2.0
"""What a run says about all vehicles that were due in it, and about everyone else on the street.

Every vehicle whose scheduled departure lies in the judged window counts, also the unfinished and
the never inserted; their time runs until the end of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lvbo.network.network import Network
from lvbo.network.place import IntersectionKind
from lvbo.simulation.runs import Run

BUSES = ("bus", "coach", "trolleybus")
RIDERS = {"bus": 12.0, "coach": 12.0, "trolleybus": 12.0, "passenger": 1.3, "taxi": 1.3}
"""Persons in a vehicle where nothing was measured; all other classes carry one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Network measures of one run; None where nobody of that kind was due.

    Delay is time loss plus departure delay; person delay weighs vehicles by their riders and counts
    walkers with what they lose, per person. A trip lasts from the scheduled departure. Queue is
    the mean number of vehicles in a stop at once, `spillback_min` sums over links the minutes in
    which a stopped vehicle stood in their mouth, arrivals are of due vehicles. CO2 is only good
    for ratios.
    """

    seed: int
    due: int
    arrived: int
    unfinished: int
    never_inserted: int
    delay_s: float
    person_delay_s: float
    trip_s: float
    trip_p95_s: float
    stops: float
    queue: float
    queue_longest: float
    spillback_min: float
    throughput_vph: float
    co2_g: float
    teleports: int
    lamp_violations: int
    bus_delay_s: float | None
    bus_trip_s: float | None
    walk_delay_s: float | None
    walk_delay_longest_s: float | None


def measure(
    run: Run, network: Network | None = None, *, riders: Mapping[str, float] | None = None
) -> Measures:
    """Return the measures of a run; with a network, spillback leaves its outer edges out.

    `riders` are persons per vehicle by class, where they were measured.
    """
    due = run.due.with_columns(
        delay_s=pl.col("time_loss_s") + pl.col("depart_delay_s"),
        trip_s=pl.col("duration_s") + pl.col("depart_delay_s"),
    )
    buses = due.filter(pl.col("vclass").is_in(BUSES))
    walks = run.persons.filter(
        pl.col("depart_s").is_between(run.judged_from_s, run.judged_to_s, closed="left")
        & (pl.col("walk_s") > 0)
    )
    arrived = int(due["arrived"].sum())
    return Measures(
        seed=run.seed,
        due=due.height,
        arrived=arrived,
        unfinished=due.height - arrived,
        never_inserted=due.height - int(due["inserted"].sum()),
        delay_s=_mean(due, "delay_s") or 0.0,
        person_delay_s=_person_delay_s(due, walks, riders or RIDERS),
        trip_s=_mean(due, "trip_s") or 0.0,
        trip_p95_s=_p95(due, "trip_s"),
        stops=_mean(due, "stops") or 0.0,
        queue=float(run.edges["queue_mean"].sum()),
        queue_longest=float(_most(run.edges, "queue_max") or 0.0),
        spillback_min=float(inner_edges(run, network)["blocked_s"].sum()) / 60,
        throughput_vph=3600 * arrived / (run.end_s - run.judged_from_s),
        co2_g=(_mean(due, "co2_mg") or 0.0) / 1000,
        teleports=run.teleports,
        lamp_violations=len(run.violations),
        bus_delay_s=_mean(buses, "delay_s"),
        bus_trip_s=_mean(buses, "trip_s"),
        walk_delay_s=_mean(walks, "time_loss_s"),
        walk_delay_longest_s=_most(walks, "time_loss_s"),
    )


def _person_delay_s(due: pl.DataFrame, walks: pl.DataFrame, riders: Mapping[str, float]) -> float:
    weights = due["vclass"].replace_strict(dict(riders), default=1.0, return_dtype=pl.Float64)
    persons = float(weights.sum()) + walks.height
    lost_s = float((due["delay_s"] * weights).sum()) + float(walks["time_loss_s"].sum())
    return lost_s / persons if persons else 0.0


def inner_edges(run: Run, network: Network | None) -> pl.DataFrame:
    """Return the edges that begin at an intersection inside the network, not in mid-block."""
    if network is None:
        return run.edges
    inside = [str(i.id) for i in network.intersections if i.kind is not IntersectionKind.EDGE]
    return run.edges.filter(pl.col("from_node").is_in(inside))


def _mean(frame: pl.DataFrame, column: str) -> float | None:
    values = frame[column].drop_nulls()
    return float(values.to_numpy().mean()) if values.len() else None


def _most(frame: pl.DataFrame, column: str) -> float | None:
    values = frame[column].drop_nulls()
    return float(values.to_numpy().max()) if values.len() else None


def _p95(frame: pl.DataFrame, column: str) -> float:
    value = frame[column].quantile(0.95, interpolation="linear")
    return float(value) if value is not None else 0.0
