# SPDX-License-Identifier: Apache-2.0
"""Offsets of many signals from tables of what each pipe costs, by how much later its platoons come.

Where only the offsets of neighbours matter, a signal's best offset is a sum of table rows away:
thousands of groups are shifted and put right in the time of one look at the model itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Ties(NamedTuple):
    """Pipes by the signals they join: of signal s the pipes `near[first[s]:first[s + 1]]`.

    `source` and `target` are the ends of each pipe, `table[P, C]` its cost by how many s later the
    source runs than the target, `free[S]` is 1 where a signal's offset may be chosen.
    """

    first: Ints
    near: Ints
    source: Ints
    target: Ints
    table: Floats
    free: Ints


class Sheet(NamedTuple):
    """Scratch: `sums[C]`; of groups `mark[S]`, `list_[S]`, `old[S]`; `due[S]` and its `line[S]`."""

    sums: Floats
    mark: Ints
    list_: Ints
    old: Ints
    due: Ints
    line: Ints


@njit(cache=True, error_model="numpy")
def make_sheet(signals: int, cycle: int) -> Sheet:
    """Return scratch for so many signals."""
    return Sheet(
        np.zeros(cycle, np.float32),
        np.zeros(signals, np.int64),
        np.zeros(signals, np.int64),
        np.zeros(signals, np.int64),
        np.zeros(signals, np.int64),
        np.zeros(signals, np.int64),
    )


@njit(cache=True, fastmath=True, error_model="numpy")
def add_row(row: Floats, at: int, step: int, sums: Floats) -> None:
    """Add a table row to `sums[C]`, from place `at` on, forwards or backwards around the cycle."""
    cycle = row.shape[0]
    if step > 0:
        for r in range(cycle - at):
            sums[r] += row[at + r]
        for r in range(cycle - at, cycle):
            sums[r] += row[at + r - cycle]
    else:
        for r in range(at + 1):
            sums[r] += row[at - r]
        for r in range(at + 1, cycle):
            sums[r] += row[at - r + cycle]


@njit(cache=True, fastmath=True, error_model="numpy")
def best_offset(ties: Ties, offset: Ints, s: int, sums: Floats) -> int:
    """Return the offset at which the pipes of a signal cost least, all others as they are."""
    cycle = sums.shape[0]
    sums[:] = 0
    for i in range(ties.first[s], ties.first[s + 1]):
        p = ties.near[i]
        if ties.source[p] == s:
            add_row(ties.table[p], (cycle - offset[ties.target[p]]) % cycle, 1, sums)
        else:
            add_row(ties.table[p], offset[ties.source[p]], -1, sums)
    best = offset[s]
    for r in range(cycle):
        if sums[r] < sums[best] - np.float32(1e-5):
            best = r
    return int(best)


@njit(cache=True, fastmath=True, error_model="numpy")
def table_cost(ties: Ties, offset: Ints) -> float:
    """Return what all pipes cost at these offsets."""
    cycle = ties.table.shape[1]
    total = 0.0
    for p in range(ties.table.shape[0]):
        total += ties.table[p, (offset[ties.source[p]] - offset[ties.target[p]]) % cycle]
    return total


@njit(cache=True, fastmath=True, error_model="numpy")
def descend_tables(ties: Ties, offset: Ints, rounds: int, sheet: Sheet) -> int:
    """Give each signal its best offset in turn until none moves; return how many did last."""
    moved = 0
    for _ in range(rounds):
        moved = 0
        for s in range(offset.shape[0]):
            if ties.free[s] == 1:
                best = best_offset(ties, offset, s, sheet.sums)
                if best != offset[s]:
                    offset[s] = best
                    moved += 1
        if moved == 0:
            break
    return moved


@njit(cache=True, fastmath=True, error_model="numpy")
def grow(ties: Ties, size: int, stamp: int, sheet: Sheet) -> int:
    """Fill `list_` with a random group of free signals that hangs together; return its size.

    They are marked `stamp`.
    """
    sheet.list_[0] = np.random.randint(ties.free.shape[0])  # noqa: NPY002  compiled code
    if ties.free[sheet.list_[0]] == 0:
        return 0
    sheet.mark[sheet.list_[0]] = stamp
    count, misses = 1, 0
    while count < size and misses < 4 * size:
        s = sheet.list_[np.random.randint(count)]  # noqa: NPY002  as above
        i, z = ties.first[s], ties.first[s + 1]
        if i == z:
            break
        p = ties.near[np.random.randint(i, z)]  # noqa: NPY002  as above
        other = ties.target[p] if ties.source[p] == s else ties.source[p]
        if sheet.mark[other] == stamp or ties.free[other] == 0:
            misses += 1
            continue
        sheet.mark[other] = stamp
        sheet.list_[count] = other
        count += 1
    return count


@njit(cache=True, fastmath=True, error_model="numpy")
def group_sums(ties: Ties, offset: Ints, count: int, stamp: int, sheet: Sheet) -> None:
    """Fill `sums[C]`: the cost of the pipes into and out of a group, so many s later as a whole."""
    cycle = sheet.sums.shape[0]
    sheet.sums[:] = 0
    for k in range(count):
        s = sheet.list_[k]
        for i in range(ties.first[s], ties.first[s + 1]):
            p = ties.near[i]
            late = (offset[ties.source[p]] - offset[ties.target[p]]) % cycle
            if ties.source[p] == s and sheet.mark[ties.target[p]] != stamp:
                add_row(ties.table[p], late, 1, sheet.sums)
            elif ties.target[p] == s and sheet.mark[ties.source[p]] != stamp:
                add_row(ties.table[p], late, -1, sheet.sums)


@njit(cache=True, fastmath=True, error_model="numpy")
def put_right(ties: Ties, offset: Ints, count: int, most: int, sheet: Sheet) -> tuple[float, int]:
    """Improve around the `count` signals of `list_`; return the change of cost and who changed.

    Signals that change and are not in the list are added to it, with their `old` offsets, up to the
    `most` that there is room for.
    """
    head, tail, change = 0, 0, 0.0
    room = sheet.line.shape[0]
    for k in range(count):
        sheet.line[tail % room] = sheet.list_[k]
        sheet.due[sheet.list_[k]] = 1
        tail += 1
    visits = 0
    while head < tail:
        s = sheet.line[head % room]
        head += 1
        sheet.due[s] = 0
        visits += 1
        if ties.free[s] == 0 or visits > 8 * most:
            continue
        best = best_offset(ties, offset, s, sheet.sums)
        if best == offset[s]:
            continue
        known = sheet.mark[s] < 0
        if not known:
            if count >= most:
                continue
            sheet.mark[s] = -1
            sheet.list_[count] = s
            sheet.old[count] = offset[s]
            count += 1
        change += sheet.sums[best] - sheet.sums[offset[s]]
        offset[s] = best
        for i in range(ties.first[s], ties.first[s + 1]):
            p = ties.near[i]
            other = ties.target[p] if ties.source[p] == s else ties.source[p]
            if sheet.due[other] == 0:
                sheet.due[other] = 1
                sheet.line[tail % room] = other
                tail += 1
    return change, count


@njit(cache=True, fastmath=True, error_model="numpy")
def kick_tables(ties: Ties, offset: Ints, kicks: int, size: int, seed: int, sheet: Sheet) -> int:
    """Shift random groups, put right what is around them, keep what costs less; return how many.

    A group goes to where its outer pipes cost least, or, every other time, anywhere.
    """
    np.random.seed(seed)  # noqa: NPY002  compiled code has no other
    signals, cycle = offset.shape[0], sheet.sums.shape[0]
    kept = 0
    sheet.mark[:] = 0
    for k in range(kicks if signals > 1 else 0):
        stamp = k + 1
        count = grow(ties, 1 + np.random.randint(size), stamp, sheet)  # noqa: NPY002  as above
        group_sums(ties, offset, count, stamp, sheet)
        shift = 1 + np.random.randint(cycle - 1)  # noqa: NPY002  as above
        if k % 2 == 0:
            shift = int(np.argmin(sheet.sums))
            if shift == 0:
                shift = 1 + int(np.argmin(sheet.sums[1:]))
        change = float(sheet.sums[shift] - sheet.sums[0])
        for i in range(count):
            s = sheet.list_[i]
            sheet.old[i] = offset[s]
            sheet.mark[s] = -1
            offset[s] = (offset[s] + shift) % cycle
        more, count = put_right(ties, offset, count, min(signals, 8 * size), sheet)
        better = change + more < -1e-4
        kept += better
        for i in range(count):
            s = sheet.list_[i]
            sheet.mark[s] = 0
            if not better:
                offset[s] = sheet.old[i]
    return kept
