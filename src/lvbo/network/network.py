# SPDX-License-Identifier: Apache-2.0
"""The network: places, streets, controllers, corridors, and how they read in other formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lvbo.errors import InputError
from lvbo.ids import (
    ControllerId,
    CrossingId,
    IntersectionId,
    LaneId,
    LinkId,
    MovementId,
)
from lvbo.network.binding import SumoBinding
from lvbo.network.corridor import Corridor
from lvbo.network.place import Crossing, Intersection, Lane, Link, Movement
from lvbo.signal.rules import Controller


@dataclass(frozen=True, kw_only=True)
class Network:
    """All of the street that planning needs; tuples are sorted by id.

    `sumo` is the binding to the SUMO network it was read from, if any. Local metres; `zone` is the
    IANA zone of its clocks.
    """

    intersections: tuple[Intersection, ...]
    links: tuple[Link, ...]
    movements: tuple[Movement, ...]
    crossings: tuple[Crossing, ...]
    controllers: tuple[Controller, ...]
    sumo: SumoBinding | None = None
    zone: str = "Asia/Shanghai"
    left_hand: bool = False

    @cached_property
    def intersection_index(self) -> Mapping[IntersectionId, Intersection]:
        """Return intersections by id."""
        return {place.id: place for place in self.intersections}

    @cached_property
    def link_index(self) -> Mapping[LinkId, Link]:
        """Return links by id."""
        return {link.id: link for link in self.links}

    @cached_property
    def lane_index(self) -> Mapping[LaneId, Lane]:
        """Return stop-line lanes by id."""
        return {lane.id: lane for link in self.links for lane in link.lanes}

    @cached_property
    def movement_index(self) -> Mapping[MovementId, Movement]:
        """Return movements by id."""
        return {movement.id: movement for movement in self.movements}

    @cached_property
    def crossing_index(self) -> Mapping[CrossingId, Crossing]:
        """Return crossings by id."""
        return {crossing.id: crossing for crossing in self.crossings}

    @cached_property
    def controller_index(self) -> Mapping[ControllerId, Controller]:
        """Return controllers by id."""
        return {controller.id: controller for controller in self.controllers}

    @cached_property
    def movements_from(self) -> Mapping[LinkId, tuple[Movement, ...]]:
        """Return movements by the link they come from."""
        found: dict[LinkId, list[Movement]] = {link.id: [] for link in self.links}
        for movement in self.movements:
            found[movement.from_link].append(movement)
        return {link: tuple(listed) for link, listed in found.items()}

    @cached_property
    def movements_into(self) -> Mapping[LinkId, tuple[Movement, ...]]:
        """Return movements by the link they lead to."""
        found: dict[LinkId, list[Movement]] = {link.id: [] for link in self.links}
        for movement in self.movements:
            found[movement.to_link].append(movement)
        return {link: tuple(listed) for link, listed in found.items()}

    @cached_property
    def lane_movements(self) -> Mapping[LaneId, tuple[Movement, ...]]:
        """Return the movements that use each stop-line lane."""
        found: dict[LaneId, list[Movement]] = {}
        for movement in self.movements:
            for lane in movement.lanes:
                found.setdefault(lane, []).append(movement)
        return {lane: tuple(listed) for lane, listed in found.items()}

    @cached_property
    def corridors(self) -> tuple[Corridor, ...]:
        """Return every chain of two or more signals on one street, by name, longest first."""
        from lvbo.network.chains import find_corridors

        return find_corridors(self)

    def corridor(self, name: str) -> Corridor:
        """Return the corridor of a street by its name or id.

        Raises:
            InputError: LV210 where no corridor has that name, with the names there are.

        """
        for corridor in self.corridors:
            if name in (corridor.name, corridor.id):
                return corridor
        names = ", ".join(corridor.name for corridor in self.corridors)
        raise InputError("LV210", place=name, corridors=names)

    def controllers_at(self, intersection: IntersectionId) -> tuple[Controller, ...]:
        """Return the controllers that serve an intersection."""
        return tuple(c for c in self.controllers if intersection in c.intersections)
