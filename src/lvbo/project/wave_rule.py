# SPDX-License-Identifier: Apache-2.0
"""Which of the waves that were tried is run: the rule, and what it reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lvbo.progression.choices import WaveChoices
from lvbo.project.trial import is_behind

MARGIN = 0.01
"""What is not clearly above the best by 1 % is as good."""
BEHIND = 0.05
"""Waves that all runs so far show behind the best, by 5 % on average, run no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetRun:
    """What one run says: delay of all vehicles, s/veh, and stops per km of who drove the street."""

    delay_s: float
    stops_per_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedShare:
    """One wave of those tried: its name, the share of both bands in it, its runs by seed.

    Who is clearly behind has fewer runs.
    """

    name: str
    share: float
    runs: tuple[StreetRun, ...]

    @property
    def delay_s(self) -> float:
        """Return the mean delay, s/veh."""
        return sum(run.delay_s for run in self.runs) / len(self.runs)

    @property
    def stops_per_km(self) -> float:
        """Return the mean stops per km."""
        return sum(run.stops_per_km for run in self.runs) / len(self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTrial:
    """What a trial of one period found, the widest band first; names as in `WaveChoice`."""

    day_type: str
    period: str
    seeds: tuple[int, ...]
    preferred: str
    best: str
    tried: tuple[TriedShare, ...]

    def of(self, name: str) -> TriedShare:
        """Return what was tried under a name; KeyError if nothing was."""
        return {own.name: own for own in self.tried}[name]


Found = Mapping[str, tuple[StreetRun, ...]]
"""The runs of each wave by its name."""


def best_wave(choices: WaveChoices, found: Found) -> str:
    """Return the name of the wave to run: what the model prefers, unless another is clearly better.

    A wave is as good as its worse side: its delay over that of all of the band as solved, or its
    stops over those of the offsets of least delay, whichever is larger. Who is clearly above the
    best, by `MARGIN` whichever seed is left out, is out, as is who ran fewer seeds. Of the others
    the preferred wave is taken, or the widest.
    """
    seeds = len(found[choices.preferred])
    full = [own.name for own in choices.waves if len(found[own.name]) == seeds]
    sets = [range(seeds), *([k for k in range(seeds) if k != out] for out in range(seeds))]
    worse = [{name: _worse_side(choices, found, name, part) for name in full} for part in sets]
    best = min(full, key=lambda name: worse[0][name])
    near = [n for n in full if any(part[n] <= part[best] + MARGIN for part in worse)]
    return choices.preferred if choices.preferred in near else near[0]


def _worse_side(choices: WaveChoices, found: Found, name: str, seeds: Sequence[int]) -> float:
    """Return the larger ratio of a wave: delay to the band as solved, stops to least delay."""
    own, solved, free = (
        [found[n][k] for k in seeds] for n in (name, choices.solved, choices.freest)
    )
    return max(
        _ratio((run.delay_s for run in own), (run.delay_s for run in solved)),
        _ratio((run.stops_per_km for run in own), (run.stops_per_km for run in free)),
    )


def _ratio(own: Iterable[float], other: Iterable[float]) -> float:
    above, below = sum(own), sum(other)
    if below > 0:
        return above / below
    return math.inf if above > 0 else 0.0


def behind(choices: WaveChoices, name: str, running: Found) -> bool:
    """Say whether a wave is clearly behind the best so far, seed by seed."""
    seeds = range(len(running[name]))
    sides = {n: [_worse_side(choices, running, n, [k]) for k in seeds] for n in running}
    return is_behind(sides[name], min(sides.values(), key=sum), by=BEHIND)
