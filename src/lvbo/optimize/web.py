# SPDX-License-Identifier: Apache-2.0
"""From the mesh of an area to the arrays of link transmission: room, waves, bays, blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize.mesh import VEHICLE_M, AreaMesh

if TYPE_CHECKING:
    from lvbo.optimize._transmission_values import Web

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GATE_VPS = 0.5
"""What enters a lane in the middle of a street at most, in veh/s."""
BAY_SHARE = 0.9
"""A lane shorter than this share of the longest of its link is a bay."""
SHORT_M = 30.0
"""Links between the stop lines of one junction: cars pass them without standing."""
ROOMY = 1e9
"""The storage of what never fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The arrays, and the seconds of a block."""

    web: Web
    block_s: int


def build_web(mesh: AreaMesh, wave_mps: float) -> Built:
    """Return the arrays of an area; queues dissolve backwards at `wave_mps`."""
    from lvbo.optimize._link_kernels import BLOCK
    from lvbo.optimize._transmission_values import Web

    arrays = mesh.arrays
    links, queues = len(arrays.queues) - 1, len(mesh.queues)
    lanes = arrays.lanes.astype(np.float64)
    depth_m = _depth_m(mesh)
    wave = np.maximum(1, np.round(_length_m(mesh, depth_m) / wave_mps)).astype(np.int64)
    lag = np.maximum(arrays.lag, 1)
    block = int(min(BLOCK, lag.min(initial=BLOCK), wave.min(initial=BLOCK)))
    slots = np.cumsum([0, *np.maximum(1, np.round(wave / block)).astype(np.int64)])
    bays = _bays(mesh, depth_m)
    wide = np.bincount(arrays.link, np.where(bays.beside < 0, lanes, 0.0), links)
    base = np.bincount(arrays.link, arrays.base, links)
    most = arrays.sat + arrays.room * arrays.lanes * (arrays.foes >= 0).any(axis=(1, 2))
    surge = _by_pipe(mesh, arrays.edge_share * most[arrays.edge_queue])
    width = np.array([pipe.lanes for pipe in mesh.pipes], np.float64)
    part = width / np.bincount(arrays.into, width, links)[arrays.into]
    worst = np.zeros(links)
    np.maximum.at(worst, arrays.into, surge / np.maximum(part, 1e-9))
    even = np.divide(arrays.base, base[arrays.link], out=np.zeros(queues), where=arrays.base > 0)
    order, late = _order(mesh)
    f4 = np.float32
    return Built(
        web=Web(
            links=arrays.links,
            queues=arrays.queues,
            order=order,
            feeds=arrays.feeds,
            feed=arrays.feed,
            base=base.astype(f4),
            gate=(GATE_VPS * wide).astype(f4),
            storage=np.maximum(_storage(mesh, depth_m), _passed(mesh, wave)).astype(f4),
            lost=_lost(mesh).astype(f4),
            surge=worst.astype(f4),
            slots=slots,
            pocket=(np.bincount(arrays.link, bays.beside >= 0, links) > 0).astype(np.int64),
            pipes=arrays.pipes,
            edges=arrays.edges,
            edge_queue=arrays.edge_queue,
            edge_share=arrays.edge_share,
            into=arrays.into,
            lag=lag,
            smooth=arrays.smooth,
            ring=np.cumsum([0, *(lag + block)]).astype(np.int64),
            part=part.astype(f4),
            link=arrays.link,
            share=arrays.share,
            even=even.astype(f4),
            exits=_exits(mesh).astype(f4),
            sat=arrays.sat,
            lanes=arrays.lanes,
            region=bays.region.astype(f4),
            most=most.astype(f4),
            beside=bays.beside,
            narrow=bays.narrow.astype(f4),
            shared=((arrays.turn_share > 0).sum(axis=1) > 1).astype(np.int64),
            room=arrays.room,
            turn_share=arrays.turn_share,
            foes=arrays.foes,
            late=late,
        ),
        block_s=block,
    )


def _by_pipe(mesh: AreaMesh, values: NDArray[np.floating]) -> Floats:
    """Return the sums of values of edges by pipe."""
    pipe = np.repeat(np.arange(len(mesh.pipes)), np.diff(mesh.arrays.edges))
    return np.asarray(np.bincount(pipe, values, len(mesh.pipes)), np.float64)


def _depth_m(mesh: AreaMesh) -> Floats:
    """Return the length of the lanes of each queue."""
    return np.array([q.storage / len(q.lanes) * VEHICLE_M for q in mesh.queues])


def _longest(mesh: AreaMesh, depth_m: Floats) -> Floats:
    """Return the longest lane of each link in m."""
    found = np.zeros(len(mesh.arrays.queues) - 1)
    np.maximum.at(found, mesh.arrays.link, depth_m)
    return found


def _length_m(mesh: AreaMesh, depth_m: Floats) -> Floats:
    """Return how far each link goes back: to the signal before it, or as its lanes do."""
    found = _longest(mesh, depth_m)
    np.maximum.at(found, mesh.arrays.into, np.array([pipe.length_m for pipe in mesh.pipes]))
    return found


def _storage(mesh: AreaMesh, depth_m: Floats) -> Floats:
    """Return how many vehicles fit in each link: its lanes, and the streets before them."""
    arrays, longest = mesh.arrays, _longest(mesh, depth_m)
    found = np.bincount(arrays.link, [q.storage for q in mesh.queues], len(longest))
    more = [
        max(0.0, pipe.length_m - longest[pipe.link]) * pipe.lanes / VEHICLE_M for pipe in mesh.pipes
    ]
    return np.asarray(found + np.bincount(arrays.into, more, len(longest)), np.float64)


def _passed(mesh: AreaMesh, wave_s: Ints) -> Floats:
    """Return how many vehicles short links hold while saturation flow passes them; 0 for others.

    In steps of 1 s a link of no length would let through one vehicle at a time.
    """
    arrays = mesh.arrays
    longest, lag = np.zeros(len(wave_s)), np.zeros(len(wave_s))
    np.maximum.at(longest, arrays.into, np.array([pipe.length_m for pipe in mesh.pipes]))
    np.maximum.at(lag, arrays.into, np.maximum(arrays.lag, 1))
    short = (lag > 0) & (longest < SHORT_M)
    sat = np.bincount(arrays.link, arrays.sat, len(wave_s))
    return np.asarray(np.where(short, sat * (lag + wave_s + 2), 0.0))


def _lost(mesh: AreaMesh) -> Floats:
    """Return the share of the platoons of each link that none of its queues takes."""
    arrays = mesh.arrays
    taken = np.bincount(arrays.link, arrays.share, len(arrays.queues) - 1)
    lost = np.where(np.diff(arrays.feeds) > 0, 1.0 - taken, 0.0)
    return np.where(lost > 1e-5, lost, 0.0)  # noqa: PLR2004  below it is rounding


def _exits(mesh: AreaMesh) -> Floats:
    """Return the share of each queue's departures that no pipe takes."""
    arrays = mesh.arrays
    taken = np.bincount(arrays.edge_queue, arrays.edge_share, len(mesh.queues))
    return np.asarray(1.0 - taken)


def _order(mesh: AreaMesh) -> tuple[Ints, Ints]:
    """Return the order of work, each queue once, and which foes come later in it."""
    arrays = mesh.arrays
    order: list[int] = []
    for s in range(len(arrays.steps) - 1):
        order += dict.fromkeys(arrays.order[arrays.steps[s] : arrays.steps[s + 1]].tolist())
    rank = np.argsort(np.array(order, np.int64))
    late = rank[np.maximum(arrays.foes, 0)] >= rank[:, None, None]
    return np.array(order, np.int64), ((arrays.foes >= 0) & late).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bays:
    """Of each queue: vehicles up to the bay entrance, the queue beside a bay and what it shuts."""

    region: Floats
    beside: Ints
    narrow: Floats


def _bays(mesh: AreaMesh, depth_m: Floats) -> _Bays:
    """Find the bays, and the through lanes each of them opens from: those next to it."""
    arrays, longest = mesh.arrays, _longest(mesh, depth_m)
    is_bay = depth_m < BAY_SHARE * longest[arrays.link]
    region = np.full(len(depth_m), ROOMY)
    beside = np.full(len(depth_m), -1, np.int64)
    narrow = np.zeros(len(depth_m))
    for q in np.flatnonzero(is_bay):
        n = arrays.link[q]
        own = np.arange(arrays.queues[n], arrays.queues[n + 1])
        mains = own[~is_bay[own]]
        m = mains[np.argmin(np.abs(mains - q))]
        beside[q], region[q] = m, mesh.queues[q].storage
        narrow[q] = min(1.0, float(arrays.lanes[q] / arrays.lanes[m]))
        deep = depth_m[q] * float(arrays.lanes[m]) / VEHICLE_M
        region[m] = deep if region[m] == ROOMY else max(region[m], deep)
    return _Bays(region=region, beside=beside, narrow=narrow)
