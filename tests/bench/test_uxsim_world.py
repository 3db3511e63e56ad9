# SPDX-License-Identifier: Apache-2.0
"""UXsim's world: plans in its steps, and, where it is installed, what it makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from lvbo.bench.grids import Grid, make_grid_at
from lvbo.bench.uxsim_world import Trips, WorldSignal, delay_vehs, read_trips, signal_of
from lvbo.network.place import Turn


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    return make_grid_at(tmp_path_factory.mktemp("grid"), side=2, saturation=0.7, seed=2)


def going(signal: WorldSignal, step_s: int, steps: int) -> list[int]:
    """Return the interval of each step, by UXsim's own rule for going on to the next."""
    interval, passed_s = 0, 0.0
    found = []
    for _ in range(steps):
        if passed_s > signal.lengths_s[interval]:
            interval, passed_s = (interval + 1) % len(signal.lengths_s), 0.0
        passed_s += step_s
        found.append(interval)
    return found


@pytest.mark.parametrize("begin_s", [0, 37])
def test_a_link_goes_in_the_seconds_in_which_its_through_lanes_have_green(
    grid: Grid, begin_s: int
) -> None:
    for shipped in grid.scenario.plans.plans:
        plan = shipped.at_offset(200)
        rules = grid.network.controller_index[plan.controller].rules
        signal = signal_of(grid.network, plan, begin_s, 1)
        intervals = going(signal, 1, 180)
        assert len(signal.greens) == 4
        for movement in grid.network.movements:
            if plan.controller not in movement.controllers or movement.turn is Turn.LEFT:
                continue
            (phase,) = rules.phases_of(movement.id)
            (window,) = plan.windows_of(phase)
            local = [plan.local_ds(10 * (begin_s + t)) for t in range(180)]
            expected = [(x - window.start_ds) % 900 < window.length_ds for x in local]
            assert [k in signal.greens[movement.from_link] for k in intervals] == expected


def test_steps_of_five_seconds_keep_the_cycle(grid: Grid) -> None:
    for plan in grid.scenario.plans.plans:
        signal = signal_of(grid.network, plan, 0, 5)
        intervals = going(signal, 5, 36)

        assert intervals[:18] == intervals[18:]
        assert all(signal.greens.values())


def test_trips_are_those_of_the_file_in_order(grid: Grid) -> None:
    trips = read_trips(grid.scenario)

    assert len(trips.routes) == pytest.approx(grid.veh_ph / 2, abs=1)
    assert list(trips.departs_s) == sorted(trips.departs_s)
    links = grid.network.link_index
    for route in trips.routes:
        assert len(set(route)) == len(route)
        assert all(links[a].end == links[b].start for a, b in pairwise(route))


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What UXsim keeps of a link: vehicles come and gone by step."""

    cum_arrival: list[float]
    cum_departure: list[float]


@dataclass(frozen=True, kw_only=True)
class World:
    """A finished run in which one link was driven on."""

    link: str
    curves: Curves
    steps: int
    DELTAT: float = 5.0

    def get_link(self, name: str) -> Curves:
        return (
            self.curves
            if name == self.link
            else Curves(cum_arrival=[0.0] * self.steps, cum_departure=[0.0] * self.steps)
        )


def test_delay_is_time_on_links_beyond_free_flow_and_time_before_the_entry(grid: Grid) -> None:
    scenario = replace(grid.scenario, warm_up_s=20, end_s=40)
    network = grid.network
    entry = next(link for link in network.links if not link.start[0].isupper())
    came = [0.0, 0, 0, 0, 0, 1, 1, 2]
    gone = [0.0, 0, 0, 0, 0, 0, 0, 1]
    world = World(link=str(entry.id), curves=Curves(cum_arrival=came, cum_departure=gone), steps=8)
    trips = Trips(routes=((entry.id,), (entry.id,)), departs_s=(12.0, 25.0))
    on_link_s = 5 * (0 + 1 + 1 + 1)
    before_s = 5 * (1 + 1 + 1 + 0)
    free_s = entry.length_m / entry.speed_mps

    assert delay_vehs(world, scenario, trips) == pytest.approx(on_link_s + before_s - free_s)
