# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from lvbo.cli.session import Session
    from lvbo.evaluation.compare import Difference
    from lvbo.evaluation.corridors import Way
    from lvbo.project.records import StreetRecord
    from lvbo.report.inputs import Result

WIDEST_TITLE = 90
MARKS = {"better": ("green", "▲"), "worse": ("red", "▼"), "unclear": ("dim", "·")}
LEADING = (
    "stops_per_km", "travel_median_s", "travel_p95_s", "speed_mps", "nonstop_share",
)  # fmt: skip
NETWORK = (
    "person_delay_s", "delay_s", "trip_s", "stops", "walk_delay_s", "bus_trip_s", "spillback_min",
    "unfinished", "co2_g",
)  # fmt: skip


def plain_table(title: str, columns: Sequence[str], *, numbers: int = 0) -> Table:
    """Return an empty table; the last `numbers` columns are set to the right."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        min_width=min(WIDEST_TITLE, cell_len(title) + 1),
        pad_edge=False,
    )
    for place, column in enumerate(columns):
        right = place >= len(columns) - numbers
        if right:  # a number that has no room says so
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    return table


def in_one_line(columns: Sequence[Column]) -> None:
    """Let columns never wrap; what has no room says so."""
    for column in columns:
        column.no_wrap, column.overflow = True, "ellipsis"


def gains_table(title: str, result: Result, session: Session) -> Table:
    """Return what changed: each direction, then the network; changes with 95 % intervals."""
    from lvbo.report.words import Words

    words = Words(language=session.language)
    table = _change_table(title, session)
    for direction in result.directions:
        street = getattr(direction, "street", "")
        heading = " ".join(part for part in (street, words.heading(direction.heading)) if part)
        _section(table, heading, _chosen(direction.differences, LEADING), session)
    network = _chosen(result.comparison.differences, NETWORK)
    _section(table, session.words("report_whole_network"), network, session)
    return table


def differences_table(title: str, differences: Sequence[Difference], session: Session) -> Table:
    """Return the change of every measure, losers first."""
    table = _change_table(title, session)
    _section(table, "", differences, session)
    return table


def ways_table(title: str, ways: Mapping[Way, Sequence[Difference]], session: Session) -> Table:
    """Return the change of every measure of a street, direction by direction."""
    from lvbo.report.words import Words

    words = Words(language=session.language)
    table = _change_table(title, session)
    for way, differences in ways.items():
        _section(table, words.named("word_way", way), differences, session)
    return table


def corridor_table(record: StreetRecord, session: Session) -> Table:
    """Return the mean of every measure of a street with its 95 % interval, by direction."""
    from lvbo.evaluation.compare import WAY_LESS_IS_BETTER
    from lvbo.report.numbers import STYLES, shown_mean
    from lvbo.report.words import Words

    words = Words(language=session.language)
    ways = [way.way for way in record.ways[0]]
    columns = [session.words("cli_col_measure"), session.words("cli_col_unit")]
    columns += [words.named("word_way", way) for way in ways]
    title = session.words("cli_title_corridor", street=record.street, n=len(record.ways))
    table = plain_table(title, columns, numbers=len(ways))
    for name in WAY_LESS_IS_BETTER:
        style = STYLES[name]
        cells = []
        for k in range(len(ways)):
            values = [seed[k].values[name] for seed in record.ways]
            known = [value for value in values if value is not None]
            cells.append(shown_mean(known, style) if len(known) == len(values) else "–")
        table.add_row(
            words(f"word_measure_{name}"),
            Text(words(f"word_unit_{style.unit}"), style="dim"),
            *cells,
        )
    table.caption = session.words("report_corridor_note")
    table.caption_justify = "left"
    return table


def _change_table(title: str, session: Session) -> Table:
    names = ("measure", "unit", "before", "after", "change")
    columns = ["", *(session.words(f"cli_col_{name}") for name in names), "% [95 %]"]
    table = plain_table(title, columns, numbers=4)
    table.caption = "  ".join(
        f"[{style}]{sign} {session.words(f'word_{mark}')}[/]"
        for mark, (style, sign) in MARKS.items()
    )
    table.caption_justify = "left"
    table.caption_style = "none"
    return table


def _chosen(differences: Iterable[Difference], names: Sequence[str]) -> list[Difference]:
    found = [d for d in differences if d.measure in names]
    return sorted(found, key=lambda d: names.index(d.measure))


def _section(
    table: Table, heading: str, differences: Sequence[Difference], session: Session
) -> None:
    from lvbo.report.numbers import line
    from lvbo.report.words import Words

    if not differences:
        return
    if heading:
        table.add_row("", Text(heading, style="bold cyan"))
    for difference in differences:
        shown = line(difference, Words(language=session.language))
        style, sign = MARKS[str(shown.mark)]
        table.add_row(
            Text(sign, style=style),
            shown.measure,
            Text(shown.unit, style="dim"),
            shown.before,
            shown.after,
            Text(shown.change, style=style),
            Text(shown.percent.removesuffix(" %"), style=style),
        )
    table.add_section()
