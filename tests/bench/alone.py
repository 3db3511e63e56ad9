# SPDX-License-Identifier: Apache-2.0
"""A small model of our own for the model bench: every signal by itself, arrivals at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.fast import Plans
from lvbo.demand.saturation import saturations
from lvbo.ids import MovementId
from lvbo.network.network import Network
from lvbo.timing.delay import Conditions, control_delay


@dataclass(frozen=True, kw_only=True)
class Alone:
    """Webster's and HCM's delay of each movement, on the flow its lanes let go."""

    network: Network
    volumes_vph: Mapping[MovementId, float]
    window_s: tuple[int, int]
    name: str = "alone"

    def written(self, plans: Sequence[Plans]) -> Sequence[Plans]:
        return plans

    def delays_vehs(self, written: object) -> NDArray[np.float64]:
        plans = cast("Sequence[Plans]", written)
        flow = {s.lane: s.flow_vph for s in saturations(self.network)}
        hours = (self.window_s[1] - self.window_s[0]) / 3600
        found = []
        for one in plans:
            total = 0.0
            for movement in self.network.movements:
                volume = self.volumes_vph[movement.id]
                if volume == 0 or not movement.controllers:
                    continue
                plan = one[movement.controllers[0]]
                rules = self.network.controller_index[plan.controller].rules
                green_s = max(plan.green_ds(p) for p in rules.phases_of(movement.id)) / 10
                lanes = sum(
                    flow[lane] / len(self.network.lane_movements[lane]) for lane in movement.lanes
                )
                delay_s = control_delay(
                    volume, lanes, green_s, plan.cycle_s, Conditions(period_h=hours)
                )
                total += float(delay_s) * volume * hours
            found.append(total)
        return np.array(found)

    def flops(self) -> float:
        return 30.0 * len(self.network.movements)

    def bytes_moved(self) -> float:
        return 64.0 * len(self.network.movements)


def alone(
    network: Network, volumes_vph: Mapping[MovementId, float], window_s: tuple[int, int]
) -> Alone:
    return Alone(network=network, volumes_vph=volumes_vph, window_s=window_s)
