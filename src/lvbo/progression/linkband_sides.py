# SPDX-License-Identifier: Apache-2.0
"""One cycle of a chain solved for bands that may lie unevenly about their lines."""

from __future__ import annotations

import numpy as np

from lvbo.progression import _sideband_kernels
from lvbo.progression.chain import NO_LIMIT, Chain, Ints
from lvbo.progression.linkband_grid import Grid, Places, Solved, grid_of
from lvbo.progression.linkbands import LinkBandProblem


def solve_uneven(
    problem: LinkBandProblem, chain: Chain, cycle_ms: float, steps: int, *, traced: bool
) -> Solved:
    """Return the value of one cycle on a grid and, where traced, its best chain of places.

    Limits on the change of speed and minimum bands are left to the fit.
    """
    street = problem.street
    grid = grid_of(problem, chain, cycle_ms, steps)
    choices = np.minimum(grid.choices, np.array([[np.inf], [steps], [steps]]))
    many = int(np.diff(chain.first).max())
    wide = int(choices[1].max()) + 1
    n = street.signals
    tables = np.empty((n, steps, many, wide), np.float32)
    back = np.empty((n - 1, steps, many, wide), np.int32)
    low, high = street.ratio_range or (0.0, NO_LIMIT)
    value = _sideband_kernels.run_places(
        chain.first,
        choices,
        grid.links,
        np.array((problem.weight_out, problem.weight_in)) / steps,
        np.array([low, min(high, NO_LIMIT), problem.least_side]),
        tables,
        back,
    )
    if value < 0 or not traced:
        return Solved(value, None)
    q, window, w = _sideband_kernels.trace_places(tables, back)
    picked = chain.first[:-1] + window
    beta = grid.choices[0, picked]
    after_in = ((q - beta) % steps - w) / steps
    places = Places(
        choices=tuple(picked.tolist()),
        q=grid.in_cycles(q, _moved(grid, q)),
        before_out=w / steps,
        after_in=after_in,
    )
    return Solved(value, places)


def _moved(grid: Grid, q: Ints) -> Ints:
    """Return the steps q moves over each link, within the link's range."""
    low = grid.links[0].min(1)
    moved: Ints = low + (np.diff(q) - low) % grid.steps
    return moved
