# SPDX-License-Identifier: Apache-2.0
"""Plans by the time of day as a controller, and how one plan passes into step with the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvbo.control.gate import Gate
from lvbo.control.protocols import Observation, Wish
from lvbo.control.site import Site
from lvbo.signal.lamp import Lamp
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.signal.transition import LONGER, SHORTER, Transition


def plan_wish(site: Site, plan: Plan, local_ds: int, notice_s: NDArray[np.int64]) -> Wish:
    """Return what a plan wants lit at a local time, ends left out as early as notice needs.

    `notice_s` (phases,) is that of the gate. Yellows and red-ambers are those of the plan.
    """
    phases = site.rules.phases
    greens = np.zeros(len(phases), dtype=bool)
    preparing = np.zeros(len(phases), dtype=bool)
    yellow = np.full(len(phases), -1, dtype=np.int64)
    for k, phase in enumerate(phases):
        lamp = plan.lamp(phase, local_ds)
        preparing[k] = lamp is Lamp.RED_AMBER
        windows = plan.windows_of(phase.id)
        for window in windows:
            since = (local_ds - window.start_ds) % plan.cycle_ds
            permanent = window.length_ds >= plan.cycle_ds
            left = window.length_ds - since
            if permanent or (left > 0 and (left > 10 * notice_s[k] or since < 10)):  # noqa: PLR2004
                greens[k] = True
        if windows and not greens[k]:
            last = min(windows, key=lambda w: (local_ds - w.end_ds) % plan.cycle_ds)
            ending = [w for w in windows if (local_ds - w.start_ds) % plan.cycle_ds < w.length_ds]
            yellow[k] = (ending or [last])[0].yellow_ds // 10
    return Wish(greens=greens, yellow_s=yellow, preparing=preparing)


def joined_ds(site: Site, plan: Plan, seen: Observation, local_ds: int) -> int:
    """Return the local time at which the plan shows the greens that are shown now.

    Of several it is the one from which the plan is soonest at `local_ds`, the time by the clock;
    where there is none it is that time.
    """
    wheels = [
        (k, phase)
        for k, phase in enumerate(site.rules.phases)
        if phase.is_going and not site.walks[k] and 0 < plan.green_ds(phase.id) < plan.cycle_ds
    ]
    goes = [seen.lamps[k] == phase.shows for k, phase in wheels]

    def late(at_ds: int) -> float:
        behind = (local_ds - at_ds) % plan.cycle_ds
        return min(behind / SHORTER, (plan.cycle_ds - behind) / LONGER)

    found = [
        at_ds % plan.cycle_ds
        for at_ds in range(local_ds, local_ds + plan.cycle_ds, 10)
        if [plan.lamp(phase, at_ds % plan.cycle_ds) is phase.shows for _, phase in wheels] == goes
    ]
    return min(found, key=late, default=local_ds) if any(goes) else local_ds


class PlanController:
    """Follow the plans of a site by the area clock, through the gate like any controller.

    With `joins` it begins where its plan shows the greens that are shown, and gets into step from
    there; without, at the time of the clock. A new plan begins at the local zero of the old one and
    then gets into step as the plan set says for this switch: no cycle is made longer or shorter
    than by the shares of that rule, and no green is hurried below its minimum. A clock that stands
    or skips does so only while no lamp is about to change.
    """

    def __init__(
        self,
        site: Site,
        gate: Gate,
        plans: PlanSet,
        *,
        day_type: str = "workday",
        joins: bool = False,
    ) -> None:
        self._site, self._gate, self._plans = site, gate, plans
        self._day_type, self._joins = day_type, joins
        self._rule = plans.transition(site.id, None)
        self._plan: Plan | None = None
        self._local = 0  # tenths on the cycle of the plan
        self._spent = 0  # tenths by which this cycle was made longer or shorter
        self._last_s: int | None = None

    @property
    def in_step(self) -> bool:
        """Say whether the plan runs at its offset."""
        return (
            self._plan is not None and self._last_s is not None and not self._behind(self._last_s)
        )

    def decide(self, seen: Observation) -> Wish:
        """Return what the plan wants lit now; a site without a plan is released."""
        due = self._due(seen.time_s)
        if due is None:
            return Wish(greens=seen.lamps == self._gate.rules.shows, release=True)
        if self._plan is None or self._last_s is None or seen.time_s - self._last_s > 1:
            self._plan, self._spent = due, 0
            self._rule = self._plans.transition(self._site.id, None)
            self._local = due.local_ds(10 * self._clock(seen.time_s))
            if self._joins:
                self._local = joined_ds(self._site, due, seen, self._local)
        else:
            self._move_on(due, seen)
        self._last_s = seen.time_s
        return plan_wish(self._site, self._plan, self._local, self._gate.notice_s)

    def _due(self, time_s: int) -> Plan | None:
        return self._plans.running(self._day_type, time_s % DAY_S).get(self._site.id)

    def _clock(self, time_s: int) -> int:
        return time_s - self._site.controller.sync_s

    def _behind(self, time_s: int) -> int:
        """Return how many tenths the local clock must still gain, [0, cycle)."""
        plan = self._plan
        if plan is None:
            return 0
        return (plan.local_ds(10 * self._clock(time_s)) - self._local) % plan.cycle_ds

    def _move_on(self, due: Plan, seen: Observation) -> None:
        """Let a second pass on the local clock, or none, or two."""
        plan = self._plan
        if plan is None:
            return
        step = 10 + self._correction(plan, seen)
        passed = self._local + step
        self._local = passed % plan.cycle_ds
        if passed >= plan.cycle_ds:
            self._spent = 0
            if due is not plan:
                self._plan, self._local = due, passed - plan.cycle_ds
                switch = self._plans.day_plan(self._day_type).switch_into(seen.time_s % DAY_S)
                self._rule = self._plans.transition(self._site.id, switch)

    def _correction(self, plan: Plan, seen: Observation) -> int:
        """Return by how many tenths this second runs slower (negative) or faster."""
        behind = (self._behind(seen.time_s) - 10) % plan.cycle_ds
        if behind == 0 or not self._is_steady(plan):
            return 0
        ahead = plan.cycle_ds - behind
        slow = min(10, ahead, int(self._rule.longer * plan.cycle_ds) - self._spent)
        fast = min(10, behind, int(self._rule.shorter * plan.cycle_ds) - self._spent)
        if self._hurries(behind, ahead):
            done = fast if fast > 0 and self._may_hurry(plan, seen, fast) else 0
        else:
            done = -slow if slow > 0 and self._may_stand(plan) else 0
        self._spent += abs(done)
        return done

    def _hurries(self, behind: int, ahead: int) -> bool:
        if self._rule.way is Transition.SHORTEST:
            return behind / self._rule.shorter <= ahead / self._rule.longer
        return self._rule.way is Transition.SUBTRACT

    def _may_stand(self, plan: Plan) -> bool:
        """Say whether the clock may stand here: anywhere, or with dwell in the reference green."""
        if self._rule.way is not Transition.DWELL or plan.reference is None:
            return True
        phase = self._site.rules.phase_index[plan.reference]
        return plan.lamp(phase, self._local) is phase.shows

    def _is_steady(self, plan: Plan) -> bool:
        """Say whether no lamp changes over the next three seconds, and none shows yellow."""
        for k, phase in enumerate(self._site.rules.phases):
            notice = 10 * int(self._gate.notice_s[k])
            now = plan.lamp(phase, self._local)
            if now in (Lamp.YELLOW, Lamp.RED_AMBER):
                return False
            ahead = (*range(10, 40, 10), *range(40, notice + 40, 10))
            if any(plan.lamp(phase, (self._local + x) % plan.cycle_ds) is not now for x in ahead):
                return False
        return True

    def _may_hurry(self, plan: Plan, seen: Observation, fast_ds: int) -> bool:
        """Say whether every green that goes still reaches its minimum when the clock skips."""
        for k, phase in enumerate(self._site.rules.phases):
            least = self._site.rules.limit_index[phase.id].min_green_ds
            for window in plan.windows_of(phase.id):
                since = (self._local - window.start_ds) % plan.cycle_ds
                left = window.length_ds - since
                goes = left > 0 and phase.is_going and window.length_ds < plan.cycle_ds
                if goes and 10 * int(seen.since_s[k]) + left - fast_ds < least:
                    return False
        return True
