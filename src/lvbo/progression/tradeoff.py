# SPDX-License-Identifier: Apache-2.0
"""How much of a band to keep: all of it, unless less of it costs less delay and fewer stops.

A narrower band leaves each signal more room. For every share of the band, down to half of it, the
best offsets within that room are found; the widest whose cost is near the least is kept. Half of it
always stays: simulation has fewer stops in a band than the model of platoons says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression.chain import build_chain
from lvbo.progression.offsets import Setting, fix_times, plan_at
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.progression.slack import CorridorFlows, Cost, SlackUse, cut_delay_in_slack

SHARES = (1.0, 0.75, 0.5)
"""The shares of the band that are tried."""
MOST_COST = 0.01
"""What a band may cost over the least delay and stops, as a share of them."""
SECOND_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBand:
    """Hold the plan that is kept, the share of both bands together in it, and what was weighed.

    `whole` is the cost with all of the band, `least` the least that was found.
    """

    plan: BandPlan
    share: float
    whole: Cost
    least: Cost

    @property
    def extra(self) -> float:
        """Return what the whole band would cost over the least, as a share of it."""
        least = self.least.index_s_per_h
        return self.whole.index_s_per_h / least - 1 if least > 0 else 0.0


def keep_band(
    problem: BandProblem, plan: BandPlan, flows: CorridorFlows, most_cost: float = MOST_COST
) -> KeptBand:
    """Return the plan with the largest share of its bands whose cost is near the least.

    Its bands are as wide as its offsets give, in the directions that had one.

    The plan must have a cycle and offsets of whole seconds (`Band.whole`).
    """
    tried = list(_tried(problem, plan, flows))
    least = min((use.after for _, use in tried), key=lambda cost: cost.index_s_per_h)
    most = (1 + most_cost) * least.index_s_per_h
    share, use = next(pair for pair in tried if pair[1].after.index_s_per_h <= most)
    chosen = use.plan if share == SHARES[0] else _widened(problem, plan, use.plan)
    return KeptBand(
        plan=chosen,
        share=chosen.sum_ms / plan.sum_ms if plan.sum_ms else 1.0,
        whole=tried[0][1].after,
        least=least,
    )


def _tried(
    problem: BandProblem, plan: BandPlan, flows: CorridorFlows
) -> Iterator[tuple[float, SlackUse]]:
    for share in SHARES:
        narrower = plan if share == SHARES[0] else _narrowed(problem, plan, share)
        yield share, cut_delay_in_slack(problem, narrower, flows)


def _narrowed(problem: BandProblem, plan: BandPlan, share: float) -> BandPlan:
    """Return the plan with a share of its bands, in whole seconds, and the room that leaves."""
    out, back = (
        int(share * band // SECOND_MS) * SECOND_MS for band in (plan.outbound_ms, plan.inbound_ms)
    )
    return _with_bands(problem, plan, (out, back))


def _widened(problem: BandProblem, before: BandPlan, plan: BandPlan) -> BandPlan:
    """Return the plan with bands as wide as its offsets give, in directions with one before."""
    widest = _with_bands(problem, plan, None)
    out = widest.outbound_ms if before.outbound_ms else 0
    back = widest.inbound_ms if before.inbound_ms else 0
    return _with_bands(problem, plan, (out, back))


def _with_bands(problem: BandProblem, plan: BandPlan, bands_ms: tuple[int, int] | None) -> BandPlan:
    chain = fix_times(
        build_chain(problem),
        np.array(plan.travel_out_ms, np.int64),
        np.array(plan.travel_in_ms, np.int64),
    )
    setting = Setting(
        cycle_ms=plan.cycle_ms,
        offsets_ms=np.array(plan.offsets_ms, np.int64),
        patterns=plan.patterns,
        kind=plan.kind,
    )
    found = plan_at(problem, chain, setting, bands_ms)
    return replace(found, travel_out_ms=plan.travel_out_ms, travel_in_ms=plan.travel_in_ms)
