# SPDX-License-Identifier: Apache-2.0
"""Stage sheets and time-space diagrams say what the plan says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report import streets

from lvbo.ids import MovementId, PhaseId
from lvbo.report.layers import band_strips
from lvbo.report.names import bearing, leg_bearing, merged_legs, phase_name
from lvbo.report.stages import stage_sheet
from lvbo.report.street import Caption, headings, timespace
from lvbo.report.words import Heading, Words, heading_of
from lvbo.signal.lamp import Lamp, PhaseKind
from lvbo.text import Language

ZH, EN = Words(language=Language.ZH), Words(language=Language.EN)
NETWORK = streets.street()
CONTROLLER = NETWORK.controllers[0]


def test_stages_are_green_flash_yellow_and_all_red_of_the_plan() -> None:
    sheet = stage_sheet(NETWORK, CONTROLLER, streets.plan(0, 34), ZH)

    seconds = [(c.green_s, c.flash_s, c.yellow_s, c.all_red_s) for c in sheet.cells]

    assert seconds == [(36, 3, 3, 2), (13, 3, 3, 2), (24, 3, 3, 2), (5, 3, 3, 2)]
    assert sheet.cells[0].name == "阶段 1"


@pytest.mark.parametrize("offset_s", [0, 34, 109])
def test_stages_add_up_to_the_cycle(offset_s: int) -> None:
    sheet = stage_sheet(NETWORK, CONTROLLER, streets.plan(0, offset_s), ZH)

    assert sum(cell.length_s for cell in sheet.cells) == sheet.cycle_s == 110


def test_a_phase_that_runs_on_begins_its_stage_after_the_yellow_of_the_other() -> None:
    plan = streets.plan(0, 0)
    longer = {PhaseId("EWL"): (0, 600)}  # the left turn goes with the through, then alone
    greens = tuple(
        replace(g, windows=tuple(replace(w, start_ds=longer[g.phase][0], length_ds=600)
                                 for w in g.windows)) if g.phase in longer else g
        for g in plan.greens
    )  # fmt: skip
    sheet = stage_sheet(NETWORK, CONTROLLER, replace(plan, greens=greens), EN)

    first, second = sheet.cells[:2]

    assert (first.green_s + first.flash_s, first.yellow_s, first.all_red_s) == (39, 3, 0)
    assert second.green_s + second.flash_s == 18
    assert sum(cell.length_s for cell in sheet.cells) == 110


def test_arrows_lie_on_the_bearings_of_the_streets() -> None:
    sheet = stage_sheet(NETWORK, CONTROLLER, streets.plan(0, 0), EN)

    through = {(a.from_deg, a.to_deg, a.yields) for a in sheet.cells[0].arrows}
    lefts = {(a.from_deg, a.to_deg) for a in sheet.cells[1].arrows}

    assert through == {(270.0, 90.0, False), (90.0, 270.0, False)}
    assert lefts == {(270.0, 0.0), (90.0, 180.0)}


def test_people_cross_the_street_that_stands() -> None:
    sheet = stage_sheet(NETWORK, CONTROLLER, streets.plan(0, 0), EN)

    assert [cell.zebras_deg for cell in sheet.cells] == [(), (), (90.0, 270.0), ()]


def test_lamps_of_a_window_over_the_end_of_the_cycle_are_cut_in_two() -> None:
    plan = streets.plan(0, 0)
    last = next(g for g in plan.greens if g.phase == "NSL").windows[0]
    greens = tuple(
        replace(g, windows=(replace(last, start_ds=1000, length_ds=200),))
        if g.phase == "NSL"
        else g
        for g in plan.greens
    )
    sheet = stage_sheet(NETWORK, CONTROLLER, replace(plan, greens=greens), EN)
    row = next(
        r for r in sheet.rows if r.name == phase_name(NETWORK, CONTROLLER, PhaseId("NSL"), EN)
    )

    runs = [(r.lamp, r.start_s, r.length_s, r.is_flashing) for r in row.runs]

    assert runs == [
        (Lamp.GREEN, 100.0, 10.0, False),
        (Lamp.GREEN, 0.0, 7.0, False),
        (Lamp.GREEN, 7.0, 3.0, True),
        (Lamp.YELLOW, 10.0, 3.0, False),
    ]


def test_phases_are_called_by_what_they_serve() -> None:
    names = [phase_name(NETWORK, CONTROLLER, PhaseId(p), ZH) for p in ("EW", "NSL", "WALK")]

    assert names == ["东西直行", "北南左转", "东西人行"]
    assert phase_name(NETWORK, CONTROLLER, PhaseId("EW"), EN) == "E+W through"


def test_bearings_count_clockwise_from_north() -> None:
    assert [bearing((0, 0), p) for p in ((0, 1), (1, 0), (0, -1), (-1, 0))] == [0, 90, 180, 270]
    west = NETWORK.movement_index[MovementId("X0Wthrough")]
    assert leg_bearing(NETWORK, west.from_link, arriving=True) == 270.0


def test_two_roadways_of_one_street_are_one_leg() -> None:
    assert merged_legs([88.0, 92.0, 270.0, 359.0, 3.0]) == (88.0, 270.0, 359.0)


def test_traffic_from_west_to_east_is_eastbound() -> None:
    assert headings(NETWORK, streets.corridor()) == (Heading.E, Heading.W)
    assert ZH.heading(Heading.E) == "由西向东"
    assert heading_of(350.0) is Heading.N


def test_a_green_is_drawn_later_by_its_offset() -> None:
    plans = {p.controller: p for p in streets.plans((0, 34, 82)).plans}

    diagram = timespace(
        NETWORK, streets.corridor(), plans, caption=Caption(title="x"), begin_s=25200.0
    )

    assert [row.outbound[0].start_s for row in diagram.signals] == [0.0, 34.0, 82.0]
    assert [row.at_m for row in diagram.signals] == [0.0, 420.0, 1030.0]
    assert diagram.end_s == 25200.0 + 4 * 110


def test_bands_lie_inside_the_greens_they_pass() -> None:
    strips = band_strips(streets.corridor(), streets.band())
    plans = {p.controller: p for p in streets.plans((0, 55, 0)).plans}
    diagram = timespace(NETWORK, streets.corridor(), plans, caption=Caption(title="x"), begin_s=0.0)

    for strip in strips:
        for front, row in zip(strip.fronts_s, diagram.signals, strict=True):
            green = (row.outbound if strip.is_outbound else row.inbound)[0]
            since = (front - green.start_s) % row.cycle_s
            assert since + strip.width_s <= green.length_s


def test_band_speed_is_distance_over_travel_time() -> None:
    outbound = band_strips(streets.corridor(), streets.band())[0]

    assert outbound.speeds_mps == (12.5, 12.5)


def test_a_cycle_lane_of_its_own_is_called_so() -> None:
    rules = CONTROLLER.rules
    phases = tuple(replace(p, kind=PhaseKind.BICYCLE) if p.id == "EW" else p for p in rules.phases)
    ridden = replace(CONTROLLER, rules=replace(rules, phases=phases))

    assert phase_name(NETWORK, ridden, PhaseId("EW"), ZH) == "东西直行（非机动车）"
