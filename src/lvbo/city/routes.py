# SPDX-License-Identifier: Apache-2.0
"""Routes through `yuci` and their flows, fitted to the design volumes of every movement.

A route enters at an end of the city, turns at most twice, meets no site twice, and leaves at
another end. Route flows start from turning shares and are scaled until the movements they add up
to match the table; where the table contradicts itself between two sites, the fit compromises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lvbo.city.plainxml import has_bay, inbound_edge
from lvbo.city.streets import Side, Site, Turn, ends, exit_side, sites
from lvbo.city.volumes import table_volumes

Movement = tuple[str, Side, Turn]
_MOST_TURNS = 2
_ROUNDS = 150
_STEP = 0.3
_OVER_WEIGHT = 4.0  # an overloaded stop line is worse than a light one


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way through the city: the movements made, and the SUMO edges driven."""

    origin: str
    moves: tuple[Movement, ...]
    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFlows:
    """All routes and their flows in veh/h: the AM peak hour and its evening mirror; shape (n,)."""

    routes: tuple[Route, ...]
    morning_vph: NDArray[np.float64]
    evening_vph: NDArray[np.float64]

    def movement_volumes(self, flows_vph: NDArray[np.float64]) -> dict[Movement, float]:
        """Return the flow of every movement under given route flows, veh/h."""
        found: dict[Movement, float] = {}
        for route, flow in zip(self.routes, flows_vph, strict=True):
            for move in route.moves:
                found[move] = found.get(move, 0.0) + float(flow)
        return found


@cache
def fit_routes() -> RouteFlows:
    """Return the routes of the city with flows fitted to the morning and the evening table."""
    routes = tuple(_routes())
    return RouteFlows(
        routes=routes,
        morning_vph=_fit(routes, morning=True),
        evening_vph=_fit(routes, morning=False),
    )


def _routes() -> Iterator[Route]:
    for origin in sorted(ends()):
        site, side = _entry(origin)
        yield from _walk(origin, site, side, (), 0)


def _entry(origin: str) -> tuple[Site, Side]:
    return next(
        (site, side)
        for site in sites().values()
        for side, leg in site.legs.items()
        if leg.far == origin
    )


def _walk(
    origin: str, site: Site, side: Side, moves: tuple[Movement, ...], turns: int
) -> Iterator[Route]:
    for turn in Turn:
        leave = site.legs.get(exit_side(side, turn))
        made = turns + (turn is not Turn.THROUGH)
        if leave is None or made > _MOST_TURNS:
            continue
        here = (*moves, (site.code, side, turn))
        if leave.far not in sites():
            edges = tuple(_edges(here, f"{site.code}.{leave.far}"))
            yield Route(origin=origin, moves=here, edges=edges)
        elif all(code != leave.far for code, _, _ in here):
            after = sites()[leave.far]
            arrival = next(s for s, leg in after.legs.items() if leg.far == site.code)
            yield from _walk(origin, after, arrival, here, made)


def _edges(moves: tuple[Movement, ...], last: str) -> Iterator[str]:
    for code, side, _ in moves:
        site = sites()[code]
        leg = site.legs[side]
        yield f"{leg.far}.{code}"
        if has_bay(leg):
            yield inbound_edge(site, leg)
    yield last


def _fit(routes: tuple[Route, ...], *, morning: bool) -> NDArray[np.float64]:
    table = table_volumes(morning=morning)
    keys = {key: number for number, key in enumerate(table)}
    use = np.zeros((len(routes), len(keys)))
    for row, route in enumerate(routes):
        use[row, [keys[move] for move in route.moves]] = 1.0
    target = np.array([table[key] for key in keys])
    lengths = use.sum(axis=1)
    flows = _first_flows(routes)
    for _ in range(_ROUNDS):
        ratio = np.log(target / np.maximum(use.T @ flows, 1e-6))
        ratio = np.where(ratio < 0.0, _OVER_WEIGHT * ratio, ratio)
        flows = flows * np.exp(_STEP * (use @ ratio) / np.sqrt(lengths))
    return np.asarray(np.round(flows, 4), dtype=np.float64)


def _first_flows(routes: tuple[Route, ...]) -> NDArray[np.float64]:
    share = {Turn.LEFT: 0.13, Turn.THROUGH: 0.74, Turn.RIGHT: 0.13}
    start = [float(np.prod([share[turn] for _, _, turn in route.moves])) for route in routes]
    return 1000.0 * np.array(start)
