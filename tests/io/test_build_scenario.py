# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.cross import cross, movement
from tests.simulation.tiny import build_tiny

from lvbo.demand.demand import Demand, Saturation
from lvbo.demand.estimate import estimate_demand
from lvbo.errors import InputError, UsageError
from lvbo.ids import LaneId, LinkId
from lvbo.io.build_scenario import FIT, ROUTES, build_scenario, calmness, driver
from lvbo.io.route_fit import fit_routes
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.network.place import Turn
from lvbo.signal.schedule import Period
from lvbo.simulation.count import count_scenario

HOUR = Period(start_s=0, end_s=3600, name="p0000")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(build_tiny(tmp_path_factory.mktemp("street")))


@pytest.fixture(scope="module")
def demand(tiny: Scenario) -> Demand:
    return estimate_demand(tiny.network, count_scenario(tiny, seeds=[1000], workers=1))


def test_a_built_scenario_carries_the_counted_traffic(
    tiny: Scenario, demand: Demand, tmp_path: Path
) -> None:
    built = build_scenario(tiny.network, demand, HOUR, net_file=tiny.net_file, folder=tmp_path)
    again = estimate_demand(tiny.network, count_scenario(built, seeds=[1000], workers=1))
    wanted = np.nanmean(demand.volume_vph, axis=(0, 1))
    found = np.nanmean(again.volume_vph[:, 1:], axis=(0, 1))
    busy = wanted > 100

    assert busy.sum() >= 4
    assert found[busy] == pytest.approx(wanted[busy], rel=0.15)


def test_the_fit_is_written_with_its_geh(tiny: Scenario, demand: Demand, tmp_path: Path) -> None:
    build_scenario(tiny.network, demand, HOUR, net_file=tiny.net_file, folder=tmp_path)
    with (tmp_path / FIT).open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))

    assert {row["movement"] for row in rows} <= set(demand.movements)
    assert max(float(row["geh"]) for row in rows) < 5


def test_the_same_seed_gives_the_same_vehicles(
    tiny: Scenario, demand: Demand, tmp_path: Path
) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        build_scenario(tiny.network, demand, HOUR, net_file=tiny.net_file, folder=folder)
        made.append((folder / ROUTES).read_text(encoding="utf-8"))

    assert made[0] == made[1]
    assert len(ET.fromstring(made[0]).findall("vehicle")) > 100


def test_drivers_discharge_as_was_measured(demand: Demand) -> None:
    lanes = [LaneId(f"in-{leg}_1") for leg in "NESW"]
    calm, brisk = (
        driver(
            calmness(
                replace(
                    demand,
                    saturations=tuple(
                        Saturation(lane=lane, flow_vph=flow, observed=True) for lane in lanes
                    ),
                ),
                cross(),
            )
        )
        for flow in (1641.0, 1846.0)
    )

    assert (calm["tau"], calm["accel"], calm["startupDelay"]) == ("1.250", "2.001", "0.500")
    assert (brisk["tau"], brisk["accel"], brisk["startupDelay"]) == ("1.000", "2.600", "0.000")


def test_flows_add_up_to_what_was_counted() -> None:
    network = cross()
    wanted = {
        movement(leg, turn): volume
        for leg in "NESW"
        for turn, volume in [("left", 100.0), ("through", 400.0), ("right", 80.0)]
    }
    fit = fit_routes(network, wanted)

    assert fit.good_share == 1.0
    assert fit.fitted_vph == pytest.approx(fit.wanted_vph, rel=0.01)
    assert fit.flow_vph.sum() == pytest.approx(4 * 580.0, rel=0.01)
    assert fit.findings == ()


def test_traffic_that_appears_between_two_counts_begins_there(tiny: Scenario) -> None:
    network = tiny.network
    volumes = {m.id: 0.0 for m in network.movements}
    through = {(m.from_link, m.to_link): m.id for m in network.movements if m.turn is Turn.THROUGH}
    volumes[through[LinkId("WA"), LinkId("AB")]] = 200.0
    volumes[through[LinkId("AB"), LinkId("BE")]] = 500.0
    fit = fit_routes(network, volumes)
    flows = dict(zip(fit.paths, fit.flow_vph, strict=True))

    assert fit.good_share == 1.0
    assert flows[LinkId("AB"), LinkId("BE")] == pytest.approx(300.0, abs=5)


def test_a_period_that_was_not_seen_is_refused(
    tiny: Scenario, demand: Demand, tmp_path: Path
) -> None:
    night = Period(start_s=7200, end_s=10_800, name="p0200")
    with pytest.raises(InputError) as caught:
        build_scenario(tiny.network, demand, night, net_file=tiny.net_file, folder=tmp_path / "no")

    assert caught.value.code == "LV549"
    assert not (tmp_path / "no").exists()


def test_a_network_without_sumo_is_refused(demand: Demand, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        build_scenario(cross(), demand, HOUR, net_file=tmp_path / "x.net.xml", folder=tmp_path)

    assert caught.value.code == "LV548"


def test_counts_of_another_network_fit_no_path() -> None:
    with pytest.raises(InputError) as caught:
        fit_routes(cross(), {movement("E", "nowhere"): 100.0})

    assert caught.value.code == "LV545"
