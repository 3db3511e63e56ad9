# SPDX-License-Identifier: Apache-2.0
"""Among plans whose bands are worth the same, the one with the least delay and fewest stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lvbo.progression.band import two_way_band, value_of
from lvbo.progression.problem import Band, BandProblem
from lvbo.progression.slack import SECOND_MS, CorridorFlows, SlackUse, cut_delay_in_slack

TIE = 1e-3
"""Values nearer than this (cycles) are a tie: a twentieth of a second in 50 s."""
TILTS = (0.0, 1e-3, -1e-3)
"""Changes of one weight that pick the even and both uneven splits of one sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Hold the chosen answer, how its slack was used, and how many plans were tied with it."""

    band: Band
    use: SlackUse
    tied: int


def least_delay_band(problem: BandProblem, flows: CorridorFlows) -> Settled:
    """Return the widest bands, ties in cycle and in their split broken by delay and stops.

    Cycles must be whole seconds. Bands come first: no band is given up beyond a tie.
    """
    bands = list(_candidates(problem))
    best = max(value_of(problem, band.whole) for band in bands)
    tied = [band for band in bands if value_of(problem, band.whole) >= best - TIE]
    uses = [cut_delay_in_slack(problem, band.whole, flows) for band in tied]
    chosen = min(range(len(tied)), key=lambda k: uses[k].after.index_s_per_h)
    return Settled(band=tied[chosen], use=uses[chosen], tied=len(tied))


def _candidates(problem: BandProblem) -> Iterator[Band]:
    whole = tuple(c for c in problem.cycles_ms if c % SECOND_MS == 0) or problem.cycles_ms
    for cycle_ms in whole:
        for tilt in TILTS:
            yield two_way_band(
                replace(problem, cycles_ms=(cycle_ms,), weight_out=problem.weight_out * (1 + tilt))
            )
