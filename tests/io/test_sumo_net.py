# SPDX-License-Identifier: Apache-2.0
"""Networks of every shape SUMO makes come in whole, and show what SUMO shows."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.io.sumo_nets import (
    LEGS,
    cross,
    generate,
    logic,
    own_intervals,
    plain,
    scenario,
    write_config,
)

from lvbo.errors import Severity
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_net import read_network, read_network_and_plans
from lvbo.io.sumo_plans import state_at, states, write_sumo_plans
from lvbo.io.sumo_scenario import read_scenario
from lvbo.io.sumo_xml import read_raw_net
from lvbo.network.network import Network
from lvbo.network.place import Leg, Turn
from lvbo.signal.check import check_plan
from lvbo.signal.lamp import Conflict, PhaseKind
from lvbo.signal.plan import Plan
from lvbo.signal.rules import IntergreenMatrix, SignalRules
from lvbo.simulation.selfcheck import self_check

GRID = ("-j", "traffic_light", "--seed", "3")
Build = Callable[[Path], Scenario]


def grid(*options: str) -> Build:
    return lambda folder: scenario(generate(folder, "--grid", *GRID, *options))


def legs_and(middle: dict[str, str], **edge: str) -> Build:
    """Return the builder of a cross with these attributes of the middle and of every edge."""

    def build(folder: Path) -> Scenario:
        nodes = {key: {"x": str(x), "y": str(y)} for key, (x, y) in LEGS.items()}
        nodes["C"] = {"x": "0", "y": "0", **middle}
        edges = [
            {"id": a + b, "from": a, "to": b, **edge}
            for leg in LEGS
            for a, b in ((leg, "C"), ("C", leg))
        ]
        return scenario(plain(folder, nodes, edges, "--no-turnarounds", "true"))

    return build


def two_junctions_one_light(folder: Path) -> Scenario:
    nodes = {
        "W": {"x": "-300", "y": "0"},
        "A": {"x": "0", "y": "0", "type": "traffic_light", "tl": "T"},
        "B": {"x": "60", "y": "0", "type": "traffic_light", "tl": "T"},
        "E": {"x": "360", "y": "0"},
        "N": {"x": "0", "y": "200"},
        "S": {"x": "60", "y": "-200"},
    }
    pairs = (("W", "A"), ("A", "B"), ("B", "E"), ("N", "A"), ("S", "B"))
    edges = [
        {"id": a + b, "from": a, "to": b, "numLanes": "2"}
        for x, y in pairs
        for a, b in ((x, y), (y, x))
    ]
    return scenario(plain(folder, nodes, edges, "--no-turnarounds", "true"))


def one_junction_two_lights(folder: Path) -> Scenario:
    net = cross(folder)
    intervals = own_intervals(net)
    root = ET.parse(net).getroot()
    for connection in root.iter("connection"):
        index = int(connection.get("linkIndex", "-1"))
        if index >= 8:
            connection.set("tl", "C2")
            connection.set("linkIndex", str(index - 8))
    first = root.find("tlLogic")
    assert first is not None
    for phase in first:
        phase.set("state", phase.attrib["state"][:8])
    own = [(length, state[8:]) for length, state in intervals]
    root.insert(list(root).index(first), logic("C2", "0", own))
    ET.ElementTree(root).write(net)
    return scenario(net)


def shared_indices(folder: Path) -> Scenario:
    """Let every two neighbouring connections of the through lanes share one link index."""
    net = cross(folder)
    content = re.sub(
        r'tl="C" linkIndex="(\d+)"',
        lambda found: f'tl="C" linkIndex="{int(found.group(1)) // 2}"',
        net.read_text(encoding="utf-8"),
    )
    content = re.sub(
        r'state="([GgryO]{16})"', lambda found: f'state="{found.group(1)[::2]}"', content
    )
    net.write_text(content, encoding="utf-8")
    return scenario(net)


def turned_indices(folder: Path) -> Scenario:
    """Number the links from the other end: blocks of indices come in any order."""
    net = cross(folder)
    content = re.sub(
        r'tl="C" linkIndex="(\d+)"',
        lambda found: f'tl="C" linkIndex="{15 - int(found.group(1))}"',
        net.read_text(encoding="utf-8"),
    )
    content = re.sub(
        r'state="([GgryO]{16})"', lambda found: f'state="{found.group(1)[::-1]}"', content
    )
    net.write_text(content, encoding="utf-8")
    return scenario(net)


def every_letter(folder: Path) -> Scenario:
    intervals = [
        (20, "GgsroOuy" * 2),
        (3, "yyyruoOr" * 2),
        (4, "rrrruurr" * 2),
        (20, "rrrrGGgs" * 2),
        (3, "rrrryyyY" * 2),
        (2, "uuurrrrr" * 2),
    ]
    return scenario(cross(folder), logic("C", "odd", intervals, offset=5))


def street_and_railway(folder: Path) -> Scenario:
    nodes = {key: {"x": str(x), "y": str(y)} for key, (x, y) in LEGS.items()}
    nodes["C"] = {"x": "0", "y": "0", "type": "rail_crossing"}
    nodes["D"] = {"x": "400", "y": "0", "type": "traffic_light"}
    nodes |= {"F": {"x": "600", "y": "0"}, "G": {"x": "400", "y": "200"}}
    rails = [("N", "C"), ("C", "S")]
    roads = [("W", "C"), ("C", "D"), ("D", "F"), ("G", "D")]
    edges = [{"id": a + b, "from": a, "to": b, "allow": "rail"} for a, b in rails]
    edges += [{"id": a + b, "from": a, "to": b} for x, y in roads for a, b in ((x, y), (y, x))]
    return scenario(plain(folder, nodes, edges, "--no-turnarounds", "true"))


def zipped(folder: Path) -> Scenario:
    net = cross(folder)
    packed = net.with_name("packed.net.xml.gz")
    packed.write_bytes(gzip.compress(net.read_bytes()))
    return scenario(packed)


SHAPES: dict[str, Build] = {
    "several programmes": lambda folder: scenario(
        net := cross(folder), logic("C", "b", own_intervals(net), offset=9)
    ),
    "short bays": grid("--grid.number", "3", "-L", "2", "--turn-lanes", "1"),
    "crossings": grid(
        "--grid.number", "2", "--grid.attach-length", "90", "--sidewalks.guess", "--crossings.guess"
    ),
    "left-hand traffic": grid("--grid.number", "2", "--grid.attach-length", "90", "--lefthand"),
    "approach by approach": grid(
        "--grid.number", "2", "--grid.attach-length", "90", "--tls.layout", "incoming"
    ),
    "no internal lanes": grid(
        "--grid.number", "2", "--grid.attach-length", "90", "--no-internal-links", "true"
    ),
    "joined lights": grid(
        *("--grid.number", "3", "--grid.length", "25", "--grid.attach-length", "90"),
        *("--tls.join", "true", "--tls.join-dist", "30"),
    ),
    "joined junctions": grid(
        *("--grid.number", "4", "--grid.length", "15", "--grid.attach-length", "90"),
        *("--junctions.join", "true", "--junctions.join-dist", "18"),
    ),
    "roundabout": lambda folder: scenario(
        generate(folder, "--spider", "--arms", "5", "--circles", "2", *GRID)
    ),
    "bus lanes": legs_and({"type": "traffic_light"}, **{"numLanes": "3", "0.allow": "bus"}),
    "bicycle lanes": legs_and({"type": "traffic_light"}, **{"numLanes": "2", "0.allow": "bicycle"}),
    "two junctions, one light": two_junctions_one_light,
    "one junction, two lights": one_junction_two_lights,
    "shared link indices": shared_indices,
    "turned link indices": turned_indices,
    "every letter": every_letter,
    "street and railway": street_and_railway,
    "gzip": zipped,
}


@pytest.fixture(scope="module", params=sorted(SHAPES))
def shape(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    name = str(request.param)
    return SHAPES[name](tmp_path_factory.mktemp(name.replace(" ", "-").replace(",", "")))


def signalised(read: Scenario) -> Counter[tuple[str, int, str, str]]:
    """Return the keys of all connections of road signals, straight from the file."""
    raw = read_raw_net(read.net_file)
    rail = {j.id for j in raw.junctions.values() if j.type.startswith("rail")}
    return Counter(
        (c.tl, c.index if c.index is not None else -1, c.from_lane, c.to_lane)
        for c in raw.connections
        if c.tl and c.tl not in rail
    )


def test_no_connection_is_lost_or_doubled(shape: Scenario) -> None:
    sumo = shape.network.sumo
    assert sumo is not None
    heads = Counter((str(h.controller), h.index, h.from_lane, h.to_lane) for h in sumo.heads)

    assert heads == signalised(shape)


def test_the_lamps_are_those_of_sumo(shape: Scenario) -> None:
    assert self_check(shape) == ()


def test_every_head_knows_what_it_serves_and_who_lights_it(shape: Scenario) -> None:
    sumo = shape.network.sumo
    assert sumo is not None
    blind = [h for h in sumo.heads if not h.phases or (h.movement is None) == (h.crossing is None)]

    assert blind == []


def test_states_written_again_are_the_states_read(shape: Scenario) -> None:
    raw = read_raw_net(shape.net_file, shape.additional_files)
    listed = {(logic.tl, logic.programme): logic for logic in raw.logics}
    for plan in shape.plans.plans:
        own = listed[str(plan.controller), str(plan.id)]
        clock = round(10 * own.offset_s)
        read = [s.replace("Y", "y") for length, s in own.intervals for _ in range(length)]
        made = [s for length, s in states(plan, shape.network) for _ in range(length)]
        turn = plan.local_ds(clock)
        drawn = _driven(shape.network, plan.controller)
        seen = [[made[(k + turn) % len(made)][i] for i in drawn] for k in range(len(made))]

        assert seen == [[state[i] for i in drawn] for state in read]


def _driven(network: Network, controller: str) -> list[int]:
    """Return the state characters that drive a connection."""
    assert network.sumo is not None
    return sorted({h.index for h in network.sumo.heads if h.controller == controller})


def test_plans_written_for_sumo_come_back_equal(shape: Scenario, tmp_path: Path) -> None:
    day = shape.plans.day_plans[0].day_type
    path = tmp_path / "plans.add.xml"
    write_sumo_plans(shape.plans, shape.network, path, day)
    back = read_network_and_plans(shape.net_file, (path,))[1]
    before, after = shape.plans.running(day, 0), back.running(day, 0)

    assert set(before) == set(after)
    for controller, plan in before.items():
        again = after[controller]
        assert str(again.id) == f"lvbo-{plan.id}"
        assert again.cycle_ds == plan.cycle_ds
        for second in range(0, plan.cycle_ds // 10, 3):
            now = 10 * second
            assert _shown(shape.network, plan, now) == _shown(shape.network, again, now)


def _shown(network: Network, plan: Plan, clock_ds: int) -> str:
    return state_at(plan, network, plan.local_ds(clock_ds))


# what single shapes must say --------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_cross(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return scenario(cross(tmp_path_factory.mktemp("plain")))


def rules_of(read: Scenario) -> SignalRules:
    return read.network.controllers[0].rules


def test_the_leg_is_the_side_traffic_comes_from(plain_cross: Scenario) -> None:
    movements = {str(m.id): m for m in plain_cross.network.movements}

    assert (movements["NC>CS"].leg, movements["NC>CS"].turn) == (Leg.N, Turn.THROUGH)
    assert (movements["NC>CE"].leg, movements["NC>CE"].turn) == (Leg.N, Turn.LEFT)
    assert (movements["EC>CN"].leg, movements["EC>CN"].turn) == (Leg.E, Turn.RIGHT)


def test_a_left_may_yield_to_oncoming_traffic_but_never_to_crossing_traffic(
    plain_cross: Scenario,
) -> None:
    rules = rules_of(plain_cross)
    names = [str(p.id) for p in rules.phases]
    north = next(n for n in names if n.startswith("N.") and "L" in n)
    kinds = {
        side: {
            rules.conflict(p.id, next(q.id for q in rules.phases if str(q.id) == north))
            for p in rules.phases
            if str(p.id).startswith(f"{side}.") and "T" in str(p.id)
        }
        for side in "SE"
    }

    assert kinds == {"S": {Conflict.YIELD}, "E": {Conflict.FORBIDDEN}}


def test_in_left_hand_traffic_the_right_turn_crosses_and_yields(tmp_path: Path) -> None:
    read = scenario(cross(tmp_path, "--lefthand", "true"))
    rules = rules_of(read)
    turns = {str(m.id): m.turn for m in read.network.movements}
    right = next(p.id for p in rules.phases if str(p.id).startswith("N.") and "R" in str(p.id))
    through = {
        side: [p.id for p in rules.phases if str(p.id).startswith(f"{side}.") and "T" in str(p.id)]
        for side in "SE"
    }

    assert read.network.left_hand
    assert turns["NC>CW"] is Turn.RIGHT
    assert {rules.conflict(right, q) for q in through["S"]} == {Conflict.YIELD}
    assert {rules.conflict(right, q) for q in through["E"]} == {Conflict.FORBIDDEN}


def test_intergreens_hold_the_yellow_and_are_whole_seconds(plain_cross: Scenario) -> None:
    needs = [need for _, _, need in rules_of(plain_cross).foes]

    assert needs
    assert all(need is not None and need >= 30 and need % 10 == 0 for need in needs)


def test_without_geometry_an_unseen_transition_is_unknown_and_refused(tmp_path: Path) -> None:
    net = cross(tmp_path, "--no-internal-links", "true", lanes=1)
    size = len(own_intervals(net)[0][1])
    alone = "".join("G" if k < size // 4 else "r" for k in range(size))
    intervals = [(20, alone), (3, alone.replace("G", "y")), (2, "r" * size)]
    seen = scenario(net)
    bare = scenario(net, name="bare")
    stripped = ET.parse(net).getroot()
    for element in stripped.findall("tlLogic"):
        stripped.remove(element)
    other = net.with_name("other.net.xml")
    ET.ElementTree(stripped).write(other)
    hidden = scenario(other, logic("C", "one", intervals))

    assert all(need is not None for _, _, need in rules_of(seen).foes)
    assert rules_of(bare).foes == rules_of(seen).foes
    assert {need for _, _, need in rules_of(hidden).foes} == {None}


def test_an_unknown_intergreen_is_an_error_of_the_plan_that_uses_it(plain_cross: Scenario) -> None:
    rules = rules_of(plain_cross)
    unknown = IntergreenMatrix(pairs=tuple((a, b, None) for a, b, _ in rules.intergreens.pairs))
    found = check_plan(plain_cross.plans.plans[0], replace(rules, intergreens=unknown))

    assert "LV222" in {f.code for f in found if f.severity is Severity.ERROR}


def test_people_clear_over_the_longest_walk(tmp_path: Path) -> None:
    read = scenario(cross(tmp_path, "--sidewalks.guess", "--crossings.guess", lanes=3))
    rules = rules_of(read)
    crossings = read.network.crossing_index
    found = 0
    for service in rules.services:
        if service.crossing is None:
            continue
        walk_s = crossings[service.crossing].longest_walk_m / 1.0
        needs = [need for a, _, need in rules.foes if a == service.phase and need is not None]
        found += 1

        assert walk_s - 1 <= max(needs) / 10 <= walk_s + 1
    assert found == 4


def test_people_on_foot_are_phases_of_their_own(tmp_path: Path) -> None:
    read = scenario(cross(tmp_path, "--sidewalks.guess", "--crossings.guess"))
    kinds = Counter(phase.kind for phase in rules_of(read).phases)

    assert kinds[PhaseKind.PEDESTRIAN] == 4
    assert len(read.network.crossings) == 4


def test_a_bay_is_a_lane_that_begins_inside_its_link(tmp_path: Path) -> None:
    nodes = {key: {"x": str(x), "y": str(y)} for key, (x, y) in LEGS.items()}
    nodes["C"] = {"x": "0", "y": "0", "type": "traffic_light"}
    nodes["M"] = {"x": "0", "y": "60"}
    edges = [
        {"id": a + b, "from": a, "to": b}
        for leg in ("E", "S", "W")
        for a, b in ((leg, "C"), ("C", leg))
    ]
    edges += [{"id": "NM", "from": "N", "to": "M"}, {"id": "CM", "from": "C", "to": "M"}]
    edges += [{"id": "MC", "from": "M", "to": "C", "numLanes": "2"}]
    edges += [{"id": "MN", "from": "M", "to": "N"}]
    network = scenario(plain(tmp_path, nodes, edges, "--no-turnarounds", "true")).network
    lanes = {str(k): lane for k, lane in network.lane_index.items()}

    assert (lanes["MC_0"].is_bay, lanes["MC_1"].is_bay) == (False, True)
    assert lanes["MC_1"].length_m < 60
    assert lanes["MC_0"].length_m > 180
    assert "NM" not in {str(link.id) for link in network.links}
    assert network.sumo is not None
    assert set(network.sumo.lane_index["NM_0"]) == {"MC_0", "MC_1"}


def test_a_bus_lane_is_no_lane_for_cars(tmp_path: Path) -> None:
    network = SHAPES["bus lanes"](tmp_path).network
    lanes = {str(k): lane for k, lane in network.lane_index.items()}

    assert (lanes["NC_0"].for_cars, lanes["NC_1"].for_cars) == (False, True)


def test_one_light_may_serve_several_intersections(tmp_path: Path) -> None:
    network = two_junctions_one_light(tmp_path).network

    assert [c.intersections for c in network.controllers] == [("A", "B")]
    assert [c.id for c in network.controllers_at(network.intersections[0].id)] == ["T"]


def test_an_intersection_may_have_several_lights(tmp_path: Path) -> None:
    network = one_junction_two_lights(tmp_path).network
    place = next(i for i in network.intersections if i.id == "C")

    assert [c.id for c in network.controllers_at(place.id)] == ["C", "C2"]


def test_a_level_crossing_is_left_to_the_railway(tmp_path: Path) -> None:
    read = street_and_railway(tmp_path)

    assert [c.id for c in read.network.controllers] == ["D"]
    assert [(f.code, f.place) for f in read.plans.findings] == [("LV217", "C")]
    assert all("C" not in m.controllers for m in read.network.movements)


def test_detours_between_intervals_are_told_but_the_plain_order_is_not(tmp_path: Path) -> None:
    net = cross(tmp_path)
    intervals = own_intervals(net)
    plain_order, detour = logic("C", "a", intervals), logic("C", "b", intervals)
    for k, phase in enumerate(plain_order):
        phase.set("next", str((k + 1) % len(intervals)))
    detour[0].set("next", "2 1")
    read = scenario(net, detour, plain_order)

    assert [(f.code, f.fields["plan"]) for f in read.plans.findings] == [("LV213", "b")]


def test_a_ring_programme_is_read_as_fixed_and_told(tmp_path: Path) -> None:
    net = cross(tmp_path)
    ring = logic("C", "n", own_intervals(net), type="NEMA")
    for phase in ring:
        phase.set("minDur", "5")
        phase.set("maxDur", "40")
    ET.SubElement(ring, "param", key="ring1", value="1,2,3,4")
    read = scenario(net, ring)
    told = [(f.code, f.fields["type"]) for f in read.plans.findings]

    assert told == [("LV214", "NEMA")]
    assert read.plans.running("workday", 0)[read.network.controllers[0].id].cycle_ds == 900


@pytest.mark.parametrize("kind", ["actuated", "delay_based"])
def test_a_programme_that_follows_traffic_is_read_as_fixed_and_told(
    tmp_path: Path, kind: str
) -> None:
    net = cross(tmp_path)
    read = scenario(net, logic("C", "a", own_intervals(net), type=kind))

    assert [(f.code, f.fields["type"]) for f in read.plans.findings] == [("LV214", kind)]
    assert self_check(read) == ()


def test_a_programme_in_thousandths_is_rounded_and_told(tmp_path: Path) -> None:
    net = cross(tmp_path)
    intervals = [(length + 0.333, state) for length, state in own_intervals(net)]
    read = scenario(net, logic("C", "a", intervals))

    assert [f.code for f in read.plans.findings] == ["LV211"]


def test_a_folder_and_its_configuration_are_the_same_scenario(tmp_path: Path) -> None:
    path = write_config(cross(tmp_path))
    (tmp_path / "plain.nod.xml").unlink()

    assert read_scenario(tmp_path).network == read_scenario(path).network
    assert read_network(tmp_path / "plain.net.xml") == read_scenario(path).network
