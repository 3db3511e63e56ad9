# SPDX-License-Identifier: Apache-2.0
"""Coordinated-actuated control by hand: the plan gives NS 0-30 s, NSL 35-50, EW 55-80, EWL 85-95.

Its cycle is 100 s, changes take 5 s, and NS and EW flash for the last 3 s of their greens.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from tests.control.crossroads import (
    NOBODY,
    WHEELS,
    Stretch,
    crossroads,
    crossroads_plan,
    standing,
)

from lvbo.control.background import background, plan_table, stage_spans
from lvbo.control.coordinated import CoordinatedController, CoordinatedSetting, ForceOff, make
from lvbo.control.protocols import Order, Reason
from lvbo.control.registry import Situation
from lvbo.control.site import Site
from lvbo.control.stages import StageTable, stage_table
from lvbo.errors import UsageError
from lvbo.signal.stages import from_stages
from lvbo.testing import EW, EWL, NS, NSL, plan_of
from lvbo.text import Language, say

ANY_EARLY = 100


def street(
    order: Order = Order.SKIP, *, offset_s: int = 0, begin_s: int = 0, **setting: object
) -> Stretch:
    site = crossroads()
    plan = crossroads_plan(site, offset_s)
    table = plan_table(site, order, plan)
    chosen = CoordinatedSetting(**setting)  # type: ignore[arg-type]
    return Stretch(site, CoordinatedController(site, table, plan, chosen), table, begin_s=begin_s)


def test_the_background_counts_from_the_end_of_the_coordinated_green() -> None:
    site = crossroads()
    back = background(site, stage_table(site, Order.SKIP), crossroads_plan(site))

    assert back.main == 0
    assert (back.cycle_ds, back.yield_ds) == (1000, 300)
    assert back.start_ds.tolist() == [700, 50, 250, 550]
    assert back.off_ds.tolist() == [1000, 200, 500, 650]
    assert back.green_ds.tolist() == [300, 150, 250, 100]
    assert back.since_ds(310) == 10


def test_a_force_off_moves_back_where_the_plan_gives_less_than_the_minimum() -> None:
    site = crossroads()
    spans = {NS: (0, 30), NSL: (35, 15), EW: (55, 32), EWL: (92, 3)}
    plan = plan_of(site.rules, spans, cycle_s=100, reference=NS)
    back = background(site, stage_table(site, Order.SKIP), plan)

    assert back.off_ds.tolist() == [1000, 200, 570, 670]  # EWL has 5 s from 92 on
    assert back.start_ds[0] == 720  # and NS starts 2 s later for it


def test_stages_are_found_in_a_plan_whose_phases_start_and_end_apart() -> None:
    site = crossroads()
    spans = {NS: (95, 35), NSL: (35, 15), EW: (55, 25)}
    plan = plan_of(site.rules, spans, cycle_s=100, reference=NS)

    assert stage_spans(site, stage_table(site, Order.SKIP), plan).tolist() == [
        [0, 350],
        [400, 150],
        [600, 250],
        [0, 0],
    ]


def test_a_plan_in_another_order_brings_its_own_stages() -> None:
    site = crossroads()
    wishes = [("1", (NS,), 300), ("2", (EW,), 250), ("3", (NSL,), 100), ("4", (EWL,), 100)]
    plan = from_stages("P", site.id, site.rules, wishes, 0, NS)  # type: ignore[arg-type]
    for form in (plan, replace(plan, stages=())):  # written, and read off the timeline
        table = plan_table(site, Order.SKIP, form)
        back = background(site, table, form)

        assert named(site, table) == [[NS], [EW], [NSL], [EWL]]
        assert back.off_ds.tolist() == [950, 300, 450, 600]


def test_a_plan_in_the_usual_order_or_none_leaves_the_stages_alone() -> None:
    site = crossroads()
    usual = [[NS], [NSL], [EW], [EWL]]

    assert named(site, plan_table(site, Order.SKIP, crossroads_plan(site))) == usual
    assert named(site, plan_table(site, Order.SKIP, None)) == usual


def named(site: Site, table: StageTable) -> list[list[str]]:
    """Return the phases of each stage of the order."""
    return [
        [p for p, lit in zip(site.phases, table.greens[s], strict=True) if lit] for s in table.cycle
    ]


def test_the_coordinated_stage_yields_at_its_yield_point_and_not_before() -> None:
    made = street()
    made.run(60, lambda _: standing(NSL))

    assert made.greens(NS)[0][1] == 30
    assert made.greens(NSL)[0][0] == 35
    assert "LV767" in {r.code for r in made.reasons[:27] if r}


def test_it_yields_where_the_offset_says() -> None:
    made = street(offset_s=37, begin_s=37)
    made.run(60, lambda _: standing(NSL))

    assert made.greens(NS)[0][1] == 67


def test_the_coordinated_stage_rests_in_green_when_nobody_calls() -> None:
    made = street()
    made.run(250, lambda _: NOBODY)

    assert made.greens(NS)[0][1] == 250


@pytest.mark.parametrize(("second", "served"), [(37, True), (38, False)])
def test_a_permissive_window_closes_when_the_minimum_no_longer_fits(
    second: int, *, served: bool
) -> None:
    """NSL must end at 50: flash 3 s, change 5 s and minimum 5 s leave 37 for the last call."""
    made = street(early_s=ANY_EARLY)
    made.run(100, lambda t: standing(NSL) if t >= second else NOBODY)

    assert bool(made.greens(NSL)) is served
    if served:
        assert made.greens(NSL)[0] == (45, 50)


def test_a_fixed_force_off_leaves_early_time_to_those_that_follow() -> None:
    made = street(force=ForceOff.FIXED, stretch=9.0, early_s=ANY_EARLY)
    made.run(140, lambda _: standing(EW))

    assert made.greens(EW)[0] == (35, 80)
    assert made.greens(NS)[1][0] == 85


def test_a_floating_force_off_gives_no_more_than_the_split() -> None:
    made = street(force=ForceOff.FLOATING, stretch=9.0, early_s=ANY_EARLY)
    made.run(125, lambda _: standing(EW))

    assert made.greens(EW)[0] == (35, 60)
    assert made.greens(NS)[1][0] == 65


def test_a_stage_ends_at_its_maximum() -> None:
    made = street(stretch=1.2, early_s=ANY_EARLY)
    made.run(125, lambda _: standing(EW))

    assert made.greens(EW)[0] == (35, 35 + 30 + 3)  # 1.2 x 25 s, and the flash


def test_a_stage_ends_in_a_gap_and_the_next_call_follows() -> None:
    made = street(gap_s=2.0)
    made.run(100, lambda t: standing(EWL, *((NSL,) if t < 42 else ())))

    assert made.greens(NSL)[0] == (35, 44)
    assert made.greens(EWL)[0][0] == 49
    assert "LV763" in {r.code for r in made.reasons if r}


@pytest.mark.parametrize("early_s", [0, 6, 20])
def test_the_coordinated_stage_returns_at_most_so_much_early(early_s: int) -> None:
    made = street(early_s=early_s)
    made.run(140, lambda t: standing(NSL) if t < 40 else NOBODY)

    assert made.greens(NS)[1][0] == 100 - early_s
    assert made.greens(NSL)[0][1] == 100 - early_s - 5
    assert "LV768" in {r.code for r in made.reasons if r}


def test_a_call_is_served_out_of_a_stage_that_is_held() -> None:
    made = street(early_s=0)
    made.run(140, lambda t: standing(NSL) if t < 40 else standing(EWL) if t > 60 else NOBODY)

    assert made.greens(EWL)[0] == (66, 95)


def test_a_stage_that_is_called_is_never_passed_over_when_skips_are_allowed() -> None:
    made = street(Order.SKIP, stretch=9.0, early_s=ANY_EARLY)
    made.run(100, lambda t: standing(NSL, EW) if t > 20 else NOBODY)

    assert made.greens(NSL)[0] == (35, 50)
    assert made.greens(EW)[0] == (55, 80)


def test_without_skips_every_stage_is_shown_once_the_coordinated_one_has_yielded() -> None:
    made = street(Order.FIXED)
    made.run(130, lambda t: standing(EW) if t < 60 else NOBODY)
    shown = [made.greens(p)[0] for p in (NSL, EW, EWL)]

    assert shown[0] == (35, 40)
    assert shown[1][0] == 45
    assert shown[2][1] == 89  # held there, as NS may start at 94
    assert made.greens(NS)[1][0] == 94


def test_a_lane_without_a_detector_gets_the_green_of_the_plan() -> None:
    site = crossroads()
    plan = crossroads_plan(site)
    table = plan_table(site, Order.SKIP, plan)
    blind = np.array([True, True, False, True])
    made = Stretch(site, CoordinatedController(site, table, plan), table, working=blind)
    made.run(100, lambda _: NOBODY)

    assert made.greens(EW)[0][0] == 35
    assert 25 <= made.greens(EW)[0][1] - 35 <= 28 + 33


@pytest.mark.parametrize(
    ("order", "force", "early_s"), list(product(Order, ForceOff, (0, 6, ANY_EARLY)))
)
def test_the_coordinated_green_of_the_plan_is_always_lit(
    order: Order, force: ForceOff, early_s: int
) -> None:
    luck = np.random.default_rng(7)
    calls = [[p for p in WHEELS if luck.random() < 0.3] for _ in range(160)]
    made = street(order, offset_s=13, force=force, early_s=early_s)
    made.run(800, lambda t: standing(*calls[t // 5]))
    at = made.site.phases.index(NS)
    lit = np.array([row[at] > 0 for row in made.rows])
    window = np.array([(t - 13) % 100 < 27 for t in range(800)])  # flash and yellow apart
    starts = [a for a, _ in made.greens(NS) if a > 150]

    assert lit[window & (np.arange(800) > 113)].all()
    assert all((a - 13) % 100 >= 100 - early_s or (a - 13) % 100 == 0 for a in starts)
    assert all(made.greens(p) for p in WHEELS)


def test_its_reasons_can_be_read_in_both_languages() -> None:
    found: dict[str, Reason] = {}
    for force in ForceOff:
        made = street(force=force)
        made.run(300, lambda t: standing(*(p for k, p in enumerate(WHEELS) if t // 20 % 4 != k)))
        found |= {r.code: r for r in made.reasons if r}

    assert {"LV764", "LV765", "LV767", "LV769"} <= set(found)
    for reason, language in product(found.values(), Language):
        assert "{" not in say(reason.code, language, **reason.fields)


def test_a_setting_that_is_none_is_refused() -> None:
    site = crossroads()
    plan = crossroads_plan(site)
    for wrong in ({"gap": 2.0}, {"early_s": "6"}, {"force": "soft"}):
        with pytest.raises(UsageError, match="LV731"):
            make(Situation(site=site, order=Order.SKIP, plan=plan, params=wrong))

    right = {"gap_s": 3, "force": "floating", "early_s": 0, "clock_s": 5}
    assert make(Situation(site=site, order=Order.SKIP, plan=plan, params=right)).back.main == 0
    with pytest.raises(UsageError, match="LV766"):
        make(Situation(site=site, order=Order.SKIP, params={}))
