# SPDX-License-Identifier: Apache-2.0
"""Loops lie where vehicles stand, also where the last stretch before a stop line is short."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

from lvbo.control.site import read_site
from lvbo.io.scenario import Scenario
from lvbo.simulation.loops import (
    LaneWays,
    detectors,
    from_line_m,
    loop_places,
    loops_of,
    places_at,
    read_ways,
    stop_lanes,
)
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
    <edge id="fork" from="d" to="k"><lane id="fork_0" index="0" speed="14" length="90.00"/></edge>
    <edge id="fan" from="k" to="z">
        <lane id="fan_0" index="0" speed="14" length="5.00"/>
        <lane id="fan_1" index="1" speed="14" length="5.00"/>
    </edge>
    <edge id="gate" from="d" to="h"><lane id="gate_0" index="0" speed="14" length="90.00"/></edge>
    <edge id="bay" from="h" to="z">
        <lane id="bay_0" index="0" speed="14" length="30.00"/>
        <lane id="bay_1" index="1" speed="14" length="30.00"/>
    </edge>
    <connection from="fork" to="fan" fromLane="0" toLane="0" dir="s" state="M"/>
    <connection from="fork" to="fan" fromLane="0" toLane="1" dir="s" state="M"/>
    <connection from="gate" to="bay" fromLane="0" toLane="0" dir="s" state="M"/>
    <connection from="gate" to="bay" fromLane="0" toLane="1" dir="s" state="M"/>
    <connection from="road" to="stub" fromLane="0" toLane="0" via=":j_0_0" dir="s" state="M"/>
    <connection from=":j_0" to="stub" fromLane="0" toLane="0" dir="s" state="M"/>
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
    ("lane", "distance_m", "places"),
    [
        ("road_0", 3.0, [("road_0", 3.0, 3.0, 1.0)]),
        ("stub_0", 0.15, [("stub_0", 0.15, 0.15, 1.0)]),
        ("stub_0", 0.5, [(":j_0_0", 0.3, 0.5, 1.0)]),  # within the junction
        ("stub_0", 3.0, [("road_0", 2.3, 3.0, 1.0)]),
        ("stub_0", 42.0, [("road_0", 41.3, 42.0, 1.0)]),
        ("stub_0", 100.0, [("road_0", 79.0, 79.7, 1.0)]),  # no further than there is a lane
        ("stub_1", 3.0, [("third_0", 2.8, 3.0, 1.0), ("other_0", 2.8, 3.0, 1.0)]),
        ("fan_0", 42.0, [("fork_0", 37.0, 42.0, 0.5)]),  # every second one goes there
        ("exit_0", 3.0, [("exit_0", 1.0, 1.0, 1.0)]),  # a signal is between
    ],
)
def test_loops_lie_along_the_lanes_that_lead_to_a_stop_line(
    net: Path, lane: str, distance_m: float, places: list[tuple[str, float, float, float]]
) -> None:
    found = places_at(read_ways(net), lane, distance_m)

    assert [place.lane for place in found] == [place[0] for place in places]
    assert [tuple(place[1:]) for place in found] == [pytest.approx(p[1:]) for p in places]


@pytest.mark.parametrize(
    ("lane", "line", "far"),
    [
        ("road_0", [("road_0", 3.0, 1.0)], [("road_0", 42.0, 1.0)]),
        ("fan_0", [("fan_0", 3.0, 1.0)], [("fork_0", 42.0, 0.5)]),
        ("bay_0", [("bay_0", 3.0, 1.0)], [("bay_0", 29.0, 1.0)]),  # a long fan: on its own lanes
        ("exit_0", [("exit_0", 1.0, 1.0)], None),  # no room for a second one
    ],
)
def test_the_advance_loop_lies_on_lanes_of_its_own_if_these_are_long(
    net: Path,
    lane: str,
    line: list[tuple[str, float, float]],
    far: list[tuple[str, float, float]] | None,
) -> None:
    loops = loop_places(read_ways(net), lane, 14.0, parse_sensing("loops"))
    found = [[(p.lane, p.from_line_m, p.share) for p in places] for places in loops]

    assert found == [line] if far is None else [line, far]
    assert len(loop_places(read_ways(net), lane, 14.0, parse_sensing("stopline"))) == 1


def test_who_sets_out_between_the_loop_and_the_line_is_seen_there_but_not_counted(
    net: Path,
) -> None:
    line, far = loop_places(read_ways(net), "stub_0", 14.0, parse_sensing("loops"))

    assert [(p.lane, p.share) for p in line] == [("road_0", 1.0), ("stub_0", 0.0), (":j_0_0", 0.0)]
    assert [p.back_m for p in line] == pytest.approx([STOP_LOOP_M - 0.7, 0.1, 0.25])
    assert from_line_m(line) == pytest.approx(STOP_LOOP_M)
    assert [p.lane for p in far] == ["road_0"]


def test_lanes_in_a_ring_end_the_search(tmp_path: Path) -> None:
    path = tmp_path / "ring.net.xml"
    lanes = "".join(
        f'<edge id="{name}"><lane id="{name}_0" index="0" speed="9" length="5.00"/></edge>'
        f'<connection from="{name}" to="{other}" fromLane="0" toLane="0" state="M"/>'
        for name, other in (("a", "b"), ("b", "a"))
    )
    path.write_text(f"<net>{lanes}</net>", encoding="utf-8")

    assert [p.lane for p in places_at(read_ways(path), "a_0", 8.0)] == ["b_0"]
    assert [p.lane for p in places_at(read_ways(path), "a_0", 50.0)] == ["b_0"]
    assert len(loop_places(read_ways(path), "a_0", 14.0, parse_sensing("loops"))) == 2


@pytest.mark.parametrize(("words", "far_m"), [("loops", 30.0), ("loops:55", 55.0)])
def test_the_advance_loop_lies_where_it_is_asked_for_or_3_s_of_free_travel_away(
    words: str, far_m: float
) -> None:
    ways = LaneWays(length_m={"a": 200.0}, before={}, onward={})
    _, far = loop_places(ways, "a", 10.0, parse_sensing(words))

    assert from_line_m(far) == pytest.approx(far_m)


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
        near, far = found.distance_m[::2], found.distance_m[1::2]

        assert found.lane.tolist() == [lane for _, lane in stops for _ in range(2)]
        assert found.of.tolist() == list(range(len(found.names)))
        assert set(near) == {STOP_LOOP_M}
        assert (far > STOP_LOOP_M).all()
        assert (found.share == 1.0).all()
        assert loops_of(cast("ModuleType", running), stops, parse_sensing("area")).names == ()
