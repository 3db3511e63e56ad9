# SPDX-License-Identifier: Apache-2.0
"""Count a simulated crossing whose green was halved, and find the demand behind it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.errors import UsageError
from lvbo.ids import LaneId
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.place import Turn
from lvbo.signal.schedule import DayPlan, Period
from lvbo.simulation.count import count_days, count_scenario
from lvbo.simulation.sumo import sumo_home
from lvbo.timing.plans import time_plans

END_S = 1800
WANTED_VPH = {"WC CE": 1000, "WC CN": 100, "EC CW": 600, "NC CS": 300, "SC CN": 300}
NODES = {"C": (0, 0), "W": (-600, 0), "E": (600, 0), "N": (0, 400), "S": (0, -400)}


def build(folder: Path, *, green_s: int) -> Path:
    """Write a crossing of a street with left lanes; its cycle is 90 s, east-west green as given."""
    nodes = ET.Element("nodes")
    for name, (x, y) in NODES.items():
        kind = "traffic_light" if name == "C" else "priority"
        ET.SubElement(nodes, "node", id=name, x=str(x), y=str(y), type=kind)
    edges = ET.Element("edges")
    for leg in "WENS":
        lanes = "3" if leg in "WE" else "1"
        ET.SubElement(
            edges, "edge", {"id": f"{leg}C", "from": leg, "to": "C"}, numLanes=lanes, speed="13.9"
        )
        out = {"W": "3", "E": "2"}.get(leg, "1")
        ET.SubElement(
            edges, "edge", {"id": f"C{leg}", "from": "C", "to": leg}, numLanes=out, speed="13.9"
        )
    links = ET.Element("connections")
    for start, end, lanes_of in CONNECTIONS:
        for a, b in lanes_of:
            ET.SubElement(
                links, "connection", {"from": start, "to": end}, fromLane=str(a), toLane=str(b)
            )
    for name, root in (("nod", nodes), ("edg", edges), ("con", links)):
        ET.ElementTree(root).write(folder / f"x.{name}.xml")
    files = [f"--{kind}-files=x.{kind[:3]}.xml" for kind in ("node", "edge")]
    program = str(sumo_home() / "bin" / "netconvert")
    options = ["--connection-files=x.con.xml", "--no-turnarounds=true", "-o", "x.net.xml"]
    subprocess.run([program, *files, *options], cwd=folder, check=True, capture_output=True)
    _write_programme(folder, green_s)
    _write_routes(folder)
    config = ET.Element("configuration")
    for key, value in {
        "net-file": "x.net.xml",
        "route-files": "x.rou.xml",
        "additional-files": "x.add.xml",
        "begin": "0",
        "end": str(END_S),
        "time-to-teleport": "-1",
    }.items():
        ET.SubElement(config, key, value=value)
    ET.ElementTree(config).write(folder / "x.sumocfg")
    return folder / "x.sumocfg"


CONNECTIONS = (
    ("WC", "CE", ((0, 0), (1, 1))),
    ("WC", "CN", ((2, 0),)),
    ("EC", "CW", ((0, 0), (1, 1), (1, 2))),
    ("EC", "CS", ((2, 0),)),
    ("NC", "CS", ((0, 0),)),
    ("SC", "CN", ((0, 0),)),
)


def _write_programme(folder: Path, green_s: int) -> None:
    """Write east-west through, then its lefts for 12 s, then north-south; 3 s yellow, 2 s red."""
    net = ET.parse(folder / "x.net.xml").getroot()
    heads = sorted(
        (int(c.attrib["linkIndex"]), c.attrib["from"], c.attrib["dir"])
        for c in net.iter("connection")
        if "linkIndex" in c.attrib
    )
    rest = 90 - green_s - 12 - 15
    stages = [(green_s, ("WC", "EC"), "s"), (12, ("WC", "EC"), "l"), (rest, ("NC", "SC"), "s")]
    root = ET.Element("additional")
    logic = ET.SubElement(root, "tlLogic", id="C", type="static", programID="1", offset="0")
    for length, starts, turn in stages:
        lit = [start in starts and way == turn for _, start, way in heads]
        for duration, colour in ((length, "G"), (3, "y"), (2, "r")):
            state = "".join(colour if on else "r" for on in lit)
            ET.SubElement(logic, "phase", duration=str(duration), state=state)
    ET.ElementTree(root).write(folder / "x.add.xml")


def _write_routes(folder: Path) -> None:
    root = ET.Element("routes")
    departures = [
        (k * 3600 / volume, edges)
        for edges, volume in WANTED_VPH.items()
        for k in range(volume * END_S // 3600)
    ]
    for number, (depart, edges) in enumerate(sorted(departures)):
        vehicle = ET.SubElement(
            root,
            "vehicle",
            id=str(number),
            depart=f"{depart:.1f}",
            departLane="best",
            departSpeed="max",
        )
        ET.SubElement(vehicle, "route", edges=edges)
    ET.ElementTree(root).write(folder / "x.rou.xml")


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return the crossing with 20 s instead of 40 s of east-west green."""
    return read_scenario(build(tmp_path_factory.mktemp("halved"), green_s=20))


@pytest.fixture(scope="module")
def counts(halved: Scenario) -> Counts:
    return count_scenario(halved, seeds=[1000, 1001], workers=1)


def mean_of(scenario: Scenario, demand: Demand, from_link: str, turn: Turn) -> float:
    """Return the mean volume of a movement, the first 5 min left out: the street fills."""
    found = next(
        m for m in scenario.network.movements if m.from_link == from_link and m.turn is turn
    )
    return float(np.nanmean(demand.volume_vph[:, 1:, demand.movement_column[found.id]]))


def test_a_halved_green_does_not_hide_the_demand(halved: Scenario, counts: Counts) -> None:
    served = estimate_demand(halved.network, counts)
    found = estimate_demand(halved.network, counts, plans=halved.plans)

    assert mean_of(halved, served, "WC", Turn.THROUGH) < 900
    assert mean_of(halved, found, "WC", Turn.THROUGH) == pytest.approx(1000, rel=0.1)
    assert mean_of(halved, found, "WC", Turn.LEFT) == pytest.approx(100, rel=0.15)
    assert mean_of(halved, found, "EC", Turn.THROUGH) == pytest.approx(600, rel=0.1)
    assert mean_of(halved, found, "NC", Turn.THROUGH) == pytest.approx(300, rel=0.1)


def test_a_turn_into_several_lanes_is_counted_once(halved: Scenario, counts: Counts) -> None:
    demand = estimate_demand(halved.network, counts)

    assert mean_of(halved, demand, "EC", Turn.THROUGH) == pytest.approx(600, rel=0.05)


def test_discharge_is_measured_where_queues_stand(halved: Scenario, counts: Counts) -> None:
    demand = estimate_demand(halved.network, counts, plans=halved.plans)
    observed = {s.lane: s.flow_vph for s in demand.saturations if s.observed}

    assert {"WC_0", "WC_1"} <= set(observed)
    assert 1500 < observed[LaneId("WC_0")] < 2200


def test_each_counting_seed_is_a_day_of_its_own(counts: Counts) -> None:
    assert counts.days == ("seed-1000", "seed-1001")
    assert counts.interval_s == 60


def test_each_day_may_have_traffic_of_its_own(
    halved: Scenario, counts: Counts, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.rou.xml"
    empty.write_text("<routes/>", encoding="utf-8")
    days = {1000: halved, 1001: replace(halved, route_files=(empty,))}
    found = count_days(days, workers=1)
    volume = dict(found.table.group_by("day").agg(pl.col("volume").sum()).iter_rows())

    assert found.table.filter(pl.col("day") == "seed-1000").equals(
        counts.table.filter(pl.col("day") == "seed-1000")
    )
    assert volume["seed-1001"] == 0


def test_seeds_that_are_judged_are_refused(halved: Scenario) -> None:
    with pytest.raises(UsageError) as caught:
        count_scenario(halved, seeds=[0, 1000])

    assert caught.value.code == "LV194"


def test_counting_twice_gives_the_same(halved: Scenario, counts: Counts) -> None:
    again = count_scenario(halved, seeds=[1000, 1001], workers=1)

    assert again == counts


def test_a_count_may_run_under_other_plans(halved: Scenario, counts: Counts) -> None:
    """Plans made for the demand serve the street that 20 s of green do not."""
    demand = estimate_demand(halved.network, counts, plans=halved.plans)
    days = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
    plans = time_plans(halved.network, demand, days)
    found = estimate_demand(halved.network, count_days({1000: halved}, plans=plans, workers=1))

    assert mean_of(halved, estimate_demand(halved.network, counts), "WC", Turn.THROUGH) < 900
    assert mean_of(halved, found, "WC", Turn.THROUGH) == pytest.approx(1000, rel=0.05)
