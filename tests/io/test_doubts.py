# SPDX-License-Identifier: Apache-2.0
"""Each doubt about a network is found where it is, and a sound network raises none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.io.sumo_nets import LEGS, cross, logic, own_intervals, plain, scenario
from tests.simulation.tiny import build_tiny

from lvbo.errors import Finding, Severity
from lvbo.ids import LaneId
from lvbo.io.doubts import check_network
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.place import Turn
from lvbo.signal.check import check_plan
from lvbo.signal.lamp import PhaseKind
from lvbo.timing.stages import stage_orders

STATES = ("GGGgrrrrGGGgrrrr", "yyyyrrrryyyyrrrr", "rrrrGGGgrrrrGGGg", "rrrryyyyrrrryyyy")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross(tmp_path_factory.mktemp("cross"))


def doubts(read: Scenario) -> tuple[Finding, ...]:
    return check_network(read.network, read.plans)


def only(net: Path, lengths: list[float], states: list[str]) -> Scenario:
    """Return the scenario in which the signal's only programme is this one."""
    content = net.read_text(encoding="utf-8")
    begin, end = content.index("<tlLogic"), content.index("</tlLogic>") + len("</tlLogic>")
    bare = net.with_name("bare.net.xml")
    bare.write_text(content[:begin] + content[end:], encoding="utf-8")
    return scenario(bare, logic("C", "own", list(zip(lengths, states, strict=True))), name="bare")


def test_a_sound_network_raises_no_doubt(net: Path) -> None:
    red = "r" * 16
    sound = [STATES[0], STATES[1], red, STATES[2], STATES[3], red]

    assert doubts(only(net, [30, 3, 2, 30, 3, 2], sound)) == ()


def test_state_characters_that_drive_nothing_are_named(net: Path) -> None:
    found = doubts(only(net, [30, 3, 30, 3], [state + "rG" for state in STATES]))

    assert [(f.code, f.place, f.fields["links"]) for f in found] == [("LV201", "C", "16, 17")]
    assert found[0].severity is Severity.ADVICE


def test_a_movement_that_never_gets_green_is_named(net: Path) -> None:
    found = doubts(only(net, [30, 3, 30, 3], ["r" + state[1:] for state in STATES]))

    assert [(f.code, f.fields["movement"]) for f in found] == [("LV202", "NC>CW")]


def test_foes_that_meet_without_a_second_between_are_counted(net: Path) -> None:
    found = doubts(only(net, [30, 30], [STATES[0], STATES[2]]))

    assert [f.code for f in found] == ["LV203"]
    assert int(str(found[0].fields["pairs"])) > 1


def test_unknown_intergreens_are_told_once_per_controller(tmp_path: Path) -> None:
    bare = cross(tmp_path, "--no-internal-links", "true", lanes=1)
    size = len(own_intervals(bare)[0][1])
    alone = "G" * (size // 4) + "r" * (size - size // 4)
    found = doubts(only(bare, [20, 3, 2], [alone, alone.replace("G", "y"), "r" * size]))

    assert [f.code for f in found if f.code == "LV204"] == ["LV204"]


def test_a_right_arrow_over_walking_people_is_named(tmp_path: Path) -> None:
    walked = cross(tmp_path, "--sidewalks.guess", "--crossings.guess")
    intervals = own_intervals(walked)
    read = scenario(walked)
    assert read.network.sumo is not None
    turns = read.network.movement_index
    arrows = {
        head.index
        for head in read.network.sumo.heads
        if head.movement and turns[head.movement].turn is Turn.RIGHT
    }
    walks = {head.index for head in read.network.sumo.heads if head.crossing}
    lit = [
        "".join(
            "G" if k in arrows and c in "gG" and any(s[w] == "G" for w in walks) else c
            for k, c in enumerate(s)
        )
        for _, s in intervals
    ]
    found = doubts(only(walked, [length for length, _ in intervals], lit))

    assert {f.code for f in found} >= {"LV205"}
    assert all(float(str(f.fields["overlap_s"])) > 0 for f in found if f.code == "LV205")


def test_a_stage_of_one_second_is_named_but_the_end_of_a_stage_is_not(net: Path) -> None:
    flash = "rrrgrrrrrrrgrrrr"
    lone = doubts(only(net, [30, 1, 30], [STATES[2], flash, STATES[2].replace("g", "r")]))
    late = doubts(only(net, [30, 1, 3, 30, 3], [STATES[0], flash, *STATES[1:]]))

    assert [(f.fields["at_s"], f.fields["found_s"]) for f in lone if f.code == "LV206"] == [
        (60.0, 1.0)  # the green of 60 s begins at local second 0
    ]
    assert "LV206" not in {f.code for f in late}


def test_cycles_that_differ_along_a_street_are_named_unless_one_is_the_half(
    tmp_path: Path,
) -> None:
    read = read_scenario(build_tiny(tmp_path))
    first, second = read.plans.plans

    def with_cycle(cycle_ds: int) -> list[str]:
        plans = read.plans.with_plans([replace(second, cycle_ds=cycle_ds)])
        return [f.code for f in check_network(read.network, plans) if f.code == "LV207"]

    assert first.cycle_ds == 600
    assert with_cycle(700) == ["LV207"]
    assert with_cycle(1200) == []
    assert with_cycle(600) == []


def test_two_free_turning_lanes_are_named(net: Path) -> None:
    read = scenario(net)
    movements = tuple(
        replace(m, controllers=(), lanes=read.network.movement_index[m.id].lanes * 2)
        if m.turn is Turn.RIGHT and m.leg == "N"
        else m
        for m in read.network.movements
    )
    found = check_network(replace(read.network, movements=movements), read.plans)

    assert [(f.fields["movement"], f.fields["lanes"]) for f in found if f.code == "LV208"] == [
        ("NC>CW", 2)
    ]


def test_a_yellow_too_short_for_the_speed_is_told_once_per_controller(tmp_path: Path) -> None:
    found = doubts(only(cross(tmp_path, speed="22.2"), [30, 3, 30, 3], list(STATES)))

    assert [f.code for f in found if f.code == "LV509"] == ["LV509"]
    assert next(f for f in found if f.code == "LV509").fields["computed_s"] == 4.7


def test_what_the_check_of_a_plan_says_is_not_said_again(net: Path) -> None:
    read = only(net, [30, 30], [STATES[0], STATES[2]])
    rules = read.network.controllers[0].rules
    said = {f.code for f in check_plan(read.plans.plans[0], rules)}

    assert said
    assert not said & {f.code for f in doubts(read)}


def crossing_line(folder: Path, allow: str) -> Scenario:
    """Return a street from west to east with a line for `allow` across it."""
    nodes = {key: {"x": str(x), "y": str(y)} for key, (x, y) in LEGS.items()}
    nodes["C"] = {"x": "0", "y": "0", "type": "traffic_light"}
    edges = [
        {"id": a + b, "from": a, "to": b, **({"allow": allow} if leg in "NS" else {})}
        for leg in LEGS
        for a, b in ((leg, "C"), ("C", leg))
    ]
    return scenario(plain(folder, nodes, edges, "--no-turnarounds", "true"))


def test_a_train_at_a_road_signal_is_told_and_keeps_its_green(tmp_path: Path) -> None:
    read = crossing_line(tmp_path, "rail")
    controller = read.network.controllers[0]
    orders = stage_orders(read.network, controller)

    assert [f.place for f in doubts(read) if f.code == "LV209"] == ["C"]
    assert [order.stages for order in orders] == list(controller.rules.orders)


def test_a_tram_is_served_like_other_traffic(tmp_path: Path) -> None:
    read = crossing_line(tmp_path, "tram")
    rules = read.network.controllers[0].rules
    north = next(s.phase for s in rules.services if s.movement == "NC>CS")

    assert "LV209" not in {f.code for f in doubts(read)}
    assert rules.phase_index[north].kind is PhaseKind.TRANSIT
    assert not read.network.lane_index[LaneId("NC_0")].for_cars
