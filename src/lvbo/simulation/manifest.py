# SPDX-License-Identifier: Apache-2.0
"""What it takes to repeat a run: versions, seeds, file digests, the command."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lvbo.io.scenario import Scenario

PACKAGES = ("lvbo", "eclipse-sumo", "libsumo", "numpy", "polars")


def versions() -> dict[str, str]:
    """Return the versions of Python, of Lvbo and of what it computes with; `-` where missing."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as `sha256:` and 64 digits."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def manifest(
    scenario: Scenario, seeds: Sequence[int], controller: str, written: Sequence[Path] = ()
) -> dict[str, object]:
    """Return the record of a simulation as a JSON value; files appear by name, not by path.

    `written` are the files made for it: what the signals were told is part of the record.
    """
    files = (scenario.net_file, *scenario.route_files, *scenario.additional_files)
    return {
        "scenario": scenario.name,
        "controller": controller,
        "seeds": list(seeds),
        "begin_s": scenario.begin_s,
        "end_s": scenario.end_s,
        "warm_up_s": scenario.warm_up_s,
        "run_out_s": scenario.run_out_s,
        "step_s": scenario.step_s,
        "teleport_s": scenario.teleport_s,
        "options": dict(scenario.options),
        "files": {path.name: digest(path) for path in files},
        "written": {path.name: digest(path) for path in written},
        "versions": versions(),
        "command": list(sys.argv),
    }
