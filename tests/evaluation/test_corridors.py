# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import polars as pl

from lvbo.evaluation.corridors import (
    corridor_drives,
    corridor_tracks,
    measure_corridor,
    stop_positions_m,
)
from lvbo.io.scenario import Scenario
from lvbo.simulation.runs import Runs


def test_each_way_of_the_street_is_measured_by_its_own_drives(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    *ways, both = measure_corridor(run, corridor, tiny.network)
    ends = {w.way.value: w.drives for w in ways}
    apart = run.vehicles.filter(pl.col("vclass") == "bus")["vehicle"]
    cars = run.passages.filter(~pl.col("vehicle").is_in(apart.implode()))
    edge = {"outbound": corridor.outbound[0].links[0], "inbound": corridor.inbound[0].links[0]}

    assert ends == {
        way: cars.filter(pl.col("edge") == str(link))["vehicle"].n_unique()
        for way, link in edge.items()
    }
    assert both.drives == sum(w.drives for w in ways)
    assert all(w.stops_per_km is not None and w.stops_per_km >= 0 for w in ways)
    assert all(w.nonstop_share is not None and 0 <= w.nonstop_share <= 1 for w in ways)
    assert all(w.speed_mps is not None and 0 < w.speed_mps < 16 for w in ways)


def test_a_drive_without_stops_is_non_stop(shipped_runs: Runs, tiny: Scenario) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    calm = replace(run, passages=run.passages.with_columns(stops=pl.lit(0, pl.Int64)))
    ways = measure_corridor(calm, corridor, tiny.network)

    assert [(w.stops_per_km, w.nonstop_share) for w in ways] == 3 * [(0.0, 1.0)]


def test_who_drove_while_the_streets_filled_is_not_measured(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    half_s = (run.judged_from_s + run.judged_to_s) // 2
    late = replace(run, judged_from_s=half_s)
    early = replace(run, judged_to_s=half_s)
    whole, *parts = (corridor_drives(r, corridor, tiny.network) for r in (run, late, early))

    assert 0 < parts[0].height < whole.height
    assert set(parts[0]["vehicle"]) == set(whole["vehicle"]) & set(late.due["vehicle"])
    assert sum(part.height for part in parts) == whole.height


def test_a_wave_is_not_for_those_who_stop_at_stops(shipped_runs: Runs, tiny: Scenario) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    buses = replace(run, vehicles=run.vehicles.with_columns(vclass=pl.lit("bus")))

    assert [w.drives for w in measure_corridor(buses, corridor, tiny.network)] == [0, 0, 0]


def test_tracks_grow_outbound_and_fall_inbound_between_the_stop_lines(
    shipped_runs: Runs, tiny: Scenario
) -> None:
    run, corridor = shipped_runs.runs[0], tiny.network.corridor("High St")
    tracks = corridor_tracks(run, corridor, tiny.network)
    moved = tracks.group_by("vehicle", "way").agg(
        (pl.col("x_m").last() - pl.col("x_m").first()).alias("by"), pl.len()
    )
    moved = moved.filter(pl.col("len") > 30)

    assert moved.filter(pl.col("way") == "outbound")["by"].min() > 0  # type: ignore[operator]
    assert moved.filter(pl.col("way") == "inbound")["by"].max() < 0  # type: ignore[operator]
    assert stop_positions_m(corridor) == (0.0, corridor.outbound[0].length_m)


def test_a_run_without_trajectories_has_no_tracks(safe_runs: Runs, tiny: Scenario) -> None:
    run, corridor = safe_runs.runs[0], tiny.network.corridor("High St")

    assert corridor_tracks(run, corridor, tiny.network).is_empty()
    assert not corridor_drives(run, corridor, tiny.network).is_empty()
