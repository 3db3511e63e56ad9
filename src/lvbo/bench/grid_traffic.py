# SPDX-License-Identifier: Apache-2.0
"""The traffic of a generated grid: half along straight streets, half from edge to edge.

Every third street is an arterial and carries more, one way more than the other. The rest is spread
over quick paths that avoid what is loaded already.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.grid_streets import Pair, Streets
from lvbo.io.sumo_plans import write_xml
from lvbo.network.place import Turn

STRAIGHT = 0.5
"""The share of vehicles that keep to one street."""
EVERY, ARTERIAL, TIDE = 3, 3.0, 0.3
"""Every third street carries three times as much, 30 % more one way and 30 % less the other."""
DRAWS = 4
TASTE = 0.2
CROWDED = 0.5
"""A path costs 20 % more or less by chance, and half as much again where load is at its mean."""
TURN_S: Mapping[Turn, float] = {Turn.LEFT: 20.0, Turn.THROUGH: 8.0, Turn.RIGHT: 8.0}
CAR: Mapping[str, str] = {
    "id": "car",
    "vClass": "passenger",
    "accel": "2.0",
    "tau": "1.25",
    "startupDelay": "0.5",
    "speedFactor": "normc(0.9,0.1,0.7,1.2)",
}
"""The driver of a mid-size Chinese city, as `build_scenario` has it where nothing was measured."""

Route = tuple[str, ...]
Shares = Mapping[Route, float]
"""The share of all vehicles on each path of edges; they add up to 1."""


def path_shares(streets: Streets, *, seed: int) -> Shares:
    """Return how traffic spreads over paths, whatever its volume."""
    draw = np.random.default_rng([seed, 1])
    shares: dict[Route, float] = defaultdict(float)
    for path, share in _straight(streets).items():
        shares[path] += STRAIGHT * share
    for path, share in _across(streets, draw, dict(shares)).items():
        shares[path] += (1 - STRAIGHT) * share
    return dict(sorted(shares.items()))


def turn_shares(streets: Streets, shares: Shares) -> Mapping[Pair, float]:
    """Return the share of all vehicles that makes each signalised turn."""
    found: dict[Pair, float] = defaultdict(float)
    for path, share in shares.items():
        for pair in pairwise(path):
            if pair in streets.lit:
                found[pair] += share
    return {pair: found[pair] for pair in sorted(streets.lit)}


def write_vehicles(
    path: Path, shares: Shares, *, veh_ph: float, length_s: int, seed: int, day: int = 0
) -> Mapping[Route, int]:
    """Write vehicles with their routes on a day and return how many drive each path.

    Paths are drawn by systematic sampling, so that numbers stay close to their shares, and depart
    in an order by chance, one in each equal part of the span.
    """
    draw = np.random.default_rng([seed, 2, day])
    paths = list(shares)
    expected = np.array(list(shares.values())) * veh_ph * length_s / 3600
    order = draw.permutation(len(paths))
    points = np.arange(draw.random(), expected.sum(), 1.0)
    chosen = order[np.searchsorted(np.cumsum(expected[order]), points)]
    departs = (draw.permutation(len(chosen)) + draw.random(len(chosen))) * length_s / len(chosen)
    root = ET.Element("routes")
    ET.SubElement(root, "vType", dict(CAR))
    for number, k in enumerate(np.argsort(departs)):
        vehicle = ET.SubElement(
            root, "vehicle", id=str(number), type="car", depart=f"{departs[k]:.2f}"
        )
        vehicle.set("departLane", "best")
        vehicle.set("departSpeed", "max")
        ET.SubElement(vehicle, "route", edges=" ".join(paths[chosen[k]]))
    write_xml(root, path)
    driven = np.bincount(chosen, minlength=len(paths))
    return {name: int(n) for name, n in zip(paths, driven, strict=True) if n}


def _straight(streets: Streets) -> Shares:
    """Return straight paths with shares that add up to 1, arterials and tides included."""
    weights: dict[Route, float] = {}
    for entry in streets.entries:
        start = streets.edges[entry].start
        side = start.rstrip("0123456789")
        number = int(start[len(side) :])
        tide = TIDE if (side in {"left", "bottom"}) == (number % 2 == 0) else -TIDE
        weight = ARTERIAL if number % EVERY == 1 else 1.0
        weights[streets.straight(entry)] = weight * (1 + tide)
    total = sum(weights.values())
    return {path: weight / total for path, weight in weights.items()}


def _across(streets: Streets, draw: np.random.Generator, load: Mapping[Route, float]) -> Shares:
    """Return the paths between all pairs of entry and exit that lie on no one street."""
    pull = {name: draw.uniform(0.5, 1.5) for name in (*streets.entries, *streets.exits)}
    pairs = [(a, b) for a in streets.entries for b in streets.exits if _differ(streets, a, b)]
    total = sum(pull[a] * pull[b] for a, b in pairs)
    loaded: dict[str, float] = defaultdict(float)
    _add(loaded, load.items())
    shares: dict[Route, float] = defaultdict(float)
    for _ in range(DRAWS):
        cost = _costs(streets, loaded, draw)
        found = {entry: _quickest(streets, entry, cost) for entry in streets.entries}
        new = [(found[a][b], pull[a] * pull[b] / total / DRAWS) for a, b in pairs]
        for path, share in new:
            shares[path] += share
        _add(loaded, ((path, (1 - STRAIGHT) * share) for path, share in new))
    return dict(shares)


def _differ(streets: Streets, entry: str, leave: str) -> bool:
    """Say whether entry and exit are neither ends of one street nor one place."""
    a, b = streets.edges[entry].start, streets.edges[leave].end
    return a != b and streets.straight(entry)[-1] != leave


def _add(loaded: dict[str, float], paths: Iterable[tuple[Route, float]]) -> None:
    for path, share in paths:
        for edge in path:
            loaded[edge] += share


def _costs(
    streets: Streets, loaded: Mapping[str, float], draw: np.random.Generator
) -> Mapping[str, float]:
    mean = sum(loaded.values()) / len(streets.edges)
    taste: NDArray[np.float64] = draw.uniform(1 - TASTE, 1 + TASTE, len(streets.edges))
    return {
        name: factor
        * (edge.lanes[0].length_m / edge.lanes[0].speed_mps)
        * (1 + CROWDED * loaded.get(name, 0.0) / mean)
        for (name, edge), factor in zip(sorted(streets.edges.items()), taste, strict=True)
    }


def _quickest(streets: Streets, entry: str, cost: Mapping[str, float]) -> Mapping[str, Route]:
    """Return the least-cost path from an entry to every edge (Dijkstra 1959)."""
    best: dict[str, float] = {entry: 0.0}
    before: dict[str, str] = {}
    queue = [(0.0, entry)]
    lit = streets.lit
    while queue:
        so_far, edge = heapq.heappop(queue)
        if so_far > best[edge]:
            continue
        for after in streets.ways[edge]:
            turned = TURN_S[streets.turns[edge, after]] if (edge, after) in lit else 0.0
            reach = so_far + turned + cost[after]
            if reach < best.get(after, float("inf")):
                best[after], before[after] = reach, edge
                heapq.heappush(queue, (reach, after))
    return {leave: _back(before, leave) for leave in streets.exits if leave in best}


def _back(before: Mapping[str, str], leave: str) -> Route:
    found = [leave]
    while found[-1] in before:
        found.append(before[found[-1]])
    return tuple(reversed(found))
