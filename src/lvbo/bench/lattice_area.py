# SPDX-License-Identifier: Apache-2.0
"""The search area of a lattice: all its signals are alike, so they share one small stage table."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lvbo.bench.lattice import Lattice, lattice_mesh
from lvbo.optimize.search import Objective
from lvbo.optimize.stagetable import StageTable, build_table

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area, Lamps, Mesh

SWEEPS = 4


def lattice_area(mesh: Mesh, cycle_s: int, objective: Objective | None = None) -> Area:
    """Return the area of a lattice, or a part of one, with nothing set and arrivals even."""
    from lvbo.optimize import _profile_values as values
    from lvbo.optimize._descent_kernels import make_trial

    signals, stages = len(mesh.links) - 1, one_table().stages
    cost = objective or Objective()
    return values.Area(
        mesh=mesh,
        stages=stages,
        lamps=_lamps(signals),
        at=values.Setting(
            row=np.zeros(signals, np.int64),
            greens=np.zeros((signals, stages.low.shape[1]), np.int64),
            offset=np.zeros(signals, np.int64),
            anchor=np.zeros(signals, np.int64),
            early=np.full(signals, cycle_s // 2),
            late=np.full(signals, (cycle_s - 1) // 2),
            keep=np.zeros(signals, np.int64),
        ),
        now=values.Settled(
            flow=np.repeat(mesh.mean[:, None], cycle_s, axis=1),
            leave=np.repeat(mesh.total[:, None], cycle_s, axis=1),
            cost=np.zeros(signals, np.float32),
        ),
        trial=make_trial(
            int(np.diff(mesh.links).max(initial=1)),
            int(np.diff(mesh.queues[mesh.links]).max(initial=1)),
            int(np.diff(mesh.pipes).max(initial=1)),
            cycle_s,
        ),
        cost=values.Cost(cost.stop_s, cost.spill_s),
        cycle=cycle_s,
        copies=1,
    )


def time_signals(area: Area) -> None:
    """Give each signal the greens of its own stage order that cost least for even arrivals."""
    from lvbo.optimize._descent_kernels import time_all

    signals = len(area.at.row)
    rows = np.zeros(signals, np.int64)
    greens = np.zeros_like(area.at.greens)
    time_all(area, rows, np.arange(signals + 1), greens, np.zeros(signals))


def delay_of(area: Area) -> float:
    """Return the delay alone of what is set, in veh-h per hour; arrivals are even again then."""
    from lvbo.optimize._descent_kernels import settle_all
    from lvbo.optimize._profile_values import Cost

    delay = float(settle_all(area._replace(cost=Cost(0.0, 0.0)), SWEEPS))
    even_out(area)
    return delay


def even_out(area: Area) -> None:
    """Let arrivals be even again, as if no signal were set."""
    area.now.flow[:] = area.mesh.mean[:, None]
    area.now.leave[:] = area.mesh.total[:, None]


@lru_cache(maxsize=1)
def one_table() -> StageTable:
    """Return the stage table of a single signal; row 0 is the order that the site ships with."""
    return build_table(lattice_mesh(Lattice(rows=1, columns=1)))


def _lamps(signals: int) -> Lamps:
    from lvbo.optimize._profile_values import Lamps
    from lvbo.optimize._wide import WIDTH

    one = one_table().lamps
    windows = len(one.move)
    begin, length, sneak = np.zeros((3, signals * windows, WIDTH), np.float32)
    return Lamps(
        first=windows * np.arange(signals),
        last=windows * np.arange(1, signals + 1),
        move=np.tile(one.move, signals),
        right=np.tile(one.right, signals),
        begin=begin,
        length=length,
        sneak=sneak,
        gain=np.tile(one.gain, signals),
    )
