# SPDX-License-Identifier: Apache-2.0
"""Arc reachability on the circle of one cycle, in integer milliseconds.

A position q on the circle moves along a chain of signals. Signal i admits q in its arcs
[beta, beta + green - s], one arc per choice; link i adds a travel time. For two bands with sum s,
q is the outbound front minus the inbound end (progression of Little 1966 with both bands folded
into one scalar); for one band of width s at known offsets, q is its front.

Arrays, everywhere: `first` (n + 1) index of each signal's choices in the flat arrays `beta`,
`green` (m), int64, ms. Sets of positions are sorted disjoint closed intervals in [0, cycle - 1]:
two arrays and a count. Links: `lo`, `hi` (n - 1, K) ms and, for K > 1 pace levels, `near`, `far`
(n - 1, K): the first and last level of the link before from which a level may be entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


@njit(cache=True)
def merge(starts: Ints, ends: Ints, count: int) -> int:
    """Sort `count` intervals in place, join the touching ones, return how many remain."""
    for i in range(1, count):
        s = starts[i]
        e = ends[i]
        j = i - 1
        while j >= 0 and starts[j] > s:
            starts[j + 1] = starts[j]
            ends[j + 1] = ends[j]
            j -= 1
        starts[j + 1] = s
        ends[j + 1] = e
    kept = 0
    for i in range(count):
        if kept and starts[i] <= ends[kept - 1] + 1:
            ends[kept - 1] = max(ends[kept - 1], ends[i])
        else:
            starts[kept] = starts[i]
            ends[kept] = ends[i]
            kept += 1
    return kept


@njit(cache=True)
def add_arc(starts: Ints, ends: Ints, count: int, start: int, length: int, cycle: int) -> int:
    """Append the arc [start, start + length] cut at the end of the cycle; return the new count."""
    if length >= cycle - 1:
        starts[count] = 0
        ends[count] = cycle - 1
        return count + 1
    s = start % cycle
    e = s + length
    starts[count] = s
    if e < cycle:
        ends[count] = e
        return count + 1
    ends[count] = cycle - 1
    starts[count + 1] = 0
    ends[count + 1] = e - cycle
    return count + 2


@njit(cache=True)
def admit(
    first: int, last: int, beta: Ints, green: Ints, s: int, cycle: int, starts: Ints, ends: Ints
) -> int:
    """Write the positions that the choices first..last-1 of a signal admit; return the count."""
    count = 0
    for c in range(first, last):
        if green[c] >= s:
            count = add_arc(starts, ends, count, beta[c], green[c] - s, cycle)
    return merge(starts, ends, count)


@njit(cache=True)
def shift(
    xs: Ints, xe: Ints, count: int, lo: int, hi: int, cycle: int, starts: Ints, ends: Ints
) -> int:
    """Write the set moved by every time in [lo, hi]; return the count."""
    moved = 0
    for i in range(count):
        moved = add_arc(starts, ends, moved, xs[i] + lo, xe[i] - xs[i] + hi - lo, cycle)
    return merge(starts, ends, moved)


@njit(cache=True)
def intersect(
    a0: Ints, a1: Ints, na: int, b0: Ints, b1: Ints, nb: int, starts: Ints, ends: Ints
) -> int:
    """Write the intersection of two sorted sets, as much as there is room for; return the count."""
    i = 0
    j = 0
    count = 0
    while i < na and j < nb and count < starts.size:
        s = max(a0[i], b0[j])
        e = min(a1[i], b1[j])
        if s <= e:
            starts[count] = s
            ends[count] = e
            count += 1
        if a1[i] < b1[j]:
            i += 1
        else:
            j += 1
    return count


@njit(cache=True)
def capacity(first: Ints) -> int:
    """Return how many intervals a set of positions can have at most, with room to spare."""
    return int(4 * first[first.size - 1] + 8)


@njit(cache=True)
def reach(first: Ints, beta: Ints, green: Ints, s: int, cycle: int, lo: Ints, hi: Ints) -> bool:
    """Return whether some position passes all signals; links add any time in [lo, hi] (K = 1)."""
    room = capacity(first)
    work = np.empty((6, room), np.int64)
    xs, xe, ts, te, gs, ge = work[0], work[1], work[2], work[3], work[4], work[5]
    count = admit(first[0], first[1], beta, green, s, cycle, xs, xe)
    for i in range(1, first.size - 1):
        if count == 0:
            return False
        moved = shift(xs, xe, count, lo[i - 1, 0], hi[i - 1, 0], cycle, ts, te)
        arcs = admit(first[i], first[i + 1], beta, green, s, cycle, gs, ge)
        count = intersect(ts, te, moved, gs, ge, arcs, xs, xe)
    return count > 0


@njit(cache=True)
def gather(xs: Ints, xe: Ints, counts: Ints, near: int, far: int, us: Ints, ue: Ints) -> int:
    """Write the union of the sets of the levels near..far; return the count."""
    total = 0
    for k in range(near, far + 1):
        for j in range(counts[k]):
            us[total] = xs[k, j]
            ue[total] = xe[k, j]
            total += 1
    return merge(us, ue, total)


@njit(cache=True)
def paced_sets(
    first: Ints,
    beta: Ints,
    green: Ints,
    s: int,
    cycle: int,
    lo: Ints,
    hi: Ints,
    near: Ints,
    far: Ints,
    xs: Ints,
    xe: Ints,
    counts: Ints,
) -> bool:
    """Fill the reachable sets by signal and pace level; return whether the last has any.

    xs, xe: (n, K, room), counts: (n, K). With n = 2 rows given for longer chains the rows are
    used in turn, which saves memory when only the answer matters.
    """
    n = first.size - 1
    levels = lo.shape[1]
    rows = xs.shape[0]
    room = xs.shape[2]
    us = np.empty(room * levels, np.int64)
    ue = np.empty(room * levels, np.int64)
    ts = np.empty(2 * room * levels, np.int64)
    te = np.empty(2 * room * levels, np.int64)
    gs = np.empty(room, np.int64)
    ge = np.empty(room, np.int64)
    for k in range(levels):
        counts[0, k] = admit(first[0], first[1], beta, green, s, cycle, xs[0, k], xe[0, k])
    for i in range(1, n):
        here = i % rows
        back = (i - 1) % rows
        arcs = admit(first[i], first[i + 1], beta, green, s, cycle, gs, ge)
        alive = False
        for k in range(levels):
            a = near[i - 1, k]
            b = far[i - 1, k]
            known = gather(xs[back], xe[back], counts[back], a, b, us, ue)
            moved = shift(us, ue, known, lo[i - 1, k], hi[i - 1, k], cycle, ts, te)
            counts[here, k] = intersect(ts, te, moved, gs, ge, arcs, xs[here, k], xe[here, k])
            alive = alive or counts[here, k] > 0
        if not alive:
            return False
    return True


@njit(cache=True)
def passes(
    first: Ints,
    beta: Ints,
    green: Ints,
    s: int,
    cycle: int,
    lo: Ints,
    hi: Ints,
    near: Ints,
    far: Ints,
) -> bool:
    """Return whether some position passes all signals, with or without pace levels."""
    levels = lo.shape[1]
    if levels == 1:
        return reach(first, beta, green, s, cycle, lo, hi)
    xs = np.empty((2, levels, capacity(first)), np.int64)
    xe = np.empty((2, levels, capacity(first)), np.int64)
    counts = np.zeros((2, levels), np.int64)
    return paced_sets(first, beta, green, s, cycle, lo, hi, near, far, xs, xe, counts)


@njit(cache=True)
def widest(starts: Ints, ends: Ints, count: int) -> int:
    """Return the middle of the longest interval."""
    best = 0
    for i in range(1, count):
        if ends[i] - starts[i] > ends[best] - starts[best]:
            best = i
    return int((starts[best] + ends[best]) // 2)


@njit(cache=True)
def trace(
    first: Ints,
    beta: Ints,
    green: Ints,
    s: int,
    cycle: int,
    lo: Ints,
    hi: Ints,
    near: Ints,
    far: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Return positions (n), link times and pace levels (n - 1) of one chain that passes.

    Walks back from the middle of the widest interval and takes link times near the middle of
    their range. The caller has made sure that s is reachable.
    """
    n = first.size - 1
    levels = lo.shape[1]
    xs = np.empty((n, levels, capacity(first)), np.int64)
    xe = np.empty((n, levels, capacity(first)), np.int64)
    counts = np.zeros((n, levels), np.int64)
    paced_sets(first, beta, green, s, cycle, lo, hi, near, far, xs, xe, counts)
    q = np.empty(n, np.int64)
    times = np.empty(n - 1, np.int64)
    level = np.empty(n - 1, np.int64)
    k = -1
    for j in range(levels):
        if counts[n - 1, j] and (k < 0 or abs(2 * j - levels + 1) < abs(2 * k - levels + 1)):
            k = j
    q[n - 1] = widest(xs[n - 1, k], xe[n - 1, k], counts[n - 1, k])
    for i in range(n - 2, -1, -1):
        level[i] = k
        a = near[i, k]
        b = far[i, k]
        found = -1
        for j in range(a, b + 1):
            x, t = step_back(xs[i, j], xe[i, j], counts[i, j], q[i + 1], lo[i, k], hi[i, k], cycle)
            if x >= 0 and (found < 0 or abs(j - k) < abs(found - k)):
                found = j
                q[i] = x
                times[i] = t
        k = found
    return q, times, level


@njit(cache=True)
def step_back(
    xs: Ints, xe: Ints, count: int, target: int, lo: int, hi: int, cycle: int
) -> tuple[int, int]:
    """Return the position of the set and the time in [lo, hi] that lead to `target`.

    Of all such times the one nearest the middle of the range.
    """
    middle = (lo + hi) // 2
    best = np.int64(-1)
    best_time = np.int64(0)
    for i in range(count):
        # times t = target - x (mod cycle) for x in the interval form runs of length xe - xs
        t_low = (target - xe[i] - lo) % cycle + lo  # smallest admissible run start at or above lo
        run = xe[i] - xs[i]
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
def split(
    s: int,
    cap_out: int,
    cap_in: int,
    weight_out: float,
    weight_in: float,
    ratio_lo: float,
    ratio_hi: float,
    min_out: int,
    min_in: int,
) -> tuple[int, int]:
    """Return the best (outbound, inbound) with a sum of at most s, or (-1, -1).

    A linear programme in two variables: caps, minima, ratio_lo <= inbound / outbound <= ratio_hi.
    The corners are tried; of equal values the most even split wins.
    """
    best_out = np.int64(-1)
    best_in = np.int64(-1)
    best = -1.0
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
            if ratio_hi * b < top:
                top = np.int64(np.floor(ratio_hi * b + 1e-9))
            if b < min_out or b < 0 or top < min_in or top < ratio_lo * b - 1e-9:
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
    beta: Ints,
    green: Ints,
) -> tuple[int, int]:
    """Write beta and green of the two-way position per choice; return the smallest greens.

    Choices that are not allowed get a negative green. A direction that is always green frees the
    position altogether.
    """
    cap_out = np.int64(cycle)
    cap_in = np.int64(cycle)
    for c in range(beta.size):
        beta[c] = a_out[c] - a_in[c] - g_in[c]
        green[c] = g_out[c] + g_in[c]
        if not allowed[c]:
            green[c] = -1
            continue
        cap_out = min(cap_out, g_out[c])
        cap_in = min(cap_in, g_in[c])
        if g_out[c] >= cycle or g_in[c] >= cycle:
            green[c] = 4 * cycle
    return cap_out, cap_in


@njit(cache=True)
def sweep(
    cycles: Ints,
    parts: int,
    first: Ints,
    windows: Ints,
    allowed: Ints,
    lo: Ints,
    hi: Ints,
    near: Ints,
    far: Ints,
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
    w_out, w_in, r_lo, r_hi = wishes[0], wishes[1], wishes[2], wishes[3]
    min_out, min_in = np.int64(wishes[4]), np.int64(wishes[5])
    top_weight = max(w_out, w_in)
    best = (np.int64(-1), np.int64(0), np.int64(0), np.int64(0), known)
    for index in range(cycles.size):
        cycle = cycles[index]
        scale(cycle, parts, windows[0], windows[1], ms[0], ms[1])
        scale(cycle, parts, windows[2], windows[3], ms[2], ms[3])
        beta, green = ms[4], ms[5]
        cap_out, cap_in = fold(cycle, ms[0], ms[1], ms[2], ms[3], allowed, beta, green)
        high = cap_out + cap_in
        low = max(np.int64(best[4] * cycle / top_weight) + 1, min_out + min_in, 0)
        b, d = split(high, cap_out, cap_in, w_out, w_in, r_lo, r_hi, min_out, min_in)
        if low > high or b < 0 or (w_out * b + w_in * d) / cycle <= best[4]:
            continue
        if not passes(first, beta, green, low, cycle, lo, hi, near, far):
            continue
        # the smallest sum whose split beats the best so far
        a, z = low, high
        while a < z:
            mid = (a + z) // 2
            b, d = split(mid, cap_out, cap_in, w_out, w_in, r_lo, r_hi, min_out, min_in)
            if b >= 0 and (w_out * b + w_in * d) / cycle > best[4]:
                z = mid
            else:
                a = mid + 1
        if a > low and not passes(first, beta, green, a, cycle, lo, hi, near, far):
            continue
        z = high
        while a < z:
            mid = (a + z + 1) // 2
            if passes(first, beta, green, mid, cycle, lo, hi, near, far):
                a = mid
            else:
                z = mid - 1
        b, d = split(a, cap_out, cap_in, w_out, w_in, r_lo, r_hi, min_out, min_in)
        best = (np.int64(index), b + d, b, d, (w_out * b + w_in * d) / cycle)
    return best


@njit(cache=True)
def widest_band(
    first: Ints,
    beta: Ints,
    green: Ints,
    cycle: int,
    lo: Ints,
    hi: Ints,
    near: Ints,
    far: Ints,
) -> int:
    """Return the widest band of one direction at known offsets, or -1."""
    z = np.int64(cycle)
    for i in range(first.size - 1):
        top = np.int64(0)
        for c in range(first[i], first[i + 1]):
            top = max(top, min(green[c], cycle))
        z = min(z, top)
    if not passes(first, beta, green, 0, cycle, lo, hi, near, far):
        return np.int64(-1)
    a = np.int64(0)
    while a < z:
        mid = (a + z + 1) // 2
        if passes(first, beta, green, mid, cycle, lo, hi, near, far):
            a = mid
        else:
            z = mid - 1
    return a


@njit(cache=True)
def room(
    first: Ints, start: Ints, green: Ints, cycle: int, fronts: Ints, band: int
) -> tuple[Ints, Ints]:
    """Return per signal the green before and after a band, in the window it sits best in."""
    n = first.size - 1
    before = np.full(n, -1, np.int64)
    after = np.full(n, -1, np.int64)
    for i in range(n):
        for c in range(first[i], first[i + 1]):
            if green[c] >= cycle:
                before[i] = cycle
                after[i] = cycle
                continue
            early = (fronts[i] - start[c]) % cycle
            late = green[c] - early - band
            if late >= 0 and min(early, late) > min(before[i], after[i]):
                before[i] = early
                after[i] = late
    return before, after


@njit(cache=True)
def place(first: Ints, start: Ints, offsets: Ints, turned: bool, out: Ints) -> None:
    """Write the window starts on the area clock; `turned` where signals are met in reverse."""
    n = offsets.size
    for i in range(n):
        shift_by = offsets[n - 1 - i] if turned else offsets[i]
        for c in range(first[i], first[i + 1]):
            out[c] = start[c] + shift_by


@njit(cache=True)
def settle(
    first_out: Ints,
    start_out: Ints,
    green_out: Ints,
    lo_out: Ints,
    hi_out: Ints,
    first_in: Ints,
    start_in: Ints,
    green_in: Ints,
    lo_in: Ints,
    hi_in: Ints,
    cycle: int,
    offsets: Ints,
    movable: Ints,
    wishes: Floats,
    step: int,
    shifts: Ints,
) -> Ints:
    """Return offsets on multiples of `step` with the best value found near `offsets`.

    All offsets are first moved together by each of `shifts` and rounded; from the best of these,
    single offsets are moved by one step while that helps. Signals that are not movable keep their
    offsets. Link times K = 1.
    """
    w_out, w_in, r_lo, r_hi = wishes[0], wishes[1], wishes[2], wishes[3]
    min_out, min_in = np.int64(wishes[4]), np.int64(wishes[5])
    none = np.zeros((offsets.size - 1, 1), np.int64)
    pos_out = np.empty(start_out.size, np.int64)
    pos_in = np.empty(start_in.size, np.int64)
    best = offsets.copy()
    best_value = -2.0
    now_out = np.int64(0)
    now_in = np.int64(0)
    trial = offsets.copy()
    for shift_by in shifts:
        for i in range(offsets.size):
            if movable[i]:
                trial[i] = (offsets[i] + shift_by + step // 2) // step * step % cycle
        place(first_out, start_out, trial, False, pos_out)
        place(first_in, start_in, trial, True, pos_in)
        b = widest_band(first_out, pos_out, green_out, cycle, lo_out, hi_out, none, none)
        d = widest_band(first_in, pos_in, green_in, cycle, lo_in, hi_in, none, none)
        x, y = split(b + d, max(b, 0), max(d, 0), w_out, w_in, r_lo, r_hi, min_out, min_in)
        value = w_out * x + w_in * y if x >= 0 else -1.0
        if value > best_value:
            best_value = value
            best[:] = trial
            now_out = b
            now_in = d
    trial[:] = best
    improved = True
    rounds = 0
    while improved and rounds < 3:
        improved = False
        rounds += 1
        for i in range(offsets.size):
            if not movable[i]:
                continue
            for move in (-step, step):
                trial[i] = (best[i] + move) % cycle
                place(first_out, start_out, trial, False, pos_out)
                place(first_in, start_in, trial, True, pos_in)
                wider = passes(
                    first_out, pos_out, green_out, now_out + 1, cycle, lo_out, hi_out, none, none
                ) or passes(first_in, pos_in, green_in, now_in + 1, cycle, lo_in, hi_in, none, none)
                if wider:
                    b = widest_band(
                        first_out, pos_out, green_out, cycle, lo_out, hi_out, none, none
                    )
                    d = widest_band(first_in, pos_in, green_in, cycle, lo_in, hi_in, none, none)
                    x, y = split(
                        b + d, max(b, 0), max(d, 0), w_out, w_in, r_lo, r_hi, min_out, min_in
                    )
                    value = w_out * x + w_in * y if x >= 0 else -1.0
                    if value > best_value:
                        best_value = value
                        best[i] = trial[i]
                        now_out = b
                        now_in = d
                        improved = True
                trial[i] = best[i]
    return best
