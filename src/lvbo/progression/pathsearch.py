# SPDX-License-Identifier: Apache-2.0
"""The search for path bands: moves of one signal, of a whole end of the street, of one way's time.

Every move shifts some stop lines of each path against its others by the same time, so all shifts of
a move are valued at once from two sets of arcs. From several starts the best move of each kind is
taken until none helps; a linear programme then moves all offsets and times together, and the search
goes on from there. The value of a plan found is exact; that no better one exists is not proved.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from lvbo.progression.patharcs import ALWAYS, Arcs, Ints, common, longest, overlaps, turned
from lvbo.progression.pathband import Path, PathBandPlan, PathBandProblem, value_of_paths
from lvbo.progression.pathfit import fit_paths

STEP_MS = 1_000
TIME_STEPS = 9
"""So many times of a way are looked at."""
MOST_ROUNDS = 40
RANDOM_STARTS = 6
LEAST_GAIN = 1e-9
AGAINST = 10.0
"""A millisecond that a path lacks weighs as much as ten of all paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Hold what a search changes: offsets and sequences by signal, times by way."""

    offsets_ms: tuple[int, ...]
    patterns: tuple[int, ...]
    times_ms: tuple[int, ...]


def path_bands(
    problem: PathBandProblem, starts: Sequence[Setting] = (), seed: int = 0
) -> PathBandPlan:
    """Return the best plan found from these starts and others; offsets are whole seconds.

    Locks hold. The same seed gives the same plan.
    """
    search = _Search(problem)
    begun = [*starts, *_own_starts(problem, random.Random(seed))]
    best: PathBandPlan | None = None
    for start in begun:
        found = search.climbed(search.lawful(start))
        fitted = fit_paths(problem, search.plan(found))
        if fitted is not None:
            offsets, times = fitted
            whole = tuple(STEP_MS * round(o / STEP_MS) for o in offsets)
            again = search.climbed(search.lawful(replace(found, offsets_ms=whole, times_ms=times)))
            found = max(found, again, key=search.worth)
        plan = search.plan(found)
        if best is None or worth_of(problem, plan) > worth_of(problem, best) + 1e-12:
            best = plan
    if best is None:  # there is always an own start
        raise AssertionError
    return best


def evaluate_paths(problem: PathBandProblem, setting: Setting) -> PathBandPlan:
    """Return the bands that known offsets, sequences and times give."""
    return _Search(problem).plan(setting)


def worth_of(problem: PathBandProblem, plan: PathBandPlan) -> float:
    """Return the value of a plan less what its paths lack of their least bands."""
    lack = sum(max(0, p.least_ms - b) for p, b in zip(problem.paths, plan.bands_ms, strict=True))
    return value_of_paths(problem, plan) - _against(problem) * lack / problem.cycle_ms


def _against(problem: PathBandProblem) -> float:
    return AGAINST * max(1e-9, sum(path.weight for path in problem.paths))


def middle_times(problem: PathBandProblem) -> tuple[int, ...]:
    """Return the middle time of every way."""
    return tuple((low + high) // 2 for low, high in problem.ways_ms)


def _own_starts(problem: PathBandProblem, source: random.Random) -> Iterator[Setting]:
    """Yield starts that follow one path each, the heaviest first, and some by chance."""
    n, times = len(problem.sequences), middle_times(problem)
    for path in sorted(problem.paths, key=lambda p: -p.weight):
        offsets, at = [0] * n, 0
        for leg in path.legs:
            at += leg.extra_ms + (times[leg.way] if leg.way is not None else 0)
            offsets[leg.signal] = at - leg.windows[0][0][0]
        yield Setting(offsets_ms=tuple(offsets), patterns=(0,) * n, times_ms=times)
    for _ in range(RANDOM_STARTS):
        yield Setting(
            offsets_ms=tuple(source.randrange(problem.cycle_ms) for _ in range(n)),
            patterns=tuple(source.randrange(k) for k in problem.sequences),
            times_ms=times,
        )


Move = Callable[[Setting], tuple[Setting, float]]


class _Search:
    """Hold one problem and what its moves need."""

    def __init__(self, problem: PathBandProblem) -> None:
        self.problem, self.cycle = problem, problem.cycle_ms
        self.fixed = {s for lock in problem.locks if lock.absolute for s in lock.signals}
        self.shifts: Ints = np.arange(0, self.cycle, STEP_MS, dtype=np.int64)
        self.against = _against(problem)
        self._moves = list(self._kinds())

    def lawful(self, start: Setting) -> Setting:
        """Return a setting in whole seconds that keeps the locks."""
        offsets = [STEP_MS * round(o / STEP_MS) % self.cycle for o in start.offsets_ms]
        for lock in self.problem.locks:
            base = 0 if lock.absolute else offsets[lock.signals[0]] - lock.offsets_ms[0]
            for signal, offset in zip(lock.signals, lock.offsets_ms, strict=True):
                offsets[signal] = (base + offset) % self.cycle
        return replace(start, offsets_ms=tuple(offsets))

    # what a setting is worth ----------------------------------------------------------------

    def plan(self, setting: Setting) -> PathBandPlan:
        """Return the bands of a setting."""
        arcs = [longest(self._passing(path, setting), self.cycle) for path in self.problem.paths]
        first = [path.legs[0].extra_ms for path in self.problem.paths]
        return PathBandPlan(
            cycle_ms=self.cycle,
            offsets_ms=setting.offsets_ms,
            patterns=setting.patterns,
            times_ms=setting.times_ms,
            bands_ms=tuple(length for _, length in arcs),
            fronts_ms=tuple(
                (start + extra) % self.cycle if length else None
                for (start, length), extra in zip(arcs, first, strict=True)
            ),
        )

    def worth(self, setting: Setting) -> float:
        """Return what a setting is worth."""
        return worth_of(self.problem, self.plan(setting))

    def _passing(self, path: Path, setting: Setting) -> Arcs:
        return self._of_legs(path, setting, [True] * len(path.legs))

    def _of_legs(self, path: Path, setting: Setting, chosen: Sequence[bool]) -> Arcs:
        """Return when a vehicle may begin so that it finds green at the chosen legs."""
        alive, drive = ALWAYS, 0
        for leg, taken in zip(path.legs, chosen, strict=True):
            drive += leg.extra_ms + (setting.times_ms[leg.way] if leg.way is not None else 0)
            if taken:
                windows = leg.windows[setting.patterns[leg.signal]]
                shift = setting.offsets_ms[leg.signal] - drive
                own = turned(windows, shift, self.cycle, leg.spread_ms)
                alive = common(alive, own, self.cycle)
        return alive

    # moves ----------------------------------------------------------------------------------

    def climbed(self, setting: Setting) -> Setting:
        """Return the setting from which no move helps any more."""
        worth = self.worth(setting)
        for _ in range(MOST_ROUNDS):
            before = worth
            for move in self._moves:
                moved, value = move(setting)
                if value > worth + LEAST_GAIN:
                    setting, worth = moved, value
            if worth <= before + LEAST_GAIN:
                break
        return setting

    def _kinds(self) -> Iterator[Move]:
        """Yield the moves: every signal, every end of the street, every way with a choice."""
        groups = [g for g in _groups(self.problem) if not self.fixed & set(g)]
        ends = [
            tuple(range(k, len(self.problem.sequences)))
            for k in range(1, len(self.problem.sequences))
        ]
        whole = [e for e in ends if all(set(g) <= set(e) or not set(g) & set(e) for g in groups)]
        free = [e for e in whole if not self.fixed & set(e)]
        for group in dict.fromkeys([*groups, *free]):
            yield partial(self._shifted, group)
        for way, (low, high) in enumerate(self.problem.ways_ms):
            if low < high:
                yield partial(self._paced, way, low, high)

    def _shifted(self, group: tuple[int, ...], setting: Setting) -> tuple[Setting, float]:
        """Return the best shift of some signals; a lone one may change its sequence too."""
        best, most = setting, -np.inf
        for patterns in self._sequences(group, setting):
            there = replace(setting, patterns=patterns)
            values = np.zeros(self.shifts.size)
            for path in self.problem.paths:
                moves = [leg.signal in group for leg in path.legs]
                values += self._valued(path, there, moves, self.shifts)
            at = int(values.argmax())
            if values[at] > most:
                shift, most = int(self.shifts[at]), float(values[at])
                offsets = tuple(
                    (o + shift) % self.cycle if s in group else o
                    for s, o in enumerate(setting.offsets_ms)
                )
                best = replace(there, offsets_ms=offsets)
        return best, most

    def _sequences(self, group: tuple[int, ...], setting: Setting) -> list[tuple[int, ...]]:
        own = setting.patterns
        if len(group) > 1:
            return [own]
        (k,) = group
        return [(*own[:k], p, *own[k + 1 :]) for p in range(self.problem.sequences[k])]

    def _paced(self, way: int, low: int, high: int, setting: Setting) -> tuple[Setting, float]:
        """Return the best time of a way; a longer one moves the stop lines behind it earlier."""
        times = np.unique(np.linspace(low, high, TIME_STEPS).round().astype(np.int64))
        shifts = setting.times_ms[way] - times
        values = np.zeros(times.size)
        for path in self.problem.paths:
            behind = np.cumsum([leg.way == way for leg in path.legs]) > 0
            values += self._valued(path, setting, behind.tolist(), shifts)
        at, own = int(values.argmax()), setting.times_ms
        moved = replace(setting, times_ms=(*own[:way], int(times[at]), *own[way + 1 :]))
        return moved, float(values[at])

    def _valued(
        self, path: Path, setting: Setting, moves: Sequence[bool], shifts: Ints
    ) -> npt.NDArray[np.float64]:
        """Return what a path is worth at each shift of some of its stop lines."""
        stays = self._of_legs(path, setting, [not m for m in moves])
        moved = self._of_legs(path, setting, moves) if any(moves) else ALWAYS
        bands = overlaps(stays, moved, shifts, self.cycle)
        lack = np.maximum(0, path.least_ms - bands)
        return np.asarray((path.weight * bands - self.against * lack) / self.cycle)


def _groups(problem: PathBandProblem) -> list[tuple[int, ...]]:
    """Return the signals that move alone, and those locked to each other together."""
    groups, taken = [], set[int]()
    for signal in range(len(problem.sequences)):
        if signal in taken:
            continue
        group = {signal}
        for lock in problem.locks:
            if group & set(lock.signals):
                group |= set(lock.signals)
        taken |= group
        groups.append(tuple(sorted(group)))
    return groups
