# SPDX-License-Identifier: Apache-2.0
"""What the adaptive controller makes of what it sees: queues, arrivals, heads that do not move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.control._plan_kernels import Street
from lvbo.control._sight_kernels import gather
from lvbo.control.protocols import Bools, Floats, Ints, Observation, Vehicles
from lvbo.control.site import REACH_M, Site

Arrivals = NDArray[np.float32]

MEMORY_S = 300.0
"""How long arrivals count in the mean that stands for those not yet in sight."""
FIRST_VPS = 0.03
STILL_MPS, STILL_M = 1.0, 15.0
STILL_S, STILL_YIELDING_S = 4, 6
"""How long a head stands in a green that should serve it before the model is contradicted."""
EXPIRES_S = 25
FORGET_S = 600
HERE = 0.3
"""Less of a vehicle than this is nobody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Approach:
    """The lanes as they are now: `queue`, `wait_s`, `blocked` (lanes,), `arrivals` (lanes, s)."""

    queue: Floats
    arrivals: Arrivals
    wait_s: Floats
    blocked: Floats


class Sight:
    """Follow the lanes of a site from second to second.

    `stuck` (stages, lanes) marks heads that did not move in a stage that should have served them,
    `head` (lanes,) why: 1 it yields, 2 it wants another stage. `rate_vps` (lanes,) are mean
    arrivals.
    """

    def __init__(self, site: Site, stages: int, span_s: int) -> None:
        lanes = len(site.lanes)
        self._site = site
        self._span = span_s
        listed = [
            (k, share) for z in site.zones for k, share in zip(z.lanes, z.shares, strict=True)
        ]
        self._lane_of = np.array([k for k, _ in listed], dtype=np.int64)
        self._share_of = np.array([share for _, share in listed])
        self._first = np.cumsum([0, *(len(zone.lanes) for zone in site.zones)])
        self._out_s = np.minimum(span_s, np.minimum(_reach_m(site), REACH_M) / site.speed_mps)
        self.rate_vps = np.full(lanes, FIRST_VPS)
        self.stuck = np.zeros((stages, lanes), dtype=bool)
        self.head = np.zeros(lanes, dtype=np.int64)
        self._head_key = np.full(lanes, -1, dtype=np.int64)
        self._still_s = np.zeros(lanes, dtype=np.int64)
        self._marked_s = np.zeros(lanes, dtype=np.int64)
        self._known: dict[int, int] = {}

    def look(
        self, seen: Observation, street: Street, share: Floats, stage: int, age_s: int
    ) -> Approach:
        """Return the lanes now; `stage` is the one that has green, or -1 during a change."""
        served = np.zeros(len(self._site.lanes), dtype=bool)
        if stage >= 0:
            served = street.green[stage] + street.yields[stage] > 0
        flows = served & ~self.stuck[max(stage, 0)]
        vehicles = seen.vehicles if seen.vehicles is not None else _nobody()
        queue, arrivals, head, wait = self._gather(vehicles, flows)
        self._count(vehicles, seen.time_s)
        self._feel(vehicles, head, served & (age_s > 2), street, stage, seen.time_s)  # noqa: PLR2004
        for k, first in enumerate(self._out_s.astype(int)):
            arrivals[k, first:] += self.rate_vps[k]
        blocked = np.minimum(share @ seen.blocked.astype(float), 1.0)
        return Approach(queue=queue, arrivals=arrivals, wait_s=wait, blocked=blocked)

    def _gather(self, vehicles: Vehicles, flows: Bools) -> tuple[Floats, Arrivals, Ints, Floats]:
        queue, arrivals, head, wait = gather(
            vehicles.zone,
            vehicles.distance_m,
            vehicles.speed_mps,
            vehicles.wait_s,
            self._first,
            self._lane_of,
            self._share_of,
            self._site.length_m,
            self._site.speed_mps,
            flows,
            self._span,
        )
        return queue, arrivals, head, wait

    def _count(self, vehicles: Vehicles, now_s: int) -> None:
        """Let those who are new move the mean of arrivals."""
        for key, zone in zip(vehicles.key.tolist(), vehicles.zone.tolist(), strict=True):
            if key not in self._known:
                span = slice(self._first[zone], self._first[zone + 1])
                np.add.at(self.rate_vps, self._lane_of[span], self._share_of[span] / MEMORY_S)
            self._known[key] = now_s
        self.rate_vps *= 1.0 - 1.0 / MEMORY_S
        if now_s % 60 == 0:
            self._known = {k: t for k, t in self._known.items() if now_s - t < FORGET_S}

    def _feel(
        self, vehicles: Vehicles, head: Ints, served: Bools, street: Street, stage: int, now_s: int
    ) -> None:
        """Mark heads that stand in a green that should serve them; forget marks in time."""
        some = head >= 0
        at = np.maximum(head, 0)
        key = np.full(len(head), -1, dtype=np.int64)
        stands = np.zeros(len(head), dtype=bool)
        if some.any():
            key[some] = vehicles.key[at[some]]
            slow, near = vehicles.speed_mps < STILL_MPS, vehicles.distance_m < STILL_M
            stands[some] = (slow & near)[at[some]]
        old = (key != self._head_key) | (now_s - self._marked_s > EXPIRES_S)
        self.stuck[:, old], self.head[old] = False, 0
        self._still_s[key != self._head_key] = 0
        self._head_key = key
        self._still_s = np.where(served & stands, self._still_s + 1, 0)
        if stage < 0:
            return
        yields, held = street.yields[stage] > 0, street.held[stage] > 0
        patience = np.where(held | ~yields, STILL_S, STILL_YIELDING_S)
        elsewhere = ((street.green + street.yields) > 0).sum(axis=0) > 1
        new = (self._still_s >= patience) & elsewhere
        self.stuck[stage, new] = True
        self._marked_s[new] = now_s
        governs = yields | ((self.head == 1) & ~held)
        self.head[new] = np.where(governs, 1, 2)[new]


def _reach_m(site: Site) -> Floats:
    """Return how far back each lane is looked at."""
    reach = site.length_m.copy()
    for zone in site.zones:
        if zone.shares != (1.0,):
            reach[list(zone.lanes)] = REACH_M
    return reach


def _nobody() -> Vehicles:
    none = np.zeros(0)
    return Vehicles(
        key=none.astype(np.int64),
        zone=none.astype(np.int64),
        distance_m=none,
        speed_mps=none,
        wait_s=none,
        persons=none,
    )
