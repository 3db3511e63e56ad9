# SPDX-License-Identifier: Apache-2.0
"""Buses at the adaptive controller: how much those aboard count, and where that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import LANE, crossroads

from lvbo.control.adaptive import AdaptiveController
from lvbo.control.buses import MOST, BusEye
from lvbo.control.eyes import Eyes
from lvbo.control.loop_eye import Aboard, no_loops
from lvbo.control.protocols import LaneState, Loops, Observation, Order, Vehicles
from lvbo.control.registry import ControllerSpec, Situation, make_controller
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.errors import UsageError
from lvbo.ids import PhaseId
from lvbo.simulation.sensing import Eye, parse_sensing
from lvbo.testing import EW, NS

CAR, BUS, FULL_BUS = 1.3, 12.0, 30.0
Seen = tuple[PhaseId, float, float, float]
"""Phase of the lane, distance to the stop line in m, speed in m/s, persons."""


@pytest.fixture(scope="module")
def site() -> Site:
    return crossroads()


@pytest.fixture(scope="module")
def table(site: Site) -> StageTable:
    return stage_table(site, Order.ANY)


def vehicles(rows: list[Seen]) -> Vehicles:
    return Vehicles(
        key=np.arange(len(rows)),
        zone=np.array([LANE[row[0]] for row in rows], dtype=np.int64),
        distance_m=np.array([row[1] for row in rows]),
        speed_mps=np.array([row[2] for row in rows]),
        wait_s=np.where(np.array([row[2] for row in rows]) > 0, 0.0, 5.0),
        persons=np.array([row[3] for row in rows]),
    )


def look(site: Site, table: StageTable, rows: list[Seen], age_s: int = 20) -> Observation:
    shows = np.array([int(phase.shows) for phase in site.rules.phases])
    return Observation(
        controller=site.id,
        time_s=1000,
        seen_s=1000,
        lamps=np.where(table.greens[0], shows, 0),
        since_s=np.full(len(site.phases), age_s, dtype=np.int64),
        vehicles=vehicles(rows),
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=np.zeros(len(site.phases), dtype=bool),
    )


def chosen(site: Site, table: StageTable, rows: list[Seen], bus: float, age_s: int = 20) -> int:
    seen = look(site, table, rows, age_s)
    return AdaptiveController(site, table, bus=bus).decide(seen).stage


@pytest.mark.parametrize("first_m", [100.0, 120.0, 140.0])
def test_a_bus_that_waits_is_served_before_cars_that_come_and_a_car_is_not(
    site: Site, table: StageTable, first_m: float
) -> None:
    coming: list[Seen] = [(NS, first_m + 25.0 * k, 14.0, CAR) for k in range(3)]
    served = int(np.flatnonzero(table.greens[:, site.phases.index(EW)])[0])

    assert chosen(site, table, [*coming, (EW, 2.0, 0.0, FULL_BUS)], 1.0) == served
    assert chosen(site, table, [*coming, (EW, 2.0, 0.0, FULL_BUS)], 0.0) == 0
    assert chosen(site, table, [*coming, (EW, 2.0, 0.0, CAR)], 1.0) == 0


def test_a_bus_has_left_when_those_before_it_and_itself_have(site: Site) -> None:
    """Five stand, the bus is the third: 2 and 9 m, then 16 m back, worth 12 / 1.3 - 1 cars."""
    state = lanes_of(site, queue=5.0)
    seen = vehicles([(EW, 2.0, 0.0, CAR), (EW, 9.0, 0.0, CAR), (EW, 14.0, 0.0, BUS)])
    buses = BusEye(site).look(seen, state, 1.0)
    half = BusEye(site).look(seen, state, 0.5)

    assert buses.ahead[LANE[EW]] == pytest.approx(3.0)
    assert buses.comes_s[LANE[EW]] == 0
    assert buses.riders[LANE[EW]] == pytest.approx(BUS / CAR - 1)
    assert half.riders[LANE[EW]] == pytest.approx((BUS / CAR - 1) / 2)
    assert half.ahead[LANE[EW]] == pytest.approx(3.0)
    assert buses.riders[LANE[NS]] == 0


def test_a_bus_that_drives_comes_behind_the_queue_and_those_before_it(site: Site) -> None:
    """Two stand; it is 140 m away at 14 m/s, 10 s, and one more comes before it."""
    state = lanes_of(site, queue=2.0, expected={4: 1.0, 10: 1.0, 30: 5.0})
    buses = BusEye(site).look(vehicles([(EW, 140.0, 12.0, BUS)]), state, 1.0)

    assert buses.comes_s[LANE[EW]] == 10
    assert buses.ahead[LANE[EW]] == pytest.approx(4.0)


def test_a_bus_at_its_stop_waits_for_nobodys_green(site: Site) -> None:
    state = lanes_of(site, queue=2.0)
    buses = BusEye(site).look(vehicles([(EW, 120.0, 0.0, BUS)]), state, 1.0)

    assert not buses.riders.any()


def test_a_bus_is_never_less_than_a_car_and_never_more_than_the_most(site: Site) -> None:
    state = lanes_of(site, queue=1.0)
    for persons, riders in ((0.0, 0.0), (CAR, 0.0), (2.0, 0.0), (500.0, MOST)):
        buses = BusEye(site).look(vehicles([(EW, 2.0, 0.0, persons)]), state, 1.0)

        assert buses.riders[LANE[EW]] == riders


def test_buses_do_not_keep_a_car_beyond_the_longest_red(site: Site, table: StageTable) -> None:
    rules = site.rules
    short = replace(
        site,
        controller=replace(
            site.controller,
            rules=rules.with_limits(replace(limit, max_red_ds=1200) for limit in rules.limits),
        ),
    )
    full: list[Seen] = [(NS, 5.0 + 14.0 * k, 9.0, BUS if k < 2 else CAR) for k in range(12)]
    rows = [*full, (EW, 2.0, 0.0, CAR)]

    assert chosen(short, table, rows, 1.0, age_s=40) == 0
    assert chosen(short, table, rows, 1.0, age_s=118) != 0


def test_how_much_buses_count_is_a_setting_by_name(site: Site) -> None:
    situation = Situation(site=site, order=Order.ANY, params={"bus": 1.0})
    rows: list[Seen] = [(NS, 140.0, 14.0, CAR), (EW, 2.0, 0.0, BUS)]
    seen = look(site, stage_table(site, Order.ANY), rows)

    assert make_controller(ControllerSpec(name="lvbo"), situation).decide(seen).stage != 0
    bare = replace(situation, params={})
    assert make_controller(ControllerSpec(name="lvbo"), bare).decide(seen).stage == 0
    with pytest.raises(UsageError, match="LV731"):
        make_controller(ControllerSpec(name="lvbo"), replace(situation, params={"tram": 1.0}))


def test_beside_loops_only_the_buses_that_report_count_as_more_than_cars(site: Site) -> None:
    aboard = Aboard(site)
    present = np.array([0.0, 0.0, 4.0, 0.0])
    here = aboard.load(vehicles([(EW, 20.0, 0.0, BUS)]), present)

    assert here[LANE[EW]] == pytest.approx((3 + BUS / CAR) / 4)
    assert here[LANE[NS]] == 1.0
    assert (aboard.load(None, present) == 1.0).all()


def test_a_site_of_loops_sees_a_reporting_bus(site: Site, table: StageTable) -> None:
    nothing = np.zeros(4)
    loops = Loops(
        lane=np.arange(4),
        distance_m=np.full(4, 2.0),
        share=np.ones(4),
        passed=nothing,
        occupied=nothing,
    )
    seen = look(site, table, [(EW, 30.0, 8.0, BUS)])
    eyes = Eyes(site)
    state = eyes.look(replace(seen, loops=loops, sampled=True))

    assert state.load[LANE[EW]] == pytest.approx(BUS / CAR)
    assert state.queue.sum() == 0
    assert (eyes.look(replace(seen, loops=no_loops(), vehicles=None)).load == 1.0).all()


def test_buses_report_beside_loops_where_sensing_says_so() -> None:
    loops, bare, area = (parse_sensing(x) for x in ("loops+buses", "loops", "area+buses"))

    assert loops.eye is Eye.LOOPS
    assert (loops.shows_vehicles, loops.is_sampled) == (True, True)
    assert (bare.shows_vehicles, bare.is_sampled) == (False, False)
    assert (area.shows_vehicles, area.is_sampled) == (True, False)


def lanes_of(site: Site, *, queue: float, expected: Mapping[int, float] | None = None) -> LaneState:
    """Return the same on all lanes: who stands, and who comes in which second."""
    count = len(site.lanes)
    arrivals = np.zeros((count, 90), dtype=np.float32)
    for second, many in (expected or {}).items():
        arrivals[:, second] = many
    none = np.zeros(count)
    return LaneState(
        queue=none + queue,
        arrivals=arrivals,
        present=none + queue,
        near=none,
        wait_s=none,
        left=none,
        rate_vps=none,
        gap_s=none,
        head=np.full(count, -1),
        stands=np.zeros(count, dtype=bool),
        load=np.ones(count),
        endless=np.ones(count, dtype=bool),
    )
