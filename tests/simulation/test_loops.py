# SPDX-License-Identifier: Apache-2.0
"""Loops lie where vehicles stand, also where the last stretch before a stop line is short."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

from lvbo.control.site import read_site
from lvbo.io.scenario import Scenario
from lvbo.simulation.loops import detectors, loops_of, place_at, read_ways, stop_lanes
from lvbo.simulation.sensing import STOP_LOOP_M, parse_sensing

NET = """<net version="1.20">
    <edge id=":j_0" function="internal">
        <lane id=":j_0_0" index="0" speed="10" length="0.50"/>
    </edge>
    <edge id="road" from="a" to="j"><lane id="road_0" index="0" speed="14" length="80.00"/></edge>
    <edge id="stub" from="j" to="x">
        <lane id="stub_0" index="0" speed="14" length="0.20"/>
        <lane id="stub_1" index="1" speed="14" length="0.20"/>
    </edge>
    <edge id="other" from="b" to="j"><lane id="other_0" index="0" speed="14" length="60.00"/></edge>
    <edge id="third" from="c" to="j"><lane id="third_0" index="0" speed="14" length="60.00"/></edge>
    <edge id="exit" from="x" to="y"><lane id="exit_0" index="0" speed="14" length="2.00"/></edge>
    <connection from="road" to="stub" fromLane="0" toLane="0" via=":j_0_0" dir="s" state="M"/>
    <connection from="other" to="stub" fromLane="0" toLane="1" dir="s" state="m"/>
    <connection from="third" to="stub" fromLane="0" toLane="1" dir="r" state="m"/>
    <connection from="stub" to="exit" fromLane="0" toLane="0" tl="x" linkIndex="0" state="O"/>
</net>
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "stub.net.xml"
    path.write_text(NET, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lane", "distance_m", "place"),
    [
        ("road_0", 3.0, ("road_0", 3.0, 3.0)),
        ("stub_0", 0.15, ("stub_0", 0.15, 0.15)),
        ("stub_0", 3.0, ("road_0", 2.3, 3.0)),
        ("stub_0", 42.0, ("road_0", 41.3, 42.0)),
        ("stub_0", 0.5, ("road_0", 0.1, 0.8)),  # not within the junction
        ("stub_0", 100.0, ("road_0", 80.0, 80.7)),  # no further than there is a lane
        ("stub_1", 3.0, ("stub_1", 0.2, 0.2)),  # two lanes lead to it
        ("exit_0", 3.0, ("exit_0", 2.0, 2.0)),  # a signal is between
    ],
)
def test_a_loop_lies_along_the_lane(
    net: Path, lane: str, distance_m: float, place: tuple[str, float, float]
) -> None:
    name, back_m, from_line_m = place_at(read_ways(net), lane, distance_m)

    assert name == place[0]
    assert (back_m, from_line_m) == pytest.approx(place[1:])


def test_lanes_in_a_ring_end_the_search(tmp_path: Path) -> None:
    path = tmp_path / "ring.net.xml"
    lanes = "".join(
        f'<edge id="{name}"><lane id="{name}_0" index="0" speed="9" length="5.00"/></edge>'
        f'<connection from="{name}" to="{other}" fromLane="0" toLane="0" state="M"/>'
        for name, other in (("a", "b"), ("b", "a"))
    )
    path.write_text(f"<net>{lanes}</net>", encoding="utf-8")

    assert place_at(read_ways(path), "a_0", 50.0) == ("b_0", 5.0, 10.0)


def test_loops_are_found_again_by_their_names(tiny: Scenario) -> None:
    sites = [read_site(tiny.network, c) for c in tiny.network.controllers]
    sensing, binding = parse_sensing("loops"), tiny.network.sumo
    made = detectors(tiny.network, sites, sensing, tiny.net_file)
    assert made is not None
    assert binding is not None
    names = [loop.attrib["id"] for loop in made]
    running = SimpleNamespace(inductionloop=SimpleNamespace(getIDList=lambda: [*names, "other"]))

    for site in sites:
        stops = stop_lanes(site, binding)
        found = loops_of(cast("ModuleType", running), stops, sensing)

        assert [lane for _, lane, _ in found] == [lane for _, lane in stops for _ in range(2)]
        assert {far for _, _, far in found[::2]} == {STOP_LOOP_M}
        assert all(far > STOP_LOOP_M for _, _, far in found[1::2])
        assert loops_of(cast("ModuleType", running), stops, parse_sensing("area")) == ()
