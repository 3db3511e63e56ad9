# SPDX-License-Identifier: Apache-2.0
"""A site sheet replaces what was computed from geometry, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.io.sumo_nets import cross, write_config

from lvbo.errors import InputError
from lvbo.io.scenario import Scenario
from lvbo.io.site import find_site_sheet, read_site_sheet, street_speeds
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.lamp import Countdown, PhaseKind

SHEET = """
schema = "lvbo-site 1"
zone = "Europe/Berlin"

[[span]]
sumocfg = "run.sumocfg"
warm_up_s = 900
run_out_s = 600

[[street]]
name = "High St"
median_kmh = 36
coordinate = true

[controller.C]
name = "Market"
order = ["A", "B"]
countdown = "full"
yellow_s = 3
all_red_s = 4
green_flash_s = 3
drift_s_pd = 2
set_every_h = 12
min_green_s = { T = 12, L = 9 }

[controller.C.walk]
steady_s = 11
clearance_s = { N = 21 }

[[controller.C.follows]]
leg = "N"
turn = "L"
after = "T"
"""


def read_with(tmp_path: Path, sheet: str | None) -> Scenario:
    net = cross(tmp_path, "--sidewalks.guess", "--crossings.guess", lanes=4)
    if sheet is not None:
        (tmp_path / "cross.site.toml").write_text(sheet, encoding="utf-8")
    return read_scenario(write_config(net))


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_with(tmp_path_factory.mktemp("stated"), SHEET)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_with(tmp_path_factory.mktemp("computed"), None)


def test_the_sheet_names_zone_span_and_controller(stated: Scenario) -> None:
    assert stated.network.zone == "Europe/Berlin"
    assert (stated.warm_up_s, stated.run_out_s) == (900, 600)
    assert stated.network.controllers[0].name == "Market"
    assert stated.network.controllers[0].rules.countdown is Countdown.FULL


def test_stated_clearances_replace_computed_ones(stated: Scenario, computed: Scenario) -> None:
    rules = stated.network.controllers[0].rules
    vehicles = {need for a, _, need in rules.foes if rules.phase_index[a].kind is PhaseKind.VEHICLE}
    north = {need for a, _, need in rules.foes if str(a) == "N.ped"}

    assert vehicles == {70}
    assert north == {210}
    assert computed.network.controllers[0].rules.foes != rules.foes
    assert [(a, b) for a, b, _ in computed.network.controllers[0].rules.foes] == [
        (a, b) for a, b, _ in rules.foes
    ]


def test_a_walk_without_a_stated_clearance_keeps_its_computed_one(
    stated: Scenario, computed: Scenario
) -> None:
    def south(read: Scenario) -> list[int | None]:
        return [n for a, _, n in read.network.controllers[0].rules.foes if str(a) == "S.ped"]

    assert south(stated) == south(computed) != []


def test_a_minimum_green_is_never_above_what_the_site_runs(stated: Scenario) -> None:
    rules = stated.network.controllers[0].rules
    plan = stated.plans.plans[0]
    shortest = {g.phase: min(w.length_ds for w in g.windows) for g in plan.greens}
    least = {p: limit.min_green_ds for p, limit in rules.limit_index.items()}

    assert all(least[phase] <= shortest[phase] for phase in shortest)
    assert max(least.values()) == 120


def test_vehicles_flash_before_yellow_and_people_do_not(stated: Scenario) -> None:
    rules = stated.network.controllers[0].rules
    flashes = {(p.kind, p.flash_ds) for p in rules.phases if p.is_going}

    assert flashes == {(PhaseKind.VEHICLE, 30), (PhaseKind.PEDESTRIAN, 0)}


def test_a_waiting_area_orders_two_phases_and_fixes_the_sites_order(stated: Scenario) -> None:
    rules = stated.network.controllers[0].rules
    pairs = [(str(f.phase)[:3], str(f.after)[:3]) for f in rules.follows]

    assert pairs == [("N.L", "N.T")]
    assert not rules.may_skip


def test_measured_speeds_belong_to_the_links_of_the_street(tmp_path: Path) -> None:
    net = cross(tmp_path)
    content = net.read_text(encoding="utf-8")
    net.write_text(content.replace('<edge id="NC"', '<edge id="NC" name="High St"'), "utf-8")
    (tmp_path / "cross.site.toml").write_text(SHEET.partition("[controller")[0], encoding="utf-8")
    read = read_scenario(write_config(net))
    sheet = read_site_sheet(tmp_path / "cross.site.toml")

    assert street_speeds(read.network, sheet) == {"NC": 10.0}
    assert dict(read.speeds_mps) == {"NC": 10.0}
    assert sheet.coordinate == ("High St",)


def test_of_several_sheets_none_is_taken(tmp_path: Path) -> None:
    assert find_site_sheet(tmp_path) is None
    (tmp_path / "a.site.toml").touch()
    assert find_site_sheet(tmp_path) == tmp_path / "a.site.toml"
    (tmp_path / "b.site.toml").touch()
    with pytest.raises(InputError) as caught:
        find_site_sheet(tmp_path)

    assert caught.value.code == "LV124"


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        ("schema = ", "LV120"),
        ('schema = "other 1"', "LV120"),
        ('schema = "lvbo-site 1"\n[[span]]\nwarm_up_s = 1', "LV121"),
        ('schema = "lvbo-site 1"\n[controller.C]\ngreen_flash_s = "long"', "LV121"),
        ('schema = "lvbo-site 1"\n[controller.C]\nmin_green_s = 3', "LV121"),
        ('schema = "lvbo-site 1"\n[controller.Z]\nname = "Z"', "LV122"),
    ],
)
def test_a_sheet_that_makes_no_sense_is_refused(tmp_path: Path, sheet: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_with(tmp_path, sheet)

    assert caught.value.code == code
    assert caught.value.findings()[0].place == "cross.site.toml"


def test_a_sheet_says_how_true_a_clock_stays(stated: Scenario) -> None:
    clock = stated.network.controllers[0].clock

    assert (clock.linked, clock.worst_s) == (True, 1.0)


def test_a_clock_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_with(tmp_path, SHEET.replace("drift_s_pd = 2", "drift_s_pd = -2"))

    assert refused.value.code == "LV121"
