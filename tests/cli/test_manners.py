# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.cli.conftest import Call

from lvbo.cli.app import COMMANDS, build_app
from lvbo.cli.language import find_language
from lvbo.cli.usage import COMMANDS as NAMED
from lvbo.text import Language, say


def test_every_command_has_help_in_chinese(call: Call) -> None:
    silent = [
        name
        for name, _ in COMMANDS
        if "cli_" in (said := call(name, "--help", "--lang", "zh")).out or "选项" not in said.out
    ]

    assert silent == []


@pytest.mark.parametrize("columns", ["80", "100"])
@pytest.mark.parametrize("language", list(Language))
def test_no_help_is_cut_off(
    columns: str, language: Language, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    benches = build_app(language).commands["bench"].commands
    words = [[name] for name, _ in COMMANDS] + [["bench", name] for name in benches]
    helps = [call(*each, "--help", "--lang", language).out for each in words]

    assert [each for each, said in zip(words, helps, strict=True) if "…" in said] == []
    assert all(max(map(cell_len, said.splitlines())) <= int(columns) for said in helps)
    assert all(say("cli_opt_help", language) in said for said in helps)
    assert all(said.split()[0] == say("cli_usage", language) for said in helps)


def test_near_commands_are_searched_among_all() -> None:
    assert {name for name, _ in COMMANDS} | {"bench"} == set(NAMED)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["dema"], "LV701"),
        (["demo", "--sede", "1"], "LV702"),
        (["check"], "LV703"),
        (["bench"], "LV703"),
        (["demo", "--seeds", "none"], "LV704"),
        (["demo", "--seeds", "0"], "LV704"),
        (["explain", "LV999"], "LV710"),
        (["bench", "plan"], "LV701"),
    ],
)
def test_a_wrong_call_is_status_two(words: list[str], code: str, call: Call) -> None:
    said = call(*words, "--json")

    assert said.status == 2
    assert said.codes == {code}


def test_a_network_alone_cannot_be_simulated(call: Call, tiny: Path) -> None:
    said = call("simulate", tiny.with_name("tiny.net.xml"), "--json")

    assert (said.status, said.codes) == (2, {"LV711"})


def test_plans_need_counts(call: Call, tiny: Path) -> None:
    said = call("plan", tiny, "--json")

    assert (said.status, said.codes) == (2, {"LV712"})


def test_a_file_that_is_not_there_is_status_three(call: Call, tmp_path: Path) -> None:
    said = call("check", tmp_path / "none.net.xml", "--json")

    assert (said.status, said.codes) == (3, {"LV101"})


def test_an_error_names_code_place_and_cure_and_shows_no_traceback(
    call: Call, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.net.xml"
    broken.write_text("<net><edge", encoding="utf-8")
    said = call("check", broken)

    assert said.status == 3
    assert said.err.startswith("LV1")
    assert "broken.net.xml" in said.err
    assert "→" in said.err
    assert "Traceback" not in said.out + said.err


def test_a_record_that_is_none_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "runs.json").write_text("[]", encoding="utf-8")
    said = call("compare", tmp_path, tmp_path, "--json")

    assert (said.status, said.codes) == (3, {"LV715"})


def test_the_output_folder_is_unchanged_where_anything_fails(
    call: Call, tiny: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "kept.txt").write_text("mine", encoding="utf-8")
    plans = tmp_path / "bad.toml"
    plans.write_text("lvbo = 1\n[[", encoding="utf-8")
    said = call("report", tiny, "--plans", plans, "--out", out, "--json")

    assert said.status == 3
    assert [path.name for path in out.iterdir()] == ["kept.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.toml", "out", "tiny"]


def test_a_folder_that_is_a_file_is_status_five(call: Call, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_text("mine", encoding="utf-8")
    said = call("wave", tiny, "-s", "High St", "--out", out / "below", "--json")

    assert (said.status, said.codes) == (5, {"LV340"})
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_status_five_and_leaves_the_folder(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import resource, signal, sys; from lvbo.cli.run import run;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "sys.exit(run(sys.argv[1:]))"
    )
    words = ["wave", str(tiny), "-s", "High St", "--out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "LVBO_LANG": "en"},
    )

    assert ended.returncode == 5, ended.stderr
    assert "LV340" in ended.stderr
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent another way on Windows")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_worker_and_leaves_nothing(
    tiny: Path, tmp_path: Path, how: signal.Signals
) -> None:
    process, workers = _simulating(tiny, tmp_path / "out")
    process.send_signal(how)
    said = process.communicate(timeout=60)[1]

    assert workers
    assert process.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert _have_ended(workers)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def _simulating(tiny: Path, out: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Return a command that simulates for long, and its workers."""
    words = ["simulate", str(tiny), "--seeds", "40", "--out", str(out), "--lang", "en"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lvbo.cli", *words], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not _workers(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return process, _workers(process.pid)


def _have_ended(workers: list[int]) -> bool:
    deadline = time.monotonic() + 30
    while any(_lives(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(_lives(worker) for worker in workers)


def _workers(parent: int) -> list[int]:
    """Return the children of a process, on Linux."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(word) for word in found.read_text().split()] if found.exists() else []


def _lives(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().split(")")[-1].split()[0] != "Z"


def test_quiet_says_nothing_beside_the_result(call: Call, tiny: Path) -> None:
    said = call("wave", tiny, "--list", "--quiet")

    assert said.err == ""
    assert "High St" in said.out


def test_json_leaves_nothing_else_on_standard_output(call: Call, tiny: Path) -> None:
    said = call("wave", tiny, "--list", "--json")

    assert said.data
    assert said.err == ""


def test_no_colour_where_it_is_not_wanted(call: Call, tmp_path: Path) -> None:
    said = call("check", tmp_path / "none.net.xml")

    assert "\x1b[" not in said.err


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        (["--lang", "zh"], {"LVBO_LANG": "en"}, Language.ZH),
        (["--lang=en"], {"LANG": "zh_CN.UTF-8"}, Language.EN),
        ([], {"LVBO_LANG": "zh"}, Language.ZH),
        ([], {"LANG": "zh_CN.UTF-8"}, Language.ZH),
        ([], {"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, Language.EN),
    ],
)
def test_the_option_goes_before_the_variable_and_the_locale(
    arguments: list[str], environment: dict[str, str], language: Language
) -> None:
    assert find_language(arguments, environment) is language


def test_an_unexpected_fault_is_said_plainly_and_logged(
    call: Call, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvbo.io.sumo_scenario.read_scenario", _broken)
    said = call("check", tiny, "--json")
    (finding,) = said.data["findings"]
    log = Path(finding["place"])

    assert (said.status, finding["code"]) == (5, "LV706")
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
    log.unlink()


def _broken(_path: Path) -> None:
    raise ZeroDivisionError
