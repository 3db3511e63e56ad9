# SPDX-License-Identifier: Apache-2.0
"""Actuated control as an expert sets it, alone or on the background cycle of a plan.

A stage ends when its protected lanes have been empty for the gap, or at its maximum (1.3 times the
plan's green). The coordinated one keeps the plan's coordinated stage until its yield point and
forces the others off where the plan ends them, so that time not used returns to the coordinated
stage, not earlier than `EARLY_S` before its start in the plan.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lvbo.control.presence import Presence, lane_service
from lvbo.control.protocols import Ints, Observation, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun, in_order, waiting_walks
from lvbo.control.stages import StageTable, stage_table
from lvbo.errors import UsageError
from lvbo.signal.plan import Plan

GAP_S = 2.0
"""A lane is done when nobody has been in the zone for longer than this."""
STRETCH = 1.3
MOST_S = 40
HERE = 0.3


class ActuatedController:
    """Extend the green while somebody comes, up to a maximum; then serve the next call."""

    def __init__(self, site: Site, table: StageTable, most_s: Ints) -> None:
        self.run = StageRun(site, table)
        self._presence = Presence(site)
        self._serves, self._first = lane_service(site, table)
        self._most_s = most_s

    def decide(self, seen: Observation) -> Wish:
        """Return the stage that has green: the same, or the next one called."""
        run = self.run
        run.follow(seen)
        self._presence.look(seen)
        if not run.is_steady:
            return run.wish(Reason(code="LV770", fields={"stage": run.target + 1}))
        age_s = run.age_s(seen.time_s)
        if age_s < run.table.least_s[run.stage]:
            left = int(run.table.least_s[run.stage]) - age_s
            return run.wish(Reason(code="LV771", fields={"stage": run.stage + 1, "left_s": left}))
        target = self._next(seen)
        if target < 0:
            return run.wish(Reason(code="LV772", fields={"stage": run.stage + 1}))
        ends = self.ends(seen.time_s, age_s)
        if ends is None:
            return run.wish(Reason(code="LV761", fields={"stage": run.stage + 1}))
        run.ask(target, seen.time_s)
        return run.wish(ends)

    def ends(self, now_s: int, age_s: int) -> Reason | None:  # noqa: ARG002  for heirs
        """Return why the stage ends now, or None."""
        stage = self.run.stage
        lanes = self._first[stage] if self._first[stage].any() else self._serves[stage]
        if age_s >= self._most_s[stage]:
            return Reason(code="LV762", fields={"stage": stage + 1, "age_s": age_s})
        if bool((self._presence.gap_s[lanes] > GAP_S).all()):
            return Reason(code="LV763", fields={"stage": stage + 1, "age_s": age_s})
        return None

    def _next(self, seen: Observation) -> int:
        """Return the next stage in the order that is called and may follow, or -1."""
        run = self.run
        only = self._serves & ~self._serves[run.stage]
        called = only @ self._presence.count > HERE
        called |= waiting_walks(run.table, run.stage, seen)
        may = run.table.legal[run.stage] & ~run.barred(seen.time_s)
        if not called.any():
            return -1
        listed = [int(s) for s in in_order(run.table, run.stage) if may[s]]
        return next((s for s in listed if called[s]), next(iter(listed), -1))


class CoordinatedController(ActuatedController):
    """Actuated on the cycle of a plan, which its coordinated stage keeps."""

    def __init__(self, site: Site, table: StageTable, plan: Plan) -> None:
        super().__init__(site, table, most_greens(site, table, plan))
        self._plan = plan
        self._ends_ds = _ends_ds(site, table, plan)
        self._main = _coordinated(site, table, plan)

    def ends(self, now_s: int, age_s: int) -> Reason | None:
        """Return why the stage ends now: its yield point, force-off, or gap; or None."""
        stage = self.run.stage
        local_ds = self._plan.local_ds(10 * now_s)
        past_ds = (local_ds - int(self._ends_ds[stage])) % self._plan.cycle_ds
        passed = past_ds < 10 * max(age_s, 1) and past_ds < self._plan.cycle_ds // 2
        if stage == self._main:
            return Reason(code="LV764", fields={"stage": stage + 1}) if passed else None
        if passed:
            return Reason(code="LV765", fields={"stage": stage + 1})
        return super().ends(now_s, age_s)


def most_greens(site: Site, table: StageTable, plan: Plan | None) -> Ints:
    """Return the maximum green of each stage, s: 1.3 times its green in the plan."""
    if plan is None:
        return np.asarray(np.maximum(MOST_S, table.least_s))
    most = []
    for green in table.greens:
        changing = [p for k, p in enumerate(site.phases) if green[k] and not site.walks[k]]
        shares = [plan.green_ds(p) for p in changing if 0 < plan.green_ds(p) < plan.cycle_ds]
        most.append(STRETCH * min(shares) / 10 if shares else MOST_S)
    return np.asarray(np.maximum(np.ceil(np.array(most)).astype(np.int64), table.least_s))


def _ends_ds(site: Site, table: StageTable, plan: Plan) -> Ints:
    """Return the local time at which the plan ends each stage: its first phase that ends."""
    ends = []
    for s, green in enumerate(table.greens):
        after = table.greens[table.cycle[(_place(table, s) + 1) % len(table.cycle)]]
        leaving = np.flatnonzero(green & ~after & ~site.walks)
        windows = [w for k in leaving for w in plan.windows_of(site.phases[k])[:1]]
        ends.append(min((w.end_ds % plan.cycle_ds for w in windows), default=0))
    return np.array(ends, dtype=np.int64)


def _place(table: StageTable, stage: int) -> int:
    return table.cycle.index(stage) if stage in table.cycle else 0


def _coordinated(site: Site, table: StageTable, plan: Plan) -> int:
    """Return the stage of the plan's reference phase."""
    if plan.reference is None or plan.reference not in site.phases:
        return table.cycle[0]
    own = table.greens[:, site.phases.index(plan.reference)]
    return int(np.argmax(own)) if own.any() else table.cycle[0]


def make(situation: Situation) -> ActuatedController:
    """Return an actuated controller with the maxima of the plan in force."""
    table = stage_table(situation.site, situation.order)
    most = most_greens(situation.site, table, situation.plan)
    return ActuatedController(situation.site, table, most)


def make_coordinated(situation: Situation) -> CoordinatedController:
    """Return a coordinated-actuated controller on the plan in force.

    Raises:
        UsageError: LV766 where no plan is in force.

    """
    if situation.plan is None:
        raise UsageError("LV766", place=situation.site.id)
    table = stage_table(situation.site, situation.order)
    return CoordinatedController(situation.site, table, situation.plan)


MAKERS: Mapping[str, Maker] = {"actuated": make, "coordinated": make_coordinated}
