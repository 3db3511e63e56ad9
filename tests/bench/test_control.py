# SPDX-License-Identifier: Apache-2.0
"""The control bench: its rows, its verdict, what it keeps, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.bench.common import geometric_mean
from lvbo.bench.control import ControlBench, run_control
from lvbo.bench.kept import Kept
from lvbo.bench.ratios import judge
from lvbo.errors import InfeasibleError, ToolError, UsageError
from lvbo.io.scenario import Weather
from lvbo.io.sumo_scenario import read_scenario

KEYS = [
    "scenario",
    "protocol",
    "order",
    "sensing",
    "controller",
    "family",
    "kind",
    "seed",
    "delay_s",
    "trip_s",
    "stops",
    "worst_wait_s",
    "queue",
    "due",
    "arrived",
    "unfinished",
    "teleports",
    "lamp_violations",
    "locks",
    "locked_at",
    "rules_fired",
    "decision_ms_mean",
    "decision_ms_p99",
    "status",
    "demand",
    "weather",
    "closed",
    "depart_offset_s",
    "setting",
]


def row(
    scenario: str, controller: str, seed: int, delay_s: float, broken: int = 0
) -> dict[str, object]:
    return {
        "scenario": scenario,
        "controller": controller,
        "seed": seed,
        "delay_s": delay_s,
        "lamp_violations": broken,
        "locks": 0,
        "rules_fired": 1,
        "status": "ok",
    }


def test_the_rival_is_the_best_that_broke_no_lamp_rule_and_losers_come_first() -> None:
    rows = [
        *(row("a", "lvbo", k, 8.0 + k) for k in range(2)),
        *(row("a", "greedy", k, 10.0 + k) for k in range(2)),
        *(row("a", "reckless", k, 1.0, broken=1) for k in range(2)),
        *(row("b", "lvbo", k, 12.0) for k in range(2)),
        *(row("b", "fixed", k, 10.0) for k in range(2)),
    ]
    found = judge(rows, "lvbo", geometric_mean)

    assert found["geometric_mean"] == pytest.approx((8.5 / 10.5 * 1.2) ** 0.5)
    assert found["above_one"] == ["b"]
    assert [name for name in found if name in "ab"] == ["b", "a"]
    assert found["a"]["best"] == "greedy"  # type: ignore[index]


def test_rows_have_the_agreed_keys_and_a_second_bench_takes_them_from_disk(tmp_path: Path) -> None:
    config = build_tiny(tmp_path / "tiny")
    bench = ControlBench(
        controllers=("fixed",), seeds=1, first_seed=1000, workers=1, cache=tmp_path / "kept"
    )
    first = run_control([config], bench=bench)
    kept = list((tmp_path / "kept").glob("*.json"))
    again = run_control([config], bench=bench)

    assert [list(r) for r in first.rows] == [KEYS]
    assert first.rows[0]["status"] == "ok"
    assert first.rows[0]["lamp_violations"] == 0
    assert len(kept) == 1
    assert [dict(r) for r in again.rows] == [dict(r) for r in first.rows]


def test_weather_and_a_closed_lane_are_runs_of_their_own_and_kept(tmp_path: Path) -> None:
    config = build_tiny(tmp_path / "tiny")
    dry = ControlBench(
        controllers=("fixed",), seeds=1, first_seed=1000, workers=1, cache=tmp_path / "kept"
    )
    benches = (dry, replace(dry, weather=Weather.SNOW), replace(dry, closed=True))
    rows = [run_control([config], bench=bench).rows[0] for bench in benches]
    kept = list((tmp_path / "kept").glob("*.json"))
    again = [run_control([config], bench=bench).rows[0] for bench in benches]

    assert [(r["weather"], r["closed"]) for r in rows] == [
        ("dry", False),
        ("snow", False),
        ("dry", True),
    ]
    assert float(str(rows[1]["trip_s"])) > float(str(rows[0]["trip_s"]))
    assert len(kept) == 3
    assert list(map(dict, again)) == list(map(dict, rows))


def test_with_an_offset_every_seed_has_a_timetable_of_its_own_and_each_its_key(
    tmp_path: Path,
) -> None:
    config = build_tiny(tmp_path / "tiny")
    plain = ControlBench(
        controllers=("fixed",), seeds=2, first_seed=1000, workers=1, cache=tmp_path / "kept"
    )
    moved = replace(plain, depart_offset_s=40)
    before, after = (run_control([config], bench=bench).rows for bench in (plain, moved))
    again = run_control([config], bench=replace(moved, cache=None)).rows

    assert [r["depart_offset_s"] for r in (*before, *after)] == [0, 0, 40, 40]
    assert len({r["trip_s"] for r in (*before, *after)}) == 4
    assert [r["trip_s"] for r in again] == [r["trip_s"] for r in after]
    assert all(int(str(r["due"])) <= int(str(before[0]["due"])) for r in after)  # not by the end


def test_when_the_time_is_over_kept_runs_are_told_and_the_others_are_not_run(
    tmp_path: Path,
) -> None:
    config = build_tiny(tmp_path / "tiny")
    bench = ControlBench(
        controllers=("fixed",), seeds=1, first_seed=1001, workers=1, cache=tmp_path / "kept"
    )
    run_control([config], bench=bench)
    over = replace(bench, seeds=3, first_seed=1000, budget_min=0.0)
    rows = run_control([config], bench=over).rows

    assert [(r["seed"], r["status"]) for r in rows] == [
        (1000, "not run"),
        (1001, "ok"),
        (1002, "not run"),
    ]


def test_options_of_a_scenario_are_part_of_the_key(tmp_path: Path) -> None:
    scenario = read_scenario(build_tiny(tmp_path / "tiny"))
    others = (
        replace(scenario, options=(("scale", "1.1"),)),
        replace(scenario, step_s=0.5),
        replace(scenario, teleport_s=300.0),
        replace(scenario, run_out_s=60),
    )

    assert len({Kept(None).key("", s) for s in (scenario, *others)}) == 5


def test_a_kept_row_that_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{", encoding="utf-8")

    assert Kept(tmp_path).read("x") is None
    assert Kept(None).read("x") is None


def test_why_a_run_failed_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise InfeasibleError("LV604", place="J1", plan="P0", cycle_s=40, conflict=[])

    monkeypatch.setattr("lvbo.bench.control.Rivals.entrant", fails)
    config = build_tiny(tmp_path)
    result = run_control([config], bench=ControlBench(controllers=("fixed", "lvbo"), seeds=2))

    assert {row["status"] for row in result.rows} == {"crashed LV604"}
    assert [(finding.code, finding.place) for finding in result.findings] == [("LV604", "J1")]


def test_what_is_unknown_is_refused(tmp_path: Path) -> None:
    config = build_tiny(tmp_path / "tiny")
    with pytest.raises(UsageError, match="LV741"):
        run_control([config], bench=ControlBench(controllers=("magic",)))
    with pytest.raises(UsageError, match="LV743"):
        run_control([config], bench=ControlBench(controllers=("fixed",), protocol="lane"))
    with pytest.raises(ToolError, match="LV744") as refused:
        run_control(
            [config], bench=ControlBench(controllers=("fixed",), sumo="1.9.2", env=tmp_path)
        )
    assert refused.value.exit_code == 5
