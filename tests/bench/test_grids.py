# SPDX-License-Identifier: Apache-2.0
"""Generated grids: what their signals show, what their traffic is, what a seed repeats."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from lvbo.bench.grid_streets import BETWEEN_S
from lvbo.bench.grids import CYCLE_S, Grid, make_grid, make_grid_at
from lvbo.demand.estimate import estimate_demand
from lvbo.ids import ControllerId
from lvbo.io.sumo_plans import state_at
from lvbo.network.place import Leg, Movement, Turn
from lvbo.signal.check import check_plan
from lvbo.signal.lamp import Lamp
from lvbo.simulation.count import count_scenario

LONG_STREET = {Leg.N: "NS", Leg.S: "NS", Leg.E: "EW", Leg.W: "EW"}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return make_grid_at(tmp_path_factory.mktemp("grid"), side=4, saturation=0.85, seed=3)


def stage_of(movement: Movement) -> tuple[str, bool]:
    return LONG_STREET[movement.leg], movement.turn is Turn.LEFT


def routes_of(grid: Grid) -> Iterator[list[str]]:
    for vehicle in ET.parse(grid.scenario.route_files[0]).getroot().iter("vehicle"):
        route = vehicle.find("route")
        assert route is not None
        yield route.attrib["edges"].split()


def test_the_index_blocks_of_some_junctions_are_turned(grid: Grid) -> None:
    heads = grid.network.sumo.heads if grid.network.sumo else ()
    first = {
        grid.network.movement_index[head.movement].leg
        for head in heads
        if head.index == 0 and head.movement
    }

    assert len(first) > 1  # else the tests below would not see a programme written by index


def test_lamps_as_imported_are_those_of_the_file_for_every_link(grid: Grid) -> None:
    logics = ET.parse(grid.scenario.net_file).getroot().findall("tlLogic")
    plans = {plan.controller: plan for plan in grid.scenario.plans.plans}

    assert len(logics) == len(plans) == 16
    for logic in logics:
        shown = [p.attrib["state"] for p in logic for _ in range(int(p.attrib["duration"]))]
        plan = plans[ControllerId(logic.attrib["id"])]
        assert len(shown) == CYCLE_S
        ours = [state_at(plan, grid.network, plan.local_ds(10 * t)) for t in range(CYCLE_S)]
        assert ours == shown


def test_four_stages_each_serve_two_facing_approaches_and_nobody_yields(grid: Grid) -> None:
    for plan in grid.scenario.plans.plans:
        rules = grid.network.controller_index[plan.controller].rules
        own = [m for m in grid.network.movements if plan.controller in m.controllers]
        starts: dict[tuple[int, int], set[tuple[str, bool]]] = defaultdict(set)
        for movement in own:
            for phase in rules.phases_of(movement.id):
                assert rules.phase_index[phase].shows is Lamp.GREEN
                (window,) = plan.windows_of(phase)
                starts[window.start_ds, window.length_ds].add(stage_of(movement))

        assert len(own) == 12
        assert sorted(starts.values(), key=str) == [
            {("EW", False)},
            {("EW", True)},
            {("NS", False)},
            {("NS", True)},
        ]
        ends = sorted(starts)
        for (start, length), (after, _) in pairwise([*ends, (ends[0][0] + plan.cycle_ds, 0)]):
            assert after - start - length == 10 * BETWEEN_S
        assert not check_plan(plan, rules)


def test_volumes_are_those_of_the_vehicles_in_the_file(grid: Grid) -> None:
    links = grid.network.sumo.edge_index if grid.network.sumo else {}
    driven = Counter(
        (links[a], links[b])
        for edges in routes_of(grid)
        for a, b in pairwise(edges)
        if links[a] != links[b]
    )

    assert sum(driven.values()) > 1000
    assert set(grid.volumes_vph) == {m.id for m in grid.network.movements}
    for movement in grid.network.movements:
        number = driven[movement.from_link, movement.to_link]
        assert grid.volumes_vph[movement.id] == pytest.approx(2 * number)  # half an hour


def test_half_of_the_vehicles_keep_to_one_street_and_arterials_carry_more(grid: Grid) -> None:
    network = grid.network
    links = network.sumo.edge_index if network.sumo else {}
    streets = [{network.link_index[links[e]].name for e in edges} for edges in routes_of(grid)]
    straight = Counter(next(iter(names)) for names in streets if len(names) == 1)

    assert straight.total() / len(streets) == pytest.approx(0.5, abs=0.02)
    assert {name for name, _ in straight.most_common(2)} == {"NS-2", "EW-2"}
    assert straight["NS-2"] == pytest.approx(3 * straight["NS-1"], rel=0.1)


@pytest.mark.parametrize("saturation", [0.6, 1.1])
def test_the_busiest_signal_gets_the_saturation_asked_for(
    tmp_path: Path, saturation: float
) -> None:
    made = make_grid_at(tmp_path, side=3, saturation=saturation, seed=5)
    lost_s = 4 * (BETWEEN_S + 1)
    found = []
    for controller in made.network.controllers:
        worst: dict[tuple[str, bool], float] = defaultdict(float)
        for leg in (Leg.N, Leg.E, Leg.S, Leg.W):
            own = [m for m in made.network.movements if controller.id in m.controllers]
            flow = {m.turn: made.volumes_vph[m.id] for m in own if m.leg is leg}
            ahead = (flow[Turn.THROUGH] + flow[Turn.RIGHT]) / (1650 + 1350)
            for left, ratio in ((False, ahead), (True, flow[Turn.LEFT] / 1550)):
                key = (LONG_STREET[leg], left)
                worst[key] = max(worst[key], ratio)
        found.append(sum(worst.values()) * CYCLE_S / (CYCLE_S - lost_s))

    assert max(found) == pytest.approx(saturation, rel=0.05)
    assert made.saturation == pytest.approx(max(found))


def test_a_seed_repeats_all_files_and_another_seed_none(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_grid(tmp_path / name, side=2, veh_ph=1200, seed=seed)
    for file in ("grid.net.xml", "grid.rou.xml"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")

        assert a == b
        assert a != c
    vehicles = ET.parse(tmp_path / "a" / "grid.rou.xml").getroot().findall("vehicle")
    departs = [float(v.attrib["depart"]) for v in vehicles]
    assert len(departs) == pytest.approx(600, abs=1)
    assert departs == sorted(departs)
    assert departs[0] >= 0
    assert departs[-1] < 1800


@pytest.mark.slow
def test_counts_of_the_grid_lead_back_to_its_volumes(tmp_path: Path) -> None:
    made = make_grid_at(tmp_path, side=2, saturation=0.6, seed=1)
    counts = count_scenario(made.scenario, workers=1)
    demand = estimate_demand(made.network, counts, plans=made.scenario.plans)
    seen = demand.volume_vph[:, 1:].mean(axis=(0, 1))  # the first slot fills the streets
    known = np.array([made.volumes_vph[m] for m in demand.movements])

    assert seen.sum() == pytest.approx(known.sum(), rel=0.05)
    assert np.abs(seen - known).mean() < 0.15 * known.mean()
