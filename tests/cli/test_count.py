# SPDX-License-Identifier: Apache-2.0
"""`lvbo count` writes whole intervals only."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.conftest import Call


def test_an_interval_cut_short_is_left_out_and_said(call: Call, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    said = call("count", tiny, "--out", path, "--days", 1, "--minutes", 4)
    with path.open(encoding="utf-8-sig") as source:
        rows = list(csv.DictReader(source))

    assert said.status == 0
    assert {row["start"] for row in rows} == {"00:00", "00:04"}  # the street ends after 600 s
    assert {row["interval"] for row in rows} == {"4"}
    assert "LV196" in said.out + said.err


def test_a_scenario_shorter_than_an_interval_is_refused(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    path = tmp_path / "counts.csv"
    said = call("count", tiny, "--out", path, "--days", 1, "--minutes", 15)

    assert said.status == 2
    assert "LV195" in said.err
    assert not path.exists()
