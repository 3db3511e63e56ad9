# SPDX-License-Identifier: Apache-2.0
"""The four weeks of counts carry the days, the saturation and the faults of the sheet."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from lvbo.city import yuci_folder
from lvbo.city.counts import count_lanes, days, true_demand
from lvbo.city.faults import (
    DEAD,
    OUTAGE_SITE,
    STUCK_ON,
    STUCK_VALUE,
    SWAPPED,
    UNDER_COUNTING,
    day_factors,
    with_faults,
)
from lvbo.city.faults import Faults as FaultColumns
from lvbo.city.streets import Side, Turn

FILES = [yuci_folder() / f"yuci.counts.week{week}.csv" for week in range(1, 5)]


@cache
def table() -> tuple[list[str], dict[date, NDArray[np.float64]]]:
    """Return the detector ids, and per day the counts (96, detectors), NaN for empty cells."""
    header: list[str] = []
    found: dict[date, list[list[float]]] = {}
    for path in FILES:
        rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        header = next(rows)
        for row in rows:
            cells = [float(cell) if cell else float("nan") for cell in row[2:]]
            found.setdefault(date.fromisoformat(row[0]), []).append(cells)
    return header, {day: np.array(rows) for day, rows in found.items()}


def column(code: str) -> int:
    return table()[0].index(code) - 2


def test_the_counts_hold_28_days_of_96_slots_for_every_stop_line_lane() -> None:
    header, by_day = table()

    assert header[:2] == ["日期", "开始时间"]
    assert len(header) - 2 == len(count_lanes()) == 270
    assert list(by_day) == list(days())
    assert days()[0] == date(2025, 12, 8)
    assert days()[-1] == date(2026, 1, 4)
    assert {day.shape for day in by_day.values()} == {(96, 270)}


def test_the_make_up_sunday_is_a_workday_and_the_holiday_is_none() -> None:
    workdays = {day for day in days() if day_factors(day).workday}

    assert date(2026, 1, 4) in workdays
    assert not workdays & {date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)}
    assert len(workdays) == 19


def test_snow_days_carry_less_traffic_than_the_same_weekday_a_week_later() -> None:
    _, by_day = table()
    snow, clear = by_day[date(2025, 12, 12)], by_day[date(2025, 12, 26)]

    assert float(np.nansum(snow)) < 0.90 * float(np.nansum(clear))


def test_holidays_have_no_morning_peak() -> None:
    _, by_day = table()
    morning = slice(29, 33)
    holiday, workday = by_day[date(2026, 1, 2)], by_day[date(2025, 12, 17)]

    assert float(np.nansum(holiday[morning])) < 0.5 * float(np.nansum(workday[morning]))


def test_dead_stuck_and_missing_detectors_show_as_such() -> None:
    _, by_day = table()
    every = np.vstack(list(by_day.values()))
    outage = [n for n, lane in enumerate(count_lanes()) if lane.site.code == OUTAGE_SITE]
    blank = np.isnan(by_day[date(2025, 12, 18)])

    assert all(not every[:, column(code)].any() for code in DEAD)
    assert set(every[:, column(STUCK_ON)]) == {float(STUCK_VALUE)}
    assert blank[36:60, outage].all()
    assert int(blank.sum()) == 24 * len(outage)
    assert int(np.isnan(every).sum()) == 24 * len(outage)


def test_one_lane_counts_a_fifth_less_than_its_neighbour() -> None:
    _, by_day = table()
    every = np.vstack(list(by_day.values()))
    edge, lane = UNDER_COUNTING.rsplit("_", 1)
    ratio = (
        every[:, column(UNDER_COUNTING)].sum() / every[:, column(f"{edge}_{int(lane) - 1}")].sum()
    )

    assert ratio == pytest.approx(0.80, abs=0.03)


def test_a_left_and_a_through_lane_are_swapped() -> None:
    counts = np.tile(np.arange(270.0), (96, 1))
    faults = FaultColumns.of(count_lanes())
    found = with_faults(counts, date(2025, 12, 9), faults)
    left, through = (column(code) for code in SWAPPED)
    turns = {lane.code: lane.turns for lane in count_lanes()}

    assert (found[0, left], found[0, through]) == (through, left)
    assert turns[SWAPPED[0]] == (Turn.LEFT,)
    assert turns[SWAPPED[1]] == (Turn.THROUGH,)


def test_a_saturated_movement_shows_its_green_not_its_demand() -> None:
    # 安宁×汇通, northbound left, 17:30-18:00 in snow: 19 s of green in 135 s, saturation x 0.80.
    _, by_day = table()
    surge = slice(70, 72)
    served = float(by_day[date(2025, 12, 11)][surge, column("end_HT_s.AN_HT.s_6")].mean()) * 4
    wanted = 0.85 * float(true_demand(workday=True)["AN_HT", Side.SOUTH, Turn.LEFT][surge].mean())
    room = 0.80 * 1550 * (19 - 1) / 135

    assert wanted > room
    assert served == pytest.approx(room, rel=0.08)


def test_the_truth_lies_in_a_folder_of_its_own() -> None:
    names = {path.name for path in (yuci_folder() / "truth").iterdir()}

    assert names == {"yuci.demand.csv", "yuci.faults.csv"}
    assert not list(yuci_folder().glob("*demand*"))


def test_detectors_are_named_in_direction_words() -> None:
    text = (yuci_folder() / "yuci.detectors.csv").read_text(encoding="utf-8")

    assert "AN_ZD.AN_JL.s_6,AN_JL,安宁街×锦纶路,东进口左转,1,2" in text
    assert "东进口直行" in text
