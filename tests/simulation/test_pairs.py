# SPDX-License-Identifier: Apache-2.0
"""Two signals 20 m apart in SUMO, led as one, while many turn left between them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from tests.simulation.tiny import END_S, build_tiny

from lvbo.control.protocols import Order
from lvbo.control.registry import ControllerSpec
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.runs import Run
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import simulate_controlled

GAP_M = 34
ROUTES = {
    "east": ("WA AB BE", 12),
    "west": ("EB BA AW", 12),
    "left_at_b": ("WA AB BBN", 8),
    "left_at_a": ("EB BA AAS", 8),
    "south": ("ANA AAS", 15),
    "north": ("BSB BBN", 20),
}
ALONG = {"A": ("WA", "AB"), "B": ("EB", "BA")}
"""By signal those who drive along the street to the other one."""


STAGES = {
    "A": (("WA", "BA"), ("BA",), ("ANA", "ASA")),
    "B": (("AB", "EB"), ("AB",), ("BNB", "BSB")),
}
"""By signal whom its stages serve: the street, only those between the signals, the cross street."""


@pytest.fixture(scope="module")
def close(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("close")
    config = build_tiny(folder, gap_m=GAP_M, routes=ROUTES)
    net = ET.parse(folder / "tiny.net.xml")
    for logic in net.iter("tlLogic"):
        set_stages(logic, net, STAGES[logic.attrib["id"]])
    net.write(folder / "tiny.net.xml")
    return read_scenario(config)


def set_stages(
    logic: ET.Element, net: ET.ElementTree[ET.Element[str]], stages: tuple[tuple[str, ...], ...]
) -> None:
    """Write stages of these edges into a programme, each 20 s, with yellow and red between them."""
    heads = {
        int(c.attrib["linkIndex"]): (c.attrib["from"], c.attrib["dir"])
        for c in net.iter("connection")
        if c.get("tl") == logic.attrib["id"]
    }
    for phase in list(logic):
        logic.remove(phase)
    greens = [
        "".join(
            "r" if start not in stage else "g" if turn == "l" and len(stage) > 1 else "G"
            for _, (start, turn) in sorted(heads.items())
        )
        for stage in stages
    ]
    for own, after in zip(greens, (*greens[1:], greens[0]), strict=True):
        ends = [x in "Gg" and y == "r" for x, y in zip(own, after, strict=True)]
        for length, lamp in (("20", ""), ("3", "y"), ("2", "r")):
            kept = [lamp or x if end or not lamp else x for x, end in zip(own, ends, strict=True)]
            ET.SubElement(logic, "phase", duration=length, state="".join(kept))


def drive(scenario: Scenario, name: str, sensing: str = "loops", order: Order = Order.SKIP) -> Run:
    spec = ControllerSpec(name=name)
    controlling = Controlling(spec=spec, sensing=parse_sensing(sensing), order=order)
    (run,) = simulate_controlled(scenario, controlling, seeds=[1], workers=1).runs
    return run


def let_in(run: Run, scenario: Scenario, signal: str) -> set[int]:
    """Return the seconds in which a signal lets vehicles drive on to the other one."""
    start, end = ALONG[signal]
    links = [
        int(c.get("linkIndex", "-1"))
        for c in ET.parse(scenario.net_file).getroot().iter("connection")
        if (c.get("tl"), c.get("from"), c.get("to")) == (signal, start, end)
    ]
    shown = [c for c in run.lamps if c.controller == signal]
    ends = [int(c.second) for c in shown[1:]] + [END_S]
    return {
        second
        for change, until in zip(shown, ends, strict=True)
        if any(change.state[k] in "Gg" for k in links)
        for second in range(int(change.second), until)
    }


@pytest.mark.parametrize(
    ("sensing", "order"),
    [("loops", Order.SKIP), ("area", Order.SKIP), ("loops", Order.ANY), ("loops", Order.FIXED)],
)
def test_a_pair_lets_in_from_one_side_at_a_time(
    close: Scenario, sensing: str, order: Order
) -> None:
    run = drive(close, "lvbo", sensing, order)
    a, b = (let_in(run, close, name) for name in ALONG)

    assert min(len(a), len(b)) > 60
    assert {second for second in a & b if second > 60} == set()  # the first lamps are the site's
    assert run.violations == ()
    assert run.controlled is not None
    assert run.controlled.locks == 0


def test_each_signal_by_itself_lets_in_from_both_sides_at_once(close: Scenario) -> None:
    run = drive(close, "adaptive")
    a, b = (let_in(run, close, name) for name in ALONG)

    assert len(a & b) > 60


def test_signals_whose_detectors_fail_are_led_no_longer(close: Scenario) -> None:
    run = drive(close, "lvbo", "loops+dead:0.6")
    assert run.decisions is not None
    a, b = (let_in(run, close, name) for name in ALONG)

    assert run.violations == ()
    assert "LV755" in run.decisions["code"].to_list()  # another rung decides
    assert len(a & b) > 60


def test_a_controller_with_a_clock_of_its_own_leads_nobody(close: Scenario) -> None:
    spec = ControllerSpec(name="lvbo", params=(("clock_s", 10),))
    (run,) = simulate_controlled(close, Controlling(spec=spec), seeds=[1], workers=1).runs
    a, b = (let_in(run, close, name) for name in ALONG)

    assert run.violations == ()
    assert len(a & b) > 60
