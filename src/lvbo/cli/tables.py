# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from lvbo.cli.session import Session
    from lvbo.evaluation.compare import Difference
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
        table.add_column(column, justify="right" if right else "left", no_wrap=right)
    return table


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
