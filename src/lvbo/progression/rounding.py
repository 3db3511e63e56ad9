# SPDX-License-Identifier: Apache-2.0
"""Offsets in whole seconds near an exact plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import NO_LIMIT, Chain, Floats, Ints
from lvbo.progression.offsets import OneWay, Setting, fix_times, one_ways, plan_at
from lvbo.progression.problem import BandKind, BandPlan, BandProblem

SECOND_MS = 1000
SHIFTS_MS = (0, 200, 400, 600, 800)  # common shifts of all offsets before they are rounded
SIDE_WEIGHT = 0.001  # a one-way plan takes what it can get in the other direction
TIGHT_MS = 2  # a signal with less room beside the band than this holds it


def whole_seconds(problem: BandProblem, chain: Chain, exact: BandPlan) -> BandPlan:
    """Return the best plan found near `exact` whose offsets are whole seconds.

    All offsets are rounded at several common shifts, the bands measured again with link times
    free in their ranges, then single offsets moved by a second while that helps. Locked offsets
    stay as they are. Where a speed-change limit binds, link times stay those of `exact`.
    """
    if chain.both.levels > 1:
        travel = (np.array(t, np.int64) for t in (exact.travel_out_ms, exact.travel_in_ms))
        chain = fix_times(chain, *travel)
    offsets = np.array(exact.offsets_ms, np.int64)
    setting = Setting(
        cycle_ms=exact.cycle_ms, offsets_ms=offsets, patterns=exact.patterns, kind=exact.kind
    )
    out, back = one_ways(problem, chain, setting)
    movable = np.ones(problem.signals, bool)
    for lock in problem.locks:
        movable[list(lock.signals)] = False
    search = _Search(
        out=out,
        back=back,
        wishes=_wishes(chain, exact.kind),
        movable=movable,
        rigid=tuple(list(lock.signals) for lock in problem.locks if not lock.absolute),
        shifts_ms=SHIFTS_MS[:1] if any(lock.absolute for lock in problem.locks) else SHIFTS_MS,
    )
    best = search.rounded(offsets, (exact.outbound_ms, exact.inbound_ms))
    best = search.polished(best)
    moved = replace(setting, offsets_ms=best.offsets_ms)
    return plan_at(problem, chain, moved, best.bands, (out, back))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Offsets (n), the bands that pass, these trimmed to the wishes, and their value."""

    offsets_ms: Ints
    wide: tuple[int, int]
    bands: tuple[int, int]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Look for whole seconds; both directions see the same offsets, inbound in reverse."""

    out: OneWay
    back: OneWay
    wishes: Floats
    movable: np.ndarray[tuple[int], np.dtype[np.bool_]]
    rigid: tuple[list[int], ...]  # groups that move together
    shifts_ms: tuple[int, ...]

    def rounded(self, offsets_ms: Ints, guess: tuple[int, int]) -> _Trial:
        trials = []
        for shift in self.shifts_ms:
            whole = (offsets_ms + shift + SECOND_MS // 2) // SECOND_MS * SECOND_MS
            moved = np.where(self.movable, whole, offsets_ms)
            for group in self.rigid:
                moved[group] += whole[group[0]] - offsets_ms[group[0]]
            trials.append(self.measured(moved, guess))
        return max(trials, key=lambda trial: trial.value)

    def polished(self, best: _Trial) -> _Trial:
        while True:
            moves = [(i, by) for i in self.tight(best) for by in (-SECOND_MS, SECOND_MS)]
            better = self.moved(best, moves)
            if better is best:
                return best
            best = better

    def moved(self, best: _Trial, moves: list[tuple[int, int]]) -> _Trial:
        """Return the trial after all moves, signal and ms, that raise its value in turn."""
        while moves:
            widening = [k for k, wider in enumerate(self.widens(best, moves)) if wider]
            for k in widening:
                i, by = moves[k]
                offsets = best.offsets_ms.copy()
                offsets[i] += by
                trial = self.measured(offsets, best.wide)
                if trial.value > best.value:
                    best, moves = trial, moves[k + 1 :]
                    break
            else:
                return best
        return best

    def tight(self, trial: _Trial) -> list[int]:
        """Return the movable signals whose green leaves no room beside one of the bands."""
        _, _, room_out = self.out.drive(trial.offsets_ms, trial.wide[0])
        _, _, room_in = self.back.drive(trial.offsets_ms[::-1], trial.wide[1])
        room = np.minimum(room_out.min(0), room_in.min(0)[::-1])
        none = min(trial.wide) <= 0  # then any signal may be the one that stops all cars
        return [int(i) for i in np.flatnonzero(self.movable & (none | (room <= TIGHT_MS)))]

    def widens(self, trial: _Trial, moves: list[tuple[int, int]]) -> list[bool]:
        """Return for each move of one signal whether it widens one of the bands."""
        ok = np.zeros(len(moves), np.int64)
        one = np.array(moves, np.int64).T.copy()
        self.out.mark(trial.offsets_ms, trial.wide[0] + 1, one, ok)
        one[0] = trial.offsets_ms.size - 1 - one[0]
        self.back.mark(trial.offsets_ms[::-1], trial.wide[1] + 1, one, ok)
        return [bool(each) for each in ok]

    def measured(self, offsets_ms: Ints, guess: tuple[int, int]) -> _Trial:
        b = max(self.out.widest(offsets_ms, guess[0]), 0)
        d = max(self.back.widest(offsets_ms[::-1], guess[1]), 0)
        w = self.wishes
        x, y = _kernels.split(b + d, b, d, w)
        if x < 0:
            return _Trial(offsets_ms=offsets_ms, wide=(b, d), bands=(b, d), value=-1.0)
        value = float(w[0] * x + w[1] * y)
        return _Trial(offsets_ms=offsets_ms, wide=(b, d), bands=(int(x), int(y)), value=value)


def _wishes(chain: Chain, kind: BandKind) -> Floats:
    if kind is BandKind.TWO_WAY:
        return chain.wishes
    out = 1.0 if kind is BandKind.OUTBOUND else SIDE_WEIGHT
    back = 1.0 if kind is BandKind.INBOUND else SIDE_WEIGHT
    return np.array([out, back, 0.0, NO_LIMIT, 0.0, 0.0])
