# SPDX-License-Identifier: Apache-2.0
"""What a bench measured as tables: its rows, what they have in common, how they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from lvbo.cli.session import Session
from lvbo.cli.tables import in_one_line, plain_table

if TYPE_CHECKING:
    from lvbo.bench.common import BenchResult

TEXT = frozenset(
    {
        "instance",
        "model",
        "scenario",
        "controller",
        "family",
        "kind",
        "kept",
        "status",
        "protocol",
        "order",
        "sensing",
        "setting",
        "locked_at",
        "corridor",
        "countdown",
        "part",
        "engine",
        "task",
        "way",
    }
)


ASIDE = frozenset({"family", "kind", "setting"})
"""Columns that the controller's name tells, or that have lines of their own; JSON has them all."""
EMPTY = frozenset({"", "-"})
INTERVAL = frozenset({"mean", "low", "high", "n"})
"""The keys of a mean with its 95 % interval."""


def show_bench(session: Session, result: BenchResult) -> None:
    """Print the rows of a bench, part by part, and its summary; with --json one object."""
    if session.as_json:
        session.finish(result.as_dict, result.findings or None)
        return
    header, rows = result.as_table()
    for part in _parts(header, rows):
        _table(session, result.bench, header, part)
    _summary(session, result.summary)
    session.show_findings(result.findings, as_result=True)


def _parts(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[Sequence[str]]]:
    """Return the rows of each part of a bench that has parts, which measure different things."""
    if "part" not in header:
        return [list(rows)]
    names = dict.fromkeys(row[header.index("part")] for row in rows)
    return [[row for row in rows if row[header.index("part")] == name] for name in names]


def _table(
    session: Session, bench: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    if len(rows) == 1:
        session.show(_upright(session.words(f"cli_title_{bench}"), header, rows[0]))
        return
    same = _same(header, rows)
    aside = same.keys() | ASIDE
    words = [name for name in header if name in TEXT and name not in aside]
    numbers = [name for name in header if name not in TEXT and name not in same]
    order = [header.index(name) for name in (*words, *numbers)]
    table = plain_table(
        session.words(f"cli_title_{bench}"),
        [header[k].replace("_", "\n") for k in order],
        numbers=len(numbers),
    )
    for row in rows:
        table.add_row(*(row[k] for k in order))
    in_one_line(table.columns[: len(words)])
    session.show(table)
    for line in _settings(header, rows):
        session.show(line)
    known = {
        name: value for name, value in same.items() if value not in EMPTY and name not in ASIDE
    }
    if known:
        facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in known.items())
        session.show(session.words("cli_bench_same", facts=facts))


def _upright(title: str, header: Sequence[str], row: Sequence[str]) -> RenderableType:
    """Return a table of one row set upright: side by side its columns would have no room."""
    table = plain_table(title, ["", ""])
    for name, value in zip(header, row, strict=True):
        if value not in EMPTY:
            table.add_row(name.replace("_", " "), value)
    return table


def _settings(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return how each was set, a line each, where rows say so."""
    if "setting" not in header:
        return []
    at = [header.index(name) for name in ("scenario", "controller", "setting")]
    told = dict.fromkeys(tuple(row[k] for k in at) for row in rows)
    return [f"{place} {who}: {how}" for place, who, how in told if how not in EMPTY]


def _same(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return what all rows have in common, by column: it is said once, and leaves room."""
    return {
        name: rows[0][k]
        for k, name in enumerate(header)
        if all(row[k] == rows[0][k] for row in rows)
    }


def _summary(session: Session, summary: Mapping[str, object]) -> None:
    table = plain_table(session.words("cli_title_summary"), ["", ""])
    for key, value in summary.items():
        if isinstance(value, Mapping):
            for inner, held in value.items():
                table.add_row(f"{key} {inner}", _text(held))
        else:
            table.add_row(key, _text(value))
    session.show(table)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping) and set(value) >= INTERVAL:
        low, high = value["low"], value["high"]
        span = "" if low is None or high is None else f" [{_text(low)}, {_text(high)}]"
        return f"{_text(value['mean'])}{span} (n = {value['n']})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(held)}" for key, held in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(held) for held in value) or "-"
    return str(value)
