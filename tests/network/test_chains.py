# SPDX-License-Identifier: Apache-2.0
"""Corridors are the chains of signals that a street runs straight through, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.io.sumo_nets import generate, plain, scenario

from lvbo.errors import InputError
from lvbo.network.chains import find_corridors
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network

SIDES = {"A": 0, "B": 250, "C": 600}


def street(folder: Path, *, one_way: bool = False, gap: bool = False) -> Network:
    """Return a street W A B C E from west to east, each signal with a side street."""
    nodes = {"W": {"x": "-300", "y": "0"}, "E": {"x": "900", "y": "0"}}
    for name, x in SIDES.items():
        kind = "priority" if gap and name == "B" else "traffic_light"
        nodes[name] = {"x": str(x), "y": "0", "type": kind}
        nodes |= {f"{name}n": {"x": str(x), "y": "200"}, f"{name}s": {"x": str(x), "y": "-200"}}
    main = [("W", "A"), ("A", "B"), ("B", "C"), ("C", "E")]
    pairs = main if one_way else main + [(b, a) for a, b in main]
    edges = [
        {"id": a + b, "from": a, "to": b, "numLanes": "2", "name": "Main St"} for a, b in pairs
    ]
    for name in SIDES:
        ends = ((f"{name}n", name), (name, f"{name}s"))
        edges += [
            {"id": a + b, "from": a, "to": b, "name": f"{name} St"}
            for x, y in ends
            for a, b in ((x, y), (y, x))
        ]
    options = ("--no-turnarounds", "true", "--output.street-names", "true")
    return scenario(plain(folder, nodes, edges, *options)).network


@pytest.fixture(scope="module")
def main_street(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return street(tmp_path_factory.mktemp("main"))


def named(network: Network, name: str) -> Corridor:
    return network.corridor(name)


def test_the_street_is_one_corridor_outbound_to_the_east(main_street: Network) -> None:
    corridor = named(main_street, "Main St")

    assert [c.name for c in find_corridors(main_street)] == ["Main St"]
    assert [stop.intersection for stop in corridor.stops] == ["A", "B", "C"]
    assert [stop.outbound for stop in corridor.stops] == ["WA>AB", "AB>BC", "BC>CE"]
    assert [stop.inbound for stop in corridor.stops] == ["BA>AW", "CB>BA", "EC>CB"]


def test_sections_lead_from_stop_line_to_stop_line(main_street: Network) -> None:
    corridor = named(main_street, "Main St")

    assert [section.links for section in corridor.outbound] == [("AB",), ("BC",)]
    assert [section.links for section in corridor.inbound] == [("BA",), ("CB",)]
    assert [round(s.length_m, -1) for s in corridor.outbound] == [250, 350]
    assert all(13.0 < s.speed_limit_mps < 14.0 for s in corridor.outbound)


def test_the_phases_of_a_stop_are_those_of_its_movements(main_street: Network) -> None:
    for stop in named(main_street, "Main St").stops:
        assert stop.outbound_controller is not None
        assert stop.outbound is not None
        rules = main_street.controller_index[stop.outbound_controller].rules

        assert stop.outbound_phases == rules.phases_of(stop.outbound) != ()
        assert stop.inbound_phases != ()


def test_a_one_way_street_has_no_inbound(tmp_path: Path) -> None:
    corridor = named(street(tmp_path, one_way=True), "Main St")

    assert len(corridor.outbound) == 2
    assert corridor.inbound == ()
    assert {stop.inbound for stop in corridor.stops} == {None}


def test_a_corridor_runs_through_a_place_without_signal(tmp_path: Path) -> None:
    corridor = named(street(tmp_path, gap=True), "Main St")

    assert [stop.intersection for stop in corridor.stops] == ["A", "C"]
    assert [section.links for section in corridor.outbound] == [("AB", "BC")]
    assert round(corridor.outbound[0].length_m, -1) == 600


def test_one_signal_makes_no_corridor(main_street: Network) -> None:
    with pytest.raises(InputError) as caught:
        main_street.corridor("A St")

    assert caught.value.code == "LV210"
    assert caught.value.fields["corridors"] == "Main St"


def test_reversing_twice_changes_nothing(main_street: Network) -> None:
    corridor = named(main_street, "Main St")
    back = corridor.reversed()

    assert back.reversed() == corridor
    assert [stop.intersection for stop in back.stops] == ["C", "B", "A"]
    assert [section.links for section in back.outbound] == [("CB",), ("BA",)][::1]


def test_a_grid_has_a_corridor_for_each_of_its_streets(tmp_path: Path) -> None:
    options = ("--grid.number", "3", "--grid.attach-length", "100", "-j", "traffic_light")
    network = scenario(generate(tmp_path, "--grid", *options)).network
    runs = [len(c.stops) for c in network.corridors]

    assert runs == [3] * 6
    assert len({c.id for c in network.corridors}) == 6
