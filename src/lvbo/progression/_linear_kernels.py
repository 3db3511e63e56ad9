# SPDX-License-Identifier: Apache-2.0
"""A linear programme of a chain: maximise c x with A x <= b, by Mehrotra's (1992) interior point.

Rows touch few neighbouring columns, and perhaps the first `border` columns (a common cycle, a
common band), so the normal matrix is a band of half-width `width` with a border; one step costs
as much as there are rows. A is given by rows: `start` (m + 1), `cols`, `vals`. All float64 and
int64. There are no equations: a row with no room inside it has to be given a little.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def dot(x: Floats, y: Floats) -> float:
    """Return the sum of the products."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@njit(cache=True)
def times(start: Ints, cols: Ints, vals: Floats, x: Floats, y: Floats) -> None:
    """Write y = A x."""
    for row in range(start.size - 1):
        total = 0.0
        for k in range(start[row], start[row + 1]):
            total += vals[k] * x[cols[k]]
        y[row] = total


@njit(cache=True)
def turned_times(start: Ints, cols: Ints, vals: Floats, y: Floats, x: Floats) -> None:
    """Write x = transposed A times y."""
    x[:] = 0.0
    for row in range(start.size - 1):
        for k in range(start[row], start[row + 1]):
            x[cols[k]] += vals[k] * y[row]


@njit(cache=True)
def normal(
    start: Ints,
    cols: Ints,
    vals: Floats,
    weight: Floats,
    band: Floats,
    side: Floats,
    corner: Floats,
) -> None:
    """Write transposed A times diag(weight) times A.

    band (columns, width + 1): band[j, d] couples column j with column j - d; side (border,
    columns) and corner (border, border) couple with the border. Columns count without the border.
    """
    border = corner.shape[0]
    band[:] = 0.0
    side[:] = 0.0
    corner[:] = 0.0
    for row in range(start.size - 1):
        for k in range(start[row], start[row + 1]):
            a = cols[k] - border
            scaled = vals[k] * weight[row]
            for h in range(start[row], start[row + 1]):
                b = cols[h] - border
                if a >= 0 and 0 <= b <= a:
                    band[a, a - b] += scaled * vals[h]
                elif a >= 0 and b < 0:
                    side[b + border, a] += scaled * vals[h]
                elif a < 0 and b < 0:
                    corner[a + border, b + border] += scaled * vals[h]


@njit(cache=True)
def factor(band: Floats) -> None:
    """Write the Cholesky factor of a band matrix in its place; a zero pivot holds its column."""
    n, width = band.shape[0], band.shape[1] - 1
    for j in range(n):
        low = max(0, j - width)
        for i in range(low, j):
            total = band[j, j - i]
            for k in range(max(low, i - width), i):
                total -= band[j, j - k] * band[i, i - k]
            band[j, j - i] = total / band[i, 0]
        total = band[j, 0]
        scale = total
        for k in range(low, j):
            total -= band[j, j - k] * band[j, j - k]
        band[j, 0] = np.sqrt(total) if total > 1e-13 * scale and total > 0.0 else 1e64


@njit(cache=True)
def solve_band(band: Floats, x: Floats) -> None:
    """Solve in place with a factor of `factor`."""
    n, width = band.shape[0], band.shape[1] - 1
    for j in range(n):
        total = x[j]
        for k in range(max(0, j - width), j):
            total -= band[j, j - k] * x[k]
        x[j] = total / band[j, 0]
    for j in range(n - 1, -1, -1):
        x[j] /= band[j, 0]
        for k in range(max(0, j - width), j):
            x[k] -= band[j, j - k] * x[j]


@njit(cache=True)
def fold(band: Floats, side: Floats, folded: Floats, corner: Floats, top: Floats) -> None:
    """Eliminate the columns of a factored `band`: solve the rows of `side`, factor what is left.

    Writes the solutions to `folded` and the factor of the border to `top` (border, border) in the
    form of `factor`.
    """
    border = corner.shape[0]
    for a in range(border):
        folded[a] = side[a]
        solve_band(band, folded[a])
    for a in range(border):
        for b in range(a + 1):
            top[a, a - b] = corner[a, b] - dot(side[a], folded[b])
    factor(top)


@njit(cache=True)
def solve(band: Floats, side: Floats, folded: Floats, top: Floats, x: Floats) -> None:
    """Solve the bordered system in place, after `fold`."""
    border = top.shape[0]
    inner = x[border:]
    solve_band(band, inner)
    for a in range(border):
        x[a] -= dot(side[a], inner)
    if border:
        solve_band(top, x[:border])
    for a in range(border):
        for j in range(inner.size):
            inner[j] -= folded[a, j] * x[a]


@njit(cache=True)
def longest_step(x: Floats, dx: Floats) -> float:
    """Return the largest step of at most 1 that keeps x above zero."""
    step = 1.0
    for i in range(x.size):
        if dx[i] < 0.0:
            step = min(step, -x[i] / dx[i])
    return step


@njit(cache=True)
def maximise(
    start: Ints,
    cols: Ints,
    vals: Floats,
    rhs: Floats,
    cost: Floats,
    first: Floats,
    border: int,
    width: int,
    rounds: int,
) -> tuple[Floats, float, bool]:
    """Return x, c x and whether it is the optimum, to about nine digits; `first` need not be in.

    Not optimal means: no x keeps all rows, or the rounds did not suffice.
    """
    m, n = rhs.size, cost.size
    x = first.copy()
    ax = np.empty(m)
    times(start, cols, vals, x, ax)
    s = np.maximum(rhs - ax, 0.01)
    mu = np.abs(cost).sum() / max(1, n) + 1e-3
    lam = mu * 0.01 / s
    band = np.empty((n - border, width + 1))
    side = np.empty((border, n - border))
    folded = np.empty((border, n - border))
    corner = np.empty((border, border))
    top = np.empty((border, border))
    dx = np.empty(n)
    adx = np.empty(m)
    gradient = np.empty(n)
    for _ in range(rounds):
        turned_times(start, cols, vals, lam, gradient)
        gradient = cost - gradient
        gap_in = rhs - ax - s
        worst = max(np.abs(gap_in).max(), np.abs(gradient).max())
        mu = dot(s, lam) / m
        if worst < 1e-9 and mu * m < 1e-8 * (1.0 + abs(dot(cost, x))):
            return x, dot(cost, x), True
        normal(start, cols, vals, lam / s, band, side, corner)
        factor(band)
        fold(band, side, folded, corner, top)
        # predictor
        want = -s * lam
        turned_times(start, cols, vals, (want - lam * gap_in) / s, dx)
        dx = gradient - dx
        solve(band, side, folded, top, dx)
        times(start, cols, vals, dx, adx)
        ds = gap_in - adx
        dlam = (want - lam * ds) / s
        into = dot(s + longest_step(s, ds) * ds, lam + longest_step(lam, dlam) * dlam) / m
        # corrector
        centre = mu * (into / mu) ** 3
        want = centre - s * lam - ds * dlam
        turned_times(start, cols, vals, (want - lam * gap_in) / s, dx)
        dx = gradient - dx
        solve(band, side, folded, top, dx)
        times(start, cols, vals, dx, adx)
        ds = gap_in - adx
        dlam = (want - lam * ds) / s
        far = 0.995 * longest_step(s, ds)
        far_lam = 0.995 * longest_step(lam, dlam)
        if not (np.isfinite(far) and np.isfinite(far_lam)) or max(far, far_lam) < 1e-9:
            break
        x += far * dx
        ax += far * adx
        s += far * ds
        lam += far_lam * dlam
    return x, dot(cost, x), False
