# SPDX-License-Identifier: Apache-2.0
"""Bands of paths that turn: what is asked, and what a plan of this kind holds.

OD-BAND (Arsava, Xie, Gartner 2016) gives the main origin-destination movements of a street bands of
their own. A path has its own stop lines and windows: the left-turn green by which it comes in, the
through greens after, the green by which it turns off. Conventions are those of `problem`; the cycle
is fixed and all windows are in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from lvbo.errors import UsageError
from lvbo.progression.problem import Lock, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One stop line of a path.

    `windows[p]` are its greens where the signal runs sequence p, as (start, length) on the signal's
    own clock. It is reached over `way` (None: in fixed time) and `extra_ms` more, which may be
    negative where a queue is cleared ahead. `spread_ms` is how much later than that the last of
    each vehicle's chances may be (dwell at stops): the green must hold both.
    """

    signal: int
    windows: tuple[tuple[Window, ...], ...]
    way: int | None = None
    extra_ms: int = 0
    spread_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A chain of stop lines that vehicles pass one after the other.

    Its band counts `weight` times; less than `least_ms` counts ten times as much against the plan
    as all bands count for it.
    """

    name: str
    weight: float
    legs: tuple[Leg, ...]
    least_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PathBandProblem:
    """Ask for the offsets, sequences and times that give paths the most weighted band.

    `sequences[i]` is how many sequences signal i may run; `ways_ms` are the shortest and longest
    times of each stretch in each direction, the same for all paths on it. The value to maximise is
    the sum of weight x band / cycle.
    """

    cycle_ms: int
    sequences: tuple[int, ...]
    ways_ms: tuple[tuple[int, int], ...]
    paths: tuple[Path, ...]
    locks: tuple[Lock, ...] = ()

    def __post_init__(self) -> None:
        if self.cycle_ms <= 0 or not self.paths:
            raise UsageError("LV440", path="", signals=len(self.sequences), paths=len(self.paths))
        for path in self.paths:
            known = all(
                0 <= leg.signal < len(self.sequences)
                and len(leg.windows) == self.sequences[leg.signal]
                and all(own for own in leg.windows)
                and (leg.way is None or 0 <= leg.way < len(self.ways_ms))
                and leg.spread_ms >= 0
                for leg in path.legs
            )
            if not path.legs or not known or path.weight < 0:
                raise UsageError(
                    "LV440", path=path.name, signals=len(self.sequences), paths=len(self.paths)
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class PathBandPlan:
    """Hold offsets, sequences and times with the bands they give.

    By path: `bands_ms` and `fronts_ms`, when the front of the band passes the first stop line of
    the path, in [0, cycle); None where it has no band. By way: `times_ms`.
    """

    cycle_ms: int
    offsets_ms: tuple[int, ...]
    patterns: tuple[int, ...]
    times_ms: tuple[int, ...]
    bands_ms: tuple[int, ...]
    fronts_ms: tuple[int | None, ...]


def value_of_paths(problem: PathBandProblem, plan: PathBandPlan) -> float:
    """Return the sum of weight x band over the paths, in cycles."""
    pairs = zip(problem.paths, plan.bands_ms, strict=True)
    return sum(path.weight * band for path, band in pairs) / problem.cycle_ms
