# SPDX-License-Identifier: Apache-2.0
"""What one controller serves, as arrays: lanes, movements, who yields to whom, where to look."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LaneId, LinkId, MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.signal.lamp import Conflict, PhaseKind, Right
from lvbo.signal.rules import Controller, SignalRules

NONE, YIELDING, PROTECTED = 0, 1, 2
"""How a phase serves a movement: not at all, yielding (permitted, on red), with priority."""

REACH_M = 200.0
TURN_SHARE = {Turn.THROUGH: 1.0, Turn.RIGHT: 0.35, Turn.LEFT: 0.35, Turn.UTURN: 0.02}
"""How much a movement counts beside others of its lane before anything was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A stretch of lane that is looked at: its name in the binding, the stop-line lanes ahead.

    `shares` is what part of its traffic is expected on each of them before any was seen; they sum
    to less than one where some turns off before the stop line.
    """

    name: str
    lanes: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """The place of one controller, in numbers; all tuples are in a fixed order.

    `links` (lanes,) are the links that the lanes end, `exits` (movements,) those that the movements
    lead to. `uses` (lanes, movements): the movement may be made from the lane. `serves` (phases,
    movements): `NONE`, `YIELDING` or `PROTECTED`. `yields` (movements, movements): a yielding row
    gives way to the column while that goes.
    """

    controller: Controller
    lanes: tuple[LaneId, ...]
    links: tuple[LinkId, ...]
    movements: tuple[MovementId, ...]
    turns: tuple[Turn, ...]
    exits: tuple[LinkId, ...]
    zones: tuple[Zone, ...]
    length_m: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    uses: NDArray[np.bool_]
    serves: NDArray[np.int8]
    yields: NDArray[np.bool_]

    @property
    def id(self) -> ControllerId:
        """Return the id of the controller."""
        return self.controller.id

    @property
    def rules(self) -> SignalRules:
        """Return what its lights may do."""
        return self.controller.rules

    @cached_property
    def mates(self) -> NDArray[np.float64]:
        """Return 1 for lanes of one link, each with itself too, else 0, (lanes, lanes)."""
        return same(self.links)

    @cached_property
    def phases(self) -> tuple[PhaseId, ...]:
        """Return the phases, in the order of the rules."""
        return tuple(phase.id for phase in self.rules.phases)

    @cached_property
    def walks(self) -> NDArray[np.bool_]:
        """Return which phases are read by people on foot, shape (phases,)."""
        return np.array([p.kind is PhaseKind.PEDESTRIAN for p in self.rules.phases], dtype=bool)


def same(names: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 where two names are equal, else 0, (names, names)."""
    return np.array([[a == b for b in names] for a in names], dtype=np.float64)


def read_site(network: Network, controller: Controller) -> Site:
    """Return the site of a controller: every lane and movement that its vehicle phases serve."""
    rules = controller.rules
    served = sorted({s.movement for s in rules.services if s.movement is not None})
    movements = tuple(m for m in served if network.movement_index[m].lanes)
    lanes = tuple(sorted({x for m in movements for x in network.movement_index[m].lanes}))
    at = {lane: k for k, lane in enumerate(lanes)}
    uses = np.zeros((len(lanes), len(movements)), dtype=bool)
    for k, m in enumerate(movements):
        uses[[at[x] for x in network.movement_index[m].lanes], k] = True
    serves = _serves(rules, movements)
    return Site(
        controller=controller,
        lanes=lanes,
        links=tuple(network.lane_index[x].link for x in lanes),
        movements=movements,
        turns=tuple(network.movement_index[m].turn for m in movements),
        exits=tuple(network.movement_index[m].to_link for m in movements),
        zones=_zones(network, at),
        length_m=np.array([network.lane_index[x].length_m for x in lanes]),
        speed_mps=np.array([network.lane_index[x].speed_mps for x in lanes]),
        uses=uses,
        serves=serves,
        yields=_yields(rules, serves),
    )


def _serves(rules: SignalRules, movements: tuple[MovementId, ...]) -> NDArray[np.int8]:
    number = {m: k for k, m in enumerate(movements)}
    row = {phase.id: k for k, phase in enumerate(rules.phases)}
    serves = np.zeros((len(rules.phases), len(movements)), dtype=np.int8)
    for service in rules.services:
        if service.movement is not None and service.movement in number:
            how = PROTECTED if service.right is Right.PROTECTED else YIELDING
            at = row[service.phase], number[service.movement]
            serves[at] = max(int(serves[at]), how)
    return serves


def _yields(rules: SignalRules, serves: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return who gives way to whom: a yielding movement to all that phases it may meet serve."""
    count = serves.shape[1]
    yields = np.zeros((count, count), dtype=bool)
    row = {phase.id: k for k, phase in enumerate(rules.phases)}
    for (a, b), kind in rules.conflict_index.items():
        if kind is Conflict.YIELD and a in row and b in row:
            gives = serves[row[a]] == YIELDING
            has = serves[row[b]] == PROTECTED
            yields |= gives[:, None] & has[None, :]
    return yields


def _zones(network: Network, at: Mapping[LaneId, int]) -> tuple[Zone, ...]:
    """Return the stretches that lead to the lanes; without a binding each lane is one.

    Where a link begins within `REACH_M` of the stop line at a place without signals, the links
    that lead into it are looked at too.
    """
    if network.sumo is None:
        return tuple(Zone(name=str(lane), lanes=(k,), shares=(1.0,)) for lane, k in at.items())
    found: dict[str, dict[int, float]] = {}
    for name, ahead in network.sumo.lanes:
        own = [at[lane] for lane in ahead if lane in at]
        if own:
            found[name] = dict.fromkeys(own, 1.0 / len(own))
    at_lines = set(found)
    links = sorted({network.lane_index[lane].link for lane in at})
    for link in links:
        lanes = [at[lane.id] for lane in network.link_index[link].lanes if lane.id in at]
        _look_back(network, link, 0.0, dict.fromkeys(lanes, 1.0 / len(lanes)), found, at_lines)
    return tuple(
        Zone(name=name, lanes=tuple(row), shares=tuple(row.values()))
        for name, row in sorted(found.items())
    )


def _look_back(
    network: Network,
    link: LinkId,
    passed_m: float,
    ahead: Mapping[int, float],
    found: dict[str, dict[int, float]],
    own: Container[str],
) -> None:
    """Add the lanes that lead into a link without a signal, as far as can be seen."""
    passed_m += network.link_index[link].length_m
    if passed_m >= REACH_M or network.sumo is None:
        return
    for movement in network.movements_into[link]:
        if movement.controllers:
            continue
        others = [m.turn for m in network.movements_from[movement.from_link]]
        turns = sum(TURN_SHARE[turn] for turn in others)
        only_back = set(others) == {Turn.UTURN}  # nearly all who come there stay there
        share = TURN_SHARE[movement.turn] / (1.0 if only_back else turns)
        onward = {lane: share * part for lane, part in ahead.items()}
        for name, lanes in network.sumo.lanes:
            if set(lanes) & set(movement.lanes) and name not in own:
                row = found.setdefault(name, {})
                for lane, part in onward.items():
                    row[lane] = min(1.0, row.get(lane, 0.0) + part)
        _look_back(network, movement.from_link, passed_m, onward, found, own)
