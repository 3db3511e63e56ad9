# SPDX-License-Identifier: Apache-2.0
"""Bad input is refused with a code, a place and a status, and nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults import CONFIG, COUNTS, PLANS, Case, cases
from tests.simulation.tiny import build_tiny, write_config

from lvbo.cli.run import run
from lvbo.io.plans_toml import write_plans
from lvbo.io.sumo_scenario import read_scenario

OLD = "what stood here before\n"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sound network, traffic, counts and plans."""
    folder = tmp_path_factory.mktemp("street")
    scenario = read_scenario(build_tiny(folder))
    write_plans(scenario.plans, folder / PLANS)
    rows = [
        f"2025-12-08,{hour:02d}:00,{movement.id},{20 + hour}"
        for movement in scenario.network.movements
        if movement.controllers
        for hour in range(24)
    ]
    lines = ["date,time,movement,volume", *rows]
    (folder / COUNTS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


ALL = tuple(cases())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def laid_out(street: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a copy of the street to spoil, and an output place that holds something already."""
    folder, out = tmp_path / "street", tmp_path / "out"
    shutil.copytree(street, folder)
    out.mkdir()
    (out / "old.txt").write_text(OLD, encoding="utf-8")
    return folder, out


def target(call: tuple[str, ...], out: Path) -> str:
    return str(out / "plans.add.xml") if call[0] == "export" else str(out)


def test_at_least_thirty_faults_are_tried() -> None:
    assert len({case.name for case in ALL}) == len(ALL) >= 30


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_fault_is_named_and_nothing_is_written(
    case: Case,
    street: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, out = laid_out(street, tmp_path)
    case.fault(folder)
    monkeypatch.chdir(folder)
    before = snapshot(tmp_path)
    status = run([*case.call, "-o", target(case.call, out), "--json"])
    said = capsys.readouterr()
    findings = json.loads(said.out)["findings"]

    assert (status, findings[0]["code"]) == (case.status, case.code), findings
    assert case.place in findings[0]["place"]
    assert "Traceback" not in said.err + said.out
    assert snapshot(tmp_path) == before


# outside trouble ------------------------------------------------------------------------------


def start(
    arguments: list[str], folder: Path, *, first: str = "", path: Path | None = None
) -> subprocess.Popen[str]:
    """Start the command line in a process of its own, after some preparation in it."""
    code = f"import sys\n{first}\nfrom lvbo.cli import main\nif __name__ == '__main__': main()"
    (folder / "start.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "LVBO_LANG": "en"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.Popen(
        [sys.executable, "start.py", *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_without_sumo_a_simulation_is_refused(street: Path, tmp_path: Path) -> None:
    folder, out = laid_out(street, tmp_path)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "libsumo.py").write_text("raise ImportError('no SUMO here')\n", encoding="utf-8")
    call = ["simulate", CONFIG, "--seeds", "1", "-o", str(out), "--json"]
    process = start(call, folder, path=hidden)
    said, error = process.communicate(timeout=60)

    assert process.returncode == 5, error
    assert json.loads(said)["findings"][0]["code"] == "LV600"
    assert "Traceback" not in error
    assert snapshot(out) == {"old.txt": OLD.encode()}


@pytest.mark.skipif(sys.platform == "win32", reason="a file size limit is a POSIX thing")
def test_a_full_disk_leaves_the_folder_as_it_was(street: Path, tmp_path: Path) -> None:
    folder, out = laid_out(street, tmp_path)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))"
    call = ["export", PLANS, "-n", CONFIG, "-o", str(out / "plans.add.xml"), "--json"]
    process = start(call, folder, first=limit)
    said, error = process.communicate(timeout=60)
    finding = json.loads(said)["findings"][0]

    assert process.returncode == 5, error
    assert (finding["code"], Path(finding["place"]).name) == ("LV340", "plans.add.xml")
    assert "Traceback" not in error
    assert snapshot(out) == {"old.txt": OLD.encode()}


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C is sent as a POSIX signal")
def test_ctrl_c_in_a_long_run_leaves_the_folder_as_it_was(street: Path, tmp_path: Path) -> None:
    folder, out = laid_out(street, tmp_path)
    write_config(folder, end_s=86_000)
    call = ["simulate", CONFIG, "--seeds", "20", "--workers", "1", "-o", str(out)]
    process = start(call, folder)
    began = time.monotonic()
    while not list(tmp_path.glob(".out.*")) and time.monotonic() - began < 60:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=60)

    assert process.returncode == 130, error
    assert "Traceback" not in error + said
    assert snapshot(out) == {"old.txt": OLD.encode()}
