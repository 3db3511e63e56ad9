# SPDX-License-Identifier: Apache-2.0
"""Finished runs on disk, so that an interrupted bench goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from lvbo.io.atomic import write_whole
from lvbo.io.scenario import Scenario

ROOMS = ("control", "simulation", "signal", "network", "io", "evaluation", "timing")
"""The rooms whose code decides what a run gives."""
DESIGN_ROOMS = (*ROOMS, "bench", "demand", "detection", "progression")
"""The rooms whose code decides what plans are designed."""


class Kept:
    """Rows by key in one folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def key(self, code: str, scenario: Scenario, *more: object) -> str:
        """Return the name under which a run is kept: code, scenario, and all else that matters."""
        told = (code, scenario.name, _files(scenario), *_running(scenario), *more)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]

    def read(self, key: str) -> Mapping[str, object] | None:
        """Return the row kept under a key; None where there is none or it cannot be read."""
        if self._folder is None:
            return None
        try:
            row = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return row if isinstance(row, dict) else None

    def write(self, key: str, row: Mapping[str, object]) -> None:
        """Keep a row."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{key}.json", json.dumps(row).encode())


def _running(scenario: Scenario) -> tuple[object, ...]:
    """Return what of a scenario decides a run beside its files."""
    spans = (scenario.begin_s, scenario.end_s, scenario.warm_up_s, scenario.run_out_s)
    return (*spans, scenario.step_s, scenario.teleport_s, scenario.options)


def _files(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    listed = (scenario.net_file, *scenario.route_files, *scenario.additional_files)
    return tuple((path.name, _digest(path)) for path in listed)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def code_digest(rooms: tuple[str, ...] = ROOMS) -> str:
    """Return the digest of all code that a run depends on, or of other rooms."""
    whole = hashlib.sha256()
    for room in rooms:
        folder = Path(str(files("lvbo").joinpath(room)))
        for path in sorted(folder.glob("*.py")):
            whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()
