# SPDX-License-Identifier: Apache-2.0
"""Routes on which signals go before others: their stops, where the vehicles are, who comes first.

The desk is what all sites of an area share: it knows the routes, takes in position reports, aborts,
and keeps for every stop what happened there. Times are seconds of the area clock, distances metres
from the start of the route.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lvbo.errors import InputError
from lvbo.ids import ControllerId, LinkId, PhaseId
from lvbo.io.routes_toml import RouteSheet
from lvbo.network.network import Network
from lvbo.network.place import Movement
from lvbo.signal.lamp import Right

PACE = 0.8
"""The speed on a route where none is stated, as a share of the limit."""
BEYOND_M = 8.0
"""A vehicle has passed when it is so far beyond the stop line."""
PATIENCE_S = 120
"""A green that was held for so long after the vehicle was due is given up."""
SILENT_S, AFTER_S = 10, 30
"""Without a report for the first, the second after its time a vehicle is taken to have passed."""
AGAIN_M = 50.0
"""A stop that was given up is taken up again once the vehicle has moved on by so much."""
PACE_MEMORY_S, SLOWEST, FASTEST = 20.0, 0.7, 1.3
"""The pace follows the reports with this memory, within these shares of the one planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStop:
    """A signal on a route: any of these phases lets it pass the stop line at `metres`."""

    controller: ControllerId
    phases: tuple[PhaseId, ...]
    metres: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route: rank 1 goes before rank 2; it is at metre 0 at `start_s` and drives at `pace_mps`.

    `links` are those it drives along.
    """

    name: str
    rank: int
    start_s: int
    pace_mps: float
    links: tuple[LinkId, ...]
    stops: tuple[RouteStop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A report: where the first and the last vehicle of a route are at a time."""

    time_s: int
    head_m: float
    tail_m: float


class End(StrEnum):
    """How a stop ended: passed, given up, nobody reported, aborted, left to its plan, not yet."""

    PASSED = "passed"
    GIVEN_UP = "given_up"
    SILENT = "silent"
    ABORTED = "aborted"
    PLANS_ONLY = "plans_only"
    OPEN = "open"


@dataclass(slots=True, kw_only=True)
class StopLog:
    """What happened at one stop of a route; None where it did not happen.

    `asked_s` is when the site was first led away from what its controller wished, `green_s` when
    the stage first stood, `passed_s` when the last vehicle was over, `released_s` when the site
    was given back, `recovered_s` and `queues_s` how long after that it did what its controller
    wished again, and no more vehicles stood there than in the two minutes before.
    """

    route: str
    number: int
    controller: ControllerId
    asked_s: int | None = None
    green_s: int | None = None
    passed_s: int | None = None
    released_s: int | None = None
    recovered_s: int | None = None
    queues_s: int | None = None
    end: End = End.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a route wants of one site: green for any of these phases when it comes.

    `position_m` is where the vehicle was last reported, None before the first report.
    """

    route: str
    number: int
    rank: int
    phases: tuple[PhaseId, ...]
    eta_s: float
    position_m: float | None

    @property
    def key(self) -> tuple[str, int]:
        """Return which stop of which route this is."""
        return self.route, self.number


class Desk:
    """Keep the routes of an area, where their vehicles are, and what happened at every stop."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._last: dict[str, Position] = {}
        self._pace = {route.name: route.pace_mps for route in self.routes}
        self._closed: dict[tuple[str, int], float] = {}
        self._aborted: set[str] = set()
        self.logs = {
            (route.name, k): StopLog(route=route.name, number=k, controller=stop.controller)
            for route in self.routes
            for k, stop in enumerate(route.stops)
        }

    @property
    def controllers(self) -> frozenset[ControllerId]:
        """Return the sites that a route passes."""
        return frozenset(stop.controller for route in self.routes for stop in route.stops)

    def report(self, name: str, position: Position) -> None:
        """Take in where the vehicles of a route are."""
        last = self._last.get(name)
        route = next(r for r in self.routes if r.name == name)
        if last is not None and position.time_s > last.time_s:
            gap_s = position.time_s - last.time_s
            speed = (position.head_m - last.head_m) / gap_s
            part = min(1.0, gap_s / PACE_MEMORY_S)
            pace = self._pace[name] + part * (speed - self._pace[name])
            least, most = SLOWEST * route.pace_mps, FASTEST * route.pace_mps
            self._pace[name] = min(max(pace, least), most)
        self._last[name] = position
        for k, stop in enumerate(route.stops):
            log = self.logs[name, k]
            if log.passed_s is None and position.tail_m > stop.metres + BEYOND_M:
                log.passed_s = position.time_s
                if log.end not in (End.ABORTED, End.PLANS_ONLY):
                    log.end = End.PASSED

    def abort(self, name: str) -> None:
        """Drop a route; its sites return to their controllers by the legal path."""
        self._aborted.add(name)
        for (route, _), log in self.logs.items():
            if route == name and log.end is End.OPEN:
                log.end = End.ABORTED

    def close(self, claim: Claim, end: End) -> None:
        """Give up a stop, until its vehicle is seen to move on."""
        self._closed[claim.key] = -AGAIN_M if claim.position_m is None else claim.position_m
        self.logs[claim.key].end = end

    def leave(self, controller: ControllerId) -> None:
        """Leave the stops at a site to its plans: nobody can be led there."""
        for log in self.logs.values():
            if log.controller == controller:
                log.end = End.PLANS_ONLY

    def claims(self, controller: ControllerId, time_s: int) -> list[Claim]:
        """Return what is still wanted of a site, by rank, then by time."""
        found = []
        for route in self.routes:
            for k, stop in enumerate(route.stops):
                if stop.controller == controller and self._is_wanted(route, k):
                    claim = self._claim(route, k)
                    if self._is_lost(claim, time_s):
                        self.close(claim, End.SILENT)
                        continue
                    found.append(claim)
        return sorted(found, key=lambda c: (c.rank, c.eta_s, c.route))

    def _claim(self, route: Route, number: int) -> Claim:
        stop, last = route.stops[number], self._last.get(route.name)
        eta_s = route.start_s + stop.metres / route.pace_mps
        if last is not None:
            left_m = max(stop.metres - last.head_m, 0.0)
            eta_s = last.time_s + left_m / self._pace[route.name]
        return Claim(
            route=route.name,
            number=number,
            rank=route.rank,
            phases=stop.phases,
            eta_s=eta_s,
            position_m=None if last is None else last.head_m,
        )

    def _is_wanted(self, route: Route, number: int) -> bool:
        log = self.logs[route.name, number]
        if route.name in self._aborted or log.passed_s is not None or log.end is End.PLANS_ONLY:
            return False
        closed = self._closed.get((route.name, number))
        if closed is None:
            return True
        last = self._last.get(route.name)
        return last is not None and last.head_m >= closed + AGAIN_M

    def _is_lost(self, claim: Claim, time_s: int) -> bool:
        """Say whether nothing is heard of a vehicle that should have passed by now."""
        last = self._last.get(claim.route)
        silent = last is None or time_s - last.time_s > SILENT_S
        return silent and time_s > claim.eta_s + AFTER_S


def lay_route(sheet: RouteSheet, network: Network) -> Route:
    """Return the route that a sheet describes, gaps between its links filled by the shortest way.

    Raises:
        InputError: LV792 for a link that the network does not have, LV793 where no way leads on.

    """
    unknown = [link for link in sheet.links if link not in network.link_index]
    if unknown:
        near = ", ".join(sorted(network.link_index)[:5])
        raise InputError("LV792", place=sheet.name, link=unknown[0], known=near)
    moves: list[Movement] = []
    for here, there in zip(sheet.links[:-1], sheet.links[1:], strict=True):
        way = _way(network, here, there)
        if way is None:
            raise InputError("LV793", place=sheet.name, start=here, end=there)
        moves += way
    links = (sheet.links[0], *(move.to_link for move in moves))
    length_m = sum(network.link_index[link].length_m for link in links)
    time_s = sum(network.link_index[x].length_m / network.link_index[x].speed_mps for x in links)
    return Route(
        name=sheet.name,
        rank=sheet.rank,
        start_s=sheet.start_s,
        pace_mps=sheet.speed_mps or PACE * length_m / time_s,
        links=links,
        stops=_stops(network, moves),
    )


def _stops(network: Network, moves: Iterable[Movement]) -> tuple[RouteStop, ...]:
    found, metres = [], 0.0
    for move in moves:
        metres += network.link_index[move.from_link].length_m
        for name in move.controllers:
            phases = _phases(network, name, move)
            if phases:
                found.append(RouteStop(controller=name, phases=phases, metres=metres))
        metres += move.length_m
    return tuple(found)


def _phases(network: Network, controller: ControllerId, move: Movement) -> tuple[PhaseId, ...]:
    """Return the phases that let a movement go without yielding, or all that serve it."""
    rules = network.controller_index[controller].rules
    own = [s for s in rules.services if s.movement == move.id]
    sure = [s for s in own if s.right is Right.PROTECTED]
    return tuple(sorted({s.phase for s in (sure or own)}))


def _way(network: Network, start: LinkId, end: LinkId) -> list[Movement] | None:
    """Return the movements of the shortest way from the end of a link onto another."""
    heap: list[tuple[float, LinkId]] = [(0.0, start)]
    came: dict[LinkId, Movement] = {}
    done: set[LinkId] = set()
    best = {start: 0.0}
    while heap:
        cost, link = heapq.heappop(heap)
        if link in done:
            continue
        done.add(link)
        for move in network.movements_from.get(link, ()):
            onward = cost + move.length_m + network.link_index[move.to_link].length_m
            if move.to_link not in done and onward < best.get(move.to_link, float("inf")):
                best[move.to_link], came[move.to_link] = onward, move
                heapq.heappush(heap, (onward, move.to_link))
    if end not in came:
        return None
    way = [came[end]]
    while way[0].from_link != start:
        way.insert(0, came[way[0].from_link])
    return way
