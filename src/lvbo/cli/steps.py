# SPDX-License-Identifier: Apache-2.0
"""Progress on a terminal as a bar with the time left; elsewhere a plain line every 10 s."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

Tell = Callable[[float], None]
"""Told the share of a step that is done, 0 to 1."""

EVERY_S = 10.0


@contextmanager
def open_step(console: Console, title: str, *, silent: bool = False) -> Iterator[Tell]:
    """Show one step while it runs, and one line with its time when it is done."""
    if silent:
        yield lambda _share: None
        return
    began = perf_counter()
    shown = _bar(console, title) if console.is_terminal else _lines(console, title)
    with shown as tell:
        yield tell
    console.print(
        f"[green]✓[/] {title} [dim]{_seconds(perf_counter() - began)}[/]", highlight=False
    )


@contextmanager
def _bar(console: Console, title: str) -> Iterator[Tell]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda share: bars.update(task, total=1.0, completed=share)


@contextmanager
def _lines(console: Console, title: str) -> Iterator[Tell]:
    began = perf_counter()
    state = {"share": 0.0}
    over = threading.Event()

    def beat() -> None:
        while not over.wait(EVERY_S):
            used = perf_counter() - began
            share = state["share"]
            left = f", ETA {_seconds(used * (1 - share) / share)}" if share > 0 else ""
            told = f" {100 * share:.0f} %" if share > 0 else ""
            console.print(f"… {title}{told} {_seconds(used)}{left}", highlight=False, markup=False)

    def tell(share: float) -> None:
        state["share"] = share

    watcher = threading.Thread(target=beat, daemon=True)
    watcher.start()
    try:
        yield tell
    finally:
        over.set()
        watcher.join()


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"  # noqa: PLR2004  digits
