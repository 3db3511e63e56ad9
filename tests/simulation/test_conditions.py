# SPDX-License-Identifier: Apache-2.0
"""The same traffic in rain and snow, and past a lane that is closed."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lvbo.errors import UsageError
from lvbo.evaluation.measures import measure
from lvbo.io.scenario import Scenario, Weather
from lvbo.simulation.closure import (
    LASTS_S,
    NAME,
    TO_STOP_M,
    Closure,
    busiest_closure,
    passable_lanes,
    with_closure,
)
from lvbo.simulation.count import count_scenario
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import simulate
from lvbo.simulation.weather import TAG, in_weather

TYPES = """<routes>
    <!-- a type of each kind -->
    <vType id="car" vClass="passenger" accel="2.0" tau="1.25"
        speedFactor="normc(0.9,0.1,0.7,1.05)"/>
    <vType id="slow" vClass="truck" speedFactor="0.8" speedDev="0.05">
        <param key="a" value="b"/>
    </vType>
    <vType id="walker" vClass="pedestrian" maxSpeed="1.2"/>
    <vTypeDistribution id="mix"><vType id="odd" probability="1.0"/></vTypeDistribution>
</routes>
"""


def types_of(path: Path) -> dict[str, str]:
    tags = [tag.group(0) for tag in TAG.finditer(path.read_text(encoding="utf-8"))]
    return {re.findall(r'id="([^"]*)"', tag)[0]: tag for tag in tags}


def run_of(scenario: Scenario) -> Run:
    (run,) = simulate(scenario, None, seeds=[0], workers=1).runs
    return run


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_type_drives_by_the_same_factors(tiny: Scenario, tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"types.rou.xml{ending}"
    source.write_bytes(gzip.compress(TYPES.encode()) if ending else TYPES.encode())
    snow = in_weather(replace(tiny, route_files=(source,)), Weather.SNOW, tmp_path / "snow")
    found = types_of(snow.route_files[0])

    assert 'accel="1.300"' in found["car"]  # 0.65 x 2.0
    assert 'tau="1.500"' in found["car"]
    assert "normc(0.6750,0.1,0.5250,0.7875)" in found["car"]
    assert 'accel="0.845"' in found["slow"]  # 0.65 x 1.3, SUMO's own for trucks
    assert "normc(0.6000,0.05,0.1500,1.5000)" in found["slow"]
    assert not found["slow"].endswith("/>")
    assert found["walker"] == '<vType id="walker" vClass="pedestrian" maxSpeed="1.2"/>'
    assert 'accel="1.690"' in found["odd"]
    assert source.exists()


def test_snow_is_slower_than_rain_and_rain_than_a_dry_road(tiny: Scenario, tmp_path: Path) -> None:
    runs = [run_of(in_weather(tiny, weather, tmp_path / weather)) for weather in Weather]
    trips = [measure(run, tiny.network).trip_s for run in runs]

    assert trips == sorted(trips)
    assert trips[0] < trips[1] < trips[2]
    assert len({run.vehicles.height for run in runs}) == 1


def test_a_broken_down_vehicle_stands_on_the_busiest_lane_for_its_time(
    tiny: Scenario, tmp_path: Path
) -> None:
    counts = count_scenario(tiny, workers=1)
    closure = busiest_closure(tiny, counts)
    closed = with_closure(tiny, closure, tmp_path / "closed")
    file = closed.route_files[-1].read_text(encoding="utf-8")

    assert closure.lane in set(passable_lanes(tiny.network))
    assert (closure.begin_s, closure.end_s) == (200, 200 + LASTS_S)
    assert f'endPos="{-TO_STOP_M}"' in file
    short = with_closure(tiny, replace(closure, end_s=400), tmp_path / "short")
    own = run_of(short).vehicles
    assert own.filter(own["vehicle"] == NAME)["depart_s"].to_list() == [200.0]
    assert own.height == run_of(tiny).vehicles.height + 1


def test_nothing_is_closed_where_nobody_could_pass(tiny: Scenario) -> None:
    counts = count_scenario(tiny, workers=1)
    network = tiny.network
    narrow = replace(
        network,
        links=tuple(replace(link, lanes=link.lanes[:1]) for link in network.links),
    )

    with pytest.raises(UsageError, match="LV639"):
        busiest_closure(replace(tiny, network=narrow), counts)
    with pytest.raises(UsageError, match="LV123"):
        with_closure(
            replace(tiny, network=replace(network, sumo=None)),
            Closure(lane=network.links[0].lanes[0].id, begin_s=0, end_s=1),
            tiny.folder,
        )
