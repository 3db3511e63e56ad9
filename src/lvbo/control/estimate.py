# SPDX-License-Identifier: Apache-2.0
"""What stands and what comes on each lane, from whatever detectors the site has.

One estimate serves every controller. All kinds of detectors end in the same terms: a vertical queue
at the stop line, and arrivals by second as if nothing stood in their way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from lvbo.control._sight_kernels import green_times
from lvbo.control.lamps import goes
from lvbo.control.learning import mostly
from lvbo.control.protocols import Bools, Floats, Ints, LaneState, Observation
from lvbo.control.site import NONE, REACH_M, Site

MEMORY_S = 300.0
"""How long arrivals count in the mean that stands for those not yet in sight."""
FIRST_VPS = 0.03
NEAR_M = 35.0
"""Nobody within this distance of the stop line is a gap."""
SPACE_M = 7.0
"""The room of a standing vehicle."""
STEADY_VPS = 0.5
MOST_QUEUE = 60.0
BELIEVED, LEAST_TOLD = (0.3, 1.3), 0.2
"""How far announcements are scaled to the mean seen, and how much of it they must tell of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Announced:
    """Arrivals that neighbours tell of: `arrivals` (lanes, seconds), known `until_s` (lanes,)."""

    arrivals: Floats
    until_s: Ints


class LaneEye(Protocol):
    """Make lane states of one kind of detector; keeps what it must know between seconds."""

    def look(self, seen: Observation, announced: Announced | None) -> LaneState:
        """Return the lanes now; `announced` are arrivals that neighbours tell of."""
        ...


class Served:
    """Say which lanes have green by the lamps, and for how long: for some of their traffic.

    `most` asks for green for most of it: who turns right at red from a lane that also goes straight
    has none.
    """

    def __init__(self, site: Site, *, most: bool = False) -> None:
        serves = site.serves > NONE
        self._serves: Bools = mostly(serves, site) if most else serves @ site.uses.T

    def green_s(self, seen: Observation) -> Ints:
        """Return for how long each lane has had green, 0 at red, s.

        A green that was lit a second ago, and is seen for the first time, has lasted 1 s.
        """
        return green_times(self._serves, goes(seen.lamps), seen.since_s)


class Rates:
    """The mean of arrivals by lane, veh/s; a blind lane takes that of its link, or of the site."""

    def __init__(self, site: Site) -> None:
        lanes = len(site.lanes)
        self.vps: Floats = np.full(lanes, FIRST_VPS)
        self._mates = site.mates
        self._known_s = np.zeros(lanes)
        self._told: Floats = np.zeros(lanes)

    def take(self, came: Floats, working: Bools) -> None:
        """Take in who came in this second on the lanes that work."""
        self._known_s += working
        memory = np.minimum(np.maximum(self._known_s, 60.0), MEMORY_S)
        self.vps = np.where(working, self.vps + (came - self.vps) / memory, self.vps)
        blind = ~working & (self._known_s < MEMORY_S)
        if blind.any():
            weight = self._mates @ working.astype(float)
            known = np.where(working, self.vps, 0.0)
            site = known.sum() / working.sum() if working.any() else FIRST_VPS
            mean = np.where(weight > 0, self._mates @ known / np.maximum(weight, 1.0), site)
            self.vps = np.where(blind, mean, self.vps)

    def expected(self, reach_s: Ints, span_s: int, announced: Announced | None) -> Floats:
        """Return the arrivals by second that are not seen yet, from `reach_s` (lanes,) on.

        They come at the mean rate, or as neighbours announce them, brought to the same mean.
        """
        seconds = np.arange(span_s)[None, :]
        mean = np.repeat(self.vps[:, None], span_s, axis=1)
        if announced is not None:
            at = np.minimum(reach_s, span_s - 1)
            now = announced.arrivals[np.arange(len(at)), at]
            self._told = self._told + (now - self._told) / MEMORY_S
            part = np.clip(self.vps / np.maximum(self._told, 1e-6), *BELIEVED)
            part = np.where(self._told > LEAST_TOLD * self.vps, part, 0.0)
            rest = np.maximum(self.vps - part * self._told, 0.0)
            told = part[:, None] * announced.arrivals + rest[:, None]
            mean = np.where(seconds < announced.until_s[:, None], told, mean)
        return np.where(seconds >= reach_s[:, None], mean, 0.0)


class BlindQueue:
    """Queues nobody sees: they grow by the mean of arrivals and go at the steady rate."""

    def __init__(self, lanes: int) -> None:
        self.queue: Floats = np.zeros(lanes)

    def step(self, came_vps: Floats, green_s: Ints, least: Floats | None = None) -> Floats:
        """Let a second pass; `least` is what is known to stand at least."""
        goes = np.where(green_s > 1, STEADY_VPS, 0.0)
        self.queue = np.minimum(np.maximum(self.queue + came_vps - goes, 0.0), MOST_QUEUE)
        if least is not None:
            self.queue = np.maximum(self.queue, least)
        return self.queue


def complete(
    state: LaneState,
    working: Bools,
    blind: Floats,
    rates: Rates,
    reach_s: Ints,
    announced: Announced | None,
) -> LaneState:
    """Return the state with what nobody sees: arrivals beyond the reach, lanes that are blind.

    `reach_s` (lanes,) is from when on arrivals are not seen yet.
    """
    first = np.where(working, reach_s, 0)
    unseen = rates.expected(first, state.arrivals.shape[1], announced)
    arrivals = state.arrivals + unseen.astype(np.float32)
    if working.all():
        return replace(state, arrivals=arrivals)
    return replace(
        state,
        arrivals=arrivals,
        queue=np.where(working, state.queue, blind),
        present=np.where(working, state.present, blind),
        near=np.where(working, state.near, blind),
        wait_s=np.where(working, state.wait_s, 0.0),
        head=np.where(working, state.head, -1),
        stands=state.stands & working,
        gap_s=np.where(working | (blind < 1.0), state.gap_s, 0.0),
    )


def reach_m(site: Site) -> Floats:
    """Return how far back each lane is looked at by area sensing."""
    reach = site.length_m.copy()
    for zone in site.zones:
        if zone.shares != (1.0,):
            reach[list(zone.lanes)] = REACH_M
    return np.minimum(reach, REACH_M)
