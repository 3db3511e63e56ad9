# SPDX-License-Identifier: Apache-2.0
"""The search area of a lattice: all its signals are alike, so they share one small stage table."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lvbo.bench.lattice import Lattice, lattice_mesh
from lvbo.optimize.mesh import AreaMesh
from lvbo.optimize.search import SIZES, AreaSearch
from lvbo.optimize.stagetable import StageTable, build_table

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area, Lamps

SWEEPS = 4


def lattice_area(mesh: AreaMesh, cycle_s: int) -> Area:
    """Return the area of a lattice, or a part of one, with nothing set and arrivals even."""
    return AreaSearch(mesh, table=shared_table(len(mesh.controllers))).blank(cycle_s)


def time_signals(area: Area) -> None:
    """Give each signal the greens of its own stage order that cost least for even arrivals."""
    from lvbo.optimize._alone_kernels import time_all

    signals = len(area.at.row)
    rows = np.zeros(signals, np.int64)
    greens = np.zeros_like(area.at.greens)
    sizes = np.array(SIZES, np.int64)
    time_all(area, rows, np.arange(signals + 1), sizes, greens, np.zeros(signals))


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


def shared_table(signals: int) -> StageTable:
    """Return a table in which all signals have row 0: the order that the site ships with."""
    one = _one_table()
    return StageTable(
        order=one.order,
        stages=one.stages._replace(first=np.zeros(signals + 1, np.int64)),
        lamps=_lamps(one.lamps, signals),
    )


@lru_cache(maxsize=1)
def _one_table() -> StageTable:
    return build_table(lattice_mesh(Lattice(rows=1, columns=1)))


def _lamps(one: Lamps, signals: int) -> Lamps:
    from lvbo.optimize._wide import WIDTH

    windows = len(one.move)
    begin, length, sneak = np.zeros((3, signals * windows, WIDTH), np.float32)
    return one._replace(
        first=windows * np.arange(signals),
        last=windows * np.arange(1, signals + 1),
        move=np.tile(one.move, signals),
        right=np.tile(one.right, signals),
        begin=begin,
        length=length,
        sneak=sneak,
        gain=np.tile(one.gain, signals),
    )
