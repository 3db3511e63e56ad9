# SPDX-License-Identifier: Apache-2.0
"""Controllers that weigh stages by who stands before them: max pressure, greedy, by position.

Max pressure (Varaiya 2013) weighs a stage by the queues it serves less those it feeds; where the
exits are only known to be full or not, a full exit takes its movement's part away. Greedy counts
everybody in range, by position weighs them by 1 - d / 200 m. All keep to the stages that may
follow, and to the gate's guarantee of service.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lvbo.control.presence import Presence, lane_service
from lvbo.control.protocols import Floats, Observation, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun, in_order, waiting_walks
from lvbo.control.stages import StageTable, stage_table

WALK_WEIGHT = 0.5
"""What people who wait on foot count beside a vehicle: enough to be served where nobody drives."""


class PressureController:
    """Choose the stage with the largest weight every `clock_s` seconds, greens allowing."""

    def __init__(self, site: Site, table: StageTable, kind: str, *, clock_s: int = 1) -> None:
        self._run = StageRun(site, table)
        self._presence = Presence(site)
        self._kind = kind
        self._clock_s = clock_s
        self._serves, _ = lane_service(site, table)
        self._movements = site.uses / np.maximum(site.uses.sum(axis=1, keepdims=True), 1)

    def decide(self, seen: Observation) -> Wish:
        """Return the stage with the largest weight among those that may follow."""
        run = self._run
        run.follow(seen)
        self._presence.look(seen)
        if not run.is_steady:
            return run.wish(Reason(code="LV770", fields={"stage": run.target + 1}))
        age_s = run.age_s(seen.time_s)
        if age_s < run.table.least_s[run.stage] or seen.time_s % self._clock_s:
            left = max(int(run.table.least_s[run.stage]) - age_s, 0)
            fields = {"stage": run.stage + 1, "left_s": left}
            return run.wish(Reason(code="LV771", fields=fields))
        weight = self._serves @ self._lanes(seen)
        weight += WALK_WEIGHT * waiting_walks(run.table, run.stage, seen)
        barred = run.barred(seen.time_s) | ~run.table.legal[run.stage]
        best = run.stage
        for stage in in_order(run.table, run.stage):
            if not barred[stage] and weight[stage] > weight[best]:
                best = int(stage)
        run.ask(best, seen.time_s)
        said = round(float(weight[best]), 1)
        return run.wish(Reason(code="LV760", fields={"stage": best + 1, "weight": said}))

    def _lanes(self, seen: Observation) -> Floats:
        """Return the weight of each lane."""
        if self._kind == "position":
            return self._presence.near
        if self._kind == "greedy":
            return self._presence.count
        free = 1.0 - np.minimum(self._movements @ seen.blocked.astype(float), 1.0)
        return np.asarray(self._presence.standing * free)


def make(situation: Situation, kind: str) -> PressureController:
    """Return a controller of this kind for a site."""
    table = stage_table(situation.site, situation.order)
    clock = situation.params.get("clock_s", 1)
    return PressureController(
        situation.site, table, kind, clock_s=int(clock) if isinstance(clock, int) else 1
    )


def _maker(kind: str) -> Maker:
    return lambda situation: make(situation, kind)


MAKERS: Mapping[str, Maker] = {
    kind: _maker(kind) for kind in ("max_pressure", "greedy", "position")
}
