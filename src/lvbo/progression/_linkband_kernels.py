# SPDX-License-Identifier: Apache-2.0
"""A band of its own on every link: a dynamic programme over one chain, on a grid of the cycle.

One progression line per direction passes all signals. With w green before the outbound line and
w_in green after the inbound line, q = outbound line - inbound line = beta + w + w_in at every
signal. Half-bands h and h_in find room there if and only if h + h_in <= min(q - beta, beta + G - q)
with G the sum of both greens, so q and the pair of half-bands of a link are a state (MULTIBAND of
Gartner, Assmann, Lasaga, Hou 1991).

Everything is counted in steps of the cycle: U steps make one. q is told from the sum of the middle
link times so far. Arrays: `first` (n + 1) index of the choices; `choices` (3, m) beta, green out,
green in; `links` (4, n - 1, K): least and most steps by which q moves, first and last pace level
of the link before; `room` (n, U, X): the widest inbound half-band beside each outbound one, -1
where there is none; `tables` (n - 1, K, U, X, Y): best value up to and with link i, by q at signal
i + 1 and the half-bands of the link; `wishes`: least and greatest inbound over outbound band,
least outbound and inbound half-band.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Values = NDArray[np.float32]


@njit(cache=True)
def fill_room(first: Ints, choices: Floats, top_in: int, room: Ints) -> None:
    """Write `room`; half-bands are rounded to the nearest step, for a programme polishes them."""
    steps, wide = room.shape[1], room.shape[2]
    room[:] = -1
    for i in range(first.size - 1):
        for c in range(first[i], first[i + 1]):
            g_out, g_in = choices[1, c], choices[2, c]
            free = g_out >= steps or g_in >= steps
            cap_out = min(wide - 1, int(min(g_out, steps) / 2 + 0.5))
            cap_in = min(top_in, int(min(g_in, steps) / 2 + 0.5))
            for u in range(steps):
                p = (u - choices[0, c]) % steps
                both = min(p, g_out + g_in - p)
                if free:
                    both = 2.0 * steps
                if both < 0.0:
                    continue
                for x in range(min(cap_out, int(both + 0.5)) + 1):
                    y = min(cap_in, int(max(0.0, both - x) + 0.5))
                    room[i, u, x] = max(room[i, u, x], y)


@njit(cache=True)
def best_below(table: Values, below: Values) -> None:
    """Write the greatest value at half-bands of at most (x, y)."""
    for x in range(table.shape[0]):
        for y in range(table.shape[1]):
            value = table[x, y]
            if x:
                value = max(value, below[x - 1, y])
            if y:
                value = max(value, below[x, y - 1])
            below[x, y] = value


@njit(cache=True)
def best_above(below: Values, room: Ints, above: Values) -> None:
    """Write the greatest value of `below` that finds room at half-bands of at least (x, y)."""
    nx, ny = below.shape
    none = np.float32(-1e30)
    for x in range(nx - 1, -1, -1):
        for y in range(ny - 1, -1, -1):
            value = below[x, y] if y <= room[x] else none
            if x + 1 < nx:
                value = max(value, above[x + 1, y])
            if y + 1 < ny:
                value = max(value, above[x, y + 1])
            above[x, y] = value


@njit(cache=True)
def move(source: Values, low: int, high: int, spare: Values, target: Values) -> None:
    """Write the greatest value of `source` (U, k) moved by low..high steps around the circle."""
    steps, cells = source.shape
    length = min(high - low + 1, steps)
    spare[0] = source
    here = 0
    span = 1
    while 2 * span <= length:
        a, b = spare[here], spare[1 - here]
        for u in range(steps):
            v = (u + span) % steps
            for k in range(cells):
                b[u, k] = max(a[u, k], a[v, k])
        here = 1 - here
        span *= 2
    a = spare[here]
    for u in range(steps):
        v = (u - low - length + 1) % steps
        w = (u - low - span + 1) % steps
        for k in range(cells):
            target[u, k] = max(a[v, k], a[w, k])


@njit(cache=True)
def run_chain(
    room: Ints, links: Ints, gain_out: Floats, gain_in: Floats, wishes: Floats, tables: Values
) -> float:
    """Fill the tables; return the best value. Gains are values of a half-band one step wider."""
    n = room.shape[0]
    levels, steps, nx, ny = tables.shape[1], tables.shape[2], tables.shape[3], tables.shape[4]
    below = np.zeros((nx, ny), np.float32)
    above = np.empty((levels, steps, nx, ny), np.float32)
    joined = np.empty((steps, nx * ny), np.float32)
    spare = np.empty((2, steps, nx * ny), np.float32)
    prize = np.empty(nx * ny, np.float32)
    for i in range(n - 1):
        for k in range(levels):
            for u in range(steps):
                if i:
                    best_below(tables[i - 1, k, u], below)
                best_above(below, room[i, u], above[k, u])
        for x in range(nx):
            for y in range(ny):
                value = gain_out[i] * x + gain_in[i] * y
                if y < wishes[0] * x - 1.0 or y > wishes[1] * x + 1.0:
                    value = -1e30
                if x < wishes[2] or y < wishes[3]:
                    value = -1e30
                prize[x * ny + y] = value
        flat = above.reshape((levels, steps, nx * ny))
        for k in range(levels):
            near, far = links[2, i, k], links[3, i, k]
            if i == 0:
                near, far = k, k
            target = tables[i, k].reshape((steps, nx * ny))
            if far < near:
                target[:] = -1e30
                continue
            joined[:] = flat[near]
            for j in range(near + 1, far + 1):
                for u in range(steps):
                    for cell in range(nx * ny):
                        joined[u, cell] = max(joined[u, cell], flat[j, u, cell])
            move(joined, links[0, i, k], links[1, i, k], spare, target)
            for u in range(steps):
                for cell in range(nx * ny):
                    target[u, cell] += prize[cell]
    best = -1e30
    for k in range(levels):
        for u in range(steps):
            best_below(tables[n - 2, k, u], below)
            best_above(below, room[n - 1, u], above[0, 0])
            best = max(best, float(above[0, 0, 0, 0]))
    return best


@njit(cache=True)
def corner(below: Values, room: Ints, low_x: int, low_y: int) -> tuple[float, int, int]:
    """Return the best value of `below` with room at half-bands of at least these, and where."""
    best = -1e30
    at_x, at_y = -1, -1
    for x in range(low_x, below.shape[0]):
        y = min(room[x], below.shape[1] - 1)
        if y >= low_y and below[x, y] > best:
            best = float(below[x, y])
            at_x, at_y = x, y
    return best, at_x, at_y


@njit(cache=True)
def trace_chain(room: Ints, links: Ints, tables: Values) -> tuple[Ints, Ints, Ints]:
    """Return q (n), the steps q moves (n - 1), and half-bands with room at each signal (2, n)."""
    n = room.shape[0]
    levels, steps, nx, ny = tables.shape[1], tables.shape[2], tables.shape[3], tables.shape[4]
    below = np.zeros((nx, ny), np.float32)
    q = np.zeros(n, np.int64)
    moved = np.zeros(n - 1, np.int64)
    half = np.zeros((2, n), np.int64)
    best = -1e30
    level = 0
    for k in range(levels):
        for u in range(steps):
            best_below(tables[n - 2, k, u], below)
            value, x, y = corner(below, room[n - 1, u], 0, 0)
            if value > best:
                best, level = value, k
                q[n - 1], half[0, n - 1], half[1, n - 1] = u, x, y
    for i in range(n - 2, -1, -1):
        # the half-bands of link i
        table = tables[i, level, q[i + 1]]
        top = -1e30
        link_x, link_y = 0, 0
        for x in range(half[0, i + 1] + 1):
            for y in range(half[1, i + 1] + 1):
                if table[x, y] > top:
                    top = float(table[x, y])
                    link_x, link_y = x, y
        near, far = links[2, i, level], links[3, i, level]
        if i == 0:
            near, far = level, level
        low, high = links[0, i, level], links[1, i, level]
        best = -1e30
        before = level
        for j in range(near, far + 1):
            for step in range(low, min(high, low + steps - 1) + 1):
                u = (q[i + 1] - step) % steps
                if i:
                    best_below(tables[i - 1, j, u], below)
                else:
                    below[:] = 0.0
                value, x, y = corner(below, room[i, u], link_x, link_y)
                middle = abs(2 * step - low - high) < abs(2 * moved[i] - low - high)
                if value > best + 1e-7 or (value > best - 1e-7 and middle):
                    best = max(best, value)
                    q[i], moved[i], before = u, step, j
                    half[0, i], half[1, i] = x, y
        level = before
    return q, moved, half
