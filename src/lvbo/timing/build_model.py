# SPDX-License-Identifier: Apache-2.0
"""From the street to the model of a controller: lanes shared out, turns and whom they yield to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.demand.swings import swings_h
from lvbo.ids import LaneId, MovementId, PhaseId
from lvbo.network.network import Network
from lvbo.signal.lamp import Conflict, Lamp, PhaseKind
from lvbo.signal.rules import Controller, SignalRules
from lvbo.timing.model import ControllerModel
from lvbo.timing.permitted import inner_room
from lvbo.timing.stages import stage_orders

if TYPE_CHECKING:
    from lvbo.demand.demand import Demand, Saturation
    from lvbo.timing._flow_kernels import Layout

Floats = NDArray[np.float64]

ROUNDS = 40
LEAST_SHARE = 0.03


def build_model(
    network: Network,
    controller: Controller,
    saturations: Mapping[LaneId, Saturation],
    volumes_vph: Mapping[MovementId, float],
    demand: Demand | None = None,
) -> ControllerModel:
    """Return the model of one controller; lanes are shared out at the given volumes.

    Where `demand` tells flows of lanes, drivers share lanes as they did then, and flows swing from
    slot to slot as its volumes do; without it they do not.
    """
    rules = controller.rules
    served = sorted({s.movement for s in rules.services if s.movement is not None})
    movements = tuple(m for m in served if _car_lanes(network, m))
    lanes = tuple(sorted({lane for m in movements for lane in _car_lanes(network, m)}))
    flows = [saturations[lane].flow_vph for lane in lanes]
    foes = _foe_lanes(network, rules, movements, lanes)
    served_by = [[lanes.index(lane) for lane in _car_lanes(network, m)] for m in movements]
    volumes = [volumes_vph.get(m, 0.0) for m in movements]
    shares = lane_shares(served_by, volumes, flows)
    if demand is not None and demand.lanes_vph:
        counted = dict(demand.lanes_vph)
        seen = [counted.get(lane, np.nan) for lane in lanes]
        shares = shares_as_seen(served_by, volumes, flows, seen)
    layout = _layout(
        volumes_vph,
        movements,
        shares,
        foes,
        [saturations[x] for x in lanes],
        [inner_room(network.movement_index[m].length_m) for m in movements],
    )
    if demand is not None:
        layout = layout._replace(swing_h=swings_h(demand, movements, shares))
    return ControllerModel(
        controller=controller,
        movements=movements,
        lanes=lanes,
        orders=stage_orders(network, controller),
        layout=layout,
        shares=shares,
        approaches=tuple(network.movement_index[m].from_link for m in movements),
        storage_m=np.array([network.lane_index[lane].length_m for lane in lanes]),
    )


def _car_lanes(network: Network, movement: MovementId) -> list[LaneId]:
    lanes = network.movement_index[movement].lanes
    return [lane for lane in lanes if network.lane_index[lane].for_cars]


def lane_shares(served: list[list[int]], volumes: list[float], flows: list[float]) -> Floats:
    """Return the share of each movement on each lane, shape (lanes, movements).

    Drivers balance the flow ratios of the lanes open to them: a fixed point, found by moving each
    movement to its lanes in turn.
    """
    shares = np.zeros((len(flows), len(served)))
    for m, lanes in enumerate(served):
        shares[lanes, m] = 1.0 / len(lanes)
    sat = np.array(flows)
    demand = np.maximum(np.array(volumes), 1.0)
    for _ in range(40):
        for m, lanes in enumerate(served):
            if len(lanes) > 1:
                others = (shares @ demand - shares[:, m] * demand[m])[lanes]
                shares[lanes, m] = _levelled(others, sat[lanes], demand[m])
    return shares


def shares_as_seen(
    served: list[list[int]], volumes: list[float], flows: list[float], seen_vph: list[float]
) -> Floats:
    """Return shares as `lane_shares` does, but with lane flows in the proportions seen.

    Iterative proportional fitting (Deming and Stephan, 1940) of lanes joined by movements that may
    use several of them; where one of these lanes was not seen nothing changes. Shares below 3 % are
    chance and left out.
    """
    shares = lane_shares(served, volumes, flows)
    demand, seen = np.maximum(np.array(volumes), 1.0), np.array(seen_vph)
    for lanes, moves in _joined(served):
        if len(lanes) < 2 or np.isnan(seen[lanes]).any() or seen[lanes].sum() <= 0:  # noqa: PLR2004
            continue
        open_ = np.array([[lane in served[m] for m in moves] for lane in lanes])
        want = seen[lanes] / seen[lanes].sum() * demand[moves].sum()
        shares[np.ix_(lanes, moves)] = _fitted(open_, demand[moves], want)
    return shares


def _joined(served: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    """Return the lanes that movements share, directly or by others, with those movements."""
    groups: list[tuple[set[int], set[int]]] = []
    for m, lanes in enumerate(served):
        touched = [g for g in groups if g[0] & set(lanes)]
        rest = [g for g in groups if g not in touched]
        both = set(lanes).union(*(g[0] for g in touched)), {m}.union(*(g[1] for g in touched))
        groups = [*rest, both]
    return [(sorted(lanes), sorted(moves)) for lanes, moves in groups]


def _fitted(open_: NDArray[np.bool_], demand: Floats, want: Floats) -> Floats:
    """Return the shares of movements (columns) on lanes that bring these the flows wanted."""
    for _ in range(2):
        part = np.where(open_, demand, 0.0)
        for _ in range(ROUNDS):
            part *= (want / np.maximum(part.sum(axis=1), 1e-9))[:, None]
            part *= demand / np.maximum(part.sum(axis=0), 1e-9)
        open_ = open_ & (part >= LEAST_SHARE * demand)
    return np.asarray(np.where(open_, part, 0.0) / np.where(open_, part, 0.0).sum(axis=0))


def _levelled(others: Floats, sat: Floats, volume: float) -> Floats:
    """Return shares that bring the lanes' flow ratios as level as one movement can."""
    order = np.argsort(others / sat)
    for count in range(len(order), 0, -1):
        pick = order[:count]
        level = (others[pick].sum() + volume) / sat[pick].sum()
        if (level * sat[pick] - others[pick] >= 0).all():
            out = np.zeros(len(order))
            out[pick] = (level * sat[pick] - others[pick]) / volume
            return out
    return np.full(len(order), 1.0 / len(order))


def _layout(
    volumes_vph: Mapping[MovementId, float],
    movements: tuple[MovementId, ...],
    shares: Floats,
    foes: list[list[int]],
    table: Sequence[Saturation],
    rooms: Sequence[int],
) -> Layout:
    from lvbo.timing._flow_kernels import Layout

    lanes = range(len(table))
    on_lane = [[m for m in range(len(movements)) if shares[k, m] > 0] for k in lanes]
    turns = max((len(found) for found in on_lane), default=1)
    widest = max((len(f) for f in foes), default=1) or 1
    turn_move = np.full((len(lanes), turns), -1, dtype=np.int64)
    turn_share = np.zeros((len(lanes), turns))
    turn_foes = np.full((len(lanes), turns, widest), -1, dtype=np.int64)
    room = np.zeros(len(lanes), dtype=np.int64)
    demand = np.array([max(volumes_vph.get(m, 0.0), 1.0) for m in movements])
    for k, found in enumerate(on_lane):
        flows = shares[k, found] * demand[found]
        turn_move[k, : len(found)] = found
        turn_share[k, : len(found)] = flows / flows.sum()
        for j, m in enumerate(found):
            turn_foes[k, j, : len(foes[m])] = foes[m]
        gives = [j for j, m in enumerate(found) if foes[m]]
        if gives:
            room[k] = round(np.average([rooms[found[j]] for j in gives], weights=flows[gives]))
    return Layout(
        turn_move,
        turn_share,
        turn_foes,
        np.array([s.flow_vph / 3600 for s in table]),
        _loss_gain(table),
        np.array([int((turn_foes[k] >= 0).any()) for k in lanes], dtype=np.int64),
        room,
        np.zeros(len(lanes)),
    )


def _loss_gain(table: Sequence[Saturation]) -> tuple[int, int]:
    """Return the median start-up loss and end gain in whole seconds."""
    if not table:
        return 2, 1
    loss = float(np.median([s.start_loss_s for s in table]))
    return round(loss), round(float(np.median([s.end_gain_s for s in table])))


def _foe_lanes(
    network: Network,
    rules: SignalRules,
    movements: tuple[MovementId, ...],
    lanes: tuple[LaneId, ...],
) -> list[list[int]]:
    """Return for each movement the lanes it yields to when it goes permitted."""
    serves: dict[PhaseId, set[MovementId]] = defaultdict(set)
    for service in rules.services:
        if service.movement is not None:
            serves[service.phase].add(service.movement)
    found: list[set[int]] = [set() for _ in movements]
    for (a, b), kind in rules.conflict_index.items():
        if kind is not Conflict.YIELD or rules.phase_index[b].kind is PhaseKind.PEDESTRIAN:
            continue
        if rules.phase_index[a].shows is Lamp.GREEN:
            continue
        foes = {lanes.index(x) for m in serves[b] for x in _car_lanes(network, m) if x in lanes}
        for m in serves[a] & set(movements):
            found[movements.index(m)] |= foes
    return [sorted(f) for f in found]
