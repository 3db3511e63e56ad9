# SPDX-License-Identifier: Apache-2.0
"""`lvbo plan` where demand or limits leave no good plan."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.conftest import Call

SHEET = """schema = "lvbo-site 1"
[controller.A]
yellow_s = 3
all_red_s = 2
min_green_s = { T = 75 }
"""


def heavier(counts: Path, target: Path, times: int) -> Path:
    """Write the counts again with every number of vehicles multiplied."""
    with counts.open(encoding="utf-8-sig", newline="") as source:
        rows = [dict(row, count=str(times * int(row["count"]))) for row in csv.DictReader(source)]
    with target.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return target


def test_demand_over_capacity_gives_a_plan_and_says_what_would_cure_it(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    heavy = heavier(tiny_counts, tmp_path / "heavy.csv", 5)
    said = call("plan", tiny, "-c", heavy, "-o", tmp_path / "plans", "--json")
    fields = {f["code"]: f["fields"] for f in said.data["findings"]}

    assert said.status == 0
    assert said.data["plans"] == 2
    assert said.codes >= {"LV520", "LV523", "LV524", "LV526", "LV560"}
    assert fields["LV520"]["x"] > 1
    assert fields["LV520"]["hours"] > 0


def test_limits_that_contradict_are_named_and_nothing_is_written(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    net = tiny.with_name("tiny.net.xml")
    text = net.read_text(encoding="utf-8").replace('duration="22"', 'duration="90"')
    net.write_text(text, encoding="utf-8")
    tiny.with_name("tiny.site.toml").write_text(SHEET, encoding="utf-8")
    out = tmp_path / "plans"
    said = call("plan", tiny, "-c", tiny_counts, "-o", out, "--json")
    finding = said.data["findings"][0]

    assert said.status == 4
    assert (finding["code"], finding["place"]) == ("LV510", "A")
    assert finding["fields"]["conflict"].split(", ")[0] == "C_max = 140 s"
    assert finding["fields"]["conflict"].count("= 75 s") == 2
    assert not out.exists()
