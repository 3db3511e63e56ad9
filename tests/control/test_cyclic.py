# SPDX-License-Identifier: Apache-2.0
"""Control by the cycle: greens, cycle and offset follow the traffic by bounded, legal steps.

The plan gives NS 30 s, NSL 15, EW 25 and EWL 10 of 100 s; changes take 5 s each, 20 in all. Minima
are 10 s, 5 s for lefts. One lane each discharges a vehicle every 2 s.
"""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from tests.control.crossroads import (
    NOBODY,
    Queues,
    Stretch,
    crossroads,
    crossroads_plan,
)
from tests.simulation.tiny import build_tiny

from lvbo.control.cyclic import CyclicController, CyclicSetting, make
from lvbo.control.platoon import Platoon
from lvbo.control.protocols import Ints, Order, Reason
from lvbo.control.registry import ControllerSpec, Situation
from lvbo.control.retime import Frame, Steps, needed_cycle, next_cycle, next_greens, wanted_by_stage
from lvbo.control.site import Site
from lvbo.control.stageplans import StagePlans
from lvbo.control.stages import stage_table
from lvbo.errors import UsageError
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.check import is_safe
from lvbo.signal.plan import Plan
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import simulate_controlled
from lvbo.testing import EW, EWL, NS, NSL, WALK, plan_of
from lvbo.text import Language, say

FRAME = Frame(least_s=np.array([10, 5, 10, 5]), lost_s=20)
GREENS = np.array([30, 15, 25, 10])
LIGHT = {NS: 200.0, NSL: 60.0, EW: 150.0, EWL: 60.0}


class Watched(CyclicController):
    """Keep of every cycle its plan, its length and greens, s, and what moved."""

    def __init__(self, site: Site, plans: StagePlans, plan: Plan, setting: CyclicSetting) -> None:
        self.history: list[tuple[Plan, int, Ints, tuple[Reason, ...]]] = []
        super().__init__(site, plans, plan, setting)

    def _turn(self) -> None:
        super()._turn()
        self.history.append((self.plan, self._cycle_s, self._greens_s.copy(), self.moves))


def street(
    *, working: np.ndarray | None = None, offset_s: int = 0, **setting: object
) -> tuple[Stretch, Watched]:
    site = crossroads()
    plan = crossroads_plan(site, offset_s)
    plans = StagePlans(site, stage_table(site, Order.FIXED), plan)
    controller = Watched(site, plans, plan, CyclicSetting(**setting))  # type: ignore[arg-type]
    return Stretch(site, controller, None, working=working), controller


# arithmetic -----------------------------------------------------------------------------------


def test_greens_move_to_equal_saturation_and_not_farther_than_a_step() -> None:
    wanted = np.array([10.0, 5.0, 40.0, 5.0])

    moved = next_greens(FRAME, wanted, GREENS, 100, 5)
    assert moved.sum() == 80
    assert moved[2] == 30
    assert abs(moved - GREENS).max() == 5
    assert next_greens(FRAME, wanted, GREENS, 100, 90).tolist() == [13, 7, 53, 7]


def test_greens_never_fall_below_their_minima() -> None:
    moved = next_greens(FRAME, np.array([90.0, 0.0, 0.0, 0.0]), GREENS, 100, 90)

    assert moved.tolist() == [60, 5, 10, 5]


def test_the_needed_cycle_holds_every_stage_below_a_saturation() -> None:
    """Rates 0.2, 0.1, 0.2, 0.1 at 0.8 take 0.75 C, so that C = 20 / 0.25 = 80 s."""
    rates = np.array([0.2, 0.1, 0.2, 0.1])

    assert needed_cycle(FRAME, rates, (50, 120), 0.8) == 80
    assert needed_cycle(FRAME, 0 * rates, (40, 120), 0.8) == 50


def test_the_cycle_grows_when_full_shrinks_when_slack_and_stays_between() -> None:
    steps = Steps(full=0.8, slack=0.4)
    even = np.array([1.0, 1.0, 1.0, 1.0])

    assert next_cycle(FRAME, 0.19 * even, 100, steps) == 104
    assert next_cycle(FRAME, 0.03 * even, 100, steps) == 96
    assert next_cycle(FRAME, 0.12 * even, 100, steps) == 100
    assert next_cycle(FRAME, 0.9 * even, 119, steps) == 120


def test_on_a_street_the_cycle_is_the_common_one_or_its_half() -> None:
    steps = Steps(common_s=100)
    even = np.array([1.0, 0.5, 1.0, 0.5])

    assert next_cycle(FRAME, 0.20 * even, 100, steps) == 100
    assert next_cycle(FRAME, 0.01 * even, 100, steps) == 50
    assert next_cycle(FRAME, 0.20 * even, 50, steps) == 100
    assert next_cycle(FRAME, 0.01 * even, 100, Steps(common_s=98)) == 98  # minima need 50 s
    assert next_cycle(FRAME, 0.01 * even, 100, Steps(common_s=100, may_halve=False)) == 100


def test_a_lane_that_nothing_is_seen_of_keeps_the_share_of_the_plan() -> None:
    """Seen stages want 0.06 of 0.30 and 0.03 of 0.15, a fifth; so the others want a fifth too."""
    given = np.diag([0.30, 0.15, 0.25, 0.10])
    plan = GREENS / 100
    seen = np.array([True, True, False, False])
    wanted = wanted_by_stage(given, np.array([0.06, 0.03, 0.0, 0.0]), seen, plan)

    assert wanted.tolist() == pytest.approx([0.06, 0.03, 0.05, 0.02])
    assert wanted_by_stage(given, np.zeros(4), np.zeros(4, dtype=bool), plan) is plan


def test_a_later_platoon_asks_for_a_later_green() -> None:
    """A green of 30 s serves who comes 2 to 29 s after its start; they come 20 to 39 s after."""
    platoon = Platoon(crossroads(), np.array([True, False, False, False]), 100)
    platoon.arrivals[20:40] = 1.0

    assert platoon.better_s(30, -6, 6) == 6
    assert platoon.better_s(30, -6, 3) == 3
    platoon.turn(100, 10)  # the next green began 10 s later
    assert np.flatnonzero(platoon.arrivals).tolist() == list(range(10, 30))
    assert platoon.better_s(30, -6, 6) == 0


# plans ----------------------------------------------------------------------------------------


def test_a_stretched_plan_keeps_all_that_lies_between_its_stages() -> None:
    site = crossroads()
    plans = StagePlans(site, stage_table(site, Order.FIXED), crossroads_plan(site))
    made = plans.plan(np.array([26, 15, 35, 10]))

    assert made is not None
    assert made.cycle_ds == 1060
    assert {g.phase: (g.windows[0].start_ds, g.windows[0].length_ds) for g in made.greens} == {
        NS: (0, 260),
        NSL: (310, 150),
        EW: (510, 350),
        EWL: (910, 100),
    }
    assert plans.plan(np.array([30, 15, 25, 4])) is None  # below the minimum of EWL


@pytest.mark.parametrize(("green_s", "walk_s"), [(22, 15), (21, 14), (17, 10)])
def test_a_walk_stays_where_it_is_or_ends_as_early_as_it_must(green_s: int, walk_s: int) -> None:
    """It takes 12 s to clear until 5 s after the green; 10 s are its minimum."""
    plans = walking()

    short = plans.plan(np.array([green_s, 15, 60 - green_s, 5]))
    assert short is not None
    assert short.windows_of(WALK)[0].length_ds == 10 * walk_s


def test_no_walk_falls_below_its_minimum() -> None:
    assert walking().plan(np.array([16, 15, 44, 5])) is None


def walking() -> StagePlans:
    """Return plans of 100 s whose first stage, of 40 s, begins with 15 s of walk."""
    site = crossroads(walks=True)
    spans = {NS: (0, 40), NSL: (45, 15), EW: (65, 20), EWL: (90, 5), WALK: (0, 15)}
    plan = plan_of(site.rules, spans, cycle_s=100, reference=NS)
    return StagePlans(site, stage_table(site, Order.FIXED), plan)


# control --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_loops", [False, True])
def test_a_starved_stage_gains_green_within_a_few_cycles_by_bounded_steps(
    *, by_loops: bool
) -> None:
    made, controller = street(cycle_s=0)
    made.drive(900, Queues(made.site, LIGHT | {EW: 700.0}), by_loops=by_loops)
    greens = [row[2] for row in controller.history]

    assert greens[-1][2] >= 40
    assert greens[4][2] >= 33
    assert max(abs(b - a).max() for a, b in pairwise(greens)) <= 5
    assert {row[1] for row in controller.history} == {100}
    assert "LV781" in {r.code for row in controller.history for r in row[3]}


def test_no_plan_is_unsafe_or_below_a_minimum() -> None:
    luck = np.random.default_rng(3)
    made, controller = street()
    for _ in range(12):
        made.drive(150, Queues(made.site, {p: luck.uniform(0, 900) for p in LIGHT}))

    assert len(controller.history) > 12
    for plan, cycle_s, greens, _ in controller.history:
        assert is_safe(plan, made.site.rules)
        assert plan.cycle_ds == 10 * cycle_s == 10 * (greens.sum() + 20)
        assert (greens >= FRAME.least_s).all()


def test_the_cycle_grows_when_all_stages_are_full_and_shrinks_when_none_is() -> None:
    made, controller = street()
    made.drive(1200, Queues(made.site, {NS: 540.0, NSL: 300.0, EW: 480.0, EWL: 240.0}))
    grown = [row[1] for row in controller.history]
    made.drive(2500, Queues(made.site, dict.fromkeys(LIGHT, 20.0)))
    all_ = [row[1] for row in controller.history]

    assert grown[-1] == 120
    assert all_[-1] == 50
    assert max(abs(b - a) for a, b in pairwise(all_)) <= 4
    assert "LV780" in {r.code for row in controller.history for r in row[3]}


def test_the_same_traffic_gives_the_same_lamps() -> None:
    rows = []
    for _ in range(2):
        made, _ = street()
        made.drive(600, Queues(made.site, LIGHT))
        rows.append(np.array(made.rows))

    assert (rows[0] == rows[1]).all()


def test_with_nothing_seen_the_plan_runs() -> None:
    made, controller = street(working=np.zeros(4, dtype=bool), offset_s=20)
    made.run(700, lambda _: NOBODY)
    plan = crossroads_plan(made.site, 20)
    wanted = [
        [plan.lamp(p, plan.local_ds(10 * t)) for p in made.site.rules.phases] for t in range(700)
    ]

    assert (np.array(made.rows)[130:] == np.array(wanted)[130:]).all()
    assert controller.moves[0].code == "LV784"


def test_a_blind_lane_keeps_its_share_while_others_move() -> None:
    made, controller = street(working=np.array([True, True, False, True]), cycle_s=0)
    made.drive(1200, Queues(made.site, {NS: 300.0, NSL: 150.0, EWL: 100.0}))

    assert abs(controller.history[-1][2][2] - 25) <= 3


def test_when_detectors_die_the_plan_comes_back_step_by_step() -> None:
    made, controller = street()
    made.drive(800, Queues(made.site, dict.fromkeys(LIGHT, 20.0)))
    short = controller.history[-1][1]
    made._working = np.zeros(4, dtype=bool)
    made.run(1500, lambda _: NOBODY)

    assert short <= 76
    assert controller.history[-1][1] == 100
    assert controller.history[-1][2].tolist() == GREENS.tolist()


def test_on_a_street_the_offset_follows_the_platoon_within_its_bounds() -> None:
    """Eleven vehicles for NS come one a second from 31 s after the start of its 30 s of green."""
    made, controller = street(street=True, offset_s=30)
    made.drive(
        1500,
        Queues(
            made.site,
            LIGHT | {NS: 400.0},
            lambda phase, t: phase != NS or 31 <= (t - 30) % 100 < 60,
        ),
    )
    starts = np.array([a for a, _ in made.greens(NS) if a > 1000])

    assert controller.offset_moved_s == 12
    assert ((starts - 30) % 100 == 12).all()
    assert max(abs(b - a - 100) for a, b in pairwise(starts)) <= 6
    assert {row[1] for row in controller.history} == {100}
    assert "LV782" in {r.code for row in controller.history for r in row[3]}


def test_without_a_street_the_offset_is_left_alone() -> None:
    made, controller = street(offset_s=30, cycle_s=0)
    made.drive(800, Queues(made.site, LIGHT, lambda _, t: 20 <= (t - 30) % 100 < 45))

    assert controller.offset_moved_s == 0


def test_half_the_common_cycle_runs_when_little_comes() -> None:
    made, controller = street(common_s=100)
    made.drive(900, Queues(made.site, dict.fromkeys(LIGHT, 20.0)))

    assert controller.history[-1][1] == 50


def test_its_reasons_can_be_read_in_both_languages() -> None:
    made, _ = street(street=True)
    made.drive(600, Queues(made.site, LIGHT | {EW: 700.0}))
    found = {r.code: r for r in made.reasons if r}

    assert {"LV781", "LV783"} <= set(found)
    for reason, language in product(found.values(), Language):
        assert "{" not in say(reason.code, language, **reason.fields)


def test_it_needs_a_plan_and_knows_its_settings() -> None:
    site = crossroads()
    with pytest.raises(UsageError, match="LV745"):
        make(Situation(site=site, order=Order.SKIP, params={}))
    wrong = {"street": 1}
    with pytest.raises(UsageError, match="LV731"):
        make(Situation(site=site, order=Order.SKIP, plan=crossroads_plan(site), params=wrong))


def test_a_plan_in_which_nothing_changes_runs_as_it_is() -> None:
    site = crossroads()
    plan = plan_of(site.rules, {NS: (0, 100)}, cycle_s=100, reference=NS)
    controller = make(Situation(site=site, order=Order.SKIP, plan=plan, params={}))
    made = Stretch(site, controller, None)
    made.run(250, lambda _: NOBODY)

    assert made.greens(NS) == [(0, 250)]


@pytest.mark.parametrize("sensing", ["area", "loops+dead:0.3"])
def test_it_runs_a_street_in_sumo_without_a_wrong_lamp(tmp_path: Path, sensing: str) -> None:
    scenario = read_scenario(build_tiny(tmp_path))
    plans = {p.controller: p for p in scenario.plans.plans}
    runs = simulate_controlled(
        scenario,
        Controlling(
            spec=ControllerSpec(name="cyclic", params=(("street", True),)),
            sensing=parse_sensing(sensing),
            plans=plans,
        ),
        seeds=[1000],
        workers=1,
    )

    assert runs.lamp_violations == 0
    assert runs.runs[0].controlled is not None
    assert runs.runs[0].controlled.released == 0
    assert runs.runs[0].controlled.forced == 0
