# SPDX-License-Identifier: Apache-2.0
"""SUMO's output files of one run to frames: trips, walks, and what every step showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl

from lvbo.io.sumo_xml import elements
from lvbo.simulation.runs import EDGES, PASSAGES, PERSONS, TRACKS, VEHICLES

ENTERS_STOP_MPS = 5 / 3.6
LEAVES_STOP_MPS = 15 / 3.6
AT_START_M = 12.0
"""A stopped front this near to the start of an edge stands in its mouth: one car and a gap."""
MOST_ROWS = 2_000_000
"""So many steps are read at once, about an hour of a small city: it takes half a gigabyte."""
LONG_ENOUGH_M = 40.0
"""Shorter edges are part of an intersection and cannot spill back by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeFact:
    """What the network file says of one edge."""

    edge: str
    from_node: str
    to_node: str
    length_m: float
    speed_mps: float
    lanes: int


def read_edges(net_file: Path) -> tuple[EdgeFact, ...]:
    """Return the edges of a network file that are no part of a junction.

    Older versions of SUMO do not tell all of this while they run.
    """
    return tuple(_edge(e) for e in elements(net_file) if e.tag == "edge" and "from" in e.attrib)


def _edge(element: ET.Element) -> EdgeFact:
    lanes = element.findall("lane")
    return EdgeFact(
        edge=element.attrib["id"],
        from_node=element.attrib["from"],
        to_node=element.attrib["to"],
        length_m=float(lanes[0].attrib["length"]),
        speed_mps=max(float(lane.attrib["speed"]) for lane in lanes),
        lanes=len(lanes),
    )


def read_trips(
    path: Path, end_s: float, classes: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return vehicles (without stops) and persons from a tripinfo file.

    A vehicle never inserted has no departure; its scheduled one is the end of the run less its
    waiting outside. `classes` gives the vehicle class of each vehicle type.
    """
    vehicles: list[dict[str, object]] = []
    persons: list[dict[str, object]] = []
    for _, element in ET.iterparse(path):
        if element.tag == "tripinfo":
            vehicles.append(_vehicle(element, end_s, classes))
            element.clear()
        elif element.tag == "personinfo":
            persons.append(_person(element, end_s))
            element.clear()
    schema = {key: kind for key, kind in VEHICLES.items() if key != "stops"}
    return pl.DataFrame(vehicles, schema=schema), pl.DataFrame(persons, schema=PERSONS)


def _vehicle(trip: ET.Element, end_s: float, classes: Mapping[str, str]) -> dict[str, object]:
    departed, delay = float(trip.attrib["depart"]), float(trip.attrib["departDelay"])
    inserted = bool(trip.attrib["departLane"])
    emissions = trip.find("emissions")
    return {
        "vehicle": trip.attrib["id"],
        "type": trip.attrib["vType"],
        "vclass": classes.get(trip.attrib["vType"], "passenger"),
        "depart_s": (departed if inserted else end_s) - delay,
        "depart_delay_s": delay,
        "inserted": inserted,
        "arrived": float(trip.attrib["arrival"]) >= 0,
        "duration_s": float(trip.attrib["duration"]),
        "time_loss_s": float(trip.attrib["timeLoss"]),
        "waiting_s": float(trip.attrib["waitingTime"]),
        "stopping_s": float(trip.attrib["stopTime"]),
        "route_m": float(trip.attrib["routeLength"]),
        "from_edge": _edge_of(trip.attrib["departLane"]),
        "to_edge": _edge_of(trip.attrib["arrivalLane"]),
        "co2_mg": 0.0 if emissions is None else float(emissions.attrib["CO2_abs"]),
    }


def _edge_of(lane: str) -> str | None:
    return lane.rpartition("_")[0] or None


def _person(person: ET.Element, end_s: float) -> dict[str, object]:
    depart = float(person.attrib["depart"])
    walks = person.findall("walk")
    seconds = [_walk_seconds(walk, end_s) for walk in walks]
    return {
        "person": person.attrib["id"],
        "depart_s": depart,
        "arrived": all(float(walk.get("arrival", "-1")) >= 0 for walk in walks),
        "walk_s": sum(seconds),
        "walk_m": sum(float(walk.get("routeLength", "0")) for walk in walks),
        "time_loss_s": sum(max(float(walk.get("timeLoss", "0")), 0.0) for walk in walks),
        "waiting_s": float(person.get("waitingTime", "0")),
    }


def _walk_seconds(walk: ET.Element, end_s: float) -> float:
    duration, depart = float(walk.get("duration", "-1")), float(walk.get("depart", "-1"))
    if duration >= 0:
        return duration
    return end_s - depart if depart >= 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the steps of a run showed: passages, queues by edge, and trajectories if kept."""

    passages: pl.DataFrame
    edges: pl.DataFrame
    tracks: pl.DataFrame | None


def read_seen(
    path: Path,
    facts: tuple[EdgeFact, ...],
    *,
    step_s: float,
    span_s: float,
    tracked_to_s: float | None = None,
    most_rows: int = MOST_ROWS,
) -> Seen:
    """Return what the file of steps shows; a long one is read vehicles by vehicles, to save room.

    Trajectories are kept up to `tracked_to_s`, none without it.
    """
    visits, standing, tracks = [], [], []
    for steps in _parts(path, most_rows):
        visits.append(passages(steps, step_s))
        standing.append(_standing(steps, facts))
        if tracked_to_s is not None:
            tracks.append(steps.filter(pl.col("t_s") < tracked_to_s).select(*TRACKS))
    return Seen(
        passages=pl.concat(visits).sort("vehicle", maintain_order=True),
        edges=_queues(pl.concat(standing), facts, step_s, span_s),
        tracks=pl.concat(tracks).sort("vehicle", maintain_order=True) if tracks else None,
    )


def _parts(path: Path, most_rows: int) -> Iterator[pl.DataFrame]:
    """Yield the steps in parts that hold all steps of their vehicles each."""
    if path.suffix != ".parquet":
        yield _with_stop_state(_steps_of_xml(path))
        return
    rows = pl.scan_parquet(path)
    count = 1 + int(rows.select(pl.len()).collect().item()) // most_rows
    for part in range(count):
        mine = pl.col("vehicle_id").hash() % count == part
        yield _with_stop_state((rows.filter(mine) if count > 1 else rows).collect())


def read_steps(path: Path) -> pl.DataFrame:
    """Return every step of every vehicle, sorted by vehicle and time, with its stop state.

    A vehicle enters a stop below 5 km/h and leaves it above 15 km/h; one that starts its trip at
    rest has not stopped.
    """
    return pl.concat(_parts(path, MOST_ROWS)).sort("vehicle", maintain_order=True)


def _with_stop_state(raw: pl.DataFrame) -> pl.DataFrame:
    if raw.is_empty():
        return pl.DataFrame(schema={**TRACKS, "slow": pl.Boolean, "begins": pl.Boolean})
    slow = (
        pl.when(pl.col("speed_mps") < ENTERS_STOP_MPS)
        .then(statement=True)
        .when(pl.col("speed_mps") > LEAVES_STOP_MPS)
        .then(statement=False)
    )
    return (
        raw.lazy()
        .filter(pl.col("vehicle_id").is_not_null())
        .select(
            pl.col("vehicle_id").alias("vehicle"),
            pl.col("timestep_time").cast(pl.Float64).alias("t_s"),
            pl.col("vehicle_lane").str.replace(r"_\d+$", "").alias("edge"),
            pl.col("vehicle_pos").cast(pl.Float64).alias("pos_m"),
            pl.col("vehicle_speed").cast(pl.Float64).alias("speed_mps"),
        )
        .sort("vehicle", "t_s", maintain_order=True)
        .with_columns(slow=slow.forward_fill().over("vehicle").fill_null(value=False))
        .with_columns(
            begins=pl.col("slow") & ~pl.col("slow").shift(1).over("vehicle").fill_null(value=True)
        )
        .collect()
    )


def _steps_of_xml(path: Path) -> pl.DataFrame:
    """Return the rows of an XML file of steps as those of a Parquet file."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("vehicle_id", "timestep_time", "vehicle_lane", *_STEP_NUMBERS)
    }
    now = 0.0
    for event, element in ET.iterparse(path, events=("start", "end")):
        if event == "start" and element.tag == "timestep":
            now = float(element.attrib["time"])
        elif event == "end" and element.tag == "vehicle":
            columns["vehicle_id"].append(element.attrib["id"])
            columns["timestep_time"].append(now)
            columns["vehicle_lane"].append(element.attrib["lane"])
            for name, short in _STEP_NUMBERS.items():
                columns[name].append(float(element.attrib[short]))
        elif event == "end" and element.tag == "timestep":
            element.clear()
    return pl.DataFrame(columns)


_STEP_NUMBERS = {"vehicle_pos": "pos", "vehicle_speed": "speed"}


def passages(steps: pl.DataFrame, step_s: float) -> pl.DataFrame:
    """Return one row per vehicle and edge driven, in order; edges inside junctions included."""
    if steps.is_empty():
        return pl.DataFrame(schema=PASSAGES)
    visit = (pl.col("edge") != pl.col("edge").shift(1)) | (
        pl.col("vehicle") != pl.col("vehicle").shift(1)
    )
    return (
        steps.lazy()
        .with_columns(visit=visit.fill_null(value=True).cum_sum())
        .group_by("visit", maintain_order=True)
        .agg(
            pl.col("vehicle").first(),
            pl.col("edge").first(),
            pl.col("t_s").first().alias("enter_s"),
            (pl.col("t_s").last() + step_s).alias("leave_s"),
            pl.col("begins").sum().cast(pl.Int64).alias("stops"),
            (pl.col("slow").sum() * step_s).alias("slow_s"),
        )
        .select(*PASSAGES)
        .collect()
    )


def edge_queues(
    steps: pl.DataFrame, facts: tuple[EdgeFact, ...], step_s: float, span_s: float
) -> pl.DataFrame:
    """Return what stood on each edge: mean and largest queue, seconds with its mouth blocked."""
    return _queues(_standing(steps, facts), facts, step_s, span_s)


def _standing(steps: pl.DataFrame, facts: tuple[EdgeFact, ...]) -> pl.DataFrame:
    """Return how many stood on each edge in each step, and whether one stood in its mouth."""
    known = _known(facts).select("edge", "length_m").lazy()
    in_mouth = (pl.col("pos_m") < AT_START_M) & (pl.col("length_m") > LONG_ENOUGH_M)
    return (
        steps.lazy()
        .filter(pl.col("slow"))
        .join(known, on="edge")
        .group_by("edge", "t_s")
        .agg(pl.len().cast(pl.Int64).alias("queue"), in_mouth.any().alias("blocked"))
        .collect()
    )


def _queues(
    standing: pl.DataFrame, facts: tuple[EdgeFact, ...], step_s: float, span_s: float
) -> pl.DataFrame:
    per_step = (
        standing.lazy().group_by("edge", "t_s").agg(pl.col("queue").sum(), pl.col("blocked").any())
    )
    per_edge = per_step.group_by("edge").agg(
        (pl.col("queue").sum() * step_s / span_s).alias("queue_mean"),
        pl.col("queue").max().alias("queue_max"),
        (pl.col("blocked").sum() * step_s).alias("blocked_s"),
    )
    return (
        _known(facts)
        .lazy()
        .join(per_edge, on="edge", how="left")
        .with_columns(pl.col("queue_mean", "queue_max", "blocked_s").fill_null(0))
        .sort("edge")
        .select(*EDGES)
        .collect()
    )


def _known(facts: tuple[EdgeFact, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        [(f.edge, f.from_node, f.to_node, f.length_m, f.speed_mps, f.lanes) for f in facts],
        schema=dict(list(EDGES.items())[:6]),
        orient="row",
    )


def with_stops(trips: pl.DataFrame, visited: pl.DataFrame) -> pl.DataFrame:
    """Return trips with the stops of each vehicle; one never inserted has none."""
    stops = visited.group_by("vehicle").agg(pl.col("stops").sum())
    return (
        trips.join(stops, on="vehicle", how="left")
        .with_columns(pl.col("stops").fill_null(0))
        .sort("vehicle")
        .select(*VEHICLES)
    )
