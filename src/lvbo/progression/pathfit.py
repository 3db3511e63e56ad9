# SPDX-License-Identifier: Apache-2.0
"""All offsets and times of a plan of path bands moved together, its windows kept."""

from __future__ import annotations

from collections.abc import Mapping

from lvbo.progression.linear import Programme
from lvbo.progression.pathband import Leg, Path, PathBandPlan, PathBandProblem


def fit_paths(
    problem: PathBandProblem, plan: PathBandPlan
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return offsets and times (ms) with the most weighted band in the windows of the plan.

    Paths without a band stay without one. None where nothing has a band, or the linear programme
    finds no answer.
    """
    fit = _Fit(problem, plan)
    if not fit.bands:
        return None
    found = fit.programme.solve()
    if found is None:
        return None
    offsets = tuple(round(1000 * found.columns[c]) for c in fit.offsets)
    times = tuple(
        min(max(round(1000 * found.columns[c]), low), high)
        for c, (low, high) in zip(fit.times, problem.ways_ms, strict=True)
    )
    return offsets, times


class _Fit:
    """Write the programme: in seconds; bands and fronts of paths first, for they meet all rows."""

    def __init__(self, problem: PathBandProblem, plan: PathBandPlan) -> None:
        self.problem, self.plan = problem, plan
        alive = [k for k, front in enumerate(plan.fronts_ms) if front is not None]
        self.programme = Programme(border=2 * len(alive))
        self.bands = {
            k: self.programme.column(plan.bands_ms[k] / 1000, cost=problem.paths[k].weight)
            for k in alive
        }
        fronts = {k: self.programme.column((plan.fronts_ms[k] or 0) / 1000) for k in alive}
        self.offsets = [self.programme.column(o / 1000) for o in plan.offsets_ms]
        self.times = [self.programme.column(t / 1000) for t in plan.times_ms]
        for k in alive:
            self._path(problem.paths[k], k, fronts[k])
        for column, (low, high) in zip(self.times, problem.ways_ms, strict=True):
            self.programme.between(low / 1000, {column: 1.0}, high / 1000)
        self._held()

    def _held(self) -> None:
        """Keep the first signal where it is, and locked ones against each other."""
        offsets, plan = self.offsets, self.plan.offsets_ms
        held = {s for lock in self.problem.locks if lock.absolute for s in lock.signals} or {0}
        for signal in held:
            self._equal({offsets[signal]: 1.0}, plan[signal])
        for lock in self.problem.locks:
            first = lock.signals[0]
            for signal in lock.signals[1:]:
                if signal not in held:
                    terms = {offsets[signal]: 1.0, offsets[first]: -1.0}
                    self._equal(terms, plan[signal] - plan[first])

    def _equal(self, terms: Mapping[int, float], value_ms: int) -> None:
        self.programme.between(value_ms / 1000, terms, value_ms / 1000)

    def _path(self, path: Path, k: int, front: int) -> None:
        """Add the rows of a path: at each stop line its band lies in the window it lies in now."""
        band, drive = self.bands[k], 0
        terms: dict[int, float] = {front: -1.0}
        begin = (self.plan.fronts_ms[k] or 0) - path.legs[0].extra_ms
        fixed = -path.legs[0].extra_ms
        self.programme.between(path.least_ms / 1000 if self._meets(k) else 0.0, {band: 1.0}, 1e6)
        for leg in path.legs:
            fixed += leg.extra_ms
            drive += leg.extra_ms
            if leg.way is not None:
                drive += self.plan.times_ms[leg.way]
                column = self.times[leg.way]
                terms[column] = terms.get(column, 0.0) - 1.0
            placed = self._window(leg, begin + drive, self.plan.bands_ms[k])
            if placed is None:
                continue
            start, length = placed
            own = {**terms, self.offsets[leg.signal]: 1.0}
            self.programme.at_most(own, (fixed - start) / 1000)
            back = {c: -v for c, v in own.items()} | {band: 1.0}
            self.programme.at_most(back, (start + length - leg.spread_ms - fixed) / 1000)

    def _meets(self, k: int) -> bool:
        return self.plan.bands_ms[k] >= self.problem.paths[k].least_ms

    def _window(self, leg: Leg, at_ms: int, band_ms: int) -> tuple[int, int] | None:
        """Return the start, not wrapped, and length of the window that holds the band now."""
        cycle = self.problem.cycle_ms
        offset = self.plan.offsets_ms[leg.signal]
        for start, length in leg.windows[self.plan.patterns[leg.signal]]:
            if length >= cycle:
                return None
            since = (at_ms - offset - start) % cycle
            if since + band_ms + leg.spread_ms <= length:
                return at_ms - since - offset, length
        return None
