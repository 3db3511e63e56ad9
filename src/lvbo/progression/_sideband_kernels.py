# SPDX-License-Identifier: Apache-2.0
"""Bands by link that may lie unevenly about their line: a programme over one chain, on a grid.

As `_linkband_kernels`, but a state is the place itself: q, the window, and w, the green before the
outbound line; w_in = q - beta - w is the green after the inbound line. The band of a link is then
min(w, w') + min(g - w, g' - w') per direction, each side at least its share (AM-BAND of Zhang,
Xie, Gartner, Stamatiadis, Arsava 2015). Arrays: `tables` (n, U, C, W) best value by q, window of
the signal and w; `back` (n - 1, U, C, W) the state before as (u x C + c) x W + w.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Smalls = NDArray[np.int32]
Floats = NDArray[np.float64]
Values = NDArray[np.float32]


@njit(cache=True)
def run_places(
    first: Ints,
    choices: Floats,
    links: Ints,
    gains: Floats,
    wishes: Floats,
    tables: Values,
    back: Smalls,
) -> float:
    """Fill the tables; return the best value.

    `gains` (2, n - 1): value of a band one step wider, outbound and inbound. `wishes`: least and
    greatest inbound over outbound band, least share of a side.
    """
    n = first.size - 1
    steps, wide = tables.shape[1], tables.shape[3]
    none = np.float32(-1e30)
    tables[:] = none
    back[:] = -1
    for c in range(first[0], first[1]):
        g, g_in = choices[1, c], choices[2, c]
        for u in range(steps):
            p = (u - choices[0, c]) % steps
            for w in range(int(min(g, wide - 1.0)) + 1):
                if 0.0 <= p - w <= g_in:
                    tables[0, u, c - first[0], w] = 0.0
    spread = wishes[2]
    factor = (1.0 - spread) / spread if spread > 0.0 else 1e9
    for i in range(n - 1):
        source = tables[i]
        target = tables[i + 1]
        gain, gain_in = gains[0, i], gains[1, i]
        low = links[0, i, :].min()
        high = min(links[1, i, :].max(), low + steps - 1)
        for c in range(first[i], first[i + 1]):
            beta, g, g_in = choices[0, c], choices[1, c], choices[2, c]
            for u in range(steps):
                p = (u - beta) % steps
                for w in range(wide):
                    value = source[u, c - first[i], w]
                    if value <= none:
                        continue
                    w_in = p - w
                    code = (u * tables.shape[2] + c - first[i]) * wide + w
                    for step in range(low, high + 1):
                        v = (u + step) % steps
                        for d in range(first[i + 1], first[i + 2]):
                            h, h_in = choices[1, d], choices[2, d]
                            there = (v - choices[0, d]) % steps
                            if there > h + h_in:
                                continue
                            begin = max(0, int(np.ceil(there - h_in)))
                            end = min(int(min(h, wide - 1.0)), int(there))
                            row = target[v, d - first[i + 1]]
                            came = back[i, v, d - first[i + 1]]
                            for x in range(begin, end + 1):
                                x_in = there - x
                                left = min(float(w), float(x))
                                right = min(g - w, h - x)
                                b = left + right
                                left_in = min(g_in - w_in, h_in - x_in)
                                right_in = min(w_in, x_in)
                                b_in = left_in + right_in
                                if spread > 0.0:
                                    b = min(left, right * factor) + min(right, left * factor)
                                    b_in = min(left_in, right_in * factor) + min(
                                        right_in, left_in * factor
                                    )
                                b_in = min(b_in, wishes[1] * b)
                                if wishes[0] > 0.0:
                                    b = min(b, b_in / wishes[0])
                                total = np.float32(value + gain * b + gain_in * b_in)
                                if total > row[x]:
                                    row[x] = total
                                    came[x] = code
    return float(tables[n - 1].max())


@njit(cache=True)
def trace_places(tables: Values, back: Smalls) -> tuple[Ints, Ints, Ints]:
    """Return q, window and w by signal of the best chain, in steps; q wraps."""
    n, _, many, wide = tables.shape
    at = np.int64(np.argmax(tables[n - 1]))
    q, window, w = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n - 1, -1, -1):
        q[i] = at // (many * wide)
        window[i] = at // wide % many
        w[i] = at % wide
        if i:
            at = np.int64(back[i - 1, q[i], window[i], w[i]])
    return q, window, w
