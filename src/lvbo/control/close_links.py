# SPDX-License-Identifier: Apache-2.0
"""Links between two signals that hold only a few vehicles: nobody is let in who cannot get out.

Who enters such a link while its signal is red soon stands within the junction behind it. Those who
turn left there wait for one another, from both signals, and lock each other in for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lvbo.control.estimate import Served
from lvbo.control.learning import prior_shares
from lvbo.control.protocols import Arrivals, Floats, Ints, Observation
from lvbo.control.site import Site
from lvbo.ids import ControllerId, LinkId
from lvbo.network.network import Network

SHORT_M = 21.0
"""A link of this length holds no more than three vehicles a lane."""
AHEAD_S, HEADWAY_S = 8, 2
"""Those who wait before it are at its end so long after it opens, one after the other."""


class _Way(NamedTuple):
    """A movement of one site into a short link, of a share of its lanes, to lanes of another."""

    site: ControllerId
    movement: int
    lanes: Ints
    shares: Floats
    far: ControllerId
    far_lanes: Ints


class CloseLinks:
    """Take the exits into short links for full while their signal is red, and say who waits there.

    The signal at the end of a link sees nobody who is not let in: those who stand before the other
    one are told to it as vehicles that come, so that both open one after the other. Links between
    two that are led as one, `pairs`, are left to who leads them.
    """

    def __init__(
        self,
        network: Network,
        sites: Sequence[Site],
        *,
        short_m: float = SHORT_M,
        pairs: Sequence[tuple[ControllerId, ControllerId]] = (),
    ) -> None:
        ends = {link: site for site in sites for link in site.links}
        inner = {(a, b) for pair in pairs for a, b in (pair, pair[::-1])}
        every = [way for site in sites for way in _ways(network, site, ends, short_m)]
        self._ways = [way for way in every if (way.site, way.far) not in inner]
        far = {way.far for way in self._ways}
        self._served = {site.id: Served(site) for site in sites if site.id in far}

    def look(self, seen: Sequence[Observation]) -> list[Observation]:
        """Return the observations of all sites in one second, with what they know of each other."""
        now = {each.controller: each for each in seen}
        green = {name: served.green_s(now[name]) > 0 for name, served in self._served.items()}
        blocked = {way.site: now[way.site].blocked.copy() for way in self._ways}
        coming = {name: lanes.arrivals.copy() for name in green if (lanes := now[name].lanes)}
        for way in self._ways:
            blocked[way.site][way.movement] |= not green[way.far][way.far_lanes].any()
            near = now[way.site].lanes
            if near is not None and way.far in coming:
                waiting = float(near.queue[way.lanes] @ way.shares) / len(way.far_lanes)
                _announce(coming[way.far], way.far_lanes, waiting)
        for name, full in blocked.items():
            now[name] = replace(now[name], blocked=full)
        for name, arrivals in coming.items():
            lanes = now[name].lanes
            if lanes is not None:
                now[name] = replace(now[name], lanes=replace(lanes, arrivals=arrivals))
        return [now[each.controller] for each in seen]


def _announce(arrivals: Arrivals, lanes: Ints, waiting: float) -> None:
    """Add so many vehicles to each of the lanes, one after the other."""
    at = np.arange(AHEAD_S, arrivals.shape[1], HEADWAY_S)
    arrivals[np.ix_(lanes, at)] += np.clip(waiting - np.arange(len(at)), 0.0, 1.0)


def _ways(network: Network, site: Site, ends: Mapping[LinkId, Site], short_m: float) -> list[_Way]:
    shares = prior_shares(site)
    found = []
    for movement, exit_ in enumerate(site.exits):
        far = ends.get(exit_)
        if far is None or far.id == site.id or network.link_index[exit_].length_m > short_m:
            continue
        lanes = np.flatnonzero(site.uses[:, movement])
        far_lanes = np.array([k for k, link in enumerate(far.links) if link == exit_])
        found.append(_Way(site.id, movement, lanes, shares[lanes, movement], far.id, far_lanes))
    return found
