# SPDX-License-Identifier: Apache-2.0
"""Coordinated-actuated control: actuated on the background cycle of a plan.

The coordinated stage keeps the green that the plan gives it, up to its yield point. From there on
others that call are served: each only within its permissive window, which closes when its minimum
no longer fits before its force-off. A stage ends in a gap, at its maximum, or by force: fixed,
where the plan ends it, so that a stage that began early has more; or floating, after its own split.
What nobody uses returns to the coordinated stage, which starts at most `early_s` before its start
in the plan: time that would be earlier is held in the last stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lvbo.control.actuated import ActuatedController, ActuatedSetting, plan_greens
from lvbo.control.background import NEVER_DS, background, change_s, plan_table
from lvbo.control.protocols import Observation, Order, Reason
from lvbo.control.registry import Maker, Situation
from lvbo.control.settings import read_settings
from lvbo.control.site import Site
from lvbo.control.stagerun import in_order
from lvbo.control.stages import StageTable
from lvbo.errors import UsageError
from lvbo.signal.plan import Plan

TICK_DS = 10
"""Decisions are a second apart: what would be late at the next one is due now."""


class ForceOff(StrEnum):
    """When a stage must end: at its place in the cycle, or after its own split as well."""

    FIXED = "fixed"
    FLOATING = "floating"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatedSetting(ActuatedSetting):
    """How a coordinated controller is set, beside what every actuated one has.

    `early_s` is how long before its time in the plan the coordinated stage may start: 0 where the
    next signal of the street is near, as platoons released early only stop there.
    """

    force: ForceOff = ForceOff.FIXED
    early_s: int = 6


class CoordinatedController(ActuatedController):
    """Actuated on the cycle of a plan, whose coordinated stage always has its green."""

    def __init__(
        self, site: Site, table: StageTable, plan: Plan, setting: CoordinatedSetting | None = None
    ) -> None:
        chosen = setting or CoordinatedSetting()
        super().__init__(site, table, plan_greens(site, table, plan), chosen)
        self.back = background(site, table, plan)
        self._plan = plan
        self._sync_s = site.controller.sync_s
        self._floats = chosen.force is ForceOff.FLOATING
        self._early_ds = 10 * chosen.early_s
        self._change_ds = 10 * change_s(table)

    def choose(self, seen: Observation, age_s: int) -> Reason:
        """Keep the stage or ask for another one; return why."""
        end_ds = self._end_ds(seen.time_s)
        others = self._others()
        if self.run.stage == self.back.main:
            return self._yield(seen, others, end_ds)
        ends = self._ends(seen, age_s, end_ds)
        if ends is None:
            return Reason(code="LV761", fields={"stage": self.run.stage + 1})
        for stage in others:
            hop = self._open(stage, seen.time_s, end_ds)
            if hop is not None:
                self.run.ask(hop, seen.time_s)
                return ends
        return self._go_home(seen, ends, end_ds)

    def _end_ds(self, now_s: int) -> int:
        """Return when the stage ends if it is left now, counted from the yield point."""
        clock_ds = 10 * (now_s + int(self.lead_s[self.run.stage]) - self._sync_s)
        return self.back.since_ds(self._plan.local_ds(clock_ds))

    def _others(self) -> list[int]:
        """Return the stages that are called and come before the coordinated one, in order."""
        called = self.called()
        ahead = self._between(self.run.stage, self.back.main)
        return [s for s in ahead if called[s] and self.back.off_ds[s] != NEVER_DS]

    def _between(self, first: int, last: int) -> list[int]:
        """Return the stages of the order that come after one and before another."""
        table = self.run.table
        ahead = [int(s) for s in in_order(table, first) if s in table.cycle]
        return ahead[: ahead.index(last)] if last in ahead else ahead

    def _yield(self, seen: Observation, others: Sequence[int], end_ds: int) -> Reason:
        """Leave the coordinated stage for the first that is called and still in time."""
        fields = {"stage": self.run.stage + 1}
        for stage in others:
            hop = self._open(stage, seen.time_s, end_ds)
            if hop is not None:
                self.run.ask(hop, seen.time_s)
                return Reason(code="LV764", fields=fields)
        if not others:
            return Reason(code="LV772", fields=fields)
        left_s = -(-(self.back.cycle_ds - end_ds) // 10)
        return Reason(code="LV767", fields=fields | {"left_s": left_s})

    def _open(self, stage: int, now_s: int, end_ds: int) -> int | None:
        """Return what to ask for on the way to a stage; None where its window has closed."""
        path = self._path(self.run.stage, stage)
        if not path or self.run.barred(now_s)[path[0]]:
            return None
        served = end_ds + self._time_ds(self.run.stage, path)
        return path[0] if served <= self.back.off_ds[stage] else None

    def _go_home(self, seen: Observation, ends: Reason, end_ds: int) -> Reason:
        """Return to the coordinated stage, not earlier than is allowed."""
        run, back = self.run, self.back
        path = self._path(run.stage, back.main)
        if not path:
            return Reason(code="LV761", fields={"stage": run.stage + 1})
        green_ds = 10 * int(run.table.least_s[back.main])
        starts = end_ds + self._time_ds(run.stage, path) - green_ds
        early = back.start_ds[back.main] - starts
        if len(path) == 1 and early > self._early_ds:
            fields = {"stage": run.stage + 1, "early_s": -(-int(early) // 10)}
            return Reason(code="LV768", fields=fields)
        run.ask(path[0], seen.time_s)
        return ends

    def _path(self, first: int, last: int) -> list[int]:
        """Return the stages from one to another, those included that may not be passed over."""
        legal, at, path = self.run.table.legal, first, list[int]()
        while at != last:
            free = bool(legal[at, last])
            ahead = [k for k in self._between(at, last) if not free or self._waits_in(k, at, last)]
            steps = [k for k in (*ahead, last) if legal[at, k]]
            if not steps or steps[0] in path:
                return []
            at = steps[0]
            path.append(at)
        return path

    def _time_ds(self, first: int, path: Sequence[int]) -> int:
        """Return the time from the end of a stage to the least end of the last one of a path."""
        steps = zip([first, *path], path, strict=False)
        least = sum(int(self.run.table.least_s[k]) for k in path)
        return 10 * least + sum(int(self._change_ds[a, b]) for a, b in steps)

    def _ends(self, seen: Observation, age_s: int, end_ds: int) -> Reason | None:
        """Return why a stage that is not coordinated ends now: by force, or as any other."""
        stage, back = self.run.stage, self.back
        if end_ds + TICK_DS > back.off_ds[stage]:
            return Reason(code="LV765", fields={"stage": stage + 1})
        had_s = age_s + int(self.lead_s[stage])
        if self._floats and 10 * had_s + TICK_DS > back.green_ds[stage]:
            return Reason(code="LV769", fields={"stage": stage + 1, "split_s": had_s})
        return self.ends(seen, age_s)

    def _waits_in(self, stage: int, first: int, last: int) -> bool:
        """Say whether the gate lets nobody pass over a stage on the way between two others."""
        table = self.run.table
        waits = table.greens[stage] & self.waits & ~table.greens[first] & ~table.greens[last]
        return table.order is Order.SKIP and bool(waits.any())


def make(situation: Situation) -> CoordinatedController:
    """Return a coordinated-actuated controller on the plan in force.

    Raises:
        UsageError: LV766 where no plan is in force, LV731 for a setting that is none.

    """
    if situation.plan is None:
        raise UsageError("LV766", place=situation.site.id)
    table = plan_table(situation.site, situation.order, situation.plan)
    setting = read_settings(CoordinatedSetting, situation)
    return CoordinatedController(situation.site, table, situation.plan, setting)


MAKERS: Mapping[str, Maker] = {"coordinated": make}
