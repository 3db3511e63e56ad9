# SPDX-License-Identifier: Apache-2.0
"""Find offsets, sequences and link times of the widest bands of one chain without locks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from lvbo.errors import InfeasibleError
from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Ints
from lvbo.progression.offsets import Setting
from lvbo.progression.problem import BandKind, BandProblem

SCREEN_MS = 1000  # with pace levels, cycles nearer than this are not told apart
STRIDE = 16  # cycles are tried in strides, so that a good one is found early


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold a setting, the bands it was found for, and its link times (n - 1), all ms."""

    setting: Setting
    outbound_ms: int
    inbound_ms: int
    travel_out_ms: Ints
    travel_in_ms: Ints


def find_two_way(problem: BandProblem, chain: Chain, known: float = -1.0) -> Found | None:
    """Return the two-way setting of the largest value, None where there is none above `known`."""
    cycles = problem.cycles_ms
    if chain.both.levels > 1 and not problem.posted:  # a fit follows, which finds the cycle between
        cycles = _thinned(cycles)
    return _sweep(problem, chain, _in_strides(cycles), known)


def _sweep(problem: BandProblem, chain: Chain, cycles: Ints, known: float) -> Found | None:
    """Return the best setting of these cycles if its value is more than `known`."""
    best: tuple[int, int, int, Ints] | None = None  # cycle, outbound, inbound, allowed
    for allowed in allowed_choices(chain):
        index, _, b_out, b_in, value = _kernels.sweep(
            cycles,
            problem.parts_per_cycle,
            chain.first,
            chain.windows,
            allowed,
            chain.both.table,
            chain.wishes,
            known,
        )
        if index >= 0:
            known = value
            best = (int(cycles[index]), int(b_out), int(b_in), allowed)
    if best is None:
        return None
    cycle_ms, b_out, b_in, allowed = best
    return build_setting(problem, chain, cycle_ms, (b_out, b_in), allowed)


def _thinned(cycles_ms: tuple[int, ...]) -> tuple[int, ...]:
    kept: list[int] = []
    for cycle in sorted(cycles_ms):
        if not kept or cycle - kept[-1] >= SCREEN_MS:
            kept.append(cycle)
    return tuple(kept)


def _in_strides(cycles_ms: tuple[int, ...]) -> Ints:
    order = np.argsort(np.arange(len(cycles_ms)) % STRIDE, kind="stable")
    return np.array(cycles_ms, np.int64)[order]


def allowed_choices(chain: Chain) -> list[Ints]:
    """Return the choices allowed per pair of shortest greens, the longest pair first.

    A wide band may need a window that a narrow one can do without; the shortest green in use is
    one of the window lengths.
    """
    out, back = chain.windows[1], chain.windows[3]
    levels = [_lengths(chain.first, out), _lengths(chain.first, back)]
    pairs = sorted(product(*levels), key=sum, reverse=True)
    masks = [((out >= a) & (back >= b)).astype(np.int64) for a, b in pairs]
    return [m for m in masks if np.all(np.maximum.reduceat(m, chain.first[:-1]))]


def _lengths(first: Ints, length: Ints) -> list[int]:
    top = int(np.maximum.reduceat(length, first[:-1]).min())
    return sorted({int(x) for x in length if x <= top}, reverse=True)


def build_setting(
    problem: BandProblem, chain: Chain, cycle_ms: int, bands_ms: tuple[int, int], allowed: Ints
) -> Found:
    """Return a setting of two-way bands whose sum is known to pass with the allowed choices."""
    b_out, b_in = bands_ms
    a = _scaled(problem, chain, cycle_ms)
    arcs = np.empty((2, allowed.size), np.int64)
    _kernels.fold(cycle_ms, a[0], a[1], a[2], a[3], allowed, arcs)
    total = b_out + b_in
    q, times, level = _kernels.trace(chain.first, arcs, total, cycle_ms, chain.both.table)
    chosen = [
        _choice(range(chain.first[i], chain.first[i + 1]), q[i], arcs, total, cycle_ms)
        for i in range(problem.signals)
    ]
    out_ms, in_ms = _split_times(chain, times, level)
    fronts = np.concatenate(([0], np.cumsum(out_ms - chain.clear_out[1:])))
    offsets = np.empty(problem.signals, np.int64)
    for i, c in enumerate(chosen):
        spare = (q[i] - arcs[0, c]) % cycle_ms
        w = _before(spare, a[1][c] - b_out, a[3][c] - b_in, a[1][c], a[3][c], cycle_ms)
        offsets[i] = (fronts[i] - a[0][c] - w) % cycle_ms
    offsets = (offsets - offsets[0]) % cycle_ms
    patterns = tuple(int(chain.pattern[c]) for c in chosen)
    setting = Setting(cycle_ms=cycle_ms, offsets_ms=offsets, patterns=patterns)
    return Found(
        setting=setting,
        outbound_ms=b_out,
        inbound_ms=b_in,
        travel_out_ms=out_ms,
        travel_in_ms=in_ms,
    )


def _scaled(problem: BandProblem, chain: Chain, cycle_ms: int) -> Ints:
    ms = np.empty((4, chain.pattern.size), np.int64)
    parts = problem.parts_per_cycle
    _kernels.scale(cycle_ms, parts, chain.windows[0], chain.windows[1], ms[0], ms[1])
    _kernels.scale(cycle_ms, parts, chain.windows[2], chain.windows[3], ms[2], ms[3])
    return ms


def _choice(choices: range, q: int, arcs: Ints, total: int, cycle_ms: int) -> int:
    """Return the choice that admits q with the most room on either side."""

    def room(c: int) -> int:
        spare = (q - arcs[0, c]) % cycle_ms
        if arcs[1, c] - total >= cycle_ms - 1:
            return cycle_ms
        return int(min(spare, arcs[1, c] - total - spare))

    return max(choices, key=room)


def _before(
    spare: int, room_out: int, room_in: int, green_out: int, green_in: int, cycle_ms: int
) -> int:
    """Return the outbound green before the band; with the inbound green after it they are spare."""
    if green_out >= cycle_ms:
        return int(spare - room_in // 2)
    if green_in >= cycle_ms:
        return int(room_out // 2)
    return int((max(0, spare - room_in) + min(room_out, spare)) // 2)


def _split_times(chain: Chain, times: Ints, level: Ints) -> tuple[Ints, Ints]:
    """Return outbound and inbound link times for times of `both` on these pace levels."""
    row = np.arange(times.size)
    lo_out, hi_out = chain.travel_out.lo[row, level], chain.travel_out.hi[row, level]
    lo_in, hi_in = chain.travel_in.lo[row, level], chain.travel_in.hi[row, level]
    extra = times - chain.both.lo[row, level]
    width = np.maximum(hi_out - lo_out + hi_in - lo_in, 1)
    out = lo_out + extra * (hi_out - lo_out) // width
    return out, lo_in + extra - (out - lo_out)


def _longest(length: Ints, first: Ints) -> Ints:
    """Return each signal's choice of the greatest length, the first of equals, (n)."""
    top = np.maximum.reduceat(length, first[:-1])
    hits = np.flatnonzero(length == np.repeat(top, np.diff(first)))
    return hits[np.searchsorted(hits, first[:-1])]


def find_one_way(problem: BandProblem, chain: Chain, cycle_ms: int, kind: BandKind) -> Found:
    """Return the setting whose one band is the shortest green, centred in every other green."""
    outbound = kind is BandKind.OUTBOUND
    row = 0 if outbound else 2
    ms = _scaled(problem, chain, cycle_ms)
    start, green = ms[row], ms[row + 1]
    chosen = _longest(green, chain.first)
    free = np.full((2, green.size), 4 * cycle_ms, np.int64)
    if not _kernels.passes(chain.first, free, 0, cycle_ms, chain.both.table):
        raise InfeasibleError("LV412", link=0, conflict=("speed_change_limit", "speed ranges"))
    _, times, level = _kernels.trace(chain.first, free, 0, cycle_ms, chain.both.table)
    out_ms, in_ms = _split_times(chain, times, level)
    if outbound:
        fronts = np.concatenate(([0], np.cumsum(out_ms - chain.clear_out[1:])))
    else:
        drive = (in_ms - chain.clear_in[:-1])[::-1]
        fronts = np.concatenate(([0], np.cumsum(drive)))[::-1]
    band = int(green[chosen].min())
    offsets = (fronts - start[chosen] - (green[chosen] - band) // 2) % cycle_ms
    offsets = (offsets - offsets[0]) % cycle_ms
    patterns = tuple(int(chain.pattern[c]) for c in chosen)
    setting = Setting(cycle_ms=cycle_ms, offsets_ms=offsets, patterns=patterns, kind=kind)
    return Found(
        setting=setting,
        outbound_ms=band if outbound else 0,
        inbound_ms=0 if outbound else band,
        travel_out_ms=out_ms,
        travel_in_ms=in_ms,
    )
