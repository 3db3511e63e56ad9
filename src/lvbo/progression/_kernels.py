# SPDX-License-Identifier: Apache-2.0
"""Arc reachability on the circle of one cycle, in integer milliseconds.

A position q on the circle moves along a chain of signals. Signal i admits q in its arcs
[beta, beta + green - s], one arc per choice; link i adds a travel time. For two bands with sum s,
q is the outbound front minus the inbound end (progression of Little 1966 with both bands folded
into one scalar); for one band of width s at known offsets, q is its front.

Arrays, everywhere int64: `first` (n + 1) index of each signal's choices in `arcs` (2, m): beta and
green, ms. A set of positions is (2, room), sorted disjoint closed intervals in [0, cycle - 1], and
a count. `links` (4, n - 1, K): shortest and longest time in ms and, for K > 1 pace levels, the
first and last level of the link before from which a level may be entered.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True)
def merge(x: Ints, count: int) -> int:
    """Sort `count` intervals in place, join the touching ones, return how many remain."""
    for i in range(1, count):
        s = x[0, i]
        e = x[1, i]
        j = i - 1
        while j >= 0 and x[0, j] > s:
            x[0, j + 1] = x[0, j]
            x[1, j + 1] = x[1, j]
            j -= 1
        x[0, j + 1] = s
        x[1, j + 1] = e
    kept = 0
    for i in range(count):
        if kept and x[0, i] <= x[1, kept - 1] + 1:
            x[1, kept - 1] = max(x[1, kept - 1], x[1, i])
        else:
            x[0, kept] = x[0, i]
            x[1, kept] = x[1, i]
            kept += 1
    return kept


@njit(cache=True)
def add_arc(x: Ints, count: int, start: int, length: int, cycle: int) -> int:
    """Append the arc [start, start + length] cut at the end of the cycle; return the new count."""
    if length >= cycle - 1:
        x[0, count] = 0
        x[1, count] = cycle - 1
        return count + 1
    s = start % cycle
    e = s + length
    x[0, count] = s
    if e < cycle:
        x[1, count] = e
        return count + 1
    x[1, count] = cycle - 1
    x[0, count + 1] = 0
    x[1, count + 1] = e - cycle
    return count + 2


@njit(cache=True)
def admit(first: int, last: int, arcs: Ints, s: int, cycle: int, x: Ints) -> int:
    """Write the positions that the choices first..last-1 of a signal admit; return the count."""
    count = 0
    for c in range(first, last):
        if arcs[1, c] >= s:
            count = add_arc(x, count, arcs[0, c], arcs[1, c] - s, cycle)
    return merge(x, count)


@njit(cache=True)
def shift(x: Ints, count: int, lo: int, hi: int, cycle: int, y: Ints) -> int:
    """Write the set moved by every time in [lo, hi]; return the count."""
    moved = 0
    for i in range(count):
        moved = add_arc(y, moved, x[0, i] + lo, x[1, i] - x[0, i] + hi - lo, cycle)
    return merge(y, moved)


@njit(cache=True)
def intersect(a: Ints, na: int, b: Ints, nb: int, x: Ints) -> int:
    """Write the intersection of two sets, as much as there is room for; return the count."""
    i = 0
    j = 0
    count = 0
    while i < na and j < nb and count < x.shape[1]:
        s = max(a[0, i], b[0, j])
        e = min(a[1, i], b[1, j])
        if s <= e:
            x[0, count] = s
            x[1, count] = e
            count += 1
        if a[1, i] < b[1, j]:
            i += 1
        else:
            j += 1
    return count


@njit(cache=True)
def capacity(first: Ints, levels: int) -> int:
    """Return the room for the intervals of a set of positions; without levels there are no more.

    With levels there seldom are; what finds no room is dropped and can only narrow a band.
    """
    if levels > 1:
        return int(4 * (first[1:] - first[:-1]).max() + 128)
    return int(4 * first[first.size - 1] + 8)


@njit(cache=True)
def reach(first: Ints, arcs: Ints, s: int, cycle: int, links: Ints) -> bool:
    """Return whether some position passes all signals; K = 1."""
    work = np.empty((3, 2, capacity(first, 1)), np.int64)
    x, t, g = work[0], work[1], work[2]
    count = admit(first[0], first[1], arcs, s, cycle, x)
    for i in range(1, first.size - 1):
        if count == 0:
            return False
        moved = shift(x, count, links[0, i - 1, 0], links[1, i - 1, 0], cycle, t)
        opened = admit(first[i], first[i + 1], arcs, s, cycle, g)
        count = intersect(t, moved, g, opened, x)
    return count > 0


@njit(cache=True)
def unite(a: Ints, na: int, b: Ints, nb: int, x: Ints) -> int:
    """Write the union of two sets, as much as there is room for; return the count."""
    i = 0
    j = 0
    count = 0
    while i < na or j < nb:
        if j >= nb or (i < na and a[0, i] <= b[0, j]):
            s = a[0, i]
            e = a[1, i]
            i += 1
        else:
            s = b[0, j]
            e = b[1, j]
            j += 1
        if count and s <= x[1, count - 1] + 1:
            x[1, count - 1] = max(x[1, count - 1], e)
        elif count < x.shape[1]:
            x[0, count] = s
            x[1, count] = e
            count += 1
    return count


@njit(cache=True)
def fill_unions(x: Ints, counts: Ints, u: Ints, sizes: Ints) -> None:
    """Write the unions of 2^h neighbouring levels from each level on: u (H, K, 2, room)."""
    levels = counts.size
    for k in range(levels):
        sizes[0, k] = counts[k]
        u[0, k, :, : counts[k]] = x[k, :, : counts[k]]
    for h in range(1, u.shape[0]):
        half = 1 << (h - 1)
        for k in range(levels - 2 * half + 1):
            j = k + half
            sizes[h, k] = unite(u[h - 1, k], sizes[h - 1, k], u[h - 1, j], sizes[h - 1, j], u[h, k])


@njit(cache=True)
def union_of(u: Ints, sizes: Ints, near: int, far: int, x: Ints) -> int:
    """Write the union of the levels near..far from two overlapping blocks; return the count."""
    if far < near:
        return 0
    h = 0
    while 2 << h <= far - near + 1:
        h += 1
    k = far - (1 << h) + 1
    return unite(u[h, near], sizes[h, near], u[h, k], sizes[h, k], x)


@njit(cache=True)
def paced_sets(
    first: Ints, arcs: Ints, s: int, cycle: int, links: Ints, x: Ints, counts: Ints
) -> bool:
    """Fill the reachable sets by signal and pace level; return whether the last has any.

    x: (n, K, 2, room), counts: (n, K). With two rows given for longer chains the rows are used in
    turn, which saves memory when only the answer matters.
    """
    levels = links.shape[2]
    rows = x.shape[0]
    room = x.shape[3]
    longest, heights = max(1, (links[3] - links[2]).max() + 1), 1
    while 2 << (heights - 1) <= longest:
        heights += 1
    u = np.empty((heights, levels, 2, 2 * room), np.int64)
    sizes = np.zeros((heights, levels), np.int64)
    p = np.empty((2, 2 * room), np.int64)
    t = np.empty((2, 4 * room), np.int64)
    g = np.empty((2, room), np.int64)
    for k in range(levels):
        counts[0, k] = admit(first[0], first[1], arcs, s, cycle, x[0, k])
    for i in range(1, first.size - 1):
        here = i % rows
        back = (i - 1) % rows
        opened = admit(first[i], first[i + 1], arcs, s, cycle, g)
        fill_unions(x[back], counts[back], u, sizes)
        alive = False
        for k in range(levels):
            known = union_of(u, sizes, links[2, i - 1, k], links[3, i - 1, k], p)
            moved = shift(p, known, links[0, i - 1, k], links[1, i - 1, k], cycle, t)
            counts[here, k] = intersect(t, moved, g, opened, x[here, k])
            alive = alive or counts[here, k] > 0
        if not alive:
            return False
    return True


@njit(cache=True)
def passes(first: Ints, arcs: Ints, s: int, cycle: int, links: Ints) -> bool:
    """Return whether some position passes all signals, with or without pace levels."""
    levels = links.shape[2]
    if levels == 1:
        return reach(first, arcs, s, cycle, links)
    x = np.empty((2, levels, 2, capacity(first, levels)), np.int64)
    counts = np.zeros((2, levels), np.int64)
    return paced_sets(first, arcs, s, cycle, links, x, counts)


@njit(cache=True)
def mark(first: Ints, arcs: Ints, moves: Ints, s: int, cycle: int, links: Ints, ok: Ints) -> None:
    """Set `ok` for all `moves` (2, k), signal and ms, that alone leave room for a band of s."""
    for k in range(ok.size):
        own = arcs[0, first[moves[0, k]] : first[moves[0, k] + 1]]
        own += moves[1, k]
        ok[k] = ok[k] or passes(first, arcs, s, cycle, links)
        own -= moves[1, k]


@njit(cache=True)
def widest(x: Ints, count: int) -> int:
    """Return the middle of the longest interval."""
    best = 0
    for i in range(1, count):
        if x[1, i] - x[0, i] > x[1, best] - x[0, best]:
            best = i
    return int((x[0, best] + x[1, best]) // 2)


@njit(cache=True)
def trace(first: Ints, arcs: Ints, s: int, cycle: int, links: Ints) -> tuple[Ints, Ints, Ints]:
    """Return positions (n), link times and pace levels (n - 1) of one chain that passes.

    Walks back from the middle of the widest interval and takes link times near the middle of
    their range. The caller has made sure that s is reachable.
    """
    n = first.size - 1
    levels = links.shape[2]
    x = np.empty((n, levels, 2, capacity(first, levels)), np.int64)
    counts = np.zeros((n, levels), np.int64)
    paced_sets(first, arcs, s, cycle, links, x, counts)
    q = np.empty(n, np.int64)
    times = np.empty(n - 1, np.int64)
    level = np.empty(n - 1, np.int64)
    k = -1
    for j in range(levels):
        if counts[n - 1, j] and (k < 0 or abs(2 * j - levels + 1) < abs(2 * k - levels + 1)):
            k = j
    q[n - 1] = widest(x[n - 1, k], counts[n - 1, k])
    for i in range(n - 2, -1, -1):
        level[i] = k
        found = -1
        for j in range(links[2, i, k], links[3, i, k] + 1):
            at, t = step_back(
                x[i, j], counts[i, j], q[i + 1], links[0, i, k], links[1, i, k], cycle
            )
            if at >= 0 and (found < 0 or abs(j - k) < abs(found - k)):
                found = j
                q[i] = at
                times[i] = t
        k = found
    return q, times, level


@njit(cache=True)
def step_back(x: Ints, count: int, target: int, lo: int, hi: int, cycle: int) -> tuple[int, int]:
    """Return the position of the set and the time in [lo, hi] that lead to `target`.

    Of all such times the one nearest the middle of the range.
    """
    middle = (lo + hi) // 2
    best = np.int64(-1)
    best_time = np.int64(0)
    for i in range(count):
        # times t = target - x (mod cycle) for x in the interval form runs of length its length
        t_low = (target - x[1, i] - lo) % cycle + lo  # smallest admissible run start at or above lo
        run = x[1, i] - x[0, i]
        for wrap in range(-1, 1 + (hi - lo) // cycle):
            a = max(t_low + wrap * cycle, lo)
            b = min(t_low + wrap * cycle + run, hi)
            if a > b:
                continue
            t = min(max(middle, a), b)
            if best < 0 or abs(t - middle) < abs(best_time - middle):
                best = (target - t) % cycle
                best_time = t
    return best, best_time


@njit(cache=True)
def split(s: int, cap_out: int, cap_in: int, wishes: Floats) -> tuple[int, int]:
    """Return the best (outbound, inbound) with a sum of at most s, or (-1, -1).

    A linear programme in two variables: caps, minima, ratio_lo <= inbound / outbound <= ratio_hi.
    The corners are tried; of equal values the most even split wins.
    """
    weight_out, weight_in, ratio_lo, ratio_hi = wishes[0], wishes[1], wishes[2], wishes[3]
    min_out, min_in = np.int64(wishes[4]), np.int64(wishes[5])
    best_out, best_in, best = np.int64(-1), np.int64(-1), -1.0
    corners = (
        s / 2.0,
        float(cap_out),
        float(s - cap_in),
        float(s - min_in),
        float(min_out),
        s / (1.0 + ratio_lo),
        s / (1.0 + ratio_hi),
        cap_in / ratio_hi if ratio_hi > 0.0 else 0.0,
        cap_in / ratio_lo if ratio_lo > 0.0 else 0.0,
    )
    for corner in corners:
        for nudge in range(-1, 2):
            low = max(np.int64(np.floor(min(corner, 1e15))) + nudge, min_out)
            b = min(low, cap_out, s)
            top = min(cap_in, s - b)
            if ratio_hi < 1e6 and ratio_hi * b < top:  # larger ones mean no limit
                top = np.int64(np.floor(ratio_hi * b + 1e-9))
            if b < min_out or b < 0 or top < min_in or top < ratio_lo * b - 1.0:  # a tick
                continue
            value = weight_out * b + weight_in * top
            even = abs(b - top) < abs(best_out - best_in)
            if value > best + 1e-6 or (value > best - 1e-6 and even):
                best = max(value, best)
                best_out = b
                best_in = top
    return best_out, best_in


@njit(cache=True)
def scale(
    cycle: int, parts: int, start: Ints, length: Ints, out_start: Ints, out_green: Ints
) -> None:
    """Turn windows in parts into ms of this cycle, never longer than they are."""
    for c in range(start.size):
        if length[c] >= parts:
            out_start[c] = 0
            out_green[c] = cycle
            continue
        a = -((-start[c] * cycle) // parts)
        out_start[c] = a
        out_green[c] = ((start[c] + length[c]) * cycle) // parts - a


@njit(cache=True)
def fold(
    cycle: int,
    a_out: Ints,
    g_out: Ints,
    a_in: Ints,
    g_in: Ints,
    allowed: Ints,
    arcs: Ints,
) -> tuple[int, int]:
    """Write beta and green of the two-way position per choice; return the smallest greens.

    Choices that are not allowed get a negative green. A direction that is always green frees the
    position altogether.
    """
    cap_out = np.int64(cycle)
    cap_in = np.int64(cycle)
    for c in range(arcs.shape[1]):
        arcs[0, c] = a_out[c] - a_in[c] - g_in[c]
        arcs[1, c] = g_out[c] + g_in[c]
        if not allowed[c]:
            arcs[1, c] = -1
            continue
        cap_out = min(cap_out, g_out[c])
        cap_in = min(cap_in, g_in[c])
        if g_out[c] >= cycle or g_in[c] >= cycle:
            arcs[1, c] = 4 * cycle
    return cap_out, cap_in


@njit(cache=True)
def relax(links: Ints) -> Ints:
    """Return the links without pace levels: every time that some level allows."""
    loose = np.zeros((4, links.shape[1], 1), np.int64)
    for i in range(links.shape[1]):
        loose[0, i, 0] = links[0, i].min()
        loose[1, i, 0] = links[1, i].max()
    return loose


@njit(cache=True)
def sweep(
    cycles: Ints,
    parts: int,
    first: Ints,
    windows: Ints,
    allowed: Ints,
    links: Ints,
    wishes: Floats,
    known: float,
) -> tuple[int, int, int, int, float]:
    """Return (index of the cycle, s, outbound, inbound, value) better than `known`, or index -1.

    windows: (4, m) parts: start and length outbound, start and length inbound. wishes: weight_out,
    weight_in, ratio_lo, ratio_hi, min_out, min_in. Value = weighted bands / cycle. A cycle that
    cannot beat the best so far costs one pass.
    """
    m = windows.shape[1]
    ms = np.empty((6, m), np.int64)
    w_out, w_in = wishes[0], wishes[1]
    min_out, min_in = np.int64(wishes[4]), np.int64(wishes[5])
    top_weight = max(w_out, w_in)
    best = (np.int64(-1), np.int64(0), np.int64(0), np.int64(0), known)
    loose = relax(links)
    for index in range(cycles.size):
        cycle = cycles[index]
        scale(cycle, parts, windows[0], windows[1], ms[0], ms[1])
        scale(cycle, parts, windows[2], windows[3], ms[2], ms[3])
        arcs = ms[4:]
        cap_out, cap_in = fold(cycle, ms[0], ms[1], ms[2], ms[3], allowed, arcs)
        high = cap_out + cap_in
        low = max(np.int64(best[4] * cycle / top_weight) + 1, min_out + min_in, 0)
        b, d = split(high, cap_out, cap_in, wishes)
        if low > high or b < 0 or (w_out * b + w_in * d) / cycle <= best[4]:
            continue
        if not reach(first, arcs, low, cycle, loose):
            continue
        if not passes(first, arcs, low, cycle, links):
            continue
        # the smallest sum whose split beats the best so far
        a, z = low, high
        while a < z:
            mid = (a + z) // 2
            b, d = split(mid, cap_out, cap_in, wishes)
            if b >= 0 and (w_out * b + w_in * d) / cycle > best[4]:
                z = mid
            else:
                a = mid + 1
        if a > low and not passes(first, arcs, a, cycle, links):
            continue
        a = highest(first, arcs, cycle, links, a, high)
        b, d = split(a, cap_out, cap_in, wishes)
        best = (np.int64(index), b + d, b, d, (w_out * b + w_in * d) / cycle)
    return best


@njit(cache=True)
def highest(first: Ints, arcs: Ints, cycle: int, links: Ints, known: int, top: int) -> int:
    """Return the largest s that passes, from a `known` one that does to `top`, by bisection."""
    a, z = np.int64(known), np.int64(top)
    while a < z:
        mid = (a + z + 1) // 2
        if passes(first, arcs, mid, cycle, links):
            a = mid
        else:
            z = mid - 1
    return a


@njit(cache=True)
def widest_band(first: Ints, arcs: Ints, cycle: int, links: Ints, guess: int) -> int:
    """Return the widest band of one direction at known offsets, or -1; a near guess saves time."""
    top = np.int64(cycle)
    for i in range(first.size - 1):
        longest = np.int64(0)
        for c in range(first[i], first[i + 1]):
            longest = max(longest, min(arcs[1, c], cycle))
        top = min(top, longest)
    step = np.int64(64)
    at = min(max(np.int64(guess), 0), top)
    if passes(first, arcs, at, cycle, links):
        while at < top:
            up = min(at + step, top)
            if not passes(first, arcs, up, cycle, links):
                return highest(first, arcs, cycle, links, at, up - 1)
            at = up
            step *= 4
        return at
    while at > 0:
        down = max(at - step, 0)
        if passes(first, arcs, down, cycle, links):
            return highest(first, arcs, cycle, links, down, at - 1)
        at = down
        step *= 4
    return np.int64(-1)
