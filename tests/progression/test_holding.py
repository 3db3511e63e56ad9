# SPDX-License-Identifier: Apache-2.0
"""Red waves: the forecast on a stretch that can be counted by hand, and gates on a small street."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.streets import flat_demand, four_signals

from lvbo.errors import InputError
from lvbo.ids import ControllerId, LinkId
from lvbo.network.network import Network
from lvbo.progression.holdflow import Stretch, hold
from lvbo.progression.holding import cut_green, hold_before
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DayPlan, Period
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import Volumes, mean_volumes, time_plans

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
TWO = Stretch(
    room=(100.0, 10.0),
    drive_s=(5, 5),
    back_s=(2, 4),
    saturation_vps=(0.5, 0.5),
    through=(1.0, 1.0),
    apart=(0.0, 0.0),
    reach=(100.0, 100.0),
    side_vps=(0.0, 0.0),
    demand_vps=0.2,
    full=1,
)


def greens(*spans: tuple[int, int], cycle: int = 40) -> np.ndarray:
    """Return the green of each stop line, one candidate."""
    found = np.zeros((len(spans), cycle, 1), dtype=bool)
    for row, (start, end) in zip(found, spans, strict=True):
        row[start:end] = True
    return found


def test_a_full_section_takes_only_what_leaves_it() -> None:
    """10 s of green let 5 out in each cycle; 8 come. So 5 enter after the first cycle or two."""
    found = hold(TWO, greens((0, 20), (0, 10)), cycles=5)

    assert found.inflow[1:, 0] == pytest.approx([5.0] * 4)
    assert found.most[1, 0] == pytest.approx(10.0, abs=0.5)
    assert found.most[0, 0] > 10


def test_green_before_places_have_come_free_finds_no_room() -> None:
    """Places come free from 4 s after the green at its end on: the first green finds none of 5."""
    early, late = (
        hold(TWO, greens(gate, (20, 30)), cycles=5).blocked[0] for gate in ((0, 10), (25, 35))
    )

    assert late == pytest.approx(0.0, abs=0.1)
    assert early == pytest.approx(5.0)


def test_no_vehicle_is_lost_and_no_section_holds_more_than_fits() -> None:
    busy = replace(TWO, demand_vps=0.45, side_vps=(0.0, 0.1))
    found = hold(busy, greens((0, 20), (5, 15)), cycles=6)
    calm = hold(busy, greens((0, 20), (0, 40)), cycles=6)

    assert found.most[1, 0] <= 10.0 + 1e-9
    assert calm.inflow.sum() == pytest.approx(6 * 40 * 0.1 + min(6 * 18, 6 * 10), rel=0.1)


def test_who_turns_off_waits_where_the_queue_has_closed_his_lane() -> None:
    """Of 8 in a cycle 2 turn off; shut in they leave as those around them, 5 and 5 / 3 in each."""
    apart = replace(TWO, through=(1.0, 0.75), apart=(0.0, 0.25))
    free = hold(apart, greens((0, 20), (0, 10)), cycles=6)
    shut = hold(replace(apart, reach=(100.0, 1.0)), greens((0, 20), (0, 10)), cycles=6)
    among = hold(replace(apart, apart=(0.0, 0.0)), greens((0, 20), (0, 10)), cycles=6)

    assert free.inflow[2:, 0] == pytest.approx([20 / 3] * 4, abs=0.2)
    assert shut.inflow[2:, 0] == pytest.approx([20 / 3] * 4, abs=0.2)
    assert among.inflow[2:, 0] == pytest.approx([20 / 3] * 4, abs=0.2)
    assert free.inflow[0, 0] > shut.inflow[0, 0] + 0.3
    assert shut.inflow[:, 0] == pytest.approx(among.inflow[:, 0], abs=0.05)


# a street ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def starved(network: Network) -> tuple[dict[ControllerId, Plan], Volumes]:
    """Return plans in which the last signal lets out less than comes, and the volumes."""
    demand = flat_demand(network, 600.0, 60.0)
    plans = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=90, most_s=90))
    running = dict(plans.running("workday", 0))
    last = network.corridors[0].stops[-1]
    own = ControllerId("D0")
    thin = cut_green(running[own], network.controller_index[own], last.outbound_phases, 200)
    assert thin is not None
    return {**running, own: thin}, mean_volumes(demand)


def test_a_red_wave_keeps_vehicles_from_green_without_room(
    network: Network, starved: tuple[dict[ControllerId, Plan], Volumes]
) -> None:
    plans, volumes = starved
    corridor = network.corridors[0]
    made = hold_before(network, corridor, plans, volumes, corridor.outbound[2].links[-1])

    assert [gate.controller for gate in made.gates] == ["A0", "B0", "C0"]
    assert made.blocked < 0.7 * made.blocked_before
    assert sum(made.inflow) > 0.9 * sum(made.inflow_before)
    assert made.findings[0].code == "LV467"
    assert all(gate.held <= gate.room for gate in made.gates)
    assert all(is_safe(p, network.controller_index[p.controller].rules) for p in made.plans)
    assert all(p.cycle_ds == plans[p.controller].cycle_ds for p in made.plans)


def test_plans_stay_where_nobody_has_green_without_room(
    network: Network, starved: tuple[dict[ControllerId, Plan], Volumes]
) -> None:
    plans, volumes = starved
    corridor = network.corridors[0]
    few = {m: 0.02 * v for m, v in volumes.items()}
    made = hold_before(network, corridor, plans, few, corridor.outbound[2].links[-1])

    assert [f.code for f in made.findings] == ["LV469"]
    assert list(made.plans) == [plans[gate.controller] for gate in made.gates]


def test_a_gate_that_would_fill_is_named(
    network: Network, starved: tuple[dict[ControllerId, Plan], Volumes]
) -> None:
    plans, volumes = starved
    corridor = network.corridors[0]
    heavy = {m: 2.0 * v for m, v in volumes.items()}
    made = hold_before(
        network, corridor, plans, heavy, corridor.outbound[2].links[-1], most_gates=1
    )

    assert [f.place for f in made.findings if f.code == "LV468"] == ["C0"]


def test_green_taken_from_the_street_goes_to_another_stage(
    network: Network, starved: tuple[dict[ControllerId, Plan], Volumes]
) -> None:
    plan = starved[0][ControllerId("B0")]
    phases = network.corridors[0].stops[1].outbound_phases
    made = cut_green(plan, network.controller_index[plan.controller], phases, 60)

    assert made is not None
    assert made.cycle_ds == plan.cycle_ds
    assert made.offset_ds == plan.offset_ds
    assert sum(plan.green_ds(p) - made.green_ds(p) for p in phases) == 60
    assert cut_green(plan, network.controller_index[plan.controller], phases, 900) is None


def test_a_section_that_is_not_on_the_street_is_refused(
    network: Network, starved: tuple[dict[ControllerId, Plan], Volumes]
) -> None:
    plans, volumes = starved

    with pytest.raises(InputError) as refused:
        hold_before(network, network.corridors[0], plans, volumes, LinkId("no"))

    assert refused.value.code == "LV466"
