# SPDX-License-Identifier: Apache-2.0
"""Grids of signals as meshes, without a network: what models of many signals are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvbo.ids import ControllerId, LaneId, LinkId
from lvbo.optimize.lamps import Right
from lvbo.optimize.mesh import VEHICLE_M, AreaMesh, Pipe, Queue, Traits, mesh_arrays
from lvbo.optimize.windows import Timing

LANE_VPH = 1800.0
SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""Where traffic heads: north, east, south, west; a right turn is one further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """A grid of signals `spacing_m` apart; `length_m[i]` says it of each street on its own.

    From outside `vph` come on each street; `left` and `right` are the shares that turn.
    """

    signals: int
    vph: float = 600.0
    spacing_m: float = 300.0
    bay_m: float = 100.0
    left: float = 0.15
    right: float = 0.15
    speed_mps: float = 12.5
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
    count = len(spots)
    links = range(4 * count)
    return AreaMesh(
        controllers=tuple(ControllerId(f"c{s}") for s in range(count)),
        models=(),
        links=tuple(LinkId(f"l{i}") for i in links),
        queues=tuple(queues),
        pipes=tuple(pipes),
        traits=traits,
        arrays=mesh_arrays(
            count, range(0, 4 * count + 1, 4), [2 * i for i in links], queues, pipes, traits
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
            turns=((3 * d + 2, 1.0, ()),),
        ),
    )


def _pipes(
    streets: Streets, s: int, spot: tuple[int, int], length: dict[tuple[tuple[int, int], int], float]
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


def four_stages(
    cycle_s: float, greens_s: Sequence[float], offset_s: float = 0.0, loss_s: float = 2.0
) -> Timing:
    """Return north and south ahead and right, their left turns, then east and west alike.

    After each green come 5 s; of those drivers use as many as they lose at its beginning.
    """
    found, at = [], 0.0
    for stage, green in enumerate(greens_s):
        for d in (0, 2) if stage < 2 else (1, 3):
            for move in (3 * d, 3 * d + 1) if stage % 2 == 0 else (3 * d + 2,):
                found.append(
                    Right(move=move, right=2, begin_s=at + loss_s, length_s=green, ends=True)
                )
        at += green + 5.0
    return Timing(cycle_s=cycle_s, offset_s=offset_s, gain_s=loss_s, rights=tuple(found))
