# SPDX-License-Identifier: Apache-2.0
"""Vehicles that drive the routes of officers in the simulation, and what they report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from xml.etree import ElementTree as ET

import polars as pl

from lvbo.control.officer import OfficerController
from lvbo.control.protocols import Controller
from lvbo.control.routes import Desk, Position, Route, lay_route
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.errors import UsageError
from lvbo.ids import LinkId
from lvbo.io.routes_toml import RouteSheet
from lvbo.network.network import Network
from lvbo.simulation.output import EdgeFact
from lvbo.simulation.runs import STOPS

PREFIX = "lvbo.route."
TYPE = "lvbo.route"
HEADWAY_S = 3
"""The vehicles of a route depart so far apart."""
ARRIVED_M = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Escort:
    """A route with the vehicles that drive it; `abort_s` is when the officer drops it, if ever."""

    route: Route
    vehicles: int = 1
    abort_s: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the vehicles in the simulation, the first one first."""
        return tuple(f"{PREFIX}{self.route.name}.{k}" for k in range(self.vehicles))


def escorts_of(sheets: Iterable[RouteSheet], network: Network) -> tuple[Escort, ...]:
    """Return the routes of a file on a network, with their vehicles.

    Raises:
        InputError: LV792 for an unknown link, LV793 where no way leads from one to the next.

    """
    return tuple(
        Escort(route=lay_route(s, network), vehicles=s.vehicles, abort_s=s.abort_s) for s in sheets
    )


def demand_of(escorts: Iterable[Escort], network: Network, edges: Iterable[EdgeFact]) -> ET.Element:
    """Return the vehicles of all routes as SUMO reads them, in the order of their departures.

    Raises:
        UsageError: LV123 where the network was not read from SUMO.

    """
    if network.sumo is None:
        raise UsageError("LV123", place=TYPE)
    ends = {edge.edge: (edge.from_node, edge.to_node) for edge in edges}
    chains: dict[LinkId, list[str]] = {}
    for edge, link in network.sumo.edges:
        chains.setdefault(link, []).append(edge)
    root = ET.Element("routes")
    trips = []
    for escort in escorts:
        route = escort.route
        kind = f"{TYPE}.{route.name}"
        pace = f"{route.pace_mps:.2f}"
        ET.SubElement(
            root, "vType", id=kind, vClass="passenger", maxSpeed=pace,
            speedFactor="1.3", speedDev="0", sigma="0", minGap="2.0",
        )  # fmt: skip
        way = [edge for link in route.links for edge in _in_order(chains[link], ends)]
        for k, name in enumerate(escort.names):
            trips.append((route.start_s + HEADWAY_S * k, name, kind, " ".join(way)))
    for depart_s, name, kind, way_ in sorted(trips):
        vehicle = ET.SubElement(
            root, "vehicle", id=name, type=kind, depart=str(depart_s),
            departLane="best", departSpeed="max", departPos="base",
        )  # fmt: skip
        ET.SubElement(vehicle, "route", edges=way_)
    return root


def _in_order(chain: list[str], ends: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the edges of a link as they are driven."""
    starts = {ends[edge][0]: edge for edge in chain}
    inner = {ends[edge][1] for edge in chain}
    at = next((node for node in starts if node not in inner), None)
    ordered: list[str] = []
    while at in starts and len(ordered) < len(chain):
        ordered.append(starts[at])
        at = ends[starts[at]][1]
    return ordered


class Escorting:
    """Go before the controllers of a run where routes pass, and tell the desk where they are.

    Without `priority` the vehicles drive, and nobody makes way for them: what a route costs and
    gains is the difference of the two.
    """

    def __init__(
        self, escorts: tuple[Escort, ...], network: Network, *, priority: bool = True
    ) -> None:
        self._escorts = escorts if network.sumo is not None else ()
        self._priority = priority
        self.desk = Desk(escort.route for escort in self._escorts)
        self._links = {} if network.sumo is None else dict(network.sumo.edges)
        self._begin_m = {e.route.name: _begins(e.route, network) for e in self._escorts}
        self._length_m = {link.id: link.length_m for link in network.links}
        self._gone: set[str] = set()
        self._started: set[str] = set()

    def before(
        self, controller: Controller, site: Site, table: StageTable, *, bound: bool
    ) -> Controller:
        """Return the controller of a site behind an officer, where a route passes it.

        A site that is `bound` to its plans, for its countdown shows whole greens, is left to them.
        """
        if not self._priority or site.id not in self.desk.controllers:
            return controller
        if bound:
            self.desk.leave(site.id)
            return controller
        return OfficerController(controller, site, table, self.desk)

    def step(self, sumo: ModuleType, now_s: int) -> None:
        """Report where the vehicles of all routes are, and abort those whose time has come."""
        present = set(sumo.vehicle.getIDList())
        for escort in self._escorts:
            names = escort.names
            self._started |= present & set(names)
            self._gone |= (self._started - present) & set(names)
            if escort.abort_s is not None and now_s >= escort.abort_s:
                self.desk.abort(escort.route.name)
            if any(name in self._started for name in names):
                at = [self._metres(sumo, escort, name) for name in names]
                position = Position(time_s=now_s, head_m=max(at), tail_m=min(at))
                self.desk.report(escort.route.name, position)

    def _metres(self, sumo: ModuleType, escort: Escort, vehicle: str) -> float:
        """Return how far a vehicle is on its route; beyond its end when it has arrived."""
        if vehicle in self._gone:
            return ARRIVED_M
        if vehicle not in self._started:
            return 0.0
        driven = float(sumo.vehicle.getDistance(vehicle))
        link = self._links.get(sumo.vehicle.getRoadID(vehicle))
        begins = self._begin_m[escort.route.name]
        if link is None or link not in begins:
            return driven
        return min(max(driven, begins[link]), begins[link] + self._length_m[link])

    def frame(self) -> pl.DataFrame:
        """Return what happened at every stop of every route, with the columns of `STOPS`."""
        rows = [
            (
                log.route, log.number, str(log.controller), log.asked_s, log.green_s, log.passed_s,
                log.released_s, log.recovered_s, log.queues_s, str(log.end),
            )
            for log in self.desk.logs.values()
        ]  # fmt: skip
        return pl.DataFrame(rows, schema=STOPS, orient="row")


def _begins(route: Route, network: Network) -> dict[LinkId, float]:
    """Return where each link of a route begins, metres from its start."""
    found: dict[LinkId, float] = {}
    metres = 0.0
    for k, link in enumerate(route.links):
        found[link] = metres
        metres += network.link_index[link].length_m
        if k + 1 < len(route.links):
            onward = route.links[k + 1]
            metres += next(m.length_m for m in network.movements_from[link] if m.to_link == onward)
    return found
