# SPDX-License-Identifier: Apache-2.0
"""Call the command line in this process, on a street of two signals of our own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.tiny import build_tiny

from lvbo.cli.run import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one call answered."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """Return the JSON object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def codes(self) -> set[str]:
        """Return the codes of the findings in the JSON object."""
        return {finding["code"] for finding in self.data["findings"]}


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs the command line and gives status and output."""
    monkeypatch.setenv("LVBO_LANG", "en")
    monkeypatch.setenv("NO_COLOR", "1")

    def calling(*arguments: object) -> Said:
        capsys.readouterr()
        status = run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return Said(status=status, out=out, err=err)

    return calling


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("tiny")).parent


@pytest.fixture
def tiny(tiny_home: Path, tmp_path: Path) -> Path:
    """Return the configuration of a copy of the tiny street."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_home, folder)
    return folder / "tiny.sumocfg"


@pytest.fixture(scope="session")
def tiny_counts(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return counts of the tiny street from its virtual detectors."""
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    words = ["count", str(tiny_home), "--out", str(path), "--days", "1", "--quiet"]

    assert run(words) == 0
    return path
