# SPDX-License-Identifier: Apache-2.0
"""Officers' routes on the command line: what they gained, what they cost, stop by stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lvbo.cli.decisions import clock
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.evaluation.routes import RouteEffect
    from lvbo.network.network import Network
    from lvbo.simulation.escorts import Escort
    from lvbo.simulation.runs import Runs

EFFECT = (
    "route",
    "seed",
    "trip",
    "trip_without",
    "delay",
    "delay_without",
    "others",
    "others_without",
)
STOP = ("route", "controller", "asked", "green", "passed", "end", "recovered", "queues_back")


def read_escorts(path: Path, network: Network) -> tuple[Escort, ...]:
    """Return the routes of a file with the vehicles that drive them."""
    from lvbo.io.routes_toml import read_routes
    from lvbo.simulation.escorts import escorts_of

    return escorts_of(read_routes(path), network)


def effects_of(without: Runs, given: Runs) -> tuple[RouteEffect, ...]:
    """Return what way made for routes gained and cost, by route and seed."""
    from lvbo.evaluation.routes import measure_routes

    return measure_routes(without, given)


def show_routes(session: Session, effects: Sequence[RouteEffect], runs: Runs) -> None:
    """Show the effect of every route by seed, and the stops of the first run."""
    table = plain_table(
        session.words("cli_title_routes"),
        [session.words(f"cli_col_{name}") for name in EFFECT],
        numbers=6,
    )
    for one in effects:
        pairs = (
            (one.trip_s, one.trip_without_s),
            (one.delay_s, one.delay_without_s),
            (one.others_s, one.others_without_s),
        )
        values = [f"{value:.1f}" for pair in pairs for value in pair]
        table.add_row(one.route, str(one.seed), *values)
    session.show(table)
    stops = plain_table(
        session.words("cli_title_stops", seed=runs.seeds[0]),
        [session.words(f"cli_col_{name}") for name in STOP],
        numbers=2,
    )
    for row in stop_rows(runs)[: _first(runs)]:
        times = [_time(row[name]) for name in ("asked_s", "green_s", "passed_s")]
        end = session.words(f"cli_route_{row['end']}")
        backs = [_number(row[name]) for name in ("recovered_s", "queues_s")]
        stops.add_row(str(row["route"]), str(row["controller"]), *times, end, *backs)
    session.show(stops)


def route_data(effects: Sequence[RouteEffect], runs: Runs) -> dict[str, object]:
    """Return all of it as plain data."""
    return {"effects": [asdict(one) for one in effects], "stops": stop_rows(runs)}


def stop_rows(runs: Runs) -> list[dict[str, object]]:
    """Return the stops of all runs with their seeds, as plain data."""
    return [
        {"seed": run.seed, **row}
        for run in runs.runs
        if run.stops is not None
        for row in run.stops.iter_rows(named=True)
    ]


def _first(runs: Runs) -> int:
    stops = runs.runs[0].stops
    return 0 if stops is None else stops.height


def _time(value: object) -> str:
    return clock(value) if isinstance(value, int) else "-"


def _number(value: object) -> str:
    return "-" if value is None else str(value)
