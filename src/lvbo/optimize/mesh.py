# SPDX-License-Identifier: Apache-2.0
"""The streets of an area as arrays: queues at stop lines, pipes between signals, who feeds whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId, LaneId, LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.timing.model import ControllerModel

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Mesh

Volumes = Mapping[MovementId, float]

FAR_M = 2500.0
"""Platoons are followed so far to the next signal; then they have dispersed."""
VEHICLE_M = 7.5
"""What a standing vehicle takes of a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How traffic behaves here, to be calibrated.

    `alpha`, `beta` are Robertson's dispersion and lag factors; platoons run at `speed_share` of the
    limit where no speed was measured, lanes discharge `flow_share` of their saturation flow.
    `worth` is what a vehicle of a movement counts in the cost, 1 where it is not named.
    """

    alpha: float = 0.35
    beta: float = 0.8
    speed_share: float = 0.75
    flow_share: float = 1.0
    worth: Mapping[MovementId, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """Traffic on its way from one signal to a stop-line link of another.

    `shares` are (queue, share of its departures); `lanes` is how wide the way is at its narrowest.
    """

    source: int
    link: int
    time_s: float
    length_m: float
    lanes: int
    shares: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Lanes of one link that go the same ways: they fill alike and count as one.

    `turns` are (movement number at the signal, share, queues it yields to). Of those who yield,
    `room` a lane stand inside the intersection. `variance` is that of arrivals over their mean.
    """

    signal: int
    link: LinkId
    lanes: tuple[LaneId, ...]
    total_vph: float
    sat_vph: float
    storage: float
    turns: tuple[tuple[int, float, tuple[int, ...]], ...]
    worth: float = 1.0
    room: int = 1
    variance: float = 1.0

    @property
    def yields(self) -> bool:
        """Say whether a turn of the queue ever yields."""
        return any(foes for _, _, foes in self.turns)


@dataclass(frozen=True, eq=False, kw_only=True)
class AreaMesh:
    """Signals, links, queues and pipes with their names, and the same as kernel arrays."""

    controllers: tuple[ControllerId, ...]
    models: tuple[ControllerModel, ...]
    links: tuple[LinkId, ...]
    queues: tuple[Queue, ...]
    pipes: tuple[Pipe, ...]
    traits: Traits
    arrays: Mesh

    @property
    def loss_gain_s(self) -> tuple[tuple[int, int], ...]:
        """Return start-up loss and end gain of each signal in whole seconds."""
        return tuple(model.layout.loss_gain_s for model in self.models)


def build_mesh(
    network: Network,
    models: Mapping[ControllerId, ControllerModel],
    volumes: Volumes,
    speeds_mps: Mapping[LinkId, float] | None = None,
    traits: Traits | None = None,
) -> AreaMesh:
    """Return the mesh of these controllers at volumes in veh/h; what comes from others is uniform.

    `speeds_mps` are measured speeds of platoons by link.
    """
    builder = _Builder(network, models, volumes, dict(speeds_mps or {}), traits or Traits())
    return builder.build()


def stacked(meshes: Sequence[AreaMesh]) -> AreaMesh:
    """Return meshes of the same signals at several volumes as one: a search serves them all."""
    first = meshes[0]
    arrays = first.arrays
    for more in (mesh.arrays for mesh in meshes[1:]):
        arrays = _joined(arrays, more)
    return replace(first, arrays=arrays)


def _joined(a: Mesh, b: Mesh) -> Mesh:
    """Return two meshes side by side; the numbers of the second go on after the first's."""
    signals, links, queues = len(a.links) - 1, len(a.queues) - 1, len(a.total)
    pipes = len(a.lag)
    shifts = {
        "links": links,
        "queues": queues,
        "steps": len(a.order),
        "order": queues,
        "owner": signals,
        "feeds": len(a.feed),
        "feed": pipes,
        "edges": len(a.edge_queue),
        "edge_queue": queues,
        "pipes": pipes,
        "into": links,
        "link": links,
    }
    cumulative = {"links", "queues", "steps", "feeds", "edges", "pipes"}
    found = {
        name: np.concatenate([own, more[int(name in cumulative) :] + shifts.get(name, 0)])
        for name, own, more in ((name, getattr(a, name), getattr(b, name)) for name in a._fields)
        if name != "foes"
    }
    foes = np.concatenate([a.foes, np.where(b.foes >= 0, b.foes + queues, b.foes)])
    return a._replace(**found, foes=foes)


class _Builder:
    """Number links, queues and pipes signal by signal."""

    def __init__(
        self,
        network: Network,
        models: Mapping[ControllerId, ControllerModel],
        volumes: Volumes,
        speeds_mps: Mapping[LinkId, float],
        traits: Traits,
    ) -> None:
        self.network, self.volumes = network, volumes
        self.speeds, self.traits = speeds_mps, traits
        self.controllers = tuple(sorted(models))
        self.models = tuple(models[c] for c in self.controllers)
        self.links: list[LinkId] = []
        self.first_link = [0]
        self.queues: list[Queue] = []
        self.first_queue: list[int] = []
        for s, model in enumerate(self.models):
            self._add_signal(s, model)
        self.link_number = {link: n for n, link in enumerate(self.links)}

    def build(self) -> AreaMesh:
        """Return the whole."""
        pipes = tuple(self._pipes())
        return AreaMesh(
            controllers=self.controllers,
            models=self.models,
            links=tuple(self.links),
            queues=tuple(self.queues),
            pipes=pipes,
            traits=self.traits,
            arrays=mesh_arrays(
                len(self.models), self.first_link, self.first_queue, self.queues, pipes, self.traits
            ),
        )

    # queues ---------------------------------------------------------------------------------

    def _add_signal(self, s: int, model: ControllerModel) -> None:
        """Add the links and queues of one signal; lanes alike become one queue."""
        link_of = [self.network.lane_index[lane].link for lane in model.lanes]
        same = _alike(model)
        order = sorted(range(len(model.lanes)), key=lambda k: (link_of[k], k))
        alike: dict[tuple[LinkId, tuple[int, ...]], list[int]] = defaultdict(list)
        for k in order:
            alike[link_of[k], tuple(sorted({same[m] for m in _moves(model, k)}))].append(k)
        volume = model.lane_volumes(self.volumes)
        home = len(self.queues)
        number = {k: home + i for i, lanes in enumerate(alike.values()) for k in lanes}
        for (link, moves), lanes in alike.items():
            if not self.links[self.first_link[-1] :] or self.links[-1] != link:
                self.links.append(link)
                self.first_queue.append(len(self.queues))
            self.queues.append(self._queue(s, model, link, moves, lanes, volume, number, same))
        self.first_link.append(len(self.links))

    def _queue(  # noqa: PLR0913, PLR0917  all that a queue is made of
        self,
        s: int,
        model: ControllerModel,
        link: LinkId,
        moves: tuple[int, ...],
        lanes: Sequence[int],
        volume: NDArray[np.float64],
        number: Mapping[int, int],
        same: Mapping[int, int],
    ) -> Queue:
        layout, total = model.layout, float(volume[lanes].sum())
        weight = volume[lanes] / total if total > 0 else np.full(len(lanes), 1 / len(lanes))
        turns = []
        for m in moves:
            share, foes = 0.0, set()
            for k, w in zip(lanes, weight, strict=True):
                for j, own in enumerate(layout.turn_move[k]):
                    if own >= 0 and same[int(own)] == m:
                        share += float(w) * float(layout.turn_share[k, j])
                        foes |= {number[int(f)] for f in layout.turn_foes[k, j] if f >= 0}
            turns.append((m, share, tuple(sorted(foes))))
        return Queue(
            signal=s,
            link=link,
            lanes=tuple(model.lanes[k] for k in lanes),
            total_vph=total,
            sat_vph=3600 * float(layout.sat_vps[lanes].sum()) * self.traits.flow_share,
            storage=max(1.0, float(model.storage_m[lanes].sum()) / VEHICLE_M),
            turns=tuple(turns),
            worth=self._worth(model, turns),
            room=int(layout.room[lanes].min()),
            variance=1.0 + total * float(weight @ layout.swing_h[lanes]),
        )

    def _worth(
        self, model: ControllerModel, turns: Iterable[tuple[int, float, tuple[int, ...]]]
    ) -> float:
        """Return what a vehicle of a queue counts, by the shares of its turns."""
        known = self.traits.worth or {}
        return 1.0 + sum(share * (known.get(model.movements[m], 1.0) - 1) for m, share, _ in turns)

    # pipes ----------------------------------------------------------------------------------

    def _pipes(self) -> Iterable[Pipe]:
        """Yield the ways between signals of the area, by the signal they start at."""
        by_turn = [self._shares(s, model) for s, model in enumerate(self.models)]
        for s, model in enumerate(self.models):
            ways: dict[LinkId, list[int]] = defaultdict(list)
            for m, movement in enumerate(model.movements):
                ways[self.network.movement_index[movement].to_link].append(m)
            for first, moves in sorted(ways.items()):
                way = self._way(first)
                if way is None or way[0] not in self.link_number:
                    continue
                link, kept, time_s, length_m, lanes = way
                parts: dict[int, float] = defaultdict(float)
                for m in moves:
                    for q, share in by_turn[s].get(m, ()):
                        parts[q] += share * kept
                used = {q: p for q, p in parts.items() if p > 0 and self.queues[q].total_vph > 0}
                inside = self._inside_m(model, moves)
                if used:
                    yield Pipe(
                        source=s,
                        link=self.link_number[link],
                        time_s=time_s + inside / self._speed(first),
                        length_m=length_m,
                        lanes=lanes,
                        shares=tuple(sorted(used.items())),
                    )

    def _shares(self, s: int, model: ControllerModel) -> dict[int, list[tuple[int, float]]]:
        """Return for each movement of a signal the queues it stands in and its share of them."""
        starts = [*self.first_queue, len(self.queues)]
        own = range(starts[self.first_link[s]], starts[self.first_link[s + 1]])
        of_lane = {lane: q for q in own for lane in self.queues[q].lanes}
        volume = model.lane_volumes(self.volumes)
        found: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for k, lane in enumerate(model.lanes):
            q = of_lane[lane]
            total = self.queues[q].total_vph
            part = float(volume[k]) / total if total > 0 else 0.0
            for m, share in zip(model.layout.turn_move[k], model.layout.turn_share[k], strict=True):
                if m >= 0 and part * share > 0:
                    found[int(m)][q] += part * float(share)
        return {m: list(parts.items()) for m, parts in found.items()}

    def _inside_m(self, model: ControllerModel, moves: Sequence[int]) -> float:
        """Return the mean path inside the intersection, by volume."""
        paths = [self.network.movement_index[model.movements[m]] for m in moves]
        volume = [max(self.volumes.get(p.id, 0.0), 1e-3) for p in paths]
        return sum(p.length_m * v for p, v in zip(paths, volume, strict=True)) / sum(volume)

    def _speed(self, link: LinkId) -> float:
        limit = self.network.link_index[link].speed_mps
        return self.speeds.get(link, self.traits.speed_share * limit)

    def _way(self, first: LinkId) -> tuple[LinkId, float, float, float, int] | None:
        """Return the next link with a signal, the share that stays on the way, s, m and lanes."""
        link = self.network.link_index[first]
        kept, time_s, metres, lanes = 1.0, 0.0, 0.0, 99
        while metres < FAR_M:
            time_s += link.length_m / self._speed(link.id)
            metres += link.length_m
            lanes = min(lanes, max(1, len([x for x in link.car_lanes if not x.is_bay])))
            ahead = self.network.movements_from[link.id]
            if any(m.controllers for m in ahead):
                return link.id, kept, time_s, metres, lanes
            through = [m for m in ahead if m.turn is Turn.THROUGH]
            if not through:
                return None
            total = sum(self.volumes.get(m.id, 0.0) for m in ahead)
            onward = max(through, key=lambda m: (self.volumes.get(m.id, 0.0), m.id))
            kept *= self.volumes.get(onward.id, 0.0) / total if total > 0 else 1.0
            time_s += onward.length_m / self._speed(link.id)
            metres += onward.length_m
            link = self.network.link_index[onward.to_link]
        return None


def _moves(model: ControllerModel, k: int) -> list[int]:
    return [int(m) for m in model.layout.turn_move[k] if m >= 0]


def _alike(model: ControllerModel) -> dict[int, int]:
    """Return for each movement the first one that always goes with it and, like it, never yields.

    To a queue they are one turn.
    """
    rights: dict[MovementId, set[tuple[str, str]]] = defaultdict(set)
    for service in model.controller.rules.services:
        if service.movement is not None:
            rights[service.movement].add((service.phase, service.right))
    layout = model.layout
    yields = {
        int(m)
        for k in range(len(model.lanes))
        for m, foes in zip(layout.turn_move[k], layout.turn_foes[k], strict=True)
        if m >= 0 and (foes >= 0).any()
    }
    first: dict[object, int] = {}
    return {
        m: m if m in yields else first.setdefault(frozenset(rights[movement]), m)
        for m, movement in enumerate(model.movements)
    }


def mesh_arrays(
    signals: int,
    first_link: Sequence[int],
    first_queue: Sequence[int],
    queues: Sequence[Queue],
    pipes: Sequence[Pipe],
    traits: Traits,
) -> Mesh:
    """Return a mesh as kernel arrays.

    `first_link[S + 1]` says where the links of each signal begin, `first_queue[N]` the queues of
    each link; pipes are sorted by source.
    """
    from lvbo.optimize._profile_values import Mesh

    starts = [*first_queue, len(queues)]
    link_of = np.repeat(np.arange(len(first_queue)), np.diff(starts))
    total = np.array([q.total_vph / 3600 for q in queues], np.float32)
    edges = [edge for pipe in pipes for edge in pipe.shares]
    mean = np.array([sum(s * total[q] for q, s in p.shares) for p in pipes], np.float32)
    into = np.array([p.link for p in pipes], np.int64)
    share, base = _arrivals(total, link_of, mean, into)
    steps, order = _steps(signals, queues)
    lag_s = np.array([p.time_s for p in pipes])
    turn_move, turn_share, foes = _turns(queues)
    feed = np.argsort(into, kind="stable")
    return Mesh(
        links=np.asarray(first_link, np.int64),
        queues=np.asarray(starts, np.int64),
        steps=steps,
        order=order,
        owner=np.repeat(np.arange(signals), np.diff(first_link)).astype(np.int64),
        feeds=np.searchsorted(into[feed], np.arange(len(first_queue) + 1)),
        feed=feed,
        edges=np.cumsum([0, *(len(p.shares) for p in pipes)]).astype(np.int64),
        edge_queue=np.array([q for q, _ in edges], np.int64),
        edge_share=np.array([s for _, s in edges], np.float32),
        lag=np.round(traits.beta * lag_s).astype(np.int64),
        smooth=(1 / (1 + traits.alpha * traits.beta * lag_s)).astype(np.float32),
        mean=mean,
        pipes=np.searchsorted([p.source for p in pipes], np.arange(signals + 1)),
        into=into,
        link=link_of.astype(np.int64),
        share=share,
        base=base,
        total=total,
        sat=np.array([q.sat_vph / 3600 for q in queues], np.float32),
        lanes=np.array([len(q.lanes) for q in queues], np.float32),
        weight=np.array([q.worth for q in queues], np.float32),
        variance=np.array([q.variance for q in queues], np.float32),
        storage=np.array([q.storage for q in queues], np.float32),
        room=np.array([q.room for q in queues], np.int64),
        turn_move=turn_move,
        turn_share=turn_share,
        foes=foes,
    )


def _arrivals(
    total: NDArray[np.float32],
    link_of: NDArray[np.int64],
    mean: NDArray[np.float32],
    into: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each queue's share of its link's platoons, and the rest that arrives uniformly."""
    links = int(link_of.max(initial=-1)) + 1
    wanted = np.bincount(link_of, total, links)
    fed = np.bincount(into, mean, links)
    least = np.minimum(1.0, np.divide(wanted, fed, out=np.ones(links), where=fed > 0))
    part = np.divide(total, wanted[link_of], out=np.zeros(len(total)), where=wanted[link_of] > 0)
    share = part * least[link_of]
    base = np.maximum(0.0, total - share * fed[link_of])
    return share.astype(np.float32), base.astype(np.float32)


def _steps(signals: int, queues: Sequence[Queue]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of work: who never yields first; who yields to one that yields, twice."""
    own: list[list[int]] = [[] for _ in range(signals)]
    rank = [int(queue.yields) for queue in queues]
    mutual = [any(rank[f] for _, _, foes in queue.turns for f in foes) for queue in queues]
    rank = [2 if both else own_rank for both, own_rank in zip(mutual, rank, strict=True)]
    for now in (0, 1, 2, 2):
        for q, queue in enumerate(queues):
            if rank[q] == now:
                own[queue.signal].append(q)
    steps = np.cumsum([0, *(len(o) for o in own)]).astype(np.int64)
    return steps, np.array([q for o in own for q in o], np.int64)


def _turns(
    queues: Sequence[Queue],
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    turns = max((len(q.turns) for q in queues), default=1)
    widest = max((len(f) for q in queues for _, _, f in q.turns), default=1) or 1
    move = np.full((len(queues), turns), -1, np.int64)
    share = np.zeros((len(queues), turns), np.float32)
    foes = np.full((len(queues), turns, widest), -1, np.int64)
    for q, queue in enumerate(queues):
        for k, (m, part, against) in enumerate(queue.turns):
            move[q, k], share[q, k] = m, part
            foes[q, k, : len(against)] = against
    return move, share, foes
