# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import polars as pl
import pytest

from lvbo.evaluation.measures import measure
from lvbo.io.scenario import Scenario
from lvbo.simulation.runs import EDGES, PASSAGES, PERSONS, VEHICLES, Run, Runs


def vehicle(name: str, depart_s: float, **values: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "type": "car",
        "vclass": "passenger",
        "depart_delay_s": 0.0,
        "inserted": True,
        "arrived": True,
        "duration_s": 60.0,
        "time_loss_s": 10.0,
        "waiting_s": 0.0,
        "stopping_s": 0.0,
        "route_m": 500.0,
        "from_edge": "a",
        "to_edge": "b",
        "co2_mg": 1000.0,
        "stops": 1,
    }
    return {"vehicle": name, "depart_s": depart_s, **usual, **values}


def run_of(vehicles: list[dict[str, object]]) -> Run:
    edges = [
        {
            "edge": "a",
            "from_node": "m",
            "to_node": "n",
            "length_m": 100.0,
            "speed_mps": 10.0,
            "lanes": 1,
            "queue_mean": 1.5,
            "queue_max": 4,
            "blocked_s": 90.0,
        }
    ]
    return Run(
        seed=3,
        begin_s=0,
        judged_from_s=100,
        judged_to_s=200,
        end_s=300.0,
        vehicles=pl.DataFrame(vehicles, schema=VEHICLES),
        persons=pl.DataFrame(schema=PERSONS),
        passages=pl.DataFrame(schema=PASSAGES),
        edges=pl.DataFrame(edges, schema=EDGES),
        tracks=None,
        lamps=(),
        violations=(),
        teleports=0,
        collisions=0,
        wall_s=1.0,
    )


def test_unfinished_and_never_inserted_vehicles_count_in_full() -> None:
    found = measure(
        run_of(
            [
                vehicle("done", 100.0, time_loss_s=20.0, depart_delay_s=4.0),
                vehicle("stuck", 150.0, arrived=False, duration_s=140.0, time_loss_s=96.0),
                vehicle(
                    "outside", 180.0, arrived=False, inserted=False, duration_s=0.0,
                    time_loss_s=0.0, depart_delay_s=120.0, stops=0,
                ),
            ]
        )
    )  # fmt: skip

    assert (found.due, found.arrived, found.unfinished, found.never_inserted) == (3, 1, 2, 1)
    assert found.delay_s == pytest.approx((24 + 96 + 120) / 3)
    assert found.trip_s == pytest.approx((64 + 140 + 120) / 3)
    assert found.stops == pytest.approx(2 / 3)
    assert found.spillback_min == pytest.approx(1.5)


def test_the_window_holds_its_begin_and_not_its_end() -> None:
    found = measure(run_of([vehicle(str(at), at) for at in (99.9, 100.0, 199.9, 200.0)]))

    assert found.due == 2


def test_who_was_not_due_gets_no_measure() -> None:
    found = measure(run_of([vehicle("car", 100.0)]))

    assert found.bus_delay_s is None
    assert found.walk_delay_s is None


def test_buses_and_walkers_are_measured_by_themselves(shipped_runs: Runs, tiny: Scenario) -> None:
    found = measure(shipped_runs.runs[0], tiny.network)

    assert found.bus_trip_s is not None
    assert found.walk_delay_s is not None
    assert found.walk_delay_longest_s is not None
    assert 0 < found.walk_delay_s <= found.walk_delay_longest_s


def test_person_delay_weighs_a_bus_by_its_riders() -> None:
    run = run_of(
        [
            vehicle("car", 100.0, time_loss_s=10.0),
            vehicle("bus", 100.0, vclass="bus", time_loss_s=40.0),
        ]
    )

    assert measure(run).delay_s == pytest.approx(25.0)
    assert measure(run, riders={"passenger": 2.0, "bus": 8.0}).person_delay_s == pytest.approx(
        (2 * 10 + 8 * 40) / 10
    )
