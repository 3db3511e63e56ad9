# SPDX-License-Identifier: Apache-2.0
"""`lvbo demo`: the whole line on the bundled city."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.city.calendar import Span
from lvbo.cli.options import OutOpt, SeedsOpt, WorkersOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import gains_table, plain_table

if TYPE_CHECKING:
    from lvbo.city.demo import Demo


def demo(
    ctx: typer.Context,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="cli_opt_seed")] = 1,
    out: OutOpt = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
    full: Annotated[bool, typer.Option("--full", help="cli_opt_full")] = False,
    span: Annotated[Span | None, typer.Option("--span", help="cli_opt_span")] = None,
    times: Annotated[bool, typer.Option("--times", help="cli_opt_times")] = False,
) -> None:
    """Run the demo and show its gains."""
    from lvbo.city.demo import DemoOrder, run_demo
    from lvbo.project.folder import staged

    session: Session = ctx.obj
    target = (out or Path("lvbo-demo")).resolve()
    order = DemoOrder(
        city_seed=seed,
        seeds=seeds,
        workers=workers,
        full=full,
        span=span,
        language=session.language,
    )
    session.note("cli_demo_intro")
    if span is Span.DAY:
        session.note("cli_demo_day")
    with staged(target) as scratch:
        made = run_demo(scratch, order, steps=session.step)
        report = made.report.relative_to(scratch)
    _show(session, made)
    if times:
        session.show(_times_table(session))
    session.show(session.words("cli_report_at", path=str(target / report)))
    session.finish(lambda: _data(session, made, target / report))


def _show(session: Session, made: Demo) -> None:
    designed = made.designed
    session.show_findings(made.results.inputs.data_findings, most=2)
    table = plain_table(
        session.words("cli_title_waves"),
        [
            session.words(f"cli_col_{c}")
            for c in ("street", "period", "cycle", "out", "back", "eff")
        ],
        numbers=4,
    )
    for wave in designed.waves:
        for own in wave.periods:
            table.add_row(
                wave.corridor.name,
                f"{own.day_type} {own.period}",
                f"{own.cycle_s:g}",
                f"{own.runs.outbound_ms / 1000:.0f}",
                f"{own.runs.inbound_ms / 1000:.0f}",
                f"{own.runs.efficiency:.2f}",
            )
    session.show(table)
    for result in made.results.inputs.results:
        session.show(gains_table(session.words("cli_title_gains"), result, session))
    session.show(session.words("cli_notice_city"))


def _times_table(session: Session) -> Table:
    table = plain_table(
        session.words("cli_title_times"),
        [session.words("cli_col_step"), "s"],
        numbers=1,
    )
    for name, took in session.took_s.items():
        table.add_row(session.words(f"cli_step_{name}"), f"{took:.1f}")
    table.add_row(session.words("cli_total"), f"{sum(session.took_s.values()):.1f}")
    return table


def _data(session: Session, made: Demo, report: Path) -> dict[str, object]:
    from lvbo.codec import to_plain

    comparison = made.results.result.comparison
    return {
        "status": "done",
        "report": str(report),
        "comparison": to_plain(comparison),
        "directions": to_plain(made.results.result.directions),
        "times_s": {name: round(took, 2) for name, took in session.took_s.items()},
    }
