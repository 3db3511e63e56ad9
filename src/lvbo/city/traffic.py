# SPDX-License-Identifier: Apache-2.0
"""Traffic of one simulated span of `yuci`: cars, trucks, buses, e-bikes and people on foot.

Every vehicle is written with its own route, so that SUMO's tools can read the files. Numbers per
route are drawn by systematic sampling: slot totals stay close to the demand, single arrivals are
random. E-bikes go straight or right (a left turn in two stages is a straight ride here). Shares
below 1 keep the simulation cheap and are part of the model's description.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from types import MappingProxyType
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from lvbo.city.calendar import PEAKS, SLOT_S, SWITCHES, Proof, period_at, share_at
from lvbo.city.demand import (
    SCHOOL_TIMES_S,
    SCHOOL_VPH,
    flows_at,
    school_edges,
    school_shares,
    surge_factor,
)
from lvbo.city.plainxml import first_lane, has_bay, inbound_edge, outbound_edge
from lvbo.city.routes import fit_routes
from lvbo.city.streets import ROADS, STREETS, Kind, Side, Site, Turn, along, sites

_LEAST_EDGES = 2
PEDESTRIAN_SHARE = 0.20
EBIKE_SHARE = 0.15
EBIKES_PER_END_VPH = 275
TRUCK_SHARE = 0.025
BUSES_PER_HOUR: Mapping[str, int] = MappingProxyType(
    {"AN": 30, "YH": 18, "ZD": 20, "HT": 10, "XJ": 8, "YB": 8, "JL": 6, "WH": 10}
)
BUS_STOP_SITES = ("AN", "YH", "ZD", "HT")
_MORE_WALKERS = ("WH_P", "AN_ZD", "AN_HT")
_WALKERS_PER_ZEBRA_PPH, _MANY_WALKERS_PPH = 200, 500
_LONG_S = 7200

_TYPES: tuple[Mapping[str, str], ...] = (
    {
        "id": "car", "vClass": "passenger", "length": "4.8", "minGap": "2.5", "accel": "2.0",
        "decel": "4.5", "tau": "1.25", "startupDelay": "0.5",
        "speedFactor": "normc(0.72,0.08,0.5,0.95)",
    },
    {
        "id": "truck", "vClass": "truck", "length": "9.0", "minGap": "2.5", "accel": "1.2",
        "decel": "4.0", "tau": "1.5", "startupDelay": "0.8",
        "speedFactor": "normc(0.66,0.06,0.5,0.85)",
    },
    {
        "id": "bus", "vClass": "bus", "length": "11.0", "minGap": "2.5", "accel": "1.2",
        "decel": "4.0", "tau": "1.4", "startupDelay": "0.8",
        "speedFactor": "normc(0.66,0.06,0.5,0.85)",
    },
    {
        "id": "ebike", "vClass": "bicycle", "length": "1.8", "minGap": "0.8", "accel": "1.2",
        "decel": "3.0", "tau": "1.0", "maxSpeed": "5.4", "speedFactor": "normc(0.9,0.1,0.75,1.0)",
    },
    {
        "id": "walker", "vClass": "pedestrian", "maxSpeed": "1.3",
        "speedFactor": "normc(1.0,0.1,0.8,1.3)",
    },
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _BusSpan:
    """A span in which buses run at one frequency."""

    begin_s: int
    end_s: int
    peak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One element of a route file, due at a second."""

    depart_s: float
    element: ET.Element


def route_xml(proof: Proof, *, seed: int) -> ET.Element:
    """Return the route file of one simulated span: types first, then everything by departure."""
    rng = np.random.default_rng([seed, proof.begin_s])
    items = [
        *_cars(proof, rng),
        *_school_cars(proof, rng),
        *_buses(proof, rng),
        *_ebikes(proof, rng),
        *_walkers(proof, rng),
    ]
    root = ET.Element("routes")
    for fields in _TYPES:
        ET.SubElement(root, "vType", dict(fields))
    items.sort(key=lambda item: (item.depart_s, item.element.get("id", "")))
    root.extend(item.element for item in items)
    return root


def bus_stops(area: Mapping[str, Site]) -> list[ET.Element]:
    """Return the bus stops: past the stop lines of the bus streets, in the kerb lane."""
    found = []
    for site in area.values():
        for leg in site.legs.values():
            if leg.street in BUS_STOP_SITES and site.kind is Kind.CROSSING and leg.far in area:
                edge = outbound_edge(site, leg)
                lane = f"{edge}_{first_lane(STREETS[leg.street])}"
                found.append(
                    ET.Element("busStop", id=f"stop.{edge}", lane=lane, startPos="30", endPos="55")
                )
    return found


def cut_routes(routes: ET.Element, edges: Collection[str]) -> ET.Element:
    """Return what of a route file lies on some edges: trips cut there, people only if wholly so.

    Departures stay; a stop remains where its edge does.
    """
    root = ET.Element("routes")
    for item in routes:
        way = item.find("route") if item.tag == "vehicle" else item.find("walk")
        if way is None:
            root.append(item)
            continue
        wanted = way.get("edges", "").split()
        kept = _longest_run(wanted, edges)
        if len(kept) < (len(wanted) if item.tag == "person" else _LEAST_EDGES):
            continue
        way.set("edges", " ".join(kept))
        for stop in item.findall("stop"):
            place = stop.get("lane") or stop.get("busStop", "").removeprefix("stop.") + "_"
            if place.rsplit("_", 1)[0] not in _stop_edges(kept):
                item.remove(stop)
        root.append(item)
    return root


def _longest_run(wanted: list[str], edges: Collection[str]) -> list[str]:
    """Return the longest part of a way that stays on some edges, the first of equals."""
    runs = [list(run) for inside, run in groupby(wanted, key=lambda e: e in edges) if inside]
    return max(runs, key=len, default=[])


def _stop_edges(kept: list[str]) -> set[str]:
    """Return the edges on which a cut trip still stops: neither where it enters nor leaves."""
    return set(kept[1:-1])


def _slots(proof: Proof) -> Iterator[int]:
    yield from range(proof.begin_s, proof.end_s, SLOT_S // 3)


def _cars(proof: Proof, rng: np.random.Generator) -> Iterator[_Item]:
    flows = fit_routes()
    for begin in _slots(proof):
        length = min(SLOT_S // 3, proof.end_s - begin)
        middle = begin + length / 2
        expected = flows_at(middle, flows) * surge_factor(middle, flows) * length / 3600
        for number in _systematic(expected, rng):
            kind = "truck" if rng.random() < TRUCK_SHARE else "car"
            depart = round(begin + float(rng.random()) * length, 1)
            route = flows.routes[number]
            yield _vehicle(f"{kind}.{route.origin}", kind, depart, route.edges, rng)


def _systematic(expected: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the indices drawn by systematic sampling; each appears floor or ceil of its number."""
    order = rng.permutation(len(expected))
    sums = np.cumsum(expected[order])
    points = np.arange(rng.random(), sums[-1], 1.0)
    return np.asarray(order[np.searchsorted(sums, points)], dtype=np.int64)


def _vehicle(
    name: str, kind: str, depart_s: float, edges: tuple[str, ...], rng: np.random.Generator
) -> _Item:
    tag = f"{name}.{int(rng.integers(1 << 40)):x}"
    fields = {"id": tag, "type": kind, "depart": f"{depart_s:.1f}", "departSpeed": "max"}
    fields["departLane"] = "best" if kind != "ebike" else "1"
    element = ET.Element("vehicle", fields)
    ET.SubElement(element, "route", edges=" ".join(edges))
    return _Item(depart_s=depart_s, element=element)


def _school_cars(proof: Proof, rng: np.random.Generator) -> Iterator[_Item]:
    """Yield parents' cars: they stop for half a minute in the kerb lane along the school."""
    flows = fit_routes()
    for begin, end in SCHOOL_TIMES_S:
        if not (proof.begin_s <= begin and end <= proof.end_s):
            continue
        for edge in school_edges():
            shares = school_shares(edge, flows)
            number = round(SCHOOL_VPH / 2 * (end - begin) / 3600)
            for row in rng.choice(len(shares), size=number, p=shares):
                depart = round(float(rng.uniform(begin, end)), 1)
                item = _vehicle("parent", "car", depart, flows.routes[int(row)].edges, rng)
                _stop(item.element, edge, float(rng.uniform(100, 180)), int(rng.integers(15, 35)))
                yield item


def _stop(element: ET.Element, edge: str, end_m: float, duration_s: int) -> None:
    lane = f"{edge}_{first_lane(STREETS['WH'])}"
    fields = {"lane": lane, "endPos": f"{end_m:.0f}", "duration": str(duration_s)}
    ET.SubElement(element, "stop", fields)


def _buses(proof: Proof, rng: np.random.Generator) -> Iterator[_Item]:
    stops = {stop.get("id", "") for stop in bus_stops(sites())}
    for code in BUSES_PER_HOUR:
        for backward in (False, True):
            edges = _straight(code, backward=backward)
            for span in _bus_spans(proof):
                yield from _bus_line(code, edges, span, stops, rng)


def _bus_spans(proof: Proof) -> Iterator[_BusSpan]:
    """Yield the spans of equal frequency, cut where a peak begins or ends."""
    changes = [second for second, _ in SWITCHES if proof.begin_s < second < proof.end_s]
    cuts = [proof.begin_s, *changes, proof.end_s]
    spans = [(a, b, period_at(a) in PEAKS) for a, b in pairwise(cuts)]
    for peak, run in groupby(spans, key=lambda span: span[2]):
        own = list(run)
        yield _BusSpan(begin_s=own[0][0], end_s=own[-1][1], peak=peak)


def _bus_line(
    code: str,
    edges: tuple[str, ...],
    span: _BusSpan,
    stops: Collection[str],
    rng: np.random.Generator,
) -> Iterator[_Item]:
    """Yield the buses of one line and direction in a span."""
    per_hour = BUSES_PER_HOUR[code]
    headway = 3600 / (per_hour if span.peak else per_hour * 0.67)
    start = span.begin_s + float(rng.uniform(0, headway))
    for due in np.arange(start, span.end_s, headway):
        depart = round(float(due + rng.normal(0, headway / 6)), 1)
        if not span.begin_s <= depart < span.end_s:
            continue
        item = _vehicle(f"bus.{code}", "bus", depart, edges, rng)
        item.element.set("personNumber", "35" if span.peak else "12")
        for edge in edges:
            if f"stop.{edge}" in stops:
                dwell = str(round(float(np.clip(rng.normal(20, 8), 8, 45))))
                fields = {"busStop": f"stop.{edge}", "duration": dwell}
                ET.SubElement(item.element, "stop", fields)
        yield item


def _straight(code: str, *, backward: bool) -> tuple[str, ...]:
    """Return the edges of a street from end to end, west to east or north to south, or back."""
    first, last = (Side.NORTH, Side.SOUTH) if code in ROADS else (Side.WEST, Side.EAST)
    arrive, leave = (last, first) if backward else (first, last)
    row = along(code)
    found: list[str] = []
    for site in reversed(row) if backward else row:
        leg = site.legs[arrive]
        found.append(f"{leg.far}.{site.code}")
        if has_bay(leg):
            found.append(inbound_edge(site, leg))
    final = row[0] if backward else row[-1]
    return (*found, outbound_edge(final, final.legs[leave]))


def _ebikes(proof: Proof, rng: np.random.Generator) -> Iterator[_Item]:
    flows = fit_routes()
    rows = [
        number
        for number, route in enumerate(flows.routes)
        if all(_rides(code, side, turn) for code, side, turn in route.moves)
    ]
    weights = flows.morning_vph[rows] / flows.morning_vph[rows].sum()
    ends = len({flows.routes[row].origin for row in rows})
    for begin in _slots(proof):
        share = min(share_at(begin), 1.0)
        hours = SLOT_S / 3 / 3600
        expected = EBIKE_SHARE * share * EBIKES_PER_END_VPH * ends * hours * weights
        for number in _systematic(expected, rng):
            depart = round(begin + float(rng.random()) * SLOT_S / 3, 1)
            yield _vehicle("ebike", "ebike", depart, flows.routes[rows[number]].edges, rng)


def _rides(code: str, side: Side, turn: Turn) -> bool:
    leg = sites()[code].legs[side]
    return turn is not Turn.LEFT and STREETS[leg.street].bike_m > 0 and _goes_on(code, side, turn)


def _goes_on(code: str, side: Side, turn: Turn) -> bool:
    site = sites()[code]
    ring = (Side.WEST, Side.NORTH, Side.EAST, Side.SOUTH)
    step = 2 if turn is Turn.THROUGH else 3
    leave = site.legs[ring[(ring.index(side) + step) % 4]]
    return STREETS[leave.street].bike_m > 0


def _walkers(proof: Proof, rng: np.random.Generator) -> Iterator[_Item]:
    for site in sites().values():
        for side, leg in site.legs.items():
            if leg.zebra:
                for begin, end in _walk_spans(proof):
                    yield from _zebra_walkers((begin, end), site, side, rng)


def _walk_spans(proof: Proof) -> Iterator[tuple[int, int]]:
    """Yield the spans in which as many walk all the time: one, in a long span quarter hours."""
    if proof.end_s - proof.begin_s <= _LONG_S:
        yield proof.begin_s, proof.end_s
        return
    for begin in range(proof.begin_s, proof.end_s, SLOT_S):
        yield begin, min(begin + SLOT_S, proof.end_s)


def _zebra_walkers(
    span_s: tuple[int, int], site: Site, side: Side, rng: np.random.Generator
) -> Iterator[_Item]:
    begin_s, end_s = span_s
    leg = site.legs[side]
    per_hour = _MANY_WALKERS_PPH if site.code in _MORE_WALKERS else _WALKERS_PER_ZEBRA_PPH
    share = min(share_at((begin_s + end_s) / 2), 1.0)
    hours = (end_s - begin_s) / 3600
    number = int(rng.poisson(PEDESTRIAN_SHARE * share * per_hour * hours))
    kerbs = (inbound_edge(site, leg), outbound_edge(site, leg))
    for depart in np.sort(rng.uniform(begin_s, end_s, number)):
        there = kerbs if rng.integers(2) else kerbs[::-1]
        yield _walker(site, side, there, float(depart), rng)


def _walker(
    site: Site, side: Side, there: tuple[str, str], depart_s: float, rng: np.random.Generator
) -> _Item:
    tag = f"walker.{site.code}.{side}.{int(rng.integers(1 << 40)):x}"
    fields = {"id": tag, "type": "walker", "depart": f"{depart_s:.1f}"}
    inward = there[0] == inbound_edge(site, site.legs[side])
    fields["departPos"] = "-12" if inward else "12"
    element = ET.Element("person", fields)
    arrival = "12" if inward else "-12"
    ET.SubElement(element, "walk", edges=" ".join(there), arrivalPos=arrival)
    return _Item(depart_s=depart_s, element=element)
