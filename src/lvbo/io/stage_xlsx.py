# SPDX-License-Identifier: Apache-2.0
"""How a stage sheet looks in a workbook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from lvbo.io.stage_sheet import Page, RowKind, SheetRow
from lvbo.io.stage_words import Words

STAGE_WIDTHS = (12, 24, 40, 12, 12, 12, 12, 12)
SCHEDULE_WIDTHS = (16, 20, 12, 12)
FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
NAME_LENGTH = 31
HEIGHTS = {RowKind.TITLE: 30, RowKind.HEAD: 20, RowKind.COLUMNS: 20}
INK, GREEN, PALE, LINE = "FF1F2933", "FF1B7F5C", "FFE6F4EE", "FFB8C4CE"
LEFT_COLUMNS = 3
WIDE_CHARACTER = 0x2E80


def workbook_bytes(pages: Sequence[Page], words: Words) -> bytes:
    """Return a workbook with one worksheet for each page."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Lvbo"
    book.properties.title = words.title
    names: set[str] = set()
    for number, page in enumerate(pages):
        sheet = book.create_sheet(_sheet_name(page.name, names))
        _fill(sheet, page, words, STAGE_WIDTHS if number else SCHEDULE_WIDTHS)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _sheet_name(name: str, used: set[str]) -> str:
    """Return a name that Excel accepts and that no other worksheet has."""
    short = FORBIDDEN.sub("_", name).strip("'")[:NAME_LENGTH] or "-"
    number = 1
    while short.lower() in used:
        number += 1
        tail = f" {number}"
        short = FORBIDDEN.sub("_", name)[: NAME_LENGTH - len(tail)] + tail
    used.add(short.lower())
    return short


def _fill(sheet: Worksheet, page: Page, words: Words, widths: Sequence[int]) -> None:
    for number, row in enumerate(page.rows, start=1):
        _row(sheet, number, row, words, widths)
    for column, width in enumerate(widths):
        sheet.column_dimensions[chr(ord("A") + column)].width = width
    sheet.freeze_panes = "B2"
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _row(sheet: Worksheet, number: int, row: SheetRow, words: Words, widths: Sequence[int]) -> None:
    width = len(widths)
    if row.kind is RowKind.BLANK:
        return
    for column in range(width):
        cell = sheet.cell(row=number, column=column + 1)
        if column < len(row.cells):
            cell.value = row.cells[column]
            if isinstance(row.cells[column], str):
                cell.data_type = "s"  # an id that begins with = is no formula
        cell.font = _font(row.kind, words.font, column)
        cell.alignment = _alignment(row.kind, column)
        if row.kind is RowKind.TITLE:
            continue
        cell.border = _frame()
        if row.kind is not RowKind.STAGE:
            cell.fill = _paint(row.kind, column)
    if row.kind is RowKind.TITLE:
        sheet.merge_cells(start_row=number, start_column=1, end_row=number, end_column=width)
    height = HEIGHTS.get(row.kind, 17 * max(1, _lines(row, widths)))
    sheet.row_dimensions[number].height = height


def _lines(row: SheetRow, widths: Sequence[int]) -> int:
    """Return how many lines the longest cell of a row takes, Chinese counting double."""
    needs = [
        sum(2 if ord(c) >= WIDE_CHARACTER else 1 for c in str(cell)) / (width - 2)
        for cell, width in zip(row.cells, widths, strict=False)
    ]
    return int(max(needs, default=1) + 0.999)


def _font(kind: RowKind, name: str, column: int) -> Font:
    if kind is RowKind.TITLE:
        return Font(name=name, size=16, bold=True, color=GREEN)
    if kind is RowKind.COLUMNS:
        return Font(name=name, size=11, bold=True, color="FFFFFFFF")
    bold = kind is RowKind.TOTAL or (kind is RowKind.HEAD and column % 2 == 0)
    return Font(name=name, size=11, bold=bold, color=INK)


def _alignment(kind: RowKind, column: int) -> Alignment:
    left = kind is RowKind.TITLE or (kind is RowKind.STAGE and 0 < column < LEFT_COLUMNS)
    return Alignment(
        horizontal="left" if left else "center", vertical="center", wrap_text=kind is RowKind.STAGE
    )


def _paint(kind: RowKind, column: int) -> PatternFill:
    if kind is RowKind.COLUMNS:
        return PatternFill("solid", fgColor=GREEN)
    pale = kind is RowKind.TOTAL or column % 2 == 0
    return PatternFill("solid", fgColor=PALE if pale else "FFFFFFFF")


def _frame() -> Border:
    side = Side(style="thin", color=LINE)
    return Border(left=side, right=side, top=side, bottom=side)
