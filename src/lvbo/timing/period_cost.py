# SPDX-License-Identifier: Apache-2.0
"""What it costs to run a plan at a time of day it was not made for: candidate plans times slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.demand import Demand
from lvbo.ids import ControllerId, LaneId, MovementId
from lvbo.network.network import Network
from lvbo.timing.delay import control_delay
from lvbo.timing.model import ControllerModel, CycleLimits, Timing
from lvbo.timing.plans import Group, controller_models, time_groups

Array = NDArray[np.float64]
CANDIDATES = 7
COARSE = CycleLimits(step_s=20)
LEAST_VPH = 10.0
SEEK_CYCLES = 3.0
"""How many cycles a signal takes to a new offset (2 to 5 in the literature)."""
SEEK_LOSS = 0.25
"""By how much delay grows meanwhile."""
LEAST_CHANGE = 0.3


class PlanCosts(Protocol):
    """What the search for periods must know of plans."""

    def candidates(self, volumes_vph: Array) -> int:
        """Design a plan for each row of volumes (rows, movements) and return how many there are."""
        ...

    def delays(self, volumes_vph: Array) -> Array:
        """Return veh-s per hour of each plan at each row of volumes, shape (plans, rows)."""
        ...

    def changes(self, delay_vehs_ph: float) -> Array:
        """Return veh-s lost in a switch between each two plans, shape (plans, plans)."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class _Passing:
    """What one timing lets pass: saturation flow, effective green and cycle of each lane."""

    saturation_vph: Array
    green_s: Array
    cycle_s: int


@dataclass(kw_only=True)
class ModelCosts:
    """Costs by the controllers' own models: each candidate is a real timing of every controller.

    A timing's capacity per lane comes from the model at the volumes it was made for; its delay at
    other volumes is d1 + d2 (HCM 7, eq. 19-18).
    """

    network: Network
    demand: Demand
    controllers: tuple[ControllerId, ...]
    limits: CycleLimits = COARSE
    models: tuple[ControllerModel, ...] = ()
    timings: tuple[dict[ControllerId, Timing], ...] = ()
    passing: tuple[tuple[_Passing, ...], ...] = ()

    def candidates(self, volumes_vph: Array) -> int:
        """Design all controllers at a common cycle for each row; models are built once."""
        movements = self.demand.movements
        self.models = tuple(
            model
            for model in controller_models(self.network, self.demand)
            if model.controller.id in self.controllers
        )
        by_id = {model.controller.id: model for model in self.models}
        group = (Group(controllers=self.controllers),)
        made = [
            dict(zip(movements, row.tolist(), strict=True)) for row in np.nan_to_num(volumes_vph)
        ]
        self.timings = tuple(time_groups(by_id, at, group, self.limits) for at in made)
        self.passing = tuple(
            tuple(
                self._passing(model, timing[model.controller.id], at)
                for timing, at in zip(self.timings, made, strict=True)
            )
            for model in self.models
        )
        return len(self.timings)

    def _passing(
        self, model: ControllerModel, timing: Timing, made_for: Mapping[MovementId, float]
    ) -> _Passing:
        lanes_vph = np.maximum(model.lane_volumes(made_for), LEAST_VPH)
        _, degree = model.lane_results(timing, lanes_vph)
        known = self.demand.saturation_index
        flows = np.array([known[lane].flow_vph for lane in model.lanes])
        share = np.clip(lanes_vph / np.maximum(degree, 1e-6) / flows, 0.01, 1.0)
        return _Passing(
            saturation_vph=flows, green_s=share * timing.cycle_s, cycle_s=timing.cycle_s
        )

    def delays(self, volumes_vph: Array) -> Array:
        """Return veh-s per hour of each candidate at each row, shape (candidates, rows)."""
        column = self.demand.movement_column
        out = np.zeros((len(self.timings), len(volumes_vph)))
        for model, passing in zip(self.models, self.passing, strict=True):
            own = np.nan_to_num(volumes_vph[:, [column[m] for m in model.movements]])
            lanes_vph = own @ model.shares.T
            for p, one in enumerate(passing):
                each_s = control_delay(lanes_vph, one.saturation_vph, one.green_s, one.cycle_s)
                out[p] += (lanes_vph * each_s).sum(axis=1)
        return out

    def changes(self, delay_vehs_ph: float) -> Array:
        """Return the cost of switches: some cycles of more delay, by how far the plans differ."""
        n = len(self.timings)
        out = np.zeros((n, n))
        for p in range(n):
            for q in range(n):
                apart = _apart(self.timings[p], self.timings[q])
                cycle_s = np.mean([t.cycle_s for t in self.timings[q].values()])
                lost = SEEK_LOSS * SEEK_CYCLES * cycle_s / 3600 * delay_vehs_ph
                out[p, q] = lost * apart if p != q else 0.0
        return out


def _apart(a: dict[ControllerId, Timing], b: dict[ControllerId, Timing]) -> float:
    """Return how far two sets of timings differ: 0.3 for the same to 1, by cycle and greens."""
    found = []
    for controller, one in a.items():
        other = b[controller]
        if one.order != other.order:
            found.append(1.0)
            continue
        cycle = abs(one.cycle_s - other.cycle_s) / one.cycle_s
        greens = np.abs(np.subtract(one.greens_s, other.greens_s)).sum() / one.cycle_s
        found.append(min(1.0, 2 * cycle + float(greens)))
    return max(LEAST_CHANGE, float(np.mean(found))) if found else LEAST_CHANGE


@dataclass(kw_only=True)
class RatioCosts:
    """Costs by flow ratios alone, for controllers that cannot be modelled: squared distance."""

    weights: Array
    centres: Array | None = None

    def candidates(self, volumes_vph: Array) -> int:
        """Take each row as a plan."""
        self.centres = np.nan_to_num(volumes_vph)
        return len(volumes_vph)

    def delays(self, volumes_vph: Array) -> Array:
        """Return the sum of weighted squared differences of flow, shape (plans, rows)."""
        centres = self.centres if self.centres is not None else np.zeros((0, len(self.weights)))
        rows = np.nan_to_num(volumes_vph)
        apart = (rows[None] - centres[:, None]) * self.weights
        return np.asarray((apart**2).sum(axis=2))

    def changes(self, delay_vehs_ph: float) -> Array:
        """Return a small equal cost for every switch."""
        n = 0 if self.centres is None else len(self.centres)
        return np.full((n, n), SEEK_LOSS * SEEK_CYCLES * 100 / 3600 * delay_vehs_ph)


def flow_ratio_weights(network: Network, demand: Demand) -> Array:
    """Return one over saturation flow of each movement's lanes, the flow ratio of one veh/h."""
    known = demand.saturation_index
    out = np.zeros(len(demand.movements))
    for k, movement in enumerate(demand.movements):
        flows = [known[lane].flow_vph for lane in _lanes(network, movement) if lane in known]
        out[k] = 1 / sum(flows) if flows else 0.0
    return out


def _lanes(network: Network, movement: MovementId) -> Sequence[LaneId]:
    found = network.movement_index[movement]
    return found.lanes if found.controllers else ()


def typical_rows(volumes_vph: Array, weights: Array, count: int = CANDIDATES) -> Array:
    """Return the mean volumes of `count` clusters of rows, alike in flow ratios (k-means).

    The first centre is the median row by total, each next one the row farthest from all centres:
    no chance is involved.
    """
    rows = np.nan_to_num(volumes_vph)
    scaled = rows * weights
    distinct = np.unique(scaled.round(6), axis=0)
    count = min(count, len(distinct))
    first = int(np.argsort(scaled.sum(axis=1))[len(rows) // 2])
    centres = [scaled[first]]
    while len(centres) < count:
        nearest = np.min([((scaled - c) ** 2).sum(axis=1) for c in centres], axis=0)
        centres.append(scaled[int(np.argmax(nearest))])
    middle = np.array(centres)
    own = np.zeros(len(rows), dtype=np.int64)
    for _ in range(30):
        own = ((scaled[:, None] - middle[None]) ** 2).sum(axis=2).argmin(axis=1)
        new = np.array([scaled[own == k].mean(axis=0) for k in range(count) if (own == k).any()])
        if new.shape == middle.shape and np.allclose(new, middle):
            break
        middle, count = new, len(new)
    return np.array([rows[own == k].mean(axis=0) for k in range(len(middle)) if (own == k).any()])
