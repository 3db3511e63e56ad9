# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.io.sumo_nets import generate, scenario

from lvbo.control.fixed import PlanController
from lvbo.control.gate import Memory, admit, make_gate
from lvbo.control.protocols import Observation
from lvbo.control.site import Site, read_site
from lvbo.errors import InfeasibleError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import PlanSet, one_period
from lvbo.signal.transition import LONGER, SHORTER, Switch, Transition, TransitionRule
from lvbo.signal.watch import LampChecker
from lvbo.testing import NS, tiny_controller, tiny_network, tiny_plan, tiny_plans, tiny_rules
from lvbo.timing.repair import repair_clearance


def tiny_site() -> Site:
    rules = tiny_rules()
    bare = replace(tiny_controller(), rules=replace(rules, services=()))
    return replace(read_site(tiny_network(), bare), controller=replace(bare, rules=rules))


def driven(
    site: Site, plans: PlanSet, begin_s: int, seconds: int, transition: Transition
) -> tuple[np.ndarray, list[bool]]:
    """Run the plans through the gate from all red; return the lamps and when they were in step."""
    ruled = plans.with_transitions([TransitionRule(way=transition)])
    return played_rows(site, PlanController(site, make_gate(site), ruled), begin_s, seconds)


def played_rows(
    site: Site, controller: PlanController, begin_s: int, seconds: int
) -> tuple[np.ndarray, list[bool]]:
    gate = make_gate(site)
    checker, memory = LampChecker(site.rules), Memory()
    lamps = np.zeros(len(site.phases), dtype=np.int64)
    since = np.full(len(site.phases), 100)
    rows, steps = [], []
    for t in range(begin_s, begin_s + seconds):
        seen = Observation(
            controller=site.id,
            time_s=t,
            seen_s=t,
            lamps=lamps,
            since_s=since,
            working=np.ones(0, dtype=bool),
            blocked=np.zeros(0, dtype=bool),
            calls=site.walks,
        )
        verdict, memory = admit(gate, memory, seen, controller.decide(seen))
        assert verdict.lamps is not None
        assert not checker.see(10 * t, verdict.lamps.tolist())
        since = np.where(verdict.lamps == lamps, since + 1, 1)
        lamps = verdict.lamps
        rows.append(lamps)
        steps.append(controller.in_step)
    return np.array(rows), steps


def programme(site: Site, plan: Plan, begin_s: int, seconds: int) -> np.ndarray:
    clock = range(begin_s - site.controller.sync_s, begin_s - site.controller.sync_s + seconds)
    return np.array(
        [[plan.lamp(p, plan.local_ds(10 * t)) for p in site.rules.phases] for t in clock]
    )


def assert_shown(site: Site, plan: Plan) -> None:
    cycle = -(-plan.cycle_ds // 10)
    rows, _ = driven(site, one_period([plan]), 0, 4 * cycle, Transition.SHORTEST)

    wanted = programme(site, plan, 0, 4 * cycle)
    assert (rows[2 * cycle :] == wanted[2 * cycle :]).all()


def assert_all_shown(found: Scenario) -> int:
    count = 0
    for controller in found.network.controllers:
        site = read_site(found.network, controller)
        for plan in found.plans.plans:
            if plan.controller != site.id:
                continue
            try:
                safe = repair_clearance(plan, site.rules)
            except InfeasibleError:
                continue
            assert_shown(site, safe)
            count += 1
    return count


def test_the_lamps_equal_the_plan_second_by_second() -> None:
    assert_shown(tiny_site(), tiny_plan(offset_s=37))


def test_the_lamps_of_a_generated_city_equal_its_programmes(tmp_path: Path) -> None:
    net = generate(tmp_path, "--grid", "--grid.number", "2", "-j", "traffic_light")

    assert assert_all_shown(scenario(net)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bologna_acosta", "cologne1", "cologne8", "grid4x4", "ingolstadt7"]
)
def test_the_lamps_of_shipped_plans_made_safe_equal_them(bench_data: Path, name: str) -> None:
    assert assert_all_shown(read_scenario(bench_data / "scenarios" / name))


@pytest.mark.parametrize("transition", list(Transition))
def test_a_new_plan_gets_into_step_within_bounds_and_stays_safe(transition: Transition) -> None:
    site, plans = tiny_site(), tiny_plans()
    change = 6 * 3600
    day = plans.plan(site.id, "workday", "day")
    rows, steps = driven(site, plans, change - 300, 1800, transition)
    at = site.phases.index(NS)
    green = rows[:, at] == int(site.rules.phase_index[NS].shows)
    starts = np.flatnonzero(green[1:] & ~green[:-1]) + 1
    cycles = np.diff(starts[starts > 420])

    assert steps[-1]
    assert (rows[-100:] == programme(site, day, change + 1400, 100)).all()
    assert cycles.max() <= day.cycle_s * (1 + LONGER)
    assert cycles.min() >= day.cycle_s * (1 - SHORTER)


def test_a_late_plan_hurries_by_subtract_and_an_early_one_slows_by_add() -> None:
    site = tiny_site()
    plans = tiny_plans()
    shown = {}
    for transition in (Transition.ADD, Transition.SUBTRACT):
        rows, steps = driven(site, plans, 6 * 3600 - 300, 1800, transition)
        at = site.phases.index(NS)
        green = rows[:, at] == int(site.rules.phase_index[NS].shows)
        starts = np.flatnonzero(green[1:] & ~green[:-1]) + 1
        shown[transition] = np.diff(starts[starts > 420])[:2]
        assert steps[-1]

    assert shown[Transition.ADD].max() > 100
    assert shown[Transition.SUBTRACT].min() < 100


def test_a_rule_binds_how_much_longer_a_cycle_grows_at_its_switch_alone() -> None:
    site = tiny_site()
    switch = Switch(day_type="workday", before="night", after="day")
    tight = TransitionRule(way=Transition.ADD, longer=0.05, controller=site.id, switch=switch)
    other = replace(tight, switch=Switch(day_type="workday", before="day", after="night"))
    longest = {}
    for name, rule in {"here": tight, "elsewhere": other}.items():
        plans = tiny_plans().with_transitions([TransitionRule(way=Transition.ADD), rule])
        controller = PlanController(site, make_gate(site), plans)
        rows, steps = played_rows(site, controller, 6 * 3600 - 300, 2400)
        green = rows[:, site.phases.index(NS)] == int(site.rules.phase_index[NS].shows)
        starts = np.flatnonzero(green[1:] & ~green[:-1]) + 1
        longest[name] = np.diff(starts[starts > 420]).max()
        assert steps[-1]

    assert longest["here"] <= 105
    assert longest["elsewhere"] > 105
