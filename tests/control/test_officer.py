# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.control.gate import Memory, admit, make_gate
from lvbo.control.officer import Duty, OfficerController
from lvbo.control.protocols import Observation, Order, Wish
from lvbo.control.site import Site, read_site
from lvbo.control.stages import StageTable, stage_table
from lvbo.signal.watch import LampChecker
from lvbo.testing import EW, EWL, NS, NSL, WALK, tiny_controller, tiny_network, tiny_rules

NS_STAGE, EW_STAGE = 0, 2


class Rest:
    """Wish the first stage for ever."""

    def __init__(self, table: StageTable) -> None:
        self.table = table

    def decide(self, seen: Observation) -> Wish:
        return Wish(greens=self.table.greens[NS_STAGE] & (seen.lamps >= 0), stage=NS_STAGE)


def tiny_site() -> Site:
    rules = replace(tiny_rules(), orders=(((NS, WALK), (NSL,), (EW,), (EWL,)),), follows=())
    bare = replace(tiny_controller(), rules=replace(rules, services=()))
    return replace(read_site(tiny_network(), bare), controller=replace(bare, rules=rules))


class Run:
    def __init__(self, order: Order) -> None:
        self.site = tiny_site()
        self.table = stage_table(self.site, order)
        self.gate = make_gate(self.site, self.table)
        self.officer = OfficerController(Rest(self.table), self.site, self.table)
        self.checker, self.memory = LampChecker(self.site.rules), Memory()
        self.lamps = np.zeros(len(self.site.phases), dtype=np.int64)
        self.since = np.full(len(self.site.phases), 100)
        self.t = 0

    def until(self, time_s: int) -> None:
        nobody = np.zeros(len(self.site.phases), dtype=bool)
        while self.t < time_s:
            seen = Observation(
                controller=self.site.id,
                time_s=self.t,
                seen_s=self.t,
                lamps=self.lamps,
                since_s=self.since,
                working=np.ones(0, dtype=bool),
                blocked=np.zeros(0, dtype=bool),
                calls=nobody,
            )
            wish = self.officer.decide(seen)
            verdict, self.memory = admit(self.gate, self.memory, seen, wish, nobody)
            assert verdict.lamps is not None
            assert not self.checker.see(10 * self.t, verdict.lamps.tolist())
            self.since = np.where(verdict.lamps == self.lamps, self.since + 1, 1)
            self.lamps = verdict.lamps
            self.t += 1

    def goes(self, phase: str) -> bool:
        k = list(self.site.phases).index(phase)  # type: ignore[arg-type]
        return bool(self.lamps[k] == self.gate.rules.shows[k])


def test_the_stage_of_an_escort_stands_when_it_comes_and_is_held() -> None:
    for order in Order:
        run = Run(order)
        run.officer.lock(EW_STAGE, 120, 160)
        run.until(60)
        assert run.goes(NS)
        run.until(121)

        assert run.goes(EW)
        assert run.officer.duty is Duty.HOLDING
        run.until(160)
        assert run.goes(EW)


def test_after_an_escort_the_controller_has_its_site_back_and_the_return_is_timed() -> None:
    run = Run(Order.FIXED)
    run.officer.lock(EW_STAGE, 120, 160)
    run.until(300)

    assert run.goes(NS)
    assert run.officer.duty is Duty.IDLE
    assert run.officer.recovery_s is not None
    assert 10 <= run.officer.recovery_s <= 60


def test_an_aborted_route_returns_at_once() -> None:
    run = Run(Order.ANY)
    run.officer.lock(EW_STAGE, 120, 1000)
    run.until(130)
    run.officer.abort()
    run.until(190)

    assert run.goes(NS)
