# SPDX-License-Identifier: Apache-2.0
"""Officers' routes at one site, by hand: in time, given back, given up; what fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import NOBODY, Queues, Stretch, crossroads, standing

from lvbo.control.officer import Duty, OfficerController
from lvbo.control.protocols import Capability, Controller, Observation, Order, Wish
from lvbo.control.routes import Desk, End, Position, Route, RouteStop
from lvbo.control.site import Site
from lvbo.control.stagerun import StageRun
from lvbo.control.stages import StageTable, stage_table
from lvbo.ids import PhaseId
from lvbo.testing import EW, EWL, NS, NSL, WALK

START_S, FAR_M, PACE = 100, 1000.0, 10.0
ETA_S = 200
Reports = Callable[[int], float | None]
"""By second: how far the vehicle reports to be, None for no report."""


class Round:
    """Give each stage of the site 20 s in turn, or hold one for ever."""

    def __init__(self, site: Site, table: StageTable, *, hold: bool = False) -> None:
        self.run, self.table, self.hold = StageRun(site, table), table, hold

    def decide(self, seen: Observation) -> Wish:
        self.run.follow(seen)
        if self.run.is_steady and self.run.age_s(seen.time_s) >= 20:
            turn = list(self.table.cycle)
            at = turn.index(self.run.stage)
            self.run.ask(turn[0 if self.hold else (at + 1) % len(turn)], seen.time_s)
        elif self.hold and self.run.is_steady:
            self.run.ask(self.table.cycle[0], seen.time_s)
        return Wish(greens=self.table.greens[self.run.target].copy(), stage=self.run.target)


class Told:
    """Let an officer decide after the vehicles of all routes have reported."""

    def __init__(self, officer: OfficerController, desk: Desk, by: Mapping[str, Reports]) -> None:
        self.officer, self.desk, self.by = officer, desk, by
        self.duties: list[Duty] = []
        self.aborts: dict[int, str] = {}

    def decide(self, seen: Observation) -> Wish:
        for name, reports in self.by.items():
            metres = reports(seen.time_s)
            if metres is not None:
                self.desk.report(
                    name, Position(time_s=seen.time_s, head_m=metres, tail_m=metres - 5.0)
                )
        if seen.time_s in self.aborts:
            self.desk.abort(self.aborts[seen.time_s])
        wish = self.officer.decide(seen)
        self.duties.append(self.officer.duty)
        return wish


def route(site: Site, phase: PhaseId, name: str = "visit", rank: int = 1) -> Route:
    stop = RouteStop(controller=site.id, phases=(phase,), metres=FAR_M)
    return Route(
        name=name, rank=rank, start_s=START_S, pace_mps=PACE, links=(), stops=(stop,)
    )  # fmt: skip


def drives(now_s: int) -> float | None:
    """Return where a vehicle is that nothing holds up."""
    return PACE * (now_s - START_S) if now_s >= START_S else None


def escorted(
    routes: Callable[[Site], list[Route]],
    reports: Mapping[str, Reports],
    *,
    order: Order = Order.ANY,
    walks: bool = False,
    hold: bool = False,
) -> tuple[Stretch, Told, Desk]:
    site = crossroads(walks=walks)
    table = stage_table(site, order)
    desk = Desk(routes(site))
    officer = OfficerController(Round(site, table, hold=hold), site, table, desk)
    told = Told(officer, desk, reports)
    return Stretch(site, told, table), told, desk


@pytest.mark.parametrize("order", list(Order))
def test_green_stands_when_the_vehicle_comes_and_the_site_is_given_back_as_it_has_passed(
    order: Order,
) -> None:
    for phase in (NS, NSL, EW, EWL):
        street, _, desk = escorted(
            lambda site, p=phase: [route(site, p)],  # type: ignore[misc]
            {"visit": drives},
            order=order,
        )
        street.run(300, lambda _: standing(NS, NSL, EW, EWL))
        log = desk.logs["visit", 0]

        assert all(street.is_lit(phase, t) for t in range(ETA_S - 4, ETA_S + 2)), phase
        assert log.end is End.PASSED
        assert log.passed_s == ETA_S + 2
        assert log.released_s == log.passed_s
        assert log.green_s is not None
        assert log.green_s <= ETA_S - 4
        assert log.recovered_s is not None


def test_the_controller_has_its_way_until_the_stage_could_not_stand_in_time() -> None:
    with_route, _, desk = escorted(lambda s: [route(s, EW)], {"visit": drives}, order=Order.ANY)
    without, _, _ = escorted(lambda _: [], {}, order=Order.ANY)
    for street in (with_route, without):
        street.run(260, lambda _: NOBODY)
    asked_s = desk.logs["visit", 0].asked_s

    assert asked_s is not None
    assert ETA_S - 60 <= asked_s < ETA_S
    assert all(
        (a == b).all()
        for a, b in zip(with_route.rows[:asked_s], without.rows[:asked_s], strict=True)
    )


def test_the_queue_before_the_vehicle_has_gone_when_it_comes() -> None:
    queued = {EW: 500.0, NS: 100.0, NSL: 50.0, EWL: 50.0}
    lines = {}
    for name, reports in (("with", {"visit": drives}), ("without", {})):
        street, _, desk = escorted(
            lambda s: [route(s, EW)] if name == "with" else [],  # noqa: B023  called at once
            reports,
            hold=True,
        )
        queues = Queues(street.site, queued)
        street.drive(ETA_S - 2, queues)
        lines[name] = len(queues.lines[EW])

        if name == "with":
            log = desk.logs["visit", 0]
            assert log.green_s is not None
            assert log.green_s <= ETA_S - 40

    assert lines["without"] >= 25
    assert lines["with"] <= 3


def test_people_on_foot_are_never_cut_short() -> None:
    for begins in range(0, 60, 7):
        late = lambda now, d=begins: drives(now - d)  # noqa: E731
        street, _, desk = escorted(
            lambda s, d=begins: [replace(route(s, EW), start_s=START_S + d)],  # type: ignore[misc]
            {"visit": late},
            walks=True,
            order=Order.SKIP,
        )
        street.run(330, lambda _: standing(EW))
        walk = street.site.rules.limit_index[WALK].min_green_ds // 10

        assert desk.logs["visit", 0].end is End.PASSED
        assert all(b - a >= walk for a, b in street.greens(WALK) if b < 330)


class Queueing:
    """A vehicle that drives up to the stop line and waits there for its green."""

    def __init__(self, phase: PhaseId) -> None:
        self.phase, self.metres = phase, 0.0
        self.street: Stretch | None = None

    def __call__(self, now_s: int) -> float | None:
        if now_s < START_S:
            return None
        free = self.street is not None and self.street.is_lit(self.phase, now_s - 1)
        if self.metres < FAR_M - 10 or free:
            self.metres += PACE
        return self.metres


@pytest.mark.parametrize(("first", "second"), [(EW, NSL), (NSL, EW)])
def test_of_two_routes_the_one_of_higher_rank_goes_first_and_the_other_one_next(
    first: PhaseId, second: PhaseId
) -> None:
    one, two = Queueing(first), Queueing(second)
    street, _, desk = escorted(
        lambda s: [route(s, second, "a", rank=2), route(s, first, "z", rank=1)],
        {"z": one, "a": two},
    )
    one.street = two.street = street
    street.run(330, lambda _: standing(NS, NSL, EW, EWL))
    ahead, behind = desk.logs["z", 0].passed_s, desk.logs["a", 0].passed_s

    assert {log.end for log in desk.logs.values()} == {End.PASSED}
    assert ahead is not None
    assert behind is not None
    assert ahead <= ETA_S + 4
    assert behind > ahead


def test_of_two_routes_of_one_rank_the_earlier_one_goes_first() -> None:
    street, _, desk = escorted(
        lambda s: [route(s, NSL, "late"), replace(route(s, EW, "soon"), start_s=START_S - 12)],
        {"soon": lambda now: drives(now + 12), "late": drives},
    )
    street.run(ETA_S - 8, lambda _: standing(NS, NSL, EW, EWL))

    assert street.is_lit(EW, ETA_S - 13)
    assert desk.logs["soon", 0].end is End.PASSED


def test_a_vehicle_that_never_comes_holds_the_site_no_longer_than_half_a_minute() -> None:
    street, told, desk = escorted(lambda s: [route(s, EW)], {})
    street.run(400, lambda _: standing(NS, EW))
    log = desk.logs["visit", 0]

    assert street.is_lit(EW, ETA_S)
    assert log.end is End.SILENT
    assert log.passed_s is None
    assert log.released_s == ETA_S + 31
    assert told.duties[-1] is Duty.IDLE


def test_when_reports_stop_the_vehicle_is_taken_to_go_on_as_before() -> None:
    street, told, desk = escorted(
        lambda s: [route(s, EW)], {"visit": lambda now: drives(now) if now < 150 else None}
    )
    street.run(400, lambda _: standing(NS, EW))

    assert all(street.is_lit(EW, t) for t in range(ETA_S - 4, ETA_S + 20))
    assert desk.logs["visit", 0].end is End.SILENT
    assert told.duties[-1] is Duty.IDLE


def test_a_vehicle_that_stands_is_given_up_after_two_minutes_and_taken_up_when_it_moves() -> None:
    def broken_down(now_s: int) -> float | None:
        free = drives(now_s)
        if free is None or free <= 900.0:
            return free
        return 900.0 if now_s < 500 else min(900.0 + PACE * (now_s - 500), FAR_M + 100)

    street, told, desk = escorted(lambda s: [route(s, EW)], {"visit": broken_down})
    street.run(400, lambda _: standing(NS, EW))
    given_up = desk.logs["visit", 0].end
    held = told.duties.count(Duty.HOLDING)
    street.run(200, lambda _: standing(NS, EW))

    assert given_up is End.GIVEN_UP
    assert 119 <= held <= 140
    assert desk.logs["visit", 0].end is End.PASSED


def test_an_aborted_route_gives_the_site_back_at_once() -> None:
    street, told, desk = escorted(lambda s: [route(s, EW)], {"visit": drives}, hold=True)
    told.aborts = {198: "visit"}
    street.run(ETA_S + 60, lambda _: standing(NS))

    assert told.duties[197] is Duty.HOLDING
    assert told.duties[198] is not Duty.HOLDING
    assert desk.logs["visit", 0].end is End.ABORTED
    assert street.is_lit(NS, ETA_S + 30)


def test_stages_that_were_passed_over_and_are_called_go_before_the_controllers_wish() -> None:
    street, _, desk = escorted(lambda s: [route(s, EW)], {"visit": drives}, hold=True)
    street.run(ETA_S + 120, lambda _: standing(NS, EWL))
    after = min(a for a, _ in street.greens(NS) if a > ETA_S)

    assert any(ETA_S < a < after for a, _ in street.greens(EWL))
    assert not street.greens(NSL)
    assert desk.logs["visit", 0].recovered_s is not None


def test_a_site_that_takes_no_stages_is_left_to_its_controller() -> None:
    site = crossroads()
    table = stage_table(site, Order.ANY)
    desk = Desk([route(site, EW)])
    officer = OfficerController(Round(site, table), site, table, desk)
    seen = look(site, table, 0, ETA_S - 1)

    wish = officer.decide(replace(seen, capability=Capability.CYCLE))

    assert wish.stage == 0
    assert officer.duty is Duty.IDLE
    assert officer.decide(replace(seen, time_s=ETA_S)).stage != 0


def test_a_site_under_local_control_does_not_keep_the_officer() -> None:
    site = crossroads()
    table = stage_table(site, Order.ANY)
    desk = Desk([route(site, EW)])
    officer = OfficerController(Round(site, table), site, table, desk)
    told: Controller = Told(officer, desk, {"visit": drives})
    for t in range(ETA_S + 200):
        told.decide(look(site, table, 0, t))  # the panel holds the first stage
    log = desk.logs["visit", 0]

    assert log.asked_s is not None
    assert log.green_s is None
    assert log.end is End.PASSED
    assert officer.duty is Duty.IDLE


def look(site: Site, table: StageTable, stage: int, time_s: int) -> Observation:
    shows = np.array([int(phase.shows) for phase in site.rules.phases])
    return Observation(
        controller=site.id,
        time_s=time_s,
        seen_s=time_s,
        lamps=np.where(table.greens[stage], shows, 0),
        since_s=np.full(len(site.phases), min(time_s, 19), dtype=np.int64),
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=site.walks.copy(),
    )
