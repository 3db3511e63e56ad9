# SPDX-License-Identifier: Apache-2.0
"""A simulation for who has counts and a network but no traffic: routes fitted to the counts."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.errors import InputError, UsageError
from lvbo.ids import LinkId, MovementId
from lvbo.io.route_fit import Path as LinkPath
from lvbo.io.route_fit import RouteFit, fit_routes
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_net import read_network_and_plans
from lvbo.io.sumo_plans import write_xml
from lvbo.io.sumo_xml import RawNet, read_raw_net
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.schedule import Period, PlanSet

WARM_UP_S = 900
RUN_OUT_S = 900
LONGEST_S = 3600
BRISK_S, CALM_S = 1.950, 2.194
"""Saturation headways at 50 km/h: SUMO's default driver 1,846 veh/h, and one of a mid-size Chinese
city (tau 1.25 s, start-up 0.5 s, acceleration 2.0) 1,641 veh/h, as measured over 8 seeds."""
CALMEST = 1.5
ROUTES, FIT = "built.rou.xml", "built.fit.csv"
DEEPEST = 8
ENOUGH = 3
TURNING = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """How a scenario is built: day type, seed of departures, hours of traffic, plans, drivers.

    `length_s` None takes the period, at most an hour. `plans` None takes those of the net file,
    `calm` None drivers by the discharge that was measured (`calmness`).
    """

    day_type: str = "workday"
    seed: int = 0
    length_s: int | None = None
    through_share: float = 0.35
    plans: PlanSet | None = None
    calm: float | None = None


def build_scenario(
    network: Network,
    demand: Demand,
    period: Period,
    *,
    net_file: str | Path,
    folder: str | Path,
    building: Building | None = None,
) -> Scenario:
    """Return a scenario whose traffic fits the demand of a period; writes its files into `folder`.

    `built.rou.xml` holds the vehicles, `built.fit.csv` wanted and fitted volume and GEH of every
    movement. The first 15 min warm up, 15 min run out.

    Raises:
        UsageError: LV548 for a network that was not read from SUMO.
        InputError: LV545 where no path fits, LV549 where the period was not observed.

    """
    how = building or Building()
    if network.sumo is None:
        raise UsageError("LV548")
    into, net = Path(folder), Path(net_file)
    fit = fit_routes(network, _volumes(demand, period, how), through_share=how.through_share)
    raw = read_raw_net(net)
    chains, following = _chains(network, raw), _following(raw)
    routes = {path: _edges_of(chains, following, path) for path in fit.paths}
    length_s = how.length_s or min(period.length_s, LONGEST_S)
    plans = how.plans or read_network_and_plans(net)[1]
    into.mkdir(parents=True, exist_ok=True)
    begin_s, end_s = period.start_s, period.start_s + WARM_UP_S + length_s
    car = driver(calmness(demand, network) if how.calm is None else how.calm)
    _write_routes(into / ROUTES, fit, routes, (begin_s, end_s), (car, how.seed))
    _write_fit(into / FIT, fit)
    return Scenario(
        name=f"{net.name.split('.')[0]}-{period.name}",
        folder=into,
        net_file=net,
        route_files=(into / ROUTES,),
        additional_files=(),
        begin_s=begin_s,
        end_s=end_s,
        network=network,
        plans=plans,
        warm_up_s=WARM_UP_S,
        run_out_s=RUN_OUT_S,
    )


def _volumes(demand: Demand, period: Period, how: Building) -> dict[MovementId, float]:
    """Return mean volumes of a period in veh/h, NaN where not known."""
    if how.day_type not in demand.kinds:
        raise InputError("LV549", place=how.day_type, period=period.name)
    typical = demand.typical(how.day_type)
    rows = [k for k, start in enumerate(demand.slot_starts_s()) if period.holds(start)]
    if not rows or np.isnan(typical[rows]).all():
        raise InputError("LV549", place=how.day_type, period=period.name)
    seen = ~np.isnan(typical[rows])
    total = np.nan_to_num(typical[rows]).sum(axis=0)
    mean = np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan)
    return dict(zip(demand.movements, mean.tolist(), strict=True))


def calmness(demand: Demand, network: Network) -> float:
    """Return how calm drivers are whose lanes discharge as was measured: 0 brisk, 1 calm.

    Through lanes tell it as they are. Where fewer than three were measured it is the best lane,
    a turning one taken for 10 % slower than its drivers; where none was, the local default.
    """
    serving = network.lane_movements
    measured = [s for s in demand.saturations if s.observed]
    straight = [
        s.flow_vph for s in measured if {m.turn for m in serving.get(s.lane, ())} == {Turn.THROUGH}
    ]
    every = [*straight, *(TURNING * s.flow_vph for s in measured)]
    flow = float(np.median(straight)) if len(straight) >= ENOUGH else max(every, default=0.0)
    return calmer(0.0, 3600 / flow - BRISK_S if flow > 0 else CALM_S - BRISK_S)


def calmer(calm: float, by_s: float) -> float:
    """Return how calm drivers are whose headways are longer by some seconds, within bounds."""
    return float(np.clip(calm + by_s / (CALM_S - BRISK_S), 0.0, CALMEST))


def driver(calm: float) -> dict[str, str]:
    """Return a vehicle type between SUMO's default driver at 0 and one of a mid-size city at 1."""
    return {
        "id": "car",
        "vClass": "passenger",
        "accel": f"{2.6 - 0.6 * calm:.3f}",
        "tau": f"{1 + 0.25 * calm:.3f}",
        "startupDelay": f"{0.5 * calm:.3f}",
        "speedFactor": f"normc({1 - 0.1 * calm:.3f},0.1,0.7,1.2)",
    }


def _edges_of(
    chains: Mapping[LinkId, list[str]], following: Mapping[str, set[str]], path: LinkPath
) -> list[str] | None:
    """Return the SUMO edges of a path of links, None where SUMO has no way between them."""
    edges = list(chains.get(path[0], ()))
    for link in path[1:]:
        chain = chains.get(link, ())
        if not edges or not chain:
            return None
        between = _between(following, edges[-1], chain[0])
        if between is None:
            return None
        edges += [*between, *chain]
    return edges


def _chains(network: Network, raw: RawNet) -> Mapping[LinkId, list[str]]:
    """Return the edges of each link in driving order."""
    members: dict[LinkId, list[str]] = {}
    for edge, link in network.sumo.edges if network.sumo else ():
        if edge in raw.edges:
            members.setdefault(link, []).append(edge)
    return {link: _in_order(raw, edges) for link, edges in members.items()}


def _in_order(raw: RawNet, edges: list[str]) -> list[str]:
    by_start = {raw.edges[edge].start: edge for edge in edges}
    inner = {raw.edges[edge].end for edge in edges}
    first = next((edge for edge in edges if raw.edges[edge].start not in inner), edges[0])
    ordered = [first]
    while len(ordered) < len(edges):
        following = by_start.get(raw.edges[ordered[-1]].end)
        if following is None or following in ordered:
            break
        ordered.append(following)
    return ordered


def _following(raw: RawNet) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for connection in raw.connections:
        found.setdefault(connection.start, set()).add(connection.end)
    return found


def _between(following: Mapping[str, set[str]], start: str, end: str) -> list[str] | None:
    """Return the edges inside an intersection between two edges, fewest first."""
    queue: deque[list[str]] = deque([[start]])
    seen = {start}
    while queue:
        way = queue.popleft()
        for edge in sorted(following.get(way[-1], ())):
            if edge == end:
                return way[1:]
            if edge not in seen and len(way) < DEEPEST:
                seen.add(edge)
                queue.append([*way, edge])
    return None


def _write_routes(
    path: Path,
    fit: RouteFit,
    routes: Mapping[LinkPath, list[str] | None],
    span_s: tuple[int, int],
    drawn: tuple[Mapping[str, str], int],
) -> None:
    """Write vehicles: each path's number rounded by chance, departures spread by chance."""
    car, seed = drawn
    draw = np.random.default_rng(seed)
    hours = (span_s[1] - span_s[0]) / 3600
    departures: list[tuple[float, str]] = []
    for links, flow in zip(fit.paths, fit.flow_vph, strict=True):
        edges = routes[links]
        if edges is None:
            continue
        number = int(flow * hours + draw.random())
        words = " ".join(edges)
        departures += [(float(t), words) for t in draw.uniform(*span_s, number)]
    root = ET.Element("routes")
    ET.SubElement(root, "vType", dict(car))
    for number, (depart, words) in enumerate(sorted(departures)):
        vehicle = ET.SubElement(root, "vehicle", id=str(number), type="car", depart=f"{depart:.2f}")
        vehicle.set("departLane", "best")
        vehicle.set("departSpeed", "max")
        ET.SubElement(vehicle, "route", edges=words)
    write_xml(root, path)


def _write_fit(path: Path, fit: RouteFit) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["movement", "wanted_vph", "fitted_vph", "geh"])
        rows = zip(fit.movements, fit.wanted_vph, fit.fitted_vph, fit.geh, strict=True)
        out.writerows([m, f"{w:.1f}", f"{f:.1f}", f"{g:.2f}"] for m, w, f, g in rows)
