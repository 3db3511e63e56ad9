# SPDX-License-Identifier: Apache-2.0
"""Side streets wait while the street they turn into is full, so that its platoons find room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lvbo.control.protocols import Bools, Observation
from lvbo.control.site import Site
from lvbo.ids import ControllerId, LinkId
from lvbo.progression.wave import Wave

VEHICLE_M = 7.5
FULL, FREE = 0.8, 0.5
"""Entries are held back from a section that is so full until it is so empty."""


class Metering:
    """Follow how full the sections of streets with a wave are; say which movements wait for room.

    The movements of the street itself are never held back: they are who the room is for.
    """

    def __init__(self, sites: Sequence[Site], waves: Sequence[Wave]) -> None:
        along = {
            movement
            for wave in waves
            for stop in wave.corridor.stops
            for movement in (stop.outbound, stop.inbound)
            if movement is not None
        }
        inner = {
            link
            for wave in waves
            for section in (*wave.corridor.outbound, *wave.corridor.inbound)
            for link in section.links
        }
        self._links = {site.id: site.links for site in sites}
        self._length_m = {site.id: site.length_m for site in sites}
        self._feeds = {
            site.id: tuple(
                None if movement in along or exit_ not in inner else exit_
                for movement, exit_ in zip(site.movements, site.exits, strict=True)
            )
            for site in sites
        }
        self._watched = inner
        self.full: set[LinkId] = set()

    def look(self, seen: Observation) -> None:
        """Take in how far the queues of a site reach into their sections."""
        if seen.lanes is None:
            return
        links, length_m = self._links[seen.controller], self._length_m[seen.controller]
        share = VEHICLE_M * seen.lanes.queue / np.maximum(length_m, VEHICLE_M)
        for link in self._watched.intersection(links):
            own = np.array([each == link for each in links])
            fill = float(share[own].mean())
            if fill >= FULL:
                self.full.add(link)
            elif fill <= FREE:
                self.full.discard(link)

    def held_back(self, name: ControllerId, blocked: Bools) -> Bools:
        """Return the movements that find no room, those held back included."""
        held = [link is not None and link in self.full for link in self._feeds[name]]
        return np.asarray(blocked | np.array(held, dtype=bool))
