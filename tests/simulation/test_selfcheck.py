# SPDX-License-Identifier: Apache-2.0
"""Our timelines show what SUMO shows; a reader that swaps, shifts or drops anything is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.io.sumo_nets import cross, generate, logic, own_intervals, scenario, waut

from lvbo.errors import Finding
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.plan import Greens, Plan
from lvbo.simulation.selfcheck import self_check

NAMES = ("bologna_acosta", "cologne1", "cologne8", "grid4x4", "ingolstadt7")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross(tmp_path_factory.mktemp("cross"))


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def mapped(read: Scenario, change: Callable[[Plan], Plan]) -> Scenario:
    return replace(read, plans=read.plans.mapped(change))


@pytest.mark.parametrize("name", NAMES)
def test_a_published_scenario_shows_what_we_read(name: str, bench_data: Path) -> None:
    assert self_check(read_scenario(bench_data / "scenarios" / name)) == ()


@pytest.mark.parametrize("begin", [0, 37, 1234])
@pytest.mark.parametrize("offset", [0, 7, -13, 61.3, 1000])
def test_offsets_are_right_from_any_beginning(net: Path, begin: int, offset: float) -> None:
    own = logic("C", "own", own_intervals(net), offset=offset)
    read = scenario(net, own, begin=begin, end=begin + 600)

    assert self_check(read) == ()


def test_an_offset_of_seven_seconds_starts_the_cycle_seven_seconds_later(net: Path) -> None:
    intervals = [(40, "G" * 16), (50, "r" * 16)]
    plan = scenario(net, logic("C", "own", intervals, offset=7)).plans.plan_index
    by_name = {str(name): own for (_, name), own in plan.items()}

    assert by_name["own"].offset_s == 7.0
    assert by_name["own"].local_ds(70) == 0


def test_durations_in_tenths_keep_their_place_over_an_hour(net: Path) -> None:
    intervals = [(length + 0.3, state) for length, state in own_intervals(net)]

    assert self_check(scenario(net, logic("C", "own", intervals)), cycles=40) == ()


def test_of_several_programmes_the_one_read_last_runs(net: Path) -> None:
    intervals = own_intervals(net)
    longer = [(length + 5, state) for length, state in intervals]
    read = scenario(net, logic("C", "x", intervals, offset=3), logic("C", "a", longer, offset=20))

    assert {str(p.id) for p in read.plans.running("workday", 0).values()} == {"a"}
    assert self_check(read) == ()


@pytest.mark.parametrize("begin", [0, 299, 300, 301, 520])
def test_a_switch_jumps_into_the_new_programme_at_its_second(net: Path, begin: int) -> None:
    intervals = own_intervals(net)
    longer = [(length + 3.5, state) for length, state in intervals]
    programmes = [logic("C", "a", intervals, offset=7), logic("C", "b", longer, offset=-13)]
    table = waut("C", "a", [(300, "b"), (500, "a"), (500.5, "0")])
    read = scenario(net, *programmes, *table, begin=begin, end=begin + 600)

    assert [p.start_s for p in read.plans.day_plans[0].periods] == [0, 300, 500]
    assert self_check(read) == ()


def test_a_switch_to_off_shows_dark_and_flashing_heads(net: Path) -> None:
    table = waut("C", "0", [(300, "off"), (500, "0")])
    read = scenario(net, *table)

    assert "off" in {str(p.id) for p in read.plans.running("workday", 400).values()}
    assert self_check(read) == ()


@pytest.mark.parametrize("procedure", ["GSP", "Stretch"])
def test_a_switch_by_a_procedure_is_told_and_not_judged(net: Path, procedure: str) -> None:
    intervals = own_intervals(net)
    longer = [(length + 3, state) for length, state in intervals]
    table = waut("C", "0", [(300, "b")], procedure=procedure)
    read = scenario(net, logic("C", "b", longer, offset=11), *table)

    assert codes(read.plans.findings) == {"LV215"}
    assert self_check(read, cycles=6) == ()


def swapped(read: Scenario) -> Scenario:
    """Return the scenario with link 0 and link 4 exchanged in our binding."""
    sumo = read.network.sumo
    assert sumo is not None
    other = {0: 4, 4: 0}
    heads = tuple(replace(head, index=other.get(head.index, head.index)) for head in sumo.heads)
    return replace(read, network=replace(read.network, sumo=replace(sumo, heads=heads)))


def without_a_yellow(plan: Plan) -> Plan:
    first, *rest = plan.greens
    windows = tuple(replace(window, yellow_ds=0) for window in first.windows)
    return replace(plan, greens=(Greens(phase=first.phase, windows=windows), *rest))


MUTATIONS: dict[str, Callable[[Scenario], Scenario]] = {
    "two links swapped": swapped,
    "one second later": lambda read: mapped(read, lambda plan: plan.later(1)),
    "one second earlier": lambda read: mapped(read, lambda plan: plan.later(-1)),
    "a yellow dropped": lambda read: mapped(read, without_a_yellow),
}


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_misread_programme_is_caught(net: Path, name: str) -> None:
    read = scenario(net)
    found = self_check(MUTATIONS[name](read))

    assert self_check(read) == ()
    assert codes(found) == {"LV219"}
    assert {finding.place for finding in found} == {"C"}


def test_a_mismatch_names_link_second_and_both_lamps(net: Path) -> None:
    first = self_check(MUTATIONS["one second later"](scenario(net)))[0]

    assert dict(first.fields) == {
        "link": 0,
        "second": 0,
        "expected": "r",
        "shown": "G",
        "seconds": 6,
    }


def test_a_switch_taken_a_second_late_is_caught(net: Path) -> None:
    intervals = own_intervals(net)
    table = waut("C", "0", [(300, "b")])
    read = scenario(net, logic("C", "b", intervals, offset=31), *table)
    day = read.plans.day_plans[0]
    late = tuple(
        replace(p, start_s=p.start_s + (p.start_s > 0), end_s=p.end_s + (p.end_s > 0))
        for p in day.periods
    )
    wrong = replace(read, plans=replace(read.plans, day_plans=(replace(day, periods=late),)))
    found = self_check(wrong)

    assert self_check(read) == ()
    assert {finding.fields["second"] for finding in found} == {300}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["--grid", "--spider", "--rand"])
def test_any_generated_city_shows_what_we_read(tmp_path: Path, kind: str, seed: int) -> None:
    options = ["--seed", str(seed), "-j", "traffic_light", "-L", "2", "--tls.guess", "true"]
    turn = ["--turn-lanes", "1"] if kind == "--grid" else []
    read = scenario(generate(tmp_path, kind, *options, *turn))

    assert len(read.network.controllers) > 3
    assert self_check(read) == ()


@pytest.mark.slow
def test_the_demo_city_shows_what_we_read_all_day() -> None:
    folder = Path(__file__).parents[2] / "src" / "lvbo" / "city" / "data" / "yuci"
    read = read_scenario(folder / "yuci.am.sumocfg")

    assert len(read.plans.day_plans[0].periods) == 12
    assert self_check(read, cycles=40) == ()
