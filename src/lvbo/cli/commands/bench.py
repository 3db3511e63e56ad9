# SPDX-License-Identifier: Apache-2.0
"""`lvbo bench`: our solvers beside others, side by side in one run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.options import SeedsOpt, WorkersOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.bench.common import BenchResult

TEXT = frozenset(
    {"instance", "model", "scenario", "controller", "family", "kind", "kept", "status"}
)


def bands(
    ctx: typer.Context,
    instances: Annotated[
        list[Path] | None,
        typer.Option("--instances", "-i", metavar="FILE", help="cli_opt_instances"),
    ] = None,
) -> None:
    """Measure two-way bands beside MAXBAND in HiGHS."""
    from lvbo.bench.bands import run_bands

    session: Session = ctx.obj
    with session.step("bands"):
        result = run_bands(instances or None)
    _show(session, result)


def plans(
    ctx: typer.Context,
    scenario: Annotated[
        list[Path] | None,
        typer.Option("--scenario", "-s", metavar="PATH", help="cli_opt_scenarios"),
    ] = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
) -> None:
    """Judge our plans beside fixed, actuated and adaptive baselines."""
    from lvbo.bench.plans import PlanBench, run_plans

    session: Session = ctx.obj
    with session.step("bench_plans") as tell:
        result = run_plans(
            scenario or None,
            bench=PlanBench(seeds=seeds, workers=workers),
            progress=lambda _what, share: tell(share),
        )
    _show(session, result)


def _show(session: Session, result: BenchResult) -> None:
    if session.as_json:
        session.finish(result.as_dict)
        return
    header, rows = result.as_table()
    words = [name for name in header if name in TEXT]
    order = [header.index(name) for name in (*words, *(n for n in header if n not in TEXT))]
    table = plain_table(
        session.words(f"cli_title_{result.bench}"),
        [header[k] for k in order],
        numbers=len(order) - len(words),
    )
    for row in rows:
        table.add_row(*(row[k] for k in order))
    session.show(table)
    _summary(session, result.summary)


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
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(held)}" for key, held in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(held) for held in value) or "-"
    return str(value)
