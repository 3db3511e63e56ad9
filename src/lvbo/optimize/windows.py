# SPDX-License-Identifier: Apache-2.0
"""When drivers may go, for plans whose cycles need not agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvbo.optimize.lamps import Right

if TYPE_CHECKING:
    from lvbo.optimize._profile_values import Lamps
    from lvbo.optimize._transmission_values import Shows, Web

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

NEVER = 2**40
"""A second that does not come."""
_PROTECTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one signal shows in one plan: windows on its own clock, which is `offset_s` late.

    A permitted window that ends in red does so `gain_s` before the end of its right.
    """

    cycle_s: float
    offset_s: float
    gain_s: float
    rights: tuple[Right, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows of up to sixteen sets of plans on the area clock, each in a cycle of its own.

    Windows of signal s are `first[s]` to `first[s + 1]`, each of one movement and right; `begin`,
    `length` and `sneak` have shape (windows, candidates), `cycle_s` (signals, candidates).
    """

    plans: int
    first: Ints
    move: Ints
    right: Ints
    begin: Floats
    length: Floats
    sneak: Floats
    gain: Floats
    cycle_s: Floats


Line = list[tuple[float, float, float]]
"""Begin and length in s and `sneak` of one window, one for each plan."""
Lines = Mapping[tuple[int, int, int], Line]
"""Lines by movement, right and number."""


def build_windows(timings: Sequence[Sequence[Timing]]) -> Windows:
    """Return the windows of up to sixteen plans of each signal, side by side.

    Raises:
        ValueError: for no plan, or for more than fit.

    """
    return put_together(
        [align(row) for row in timings],
        [row[0].gain_s if row else 0.0 for row in timings],
        [[at.cycle_s for at in row] for row in timings],
    )


def put_together(
    lines: Sequence[Lines], gain_s: Sequence[float], cycle_s: Sequence[Sequence[float]]
) -> Windows:
    """Return the windows of all signals; a line may serve several movements.

    Raises:
        ValueError: for no plan, or for more than fit.

    """
    from lvbo.optimize._wide import WIDTH

    plans = len(cycle_s[0])
    if not 0 < plans <= WIDTH:
        message = f"{plans} sets of plans, 1 to {WIDTH} fit"
        raise ValueError(message)
    pick = np.minimum(np.arange(WIDTH), plans - 1)
    keys = [key for own in lines for key in own]
    row: dict[int, int] = {}
    held: list[Line] = []
    for own in lines:
        for line in own.values():
            if row.setdefault(id(line), len(held)) == len(held):
                held.append(line)
    at = [row[id(line)] for own in lines for line in own.values()]
    table = np.array(held, np.float32).reshape(-1, plans, 3)[at][:, pick]
    return Windows(
        plans=plans,
        first=np.cumsum([0, *(len(own) for own in lines)]).astype(np.int64),
        move=np.array([key[0] for key in keys], np.int64),
        right=np.array([key[1] for key in keys], np.int64),
        begin=np.ascontiguousarray(table[:, :, 0]),
        length=np.ascontiguousarray(table[:, :, 1]),
        sneak=np.ascontiguousarray(table[:, :, 2]),
        gain=np.array(gain_s, np.float32),
        cycle_s=np.ascontiguousarray(np.array(cycle_s, np.float32)[:, pick]),
    )


def align(row: Sequence[Timing]) -> Lines:
    """Return the windows of several plans of one signal side by side; missing ones are empty."""
    slots: dict[tuple[int, int, int], Line] = {}
    for b, timing in enumerate(row):
        seen: dict[tuple[int, int], int] = {}
        for r in timing.rights:
            nth = seen.get((r.move, r.right), 0)
            seen[r.move, r.right] = nth + 1
            line = slots.setdefault((r.move, r.right, nth), [(0.0, 0.0, 0.0)] * len(row))
            line[b] = ((r.begin_s + timing.offset_s) % timing.cycle_s, r.length_s, float(r.ends))
    return dict(sorted(slots.items()))


def windows_of_lamps(lamps: Lamps, cycle_s: int, plans: int) -> Windows:
    """Return the windows that the search has on a common cycle."""
    many = lamps.last - lamps.first
    first = np.concatenate([[0], np.cumsum(many)])
    row = np.arange(first[-1]) + np.repeat(lamps.first - first[:-1], many)
    return Windows(
        plans=plans,
        first=first,
        move=lamps.move[row],
        right=lamps.right[row],
        begin=lamps.begin[row],
        length=lamps.length[row],
        sneak=lamps.sneak[row],
        gain=lamps.gain,
        cycle_s=np.full((len(many), lamps.begin.shape[1]), cycle_s, np.float32),
    )


# windows of queues -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From which second on each signal shows other windows than before."""

    windows: Windows
    at_s: Ints


def show(
    web: Web, turn_move: Ints, windows: Windows, second: int, change: Change | None = None
) -> Shows:
    """Return what each queue gets from a second on, before and after a change of plans."""
    from lvbo.optimize._transmission_values import Shows

    signal = _signal_of(web)
    found = [_entries(web, turn_move, windows, signal)]
    signals = len(web.links) - 1
    always, never = np.zeros(signals, np.int64), np.full(signals, NEVER)
    sets, spans = [windows], [(always, never)]
    if change is not None:
        found.append(_entries(web, turn_move, change.windows, signal))
        sets.append(change.windows)
        spans = [(always, change.at_s), (change.at_s, never)]
    alike = np.logical_and.reduce([entries.alike for entries in found])
    plain = alike & (web.foes < 0).all(axis=(1, 2))
    parts = [
        _part(entries, own, span, plain, second, n * signals)
        for n, (entries, own, span) in enumerate(zip(found, sets, spans, strict=True))
    ]
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    queue, turn, right, opens, shuts, clock, gone, length, sneak, gain = (c[order] for c in joined)
    return Shows(
        first=np.searchsorted(queue, np.arange(len(signal) + 1)),
        turn=turn,
        right=right,
        opens=opens,
        shuts=shuts,
        clock=clock,
        gone=aligned(gone),
        length=aligned(length),
        sneak=aligned(sneak),
        gain=gain,
        cycle=aligned(np.concatenate([own.cycle_s for own in sets])),
        plain=plain.astype(np.int64),
    )


def _signal_of(web: Web) -> Ints:
    of_link = np.repeat(np.arange(len(web.links) - 1), np.diff(web.links))
    return of_link[web.link]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    """Window `window` serves turn `turn` of queue `queue`; `main` of the first turn of a queue.

    `alike` says of each queue whether all its turns have the same protected windows, or one turn.
    """

    queue: Ints
    turn: Ints
    window: Ints
    main: NDArray[np.bool_]
    alike: NDArray[np.bool_]


def _entries(web: Web, turn_move: Ints, windows: Windows, signal: Ints) -> _Entries:
    """Find the windows of each turn."""
    wide = int(max(windows.move.max(initial=0), turn_move.max(initial=0))) + 1
    of_window = np.repeat(np.arange(len(windows.first) - 1), np.diff(windows.first))
    key = of_window * wide + windows.move
    order = np.argsort(key, kind="stable")
    queue, turn = np.nonzero((turn_move >= 0) & (web.turn_share > 0))
    wanted = signal[queue] * wide + turn_move[queue, turn]
    low = np.searchsorted(key[order], wanted)
    many = np.searchsorted(key[order], wanted, side="right") - low
    pair = np.repeat(np.arange(len(queue)), many)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(many) - many, many)
    window = order[low[pair] + nth]
    first = np.searchsorted(queue, queue)
    twin = order[np.minimum(low[first[pair]] + nth, max(len(order) - 1, 0))]
    same = (windows.begin[window] == windows.begin[twin]).all(axis=1)
    same &= (windows.length[window] == windows.length[twin]).all(axis=1)
    same &= windows.right[window] == _PROTECTED
    lone = np.bincount(queue, minlength=len(signal)) <= 1
    odd = np.bincount(queue[pair], ~same, len(signal)) + np.bincount(
        queue, many != many[first], len(signal)
    )
    return _Entries(
        queue=queue[pair],
        turn=turn[pair],
        window=window,
        main=first[pair] == pair,
        alike=lone | (odd == 0),
    )


def _part(
    entries: _Entries,
    windows: Windows,
    span: tuple[Ints, Ints],
    plain: NDArray[np.bool_],
    second: int,
    clock: int,
) -> tuple[NDArray[np.generic], ...]:
    """Return the columns of one set of windows: a plain queue needs those of one turn only."""
    kept = entries.main | ~plain[entries.queue]
    queue, turn, w = entries.queue[kept], entries.turn[kept], entries.window[kept]
    s = np.searchsorted(windows.first, w, side="right") - 1
    cycle = windows.cycle_s[s].astype(np.float64)
    return (
        queue,
        turn,
        windows.right[w],
        span[0][s],
        span[1][s],
        clock + s,
        ((second - windows.begin[w].astype(np.float64)) % cycle).astype(np.float32),
        windows.length[w],
        windows.sneak[w],
        windows.gain[s],
    )


def blank(rows: int) -> Floats:
    """Return so many rows of zeros, each in one cache line: others take twice as long to reach."""
    from lvbo.optimize._wide import WIDTH

    held = np.zeros((rows + 1) * WIDTH, np.float32)
    first = -held.ctypes.data % (4 * WIDTH) // 4
    return held[first : first + rows * WIDTH].reshape(rows, WIDTH)


def aligned(rows: Floats) -> Floats:
    """Return a copy whose rows lie in one cache line each."""
    found = blank(len(rows))
    found[:] = rows
    return found
