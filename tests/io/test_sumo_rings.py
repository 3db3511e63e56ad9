# SPDX-License-Identifier: Apache-2.0
"""Programmes of rings and barriers become the cycle that SUMO runs when every phase is recalled."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.io.sumo_nets import generate, scenario

from lvbo.errors import InputError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_rings import ring_intervals
from lvbo.io.sumo_scenario import read_scenario
from lvbo.io.sumo_xml import seconds_of
from lvbo.simulation.runs import LampChange
from lvbo.simulation.selfcheck import self_check
from lvbo.simulation.sumo import Setup, watch_lamps

GRID = ("--grid", "--grid.number", "2", "--grid.attach-length", "100", "-L", "2")
LIGHTS = ("--tls.guess", "--tls.guess.threshold", "20", "--turn-lanes", "1")
PHASES = {"1": "Grrr", "2": "rGrr", "5": "rrGr", "6": "rgrG"}
"""Four links, each with a phase of its own; in the last phase the second one may go, too."""


def rings(*phases: str, ring1: str, ring2: str = "", barriers: str = "", **more: str) -> ET.Element:
    """Return a programme of these phases, 10 s of green each but where `more` says otherwise."""
    logic = ET.Element("tlLogic", id="C", type="NEMA")
    for name in phases:
        longest = more.get(f"green{name}", "10")
        own = {"name": name, "state": PHASES[name], "duration": "90", "maxDur": longest}
        ET.SubElement(logic, "phase", {**own, "yellow": "3", "red": "2"})
    for key, value in (("ring1", ring1), ("ring2", ring2), ("barrierPhases", barriers)):
        if value:
            ET.SubElement(logic, "param", key=key, value=value)
    return logic


def test_phases_of_two_rings_are_shown_together() -> None:
    logic = rings("1", "2", "5", "6", ring1="1,2", ring2="5,6", barriers="2,6", green5="14")

    assert ring_intervals(logic, seconds_of) == [
        (100, "GrGr"),
        (30, "yrGr"),
        (10, "rrGr"),
        (10, "rryr"),
        (20, "rGyr"),
        (20, "rGrr"),
        (100, "rGrG"),
        (30, "ryry"),
        (20, "rrrr"),
    ]


def test_the_shorter_ring_waits_at_the_barrier_in_its_last_green() -> None:
    logic = rings("1", "2", "6", ring1="1,2", ring2="0,6", barriers="1,0,2,6", green6="16")

    assert ring_intervals(logic, seconds_of) == [
        (100, "Grrr"),
        (30, "yrrr"),
        (20, "rrrr"),
        (160, "rGrG"),
        (30, "ryry"),
        (20, "rrrr"),
    ]


def test_one_ring_is_a_plain_cycle() -> None:
    found = ring_intervals(rings("1", "2", ring1="1,2"), seconds_of)

    assert found == [
        (100, "Grrr"),
        (30, "yrrr"),
        (20, "rrrr"),
        (100, "rGrr"),
        (30, "ryrr"),
        (20, "rrrr"),
    ]


@pytest.mark.parametrize(
    "logic",
    [
        rings("1", "2", ring1=""),
        rings("1", "2", ring1="0"),
        rings("1", "2", ring1="1,4"),
        rings("1", "2", "5", ring1="1,2", ring2="5", barriers="1,5"),
    ],
    ids=["no rings", "nobody in a ring", "a phase that there is not", "barriers that do not meet"],
)
def test_what_is_no_ring_programme_is_left_as_written(logic: ET.Element) -> None:
    assert ring_intervals(logic, seconds_of) is None


@pytest.mark.parametrize("state", ["rGrrr", "rRrr"], ids=["too long", "of no lamp"])
def test_states_that_do_not_fit_are_left_as_written(state: str) -> None:
    logic = rings("1", "2", ring1="1,2")
    logic[1].set("state", state)

    assert ring_intervals(logic, seconds_of) is None


def test_a_time_that_is_none_is_told_with_its_programme(tmp_path: Path) -> None:
    net = generate(tmp_path, *GRID, *LIGHTS, "--tls.default-type", "NEMA")
    net.write_text(net.read_text().replace('yellow="3"', 'yellow="soon"'))

    with pytest.raises(InputError, match="LV105") as told:
        scenario(net)
    assert "soon" in str(told.value)


def test_the_self_check_leaves_out_rings_that_follow_traffic(tmp_path: Path) -> None:
    read = scenario(generate(tmp_path, *GRID, *LIGHTS, "--tls.default-type", "NEMA"))

    assert {f.code for f in read.plans.findings} == {"LV237"}
    assert self_check(read) == ()


@pytest.fixture(params=["barrier2Phases", "coordinatePhases"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Scenario:
    """Return four signals whose phases are all recalled, each with times of its own."""
    net = generate(tmp_path, *GRID, *LIGHTS, "--tls.default-type", "NEMA")
    net.write_text(net.read_text().replace("barrier2Phases", request.param))
    tree = ET.parse(net)
    for number, logic in enumerate(tree.iter("tlLogic")):
        for k, phase in enumerate(logic.iter("phase")):
            phase.set("maxDur", str(8 + (7 * number + 11 * k) % 29))
            phase.set("yellow", str(3 + (number + k) % 2))
            phase.set("red", str((number + k) % 3))
        ET.SubElement(logic, "param", key="maxRecall", value="1,2,3,4,5,6,7,8")
    tree.write(net)
    return scenario(net)


def test_sumo_shows_the_same_second_by_second(city: Scenario, tmp_path: Path) -> None:
    span = (0, 400)
    setup = Setup(
        folder=tmp_path,
        net_file=city.net_file,
        route_files=(),
        additional_files=(),
        begin_s=span[0],
        end_s=span[1],
        step_s=1.0,
        seed=0,
        teleport_s=-1,
    )
    shown = watch_lamps(setup, (span,))

    for logic in ET.parse(city.net_file).iter("tlLogic"):
        cycle = ring_intervals(logic, seconds_of)
        assert cycle is not None
        changes = [change for change in shown if change.controller == logic.attrib["id"]]
        assert by_second(changes, span[1]) == expected(cycle, span[1])


def by_second(changes: list[LampChange], end: int) -> list[str]:
    return [next(c.state for c in reversed(changes) if c.second <= s) for s in range(end)]


def expected(cycle: list[tuple[int, str]], end: int) -> list[str]:
    ends = list(accumulate(length for length, _ in cycle))
    return [
        next(
            state
            for until, (_, state) in zip(ends, cycle, strict=True)
            if 10 * s % ends[-1] < until
        )
        for s in range(end)
    ]


def test_its_plan_has_both_rings_and_says_so(city: Scenario) -> None:
    plans = city.plans.running("workday", 0)
    told = [(f.code, f.fields["cycle_s"]) for f in city.plans.findings]

    assert told == [("LV237", f"{plan.cycle_s:g}") for plan in plans.values()]
    assert all(plan.cycle_s < 200 for plan in plans.values())
    assert {f.code for f in read_scenario(city.net_file.parent).plans.findings} == {"LV237"}
