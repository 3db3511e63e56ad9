# SPDX-License-Identifier: Apache-2.0
"""Officers' routes from the command line: what they gained and cost, stop by stop."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Call

ROUTE = """schema = "lvbo-route 1"

[[route]]
name = "visit"
start = "00:02:30"
links = ["WA", "BE"]
vehicles = 2
"""


@pytest.fixture
def route(tmp_path: Path) -> Path:
    file = tmp_path / "route.toml"
    file.write_text(ROUTE, encoding="utf-8")
    return file


def test_a_route_is_run_without_and_with_way_made_and_both_are_told(
    call: Call, tiny: Path, route: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ["--controller", "actuated", "--route", route, "--seeds", "1", "--workers", "1"]
    said = call("simulate", tiny, *words, "--out", out, "--json")

    assert said.status == 0, said.err
    (effect,) = said.data["routes"]["effects"]
    assert effect["route"] == "visit"
    assert effect["trip_s"] < effect["trip_without_s"]
    stops = said.data["routes"]["stops"]
    assert [(s["controller"], s["end"]) for s in stops] == [("A", "passed"), ("B", "passed")]
    manifest = json.loads((out / "runs.json").read_text("utf-8"))["manifest"]
    assert manifest["control"]["priority"] is True
    assert manifest["control"]["routes"][0]["route"]["name"] == "visit"
    with (out / "decisions.csv").open(encoding="utf-8-sig", newline="") as stream:
        told = [row for row in csv.reader(stream) if "visit" in row[4]]
    assert told


@pytest.mark.parametrize(("language", "passed"), [("zh", "已通过"), ("en", "passed")])
def test_the_tables_speak_the_language_asked_for(
    call: Call, tiny: Path, route: Path, tmp_path: Path, language: str, passed: str
) -> None:
    words = ["--controller", "greedy", "--route", route, "--seeds", "1", "--workers", "1"]
    said = call("simulate", tiny, *words, "--out", tmp_path / "run", "--lang", language)

    assert said.status == 0, said.err
    assert passed in said.out


def test_a_route_needs_a_controller(call: Call, tiny: Path, route: Path, tmp_path: Path) -> None:
    said = call("simulate", tiny, "--route", route, "--out", tmp_path / "run", "--json")

    assert said.status == 2
    assert said.data["findings"][0]["code"] == "LV719"


def test_a_wrong_route_leaves_nothing_behind(call: Call, tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(ROUTE.replace('"BE"', '"XY"'), encoding="utf-8")
    words = ["--controller", "actuated", "--route", file, "--out", tmp_path / "run"]
    said = call("simulate", tiny, *words, "--json")

    assert said.status == 3
    assert said.data["findings"][0]["code"] == "LV792"
    assert not (tmp_path / "run").exists()
