# SPDX-License-Identifier: Apache-2.0
"""A lane closed for a while: a vehicle that has broken down stands on it before a stop line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl

from lvbo.detection.counts import Counts
from lvbo.errors import UsageError
from lvbo.ids import LaneId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import write_xml
from lvbo.network.network import Network

NAME = "lvbo.closed"
TO_STOP_M, LEAST_M = 60.0, 120.0
"""So far from the stop line it stands, on lanes that are at least so long: who must use the lane
passes it on the next one and comes back."""
LASTS_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A lane that nobody can pass from `begin_s` to `end_s`."""

    lane: LaneId
    begin_s: int
    end_s: int


def busiest_closure(scenario: Scenario, counts: Counts) -> Closure:
    """Return the closure of the lane with most vehicles that has another beside it.

    It lasts a quarter of an hour from the first third of the scenario on.

    Raises:
        UsageError: LV639 where no lane has another beside it.

    """
    volumes = _volumes(counts)
    found = sorted(
        passable_lanes(scenario.network), key=lambda lane: (-volumes.get(lane, 0.0), lane)
    )
    if not found:
        raise UsageError("LV639", place=scenario.name)
    begin_s = scenario.begin_s + (scenario.end_s - scenario.begin_s) // 3
    return Closure(lane=found[0], begin_s=begin_s, end_s=begin_s + LASTS_S)


def passable_lanes(network: Network) -> Iterator[LaneId]:
    """Yield lanes at signals that have another one beside them, far enough back to pass and return.

    Lanes of cars only count, as long as the link has two of them.
    """
    at_signals = {m.from_link for m in network.movements if m.controllers}
    for link in network.links:
        long = [lane.id for lane in link.car_lanes if lane.length_m >= LEAST_M]
        if link.id in at_signals and len(long) > 1:
            yield from long


def _volumes(counts: Counts) -> dict[LaneId, float]:
    """Return the vehicles counted by lane."""
    by_detector = dict(counts.usable.group_by("target").agg(pl.col("volume").sum()).iter_rows())
    found: dict[LaneId, float] = {}
    for detector in counts.detectors:
        for lane in detector.lanes:
            found[lane] = found.get(lane, 0.0) + by_detector.get(detector.id, 0.0)
    return found


def with_closure(scenario: Scenario, closure: Closure, folder: Path) -> Scenario:
    """Return the scenario with the vehicle that closes the lane; its file goes to a folder.

    Raises:
        UsageError: LV123 where the network was not read from SUMO.

    """
    binding = scenario.network.sumo
    if binding is None:
        raise UsageError("LV123", place=closure.lane)
    own = binding.lane_index
    name = next(h.from_lane for h in binding.heads if closure.lane in own.get(h.from_lane, ()))
    edge, _, index = name.rpartition("_")
    root = ET.Element("routes")
    ET.SubElement(root, "vType", id=NAME, vClass="passenger", length="5.0")
    vehicle = ET.SubElement(
        root, "vehicle", id=NAME, type=NAME, depart=str(closure.begin_s), departLane=index,
        departPos="stop", departSpeed="0",
    )  # fmt: skip
    ET.SubElement(vehicle, "route", edges=edge)
    ET.SubElement(
        vehicle, "stop", lane=name, endPos=str(-TO_STOP_M), friendlyPos="true",
        until=str(closure.end_s),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "closed.rou.xml"
    write_xml(root, file)
    return replace(scenario, route_files=(*scenario.route_files, file))
