# SPDX-License-Identifier: Apache-2.0
"""What stops and passengers are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvbo.ids import ControllerId, MovementId
from lvbo.network.network import Network
from lvbo.optimize.aims import OBJECTIVES, STOP_CO2_S, Aim, objective_of, passenger_worth
from lvbo.optimize.mesh import Traits, build_mesh
from lvbo.timing.model import ControllerModel
from lvbo.timing.plans import Volumes

WEST = MovementId("west")


def test_the_price_of_a_stop_in_fuel_is_that_of_the_motion_lost() -> None:
    energy_kj = 1400 * 12.5**2 / 2 / 1000

    assert energy_kj == 109.375
    assert pytest.approx(energy_kj * 0.09 / (1350 / 3600), abs=0.01) == STOP_CO2_S


def test_every_aim_has_prices_and_they_rise_with_what_stops_are_worth() -> None:
    rising = [objective_of(aim).stop_s for aim in (Aim.DELAY, Aim.BALANCED, Aim.CO2, Aim.STOPS)]

    assert set(OBJECTIVES) == set(Aim)
    assert rising == sorted(rising)
    assert objective_of(Aim.QUEUES).spill_s > objective_of(Aim.BALANCED).spill_s


def test_forty_buses_of_twelve_among_four_hundred_vehicles() -> None:
    persons = (40 * 12 + 360 * 1.3) / 400

    assert passenger_worth({WEST: 400.0}, {WEST: 40.0})[WEST] == pytest.approx(persons / 1.3)
    assert passenger_worth({WEST: 400.0}, {WEST: 0.0}) == {}
    assert passenger_worth({}, {WEST: 6.0})[WEST] == pytest.approx(12 / 1.3)


def test_a_queue_counts_what_its_movements_do(
    network: Network, models: dict[ControllerId, ControllerModel], volumes: Volumes
) -> None:
    plain = build_mesh(network, models, volumes)
    queue = plain.queues[0]
    moves = {plain.models[queue.signal].movements[m]: 3.0 for m, _, _ in queue.turns}
    mesh = build_mesh(network, models, volumes, traits=replace(Traits(), worth=moves))

    assert set(plain.arrays.weight) == {1.0}
    assert mesh.arrays.weight[0] == pytest.approx(3.0)
    assert (mesh.arrays.weight == 1.0).any()
