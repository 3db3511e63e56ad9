# SPDX-License-Identifier: Apache-2.0
"""Bands of their own on every link: what is asked, and what a plan of this kind holds.

MULTIBAND (Gartner, Assmann, Lasaga, Hou 1991) gives each link and direction a band centred on one
line through the whole street; AM-BAND (Zhang, Xie, Gartner, Stamatiadis, Arsava 2015) lets the
band lie unevenly about the line. Conventions are those of `problem`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lvbo.errors import Finding, UsageError
from lvbo.progression.problem import BandKind, BandProblem

CENTRED = 0.5
Sides = tuple[int, int]  # band before and after the line, ms


class WaveModel(StrEnum):
    """Say what a green wave maximises: bands through all signals, or bands of each link."""

    TWO_WAY = "two_way"
    MULTIBAND = "multiband"
    AMBAND = "amband"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkBandProblem:
    """Ask for bands by link along the street of `street`.

    The value to maximise is the sum over links of weight x band / cycle, with a weight per link
    and direction (length n - 1, outbound order). Each side of a band about the line is at least
    `least_side` of the band: 0.5 centres it (MULTIBAND), 0 leaves it free (AM-BAND). Ratio limits
    and minimum bands of `street` hold on every link; its weights are not used.
    """

    street: BandProblem
    weight_out: tuple[float, ...]
    weight_in: tuple[float, ...]
    least_side: float = CENTRED

    def __post_init__(self) -> None:
        links = self.street.signals - 1
        for field, weights in (("weight_out", self.weight_out), ("weight_in", self.weight_in)):
            if len(weights) != links:
                raise UsageError("LV400", field=field, found=len(weights), expected=links)
        weights = self.weight_out + self.weight_in
        if min(weights) < 0 or not max(weights) > 0:
            raise UsageError("LV432", out=self.weight_out, inbound=self.weight_in)
        if self.street.posted:
            raise UsageError("LV427", sections=self.street.posted.sections)
        if not 0 <= self.least_side <= CENTRED:
            raise UsageError("LV433", least_side=self.least_side)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkBandPlan:
    """Hold one set of offsets with the lines and the bands by link that it gives.

    Per signal: `offsets_ms`, `patterns`, `line_out_ms` and `line_in_ms` (when the line of each
    direction leaves the signal, not wrapped). Per link: link times and the bands, each as the
    time before and after the line. A direction without line has neither lines nor bands.
    """

    kind: BandKind
    cycle_ms: int
    offsets_ms: tuple[int, ...]
    patterns: tuple[int, ...]
    travel_out_ms: tuple[int, ...]
    travel_in_ms: tuple[int, ...]
    line_out_ms: tuple[int, ...]
    line_in_ms: tuple[int, ...]
    sides_out_ms: tuple[Sides, ...]
    sides_in_ms: tuple[Sides, ...]

    @property
    def bands_out_ms(self) -> tuple[int, ...]:
        """Return the outbound band of each link."""
        return tuple(before + after for before, after in self.sides_out_ms)

    @property
    def bands_in_ms(self) -> tuple[int, ...]:
        """Return the inbound band of each link, in outbound order."""
        return tuple(before + after for before, after in self.sides_in_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkBands:
    """Answer a `LinkBandProblem`.

    `exact` is the best plan in milliseconds, `whole` the same with offsets in whole seconds.
    `two_way` is None where no line of both directions was found; one-way plans always compete.
    """

    exact: LinkBandPlan
    whole: LinkBandPlan
    two_way: LinkBandPlan | None
    one_way_out: LinkBandPlan
    one_way_in: LinkBandPlan
    findings: tuple[Finding, ...] = ()


def value_of_links(problem: LinkBandProblem, plan: LinkBandPlan) -> float:
    """Return the sum over links and directions of weight x band, in cycles."""
    out = zip(problem.weight_out, plan.bands_out_ms, strict=False)
    back = zip(problem.weight_in, plan.bands_in_ms, strict=False)
    return (sum(w * b for w, b in out) + sum(w * b for w, b in back)) / plan.cycle_ms
