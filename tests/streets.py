# SPDX-License-Identifier: Apache-2.0
"""A generated street of four signals with side streets, and traffic that is the same everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.io.sumo_nets import generate

from lvbo.demand.demand import Demand
from lvbo.io.sumo_net import read_network
from lvbo.network.network import Network


def four_signals(folder: Path) -> Network:
    return read_network(four_signals_file(folder))


def four_signals_file(folder: Path) -> Path:
    options = ["--grid", "--grid.x-number=4", "--grid.y-number=1", "--grid.length=300"]
    options += ["--grid.attach-length=200", "--default-junction-type=traffic_light"]
    return generate(folder, *options, "--default.lanenumber=2")


def flat_demand(network: Network, through_vph: float, turn_vph: float) -> Demand:
    movements = tuple(m.id for m in network.movements)
    turns = [network.movement_index[m].turn for m in movements]
    volumes = np.array([[[through_vph if t == "through" else turn_vph for t in turns]]])
    return Demand(
        days=("day",),
        day_types=("workday",),
        first_s=0,
        slot_s=86_400,
        slots=1,
        movements=movements,
        volume_vph=volumes,
        lower_vph=volumes.copy(),
        upper_vph=volumes.copy(),
        saturated=np.zeros(volumes.shape, dtype=np.bool_),
        saturations=(),
    )
