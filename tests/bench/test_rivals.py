# SPDX-License-Identifier: Apache-2.0
"""Rivals are set up on seeds that are not judged; what was tried once is taken from disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny, write_config

from lvbo.bench.control import ControlBench, prepared, run_control
from lvbo.bench.kept import Kept
from lvbo.bench.ownplans import best_plans, free_seeds, street_plans, stretched_plans
from lvbo.bench.rivals import COMPETITORS, OPTIONS, OWN, Rivals, plain_name, row_family
from lvbo.bench.tries import Entrant, Ground, OutOfTimeError, Plans, descend
from lvbo.control.protocols import Order
from lvbo.control.registry import ControllerSpec, controller_names
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.check import is_safe
from lvbo.simulation.sensing import parse_sensing
from lvbo.simulation.simulate import Conduct

JUDGED_SEEDS = (0, 1)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(build_tiny(tmp_path_factory.mktemp("rivals")).parent, end_s=60)


@pytest.fixture
def ground(config: Path, tmp_path: Path) -> Ground:
    return Ground(
        scenario=prepared(read_scenario(config), ControlBench(), tmp_path),
        order=Order.SKIP,
        sensing=parse_sensing("area"),
        conduct=Conduct(),
        workers=1,
        kept=Kept(tmp_path),
        code="x",
        ends=0.0,
    )


def know(ground: Ground, entrant: Entrant, seeds: tuple[int, ...], delay_s: float) -> None:
    """Keep a delay as if the entrant had been tried on these seeds."""
    key = ground.kept.key(ground.code, ground.scenario, "try", *ground.told(entrant), seeds)
    ground.kept.write(key, {"delay_s": delay_s})


def test_descent_changes_one_option_at_a_time_and_keeps_the_first_of_equals() -> None:
    tried = []

    def cost(setting: Mapping[str, object]) -> float:
        tried.append(dict(setting))
        return {"x": 2.0, "y": 1.0, "z": 1.0}[str(setting["a"])] + float(str(setting["b"]))

    best = descend({"a": ("x", "y", "z"), "b": (3, 1, 2)}, cost)

    assert best == {"a": "y", "b": 1}
    assert len(tried) == 5
    assert tried[0] == {"a": "x", "b": 3}


def test_seeds_that_are_judged_are_never_tuned_on() -> None:
    assert free_seeds(900, 2, range(5)) == (900, 901)
    assert free_seeds(900, 2, (899, 900, 902)) == (901, 903)


def test_all_competitors_can_be_made_and_ours_stands_last() -> None:
    assert {plain_name(name) for name in COMPETITORS} <= set(controller_names())
    assert COMPETITORS[-1] == "lvbo"
    assert plain_name("planned") == "fixed"
    assert plain_name("greedy@10") == "greedy"
    assert row_family("planned") == "fixed"


def test_nothing_new_is_tried_once_the_time_is_over(ground: Ground) -> None:
    entrant = Entrant(spec=ControllerSpec(name="greedy"))
    with pytest.raises(OutOfTimeError):
        ground.delay(entrant, (900, 901))
    know(ground, entrant, (900, 901), 12.5)

    assert ground.delay(entrant, (900, 901)) == 12.5


def test_a_fixed_plan_is_tried_once_for_all_orders_and_detectors(ground: Ground) -> None:
    other = replace(ground, order=Order.FIXED, sensing=parse_sensing("loops"))
    fixed, greedy = (Entrant(spec=ControllerSpec(name=name)) for name in ("fixed", "greedy"))

    assert ground.told(fixed) == other.told(fixed)
    assert ground.told(greedy) != other.told(greedy)


def test_shipped_plans_are_lawful_and_can_be_stretched(ground: Ground) -> None:
    scenario = ground.scenario
    shipped = street_plans(scenario)
    found = stretched_plans(scenario, shipped)

    assert "shipped x 1.3" in found
    for plans in (shipped, *found.values()):
        for name, plan in plans.items():
            assert is_safe(plan, scenario.network.controller_index[name].rules)
    for name, plan in found["shipped x 1.3"].items():
        assert plan.cycle_ds == round(0.13 * shipped[name].cycle_ds) * 10


def test_the_plans_that_did_best_when_fixed_are_taken(ground: Ground) -> None:
    shipped = street_plans(ground.scenario)
    designs = dict(stretched_plans(ground.scenario, shipped))
    ground_now = replace(ground, ends=None)
    ours = best_plans_with(ground_now, {"shipped": 20.0, "shipped x 1.15": 15.0})

    assert ours[0] == "shipped x 1.15, no design: LV536"  # a minute is too short to count
    assert ours[1] == designs["shipped x 1.15"]


def best_plans_with(ground: Ground, delays_s: Mapping[str, float]) -> tuple[str, Plans]:
    """Return the best plans where these delays are known and all else is worse."""
    shipped = street_plans(ground.scenario)
    known = {"shipped": shipped, **stretched_plans(ground.scenario, shipped)}

    class Told(Ground):
        def delay(self, entrant: Entrant, seeds: object) -> float:  # noqa: ARG002
            name = next((n for n, p in known.items() if p == entrant.plans), "")
            return delays_s.get(name, 99.0)

    fields = {name: getattr(ground, name) for name in Ground.__dataclass_fields__}
    return best_plans(Told(**fields), JUDGED_SEEDS)


def test_the_setting_that_did_best_is_chosen_and_told(ground: Ground) -> None:
    shipped = street_plans(ground.scenario)
    own = stretched_plans(ground.scenario, shipped)["shipped x 1.3"]
    rivals = Rivals(ground=ground, judged=JUDGED_SEEDS, best=("shipped x 1.3", own))
    tried = product(
        ("all", "protected"), (2.0, 1.0, 3.0, 4.0), (35.0, 25.0, 45.0), ("shipped", OWN),
        (1.3, 1.0, 1.6),
    )  # fmt: skip
    for watch, gap, zone, plan, stretch in tried:
        values = (watch, gap, zone, plan, stretch)
        setting = dict(zip(OPTIONS["actuated"], values, strict=True))
        delay = abs(gap - 3) + zone / 100 + stretch + (plan == "shipped") + (watch == "all")
        know(ground, rivals.made("actuated", (), setting), (900, 901), delay)
    entrant = rivals.entrant("actuated")

    best = {"watch": "protected", "gap_s": 3.0, "zone_m": 25.0, "stretch": 1.0}
    assert dict(entrant.spec.params) == best
    assert entrant.plans == own
    told = "plan=shipped x 1.3 watch=protected gap_s=3.0 zone_m=25.0 stretch=1.0"
    assert entrant.setting == told


def test_only_what_makes_a_difference_is_tried(ground: Ground) -> None:
    loops = replace(ground, sensing=parse_sensing("loops"))
    rivals = Rivals(ground=loops, judged=(0,), best=("shipped", street_plans(ground.scenario)))

    assert rivals.options("actuated")["zone_m"] == (35.0,)
    assert rivals.options("actuated")["plan"] == ("shipped",)
    assert rivals.options("cyclic")["street"] == (True, False)


def test_rows_tell_the_plan_and_the_setting(config: Path, tmp_path: Path) -> None:
    names = ("fixed", "greedy@10")
    bench = ControlBench(controllers=names, seeds=1, workers=1, cache=tmp_path)
    rows = {str(row["controller"]): row for row in run_control([config], bench=bench).rows}

    assert rows["fixed"]["setting"] == "plan=shipped"
    assert rows["greedy@10"]["setting"] == ""
    assert rows["greedy@10"]["sensing"] == "loops"
    assert {row["lamp_violations"] for row in rows.values()} == {0}


def test_rivals_that_need_tries_are_not_run_once_the_time_is_over(config: Path) -> None:
    bench = ControlBench(controllers=("actuated",), seeds=1, workers=1, budget_min=0.0)
    rows = run_control([config], bench=bench).rows

    assert [row["status"] for row in rows] == ["not run"]


@pytest.mark.slow
def test_a_planned_row_is_designed_tried_and_run(tmp_path: Path) -> None:
    config = build_tiny(tmp_path / "tiny")
    bench = ControlBench(controllers=("planned",), seeds=1, workers=2, cache=tmp_path / "kept")
    row = run_control([config], bench=bench).rows[0]

    assert row["status"] == "ok"
    assert str(row["setting"]).startswith("plan=designed")
    assert row["lamp_violations"] == 0
