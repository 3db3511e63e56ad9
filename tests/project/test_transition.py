# SPDX-License-Identifier: Apache-2.0
"""From one wave to the next on a small street: what each controller shows, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.io.sumo_nets import tool
from tests.streets import flat_demand, four_signals, four_signals_file

from lvbo.control.site import read_site
from lvbo.control.transition import QUICKEST, Moment, behind_ds, courses, plan_rows, played
from lvbo.demand.demand import Demand
from lvbo.errors import InputError
from lvbo.ids import ControllerId
from lvbo.io.sumo_plans import StateTable
from lvbo.network.network import Network
from lvbo.project.plan_files import write_plans
from lvbo.project.transition import TransitionPlan, plan_transition
from lvbo.project.transition_cost import WARM_S
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.signal.transition import LONGER, SHORTER, Transition, TransitionRule
from lvbo.signal.watch import LampChecker
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import time_plans

CHANGE_S = 8 * 3600
NIGHT = Period(start_s=20 * 3600, end_s=CHANGE_S, name="night")
DAY = Period(start_s=CHANGE_S, end_s=20 * 3600, name="day")
DAYS = (DayPlan(day_type="workday", periods=(NIGHT, DAY)),)
SHIFTS_S = {"A0": 0, "B0": 20, "C0": 45, "D0": 60}
MOMENT = Moment(day_type="workday", change_s=CHANGE_S, begin_s=CHANGE_S - 300, end_s=CHANGE_S + 900)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def demand(network: Network) -> Demand:
    """Return a demand half as large at night as in the day."""
    flat = flat_demand(network, 450, 60)
    share = np.where((np.arange(24) >= 8) & (np.arange(24) < 20), 1.0, 0.5)
    volume = flat.volume_vph * share[None, :, None]
    return replace(
        flat, slots=24, slot_s=3600, volume_vph=volume, lower_vph=volume.copy(),
        upper_vph=volume.copy(), saturated=np.zeros(volume.shape, dtype=np.bool_),
    )  # fmt: skip


@pytest.fixture(scope="module")
def plans(network: Network, demand: Demand) -> PlanSet:
    return shifted(network, demand, 90)


def shifted(network: Network, demand: Demand, most_s: int) -> PlanSet:
    """Return plans whose offsets differ by a third of a cycle and more from night to day."""
    made = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=50, most_s=most_s))
    day = [made.plan(c.id, "workday", "day") for c in network.controllers]
    return made.with_plans(p.later(SHIFTS_S.get(p.controller, 0)) for p in day)


@pytest.fixture(scope="module")
def made(network: Network, demand: Demand, plans: PlanSet) -> TransitionPlan:
    return plan_transition(network, network.corridors[0], plans, demand, "night", "day")


def test_every_course_is_lawful_within_bounds_and_ends_in_step(
    network: Network, plans: PlanSet
) -> None:
    for controller in network.controllers[:2]:
        site = read_site(network, controller)
        new = plans.plan(site.id, "workday", "day")
        found = courses(site, plans, MOMENT)
        for course in found:
            times = 10 * np.arange(len(course.lamps))
            assert new.reference is not None
            shows = int(site.rules.phase_index[new.reference].shows)
            green = np.asarray(course.lamps[:, site.phases.index(new.reference)] == shows)
            starts = np.flatnonzero(green[1:] & ~green[:-1]) + 1
            cycles = np.diff(starts[starts > 300 + 100])

            assert len(course.lamps) == 1200
            assert not LampChecker(site.rules).see_all(times, course.lamps)
            assert course.in_step_s is not None
            assert (course.lamps[-200:] == plan_rows(site, new, CHANGE_S + 700, 200)).all()
            assert cycles.max() <= new.cycle_s * (1 + LONGER) + 1
            assert cycles.min() >= new.cycle_s * (1 - SHORTER) - 1
        assert found[0].manner.way is Transition.SHORTEST
        assert len(found) == 1 or {c.manner.way for c in found} >= {Transition.ADD}


def test_a_controller_that_keeps_its_plan_is_in_step_at_once(
    network: Network, plans: PlanSet
) -> None:
    site = read_site(network, network.controllers[0])
    night = plans.plan(site.id, "workday", "night")
    (same,) = courses(site, plans.with_plans([replace(night, id=plans.plan(
        site.id, "workday", "day").id)]), MOMENT)  # fmt: skip

    assert same.moved_s == 0
    assert same.in_step_s is not None
    assert same.in_step_s <= CHANGE_S + night.cycle_s


def test_a_plan_that_begins_late_is_behind_by_its_offset(network: Network, plans: PlanSet) -> None:
    """With one plan in both periods, 15 s later: it begins 15 s early, so it must wait 15 s."""
    site = read_site(network, network.controllers[0])
    old = plans.plan(site.id, "workday", "night")

    assert behind_ds(site, old, old.later(15), CHANGE_S) == old.cycle_ds - 150
    assert behind_ds(site, old, old, CHANGE_S) == 0


def test_the_choice_costs_no_more_than_the_quickest_ways(made: TransitionPlan) -> None:
    assert made.change_s == CHANGE_S
    assert made.chosen.cost_vehh <= made.quickest.cost_vehh
    assert [p.controller for p in made.passings] == ["A0", "B0", "C0", "D0"]
    assert {f.code for f in made.findings} <= {"LV492", "LV493"}
    assert all(p.in_step_s is not None and 0 < p.in_step_s < 500 for p in made.passings)


def test_getting_into_step_costs_delay_that_a_change_at_once_would_not(
    made: TransitionPlan,
) -> None:
    assert made.at_once.delay_vehh < made.quickest.delay_vehh


def test_periods_that_do_not_follow_each_other_are_refused(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    with pytest.raises(InputError) as refused:
        plan_transition(network, network.corridors[0], plans, demand, "night", "noon")

    assert refused.value.code == "LV490"


def test_a_controller_without_a_plan_is_refused(
    network: Network, demand: Demand, plans: PlanSet
) -> None:
    rest = plans.only([c for c in plans.controllers if c != "D0"])

    with pytest.raises(InputError) as refused:
        plan_transition(network, network.corridors[0], rest, demand, "night", "day")

    assert [f.fields["controller"] for f in refused.value.findings()] == ["D0"]


def test_the_rules_of_the_choice_bring_a_controller_the_same_way(
    network: Network, plans: PlanSet, made: TransitionPlan
) -> None:
    ruled = plans.with_transitions(made.rules)
    for passing in made.passings:
        site = read_site(network, network.controller_index[passing.controller])
        again = played(site, ruled.only([site.id]), MOMENT, passing.course.manner, 0.0)
        since = MOMENT.begin_s - (CHANGE_S - WARM_S)

        assert again.rule == passing.course.rule
        assert again.in_step_s == passing.course.in_step_s
        assert (again.lamps == passing.course.lamps[since:]).all()


@pytest.mark.parametrize("cycle_s", [70, 90])
def test_sumo_shows_what_the_gate_would_show_on_the_way(
    tmp_path: Path, network: Network, demand: Demand, cycle_s: int
) -> None:
    plans = shifted(network, demand, cycle_s)
    net = four_signals_file(tmp_path)
    ways = (Transition.ADD, Transition.SUBTRACT, Transition.DWELL, Transition.SHORTEST)
    ruled = plans.with_transitions(
        TransitionRule(way=way, controller=ControllerId(controller))
        for way, controller in zip(ways, SHIFTS_S, strict=True)
    )
    lost = write_plans(ruled, tmp_path / "plans.add.xml", network)
    shown = states_in_sumo(tmp_path, net, CHANGE_S - 100, CHANGE_S + 700)
    moment = replace(MOMENT, begin_s=CHANGE_S - 100, end_s=CHANGE_S + 700)

    assert lost == ()
    for name in map(ControllerId, SHIFTS_S):
        site = read_site(network, network.controller_index[name])
        course = played(site, ruled.only([name]), moment, QUICKEST, 0.0)
        table = StateTable(ruled.plan(name, "workday", "day"), network)

        assert course.in_step_s is not None
        assert shown[name] == [table.showing(row) for row in course.lamps.tolist()]


def states_in_sumo(folder: Path, net: Path, begin_s: int, end_s: int) -> dict[str, list[str]]:
    """Return what SUMO shows under `plans.add.xml`, by controller and second."""
    nodes = ("A0", "B0", "C0", "D0")
    events = "".join(
        f'<timedEvent type="SaveTLSStates" source="{name}" dest="{folder / name}.xml"/>'
        for name in nodes
    )
    (folder / "watch.add.xml").write_text(f"<additional>{events}</additional>", encoding="utf-8")
    options = ["-n", str(net), "-a", "plans.add.xml,watch.add.xml", "--no-step-log"]
    tool("sumo", *options, "-b", str(begin_s), "-e", str(end_s), folder=folder)
    found = {}
    for name in nodes:
        rows = ET.parse(folder / f"{name}.xml").getroot().iter("tlsState")
        found[name] = [row.attrib["state"] for row in rows][: end_s - begin_s]
    return found
