# SPDX-License-Identifier: Apache-2.0
"""The plans `yuci` has before: its sheet's cycles, whole greens, one-way offsets."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lvbo.city.before
from lvbo.city import PERIODS, SWITCHES, BeforePlan, before_plan, before_plans, sites
from lvbo.city.before import LEFT_MIN_S, THROUGH_MIN_S
from lvbo.city.streets import WAITING_AREAS, Turn

CYCLES = {
    "22:30": 70,
    "06:00": 90,
    "07:00": 130,
    "08:30": 110,
    "11:20": 120,
    "12:30": 90,
    "13:50": 120,
    "14:50": 110,
    "17:00": 135,
    "19:00": 110,
    "20:30": 90,
}
PLANS = {(plan.site, plan.period): plan for plan in before_plans()}


def plan_of(site: str, period: str) -> BeforePlan:
    return PLANS[site, period]


def greens(site: str, period: str) -> tuple[int, ...]:
    return tuple(stage.green_s for stage in plan_of(site, period).stages)


def test_the_periods_and_their_cycles_are_those_of_the_sheet() -> None:
    cycles = {period.code: period.cycle_s for period in PERIODS}
    table = {f"{at // 3600:02d}:{at % 3600 // 60:02d}": cycles[code] for at, code in SWITCHES[1:]}

    assert table == CYCLES
    assert SWITCHES[0] == (0, "night")


@pytest.mark.parametrize("plan", before_plans(), ids=lambda plan: f"{plan.site}-{plan.period}")
def test_stage_lengths_add_up_to_the_cycle_or_to_its_half(plan: BeforePlan) -> None:
    cycle_s = next(period.cycle_s for period in PERIODS if period.code == plan.period)

    assert sum(stage.length_s for stage in plan.stages) == plan.cycle_s
    assert plan.cycle_s in (cycle_s, cycle_s / 2)
    assert all(stage.green_s > 0 for stage in plan.stages)


def test_the_am_plans_are_those_of_the_sheet() -> None:
    assert greens("AN_XJ", "am") == (40, 20, 32, 18)
    assert greens("WH_JL", "am") == (30, 30, 25, 25)
    assert greens("YH_B", "am") == (37, 18)
    assert plan_of("YH_B", "am").cycle_s == 65
    assert plan_of("WH_P", "am").cycle_s == 65
    assert len(plan_of("AN_T", "am").stages) == 3


def test_135_s_holds_two_sequences_because_it_has_no_half() -> None:
    plan = plan_of("YH_B", "pm")

    assert plan.cycle_s == 135
    assert [stage.code for stage in plan.stages] == ["E-W", "N", "E-W", "N"]


def test_a_left_turn_follows_its_own_through_where_there_is_a_waiting_area() -> None:
    for site in WAITING_AREAS:
        for period in PERIODS:
            stages = plan_of(site, period.code).stages
            first, second = {t for _, t in stages[0].moves}, {t for _, t in stages[1].moves}

            assert Turn.THROUGH in first
            assert second == {Turn.LEFT}
            assert {s for s, t in stages[0].moves if t is Turn.THROUGH} == {
                s for s, _ in stages[1].moves
            }


def test_no_vehicle_green_is_below_its_minimum_in_a_day_plan() -> None:
    for plan in before_plans():
        if plan.period == "night" or sites()[plan.site].kind.value != "crossing":
            continue
        for stage in plan.stages:
            least = THROUGH_MIN_S if {t for _, t in stage.moves} != {Turn.LEFT} else LEFT_MIN_S

            assert stage.green_s >= least, (plan.site, plan.period, stage.code)


def test_morning_offsets_run_east_at_60_km_h() -> None:
    # 420 m at 16.67 m/s is 25.2 s, 1030 m 61.8, 1380 m 82.8, 2160 m 129.6, 2410 m 144.6 s.
    names = ("AN_JL", "AN_ZD", "AN_HT", "AN_XJ", "AN_YB", "AN_T")

    assert [plan_of(name, "am").offset_s for name in names] == [0, 25, 62, 83, 0, 15]


def test_evening_offsets_run_west_at_60_km_h() -> None:
    # From the tee: 250 m is 15 s, 1030 m 61.8, 1380 m 82.8, 1990 m 119.4, 2410 m 144.6 s mod 135.
    names = ("AN_T", "AN_YB", "AN_XJ", "AN_HT", "AN_ZD", "AN_JL")

    assert [plan_of(name, "pm").offset_s for name in names] == [0, 15, 62, 83, 119, 10]


def test_streets_without_a_wave_have_no_offsets() -> None:
    offsets = {plan.offset_s for plan in before_plans() if plan.site.startswith("WH_")}

    assert offsets == {0}


def test_the_before_plans_know_nothing_of_our_solvers() -> None:
    tree = ast.parse(Path(lvbo.city.before.__file__).read_text(encoding="utf-8"))
    imports = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [name for name in imports if name and name.startswith("lvbo.")]

    assert all(name.startswith("lvbo.city.") for name in ours)


def test_two_branches_flash_at_night() -> None:
    flashing = {plan.site for plan in before_plans() if plan.flashing}

    assert flashing == {"AN_T", "YH_B"}
    assert before_plan(sites()["AN_T"], PERIODS[0]).flashing
