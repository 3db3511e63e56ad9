# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from lvbo.io.plans_toml import read_plans
from lvbo.progression.advice import ROWS

BUS = """schema = "lvbo-bus 1"
[[line]]
name = "1"
buses_ph = 12
persons = 30
[[line.stop]]
link = "AB"
dwell_s = 15
spread_s = 3
"""


def test_a_network_is_checked_and_its_doubts_are_named(call: Call, tiny: Path) -> None:
    said = call("check", tiny, "--json")

    assert said.status == 1
    assert said.codes
    assert said.data["errors"] + said.data["warnings"] > 0


def test_a_check_prints_code_place_sentence_and_cure(call: Call, tiny: Path) -> None:
    said = call("check", tiny)

    assert "LV2" in said.out
    assert "→" in said.out
    assert "2 signals" in said.out


def test_the_self_check_finds_every_lamp_where_we_say_it_is(call: Call, tiny: Path) -> None:
    said = call("check", tiny, "--self", "--json")

    assert "LV219" not in said.codes


def test_a_project_folder_holds_network_plans_and_streets(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    said = call("init", tiny, "--out", tmp_path / "mine", "--json")

    assert said.status == 0
    assert said.data["corridors"] == ["High St"]
    assert "High St" in (tmp_path / "mine" / "lvbo.toml").read_text(encoding="utf-8")
    assert read_plans(tmp_path / "mine" / "plans" / "installed.toml").plans
    assert call("check", tmp_path / "mine" / "network", "--json").status == 1


def test_streets_are_listed(call: Call, tiny: Path) -> None:
    said = call("wave", tiny, "--list", "--json")

    assert [street["name"] for street in said.data["corridors"]] == ["High St"]


BANDS = ("outbound_s", "inbound_s")


@pytest.mark.parametrize("model", ["multiband", "amband"])
def test_a_wave_of_another_model_tells_the_band_of_every_section(
    call: Call, tiny: Path, tmp_path: Path, model: str
) -> None:
    said = call("wave", tiny, "-s", "High St", "--model", model, "-o", tmp_path / "w", "--json")
    (period,) = said.data["waves"][0]["periods"]
    links = period["links"]

    assert len(links["sides_out_ms"]) == len(links["offsets_ms"]) - 1
    assert all(before + after > 0 for before, after in links["sides_out_ms"])


def test_a_wave_says_why_it_is_as_it_is(call: Call, tiny: Path, tmp_path: Path) -> None:
    said = call("wave", tiny, "-s", "High St", "--why", "-o", tmp_path / "w", "--json")

    assert {"LV470", "LV471"} & {finding["code"] for finding in said.data["findings"]}


def test_a_wave_holds_only_streets_that_it_was_given(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    said = call("wave", tiny, "-s", "High St", "--signed", "Low St", "-o", tmp_path / "w", "--json")

    assert said.status == 2
    assert "LV489" in said.out + said.err


def test_a_wave_for_paths_and_buses_tells_their_bands(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "bus.toml"
    sheet.write_text(BUS, encoding="utf-8")
    options = ("-s", "High St", "-c", tiny_counts, "--paths", 3, "--bus", sheet)
    said = call("wave", tiny, *options, "-o", tmp_path / "w", "--json")
    (periods,) = said.data["paths"]
    kinds = [path["kind"] for path in periods[0]]

    assert said.status == 0
    assert kinds.count("bus") == 1
    assert "through" in kinds
    assert all(path["band_s"] >= 0 for path in periods[0])


def test_a_wave_for_buses_names_every_line_that_is_wrong(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "bus.toml"
    sheet.write_text(BUS.replace("persons = 30", "persons = -1"), encoding="utf-8")
    said = call("wave", tiny, "-s", "High St", "--bus", sheet, "--json")

    assert said.status == 3
    assert said.codes == {"LV447"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-s", "High St", "--paths", "3", "--as-is"), "LV738"),
        (("-s", "High St", "--hold", "AB", "--bus", "x.toml"), "LV738"),
        (("-s", "High St", "--hold", "AB", "--one-by-one"), "LV738"),
        (("--paths", "3"), "LV739"),
        (("-s", "High St", "--ratio", "much"), "LV704"),
        (("-s", "High St", "--keep", "0.5"), "LV703"),
        (("-s", "High St", "--try"), "LV594"),
        (("-c", "counts.csv", "--try"), "LV739"),
        (("-s", "High St", "--try", "--whole-band"), "LV738"),
        (("-s", "High St", "--try", "--as-is"), "LV738"),
        (("-s", "High St", "--try", "--model", "amband"), "LV738"),
        (("-s", "High St", "--try", "--hold", "AB"), "LV738"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    call: Call, tiny: Path, options: tuple[str, ...], code: str
) -> None:
    said = call("wave", tiny, *options, "--json")

    assert said.status == 2
    assert said.codes == {code}


def test_a_red_wave_holds_before_a_full_link(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    options = ("-s", "High St", "-c", tiny_counts, "--hold", "AB")
    said = call("wave", tiny, *options, "-o", tmp_path / "w", "--json")
    shown = call("wave", tiny, *options, "-o", tmp_path / "v", "--lang", "zh")
    (held,) = said.data["holds"]

    assert said.status == 0
    assert [gate["controller"] for gate in held["gates"]] == ["A"]
    assert held["blocked"] <= held["blocked_before"]
    assert len(held["inflow"]) == 8
    assert (tmp_path / "w" / "plans.toml").is_file()
    assert "红波" in shown.out or "截流" in shown.out


def test_counts_beside_a_street_cut_its_delay_and_bring_advice(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    words = ("wave", tiny, "-s", "High St", "-o", tmp_path / "w", "--json")
    blind, seeing = call(*words), call(*words, "-c", tiny_counts)
    whole = call(*words, "-c", tiny_counts, "--whole-band")
    codes = [{f["code"] for f in said.data["findings"]} for said in (blind, seeing, whole)]
    bands = [
        sum(period[way] for period in said.data["waves"][0]["periods"] for way in BANDS)
        for said in (blind, seeing, whole)
    ]

    advice = {row.code for row in ROWS}
    assert not advice & codes[0]
    assert len(advice & codes[1]) == len(advice & codes[2]) == 1
    given_up = {"LV495", "LV737"}
    assert not given_up & codes[2]
    assert bool(given_up & codes[1]) == (bands[1] < bands[2] - 1)


@pytest.mark.slow
def test_a_wave_that_is_tried_tells_what_was_found(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    words = ("wave", tiny, "-s", "High St", "-c", tiny_counts, "--try", "-o", tmp_path / "w")
    said, shown = call(*words, "--json"), call(*words)
    ((trial,),) = said.data["trials"]
    names = {own["name"] for own in trial["waves"]}

    assert said.status == shown.status == 0
    assert said.codes & {"LV590", "LV591"}
    assert {trial["chosen"], trial["preferred"]} <= names
    assert all(len(own["delay_s"]) == len(own["stops_per_km"]) for own in trial["waves"])
    assert (tmp_path / "w" / "trial.csv").is_file()
    assert "Waves tried along High St" in shown.out
    assert {"chosen", "model's choice"} <= set(re.findall("chosen|model's choice", shown.out))


def test_a_wave_leaves_a_diagram_and_plans(call: Call, tiny: Path, tmp_path: Path) -> None:
    said = call("wave", tiny, "--street", "High St", "--out", tmp_path / "wave", "--json")
    (drawn,) = said.data["waves"]

    assert said.status == 0
    assert drawn["periods"][0]["outbound_s"] > 0
    assert {path.suffix for path in (tmp_path / "wave").iterdir()} == {".toml", ".svg", ".png"}


def test_counts_lead_to_periods(call: Call, tiny: Path, tiny_counts: Path) -> None:
    said = call("periods", tiny, "--counts", tiny_counts, "--json")

    assert said.status == 0
    assert said.data["day_plans"]


def test_counts_lead_to_plans_in_every_form(
    call: Call, tiny: Path, tiny_counts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plans"
    said = call("plan", tiny, "-c", tiny_counts, "-s", "High St", "-o", out, "--json")

    assert said.status == 0
    assert said.data["plans"] == 2
    assert {path.suffix for path in out.iterdir()} == {".toml", ".xml", ".csv", ".xlsx"}


def test_runs_are_kept_and_compared_in_pairs(call: Call, tiny: Path, tmp_path: Path) -> None:
    made = [
        call("simulate", tiny, "--seeds", "2", "--workers", "1", "--out", tmp_path / name, "--json")
        for name in ("a", "b")
    ]
    said = call("compare", tmp_path / "a", tmp_path / "b", "--json")
    delay = next(d for d in said.data["differences"] if d["measure"] == "delay_s")

    assert [one.status for one in made] == [0, 0]
    assert said.status == 0
    assert said.data["seeds"] == [0, 1]
    assert delay["change"]["mean"] == 0


def test_runs_of_other_seeds_are_not_compared(call: Call, tiny: Path, tmp_path: Path) -> None:
    for name, seeds in (("a", 1), ("b", 2)):
        call("simulate", tiny, "--seeds", seeds, "--out", tmp_path / name, "--workers", "1", "-q")
    said = call("compare", tmp_path / "a", tmp_path / "b", "--json")

    assert said.status == 2
    assert said.codes == {"LV605"}


@pytest.mark.parametrize(
    ("form", "ending"),
    [("toml", ".toml"), ("sumo", ".add.xml"), ("sheet-csv", ".csv"), ("sheet-xlsx", ".xlsx")],
)
def test_plans_leave_in_every_form(
    form: str, ending: str, call: Call, tiny: Path, tmp_path: Path
) -> None:
    call("init", tiny, "--out", tmp_path / "p", "-q")
    target = tmp_path / f"out{ending}"
    plans = tmp_path / "p" / "plans" / "installed.toml"
    said = call("export", plans, "--format", form, "-n", tiny, "--out", target, "--json")

    assert said.status in {0, 1}
    assert target.stat().st_size > 0


@pytest.mark.slow
def test_a_report_holds_both_languages_in_one_file(call: Call, tiny: Path, tmp_path: Path) -> None:
    call("init", tiny, "--out", tmp_path / "p", "-q")
    call("wave", tiny, "-s", "High St", "-o", tmp_path / "w", "-q")
    words = ["--plans", tmp_path / "w" / "plans.toml", "--street", "High St", "--seeds", "2"]
    said = call("report", tiny, *words, "--out", tmp_path / "report", "--json")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")

    assert said.status == 0
    assert 'lang="zh-CN"' in page
    assert 'lang="en"' in page
    assert (tmp_path / "report" / "figures" / "wave-1-zh.svg").is_file()


def test_a_code_is_explained_in_both_languages(call: Call) -> None:
    english = call("explain", "lv452", "--lang", "en")
    chinese = call("explain", "LV452", "--lang", "zh")

    assert "LV452" in english.out
    assert "‹" in english.out
    assert "周期" in chinese.out


def test_the_doctor_finds_everything_needed(call: Call) -> None:
    said = call("doctor", "--json")
    lost = [c["part"] for c in said.data["checks"] if c["needed"] and not c["ok"]]

    assert said.status == 0
    assert lost == []


def test_the_bands_bench_prints_one_object(call: Call) -> None:
    words = ["bench", "bands", "--models", "two_way_sum", "--sizes", "5", "--limit", "2"]
    said = call(*words, "--json")

    assert said.status == 0
    assert set(said.data) == {"bench", "versions", "load", "rows", "summary"}
    assert said.data["rows"]


def test_a_bench_of_transitions_on_unknown_streets_is_refused(call: Call) -> None:
    said = call("bench", "transitions", "--kinds", "nowhere", "--json")

    assert said.status == 2
    assert said.codes == {"LV690"}


def test_the_latency_bench_prints_one_object_and_a_table(call: Call) -> None:
    words = ["bench", "latency", "--sites", "2", "--seconds", "2", "--controllers", "actuated"]
    said = call(*words, "--json")
    shown = call(*words, "--lang", "zh")

    assert said.status == shown.status == 0
    assert set(said.data) == {"bench", "versions", "load", "rows", "summary"}
    assert said.data["rows"][0]["controller"] == "actuated"
    assert "决策用时" in shown.out


def test_the_scale_bench_prints_its_rows_and_refuses_what_is_no_number(call: Call) -> None:
    shown = call("bench", "scale", "--signals", "4", "--workers", "1", "--long", "0", "--json")
    refused = call("bench", "scale", "--signals", "many", "--json")

    assert [row["task"] for row in shown.data["rows"]] == ["offsets", "cycles", "spin", "areas"]
    assert (refused.status, refused.codes) == (2, {"LV683"})


def test_an_unknown_controller_is_not_timed(call: Call) -> None:
    said = call("bench", "latency", "--controllers", "magic", "--json")

    assert (said.status, said.codes) == (2, {"LV741"})


def test_runs_in_snow_say_so_and_take_longer(call: Call, tiny: Path, tmp_path: Path) -> None:
    trips = {}
    for weather in ("dry", "snow"):
        out = tmp_path / weather
        said = call("simulate", tiny, "--seeds", 1, "--weather", weather, "-o", out, "--json")
        record = json.loads((out / "runs.json").read_text(encoding="utf-8"))
        assert said.status == 0
        assert record["manifest"]["weather"] == weather
        trips[weather] = said.data["runs"]["measures"][0]["trip_s"]

    assert trips["snow"] > trips["dry"]
