# SPDX-License-Identifier: Apache-2.0
"""What sites tell each other: who left one stop line comes to the next after the drive between."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.control.estimate import Announced
from lvbo.control.eyes import SPAN_S
from lvbo.control.learning import prior_counts, prior_shares
from lvbo.control.protocols import Floats
from lvbo.control.site import TURN_SHARE, Site
from lvbo.ids import ControllerId, LinkId, MovementId
from lvbo.network.network import Network

FARTHEST_M = 1200.0
"""Platoons that drive farther have spread out."""
PACE = 0.9
"""Platoons drive at this share of the limit."""
SPREAD = np.array([0.15, 0.3, 0.25, 0.15, 0.1, 0.05])
"""Of a vehicle that was announced, the part that comes in each second from one before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feed:
    """A lane of one site sends a share of its vehicles to a lane of another, `drive_s` away."""

    lane: int
    target: ControllerId
    to: int
    share: float
    drive_s: int


class Neighbours:
    """Carry departures of all sites to the sites they drive to."""

    def __init__(self, network: Network, sites: Sequence[Site], span_s: int = SPAN_S) -> None:
        self._span = span_s
        self._feeds = {site.id: _feeds(network, site, sites) for site in sites}
        self._coming = {s.id: np.zeros((len(s.lanes), span_s + len(SPREAD))) for s in sites}
        self._until = {s.id: np.zeros(len(s.lanes), dtype=np.int64) for s in sites}
        for feeds in self._feeds.values():
            for feed in feeds:
                own = self._until[feed.target]
                known = own[feed.to]
                own[feed.to] = feed.drive_s if known == 0 else min(known, feed.drive_s)

    def announced(self, site: ControllerId) -> Announced | None:
        """Return what is announced to a site; None where no neighbour feeds it."""
        if not self._until[site].any():
            return None
        coming = self._coming[site][:, : self._span]
        return Announced(arrivals=coming, until_s=self._until[site])

    def take(self, site: ControllerId, left: Floats) -> None:
        """Take in who left each lane of a site in the second before."""
        for feed in self._feeds[site]:
            if left[feed.lane] > 0:
                first = max(0, feed.drive_s - 1)
                part = feed.share * left[feed.lane] * SPREAD
                self._coming[feed.target][feed.to, first : first + len(SPREAD)] += part

    def step(self) -> None:
        """Let a second pass."""
        for coming in self._coming.values():
            coming[:, :-1] = coming[:, 1:]
            coming[:, -1] = 0.0


def _feeds(network: Network, site: Site, sites: Sequence[Site]) -> tuple[_Feed, ...]:
    """Return where the vehicles of each lane of a site go next."""
    shares = prior_shares(site)
    ends = {link: other for other in sites for link in other.links}
    found = []
    for m, movement in enumerate(site.movements):
        arrival = _arrival(network, movement, ends)
        if arrival is None:
            continue
        link, kept, drive_s = arrival
        target = ends[link]
        lanes = [k for k, own in enumerate(target.links) if own == link]
        weight = prior_counts(target)[lanes].sum(axis=1)
        for k, part in zip(lanes, weight / max(float(weight.sum()), 1e-9), strict=True):
            found += [
                _Feed(
                    lane=int(lane),
                    target=target.id,
                    to=k,
                    share=float(shares[lane, m] * kept * part),
                    drive_s=min(drive_s, SPAN_S - 1),
                )
                for lane in np.flatnonzero(site.uses[:, m])
            ]
    return tuple(found)


def _arrival(
    network: Network, movement: MovementId, ends: Container[LinkId]
) -> tuple[LinkId, float, int] | None:
    """Return the next link that a site ends, the share that gets there, and the drive, s."""
    current = network.movement_index[movement]
    kept, metres, time_s = 1.0, 0.0, 0.0
    while metres < FARTHEST_M:
        link = network.link_index[current.to_link]
        metres += link.length_m + current.length_m
        time_s += (link.length_m + current.length_m) / (PACE * link.speed_mps)
        if link.id in ends:
            return link.id, kept, round(time_s)
        ahead = network.movements_from[link.id]
        if not ahead or any(m.controllers for m in ahead):
            return None
        total = sum(TURN_SHARE[m.turn] for m in ahead)
        current = max(ahead, key=lambda m: (TURN_SHARE[m.turn], m.id))
        kept *= TURN_SHARE[current.turn] / total
    return None
