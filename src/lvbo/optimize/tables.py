# SPDX-License-Identifier: Apache-2.0
"""Offsets of an area by tables of delay: a start for the search that costs less than one round.

Hillier (1965) found what a street costs from the cost of each link at each offset. Here the tables
are those of the area model, and groups of signals are shifted and put right on them: a local best
of thousands of tries, which the model itself then only polishes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lvbo.optimize.coupling import delay_tables, ends_of

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Area
    from lvbo.optimize._table_kernels import Ties

ROUNDS = 40
SWEEPS = 2
KICKS_PER_SIGNAL = 3
LEAST_KICKS, MOST_KICKS = 200, 20_000
GROUP = 12
COLUMNS, COARSE_COLUMNS = 48, 16
"""Offsets looked at for each link: three looks of sixteen, or one."""


def preset_offsets(
    area: Area, *, seed: int = 0, columns: int = COLUMNS, kicked: bool = True
) -> float:
    """Set the offsets of an area by tables; return what its tables say it costs, veh-s per s.

    `area` has its greens set. Signals whose offset is bound stay where they are. With fewer
    `columns`, and not `kicked`, it is good enough to compare cycles.
    """
    from lvbo.optimize._table_kernels import descend_tables, kick_tables, make_sheet, table_cost

    ties, offset = make_ties(area, columns), area.at.offset
    signals = len(offset)
    sheet = make_sheet(signals, area.cycle)
    descend_tables(ties, offset, ROUNDS, sheet)
    if kicked:
        kicks = min(MOST_KICKS, max(LEAST_KICKS, KICKS_PER_SIGNAL * signals))
        kick_tables(ties, offset, kicks, max(1, min(GROUP, signals // 2)), seed, sheet)
    return float(table_cost(ties, offset))


def search_offsets(area: Area, *, rounds: int = 2, seed: int = 0) -> float:
    """Set the offsets of an area by tables, then by the model itself; return its cost, veh-s per s.

    The model looks at each signal so many times at most.
    """
    from lvbo.optimize._descent_kernels import descend, settle_all

    preset_offsets(area, seed=seed)
    settle_all(area, SWEEPS)
    descend(area, np.arange(len(area.at.offset)), rounds, np.zeros(0, np.int64))
    return float(settle_all(area, SWEEPS))


def make_ties(area: Area, columns: int = COLUMNS) -> Ties:
    """Return the pipes of an area by the signals they join, each with its table of delay.

    At most so many offsets are looked at, what lies between is drawn straight.
    """
    from lvbo.optimize._table_kernels import Ties

    at = area.at
    table, _ = delay_tables(area, max(1, -(-area.cycle // columns)))
    source, target = ends_of(area)
    ends, numbers = np.concatenate([source, target]), np.tile(np.arange(len(source)), 2)
    order = np.argsort(ends, kind="stable")
    return Ties(
        first=np.searchsorted(ends[order], np.arange(len(at.offset) + 1)),
        near=numbers[order],
        source=source,
        target=target,
        table=table,
        free=(at.early + at.late + 1 >= area.cycle).astype(np.int64),
    )
