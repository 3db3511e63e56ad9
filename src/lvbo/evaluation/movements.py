# SPDX-License-Identifier: Apache-2.0
"""Delay and stops by movement: who pays for a plan."""

from __future__ import annotations

import polars as pl

from lvbo.network.network import Network
from lvbo.simulation.runs import Run

MOVEMENTS = {
    "movement": pl.String,
    "street": pl.String,
    "vehicles": pl.Int64,
    "delay_s": pl.Float64,
    "stops": pl.Float64,
}


def measure_movements(run: Run, network: Network) -> pl.DataFrame:
    """Return vehicles, mean delay and mean stops per movement, sorted by movement.

    Delay is the time on the link ahead of the stop line less its length at the limit: an estimate
    of control delay. Vehicles that have not left the link by the end are left out here; they count
    in the network measures. Movements nobody made are not listed.
    """
    if network.sumo is None:
        return pl.DataFrame(schema=MOVEMENTS)
    visits = link_visits(run, network)
    movements = pl.DataFrame(
        [
            (str(m.id), str(m.from_link), str(m.to_link), network.link_index[m.from_link].name)
            for m in network.movements
        ],
        schema=["movement", "link", "to_link", "street"],
        orient="row",
    )
    return (
        visits.with_columns(to_link=pl.col("link").shift(-1).over("vehicle"))
        .join(movements, on=["link", "to_link"])
        .group_by("movement", "street")
        .agg(
            pl.len().cast(pl.Int64).alias("vehicles"),
            (pl.col("time_s") - pl.col("free_s")).clip(lower_bound=0).mean().alias("delay_s"),
            pl.col("stops").mean(),
        )
        .sort("movement")
        .select(*MOVEMENTS)
    )


def link_visits(run: Run, network: Network) -> pl.DataFrame:
    """Return one row per vehicle and link driven, in order of time.

    Columns: vehicle, link, enter_s, leave_s, time_s (on its edges), free_s (at the limit), stops.
    """
    edges = () if network.sumo is None else network.sumo.edges
    links = pl.DataFrame(
        [(edge, str(link)) for edge, link in edges],
        schema={"edge": pl.String, "link": pl.String},
        orient="row",
    )
    begun = pl.col("link").ne_missing(pl.col("link").shift(1)) | pl.col("vehicle").ne_missing(
        pl.col("vehicle").shift(1)
    )
    return (
        run.passages.join(links, on="edge", maintain_order="left")
        .join(run.edges.select("edge", "length_m", "speed_mps"), on="edge", maintain_order="left")
        .with_columns(visit=begun.cum_sum())
        .group_by("visit", maintain_order=True)
        .agg(
            pl.col("vehicle").first(),
            pl.col("link").first(),
            pl.col("enter_s").first(),
            pl.col("leave_s").last(),
            (pl.col("leave_s") - pl.col("enter_s")).sum().alias("time_s"),
            (pl.col("length_m") / pl.col("speed_mps")).sum().alias("free_s"),
            pl.col("length_m").sum(),
            pl.col("stops").sum(),
        )
        .drop("visit")
    )
