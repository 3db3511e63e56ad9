# SPDX-License-Identifier: Apache-2.0
"""Rows of text from a CSV or XLSX file, each with its place; what they mean is not known here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from lvbo.errors import Finding, InputError, Severity

GB = "gb18030"
SEPARATORS = ",;\t，"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: where it stands, and its cells as text."""

    place: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A header and the rows below it; `findings` say what was guessed in reading."""

    place: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...] = ()


def read_sheets(path: Path) -> tuple[Sheet, ...]:
    """Read a CSV file as one sheet, an XLSX file as one sheet per non-empty worksheet.

    Raises:
        InputError: LV150 no such file, LV151 neither UTF-8 nor GBK, LV152 no rows, LV169 no table.

    """
    if not path.is_file():
        raise InputError("LV150", place=str(path))
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        return _read_workbook(path)
    if path.suffix.lower() not in {".csv", ".txt", ".tsv"}:
        raise InputError("LV169", place=str(path), reason=path.suffix)
    return (_read_text(path),)


def _read_text(path: Path) -> Sheet:
    raw = path.read_bytes()
    text, findings = _decoded(raw, path.name)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)))
    numbered = [
        Row(place=f"{path.name}:{number}", cells=tuple(cell.strip() for cell in cells))
        for number, cells in enumerate(lines, start=1)
    ]
    return _sheet(path.name, numbered, findings)


def _decoded(raw: bytes, name: str) -> tuple[str, tuple[Finding, ...]]:
    if b"\x00" in raw:
        raise InputError("LV151", place=name)
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode(GB)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError("LV151", place=f"{name}:{line}") from None
    guess = Finding(code="LV170", place=name, severity=Severity.ADVICE)
    return text, (guess,)


def _separator(text: str) -> str:
    head = text.partition("\n")[0]
    return max(SEPARATORS, key=head.count)


def _read_workbook(path: Path) -> tuple[Sheet, ...]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise InputError("LV169", place=path.name, reason=type(error).__name__) from None
    sheets = []
    for page in book.worksheets:
        numbered = [
            Row(place=f"{path.name}:{page.title}:{number}", cells=tuple(map(_text, cells)))
            for number, cells in enumerate(page.iter_rows(values_only=True), start=1)
        ]
        if any(any(row.cells) for row in numbered):
            sheets.append(_sheet(f"{path.name}:{page.title}", numbered, ()))
    book.close()
    if not sheets:
        raise InputError("LV152", place=path.name)
    return tuple(sheets)


def _text(cell: object) -> str:
    """Return a cell as text; times of day keep their format, whole floats lose the point."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _sheet(place: str, rows: Iterable[Row], findings: tuple[Finding, ...]) -> Sheet:
    filled = [row for row in rows if any(row.cells)]
    filled = [row for row in filled if not row.cells[0].startswith("#")]
    if len(filled) < 2:  # noqa: PLR2004  a header and one row are the least
        raise InputError("LV152", place=place)
    header = filled[0].cells
    while header and not header[-1]:
        header = header[:-1]
    return Sheet(place=place, header=header, rows=tuple(filled[1:]), findings=findings)
