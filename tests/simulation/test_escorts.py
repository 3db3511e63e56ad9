# SPDX-License-Identifier: Apache-2.0
"""Officers' routes in the simulation: they are laid, driven, made way for, and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.control.registry import ControllerSpec
from lvbo.control.routes import lay_route
from lvbo.errors import InputError
from lvbo.evaluation.routes import measure_routes
from lvbo.ids import ControllerId, LinkId
from lvbo.io.routes_toml import RouteSheet
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import state_at
from lvbo.io.sumo_scenario import read_scenario
from lvbo.simulation.controlled import Controlling
from lvbo.simulation.escorts import PREFIX, escorts_of
from lvbo.simulation.runs import Run, Runs
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import simulate_controlled
from lvbo.simulation.tools import repaired

EAST = RouteSheet(name="visit", rank=1, start_s=150, links=(LinkId("WA"), LinkId("BE")), vehicles=2)
SOUTH = RouteSheet(name="fire", rank=2, start_s=200, links=(LinkId("ANA"), LinkId("AAS")))


def run(
    scenario: Scenario, *sheets: RouteSheet, priority: bool = True, name: str = "actuated"
) -> Runs:
    controlling = Controlling(
        spec=ControllerSpec(name=name),
        escorts=escorts_of(sheets, scenario.network),
        priority=priority,
    )
    return simulate_controlled(scenario, controlling, seeds=[0], workers=1)


def shown_at(record: Run, controller: str, second: int) -> str:
    own = [c.state for c in record.lamps if c.controller == controller and c.second <= second]
    return own[-1]


def test_a_route_is_laid_along_the_shortest_way_with_its_signals(tiny: Scenario) -> None:
    network = tiny.network
    route = lay_route(EAST, network)
    first, second = route.stops

    assert route.links == ("WA", "AB", "BE")
    assert (first.controller, second.controller) == ("A", "B")
    assert first.metres == pytest.approx(network.link_index[LinkId("WA")].length_m)
    through = next(m for m in network.movements_from[LinkId("WA")] if m.to_link == LinkId("AB"))
    between = through.length_m + network.link_index[LinkId("AB")].length_m
    assert second.metres - first.metres == pytest.approx(between)
    assert route.pace_mps == pytest.approx(0.8 * 13.89, rel=0.01)
    rules = network.controller_index[first.controller].rules
    served = {s.movement for s in rules.services if s.phase in first.phases}
    assert through.id in served


def test_links_that_are_unknown_or_lead_nowhere_are_told(tiny: Scenario) -> None:
    with pytest.raises(InputError, match="LV792"):
        lay_route(replace(EAST, links=(LinkId("WA"), LinkId("nowhere"))), tiny.network)
    with pytest.raises(InputError, match="LV793"):
        lay_route(replace(EAST, links=(LinkId("BE"), LinkId("WA"))), tiny.network)


def test_a_route_gains_its_vehicles_time_and_says_what_others_lose(tiny: Scenario) -> None:
    without = run(tiny, EAST, SOUTH, priority=False)
    given = run(tiny, EAST, SOUTH)
    effects = {one.route: one for one in measure_routes(without, given)}
    (record,) = given.runs
    (bare,) = without.runs
    stops = record.stops
    assert stops is not None
    assert bare.stops is not None

    assert record.violations == bare.violations == ()
    assert effects["visit"].vehicles == 2
    assert effects["fire"].vehicles == 1
    assert effects["visit"].trip_s < effects["visit"].trip_without_s
    assert effects["visit"].stops == 0
    own = record.vehicles.filter(record.vehicles["vehicle"].str.starts_with(PREFIX + "visit"))
    trip_s = float((own["duration_s"] + own["depart_delay_s"]).to_numpy().mean())
    assert effects["visit"].trip_s == pytest.approx(trip_s)
    lost = effects["visit"].others_s - effects["visit"].others_without_s
    others = record.due.filter(~record.due["vehicle"].str.starts_with(PREFIX)).height
    assert effects["visit"].others_h == pytest.approx(lost * others / 3600)
    assert stops.filter(stops["end"] == "passed").height == stops.height == 3
    assert bare.stops["asked_s"].null_count() == 3
    decided = record.decisions
    assert decided is not None
    assert {"LV796"} <= set(decided["code"].to_list())


def test_plans_make_way_too_and_are_back_in_step(tiny: Scenario) -> None:
    plans = repaired(tiny.plans, tiny)
    day_type = plans.day_plans[0].day_type
    controlling = Controlling(
        spec=ControllerSpec(name="fixed"),
        plans=plans.running(day_type, 0),
        sensing=parse_sensing("loops"),
        escorts=escorts_of([EAST], tiny.network),
    )
    (record,) = simulate_controlled(tiny, controlling, seeds=[0], workers=1).runs
    assert record.stops is not None

    assert record.violations == ()
    assert record.stops["end"].to_list() == ["passed", "passed"]
    assert record.controlled is not None
    assert record.controlled.released == 0
    for name in ("A", "B"):
        plan = controlling.plans[ControllerId(name)]
        wrong = [
            at
            for at in range(450, 590)
            if shown_at(record, name, at) != state_at(plan, tiny.network, plan.local_ds(10 * at))
        ]
        assert wrong == []


def test_a_site_that_runs_plans_whoever_controls_is_left_to_them(tmp_path: Path) -> None:
    config = build_tiny(tmp_path)
    sheet = 'schema = "lvbo-site 1"\n[controller.A]\ncountdown = "full"\n'
    (tmp_path / "tiny.site.toml").write_text(sheet, encoding="utf-8")
    scenario = read_scenario(config)
    controlling = Controlling(
        spec=ControllerSpec(name="actuated"),
        schedule=scenario.plans,
        escorts=escorts_of([EAST], scenario.network),
    )
    (record,) = simulate_controlled(scenario, controlling, seeds=[0], workers=1).runs
    assert record.stops is not None
    ends = dict(record.stops.select("controller", "end").iter_rows())

    assert record.violations == ()
    assert ends == {"A": "plans_only", "B": "passed"}
