# SPDX-License-Identifier: Apache-2.0
"""Actuated control as an expert sets it: extend while somebody comes, then serve the next call.

A stage ends when the lanes it watches have been empty for the gap, those it serves with priority or
all that it serves, or at its maximum, 1.3 times the plan's green unless set otherwise. A lane
without a working detector calls always and is taken to be busy for as long as the plan's green. On
the cycle of a plan: `lvbo.control.coordinated`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lvbo.control.background import stage_spans
from lvbo.control.calls import Calls
from lvbo.control.presence import Presence, lane_service
from lvbo.control.protocols import Bools, Ints, Observation, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.settings import read_settings
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun, in_order, notice_s
from lvbo.control.stages import StageTable, stage_table
from lvbo.signal.plan import Plan

MOST_S = 40
"""The green that a stage is given where no plan says, s."""
HERE = 0.3
"""Less of a vehicle than this is nobody."""


class Watch(StrEnum):
    """Whose coming extends a green: lanes served with priority, or all that are served."""

    PROTECTED = "protected"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatedSetting:
    """How a controller is set: gap, detection zone, maximum green by that of the plan, who extends.

    A lane is done when nobody was within `zone_m` of its stop line for longer than `gap_s`, looked
    at once a second: 2.0 ends a green at the third look that finds nobody. Where those who yield
    need long greens for their gaps, all lanes must extend them.
    """

    gap_s: float = 2.0
    zone_m: float = 35.0
    stretch: float = 1.3
    watch: Watch = Watch.ALL


class ActuatedController:
    """Extend the green while somebody comes, up to a maximum; then serve the next call.

    `greens_s` (stages,) are the greens of the plan, from which the maxima are stretched; `waits`
    (phases,) are those that somebody waits for, as the gate sees it.
    """

    def __init__(
        self, site: Site, table: StageTable, greens_s: Ints, setting: ActuatedSetting | None = None
    ) -> None:
        chosen = setting or ActuatedSetting()
        self.lead_s = notice_s(site, table)
        self.run = StageRun(site, table)
        self._presence = Presence(site, chosen.zone_m)
        self._calls = Calls(site)
        self._changing = ~table.greens.all(axis=0)
        self.waits = np.zeros(len(site.phases), dtype=bool)
        self._serves, first = lane_service(site, table)
        some = first.any(axis=1, keepdims=True) & (chosen.watch is Watch.PROTECTED)
        self._watched = np.where(some, first, self._serves)
        self._gap_s = chosen.gap_s
        self._greens_s = greens_s
        most = np.ceil(chosen.stretch * greens_s).astype(np.int64)
        self.most_s: Ints = np.maximum(most, table.least_s)

    def decide(self, seen: Observation) -> Wish:
        """Return the stage that has green: the same, or the next one called."""
        run = self.run
        run.follow(seen)
        called = self._calls.of(self._presence.look(seen), seen.working)
        self.waits = np.where(run.site.walks, seen.calls, called) & self._changing
        if not run.is_steady:
            return run.wish(Reason(code="LV770", fields={"stage": run.target + 1}))
        left_s = int(run.table.least_s[run.stage]) - run.age_s(seen.time_s)
        if left_s > 0:
            return run.wish(Reason(code="LV771", fields={"stage": run.stage + 1, "left_s": left_s}))
        return run.wish(self.choose(seen, run.age_s(seen.time_s)))

    def choose(self, seen: Observation, age_s: int) -> Reason:
        """Keep the stage or ask for another one; return why."""
        target = self._next(seen)
        if target < 0:
            return Reason(code="LV772", fields={"stage": self.run.stage + 1})
        ends = self.ends(seen, age_s)
        if ends is None:
            return Reason(code="LV761", fields={"stage": self.run.stage + 1})
        self.run.ask(target, seen.time_s)
        return ends

    def ends(self, seen: Observation, age_s: int) -> Reason | None:
        """Return why the stage ends now, at its maximum or in a gap; None where it does not."""
        stage = self.run.stage
        if age_s >= self.most_s[stage]:
            return Reason(code="LV762", fields={"stage": stage + 1, "age_s": age_s})
        busy = np.where(
            seen.working,
            self._presence.gap_s <= self._gap_s,
            age_s < min(self._greens_s[stage], self.most_s[stage]),
        )
        if not (busy & self._watched[stage]).any():
            return Reason(code="LV763", fields={"stage": stage + 1, "age_s": age_s})
        return None

    def called(self) -> Bools:
        """Return the stages that serve somebody who waits and whom the present one does not.

        Those count too whom the present one serves yielding, once they have waited for long.
        """
        table = self.run.table
        only = self._serves & ~self._serves[self.run.stage]
        away = self.waits & ~table.greens[self.run.stage]
        return np.asarray((only @ self._presence.count > HERE) | (table.greens & away).any(axis=1))

    def _next(self, seen: Observation) -> int:
        """Return the next stage in the order that is called and may follow, or -1."""
        run = self.run
        called = self.called()
        may = run.table.legal[run.stage] & ~run.barred(seen.time_s)
        if not called.any():
            return -1
        listed = [int(s) for s in in_order(run.table, run.stage) if may[s]]
        return next((s for s in listed if called[s]), next(iter(listed), -1))


def plan_greens(site: Site, table: StageTable, plan: Plan | None) -> Ints:
    """Return the green of each stage in the plan, s (stages,)."""
    if plan is None:
        return np.full(table.count, MOST_S, dtype=np.int64)
    shown = stage_spans(site, table, plan)[:, 1]
    return np.asarray(np.where(shown > 0, -(-shown // 10), MOST_S))


def make(situation: Situation) -> ActuatedController:
    """Return an actuated controller with the maxima of the plan in force.

    Raises:
        UsageError: LV731 for a setting that is none.

    """
    table = stage_table(situation.site, situation.order)
    greens = plan_greens(situation.site, table, situation.plan)
    setting = read_settings(ActuatedSetting, situation)
    return ActuatedController(situation.site, table, greens, setting)


MAKERS: Mapping[str, Maker] = {"actuated": make}
