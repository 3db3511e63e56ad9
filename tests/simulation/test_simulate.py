# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.simulation.tiny import END_S, ROUTES, build_tiny, write_config

from lvbo.errors import InputError, ToolError
from lvbo.io.scenario import Scenario
from lvbo.io.sumo_plans import state_at
from lvbo.io.sumo_scenario import read_scenario
from lvbo.signal.plan import Plan
from lvbo.simulation.controls import Control
from lvbo.simulation.runs import LampChange, Run, Runs
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.simulation.tools import repaired


def shown_at(run: Run, controller: str, second: int) -> str:
    changes: list[LampChange] = [c for c in run.lamps if c.controller == controller]
    return [c.state for c in changes if c.second <= second][-1]


def listing(folder: Path) -> dict[str, float]:
    return {path.name: path.stat().st_mtime for path in folder.rglob("*")}


def test_every_vehicle_of_the_route_file_is_due(shipped_runs: Runs) -> None:
    scheduled = sum(len(range(0, END_S, every)) for _, every in ROUTES.values())

    assert [run.due.height for run in shipped_runs.runs] == [scheduled, scheduled]


def test_a_seed_repeats_its_run_and_another_seed_does_not(
    tiny: Scenario, shipped_runs: Runs
) -> None:
    again = simulate(tiny, None, seeds=[0]).runs[0].vehicles

    assert again.equals(shipped_runs.runs[0].vehicles)
    assert not again.equals(shipped_runs.runs[1].vehicles)


def test_the_lamps_shown_are_those_of_the_plan_and_a_larger_offset_is_later(
    tiny: Scenario,
) -> None:
    plans = repaired(tiny.plans, tiny).mapped(lambda plan: plan.at_offset(130))
    run = simulate(tiny, plans, seeds=[0]).runs[0]

    def expected(plan: Plan, second: int) -> str:
        return state_at(plan, tiny.network, plan.local_ds(10 * second))

    for plan in plans.plans:
        wrong = [
            second
            for second in range(200)
            if shown_at(run, plan.controller, second) != expected(plan, second)
        ]

        assert wrong == []
        assert plan.local_ds(130) == 0


def test_missing_clearance_is_seen_by_the_lamp_checker_and_gone_once_repaired(
    shipped_runs: Runs, safe_runs: Runs
) -> None:
    assert shipped_runs.lamp_violations > 0
    assert {f.code for run in shipped_runs.runs for f in run.violations} == {"LV321"}
    assert safe_runs.lamp_violations == 0


def test_an_unsafe_plan_is_refused_before_anything_runs(tiny: Scenario) -> None:
    with pytest.raises(InputError) as refused:
        simulate(tiny, tiny.plans, seeds=[0])

    assert refused.value.code == "LV602"
    assert {finding.code for finding in refused.value.findings()} == {"LV221"}


@pytest.mark.parametrize("control", [Control.ACTUATED, Control.DELAY_BASED])
def test_actuated_greens_vary_and_break_no_lamp_rule(tiny: Scenario, control: Control) -> None:
    conduct = Conduct(name=control.value, control=control)
    runs = simulate(tiny, repaired(tiny.plans, tiny), seeds=[0], conduct=conduct)
    times = [c.second for c in runs.runs[0].lamps if c.controller == "A"]
    lengths = {b - a for a, b in pairwise(times)}

    assert runs.lamp_violations == 0
    assert len(lengths) > 5


def test_a_run_leaves_the_scenario_folder_as_it_was(tiny: Scenario) -> None:
    before = listing(tiny.folder)
    simulate(tiny, None, seeds=[0])

    assert listing(tiny.folder) == before


def test_vehicles_that_find_no_room_count_with_their_waiting(tmp_path: Path) -> None:
    build_tiny(tmp_path)
    vehicles = "".join(
        f'<vehicle id="v{k}" depart="0"><route edges="WA AB BE"/></vehicle>' for k in range(200)
    )
    (tmp_path / "full.rou.xml").write_text(f"<routes>{vehicles}</routes>", encoding="utf-8")
    scenario = read_scenario(write_config(tmp_path, end_s=60, routes="full.rou.xml"))
    due = simulate(scenario, None, seeds=[0]).runs[0].due
    outside = due.filter(~due["inserted"])

    assert due.height == 200
    assert outside.height > 100
    assert set(outside["depart_delay_s"]) == {60.0}


def test_the_run_out_lets_trips_finish_but_adds_nobody(tiny: Scenario, shipped_runs: Runs) -> None:
    longer = simulate(replace(tiny, run_out_s=120), None, seeds=[0]).runs[0]

    assert longer.due.height == shipped_runs.runs[0].due.height
    assert longer.due["arrived"].sum() > shipped_runs.runs[0].due["arrived"].sum()


def test_the_warm_up_is_cut_off_the_judged_window(tiny: Scenario) -> None:
    run = simulate(replace(tiny, warm_up_s=120), None, seeds=[0]).runs[0]

    assert run.due["depart_s"].min() == 120.0


def test_sumo_breaking_off_is_told_in_its_own_words(tmp_path: Path) -> None:
    build_tiny(tmp_path)
    lost = '<routes><vehicle id="v" depart="0"><route edges="WA nowhere"/></vehicle></routes>'
    (tmp_path / "lost.rou.xml").write_text(lost, encoding="utf-8")
    scenario = read_scenario(write_config(tmp_path, routes="lost.rou.xml"))

    with pytest.raises(ToolError) as told:
        simulate(scenario, None, seeds=[0])

    assert told.value.code == "LV601"
    assert "nowhere" in str(told.value.fields["reason"])


def test_without_sumo_the_error_names_it() -> None:
    code = (
        "import sys; sys.modules['libsumo'] = None\n"
        "from lvbo.simulation.sumo import sumo_version\n"
        "from lvbo.errors import ToolError\n"
        "try: sumo_version()\n"
        "except ToolError as error: print(error.code, error.fields['tool'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["LV600", "libsumo"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_an_interrupt_ends_the_workers_and_leaves_no_files(
    tiny_config: Path, tmp_path: Path
) -> None:
    config = write_config(tiny_config.parent, end_s=80_000, routes="tiny.rou.xml")
    code = (
        "import sys; from pathlib import Path\n"
        "from lvbo.io.sumo_scenario import read_scenario\n"
        "from lvbo.simulation.simulate import simulate\n"
        "simulate(read_scenario(Path(sys.argv[1])), None, seeds=range(4))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(config)],
        env={"TMPDIR": str(tmp_path), "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*/*/share.txt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    write_config(tiny_config.parent)

    assert "KeyboardInterrupt" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_shipped_plan_of_cologne1_is_delayed_as_published(bench_data: Path) -> None:
    scenario = read_scenario(bench_data / "scenarios" / "cologne1")
    due = simulate(scenario, None, seeds=[0]).runs[0].due
    delay_s = (due["time_loss_s"] + due["depart_delay_s"]).mean()

    assert due.height == 2015
    assert delay_s == pytest.approx(43.1, abs=3.0)
