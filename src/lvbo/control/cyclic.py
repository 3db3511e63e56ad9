# SPDX-License-Identifier: Apache-2.0
"""Adaptive control cycle by cycle, for equipment that takes plans, splits or offsets only.

It runs the plan in force. Once a cycle, at the local zero, greens move towards equal saturation and
the cycle towards the one that the saturation needs, both by bounded steps. On a street of plans the
cycle is the common one, or its half, and the offset moves to where more of the platoon meets green.
Every cycle is a legal plan of its own; where none can be made, the one before runs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lvbo.control import planned
from lvbo.control.background import plan_table
from lvbo.control.fixed import joined_ds, plan_wish
from lvbo.control.gate import make_gate
from lvbo.control.platoon import Platoon
from lvbo.control.protocols import Controller, Floats, Ints, Observation, Order, Reason, Wish
from lvbo.control.registry import Maker, Situation
from lvbo.control.retime import Steps, next_cycle, next_greens, wanted_by_stage
from lvbo.control.settings import read_settings
from lvbo.control.site import Site
from lvbo.control.stageplans import StagePlans
from lvbo.control.usage import Usage
from lvbo.errors import UsageError
from lvbo.signal.plan import Plan

NEW = 0.2
"""What the last cycle counts in the mean of the green that stages want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclicSetting:
    """How far a plan may move: a green and the cycle in one cycle, s; within which cycles.

    The cycle grows where stages cannot all stay below the saturation `full`, in percent, and
    shrinks where all stay below `slack`. `common_s` is the cycle of the street, of which a signal
    runs the whole or half; with `street` alone it is that of the plan in force, whole. On a street
    the offset moves by `offset_s` a cycle, and never farther than `offset_sum_s` from the plan's.
    """

    green_s: int = 5
    cycle_s: int = 4
    least_s: int = 40
    most_s: int = 120
    full: int = 80
    slack: int = 45
    common_s: int | None = None
    street: bool = False
    offset_s: int = 6
    offset_sum_s: int = 12


class CyclicController:
    """Run plans that follow the traffic from cycle to cycle; `moves` says what moved last.

    With `joins` it begins where the plan shows the greens that are shown, not where the clock is.
    """

    def __init__(
        self,
        site: Site,
        plans: StagePlans,
        plan: Plan,
        setting: CyclicSetting | None = None,
        *,
        joins: bool = False,
    ) -> None:
        self._site, self._plans, self._home = site, plans, plan
        self._setting = setting or CyclicSetting()
        self._steps = _steps(self._setting, plans.cycle_s)
        self._notice_s = make_gate(site).notice_s
        self._usage = Usage(site, len(plans.stages))
        self._platoon = Platoon(site, plans.main_lanes(), plans.cycle_s)
        self._sync_s = site.controller.sync_s
        self._joins = joins
        self._last_s: int | None = None
        self.moves: tuple[Reason, ...] = ()
        self._begin(0)

    @property
    def plan(self) -> Plan:
        """Return the plan that runs in this cycle."""
        return self._plan

    @property
    def offset_moved_s(self) -> int:
        """Return by how much the offset was moved from the plan's, later is positive."""
        return self._moved_s

    def decide(self, seen: Observation) -> Wish:
        """Return what the plan of this cycle wants lit now; a new one is made at its local zero."""
        clock_ds = 10 * (seen.time_s - self._sync_s)
        if self._last_s is None or seen.time_s - self._last_s > 1:
            self._begin(clock_ds, seen if self._joins else None)
        self._last_s = seen.time_s
        if clock_ds - self._zero_ds >= self._plan.cycle_ds:
            self._zero_ds += self._plan.cycle_ds
            self._turn()
        local_ds = clock_ds - self._zero_ds
        if self._is_retimed:
            self._usage.look(seen, self._plans.stage_at(self._shown_s, local_ds))
            if self._steps.common_s is not None:
                self._platoon.look(seen, (local_ds - self._plans.main_start_ds) // 10)
        wish = plan_wish(self._site, self._plan, local_ds, self._notice_s)
        return replace(wish, reason=self._reason)

    def _begin(self, clock_ds: int, seen: Observation | None = None) -> None:
        """Start from the plan in force, with nothing measured."""
        self._plan, self._is_retimed = self._home, False
        local_ds = self._home.local_ds(clock_ds)
        if seen is not None:
            local_ds = joined_ds(self._site, self._home, seen, local_ds)
        self._zero_ds = clock_ds - local_ds
        self._greens_s = self._shown_s = self._plans.greens_s
        self._cycle_s = self._plans.cycle_s
        self._rates: Floats | None = None
        self._lanes: Floats | None = None
        self._blind = False
        self._moved_s = self._extra_s = 0
        self._usage.take()
        self._reason = Reason(code="LV783", fields={"cycle_s": self._home.cycle_ds // 10})

    def _turn(self) -> None:
        """Make the plan of the next cycle from what was measured in the last one."""
        moves: list[Reason] = []
        greens, cycle = self._greens_s, self._cycle_s
        if self._is_retimed:
            self._measure()
            greens, cycle = self._retimed()
            moves = self._told(greens, cycle)
        shown = greens
        if self._steps.common_s is not None:
            moves += self._move_offset(greens, cycle)
            shown = self._in_step(greens, cycle)
        built = self._plans.plan(shown)
        if built is None:
            self._reason = Reason(code="LV785", fields={"cycle_s": self._plan.cycle_ds // 10})
            self.moves = (self._reason,)
            return
        self._plan, self._is_retimed = built, True
        self._greens_s, self._cycle_s, self._shown_s = greens, cycle, shown
        stays = Reason(code="LV783", fields={"cycle_s": cycle})
        self.moves = tuple(moves)
        self._reason = next(iter(moves), stays)

    def _measure(self) -> None:
        """Let the last cycle move the mean of the green wanted by stage."""
        used = self._usage.take()
        self._blind = not used.seen.any()
        now, given = used.wanted_s / max(used.span_s, 1), used.given_s / max(used.span_s, 1)
        if self._lanes is None:  # as full as each other on average, until more was seen
            level = now[used.seen].sum() / max(float(given[:, used.seen].sum()), 0.01)
            self._lanes = level * given.sum(axis=0)
        self._lanes = np.where(used.seen, self._lanes + NEW * (now - self._lanes), self._lanes)
        plan = self._plans.greens_s / self._plans.cycle_s
        self._rates = wanted_by_stage(given, self._lanes, used.seen, plan)

    def _retimed(self) -> tuple[Ints, int]:
        """Return greens and cycle of the next cycle; nothing seen leads back to the plan's."""
        rates, frame, steps = self._rates, self._plans.frame, self._steps
        if rates is None:
            return self._greens_s, self._cycle_s
        if self._blind and steps.common_s is None:
            far = self._plans.cycle_s - self._cycle_s
            cycle = self._cycle_s + int(np.clip(far, -steps.cycle_s, steps.cycle_s))
        else:
            cycle = next_cycle(frame, rates, self._cycle_s, steps)
        greens = next_greens(frame, rates * cycle, self._greens_s, cycle, steps.green_s)
        return greens, cycle

    def _told(self, greens: Ints, cycle: int) -> list[Reason]:
        """Return what moves from the last cycle to the next, and why."""
        if self._blind or self._rates is None:
            return [Reason(code="LV784", fields={"cycle_s": cycle})]
        use = np.round(100 * self._rates * self._cycle_s / np.maximum(self._greens_s, 1))
        full, more = int(np.argmax(use)), greens - self._greens_s
        found = []
        if cycle != self._cycle_s:
            fields = {"old_s": self._cycle_s, "cycle_s": cycle, **self._use(full, use)}
            found.append(Reason(code="LV780", fields=fields))
        gains, gives = int(np.argmax(more)), int(np.argmin(more))
        if more[gains] > 0 > more[gives]:
            fields = {"more_s": int(more[gains]), **self._use(gains, use)}
            fields |= {"other": self._plans.stages[gives] + 1, "other_used": int(use[gives])}
            found.append(Reason(code="LV781", fields=fields))
        return found

    def _use(self, at: int, use: Floats) -> dict[str, object]:
        return {"stage": self._plans.stages[at] + 1, "used": int(use[at])}

    def _move_offset(self, greens: Ints, cycle: int) -> list[Reason]:
        """Move the offset to where more of the platoon meets green."""
        self._platoon.turn(cycle, self._extra_s)
        setting = self._setting
        low = max(-setting.offset_s, -setting.offset_sum_s - self._moved_s)
        high = min(setting.offset_s, setting.offset_sum_s - self._moved_s)
        shift = self._platoon.better_s(int(greens[self._plans.main]), low, high)
        self._moved_s += shift
        return [Reason(code="LV782", fields={"shift_s": shift})] if shift else []

    def _in_step(self, greens: Ints, cycle: int) -> Ints:
        """Return the greens of a cycle that ends nearer to the offset: longer, or shorter."""
        offset_ds = self._home.offset_ds + 10 * self._moved_s
        late = ((self._zero_ds - offset_ds) // 10 + cycle // 2) % cycle - cycle // 2
        most = self._setting.offset_s
        by_s = int(np.clip(-late, -most, most))
        shown = _stretched(greens, self._plans.frame.least_s, self._plans.main, by_s)
        self._extra_s = int(shown.sum() - greens.sum())
        return shown


def _stretched(greens_s: Ints, least_s: Ints, main: int, by_s: int) -> Ints:
    """Return greens that sum to so much more, in the coordinated stage; less, where most is."""
    found = greens_s.copy()
    if by_s > 0:
        found[main] += by_s
    for _ in range(-by_s):
        spare = found - least_s
        if spare.max() <= 0:
            break
        found[int(np.argmax(spare))] -= 1
    return found


def _steps(setting: CyclicSetting, cycle_s: int) -> Steps:
    """Return the steps of a setting; the plan's own cycle is always among those allowed."""
    common = cycle_s if setting.common_s is None and setting.street else setting.common_s
    return Steps(
        green_s=setting.green_s,
        cycle_s=setting.cycle_s,
        least_s=min(setting.least_s, cycle_s),
        most_s=max(setting.most_s, cycle_s),
        full=setting.full / 100,
        slack=setting.slack / 100,
        common_s=common,
        may_halve=setting.common_s is not None,
    )


def make(situation: Situation, *, joins: bool = False) -> Controller:
    """Return a controller that adapts the plan in force; one without stages runs as it is.

    With `joins` it takes over from the lamps shown.

    Raises:
        UsageError: LV745 where the site has no plan, LV731 for a setting that is none.

    """
    site, plan = situation.site, situation.plan
    if plan is None:
        raise UsageError("LV745", place=site.id)
    setting = read_settings(CyclicSetting, situation)
    plans = StagePlans(site, plan_table(site, Order.FIXED, plan), plan)
    if len(plans.stages) < 2:  # noqa: PLR2004  nothing to share out
        return planned.make(situation, joins=joins)
    return CyclicController(site, plans, plan, setting, joins=joins)


MAKERS: Mapping[str, Maker] = {"cyclic": make}
