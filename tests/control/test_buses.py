# SPDX-License-Identifier: Apache-2.0
"""Buses at the adaptive controller: how much those aboard count, and where that ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import LANE, crossroads

from lvbo.control.adaptive import MOST_ABOARD, AdaptiveController, _aboard
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

CAR, BUS = 1.3, 12.0
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


def test_a_bus_that_waits_is_served_before_a_car_that_comes_and_a_car_is_not(
    site: Site, table: StageTable
) -> None:
    coming: Seen = (NS, 140.0, 14.0, CAR)
    served = int(np.flatnonzero(table.greens[:, site.phases.index(EW)])[0])

    assert chosen(site, table, [coming, (EW, 2.0, 0.0, BUS)], 1.0) == served
    assert chosen(site, table, [coming, (EW, 2.0, 0.0, BUS)], 0.0) == 0
    assert chosen(site, table, [coming, (EW, 2.0, 0.0, CAR)], 1.0) == 0


def test_those_aboard_count_a_head_each_shared_out_over_their_lane(site: Site) -> None:
    """Two cars and a bus stand, one more is expected: 1 + (12 / 1.3 - 1) / 4 cars a vehicle.

    The other three lanes have four cars each. All sixteen vehicles count sixteen.
    """
    state = lanes_of(site, queue=3.0, present=3.0, expected=1.0, load=(BUS + 2 * CAR) / 3 / CAR)
    for bus in (1.0, 0.5):
        weight = _aboard(state, bus)

        assert weight[0] / weight[1] == pytest.approx(1 + bus * (BUS / CAR - 1) / 4)
        assert 4 * weight.sum() == pytest.approx(16)
        assert (weight[1:] == weight[1]).all()
    assert (_aboard(state, 0.0) == 1.0).all()


def test_a_bus_is_never_less_than_a_car_and_never_more_than_the_most(site: Site) -> None:
    for load in (0.0, 0.3, 1.0, 50.0):
        weight = _aboard(lanes_of(site, queue=1.0, present=1.0, expected=0.0, load=load), 1.0)

        assert weight[0] / weight[1] == pytest.approx(MOST_ABOARD if load > 1 else 1.0)


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
    situation = Situation(site=site, order=Order.ANY, params={"bus": 0.0})
    rows: list[Seen] = [(NS, 140.0, 14.0, CAR), (EW, 2.0, 0.0, BUS)]
    seen = look(site, stage_table(site, Order.ANY), rows)

    assert make_controller(ControllerSpec(name="lvbo"), situation).decide(seen).stage == 0
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
    loops = Loops(
        lane=np.arange(4), distance_m=np.full(4, 2.0), passed=np.zeros(4), occupied=np.zeros(4)
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


def lanes_of(
    site: Site, *, queue: float, present: float, expected: float, load: float
) -> LaneState:
    count = len(site.lanes)
    arrivals = np.zeros((count, 90), dtype=np.float32)
    arrivals[:, 40] = expected
    none = np.zeros(count)
    loads = np.ones(count)
    loads[0] = load
    return LaneState(
        queue=none + queue,
        arrivals=arrivals,
        present=none + present,
        near=none,
        wait_s=none,
        left=none,
        rate_vps=none,
        gap_s=none,
        head=np.full(count, -1),
        stands=np.zeros(count, dtype=bool),
        load=loads,
    )
