# SPDX-License-Identifier: Apache-2.0
"""Controllers of stages: whom they serve, when, and why; each by hand on the tiny street."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.protocols import Observation, Order, Vehicles, Wish
from lvbo.control.registry import ControllerSpec, Situation, make_controller
from lvbo.control.site import NONE, YIELDING, Site, read_site
from lvbo.control.stages import StageTable, stage_table
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.lamp import Lamp
from lvbo.text import Language, say

NAMES = ("lvbo", "actuated", "max_pressure", "greedy", "position")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    network = read_scenario(build_tiny(tmp_path_factory.mktemp("stages"))).network
    return read_site(network, network.controllers[0])


@pytest.fixture(scope="module")
def table(site: Site) -> StageTable:
    return stage_table(site, Order.SKIP)


def standing(site: Site, counts: Mapping[int, int], *, pace: float = 0.0) -> Vehicles:
    """Return vehicles in line before the stop lines of lanes by number, 8 m apart."""
    zones = {zone.lanes[0]: k for k, zone in enumerate(site.zones) if len(zone.lanes) == 1}
    rows = [(zones[lane], 2.0 + 8.0 * k) for lane, many in counts.items() for k in range(many)]
    number = len(rows)
    return Vehicles(
        key=np.arange(number),
        zone=np.array([zone for zone, _ in rows], dtype=np.int64),
        distance_m=np.array([far for _, far in rows]),
        speed_mps=np.full(number, pace),
        wait_s=np.zeros(number) if pace else np.full(number, 5.0),
        persons=np.ones(number),
    )


def look(site: Site, table: StageTable, stage: int, age_s: int, vehicles: Vehicles) -> Observation:
    shows = np.array([int(phase.shows) for phase in site.rules.phases])
    return Observation(
        controller=site.id,
        time_s=1000,
        seen_s=1000,
        lamps=np.where(table.greens[stage] & ~site.walks, shows, int(Lamp.RED)),
        since_s=np.full(len(site.phases), age_s, dtype=np.int64),
        vehicles=vehicles,
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=np.zeros(len(site.phases), dtype=bool),
    )


def lanes_of(site: Site, table: StageTable, stage: int, other: int) -> list[int]:
    """Return the lanes that only the first of two stages serves."""
    serves = [site.serves[table.greens[s]].max(axis=0, initial=NONE) > NONE for s in (stage, other)]
    own, away = ((site.uses & row).any(axis=1) for row in serves)
    return [int(k) for k in np.flatnonzero(own & ~away)]


def busy_and_one(site: Site, table: StageTable, *, pace: float = 0.0) -> Vehicles:
    """Return eight vehicles on each lane of the first stage, and one that waits for the second."""
    first, second = table.cycle[:2]
    here = standing(site, dict.fromkeys(lanes_of(site, table, first, second), 8), pace=pace)
    there = standing(site, {lanes_of(site, table, second, first)[0]: 1})
    return Vehicles(
        key=np.arange(len(here.key) + 1),
        zone=np.append(here.zone, there.zone),
        distance_m=np.append(here.distance_m, there.distance_m),
        speed_mps=np.append(here.speed_mps, there.speed_mps),
        wait_s=np.append(here.wait_s, there.wait_s),
        persons=np.append(here.persons, there.persons),
    )


def decide(name: str, site: Site, seen: Observation) -> Wish:
    situation = Situation(site=site, order=Order.SKIP, params={})
    return make_controller(ControllerSpec(name=name), situation).decide(seen)


@pytest.mark.parametrize("name", NAMES)
def test_a_queue_at_red_is_served_when_nobody_comes_at_green(
    site: Site, table: StageTable, name: str
) -> None:
    first, second = table.cycle[:2]
    queue = standing(site, dict.fromkeys(lanes_of(site, table, second, first), 6))

    wish = decide(name, site, look(site, table, first, 40, queue))

    assert wish.stage == second
    assert (wish.greens == table.greens[second]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_minimum_green_is_kept(site: Site, table: StageTable, name: str) -> None:
    first, second = table.cycle[:2]
    queue = standing(site, dict.fromkeys(lanes_of(site, table, second, first), 6))

    wish = decide(name, site, look(site, table, first, 1, queue))

    assert wish.stage == first
    assert wish.reason is not None
    assert wish.reason.code == "LV771"


@pytest.mark.parametrize("name", ["lvbo", "actuated"])
def test_a_platoon_that_goes_is_not_cut_for_one_who_waits(
    site: Site, table: StageTable, name: str
) -> None:
    first = table.cycle[0]
    both = busy_and_one(site, table, pace=10.0)

    wish = decide(name, site, look(site, table, first, 15, both))

    assert wish.stage == first


@pytest.mark.parametrize("name", NAMES)
def test_nobody_in_sight_keeps_the_stage(site: Site, table: StageTable, name: str) -> None:
    stage = table.cycle[1]

    wish = decide(name, site, look(site, table, stage, 30, standing(site, {})))

    assert wish.stage == stage


def test_the_longest_red_is_a_debt_that_the_search_pays_in_time(
    site: Site, table: StageTable
) -> None:
    first, second = table.cycle[:2]
    vehicles = busy_and_one(site, table)
    fresh = look(site, table, first, 30, vehicles)
    late = replace(fresh, since_s=np.where(fresh.lamps == Lamp.RED, 119, 30))

    assert decide("lvbo", site, fresh).stage == first
    assert decide("lvbo", site, late).stage == second


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_can_be_read_in_both_languages(
    site: Site, table: StageTable, name: str
) -> None:
    first, second = table.cycle[:2]
    queue = standing(site, dict.fromkeys(lanes_of(site, table, second, first), 6))
    for age_s in (1, 40):
        reason = decide(name, site, look(site, table, first, age_s, queue)).reason
        assert reason is not None

        for language in Language:
            assert "{" not in say(reason.code, language, **reason.fields)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_second_gives_the_same_wish(site: Site, table: StageTable, name: str) -> None:
    first, second = table.cycle[:2]
    queue = standing(site, dict.fromkeys(lanes_of(site, table, second, first), 3))
    seen = look(site, table, first, 12, queue)

    one, two = decide(name, site, seen), decide(name, site, seen)

    assert one.stage == two.stage
    assert one.reason == two.reason


def test_a_change_that_is_not_granted_is_taken_back(site: Site, table: StageTable) -> None:
    first, second = table.cycle[:2]
    queue = standing(site, dict.fromkeys(lanes_of(site, table, second, first), 6))
    controller = make_controller(
        ControllerSpec(name="lvbo"), Situation(site=site, order=Order.SKIP, params={})
    )
    seen = look(site, table, first, 40, queue)
    stages = []
    for k in range(4):
        later = replace(seen, time_s=1000 + k, seen_s=1000 + k, since_s=seen.since_s + k)
        stages.append(controller.decide(later).stage)

    assert stages[0] == second
    assert first in stages[1:]


@pytest.mark.parametrize("watch", ["protected", "all"])
def test_those_who_yield_extend_a_green_only_where_all_lanes_are_watched(
    site: Site, table: StageTable, watch: str
) -> None:
    first, second = table.cycle[:2]
    yielding = lanes_of(site, table, first, second)[0]
    serves = site.serves.copy()
    of_lane = table.greens[first][:, None] & site.uses[yielding][None, :] & (serves > NONE)
    serves[of_lane] = YIELDING
    shared = replace(site, serves=serves)
    vehicles = busy_and_one(shared, table, pace=8.0)
    there = np.isin(vehicles.zone, [zone_of(site, yielding), vehicles.zone[-1]])
    seen = look(shared, table, first, 20, some_of(vehicles, there))
    situation = Situation(site=shared, order=Order.SKIP, params={"watch": watch})
    wish = make_controller(ControllerSpec(name="actuated"), situation).decide(seen)

    assert wish.stage == (first if watch == "all" else second)


def zone_of(site: Site, lane: int) -> int:
    return next(k for k, zone in enumerate(site.zones) if zone.lanes == (lane,))


def some_of(vehicles: Vehicles, which: np.ndarray) -> Vehicles:
    return Vehicles(**{f.name: getattr(vehicles, f.name)[which] for f in fields(vehicles)})
