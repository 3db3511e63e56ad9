# SPDX-License-Identifier: Apache-2.0
"""`lvbo transition` on a street of two signals that changes its offsets at eight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.cli.conftest import Call

from lvbo.cli.load import read_place
from lvbo.ids import PlanId
from lvbo.project.line import safe_plans
from lvbo.project.plan_files import write_plans
from lvbo.signal.schedule import Assignment, DayPlan, Period, PlanSet

EIGHT = 8 * 3600


def two_periods(tiny: Path, target: Path) -> Path:
    """Write the plans of a place, and the same 13 s later from eight to eight."""
    place = read_place(tiny)
    early = safe_plans(place.network, place.plans).plans
    late = tuple(replace(plan.later(13), id=PlanId("late")) for plan in early)
    periods = {
        "early": (Period(start_s=20 * 3600, end_s=EIGHT, name="early"), early),
        "late": (Period(start_s=EIGHT, end_s=20 * 3600, name="late"), late),
    }
    plans = PlanSet(
        plans=(*early, *late),
        day_plans=(DayPlan(day_type="workday", periods=tuple(p for p, _ in periods.values())),),
        assignments=tuple(
            Assignment(controller=p.controller, day_type="workday", period=name, plan=p.id)
            for name, (_, own) in periods.items()
            for p in own
        ),
    )
    write_plans(plans, target)
    return target


def test_each_controller_is_told_how_it_gets_into_step(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    plans = two_periods(tiny, tmp_path / "plans.toml")
    options = ("-s", "High St", "-p", plans, "-c", tiny_counts, "--from", "early", "--to", "late")
    said = call("transition", tiny, *options, "--json")
    shown = call("transition", tiny, *options, "--lang", "zh")
    damage = said.data["damage"]

    assert said.status == 0
    assert [c["controller"] for c in said.data["controllers"]] == ["A", "B"]
    assert all(c["quickest_moved_s"] == 13 for c in said.data["controllers"])
    assert said.data["change_s"] == EIGHT
    assert set(damage) == {"chosen", "quickest", "at_once"}
    assert "最快方式" in shown.out


def test_periods_apart_are_refused_with_those_there_are(
    call: Call, tiny: Path, tiny_counts: Path
) -> None:
    options = ("-s", "High St", "-c", tiny_counts, "--from", "one", "--to", "two")
    said = call("transition", tiny, *options, "--json")

    assert said.status == 3
    assert said.codes == {"LV490"}
