# SPDX-License-Identifier: Apache-2.0
"""What is kept of runs: the measures of every seed and the manifest, as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvbo.codec import from_document, to_document, to_plain
from lvbo.errors import InputError, UsageError
from lvbo.evaluation.indices import CorridorMeasures, measure_coordination
from lvbo.evaluation.measures import Measures, measure
from lvbo.network.network import Network
from lvbo.simulation.runs import Runs

FILE = "runs.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetRecord:
    """What the runs say of one street: by seed, then by direction."""

    street: str
    ways: tuple[tuple[CorridorMeasures, ...], ...]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The runs of one controller in one scenario: measures by seed, of the streets named too."""

    scenario: str
    controller: str
    measures: tuple[Measures, ...]
    streets: tuple[StreetRecord, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return {
            "scenario": self.scenario,
            "controller": self.controller,
            "measures": to_plain(self.measures),
            "streets": to_plain(self.streets),
        }

    def check_pairs(self, other: RunRecord) -> None:
        """Refuse to compare runs of other scenarios or seeds (LV605)."""
        own, theirs = ([m.seed for m in record.measures] for record in (self, other))
        if self.scenario != other.scenario or own != theirs:
            raise UsageError(
                "LV605",
                place=other.scenario,
                before=f"{self.scenario} {own}",
                after=f"{other.scenario} {theirs}",
            )


def record_of(runs: Runs, network: Network, streets: Sequence[str] = ()) -> RunRecord:
    """Return what is kept of runs.

    Raises:
        InputError: LV210 where the network has no such street.

    """
    corridors = [network.corridor(name) for name in streets]
    return RunRecord(
        scenario=runs.scenario,
        controller=runs.controller,
        measures=tuple(measure(run, network) for run in runs.runs),
        streets=tuple(
            StreetRecord(
                street=corridor.name,
                ways=tuple(measure_coordination(run, corridor, network) for run in runs.runs),
            )
            for corridor in corridors
        ),
    )


def write_record(
    record: RunRecord, folder: Path, manifest: Mapping[str, object] | None = None
) -> Path:
    """Write a record into a folder, with the manifest that repeats the runs; return its path."""
    path = folder / FILE
    document = {**to_document(record), "manifest": dict(manifest or {})}
    path.write_text(
        json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8"
    )
    return path


def read_record(path: Path) -> RunRecord:
    """Return the record in a folder or file.

    Raises:
        InputError: LV101 where there is none, LV715 where it is no record of runs.

    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError("LV101", place=str(file))
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError("LV715", place=str(file), reason=str(error)) from error
    if not isinstance(document, dict):
        raise InputError("LV715", place=str(file), reason=type(document).__name__)
    document.pop("manifest", None)
    return from_document(RunRecord, document, str(file))
