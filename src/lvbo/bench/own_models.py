# SPDX-License-Identifier: Apache-2.0
"""Our own fast models as the model bench asks for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lvbo.bench.fast import Maker, Plans
from lvbo.bench.grids import known_demand
from lvbo.ids import ControllerId, MovementId
from lvbo.network.network import Network
from lvbo.optimize.evaluate import Profiles, cycle_classes
from lvbo.optimize.mesh import AreaMesh, build_mesh
from lvbo.optimize.plan_windows import Serving, all_serving, windows_of_plans
from lvbo.optimize.submesh import submesh
from lvbo.optimize.transmission import Span, Transmission, build_transmission
from lvbo.optimize.windows import Windows
from lvbo.timing.plans import controller_models

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Lamps

QUEUE_FLOPS, COVER_FLOPS, EDGE_FLOPS, PIPE_FLOPS = 11, 11, 2, 5
"""Operations by second of the cycle: a queue's step, a window, what fills a pipe, dispersion."""
QUEUE_BYTES, COVER_BYTES, EDGE_BYTES, PIPE_BYTES = 12, 4, 12, 12
"""Bytes by second of the cycle, four to a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sets of plans of signals that share a cycle, sixteen at most: which ones, their windows."""

    cycle_s: int
    places: tuple[int, ...]
    lamps: Lamps
    profiles: Profiles


@dataclass(frozen=True, eq=False, kw_only=True)
class ProfileModel:
    """Cyclic flow profiles: the delay of a steady hour, scaled to the window."""

    mesh: AreaMesh
    length_s: float
    name: str = "cfp"
    known: dict[tuple[ControllerId, ...], Profiles] = field(default_factory=dict)

    def written(self, plans: Sequence[Plans]) -> list[Batch]:
        """Return the plans by signals that share a cycle, sixteen to a batch."""
        kinds: dict[tuple[int, tuple[ControllerId, ...]], list[int]] = defaultdict(list)
        for k, one in enumerate(plans):
            for cycle_s, members in cycle_classes(one, dict.fromkeys(self.mesh.controllers)):
                kinds[cycle_s, tuple(sorted(members))].append(k)
        found = []
        for (cycle_s, own), places in sorted(kinds.items()):
            profiles = self._profiles(own)
            for k in range(0, len(places), profiles.width):
                part = tuple(places[k : k + profiles.width])
                lamps = profiles.lamps([plans[i] for i in part], cycle_s)
                found.append(Batch(cycle_s=cycle_s, places=part, lamps=lamps, profiles=profiles))
        return found

    def delays_vehs(self, written: object) -> NDArray[np.float64]:
        """Return the delay of each set in the window, veh-s."""
        batches = cast("Sequence[Batch]", written)
        out = np.zeros(1 + max(max(batch.places) for batch in batches))
        for batch in batches:
            cost = batch.profiles.cost(batch.lamps, batch.cycle_s).sum(axis=0)
            out[list(batch.places)] += self.length_s * cost[: len(batch.places)]
        return out

    def _profiles(self, members: tuple[ControllerId, ...]) -> Profiles:
        """Return the profiles of some signals; what comes from others is uniform."""
        if members not in self.known:
            whole = len(members) == len(self.mesh.controllers)
            mesh = self.mesh if whole else submesh(self.mesh, members)
            self.known[members] = Profiles(mesh)
        return self.known[members]

    def flops(self) -> float:
        """Return the operations for one set at a cycle of 90 s."""
        return self._per_second(QUEUE_FLOPS, COVER_FLOPS, EDGE_FLOPS, PIPE_FLOPS)

    def bytes_moved(self) -> float:
        """Return the bytes for one set at a cycle of 90 s."""
        return self._per_second(QUEUE_BYTES, COVER_BYTES, EDGE_BYTES, PIPE_BYTES)

    def _per_second(self, queue: float, cover: float, edge: float, pipe: float) -> float:
        arrays = self.mesh.arrays
        each = (queue + cover) * len(arrays.order)
        each += edge * len(arrays.edge_queue) + pipe * len(arrays.lag)
        return 90.0 * Profiles.SWEEPS * each


def profile_model(
    network: Network, volumes_vph: Mapping[MovementId, float], window_s: tuple[int, int]
) -> ProfileModel:
    """Return the cyclic flow profiles of a demand in veh/h by movement."""
    return ProfileModel(
        mesh=known_mesh(network, volumes_vph), length_s=float(window_s[1] - window_s[0])
    )


def known_mesh(network: Network, volumes_vph: Mapping[MovementId, float]) -> AreaMesh:
    """Return the mesh of all signals at known volumes, with default saturation flows."""
    models = controller_models(network, known_demand(volumes_vph), volumes_vph)
    return build_mesh(network, {m.controller.id: m for m in models}, volumes_vph)


@dataclass(frozen=True, eq=False, kw_only=True)
class TransmissionModel:
    """Link transmission from empty streets on, second by second: the delay within the window."""

    mesh: AreaMesh
    window_s: tuple[int, int]
    name: str = "ltm"

    def written(self, plans: Sequence[Plans]) -> list[Windows]:
        """Return the windows of the plans, sixteen sets at a time."""
        from lvbo.optimize._wide import WIDTH

        parts = [plans[k : k + WIDTH] for k in range(0, len(plans), WIDTH)]
        return [windows_of_plans(self.mesh, part, self._serving) for part in parts]

    def delays_vehs(self, written: object) -> NDArray[np.float64]:
        """Return the delay of each set in the window, veh-s."""
        parts = cast("Sequence[Windows]", written)
        span = Span(end_s=self.window_s[1], window_s=self.window_s)
        found = [self._model.run_windows(part, span).delay_vehs for part in parts]
        return np.concatenate(found)

    @cached_property
    def _model(self) -> Transmission:
        return build_transmission(self.mesh)

    @cached_property
    def _serving(self) -> tuple[Serving | None, ...]:
        return all_serving(self.mesh)

    def flops(self) -> float:
        """Return the operations for one set: those of the profiles, once for every second."""
        arrays = self.mesh.arrays
        each = (QUEUE_FLOPS + COVER_FLOPS) * len(arrays.total)
        each += EDGE_FLOPS * len(arrays.edge_queue) + PIPE_FLOPS * len(arrays.lag)
        return float(self.window_s[1] * each)

    def bytes_moved(self) -> float:
        """Return the bytes for one set, counted as for the profiles."""
        arrays = self.mesh.arrays
        each = (QUEUE_BYTES + COVER_BYTES) * len(arrays.total)
        each += EDGE_BYTES * len(arrays.edge_queue) + PIPE_BYTES * len(arrays.lag)
        return float(self.window_s[1] * each)


def transmission_model(
    network: Network, volumes_vph: Mapping[MovementId, float], window_s: tuple[int, int]
) -> TransmissionModel:
    """Return the link transmission of a demand in veh/h by movement."""
    return TransmissionModel(mesh=known_mesh(network, volumes_vph), window_s=window_s)


MODELS: tuple[Maker, ...] = (profile_model, transmission_model)
"""The makers of our own models, in the order of the table."""
