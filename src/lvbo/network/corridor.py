# SPDX-License-Identifier: Apache-2.0
"""A corridor: a chain of signals on one street, with the movements that run along it both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lvbo.ids import ControllerId, CorridorId, IntersectionId, LinkId, MovementId, PhaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One signal of a corridor: the stop lines passed outbound and inbound.

    On a one-way street `inbound` is None. The two stop lines may belong to two controllers, or
    several stops to one (then their relative offset is locked). The phases are those that give the
    movements green.
    """

    intersection: IntersectionId
    outbound: MovementId | None
    inbound: MovementId | None
    outbound_controller: ControllerId | None
    inbound_controller: ControllerId | None
    outbound_phases: tuple[PhaseId, ...] = ()
    inbound_phases: tuple[PhaseId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The way from one stop line to the next in one direction."""

    links: tuple[LinkId, ...]
    length_m: float
    speed_limit_mps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """n stops and n - 1 sections per direction.

    `outbound[i]` leads from stop i to i + 1; `inbound[i]` from stop i + 1 to i. Both lists are in
    outbound order. A direction that does not exist everywhere has no sections at all.
    """

    id: CorridorId
    name: str
    stops: tuple[Stop, ...]
    outbound: tuple[Section, ...]
    inbound: tuple[Section, ...]

    @property
    def length_m(self) -> float:
        """Return the length of the longer direction."""
        return max(
            sum(section.length_m for section in self.outbound),
            sum(section.length_m for section in self.inbound),
        )

    @property
    def controllers(self) -> tuple[ControllerId, ...]:
        """Return the controllers along the way, each once, in outbound order."""
        found = (c for s in self.stops for c in (s.outbound_controller, s.inbound_controller))
        return tuple(dict.fromkeys(c for c in found if c is not None))

    def reversed(self) -> Corridor:
        """Return the same corridor seen from its other end."""
        return replace(
            self,
            stops=tuple(_turned(stop) for stop in reversed(self.stops)),
            outbound=tuple(reversed(self.inbound)),
            inbound=tuple(reversed(self.outbound)),
        )

    def between(self, first: int, last: int) -> Corridor:
        """Return the part from stop `first` to stop `last`, both included."""
        return replace(
            self,
            stops=self.stops[first : last + 1],
            outbound=self.outbound[first:last],
            inbound=self.inbound[first:last],
        )


def _turned(stop: Stop) -> Stop:
    return Stop(
        intersection=stop.intersection,
        outbound=stop.inbound,
        inbound=stop.outbound,
        outbound_controller=stop.inbound_controller,
        inbound_controller=stop.outbound_controller,
        outbound_phases=stop.inbound_phases,
        inbound_phases=stop.outbound_phases,
    )
