# SPDX-License-Identifier: Apache-2.0
"""Generated streets with side streets, each of another kind, as scenarios.

They differ in what decides which green wave suits a street: how far its signals lie apart, how
many turn in, how busy it is, whether one direction is heavier, how many signals it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lvbo.bench.grid_streets import Axis, Layout, Streets, build_streets
from lvbo.bench.grid_traffic import Route, Shares, write_vehicles
from lvbo.bench.grids import Grid, grid_of, volume_at
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_xml import read_raw_net

LENGTH_S = 2400
"""Ten minutes fill the street, half an hour is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artery:
    """A street of one kind.

    Of all vehicles the share `through` drives it from end to end and `across` crosses it; the rest
    turns in or off. `saturation` is that of the busiest signal at 90 s; `tide` is how much more
    than its half drives outbound.
    """

    name: str
    signals: int = 5
    spacing_m: float = 350.0
    spread_m: float = 40.0
    through: float = 0.30
    across: float = 0.30
    saturation: float = 0.75
    tide: float = 0.1


ARTERIES: Mapping[str, Artery] = {
    kind.name: kind
    for kind in (
        Artery(name="plain"),
        Artery(name="close", spacing_m=250.0, spread_m=30.0),
        Artery(name="far", signals=4, spacing_m=600.0),
        Artery(name="uneven", spacing_m=400.0, spread_m=65.0),
        Artery(name="tidal", tide=0.5),
        Artery(name="turning", through=0.08),
        Artery(name="busy", saturation=0.92),
        Artery(name="long", signals=8, spacing_m=300.0, saturation=0.65),
    )
}
"""The kinds of streets that the bench of waves knows, by name."""


def make_artery(folder: Path, artery: Artery, *, seed: int, length_s: int = LENGTH_S) -> Grid:
    """Write a street of this kind into a folder; equal seeds give equal files.

    The seed draws places, paths and departures. The first third warms up, 600 s at most.

    Raises:
        ToolError: LV600 where SUMO is missing, LV651 where netgenerate refuses.

    """
    layout = Layout(
        columns=artery.signals, rows=1, spacing_m=artery.spacing_m, spread_m=artery.spread_m
    )
    streets = build_streets(folder, layout, seed=seed)
    shares = artery_shares(streets, artery, seed=seed)
    made = grid_of(streets, shares, volume_at(streets, shares, artery.saturation), (seed, length_s))
    return replace(made, scenario=replace(made.scenario, name=f"{artery.name}-{seed}"))


def artery_on(made: Grid, artery: Artery, *, seed: int, day: int) -> Scenario:
    """Return the scenario of a street made with this seed on another day, written beside it.

    Shares and volume stay; who drives which path and departs when is drawn anew. Day 0 is the one
    that the street was made with.
    """
    given = made.scenario
    streets = Streets(net_file=given.net_file, raw=read_raw_net(given.net_file))
    routes = given.folder / f"day-{day}.rou.xml"
    write_vehicles(
        routes,
        artery_shares(streets, artery, seed=seed),
        veh_ph=made.veh_ph,
        length_s=given.end_s - given.begin_s,
        seed=seed,
        day=day,
    )
    return replace(given, route_files=(routes,))


def artery_shares(streets: Streets, artery: Artery, *, seed: int) -> Shares:
    """Return how the traffic of a street spreads over paths, whatever its volume."""
    draw = np.random.default_rng([seed, 3])
    pull = {name: draw.uniform(0.5, 1.5) for name in (*streets.entries, *streets.exits)}
    weights: dict[str, dict[Route, float]] = defaultdict(dict)
    for entry in streets.entries:
        for path in _paths(streets, entry):
            kind, tide = _kind(streets, path), _tide(streets, path, artery.tide)
            own = 1.0 if kind == "through" else pull[entry] * pull[path[-1]]
            weights[kind][path] = own * tide
    parts = {"through": artery.through, "across": artery.across}
    parts["turning"] = 1.0 - sum(parts.values())
    return {
        path: parts[kind] * weight / sum(paths.values())
        for kind, paths in sorted(weights.items())
        for path, weight in sorted(paths.items())
    }


def _paths(streets: Streets, entry: str) -> list[Route]:
    """Return the one path from an entry to every exit but its own end of the street."""
    found: list[Route] = []
    open_ends: list[Route] = [(entry,)]
    while open_ends:
        path = open_ends.pop()
        after = streets.ways[path[-1]]
        if not after:
            found.append(path)
        open_ends += [(*path, edge) for edge in after]
    return found


def _kind(streets: Streets, path: Route) -> str:
    if path != streets.straight(path[0]):
        return "turning"
    return "through" if streets.axis(path[0]) is Axis.EW else "across"


def _tide(streets: Streets, path: Route, tide: float) -> float:
    """Return how much more than its share a path carries; only driving along the street counts."""
    east = sum(streets.along(edge)[0] for edge in path[1:-1])
    return 1.0 + tide * float(np.sign(round(east)))
