# SPDX-License-Identifier: Apache-2.0
"""Programmes and switching tables measured on real controllers parse without their network."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from lvbo.io.sumo_signals import CHARACTERS, decode, runs
from lvbo.io.sumo_xml import RawLogic, RawNet, elements, take_record
from lvbo.signal.lamp import Lamp
from lvbo.signal.schedule import DAY_S

DAYS = ("2023-06-19", "2023-06-20", "2023-06-25")


def records(*paths: Path) -> RawNet:
    raw = RawNet()
    for path in paths:
        for element in elements(path, "additional"):
            take_record(raw, element, path.name)
    return raw


@pytest.fixture(scope="module", params=DAYS)
def day(request: pytest.FixtureRequest, bench_data: Path) -> RawNet:
    folder = bench_data / "tum_ingolstadt_tod"
    return records(
        folder / f"{request.param}_tlLogics_24h.tll.xml.gz",
        folder / f"{request.param}_WAUT.add.xml.gz",
    )


def test_a_day_of_real_programmes_parses_without_an_error(day: RawNet) -> None:
    lights = {logic.tl for logic in day.logics}

    assert day.findings == []
    assert len(lights) > 60
    assert len(day.logics) > 900


def test_real_cycles_are_whole_seconds_and_most_are_ordinary(day: RawNet) -> None:
    cycles = [logic.cycle_ds for logic in day.logics]
    ordinary = sum(400 <= cycle <= 1500 for cycle in cycles)

    assert all(cycle % 10 == 0 for cycle in cycles)
    assert ordinary > 0.75 * len(cycles)


def test_the_states_of_a_real_programme_are_equally_long_and_known(day: RawNet) -> None:
    for logic in day.logics:
        assert len({len(state) for _, state in logic.intervals}) == 1
        assert {c for _, state in logic.intervals for c in state} <= set(CHARACTERS)


def test_windows_of_a_real_programme_give_its_lamps_back(day: RawNet) -> None:
    for logic in day.logics[::37]:
        for index in range(len(logic.intervals[0][1])):
            assert shown(logic, index) == written(logic, index)


def written(logic: RawLogic, index: int) -> list[Lamp]:
    return [CHARACTERS[state[index]] for length, state in logic.intervals for _ in range(length)]


def shown(logic: RawLogic, index: int) -> list[Lamp]:
    """Return the lamps of a link in tenths, drawn from its windows alone."""
    cycle = logic.cycle_ds
    lamps = [Lamp.RED] * cycle
    for lamp, window in decode(logic, index):
        pieces = (
            (window.start_ds - window.red_amber_ds, window.red_amber_ds, Lamp.RED_AMBER),
            (window.end_ds, window.yellow_ds, Lamp.YELLOW),
            (window.start_ds, window.length_ds, lamp),
        )
        for start, length, light in pieces:
            for k in range(start, start + length):
                lamps[k % cycle] = max(lamps[k % cycle], light)
    return lamps


def test_runs_of_a_link_cover_the_cycle_once(day: RawNet) -> None:
    for logic in day.logics[::101]:
        for index in range(len(logic.intervals[0][1])):
            assert sum(length for _, length, _ in runs(logic, index)) == logic.cycle_ds


def test_switching_tables_name_programmes_of_their_light(day: RawNet) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for logic in day.logics:
        known[logic.tl].add(logic.programme)
    named = Counter(
        name == "0" or name in known[light]
        for table in day.wauts.values()
        for light in table.lights
        for _, name in table.switches
    )

    assert len(day.wauts) > 60
    assert named[True] > 0.99 * named.total()


def test_switches_lie_inside_the_day_and_in_order(day: RawNet) -> None:
    for table in day.wauts.values():
        times = [time for time, _ in table.switches]

        assert times == sorted(times)
        assert all(0 <= time < DAY_S for time in times)
