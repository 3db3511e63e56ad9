# SPDX-License-Identifier: Apache-2.0
"""What plans cost by the area model: delay and stops of every queue, at cycles that may differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LinkId
from lvbo.network.network import Network
from lvbo.optimize.lamps import build_lamps
from lvbo.optimize.mesh import AreaMesh, Traits, Volumes, build_mesh, stacked
from lvbo.signal.plan import Plan
from lvbo.timing.model import ControllerModel

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Bench, Lamps

Floats = NDArray[np.float64]
Plans = Mapping[ControllerId, Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCost:
    """One stop-line link in one hour: delay in veh-s, stops, arriving vehicles.

    `alone_vehs` is the delay if arrivals were uniform: what platoons save or cost is the rest.
    """

    controller: ControllerId
    link: LinkId
    delay_vehs: float
    stops: float
    vehicles: float
    alone_vehs: float


@dataclass(frozen=True, kw_only=True)
class AreaCost:
    """What plans cost in one hour."""

    links: tuple[LinkCost, ...]

    @property
    def delay_vehs_ph(self) -> float:
        """Return the delay of all links, veh-s per hour."""
        return sum(link.delay_vehs for link in self.links)

    @property
    def stops_ph(self) -> float:
        """Return the stops of all links per hour."""
        return sum(link.stops for link in self.links)


class AreaJudge:
    """Judge plans of one network at one set of volumes; platoons pass where cycles fit."""

    def __init__(
        self,
        network: Network,
        models: Mapping[ControllerId, ControllerModel],
        volumes: Volumes,
        speeds_mps: Mapping[LinkId, float] | None = None,
        traits: Traits | None = None,
    ) -> None:
        self.network, self.models, self.volumes = network, dict(models), volumes
        self.speeds, self.traits = speeds_mps, traits
        self.meshes: dict[tuple[ControllerId, ...], AreaMesh] = {}

    def cost(self, plans: Plans) -> AreaCost:
        """Return what plans cost, link by link."""
        found: list[LinkCost] = []
        for cycle_s, members in cycle_classes(plans, self.models):
            mesh = self.mesh(members)
            profiles = Profiles(mesh)
            lamps = profiles.lamps([plans], cycle_s)
            delay = 3600 * profiles.cost(lamps, cycle_s)[:, 0]
            both = 3600 * profiles.cost(lamps, cycle_s, stop_s=1.0)[:, 0]
            alone = 3600 * profiles.cost(lamps, cycle_s, sweeps=0)[:, 0]
            found += _by_link(mesh, delay, both - delay, alone)
        return AreaCost(links=tuple(sorted(found, key=lambda c: (c.controller, c.link))))

    def mesh(self, members: Sequence[ControllerId]) -> AreaMesh:
        """Return the mesh of some controllers; made once."""
        key = tuple(sorted(members))
        if key not in self.meshes:
            self.meshes[key] = self._built(key, self.volumes)
        return self.meshes[key]

    def robust_mesh(self, members: Sequence[ControllerId], samples: Sequence[Volumes]) -> AreaMesh:
        """Return the mesh of some controllers at several volumes at once; their costs add up."""
        key = tuple(sorted(members))
        return stacked([self._built(key, volumes) for volumes in samples])

    def _built(self, members: Sequence[ControllerId], volumes: Volumes) -> AreaMesh:
        own = {c: self.models[c] for c in members}
        return build_mesh(self.network, own, volumes, self.speeds, self.traits)


def _by_link(mesh: AreaMesh, delay: Floats, stops: Floats, alone: Floats) -> list[LinkCost]:
    arrays = mesh.arrays
    count = len(mesh.links)
    link = arrays.link
    columns = [np.bincount(link, x, count) for x in (delay, stops, 3600 * arrays.total, alone)]
    return [
        LinkCost(
            controller=mesh.controllers[int(arrays.owner[n])],
            link=name,
            delay_vehs=float(columns[0][n]),
            stops=float(columns[1][n]),
            vehicles=float(columns[2][n]),
            alone_vehs=float(columns[3][n]),
        )
        for n, name in enumerate(mesh.links)
    ]


def cycle_classes(
    plans: Plans, members: Mapping[ControllerId, object]
) -> list[tuple[int, list[ControllerId]]]:
    """Return controllers by common cycle in s, longest first: equal ones and whole fractions."""
    found: list[tuple[int, list[ControllerId]]] = []
    for c in sorted(members, key=lambda c: (-plans[c].cycle_ds, c)):
        cycle = -(-plans[c].cycle_ds // 10)
        fits = next((cls for cls in found if cls[0] % cycle == 0), None)
        if fits is not None and plans[c].cycle_ds % 10 == 0:
            fits[1].append(c)
        else:
            found.append((cycle, [c]))
    return found


class Profiles:
    """Run the cyclic flow profiles of one mesh under sets of plans, sixteen at a time."""

    SWEEPS = 3
    """Platoons pass the area forth and back so often; more change the delay by less than 0.1 %."""

    def __init__(self, mesh: AreaMesh) -> None:
        from lvbo.optimize._wide import WIDTH

        self.mesh, self.width = mesh, WIDTH
        self._scratch: dict[int, tuple[Bench, NDArray[np.float32]]] = {}

    def lamps(self, plans: Sequence[Plans], cycle_s: int) -> Lamps:
        """Return the windows of up to sixteen sets of plans on a common cycle in s."""
        return build_lamps(self.mesh, plans, cycle_s)

    def cost(
        self, lamps: Lamps, cycle_s: int, *, stop_s: float = 0.0, sweeps: int = SWEEPS
    ) -> Floats:
        """Return what each queue costs, veh-s per second, shape (queues, 16).

        A stop counts `stop_s`; no sweeps means uniform arrivals.
        """
        from lvbo.optimize import _profile_kernels as kernels
        from lvbo.optimize._profile_values import Cost

        arrays = self.mesh.arrays
        work, flow = self._room(cycle_s)
        flow[:] = arrays.mean[:, None, None]
        out = np.zeros((len(arrays.total), self.width), np.float32)
        kernels.run_plans(arrays, lamps, cycle_s, sweeps, flow, Cost(stop_s, 0.0), work, out)
        return out.astype(np.float64)

    def _room(self, cycle_s: int) -> tuple[Bench, NDArray[np.float32]]:
        from lvbo.optimize import _profile_kernels as kernels

        if cycle_s not in self._scratch:
            arrays = self.mesh.arrays
            starts = arrays.queues[arrays.links]
            self._scratch[cycle_s] = (
                kernels.scratch(
                    int(np.diff(arrays.links).max(initial=1)),
                    int(np.diff(starts).max(initial=1)),
                    cycle_s,
                ),
                np.zeros((len(arrays.mean), cycle_s, self.width), np.float32),
            )
        return self._scratch[cycle_s]
