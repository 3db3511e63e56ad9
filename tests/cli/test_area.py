# SPDX-License-Identifier: Apache-2.0
"""`lvbo plan --area`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.cli.test_plan import heavier

from lvbo.io.plans_toml import read_plans
from lvbo.io.sumo_scenario import read_scenario

QUICK = ("--cycles", "60-64")


def test_an_area_plan_leaves_plans_gains_a_trade_off_and_a_map(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plans"
    said = call(
        "plan", tiny, "-c", tiny_counts, "--area", "-s", "High St", *QUICK, "-o", out, "--json"
    )
    (period,) = said.data["periods"]
    with (out / "gains.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    network = read_scenario(tiny).network

    assert said.status == 0
    assert said.data["plans"] == len(read_plans(out / "plans.toml", network).plans) == 2
    assert {"gains.csv", "map.svg", "map.png", "tradeoff.svg", "plans.toml"} <= {
        path.name for path in out.iterdir()
    }
    assert len(rows) == len(period["links"]) == 8
    assert sum(float(r["delay_after_vehh"]) for r in rows) == pytest.approx(
        period["delay_after_vehh"], abs=0.01
    )
    changes = [float(r["delay_change_vehh"]) for r in rows]
    assert changes == sorted(changes, reverse=True)
    assert sum(point["chosen"] for point in said.data["tradeoff"]["points"]) == 1


def test_an_area_plan_is_told_in_tables_and_says_how_to_go_on(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    words = ("plan", tiny, "-c", tiny_counts, "--area", *QUICK, "--seconds", "1")
    more = ("--most-plans", "1", "--least-gain", "1", "--robust", "2")
    said = call(*words, *more, "-o", tmp_path / "plans")

    assert said.status == 0
    assert "→" in said.out
    assert "lvbo report" in said.out
    assert "gains.csv" in said.out
    assert "LV587" in said.err
    assert "LV598" in said.err
    assert "2 (made)" in said.out
    assert "ETA" not in said.out


def test_a_cluster_without_dask_is_refused_before_anything_is_written(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    out = tmp_path / "plans"
    said = call(
        "plan", tiny, "-c", tiny_counts, "--area", "--cluster", "tcp://127.0.0.1:1", "-o", out
    )

    assert said.status != 0
    assert "LV681" in said.err
    assert not out.exists()


def test_counts_of_nothing_keep_what_is_in_force(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    empty = heavier(tiny_counts, tmp_path / "empty.csv", 0)
    out = tmp_path / "plans"
    said = call("plan", tiny, "-c", empty, "--area", *QUICK, "-o", out, "--json")

    assert said.status == 0
    assert said.codes >= {"LV582", "LV583"}
    assert all(period["kept"] for period in said.data["periods"])


def test_an_area_over_capacity_is_planned_and_says_by_how_much(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    heavy = heavier(tiny_counts, tmp_path / "heavy.csv", 5)
    words = ("plan", tiny, "-c", heavy, "--area", *QUICK, "-o", tmp_path / "plans")
    said = call(*words, "--json")
    fields = {f["code"]: f["fields"] for f in said.data["findings"]}

    assert said.status == 0
    assert said.codes >= {"LV520", "LV560"}
    assert fields["LV560"]["x"] > 1


def test_cycles_that_fit_no_signal_are_refused_before_the_search(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plans"
    words = ("plan", tiny, "-c", tiny_counts, "--area", "--cycles", "20-22", "-o", out)
    said = call(*words, "--json")

    assert (said.status, said.codes) == (4, {"LV510"})
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--bands", "soft"], "LV735"),
        (["--seconds", "5"], "LV735"),
        (["--try"], "LV735"),
        (["--area", "--cycles", "sixty"], "LV734"),
        (["--area", "--cycles", "90-60"], "LV734"),
        (["--area", "--bands", "firm"], "LV704"),
        (["--area", "--objective", "speed"], "LV704"),
        (["--area", "--most-plans", "0"], "LV704"),
    ],
)
def test_what_is_asked_wrongly_is_refused(
    words: list[str], code: str, call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    said = call("plan", tiny, "-c", tiny_counts, *words, "-o", tmp_path / "plans", "--json")

    assert (said.status, said.codes) == (2, {code})
    assert not (tmp_path / "plans").exists()


@pytest.mark.parametrize("row", ["nowhere,4", "{movement},-1", "{movement},many"])
def test_a_wrong_table_of_buses_is_refused_with_its_line(
    row: str, call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    movement = read_scenario(tiny).network.movements[0].id
    table = tmp_path / "buses.csv"
    line = row.format(movement=movement)
    table.write_text(f"movement,bus_ph\n{line}\n", encoding="utf-8")
    said = call("plan", tiny, "-c", tiny_counts, "--area", "--buses", table, "--json")

    assert (said.status, said.codes) == (2, {"LV736"})
    assert said.data["findings"][0]["fields"]["line"] == 2


@pytest.mark.slow
def test_a_trial_decides_between_the_new_plans_and_those_in_force(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    words = ("plan", tiny, "-c", tiny_counts, "--area", *QUICK, "--try", "-o", tmp_path / "plans")
    said = call(*words, "--json")
    (period,) = said.data["periods"]
    found = {f["code"]: f["fields"] for f in said.data["findings"]}
    (code,) = {"LV585", "LV586", "LV593"} & set(found)

    assert said.status == 0
    assert period["kept"] == (code == "LV585" or "LV583" in found)
    assert found[code]["in_force_s"] > 0
