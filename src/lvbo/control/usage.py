# SPDX-License-Identifier: Apache-2.0
"""How much of its green each lane uses, cycle by cycle, from area sensing or from loops.

The degree of saturation after SCATS (Sims and Dobinson 1980): the green in which vehicles cross the
stop line, spaces between them at saturation included, over the green given. Where nearly all of it
was used, what stands when it ends is wanted as well: a starved lane's count is its green.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.control.lamps import goes
from lvbo.control.protocols import Bools, Floats, Ints, Loops, Observation, Vehicles
from lvbo.control.site import NONE, PROTECTED, YIELDING, Site

USED_M, MOVING_MPS = 25.0, 2.0
"""A second of green is used while somebody drives this near to the stop line: vehicles discharge
at about that spacing. Who stands there is held up by others, and more green would not help."""
HEADWAY_S = 2.0
"""The green that one vehicle uses at saturation."""
SLOW_MPS, LEFT_M = 5.0, 150.0
"""Who is slower than this and nearer, when the green ends, was left over."""
FULL, GROWS, MOST = 0.85, 1.1, 1.5
"""A lane that uses so much of its green wants more: at least and at most so many times of it."""
COVERED, COVERED_S = 0.95, 3
"""An advance loop covered for so long at the end of a green shows a queue as far as there."""
VEHICLE_M = 7.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Used:
    """What was measured over some time: `given_s` (stages, lanes) is the green that lanes had.

    `wanted_s` (lanes,) is the green used and that of those left over, over all stages; `seen`
    (lanes,) says where a detector worked all the time; `span_s` is how long it was.
    """

    given_s: Floats
    wanted_s: Floats
    seen: Bools
    span_s: int


class Usage:
    """Follow the lanes of a site through the stages of its plan.

    A lane has green while a movement made from it goes with priority; where no phase gives it
    priority, while it goes yielding.
    """

    def __init__(self, site: Site, stages: int) -> None:
        lanes = len(site.lanes)
        self._stages = stages
        self._lights = lane_lights(site)
        self._share = np.zeros((len(site.zones), lanes))
        for k, zone in enumerate(site.zones):
            self._share[k, list(zone.lanes)] = zone.shares
        self._covered = np.zeros(lanes)
        self._far_m = np.zeros(lanes)
        self._green = np.zeros(lanes, dtype=bool)
        self._left = np.zeros(lanes)
        self._start()

    def _start(self) -> None:
        lanes = len(self._green)
        self._given = np.zeros((self._stages, lanes))
        self._used = np.zeros(lanes)
        self._over = np.full(lanes, np.inf)
        self._seen = np.ones(lanes, dtype=bool)
        self._span = 0

    def look(self, seen: Observation, stage: int) -> None:
        """Take in one second of a stage of the plan."""
        green = np.asarray(self._lights[goes(seen.lamps)].any(axis=0))
        ended = np.logical_and(self._green, ~green)
        self._over = np.where(ended, np.minimum(self._over, HEADWAY_S * self._left), self._over)
        self._given[stage] += green
        self._span += 1
        self._seen = self._seen & seen.working
        if seen.loops is not None:
            self._used += np.where(green, self._by_loops(seen.loops), 0.0)
        elif seen.vehicles is not None:
            self._used += np.where(green, self._by_area(seen.vehicles), 0.0)
        else:
            self._seen = np.zeros_like(self._seen)
        self._green = green

    def take(self) -> Used:
        """Return what was measured since the last time."""
        given = self._given.sum(axis=0)
        used = np.minimum(self._used, given)
        full = (used >= FULL * given) & (given > 0)
        over = np.where(np.isfinite(self._over), self._over, 0.0)
        more = np.clip(over, (GROWS - 1) * given, (MOST - 1) * given)
        found = Used(
            given_s=self._given,
            wanted_s=np.where(full, used + more, used),
            seen=self._seen & (given > 0),
            span_s=self._span,
        )
        self._start()
        return found

    def _by_area(self, vehicles: Vehicles) -> Floats:
        """Return the part of this second that each lane uses, and keep who would be left over."""
        share = self._share[vehicles.zone]
        near = (vehicles.distance_m <= USED_M) & (vehicles.speed_mps > MOVING_MPS)
        slow = (vehicles.speed_mps < SLOW_MPS) & (vehicles.distance_m <= LEFT_M)
        self._left = share[slow].sum(axis=0)
        return np.asarray(np.minimum(share[near].sum(axis=0), 1.0))

    def _by_loops(self, loops: Loops) -> Floats:
        lanes = len(self._green)
        line, back = _ends(loops, lanes)
        used = np.zeros(lanes)
        used[loops.lane[line]] = HEADWAY_S * loops.passed[line]
        covered = np.zeros(lanes, dtype=bool)
        covered[loops.lane[back]] = loops.occupied[back] >= COVERED
        self._far_m[loops.lane[back]] = loops.distance_m[back]
        self._covered = np.where(covered, self._covered + 1, 0.0)
        self._left = np.where(self._covered >= COVERED_S, self._far_m / VEHICLE_M, 0.0)
        return used


def lane_lights(site: Site) -> Bools:
    """Return which phases give a lane its green: those with the best right it ever has."""
    best = np.where(site.uses, site.serves.max(axis=0, initial=NONE), NONE).max(axis=1, initial=0)
    needed = np.where(best >= PROTECTED, PROTECTED, YIELDING)
    goes = site.serves[:, None, :] >= needed[None, :, None]
    return np.asarray((goes & site.uses[None]).any(axis=2))


def _ends(loops: Loops, lanes: int) -> tuple[Ints, Ints]:
    """Return by lane with loops the one nearest to the stop line, and advance loops."""
    line, back = [], []
    for k in range(lanes):
        own = np.flatnonzero(loops.lane == k)
        if not len(own):
            continue
        near, far = own[np.argmin(loops.distance_m[own])], own[np.argmax(loops.distance_m[own])]
        line.append(near)
        if far != near:
            back.append(far)
    return np.array(line, dtype=np.int64), np.array(back, dtype=np.int64)
