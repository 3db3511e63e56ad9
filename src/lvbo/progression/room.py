# SPDX-License-Identifier: Apache-2.0
"""How far the signals of a street may move on the clock without touching its bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lvbo.ids import ControllerId
from lvbo.progression.chain import build_chain
from lvbo.progression.offsets import Setting, fix_times, plan_at
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.signal.plan import Plan

Plans = Mapping[ControllerId, Plan]


class Room:
    """Know the room that the bands of one street leave; signal k belongs to `controllers[k]`.

    Link times stay where `fixed`, else each direction takes the best within its limits.
    """

    def __init__(
        self,
        problem: BandProblem,
        runs: BandPlan,
        controllers: tuple[ControllerId, ...],
        *,
        fixed: bool = False,
    ) -> None:
        self.problem = replace(
            problem, locks=()
        )  # here controllers move, all their signals with them
        self.runs, self.controllers, self.fixed = runs, controllers, fixed
        chain = build_chain(self.problem)
        if fixed:
            out, back = (np.array(t, np.int64) for t in (runs.travel_out_ms, runs.travel_in_ms))
            chain = fix_times(chain, out, back)
        self.chain = chain

    def at(self, plans: Plans, bands_ms: tuple[int, int] | None = None) -> BandPlan:
        """Return the band plan of these plans, with bands of these widths or the widest."""
        setting = Setting(
            cycle_ms=self.runs.cycle_ms,
            offsets_ms=np.array([100 * plans[c].offset_ds for c in self.controllers], np.int64),
            patterns=self.runs.patterns,
            kind=self.runs.kind,
        )
        found = plan_at(self.problem, self.chain, setting, bands_ms)
        if not self.fixed:
            return found
        runs = self.runs
        return replace(found, travel_out_ms=runs.travel_out_ms, travel_in_ms=runs.travel_in_ms)

    def kept(self, plans: Plans) -> BandPlan:
        """Return the band plan of these plans with bands as wide as they were."""
        return self.at(plans, (self.runs.outbound_ms, self.runs.inbound_ms))

    def shifts(self, controller: ControllerId, plans: Plans) -> range:
        """Return by how many whole seconds a controller may move, given all others."""
        cycle = plans[controller].cycle_ds // 10
        early, late = cycle // 2, (cycle - 1) // 2
        for owner, slack in zip(self.controllers, self.kept(plans).slack_ms, strict=True):
            if owner == controller:
                early, late = min(early, slack[0] // 1000), min(late, slack[1] // 1000)
        return range(-early, late + 1)
