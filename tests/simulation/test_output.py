# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import polars as pl

from lvbo.simulation.output import (
    EdgeFact,
    edge_queues,
    passages,
    read_seen,
    read_steps,
    read_trips,
)

TRIPS = """<tripinfos>
<tripinfo id="ok" depart="105.00" departLane="a_0" departDelay="5.00" arrival="165.00"
 arrivalLane="b_1" duration="60.00" routeLength="500.00" waitingTime="9.00" stopTime="0.00"
 timeLoss="20.00" vType="car"/>
<tripinfo id="stuck" depart="150.00" departLane="a_0" departDelay="0.00" arrival="-1.00"
 arrivalLane="" duration="50.00" routeLength="30.00" waitingTime="40.00" stopTime="0.00"
 timeLoss="45.00" vType="car"/>
<tripinfo id="outside" depart="-1" departLane="" departDelay="80.00" arrival="-1.00"
 arrivalLane="" duration="0.00" routeLength="0.00" waitingTime="0.00" stopTime="0.00"
 timeLoss="0.00" vType="tram"/>
</tripinfos>"""


def steps_of(folder: Path, speeds_kmh: list[float], positions: list[float] | None = None) -> Path:
    path = folder / "steps.parquet"
    places = positions or [10.0 * k for k in range(len(speeds_kmh))]
    pl.DataFrame(
        {
            "timestep_time": [float(k) for k in range(len(speeds_kmh))],
            "vehicle_id": ["v"] * len(speeds_kmh),
            "vehicle_speed": [v / 3.6 for v in speeds_kmh],
            "vehicle_pos": places,
            "vehicle_lane": ["a_b_0"] * 3 + [":n_0_0"] + ["c_1"] * (len(speeds_kmh) - 4),
        }
    ).write_parquet(path)
    return path


def test_a_stop_begins_below_5_and_ends_above_15_km_an_hour(tmp_path: Path) -> None:
    steps = read_steps(steps_of(tmp_path, [50, 20, 6, 4, 14, 4, 16, 4, 0, 20]))

    assert steps["slow"].to_list() == [
        False, False, False, True, True, True, False, True, True, False,
    ]  # fmt: skip
    assert steps["begins"].sum() == 2


def test_a_trip_that_starts_at_rest_has_not_stopped(tmp_path: Path) -> None:
    steps = read_steps(steps_of(tmp_path, [0, 3, 10, 20, 40, 50]))

    assert steps["begins"].sum() == 0


def test_a_vehicle_is_on_each_edge_from_its_first_step_to_the_step_after_its_last(
    tmp_path: Path,
) -> None:
    steps = read_steps(steps_of(tmp_path, [50, 20, 6, 4, 14, 4, 16]))
    visited = passages(steps, 1.0)

    assert visited.select("edge", "enter_s", "leave_s", "stops", "slow_s").rows() == [
        ("a_b", 0.0, 3.0, 0, 0.0),
        (":n_0", 3.0, 4.0, 1, 1.0),
        ("c", 4.0, 7.0, 0, 2.0),
    ]


def test_an_edge_is_blocked_while_a_stopped_vehicle_stands_in_its_mouth(tmp_path: Path) -> None:
    places = [0.0, 10.0, 20.0, 1.0, 5.0, 6.0, 30.0, 31.0]
    steps = read_steps(steps_of(tmp_path, [50, 50, 50, 20, 2, 2, 2, 2], places))
    facts = tuple(
        EdgeFact(edge=e, from_node="n", to_node="m", length_m=m, speed_mps=10.0, lanes=1)
        for e, m in (("a_b", 100.0), ("c", 200.0))
    )
    queues = edge_queues(steps, facts, 1.0, 8.0)

    assert queues.select("edge", "queue_mean", "queue_max", "blocked_s").rows() == [
        ("a_b", 0.0, 0, 0.0),
        ("c", 0.5, 1, 2.0),
    ]


def test_a_vehicle_never_inserted_was_due_when_its_waiting_began(tmp_path: Path) -> None:
    path = tmp_path / "trips.xml"
    path.write_text(TRIPS, encoding="utf-8")
    vehicles, persons = read_trips(path, 200.0, {"tram": "rail_urban"})

    assert vehicles.select("vehicle", "depart_s", "inserted", "arrived", "vclass").rows() == [
        ("ok", 100.0, True, True, "passenger"),
        ("stuck", 150.0, True, False, "passenger"),
        ("outside", 120.0, False, False, "rail_urban"),
    ]
    assert persons.is_empty()


def test_steps_read_in_parts_say_the_same_as_at_once(tmp_path: Path) -> None:
    path = tmp_path / "steps.parquet"
    rows = [
        (float(t), f"v{v}", 0.0 if (t + v) % 7 < 3 else 14.0, 3.0 * t, "a_0" if t < 20 else "b_0")
        for t in range(40)
        for v in range(30)
    ]
    names = ["timestep_time", "vehicle_id", "vehicle_speed", "vehicle_pos", "vehicle_lane"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(path)
    facts = tuple(
        EdgeFact(edge=e, from_node="n", to_node="m", length_m=200.0, speed_mps=13.9, lanes=1)
        for e in "ab"
    )
    steps = read_steps(path)
    once, often = (
        read_seen(path, facts, step_s=1.0, span_s=40.0, tracked_to_s=30.0, most_rows=most)
        for most in (10_000, 100)
    )

    for seen in (once, often):
        assert seen.passages.equals(passages(steps, 1.0))
        assert seen.edges.equals(edge_queues(steps, facts, 1.0, 40.0))
        assert seen.tracks is not None
        assert seen.tracks.equals(steps.filter(pl.col("t_s") < 30.0).select(seen.tracks.columns))
    assert once.edges["queue_max"].max() == 14
