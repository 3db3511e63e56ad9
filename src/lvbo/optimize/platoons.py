# SPDX-License-Identifier: Apache-2.0
"""How the platoons of an area meet its greens: share of arrivals on green, by stop-line link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LinkId
from lvbo.optimize.evaluate import AreaJudge, Plans, Profiles, cycle_classes
from lvbo.optimize.mesh import AreaMesh
from lvbo.timing.delay import control_delay

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Lamps

Floats = NDArray[np.float64]
Key = tuple[ControllerId, LinkId]
LEAST_GREEN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """One queue under one set of plans.

    `green` is the share of the cycle in which it may go, `on_green` the share of its arrivals
    then, `wait_s` how long green is away when a vehicle arrives, on the average. Delays are
    veh-s per hour; `alone_vehs` is that of uniform arrivals.
    """

    volume_vph: float
    saturation_vph: float
    green: float
    on_green: float
    wait_s: float
    delay_vehs: float
    alone_vehs: float

    def uniform_vehs(self, green: float, cycle_s: float) -> float:
        """Return veh-s per hour of uniform arrivals at another green and cycle (HCM 7, 19-18)."""
        if self.volume_vph <= 0:
            return 0.0
        green_s = max(LEAST_GREEN_S, green * cycle_s)
        each_s = control_delay(self.volume_vph, self.saturation_vph, green_s, cycle_s)
        return self.volume_vph * float(each_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """One stop-line link under one set of plans: its cycle and its queues."""

    cycle_s: float
    queues: tuple[QueueView, ...]


def link_views(judge: AreaJudge, plans: Plans) -> dict[Key, LinkView]:
    """Return every stop-line link under a set of plans."""
    found: dict[Key, LinkView] = {}
    for cycle_s, members in cycle_classes(plans, judge.models):
        mesh = judge.mesh(members)
        views = _queues(mesh, plans, cycle_s)
        for n, link in enumerate(mesh.links):
            owner = mesh.controllers[int(mesh.arrays.owner[n])]
            first, last = int(mesh.arrays.queues[n]), int(mesh.arrays.queues[n + 1])
            found[owner, link] = LinkView(
                cycle_s=plans[owner].cycle_s, queues=tuple(views[first:last])
            )
    return found


def _queues(mesh: AreaMesh, plans: Plans, cycle_s: int) -> list[QueueView]:
    arrays = mesh.arrays
    profiles = Profiles(mesh)
    lamps = profiles.lamps([plans], cycle_s)
    alone = profiles.cost(lamps, cycle_s, sweeps=0)
    delay = profiles.cost(lamps, cycle_s)
    flows = profiles.delivered(cycle_s)[:, :, 0]
    found = []
    for q, queue in enumerate(mesh.queues):
        n = int(arrays.link[q])
        feeds = arrays.feed[arrays.feeds[n] : arrays.feeds[n + 1]]
        flow = flows[feeds].sum(axis=0) if len(feeds) else np.zeros(cycle_s)
        comes = np.asarray(arrays.base[q] + arrays.share[q] * flow, np.float64)
        if comes.sum() <= 0:
            comes = np.ones(cycle_s)
        lit = _lit(mesh, lamps, q, cycle_s)
        found.append(
            QueueView(
                volume_vph=queue.total_vph,
                saturation_vph=queue.sat_vph,
                green=float(lit.mean()),
                on_green=float((comes * lit).sum() / comes.sum()),
                wait_s=float((comes * _until(lit)).sum() / comes.sum()),
                delay_vehs=3600 * float(delay[q, 0]),
                alone_vehs=3600 * float(alone[q, 0]),
            )
        )
    return found


def _until(lit: Floats) -> Floats:
    """Return how many seconds green is away from each second of the cycle."""
    cycle_s = len(lit)
    starts = np.flatnonzero(lit >= lit.max() / 2)
    return np.asarray(
        [float(((starts - t) % cycle_s).min()) for t in range(cycle_s)]
        if lit.max() > 0
        else np.full(cycle_s, float(cycle_s))
    )


def _lit(mesh: AreaMesh, lamps: Lamps, q: int, cycle_s: int) -> Floats:
    """Return for each second which share of a queue's vehicles may go, permitted or protected."""
    queue = mesh.queues[q]
    share = {move: part for move, part, _ in queue.turns}
    total = sum(share.values()) or 1.0
    lit = np.zeros(cycle_s)
    for move, part in share.items():
        own = np.zeros(cycle_s)
        for w in range(int(lamps.first[queue.signal]), int(lamps.last[queue.signal])):
            if int(lamps.move[w]) == move:
                own += _cover(float(lamps.begin[w, 0]), float(lamps.length[w, 0]), cycle_s)
        lit += part / total * np.minimum(1.0, own)
    return lit


def _cover(begin_s: float, length_s: float, cycle_s: int) -> Floats:
    """Return the share of each second that a window covers, around the cycle."""
    seconds = np.arange(cycle_s)
    gone = (seconds - begin_s) % cycle_s
    return np.asarray(np.clip(length_s - gone, 0, 1) + np.clip(gone - (cycle_s - 1), 0, 1))
