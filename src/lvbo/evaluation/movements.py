# SPDX-License-Identifier: Apache-2.0
"""Delay and stops by movement: who pays for a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import polars as pl

from lvbo.ids import LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Movement
from lvbo.simulation.runs import Run

STEP_S = 1.2
"""Links that take less time at the limit may be passed between two steps of 1 s."""
LONGEST_WAY = 4

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
    return (
        movement_passages(run, network)
        .group_by("movement", "street")
        .agg(
            pl.len().cast(pl.Int64).alias("vehicles"),
            pl.col("delay_s").mean(),
            pl.col("stops").mean(),
        )
        .sort("movement")
        .select(*MOVEMENTS)
    )


def movement_passages(run: Run, network: Network) -> pl.DataFrame:
    """Return one row per vehicle and movement made: movement, street, leave_s, delay_s, stops.

    Links that a vehicle passes between two steps of the run leave no trace. Where only one way
    leads over such links the movements on it are told all the same, without delay.
    """
    ways = pl.DataFrame(
        _ways(network),
        schema={
            "link": pl.String,
            "to_link": pl.String,
            "movement": pl.String,
            "first": pl.Boolean,
        },
        orient="row",
    )
    streets = pl.DataFrame(
        [(str(m.id), network.link_index[m.from_link].name) for m in network.movements],
        schema={"movement": pl.String, "street": pl.String},
        orient="row",
    )
    delay = (pl.col("time_s") - pl.col("free_s")).clip(lower_bound=0)
    own = pl.col("first")
    return (
        link_visits(run, network)
        .with_columns(to_link=pl.col("link").shift(-1).over("vehicle"))
        .join(ways, on=["link", "to_link"], maintain_order="left")
        .join(streets, on="movement", maintain_order="left")
        .select(
            "movement",
            "street",
            "leave_s",
            pl.when(own).then(delay).otherwise(0.0).alias("delay_s"),
            pl.when(own).then("stops").otherwise(0).alias("stops"),
        )
    )


def _ways(network: Network) -> list[tuple[str, str, str, bool]]:
    """Return pairs of links with the movements that lead from one to the other, in order.

    Those of one movement, and those over links shorter than a step of 1 s where that is the only
    way.
    """
    found: dict[tuple[LinkId, LinkId], list[tuple[MovementId, ...]]] = defaultdict(list)
    for movement in network.movements:
        for made in _beyond(network, (movement,)):
            found[made[0].from_link, made[-1].to_link].append(tuple(m.id for m in made))
    out = []
    for (link, to_link), ways in sorted(found.items()):
        direct = [way for way in ways if len(way) == 1]
        for way in direct or (ways if len(ways) == 1 else ()):
            out += [(str(link), str(to_link), str(m), k == 0) for k, m in enumerate(way)]
    return out


def _beyond(network: Network, way: tuple[Movement, ...]) -> Iterator[tuple[Movement, ...]]:
    """Yield a way and what it becomes over short links that follow."""
    yield way
    link = network.link_index[way[-1].to_link]
    if link.length_m < STEP_S * link.speed_mps and len(way) < LONGEST_WAY:
        for movement in network.movements_from.get(link.id, ()):
            yield from _beyond(network, (*way, movement))


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
