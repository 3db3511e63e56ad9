# SPDX-License-Identifier: Apache-2.0
"""The decision log in words: for a table, for a spreadsheet, for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lvbo.cli.findings import sentence
from lvbo.errors import Finding
from lvbo.text import Language, say, table

if TYPE_CHECKING:
    import polars as pl

    from lvbo.simulation.runs import Runs

COLUMNS = ("time", "controller", "stage", "code", "sentence")
FILE = "decisions.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry of the log in one language; `stage` is empty where phases were wished."""

    second: int
    time: str
    controller: str
    stage: str
    code: str
    sentence: str
    fields: Mapping[str, object]


def told(decisions: pl.DataFrame, language: Language) -> Iterator[Told]:
    """Yield the entries of a log in words, in their order."""
    for row in decisions.select("second", "controller", "stage", "code", "fields").iter_rows():
        second, controller, stage, code, plain = row
        fields: dict[str, object] = json.loads(plain)
        yield Told(
            second=second,
            time=clock(second),
            controller=controller,
            stage="" if stage is None else str(stage),
            code=code,
            sentence=_sentence(code, controller, fields, language),
            fields=fields,
        )


def clock(second: int) -> str:
    """Return a second of the day as HH:MM:SS."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def headings(language: Language) -> list[str]:
    """Return the names of the columns."""
    return [say(f"cli_col_{name}", language) for name in COLUMNS]


def write_csv(path: Path, entries: Iterable[Told], language: Language) -> None:
    """Write a log so that Excel opens it in any language: UTF-8 with a mark at its start."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(headings(language))
        writer.writerows((e.time, e.controller, e.stage, e.code, e.sentence) for e in entries)


def write_log(runs: Runs, folder: Path, language: Language) -> None:
    """Write the log of runs for programs, and for readers a table per seed, the first one plain."""
    from lvbo.project.decisions import Extract, extracted, write_decisions

    decisions = write_decisions(runs, folder)
    for number, seed in enumerate(runs.seeds):
        path = folder / (FILE if number == 0 else FILE.replace(".", f".seed-{seed}."))
        write_csv(path, told(extracted(decisions, Extract(seed=seed)), language), language)


def _sentence(code: str, place: str, fields: Mapping[str, object], language: Language) -> str:
    """Return what an entry says beside its place; a code not ours is told with its fields."""
    if code in table(language):
        said = sentence(Finding(code=code, place=place, fields=fields), language)
        return said.removeprefix(place).lstrip(":： ")
    return ", ".join(f"{name} = {value}" for name, value in fields.items()) or code
