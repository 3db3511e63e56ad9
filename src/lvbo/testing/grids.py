# SPDX-License-Identifier: Apache-2.0
"""Signals as meshes, without a network: what models of many signals are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.ids import ControllerId, LaneId, LinkId
from lvbo.optimize.lamps import Right
from lvbo.optimize.mesh import VEHICLE_M, AreaMesh, Pipe, Queue, Traits, mesh_arrays
from lvbo.optimize.windows import Timing

LANE_VPH = 1800.0
CLEAR_S = 5.0
LOSS_S = 2.0
SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Where traffic heads: north, east, south, west; a right turn is one further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """A grid of signals `spacing_m` apart; each street `jitter_m` more or less.

    From outside `vph` come on each street; `left` and `right` are the shares that turn. Left turns
    yield to those who come towards them where `yielding`.
    """

    signals: int
    vph: float = 600.0
    spacing_m: float = 300.0
    bay_m: float = 100.0
    left: float = 0.15
    right: float = 0.15
    speed_mps: float = 12.5
    yielding: bool = False
    jitter_m: float = 0.0
    seed: int = 0


def grid_mesh(streets: Streets, traits: Traits | None = None) -> AreaMesh:
    """Return a square grid: from each side two lanes ahead and right, and a bay to the left.

    Movements of side d are 3 d ahead, 3 d + 1 right, 3 d + 2 left. All turn in the same shares
    everywhere, so every street carries the same volume.
    """
    n = streets.signals
    traits = traits or Traits()
    rng = np.random.default_rng(streets.seed)
    spots = [(x, y) for y in range(n) for x in range(n)]
    length = {
        (spot, d): max(60.0, streets.spacing_m + streets.jitter_m * rng.standard_normal())
        for spot in spots
        for d in range(4)
    }
    queues = [
        queue
        for s, spot in enumerate(spots)
        for d in range(4)
        for queue in _queues(streets, s, d, length[spot, d])
    ]
    pipes = [pipe for s, spot in enumerate(spots) for pipe in _pipes(streets, s, spot, length)]
    return bare_mesh(queues, pipes, traits)


def bare_mesh(queues: Sequence[Queue], pipes: Sequence[Pipe], traits: Traits) -> AreaMesh:
    """Return a mesh of queues sorted by signal and link, without a network behind it."""
    signals = 1 + max(q.signal for q in queues)
    links = list(dict.fromkeys(q.link for q in queues))
    first_queue = [next(i for i, q in enumerate(queues) if q.link == link) for link in links]
    of = [queues[i].signal for i in first_queue]
    return AreaMesh(
        controllers=tuple(ControllerId(f"c{s}") for s in range(signals)),
        models=(),
        links=tuple(links),
        queues=tuple(queues),
        pipes=tuple(pipes),
        traits=traits,
        arrays=mesh_arrays(
            signals,
            np.searchsorted(of, np.arange(signals + 1)).tolist(),
            first_queue,
            queues,
            pipes,
            traits,
        ),
    )


def _queues(streets: Streets, s: int, d: int, length_m: float) -> tuple[Queue, Queue]:
    """Return the lanes ahead and right, and the bay, of those who head for side d."""
    link, ahead = LinkId(f"l{4 * s + d}"), 1 - streets.left
    right = streets.right / ahead
    return (
        Queue(
            signal=s,
            link=link,
            lanes=(LaneId(f"{link}_0"), LaneId(f"{link}_1")),
            total_vph=streets.vph * ahead,
            sat_vph=2 * LANE_VPH,
            storage=2 * length_m / VEHICLE_M,
            turns=((3 * d, 1 - right, ()), (3 * d + 1, right, ())),
        ),
        Queue(
            signal=s,
            link=link,
            lanes=(LaneId(f"{link}_2"),),
            total_vph=streets.vph * streets.left,
            sat_vph=LANE_VPH,
            storage=streets.bay_m / VEHICLE_M,
            turns=((3 * d + 2, 1.0, (8 * s + 2 * ((d + 2) % 4),) if streets.yielding else ()),),
        ),
    )


def _pipes(
    streets: Streets,
    s: int,
    spot: tuple[int, int],
    length: dict[tuple[tuple[int, int], int], float],
) -> list[Pipe]:
    """Return the ways from a signal to those beside it."""
    n, found = streets.signals, []
    for d, (dx, dy) in enumerate(SIDES):
        x, y = spot[0] + dx, spot[1] + dy
        if not (0 <= x < n and 0 <= y < n):
            continue
        right = streets.right / (1 - streets.left)
        home = 8 * s
        found.append(
            Pipe(
                source=s,
                link=4 * (y * n + x) + d,
                time_s=length[(x, y), d] / streets.speed_mps,
                length_m=length[(x, y), d],
                lanes=2,
                shares=tuple(
                    sorted(
                        (
                            (home + 2 * d, 1 - right),
                            (home + 2 * ((d + 3) % 4), right),
                            (home + 2 * ((d + 1) % 4) + 1, 1.0),
                        )
                    )
                ),
            )
        )
    return found


def four_stages(cycle_s: float, greens_s: Sequence[float], offset_s: float = 0.0) -> Timing:
    """Return north and south ahead and right, their left turns, then east and west alike."""
    ahead, left = ((0, 2), (1, 2)), ((2, 2),)
    return _staged(
        cycle_s,
        greens_s,
        offset_s,
        [((0, 2), ahead), ((0, 2), left), ((1, 3), ahead), ((1, 3), left)],
    )


def two_stages(cycle_s: float, greens_s: Sequence[float], offset_s: float = 0.0) -> Timing:
    """Return north and south, then east and west; left turns go beside the others and yield."""
    all_ = ((0, 2), (1, 2), (2, 1))
    return _staged(cycle_s, greens_s, offset_s, [((0, 2), all_), ((1, 3), all_)])


Stage = tuple[tuple[int, int], tuple[tuple[int, int], ...]]
"""The sides whose traffic goes, and which turns of them with which right."""


def _staged(
    cycle_s: float, greens_s: Sequence[float], offset_s: float, stages: Sequence[Stage]
) -> Timing:
    """Return stages one after the other.

    After each green come 5 s; of those drivers use as many as they lose at its beginning.
    """
    starts = np.concatenate([[0.0], np.cumsum(np.array(greens_s) + CLEAR_S)[:-1]])
    found = [
        Right(move=3 * d + turn, right=right, begin_s=start + LOSS_S, length_s=green, ends=True)
        for (sides, turns), start, green in zip(stages, starts.tolist(), greens_s, strict=True)
        for d in sides
        for turn, right in turns
    ]
    return Timing(cycle_s=cycle_s, offset_s=offset_s, gain_s=LOSS_S, rights=tuple(found))
