# SPDX-License-Identifier: Apache-2.0
"""How traffic runs along a corridor, by direction, and the tracks of its time-space diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from lvbo.ids import LinkId, MovementId
from lvbo.network.corridor import Corridor, Section
from lvbo.network.network import Network
from lvbo.simulation.runs import Run

LEAST_SECTIONS = 2
"""Who drives fewer sections has met no coordinated signal on the way (one on a corridor of one)."""
BROKEN_AFTER_S = 180.0
"""A vehicle away from the corridor for longer has left it: what follows is another drive."""

TRACK_COLUMNS = {"vehicle": pl.String, "way": pl.String, "t_s": pl.Float64, "x_m": pl.Float64}


APART = frozenset(
    {"bus", "coach", "trolleybus", "tram", "bicycle", "moped", "scooter", "pedestrian"}
)
"""Classes that stop at stops, or keep a pace of their own: a green wave is not for them."""


class Way(StrEnum):
    """The two directions of a corridor, and both together."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayMeasures:
    """How one direction of a corridor ran in one run; None where nobody drove it.

    A drive is a stretch of at least two sections without leaving the corridor, from stop line to
    stop line, of cars and trucks (all but those of `APART`) that were due in the judged window.
    `nonstop_share` is the share of drives without a stop, our definition of the pass rate. Speed is
    space-mean: all distance over all time. Travel times are of those drives that cover every
    section.
    """

    way: Way
    drives: int
    stops_per_km: float | None
    nonstop_share: float | None
    speed_mps: float | None
    whole_drives: int
    travel_median_s: float | None
    travel_p95_s: float | None


def measure_corridor(run: Run, corridor: Corridor, network: Network) -> tuple[WayMeasures, ...]:
    """Return the measures of each direction that the corridor has, outbound first.

    Where it has two, those of both together come last.
    """
    apart = run.vehicles.filter(pl.col("vclass").is_in(APART))["vehicle"]
    drives = corridor_drives(run, corridor, network).filter(
        ~pl.col("vehicle").is_in(apart.implode())
    )
    ways = list(ways_of(corridor))
    found = [
        _way(drives.filter(pl.col("way") == way.value), way, len(sections))
        for way, sections in ways
    ]
    if len(ways) > 1:
        found.append(_way(drives, Way.BOTH, max(len(sections) for _, sections in ways)))
    return tuple(found)


def measure_along(run: Run, corridor: Corridor, network: Network) -> WayMeasures:
    """Return the measures of all who drive along a corridor, in both directions if it has two."""
    return measure_corridor(run, corridor, network)[-1]


def ways_of(corridor: Corridor) -> Iterator[tuple[Way, tuple[Section, ...]]]:
    """Yield the directions that a corridor has, with their sections."""
    if corridor.outbound:
        yield Way.OUTBOUND, corridor.outbound
    if corridor.inbound:
        yield Way.INBOUND, corridor.inbound


def _way(drives: pl.DataFrame, way: Way, sections: int) -> WayMeasures:
    length_m, time_s = float(drives["length_m"].sum()), float(drives["time_s"].sum())
    whole = drives.filter(pl.col("sections") >= sections)
    return WayMeasures(
        way=way,
        drives=drives.height,
        stops_per_km=float(drives["stops"].sum()) / length_m * 1000 if length_m else None,
        nonstop_share=float((drives["stops"] == 0).sum()) / drives.height
        if drives.height
        else None,
        speed_mps=length_m / time_s if time_s else None,
        whole_drives=whole.height,
        travel_median_s=whole["time_s"].quantile(0.5, interpolation="linear"),
        travel_p95_s=whole["time_s"].quantile(0.95, interpolation="linear"),
    )


def corridor_drives(run: Run, corridor: Corridor, network: Network) -> pl.DataFrame:
    """Return one row per drive of who was due: vehicle, way, sections, length_m, time_s, stops.

    Who drove while the streets filled is no part of what is judged, here as in `measure`. A section
    ends at a stop line, so a stop belongs to the signal ahead of it.
    """
    placed = pl.DataFrame(
        [
            (edge, way.value, number)
            for way, sections in ways_of(corridor)
            for number, section in enumerate(sections)
            for edge, _, _ in _edges_of(section.links, run.edges, network)
        ],
        schema={"edge": pl.String, "way": pl.String, "section": pl.Int64},
        orient="row",
    )
    lengths = run.edges.select("edge", "length_m")
    broken = (pl.col("enter_s") - pl.col("leave_s").shift(1)) > BROKEN_AFTER_S
    least = min(LEAST_SECTIONS, max(len(corridor.outbound), len(corridor.inbound)))
    return (
        run.passages.filter(pl.col("vehicle").is_in(run.due["vehicle"].implode()))
        .join(placed, on="edge", maintain_order="left")
        .join(lengths, on="edge", maintain_order="left")
        .with_columns(drive=broken.fill_null(value=False).cum_sum().over("vehicle", "way"))
        .group_by("vehicle", "way", "drive", maintain_order=True)
        .agg(
            pl.col("section").n_unique().cast(pl.Int64).alias("sections"),
            pl.col("length_m").sum(),
            (pl.col("leave_s").max() - pl.col("enter_s").min()).alias("time_s"),
            pl.col("stops").sum(),
        )
        .filter(pl.col("sections") >= least)
        .drop("drive")
    )


def corridor_tracks(run: Run, corridor: Corridor, network: Network) -> pl.DataFrame:
    """Return where each vehicle was along the corridor: vehicle, way, t_s, x_m.

    `x_m` is 0 at the first stop line outbound and grows outbound; the other stop lines lie at
    `stop_positions_m`. Inbound drives are stretched onto the same axis. The run must have been made
    with trajectories; without them, or off the corridor, there are no rows.
    """
    if run.tracks is None:
        return pl.DataFrame(schema=TRACK_COLUMNS)
    return place_tracks(run.tracks, run.edges, corridor, network)


def place_tracks(
    tracks: pl.DataFrame, edges: pl.DataFrame, corridor: Corridor, network: Network
) -> pl.DataFrame:
    """Return steps of vehicles on edges (`TRACKS`) as places along a corridor.

    `edges` needs the columns edge, from_node, to_node and length_m of the network's edges.
    """
    placed = pl.DataFrame(
        list(_placed(edges, corridor, network)),
        schema={"edge": pl.String, "way": pl.String, "x0": pl.Float64, "slope": pl.Float64},
        orient="row",
    )
    return (
        tracks.lazy()
        .join(placed.lazy(), on="edge")
        .with_columns(x_m=pl.col("x0") + pl.col("slope") * pl.col("pos_m"))
        .select(*TRACK_COLUMNS)
        .sort("vehicle", "t_s")
        .collect()
    )


def stop_positions_m(corridor: Corridor) -> tuple[float, ...]:
    """Return where the stops lie along the corridor, the first at 0."""
    sections = corridor.outbound or corridor.inbound
    found = [0.0]
    for section in sections:
        found.append(found[-1] + section.length_m)
    return tuple(found)


def _placed(
    edges: pl.DataFrame, corridor: Corridor, network: Network
) -> Iterator[tuple[str, str, float, float]]:
    """Yield each edge of the corridor with the place of its start and metres gained per metre."""
    at = stop_positions_m(corridor)
    for way, sections in ways_of(corridor):
        outward = way is Way.OUTBOUND
        sign = 1.0 if outward else -1.0
        for k, section in enumerate(sections):
            target = at[k + 1] if outward else at[k]
            scale = sign * (at[k + 1] - at[k]) / section.length_m
            for edge, _, left_m in _edges_of(section.links, edges, network):
                yield edge, way.value, target - scale * left_m, scale
        movement = corridor.stops[0].outbound if outward else corridor.stops[-1].inbound
        target = at[0] if outward else at[-1]
        for edge, _, left_m in _edges_of(approach_of(movement, network), edges, network):
            yield edge, way.value, target - sign * left_m, sign


def approach_of(movement: MovementId | None, network: Network) -> tuple[LinkId, ...]:
    """Return the link ahead of a movement's stop line, none without a movement."""
    return () if movement is None else (network.movement_index[movement].from_link,)


def _edges_of(
    links: tuple[LinkId, ...], edges: pl.DataFrame, network: Network
) -> list[tuple[str, float, float]]:
    """Return the edges of some links in driving order: id, length, metres from start to the end.

    Ways across intersections between the links are not counted.
    """
    ordered = [edge for link in links for edge in _chain(link, edges, network)]
    left = sum(length for _, length in ordered)
    found = []
    for edge, length in ordered:
        found.append((edge, length, left))
        left -= length
    return found


def _chain(link: LinkId, edges: pl.DataFrame, network: Network) -> list[tuple[str, float]]:
    """Return the edges of one link in driving order, with their lengths."""
    names = [] if network.sumo is None else [e for e, owner in network.sumo.edges if owner == link]
    rows = edges.filter(pl.col("edge").is_in(names)).iter_rows(named=True)
    by_start = {row["from_node"]: row for row in rows}
    ends = {row["to_node"] for row in by_start.values()}
    node = next((start for start in by_start if start not in ends), None)
    found: list[tuple[str, float]] = []
    while node in by_start:
        row = by_start.pop(node)
        found.append((row["edge"], row["length_m"]))
        node = row["to_node"]
    return found
