# SPDX-License-Identifier: Apache-2.0
"""Configurations in every writing SUMO takes, and files that are broken in any way."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.io.sumo_nets import cross, generate

from lvbo.errors import InputError
from lvbo.io.doubts import check_network
from lvbo.io.sumo_net import read_network_and_plans
from lvbo.io.sumo_scenario import read_scenario
from lvbo.io.sumo_xml import seconds_of
from lvbo.signal.check import check_plan


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross(tmp_path_factory.mktemp("cross"))


def config(net: Path, inner: str) -> Path:
    path = net.with_name("own.sumocfg")
    path.write_text(f"<configuration>{inner}</configuration>", encoding="utf-8")
    return path


def test_times_may_be_clock_times(net: Path) -> None:
    text = '<net-file value="plain.net.xml"/><begin value="7:00:00"/><end value="08:15:30"/>'
    read = read_scenario(config(net, text))

    assert (read.begin_s, read.end_s) == (25_200, 29_730)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("1.5", 1.5), ("1:30", 90.0), ("2:00:00", 7200.0), ("1:0:0:1", 86_401.0)],
)
def test_a_time_is_read_as_sumo_reads_it(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_what_only_a_window_shows_is_left_out(net: Path) -> None:
    text = (
        '<net-file value="plain.net.xml"/><lateral-resolution value="0.8"/>'
        '<gui_only><osg-view value="true"/><delay value="20"/></gui_only>'
    )

    assert read_scenario(config(net, text)).options == (("lateral-resolution", "0.8"),)


def test_short_option_names_are_the_long_ones(net: Path) -> None:
    read = read_scenario(config(net, '<n value="plain.net.xml"/><b value="60"/><e value="90"/>'))

    assert (read.net_file.name, read.begin_s, read.end_s) == ("plain.net.xml", 60, 90)


@pytest.mark.parametrize("end", ["", '<end value="-1"/>'])
def test_without_an_end_an_hour_is_judged(net: Path, end: str) -> None:
    text = f'<net-file value="plain.net.xml"/><begin value="600"/>{end}'

    assert read_scenario(config(net, text)).end_s == 4200


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ('<begin value="noon"/>', "LV105"),
        ('<step-length value="fast"/>', "LV105"),
        ('<time-to-teleport value=""/>', "LV105"),
        ('<begin value="20"/><end value="10"/>', "LV119"),
        ('<step-length value="0"/>', "LV119"),
        ('<route-files value="none.rou.xml"/>', "LV101"),
    ],
)
def test_a_strange_configuration_is_refused(net: Path, inner: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(config(net, f'<net-file value="plain.net.xml"/>{inner}'))

    assert caught.value.code == code


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("whole")
    sizes = ("--grid.number", "1", "--grid.attach-length", "60", "-j", "traffic_light")
    options = (*sizes, "--sidewalks.guess", "--crossings.guess", "-L", "2")
    return generate(folder, "--grid", *options).read_text(encoding="utf-8")


def broken(text: str, seed: int) -> bytes:
    """Return a network with one or two elements or attributes lost or spoilt."""
    rng = random.Random(seed)
    root = ET.fromstring(text)
    for _ in range(rng.choice([1, 1, 2])):
        parent, element = rng.choice([(p, e) for p in root.iter() for e in p])
        work = rng.randrange(3)
        if work == 0 or not element.attrib:
            parent.remove(element)
        elif work == 1:
            element.attrib.pop(rng.choice(sorted(element.attrib)))
        else:
            strange = ["", "-1", "x", "0", "1e9", "nan", "inf", "a b", "1,2"]
            element.set(rng.choice(sorted(element.attrib)), rng.choice(strange))
    return ET.tostring(root)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=120)
def test_a_broken_network_is_read_or_refused_but_never_fails(whole: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "broken.net.xml"
        path.write_bytes(broken(whole, seed))
        try:
            network, plans = read_network_and_plans(path)
        except InputError:
            return
        check_network(network, plans)
        for plan in plans.plans:
            check_plan(plan, network.controller_index[plan.controller].rules)
