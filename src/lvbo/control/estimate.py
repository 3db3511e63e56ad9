# SPDX-License-Identifier: Apache-2.0
"""What stands and what comes on each lane, from whatever detectors the site has.

One estimate serves every controller. All kinds of detectors end in the same terms: a vertical queue
at the stop line, and arrivals by second as if nothing stood in their way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Bools, Floats, Ints, Observation
from lvbo.control.site import NONE, REACH_M, Site
from lvbo.signal.lamp import GOING

Arrivals = NDArray[np.float32]

MEMORY_S = 300.0
"""How long arrivals count in the mean that stands for those not yet in sight."""
FIRST_VPS = 0.03
NEAR_M = 35.0
"""Nobody within this distance of the stop line is a gap."""
SPACE_M = 7.0
"""The room of a standing vehicle."""
STEADY_VPS = 0.5
MOST_QUEUE = 60.0
_GOING = np.array([int(lamp) for lamp in GOING])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaneState:
    """The lanes of a site as they are now; all but `arrivals` have shape (lanes,).

    `queue` vehicles that stand, `arrivals` (lanes, seconds) those who would reach the stop line in
    that second if nothing stood there, `present` those known to be on the lane, standing or coming,
    `near` the same weighted by nearness to the stop line, 1 - d / 200 m. `wait_s` is how long the
    first one has stood, `left` who left in the second before, `rate_vps` the mean of arrivals,
    `gap_s` for how long nobody was at the stop line or close to it. `head` is a number that is
    another one for another first vehicle (-1 nobody), `stands` says whether it stands at the line.
    `load` is the mean number of persons in a vehicle over that in a car.
    """

    queue: Floats
    arrivals: Arrivals
    present: Floats
    near: Floats
    wait_s: Floats
    left: Floats
    rate_vps: Floats
    gap_s: Floats
    head: Ints
    stands: Bools
    load: Floats


class LaneEye(Protocol):
    """Make lane states of one kind of detector; keeps what it must know between seconds."""

    def look(self, seen: Observation, flows: Bools) -> LaneState:
        """Return the lanes now; `flows` (lanes,) says which have green and are not held up."""
        ...


class Served:
    """Say which lanes have green by the lamps, and for how long."""

    def __init__(self, site: Site) -> None:
        self._serves: Bools = (site.serves > NONE) @ site.uses.T

    def green_s(self, seen: Observation) -> Ints:
        """Return for how long each lane has had green for some of its traffic, 0 at red, s."""
        going = np.isin(seen.lamps, _GOING)
        since = np.where(self._serves & going[:, None], seen.since_s[:, None] + 1, 0)
        return np.asarray(since.max(axis=0, initial=0))


class Rates:
    """The mean of arrivals by lane, veh/s; a lane that is blind takes the mean of its link."""

    def __init__(self, site: Site) -> None:
        self.vps: Floats = np.full(len(site.lanes), FIRST_VPS)
        self._mates = np.array([[a == b for b in site.links] for a in site.links], dtype=float)
        self._known_s = np.zeros(len(site.lanes))

    def take(self, came: Floats, working: Bools) -> None:
        """Take in who came in this second on the lanes that work."""
        self._known_s += working
        memory = np.clip(self._known_s, 60.0, MEMORY_S)
        self.vps = np.where(working, self.vps + (came - self.vps) / memory, self.vps)
        blind = ~working & (self._known_s < MEMORY_S)
        if blind.any():
            weight = self._mates @ working.astype(float)
            mean = self._mates @ np.where(working, self.vps, 0.0) / np.maximum(weight, 1.0)
            self.vps = np.where(blind & (weight > 0), mean, self.vps)


class BlindQueue:
    """Queues nobody sees: they grow by the mean of arrivals and go at the steady rate."""

    def __init__(self, lanes: int) -> None:
        self.queue: Floats = np.zeros(lanes)

    def step(self, came_vps: Floats, green_s: Ints, least: Floats | None = None) -> Floats:
        """Let a second pass; `least` is what is known to stand at least."""
        goes = np.where(green_s > 1, STEADY_VPS, 0.0)
        self.queue = np.clip(self.queue + came_vps - goes, 0.0, MOST_QUEUE)
        if least is not None:
            self.queue = np.maximum(self.queue, least)
        return self.queue


def with_blind(
    state: LaneState, working: Bools, blind: Floats, rates: Rates, reach_s: Ints | None = None
) -> LaneState:
    """Return the state with lanes that nobody sees filled in from their blind queues.

    `reach_s` (lanes,) is from when on arrivals are not seen yet; they come at the mean rate.
    """
    arrivals = state.arrivals.copy()
    span = arrivals.shape[1]
    first = np.zeros(len(working), dtype=np.int64) if reach_s is None else reach_s
    later = np.arange(span)[None, :] >= np.where(working, first, 0)[:, None]
    arrivals += (later * rates.vps[:, None]).astype(np.float32)
    if working.all():
        return _with(state, arrivals=arrivals)
    return _with(
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


def _with(state: LaneState, **more: object) -> LaneState:
    fields = {name: getattr(state, name) for name in LaneState.__slots__}
    return LaneState(**{**fields, **more})


def reach_m(site: Site) -> Floats:
    """Return how far back each lane is looked at by area sensing."""
    reach = site.length_m.copy()
    for zone in site.zones:
        if zone.shares != (1.0,):
            reach[list(zone.lanes)] = REACH_M
    return np.minimum(reach, REACH_M)
