# SPDX-License-Identifier: Apache-2.0
"""How much of the greens of each link its band uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lvbo.progression.linkbands import LinkBandPlan
from lvbo.progression.partial import plan_between
from lvbo.progression.problem import BandPlan, BandProblem, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAttainability:
    """Band over the shorter green at its ends, per link in outbound order; 1 is all there is.

    (Wu et al. weigh links by flow; without flows all links weigh the same.)
    """

    outbound: tuple[float, ...]
    inbound: tuple[float, ...]

    def mean(
        self, flow_out: Sequence[float] = (), flow_in: Sequence[float] = ()
    ) -> tuple[float, float]:
        """Return the means of both directions, weighted by the flows of the links."""
        return _weighted(self.outbound, flow_out), _weighted(self.inbound, flow_in)


def link_attainability(
    problem: BandProblem, runs: BandPlan, links: LinkBandPlan | None = None
) -> LinkAttainability:
    """Return the attainability of every link at the offsets of a plan.

    The band of a link is that of `links`, else the widest one through its two signals alone.
    """
    between = [plan_between(problem, runs, k, k + 1) for k in range(problem.signals - 1)]
    bands_out = links.bands_out_ms if links else tuple(p.outbound_ms for p in between)
    bands_in = links.bands_in_ms if links else tuple(p.inbound_ms for p in between)
    none = (0,) * len(between)
    chosen = [problem.patterns[k][p] for k, p in enumerate(runs.patterns)]
    scale = runs.cycle_ms / problem.parts_per_cycle
    out = [scale * _longest(pattern.outbound) for pattern in chosen]
    back = [scale * _longest(pattern.inbound) for pattern in chosen]
    return LinkAttainability(
        outbound=_shares(bands_out or none, out), inbound=_shares(bands_in or none, back)
    )


def _longest(windows: Sequence[Window]) -> int:
    return max(length for _, length in windows)


def _shares(bands_ms: Sequence[int], greens_ms: Sequence[float]) -> tuple[float, ...]:
    pairs = pairwise(greens_ms)
    return tuple(max(0, band) / min(pair) for band, pair in zip(bands_ms, pairs, strict=True))


def _weighted(values: Sequence[float], flows: Sequence[float]) -> float:
    weights = flows if sum(flows) > 0 else (1.0,) * len(values)
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
