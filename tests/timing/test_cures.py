# SPDX-License-Identifier: Apache-2.0
"""What is said of a signal that does not serve its demand, and what would cure it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.io.sumo_nets import cross

from lvbo.demand.saturation import saturations
from lvbo.errors import Finding
from lvbo.ids import MovementId
from lvbo.io.sumo_net import read_network
from lvbo.network.network import Network
from lvbo.timing.build_model import build_model
from lvbo.timing.cures import diagnose, hours_to_clear, served
from lvbo.timing.model import ControllerModel, Timing

Volumes = dict[MovementId, float]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return read_network(cross(tmp_path_factory.mktemp("cross"), lanes=3))


def volumes(network: Network, *, through: float = 500.0, turn: float = 60.0) -> Volumes:
    return {m.id: through if m.turn == "through" else turn for m in network.movements}


def designed(network: Network, wanted: Volumes) -> tuple[ControllerModel, Timing]:
    table = {s.lane: s for s in saturations(network)}
    made = build_model(network, network.controllers[0], table, wanted)
    return made, made.design(wanted)


def found(network: Network, wanted: Volumes) -> tuple[Finding, ...]:
    return diagnose(*designed(network, wanted), wanted, "C am")


def test_a_signal_with_reserve_is_told_nothing(network: Network) -> None:
    assert found(network, volumes(network, through=200.0, turn=20.0)) == ()


def test_over_capacity_every_movement_that_wants_more_is_named_with_its_x(
    network: Network,
) -> None:
    wanted = volumes(network, through=2600.0, turn=150.0)
    made, timing = designed(network, wanted)
    given = served(made, timing, wanted)
    said = [f for f in diagnose(made, timing, wanted, "C am") if f.code in {"LV520", "LV526"}]
    over = {m for m, x in zip(made.movements, given.x, strict=True) if x > 1}

    ranks = [float(str(f.fields["x"])) for f in said]

    assert over
    assert {f.fields["movement"] for f in said} == over
    assert ranks == sorted(ranks, reverse=True)
    assert {f.place for f in said} == {"C am"}


def test_over_capacity_a_cure_is_named(network: Network) -> None:
    codes = {f.code for f in found(network, volumes(network, through=2600.0, turn=150.0))}

    assert "LV560" in codes
    assert codes & {"LV521", "LV522", "LV523"}


def test_the_capacity_of_a_lane_alone_is_its_flow_over_its_x(network: Network) -> None:
    wanted = volumes(network)
    made, timing = designed(network, wanted)
    given = served(made, timing, wanted)

    assert (made.shares @ given.volume_vph).tolist() == pytest.approx(given.lane_vph.tolist())
    for m in range(len(made.movements)):
        lanes = np.flatnonzero(made.shares[:, m])
        assert given.x[m] <= given.lane_x[lanes].max() + 1e-9
        assert given.x[m] >= given.lane_x[lanes].min() - 1e-9


def test_a_spare_movement_beside_a_full_one_is_named_as_a_cure(network: Network) -> None:
    wanted = volumes(network, through=150.0, turn=20.0)
    left = next(m for m in network.movements if m.leg == "N" and m.turn == "left")
    wanted[left.id] = 1500.0
    said = [f.fields for f in found(network, wanted) if f.code == "LV521"]
    mates = {m.id for m in network.movements if m.leg == "N"} - {left.id}

    assert said[0]["movement"] == left.id
    assert said[0]["other"] in mates


def test_a_queue_longer_than_its_lane_is_found_also_below_capacity(network: Network) -> None:
    wanted = volumes(network, through=700.0, turn=60.0)
    made, timing = designed(network, wanted)
    short = replace(made, storage_m=np.full(len(made.lanes), 15.0))
    given = served(made, timing, wanted)
    said = diagnose(short, timing, wanted, "C am")

    assert given.lane_x.max() < 1
    assert said
    assert {f.code for f in said} == {"LV524"}
    assert {f.fields["storage_m"] for f in said} == {15}


def test_a_queue_clears_after_the_period_when_less_arrives() -> None:
    # x = 1.2: (1200 - 1000) / 4 = 50 veh are left; later 840 arrive and 160 veh/h have room.
    assert hours_to_clear(1200.0, 1000.0, 0.25) == pytest.approx(50 / 160)
    assert hours_to_clear(900.0, 1000.0, 0.25) == 0.0


def test_a_queue_that_never_shrinks_lasts_for_ever() -> None:
    assert math.isinf(hours_to_clear(1500.0, 1000.0, 0.25))
