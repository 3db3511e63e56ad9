# SPDX-License-Identifier: Apache-2.0
"""The main paths along a street: where vehicles come in, where they leave it, how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lvbo.ids import MovementId
from lvbo.network.corridor import Corridor, Section
from lvbo.network.network import Network
from lvbo.network.place import Movement, Turn
from lvbo.timing.plans import Volumes

LEAST_STOPS = 2
"""A path passes so many stop lines with signals: one alone has no wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetPath:
    """Vehicles that pass some signals of a street and come in, or leave it, by a turn.

    `stops[k]` is the number of the signal (of the corridor, outbound order) at which
    `movements[k]` is made: the turn or through movement by which the path comes in, through
    movements, and the one by which it leaves. `flow_vph` is what turning shares say of it.
    """

    outbound: bool
    stops: tuple[int, ...]
    movements: tuple[MovementId, ...]
    turns: tuple[Turn, ...]
    flow_vph: float

    @property
    def is_through(self) -> bool:
        """Say whether the path neither comes in nor leaves by a turn."""
        return all(turn is Turn.THROUGH for turn in self.turns)


def main_paths(
    corridor: Corridor, network: Network, volumes: Volumes, most: int
) -> tuple[StreetPath, ...]:
    """Return the through path of each direction and the `most` largest paths that turn.

    Flows are chains of turning shares: who came in is taken to leave like everybody beside him.
    Paths without flow are left out, through ones excepted.
    """
    found = [path for way in _directions(corridor, network, volumes) for path in way.paths()]
    turning = [path for path in found if not path.is_through and path.flow_vph > 0]
    turning.sort(key=lambda path: (-path.flow_vph, path.movements))
    through = [path for path in found if path.is_through]
    return (*through, *turning[:most])


def _directions(corridor: Corridor, network: Network, volumes: Volumes) -> Iterator[_Direction]:
    if corridor.outbound:
        yield _Direction(corridor, network, volumes, outbound=True)
    if corridor.inbound:
        yield _Direction(corridor, network, volumes, outbound=False)


class _Direction:
    """Hold one direction of a street, in driving order."""

    def __init__(
        self, corridor: Corridor, network: Network, volumes: Volumes, *, outbound: bool
    ) -> None:
        self.network, self.volumes, self.outbound = network, volumes, outbound
        stops = [s.outbound if outbound else s.inbound for s in corridor.stops]
        own = [network.movement_index[m] for m in stops if m is not None]
        numbers = list(range(len(own)))
        self.throughs = own if outbound else own[::-1]
        self.numbers = numbers if outbound else numbers[::-1]
        self.sections = corridor.outbound if outbound else corridor.inbound[::-1]

    def paths(self) -> Iterator[StreetPath]:
        """Yield every path that passes two signals or more."""
        for first in range(len(self.throughs) - 1):
            for entry, flow in self._entries(first):
                yield from self._onward(first, entry, flow)

    def _flow(self, movement: MovementId) -> float:
        return max(0.0, self.volumes.get(movement, 0.0))

    def _share(self, movement: Movement) -> float:
        """Return the share of an approach that makes this movement; 1 where nothing is known."""
        total = sum(self._flow(m.id) for m in self.network.movements_from[movement.from_link])
        if total > 0:
            return self._flow(movement.id) / total
        return 1.0 if movement.turn is Turn.THROUGH else 0.0

    def _entries(self, first: int) -> Iterator[tuple[Movement, float]]:
        """Yield the movements that come into the stretch after a signal, with their flows."""
        through = self.throughs[first]
        if first == 0:
            yield through, self._flow(through.id)
        for movement in self.network.movements_into[self.sections[first].links[0]]:
            if movement.id != through.id and movement.from_link != through.from_link:
                yield movement, self._flow(movement.id)

    def _onward(self, first: int, entry: Movement, flow: float) -> Iterator[StreetPath]:
        """Yield the paths of one entry by where they leave."""
        last, passed = len(self.throughs) - 1, [entry]
        for k in range(first + 1, last + 1):
            flow *= self._kept(self.sections[k - 1])
            through = self.throughs[k]
            for leaving in self.network.movements_from[through.from_link]:
                if leaving.id != through.id or k == last:
                    yield self._path(first, [*passed, leaving], flow * self._share(leaving))
            flow *= self._share(through)
            passed.append(through)

    def _kept(self, section: Section) -> float:
        """Return the share that stays on the street between two signals."""
        share = 1.0
        for here, onward in zip(section.links, section.links[1:], strict=False):
            own = [m for m in self.network.movements_from[here] if m.to_link == onward]
            share *= self._share(own[0]) if own else 1.0
        return share

    def _path(self, first: int, movements: list[Movement], flow: float) -> StreetPath:
        return StreetPath(
            outbound=self.outbound,
            stops=tuple(self.numbers[first : first + len(movements)]),
            movements=tuple(m.id for m in movements),
            turns=tuple(m.turn for m in movements),
            flow_vph=flow,
        )
