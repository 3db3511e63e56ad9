# SPDX-License-Identifier: Apache-2.0
"""The shipped SUMO programmes show what the before plans say, and obey the hard rules."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from lvbo.city import before_plans, sites, yuci_folder
from lvbo.city.before import YELLOW_S
from lvbo.city.calendar import PERIODS, SWITCHES
from lvbo.city.netconvert import SignalLink, signal_links
from lvbo.city.programmes import link_use, zebra_window
from lvbo.city.streets import RIGHT_ARROWS, Side, Turn, clearance_s


def read(name: str) -> ET.Element:
    return ET.fromstring(gzip.decompress((yuci_folder() / name).read_bytes()))


@cache
def network() -> ET.Element:
    return read("yuci.net.xml.gz")


@cache
def logics() -> dict[tuple[str, str], ET.Element]:
    both = [*network().iter("tlLogic"), *read("yuci.add.xml.gz").iter("tlLogic")]
    return {(logic.get("id", ""), logic.get("programID", "")): logic for logic in both}


@cache
def links() -> dict[str, list[SignalLink]]:
    found: dict[str, list[SignalLink]] = {code: [] for code in sites()}
    for link in signal_links(network()):
        found[link.controller].append(link)
    return found


def seconds(site: str, period: str) -> list[str]:
    return [
        phase.get("state", "")
        for phase in logics()[site, period]
        for _ in range(int(phase.get("duration", "0")))
    ]


def day_programmes() -> Iterator[tuple[str, str]]:
    return ((plan.site, plan.period) for plan in before_plans() if not plan.flashing)


def starts(row: str, lamps: str) -> list[int]:
    return [t for t, (a, b) in enumerate(pairwise(row[-1] + row)) if a not in lamps and b in lamps]


def test_every_signal_has_a_programme_for_every_period() -> None:
    assert set(logics()) == {(site, period.code) for site in sites() for period in PERIODS}


@pytest.mark.parametrize(("site", "period"), list(day_programmes()))
def test_a_programme_has_one_lamp_per_link_and_lasts_its_cycle(site: str, period: str) -> None:
    plan = next(p for p in before_plans() if (p.site, p.period) == (site, period))
    rows = seconds(site, period)

    assert len(rows) == plan.cycle_s
    assert {len(row) for row in rows} == {len(links()[site])}
    assert [link.index for link in links()[site]] == list(range(len(rows[0])))
    assert logics()[site, period].get("offset") == str(plan.offset_s)


@pytest.mark.parametrize(("site", "period"), list(day_programmes()))
def test_a_vehicle_green_ends_with_3_s_of_yellow(site: str, period: str) -> None:
    rows = seconds(site, period)
    for link in links()[site]:
        row = "".join(state[link.index] for state in rows)
        if link_use(sites()[site], link).turn is None or set(row) == {"g"}:
            continue
        for begin in starts(row, "y"):
            after = [row[(begin + k) % len(row)] for k in range(YELLOW_S + 1)]

            assert after == ["y", "y", "y", "r"], (site, period, link)
        assert len(starts(row, "y")) == len(starts(row, "Gg"))


def test_through_traffic_of_anning_runs_40_s_from_local_second_0() -> None:
    rows = seconds("AN_XJ", "am")
    link = next(
        link
        for link in links()["AN_XJ"]
        if link_use(sites()["AN_XJ"], link).turn is Turn.THROUGH and link.from_lane == 4
    )
    row = "".join(state[link.index] for state in rows)

    assert row[:46] == "G" * 40 + "yyy" + "rrr"


def test_walking_on_a_zebra_stops_17_s_before_a_left_turn_starts() -> None:
    # N-S T of 安宁×新建 in the morning plan: 27 s of green, 10 s to start walking, 17 s to clear.
    plan = next(p for p in before_plans() if (p.site, p.period) == ("AN_XJ", "morning"))
    stage = plan.stages[2]
    window = zebra_window(stage, 100, clearance_s(sites()["AN_XJ"], Side.WEST))

    assert stage.green_s == 27
    assert window is not None
    assert (window.begin_s, window.end_s) == (100, 110)


def test_a_zebra_that_cannot_clear_is_served_on_request_only() -> None:
    plan = next(p for p in before_plans() if (p.site, p.period) == ("WH_XJ", "night"))
    stage = plan.stages[0]

    assert stage.green_s < 24
    assert zebra_window(stage, 0, 24) is None


@pytest.mark.parametrize(("site", "period"), list(day_programmes()))
def test_no_zebra_is_open_while_the_left_turn_across_it_is_green(site: str, period: str) -> None:
    rows = seconds(site, period)
    uses = {link.index: link_use(sites()[site], link) for link in links()[site]}
    zebras = [i for i, use in uses.items() if use.turn is None]
    for zebra in zebras:
        clear_s = clearance_s(sites()[site], uses[zebra].side)
        own = [i for i, use in uses.items() if use.turn and use.side is uses[zebra].side]
        own = [i for i in own if uses[i].turn is not Turn.RIGHT]
        for t, state in enumerate(rows):
            if state[zebra] == "G":
                ahead = [rows[(t + k) % len(rows)] for k in range(1, clear_s)]

                assert all(later[i] not in "Gg" for later in ahead for i in own)


def test_right_turns_always_go_yielding_except_at_the_two_right_arrow_sites() -> None:
    for site in sites():
        rows = seconds(site, "am")
        for link in links()[site]:
            use = link_use(sites()[site], link)
            own_lane = bool(sites()[site].legs[use.side].stop_line.rights)
            if use.turn is not Turn.RIGHT or use.bicycle or not own_lane:
                continue
            shown = {state[link.index] for state in rows}

            assert shown == ({"G", "y", "r"} if site in RIGHT_ARROWS else {"g"})


def test_a_weekday_switches_every_signal_by_the_table() -> None:
    wauts = list(read("yuci.add.xml.gz").iter("WAUT"))
    joined = {item.get("junctionID") for item in read("yuci.add.xml.gz").iter("wautJunction")}
    table = [(int(s.get("time", "-1")), s.get("to")) for s in wauts[0]]

    assert joined == set(sites())
    assert all(waut.get("startProg") == "night" for waut in wauts)
    assert table == list(SWITCHES[1:])
