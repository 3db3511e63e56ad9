# SPDX-License-Identifier: Apache-2.0
"""Bands on a cycle of M cells: what one signal's move gives a corridor, and corridors as blocks.

Positions are counted in the frame of a car of shortest link times, so that a link only adds up to
`spread` cells outbound, and takes away up to as many from an inbound front seen in outbound order.
Arrays: `theta` (n) float offsets in cells; `first` (n + 1) index of each signal's choices in
`windows` (4, m) float cells: start and length outbound, start and length inbound, starts in the
frame; `spread` (2, n - 1) int. A length of M or more is always green.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def ahead(x: float, cells: int) -> float:
    """Return x modulo the cycle; what is a hair below a whole cycle counts as nought."""
    w = x - np.floor(x / cells) * cells
    return 0.0 if w > cells - 1e-7 else w


@njit(cache=True)
def admit(theta: float, start: float, length: float, out: Floats) -> None:
    """Raise `out` (M) to the widest band (cells) whose front one window lets pass there."""
    cells = out.size
    for x in range(cells):
        if length >= cells:
            out[x] = float(cells)
        else:
            out[x] = max(out[x], length - ahead(x - start - theta, cells))


@njit(cache=True)
def slide(x: Floats, spread: int, way: int, work: Floats, out: Floats) -> None:
    """Write out[i] = the largest x of i - spread .. i (way 1: i .. i + spread), a circle."""
    cells = x.size
    for i in range(cells):
        out[i] = x[i]
    reach = 1
    wanted = min(spread + 1, cells)
    while reach < wanted:
        step = min(reach, wanted - reach)
        for i in range(cells):
            work[i] = out[i]
        ahead_by = step if way else cells - step
        for i in range(cells):
            j = i + ahead_by
            if j >= cells:
                j -= cells
            out[i] = max(out[i], work[j])
        reach += step


@njit(cache=True)
def others(gain: Floats, spread: Ints, way: int, rest: Floats) -> float:
    """Write the widest band by position at each signal as the others allow; return the widest.

    gain (n, M) from `admit`, rest (n, M). A bottleneck programme, run from both ends.
    """
    n, cells = gain.shape
    run = np.empty(cells)
    moved = np.empty(cells)
    work = np.empty(cells)
    best = -1.0
    for end in range(2):
        for x in range(cells):
            run[x] = float(cells)
        for k in range(n):
            i = n - 1 - k if end else k
            for x in range(cells):
                rest[i, x] = min(rest[i, x], run[x]) if end else run[x]
                run[x] = min(run[x], gain[i, x])
            if k < n - 1:
                slide(run, spread[i - 1 if end else i], way ^ end, work, moved)
                for x in range(cells):
                    run[x] = moved[x]
        if end == 0:
            for x in range(cells):
                best = max(best, run[x])
    return best


@njit(cache=True)
def moved_band(rest: Floats, start: float, length: float, out: Floats) -> None:
    """Raise out[t] (M) to the band if the signal with this window had its offset at cell t."""
    cells = rest.size
    if length >= cells:
        top = -1.0
        for t in range(cells):
            top = max(top, rest[t])
        for t in range(cells):
            out[t] = max(out[t], top)
        return
    begin = int(np.ceil(start - 1e-9))
    into = begin - start
    for t in range(cells):
        x = (begin + t) % cells
        w = into
        best = out[t]
        while length - w > best:
            best = max(best, min(rest[x], length - w))
            w += 1.0
            x += 1
            if x == cells:
                x = 0
        out[t] = best


@njit(cache=True)
def measure(
    theta: Floats,
    placed: Ints,
    first: Ints,
    windows: Floats,
    chosen: Ints,
    spread: Ints,
    cells: int,
    rest: Floats,
) -> tuple[float, float]:
    """Return both bands (cells, below 0 none) of a corridor and write `rest` (2, n, M).

    chosen (m) says which choices belong to the running sequences; signals that are not `placed`
    let everything pass.
    """
    n = theta.size
    gain = np.empty((n, cells))
    bands = np.empty(2)
    for way in range(2):
        for i in range(n):
            for x in range(cells):
                gain[i, x] = -1.0 if placed[i] else float(cells)
            for c in range(first[i], first[i + 1]):
                if placed[i] and chosen[c]:
                    admit(theta[i], windows[2 * way, c], windows[2 * way + 1, c], gain[i])
        bands[way] = others(gain, spread[way], way, rest[way])
    return bands[0], bands[1]


@njit(cache=True)
def worth(out: float, back: float, wishes: Floats) -> float:
    """Return weighted bands less what falls short; wishes: weights, least bands, price of lack."""
    out, back = max(out, 0.0), max(back, 0.0)
    short = max(0.0, wishes[2] - out) + max(0.0, wishes[3] - back)
    return wishes[0] * out + wishes[1] * back - wishes[4] * short


@njit(cache=True)
def tabulate(
    first: Ints,
    windows: Floats,
    pattern: Ints,
    cells: int,
    rest: Floats,
    wishes: Floats,
    table: Floats,
) -> None:
    """Write table[i, p, t]: what the corridor is worth with signal i alone in sequence p at t."""
    bands = np.empty((2, cells))
    for i in range(first.size - 1):
        for p in range(table.shape[1]):
            for t in range(cells):
                table[i, p, t] = -1e18
        c = first[i]
        while c < first[i + 1]:
            p = pattern[c]
            for t in range(cells):
                bands[0, t] = bands[1, t] = 0.0
            while c < first[i + 1] and pattern[c] == p:
                for way in range(2):
                    moved_band(
                        rest[way, i], windows[2 * way, c], windows[2 * way + 1, c], bands[way]
                    )
                c += 1
            for t in range(cells):
                table[i, p, t] = worth(bands[0, t], bands[1, t], wishes)


@njit(cache=True)
def span(start: float, length: float, band: float, cells: int) -> tuple[int, int]:
    """Return first cell and number of the offsets, relative to a front, that let a band pass.

    A negative band asks for nothing: all offsets do. No cell at all: number 0.
    """
    if band < 0.0 or length >= cells:
        return 0, cells
    low = int(np.ceil(-(start + length - band) - 1e-7))
    high = int(np.floor(-start + 1e-7))
    return low, max(0, min(high - low + 1, cells))


@njit(cache=True)
def peaks(f: Floats, high: Floats) -> None:
    """Write high[k, t]: the largest f of t .. t + 2^k - 1 on the circle; high (levels, M)."""
    cells = f.size
    for t in range(cells):
        high[0, t] = f[t]
    for k in range(1, high.shape[0]):
        step = 1 << (k - 1)
        for t in range(cells):
            high[k, t] = max(high[k - 1, t], high[k - 1, (t + step) % cells])


@njit(cache=True)
def peak(high: Floats, begin: int, count: int, cells: int) -> float:
    """Return the largest value of count >= 1 cells from `begin`."""
    k = 0
    while 2 << k <= count:
        k += 1
    return max(high[k, begin % cells], high[k, (begin + count - (1 << k)) % cells])


@njit(cache=True)
def gains(f: Floats, a: int, n: int, b: int, m: int, h: Floats) -> None:
    """Raise h[x, y] (M, M) to the best f over offsets that let both fronts pass.

    These are x + a and n - 1 more cells outbound, y + b and m - 1 more inbound.
    """
    cells = f.size
    if n == 0 or m == 0:
        return
    levels = 1
    while 1 << levels <= cells:
        levels += 1
    high = np.empty((levels, cells))
    peaks(f, high)
    if n >= cells:
        for y in range(cells):
            top = peak(high, y + b, m, cells)
            for x in range(cells):
                h[x, y] = max(h[x, y], top)
        return
    if m >= cells:
        for x in range(cells):
            top = peak(high, x + a, n, cells)
            for y in range(cells):
                h[x, y] = max(h[x, y], top)
        return
    for x in range(cells):
        for y in range(cells):
            away = (y + b - x - a) % cells
            if away < n:
                value = peak(high, x + a + away, min(n, away + m) - away, cells)
                h[x, y] = max(h[x, y], value)
            if away + m > cells:
                value = peak(high, x + a, min(n, away + m - cells), cells)
                h[x, y] = max(h[x, y], value)


@njit(cache=True)
def spread_state(v: Floats, spread_out: int, spread_in: int, moved: Floats) -> None:
    """Write moved[x, y] = the largest v[x - r, y + s], r and s from 0 to their spread."""
    cells = v.shape[0]
    work = np.empty(cells)
    column = np.empty(cells)
    row = np.empty(cells)
    for x in range(cells):
        slide(v[x], spread_in, 1, work, moved[x])
    for y in range(cells):
        for x in range(cells):
            column[x] = moved[x, y]
        slide(column, spread_out, 0, work, row)
        for x in range(cells):
            moved[x, y] = row[x]


@njit(cache=True)
def block(
    first: Ints,
    windows: Floats,
    values: Floats,
    spread: Ints,
    band_out: float,
    band_in: float,
    state: Floats,
) -> float:
    """Return the best sum of `values` (m, M) with both bands kept, all signals free to move.

    values[c, t]: what offset t of the choice's signal is worth to the other corridors. Writes
    state (n, M, M): the best sum up to a signal by position of both fronts there.
    """
    n, cells = state.shape[0], state.shape[1]
    h = np.empty((cells, cells))
    best = -1e300
    for i in range(n):
        for x in range(cells):
            for y in range(cells):
                h[x, y] = -1e18
        for c in range(first[i], first[i + 1]):
            out = span(windows[0, c], windows[1, c], band_out, cells)
            back = span(windows[2, c], windows[3, c], band_in, cells)
            gains(values[c], out[0], out[1], back[0], back[1], h)
        if i > 0:
            wide_out = cells if band_out < 0.0 else spread[0, i - 1]
            wide_in = cells if band_in < 0.0 else spread[1, i - 1]
            spread_state(state[i - 1], wide_out, wide_in, state[i])
        for x in range(cells):
            for y in range(cells):
                state[i, x, y] = h[x, y] + (state[i, x, y] if i > 0 else 0.0)
                if i == n - 1:
                    best = max(best, state[i, x, y])
    return best


@njit(cache=True)
def pick(
    first: Ints,
    windows: Floats,
    values: Floats,
    spread: Ints,
    band_out: float,
    band_in: float,
    state: Floats,
    choice: Ints,
    offset: Ints,
) -> None:
    """Write choice and offset (n) of the best states of `block`, from the last signal back."""
    n, cells = state.shape[0], state.shape[1]
    x, y = 0, 0
    for k in range(cells):
        for j in range(cells):
            if state[n - 1, k, j] > state[n - 1, x, y]:
                x, y = k, j
    for i in range(n - 1, -1, -1):
        best = -1e300
        for c in range(first[i], first[i + 1]):
            a, count = span(windows[0, c], windows[1, c], band_out, cells)
            b, m = span(windows[2, c], windows[3, c], band_in, cells)
            for k in range(count):
                t = (x + a + k) % cells
                if (t - y - b) % cells < m and values[c, t] > best:
                    best = values[c, t]
                    choice[i] = c
                    offset[i] = t
        if i == 0:
            return
        wide_out = cells - 1 if band_out < 0.0 else min(spread[0, i - 1], cells - 1)
        wide_in = cells - 1 if band_in < 0.0 else min(spread[1, i - 1], cells - 1)
        best = -1e300
        to_x, to_y = x, y
        for r in range(wide_out + 1):
            for s in range(wide_in + 1):
                v = state[i - 1, (x - r) % cells, (y + s) % cells]
                if v > best:
                    best = v
                    to_x, to_y = (x - r) % cells, (y + s) % cells
        x, y = to_x, to_y
