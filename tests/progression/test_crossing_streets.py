# SPDX-License-Identifier: Apache-2.0
"""Streets that cross, coordinated together and one after another."""

from __future__ import annotations

import pytest
from tests.io.sumo_nets import generate
from tests.progression.networks import BRIEF
from tests.streets import flat_demand

from lvbo.errors import UsageError
from lvbo.io.sumo_net import read_network
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.band import value_of
from lvbo.progression.coordinate import Street, coordinate
from lvbo.progression.coordinate_network import NetworkGoal, NetworkWave, coordinate_network
from lvbo.progression.explain import explain_wave
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.walk import walk_plan
from lvbo.progression.wave import WaveSettings
from lvbo.signal.check import check_plan
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import time_plans

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)
GOAL = NetworkGoal(effort=BRIEF)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    options = ["--grid", "--grid.x-number=2", "--grid.y-number=2", "--grid.x-length=310"]
    options += ["--grid.y-length=230", "--grid.attach-length=200"]
    options += ["--default-junction-type=traffic_light", "--default.lanenumber=2"]
    return read_network(generate(tmp_path_factory.mktemp("square"), *options))


@pytest.fixture(scope="module")
def plans(network: Network) -> PlanSet:
    limits = CycleLimits(least_s=60, most_s=80)
    return time_plans(network, flat_demand(network, 500.0, 60.0), DAYS, limits=limits)


@pytest.fixture(scope="module")
def corridors(network: Network) -> tuple[Corridor, ...]:
    return network.corridors


@pytest.fixture(scope="module")
def together(network: Network, plans: PlanSet, corridors: tuple[Corridor, ...]) -> NetworkWave:
    return coordinate_network(corridors, plans, street=Street(network=network), goal=GOAL)


def worth(made: NetworkWave) -> float:
    return sum(value_of(p.problem, p.runs) for w in made.waves for p in w.periods)


def test_crossing_streets_run_one_plan_at_each_controller(
    network: Network, together: NetworkWave
) -> None:
    running = {p.controller: p for p in together.plans.plans}

    assert len(together.waves) == 4
    for wave in together.waves:
        (period,) = wave.periods
        walk = walk_plan(period.problem, period.runs)

        assert [f.code for f in walk.violations] == []
        assert all(running[p.controller] == p for p in period.plans)
        assert all(
            p.offset_ds * 100 == o
            for p, o in zip(period.plans, period.runs.offsets_ms, strict=True)
        )
    found = [
        f
        for p in running.values()
        for f in check_plan(p, network.controller_index[p.controller].rules)
        if f.severity == "error"
    ]
    assert found == []


def test_each_crossing_street_is_told_which_signals_hold_its_bands(together: NetworkWave) -> None:
    for wave in together.waves:
        (period,) = wave.periods
        runs = period.runs
        told = {(f.place, f.fields["direction"]) for f in explain_wave(period)}
        held = {
            (str(period.controllers[k]), way)
            for way, band_ms, signals in (
                ("outbound", runs.outbound_ms, runs.binding_out),
                ("inbound", runs.inbound_ms, runs.binding_in),
            )
            for k in signals
            if band_ms > 0
        }

        assert told == held
        assert held or runs.sum_ms == 0


def test_together_is_never_worth_less_than_one_after_another(
    network: Network, plans: PlanSet, corridors: tuple[Corridor, ...], together: NetworkWave
) -> None:
    goal = NetworkGoal(one_by_one=True, effort=BRIEF)

    in_turn = coordinate_network(corridors, plans, street=Street(network=network), goal=goal)

    assert worth(together) >= worth(in_turn)
    first = coordinate(corridors[0], plans, street=Street(network=network))
    assert in_turn.waves[0].periods[0].runs == first.periods[0].runs


def test_every_street_is_told_what_crossing_costs_it(together: NetworkWave) -> None:
    said = [f for f in together.findings if f.code in {"LV487", "LV488"}]

    assert len(said) == 4
    for finding, wave in zip(said, together.waves, strict=True):
        runs = wave.periods[0].runs
        assert finding.fields["out_s"] == round(runs.outbound_ms / 1000, 1)
        assert wave.corridor.name not in str(finding.fields["crossing"])


def test_a_held_street_keeps_the_bands_it_has_alone(
    network: Network, plans: PlanSet, corridors: tuple[Corridor, ...]
) -> None:
    street = Street(network=network)
    alone = coordinate(corridors[3], plans, street=street).periods[0].runs
    goal = NetworkGoal(held=frozenset({corridors[3].name}), effort=BRIEF)

    held = coordinate_network(corridors, plans, street=street, goal=goal)

    runs = held.waves[3].periods[0].runs
    assert runs.outbound_ms >= alone.outbound_ms
    assert runs.inbound_ms >= alone.inbound_ms


def test_locked_controllers_keep_offset_and_plan(
    network: Network, plans: PlanSet, corridors: tuple[Corridor, ...]
) -> None:
    fixed = corridors[0].controllers[0]
    street = Street(network=network, locked=frozenset({fixed}))

    made = coordinate_network(corridors, plans, street=street, goal=GOAL)

    before = {p.controller: p for p in plans.plans}
    after = {p.controller: p for p in made.plans.plans}
    assert after[fixed] == before[fixed]


def test_signs_on_crossing_streets_stay_multiples_of_the_step(
    network: Network, plans: PlanSet, corridors: tuple[Corridor, ...]
) -> None:
    settings = WaveSettings(posted_step_kmh=5.0, speed_low=0.5, speed_high=1.0)

    made = coordinate_network(
        corridors[::3], plans, street=Street(network=network), settings=settings, goal=GOAL
    )

    for wave in made.waves:
        (period,) = wave.periods
        assert [f.code for f in walk_plan(period.problem, period.runs).violations] == []
        for speed in (*period.speeds_out_mps, *period.speeds_in_mps):
            assert round(3.6 * speed, 2) % 5 == pytest.approx(0, abs=0.05)


def test_other_models_and_unknown_names_are_refused(
    plans: PlanSet, corridors: tuple[Corridor, ...]
) -> None:
    with pytest.raises(UsageError, match="LV489"):
        coordinate_network(corridors, plans, settings=WaveSettings(model=WaveModel.MULTIBAND))
    with pytest.raises(UsageError, match="LV489"):
        coordinate_network(corridors, plans, goal=NetworkGoal(held=frozenset({"nowhere"})))
