# SPDX-License-Identifier: Apache-2.0
"""Controllers from the command line, and the log of what they decided."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Call

from lvbo.cli.commands.log import MOST
from lvbo.cli.decisions import COLUMNS, headings, told
from lvbo.cli.run import run
from lvbo.simulation.runs import DECISIONS
from lvbo.text import Language


@pytest.fixture(scope="module")
def made(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of two runs under actuated control, shared: copy it before changing it."""
    out = tmp_path_factory.mktemp("log") / "actuated"
    words = ["--controller", "actuated", "--seeds", "2", "--workers", "1", "--out", str(out)]

    assert run(["simulate", str(tiny_home), *words, "--lang", "zh", "--quiet"]) == 0
    return out


@pytest.fixture
def logged(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder of two runs under actuated control."""
    return Path(shutil.copytree(made, tmp_path / "actuated"))


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_runs_under_a_controller_are_kept_and_compared_like_plans(
    call: Call, tiny: Path, logged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shipped"
    call("simulate", tiny, "--seeds", "2", "--workers", "1", "--out", out, "-q")
    said = call("compare", out, logged, "--json")
    manifest = json.loads((logged / "runs.json").read_text(encoding="utf-8"))["manifest"]

    assert said.status == 0
    assert (said.data["before"], said.data["after"]) == ("shipped", "actuated")
    assert said.data["seeds"] == [0, 1]
    assert manifest["control"]["order"] == "skip"
    assert manifest["control"]["sensing"]["eye"] == "area"
    assert manifest["street_rules"] is False


def test_what_was_decided_can_be_opened_in_excel_in_chinese(logged: Path) -> None:
    raw = (logged / "decisions.csv").read_bytes()
    first, *rows = rows_of(logged / "decisions.csv")

    assert raw.startswith(b"\xef\xbb\xbf")
    assert first == ["时间", "信号机", "阶段", "代码", "说明"]
    assert {row[1] for row in rows} == {"A", "B"}
    assert all("阶段" in row[4] or row[3].startswith(("LV72", "LV74")) for row in rows)
    assert rows == sorted(rows, key=lambda row: row[0])
    assert rows_of(logged / "decisions.seed-1.csv") != [first, *rows]


def test_the_log_is_shown_in_both_languages_and_as_data(call: Call, logged: Path) -> None:
    english = call("log", logged, "--lang", "en")
    chinese = call("log", logged, "--lang", "zh")
    data = call("log", logged, "--json", "--lang", "en").data["decisions"]

    assert english.status == chinese.status == 0
    assert "its lanes are empty" in english.out
    assert "车道已空" in chinese.out
    assert [d["second"] for d in data] == sorted(d["second"] for d in data)
    assert set(data[0]) == {"second", "fields", *COLUMNS}
    assert any("its lanes are empty" in d["sentence"] for d in data)


def test_the_log_is_narrowed_by_signal_span_and_seed(call: Call, logged: Path) -> None:
    span = ["--controller", "B", "--from", "00:02", "--to", "0:03:30"]
    own = call("log", logged, *span, "--json").data["decisions"]
    other = call("log", logged, *span, "--seed", "1", "--json").data["decisions"]

    assert own
    assert {d["controller"] for d in own} == {"B"}
    assert all(120 <= d["second"] <= 210 for d in own)
    assert all("00:02:00" <= d["time"] <= "00:03:30" for d in own)
    assert own != other


def test_a_long_log_is_cut_for_readers_and_whole_on_demand(call: Call, logged: Path) -> None:
    whole = len(call("log", logged, "--json").data["decisions"])
    short = call("log", logged, "--lang", "en").out
    long = call("log", logged, "--all", "--lang", "en").out

    assert whole > MOST
    assert f"{whole - MOST} more entries" in short
    assert "more entries" not in long


def test_every_built_in_controller_runs_from_the_command_line(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    for name in ("fixed", "coordinated", "greedy", "lvbo"):
        out = tmp_path / name
        words = ["--controller", name, "--seeds", "1", "--workers", "1", "--out", out]
        said = call("simulate", tiny, *words, "--json")

        assert said.status == 0, said.err
        assert said.data["controlled"][0]["locks"] == 0
        assert said.data["runs"]["measures"][0]["lamp_violations"] == 0
        assert len(rows_of(out / "decisions.csv")) > 10


def test_sensing_order_and_rules_are_those_asked_for(
    call: Call, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    words = ["--order", "fixed", "--sensing", "loops+dead:0.5", "--street-rules"]
    asked = ["--controller", "actuated", "--seeds", "1", "--out", tmp_path / "run"]
    said = call("simulate", tiny, *asked, *words, "--lang", "zh")
    manifest = json.loads((tmp_path / "run" / "runs.json").read_text("utf-8"))["manifest"]

    assert said.status == 0, said.err
    assert "最长等待" in said.out
    assert manifest["control"]["order"] == "fixed"
    assert manifest["control"]["sensing"]["eye"] == "loops"
    assert manifest["control"]["sensing"]["dead"] == 0.5
    assert manifest["street_rules"] is True


def test_a_code_that_is_not_ours_is_told_with_its_fields() -> None:
    row = (36_000, "A", 1, "longest_queue", '{"stage": 2, "queue": 7}')
    (entry,) = told(pl.DataFrame([row], schema=DECISIONS, orient="row"), Language.EN)

    assert entry.time == "10:00:00"
    assert entry.sentence == "stage = 2, queue = 7"


def test_an_entry_does_not_repeat_its_signal() -> None:
    row = (0, "A", 1, "LV725", '{"phases": "NS", "wait_s": 4}')
    table = pl.DataFrame([row], schema=DECISIONS, orient="row")
    said = [next(told(table, language)).sentence for language in Language]

    assert said == ["最小绿灯还需 4 秒：NS。", "the minimum green runs for another 4 s: NS."]


def test_the_columns_are_named_as_agreed() -> None:
    assert headings(Language.EN) == ["time", "controller", "stage", "code", "sentence"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["simulate", "TINY", "--controller", "magic"], "LV741"),
        (["simulate", "TINY", "--controller", "lvbo", "--street", "High St"], "LV733"),
        (["simulate", "TINY", "--controller", "lvbo", "--sensing", "eyes"], "LV740"),
        (["simulate", "TINY", "--controller", "lvbo", "--order", "best"], "LV704"),
        (["simulate", "TINY", "--sensing", "area"], "LV719"),
        (["simulate", "TINY", "--order", "any"], "LV719"),
        (["simulate", "TINY", "--no-street-rules"], "LV719"),
        (["log"], "LV703"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_runs(
    words: list[str], code: str, call: Call, tiny: Path, tmp_path: Path
) -> None:
    out = [] if words[0] == "log" else ["--out", str(tmp_path / "out")]
    said = call(*[str(tiny) if word == "TINY" else word for word in words], *out, "--json")

    assert (said.status, said.codes) == (2, {code})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--controller", "Z"], "LV718"),
        (["--seed", "7"], "LV718"),
        (["--from", "25.10"], "LV705"),
        (["--to", "10:75"], "LV705"),
    ],
)
def test_what_is_not_in_the_log_is_refused(
    words: list[str], code: str, call: Call, logged: Path
) -> None:
    said = call("log", logged, *words, "--json")

    assert (said.status, said.codes) == (2, {code})


def test_a_folder_without_a_log_is_refused(call: Call, tiny: Path, tmp_path: Path) -> None:
    call("simulate", tiny, "--seeds", "1", "--out", tmp_path / "plans", "-q")
    for folder in (tmp_path / "plans", tmp_path / "none"):
        said = call("log", folder, "--json")

        assert (said.status, said.codes) == (3, {"LV717"})


def test_a_log_that_is_none_is_refused(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "decisions.parquet"
    file.write_text("no parquet", encoding="utf-8")
    broken = call("log", tmp_path, "--json")
    pl.DataFrame({"seed": [1]}).write_parquet(file)
    foreign = call("log", tmp_path, "--json")

    assert (broken.status, broken.codes) == (3, {"LV715"})
    assert (foreign.status, foreign.codes) == (3, {"LV715"})
