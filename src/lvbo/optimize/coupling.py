# SPDX-License-Identifier: Apache-2.0
"""How much two neighbouring signals have to do with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.ids import ControllerId
from lvbo.optimize.mesh import AreaMesh

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupling:
    """Two neighbouring signals, `first` before `second` by name, and what joins them.

    `weight` is veh-s per hour that the best offset between them saves.
    """

    first: ControllerId
    second: ControllerId
    weight: float


def savings(mesh: AreaMesh, area: Area, step_s: int = 2) -> tuple[Coupling, ...]:
    """Return what coordination would save on the links between each two neighbours, veh-s per hour.

    That is how much less the queues there cost when platoons come at the best offset than when all
    arrives evenly, both ways together. `area` has its signals timed alone (`AreaSearch.start`);
    every `step_s` s of offset is looked at.
    """
    table, even = delay_tables(area, step_s)
    pairs = _pairs(mesh)
    found = []
    for (a, b), pipes in pairs.items():
        cost = np.zeros(area.cycle)
        for p in pipes:
            cost += _by_offset(table[p], later=mesh.pipes[p].source == b)
        saved = float(even[list(pipes)].sum() - cost.min())
        found.append(_coupling(mesh, a, b, 3600 * max(0.0, saved)))
    return tuple(found)


def delay_tables(area: Area, step_s: int = 1) -> tuple[Floats, Floats]:
    """Return what the link of each pipe costs, by offsets, and where the pipe arrives evenly.

    In veh-s per s. Row p of the first, (pipes, cycle), is the cost where the signal that fills the
    pipe has an offset so many s larger than the one it leads to; every `step_s` seconds is looked
    at. All else arrives evenly; the platoons are those of the arrivals in `area.now`.
    """
    from lvbo.optimize._coupling_kernels import platoons, tabulate

    mesh, cycle = area.mesh, area.cycle
    pipes = len(mesh.into)
    flow, table = np.zeros((2, pipes, cycle), np.float32)
    even = np.zeros(pipes, np.float32)
    platoons(area, flow)
    tabulate(area, flow, step_s, table, even)
    offset = area.at.offset
    source, target = ends_of(area)
    now = offset[source] - offset[target]
    turned = (np.arange(cycle)[None, :] - now[:, None]) % cycle
    return np.take_along_axis(table, turned, axis=1), even


def ends_of(area: Area) -> tuple[Ints, Ints]:
    """Return the signals that each pipe joins, the one that fills it first."""
    mesh, signals = area.mesh, len(area.at.offset)
    pipes = np.arange(len(mesh.into))
    source = np.searchsorted(mesh.pipes, pipes, side="right") - 1
    return source % signals, mesh.owner[mesh.into] % signals


def _pairs(mesh: AreaMesh) -> dict[tuple[int, int], Sequence[int]]:
    """Return the pipes between each two signals, by their numbers."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for p, pipe in enumerate(mesh.pipes):
        ends = pipe.source, int(mesh.arrays.owner[pipe.link])
        if ends[0] != ends[1]:
            found[min(ends), max(ends)].append(p)
    return dict(sorted(found.items()))


def _by_offset(row: Floats, *, later: bool) -> Floats:
    """Return costs by how much the second signal of a pair runs later than the first.

    Its own platoons come later then, those of the first come earlier.
    """
    return row if later else np.roll(row[::-1], 1)


def _coupling(mesh: AreaMesh, a: int, b: int, weight: float) -> Coupling:
    return Coupling(first=mesh.controllers[a], second=mesh.controllers[b], weight=weight)
