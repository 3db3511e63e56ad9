# SPDX-License-Identifier: Apache-2.0
"""The gate of a site that is asked now for stages, now for phases: one memory, one promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lvbo.control.fixed import joined_ds, plan_wish
from lvbo.control.guard import Guarded, guard_of_either
from lvbo.control.protocols import Observation, Order, Vehicles, Wish
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun
from lvbo.control.stages import stage_table
from lvbo.signal.watch import LampChecker
from lvbo.testing import four_stages, stage_plan


class Standing:
    """A site with somebody at every stop line, seen second by second behind its gate."""

    def __init__(self, site: Site, guard: Guarded) -> None:
        self.site, self.guard, self.now_s = site, guard, 1000
        self.shows = np.array([int(phase.shows) for phase in site.rules.phases])
        self.lamps = np.zeros(len(site.phases), dtype=np.int64)
        self.since = np.full(len(site.phases), 100)
        self.first_green = np.full(len(site.phases), -1)
        self._checker = LampChecker(site.rules)

    def seen(self) -> Observation:
        lanes = len(self.site.lanes)
        return Observation(
            controller=self.site.id,
            time_s=self.now_s,
            seen_s=self.now_s,
            lamps=self.lamps,
            since_s=self.since,
            vehicles=Vehicles(
                key=np.arange(lanes),
                zone=np.arange(lanes),
                distance_m=np.full(lanes, 2.0),
                speed_mps=np.zeros(lanes),
                wait_s=np.full(lanes, 60.0),
                persons=np.ones(lanes),
            ),
            working=np.ones(lanes, dtype=bool),
            blocked=np.zeros(len(self.site.movements), dtype=bool),
            calls=np.zeros(len(self.site.phases), dtype=bool),
        )

    def step(self, wish: Wish) -> None:
        lamps = self.guard(self.seen(), wish).lamps
        assert lamps is not None
        assert not self._checker.see(10 * self.now_s, lamps.tolist())
        self.since = np.where(lamps == self.lamps, self.since + 1, 1)
        self.lamps = lamps
        new = (lamps == self.shows) & (self.first_green < 0)
        self.first_green[new] = self.now_s - 1000
        self.now_s += 1


def served(guard: Guarded, site: Site, wishes: Callable[[int], Wish]) -> NDArray[np.int64]:
    """Return when each phase of vehicles first had green under these wishes."""
    street = Standing(site, guard)
    for second in range(400):
        street.step(wishes(second))
    return street.first_green[~site.walks]


def test_who_waited_while_plans_ran_is_served_in_time_once_stages_are_asked_for() -> None:
    site = four_stages()
    table = stage_table(site, Order.SKIP)
    by_phase = Wish(greens=table.greens[0] & ~site.walks)
    by_stage = Wish(greens=table.greens[0], stage=0)
    guard = guard_of_either(site, table)
    first = served(guard, site, lambda second: by_phase if second < 60 else by_stage)

    assert (first >= 0).all()
    assert (first <= guard.gate.red_s[~site.walks]).all()


def test_who_waited_while_stages_were_asked_for_waits_no_longer_once_plans_run() -> None:
    site = four_stages()
    table = stage_table(site, Order.SKIP)
    by_phase = Wish(greens=table.greens[0] & ~site.walks)
    by_stage = Wish(greens=table.greens[0], stage=0)
    guards = guard_of_either(site, table), guard_of_either(site, table)
    changed = served(guards[0], site, lambda second: by_stage if second < 60 else by_phase)
    alone = served(guards[1], site, lambda _: by_phase)

    assert (changed >= 0).all()
    assert (changed <= alone).all()


def test_a_site_passes_from_plan_to_stages_and_back_without_a_jump() -> None:
    site = four_stages()
    table, plan = stage_table(site, Order.SKIP), stage_plan(site)
    street = Standing(site, guard_of_either(site, table))
    notice = street.guard.gate.notice_s
    for second in range(20):
        street.step(plan_wish(site, plan, 10 * second, notice))
    wheels = ~site.walks
    before = street.lamps[wheels]
    stage = table.stage_of(street.lamps == street.shows, site.walks)
    for _ in range(5):
        street.step(Wish(greens=table.greens[stage], stage=stage))

    assert stage >= 0
    assert (street.lamps[wheels] == before).all()
    local_ds = joined_ds(site, plan, street.seen(), 700)
    wish = plan_wish(site, plan, local_ds, notice)
    assert local_ds != 700
    assert (wish.greens[wheels] == (street.lamps == street.shows)[wheels]).all()


def test_a_run_of_stages_learns_how_late_commands_are_and_unlearns_it() -> None:
    site = four_stages()
    table = stage_table(site, Order.SKIP)
    street = Standing(site, guard_of_either(site, table))
    run = StageRun(site, table)
    queue = [Wish(greens=table.greens[0], stage=0)] * 3
    learned = []
    for late_s in (3, 3, 0, 0):
        for _ in range(60):
            run.follow(street.seen())
            age_s = run.age_s(street.now_s)
            ahead = (run.stage + 1) % table.count
            free = run.is_steady and not run.barred(street.now_s)[ahead]
            if free and age_s >= table.least_s[run.stage]:
                run.ask(ahead, street.now_s)
            queue.append(Wish(greens=table.greens[run.target], stage=run.target))
            queue = queue[-1 - late_s :]
            street.step(queue[0])
        learned.append(run.late_s)

    assert learned[1] == 3
    assert learned[3] == 0
