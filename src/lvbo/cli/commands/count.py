# SPDX-License-Identifier: Apache-2.0
"""`lvbo count`: counts from virtual detectors, on seeds that are never judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvbo.cli.load import read_place, the_scenario
from lvbo.cli.options import ScenarioArg, WorkersOpt
from lvbo.cli.session import Session


def count(
    ctx: typer.Context,
    scenario: ScenarioArg,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="cli_opt_out_counts")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, metavar="N", help="cli_opt_days")] = 3,
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=60, metavar="N", help="cli_opt_minutes")
    ] = 5,
    workers: WorkersOpt = 2,
) -> None:
    """Run the scenario under its shipped plan and write what its detectors saw."""
    from lvbo.io.counts_out import whole_intervals, write_counts
    from lvbo.simulation.count import COUNTING_FROM, count_scenario

    session: Session = ctx.obj
    with session.step("read"):
        place = the_scenario(read_place(scenario))
    with session.step("count"):
        counts = count_scenario(
            place,
            seeds=range(COUNTING_FROM, COUNTING_FROM + days),
            dt_s=60 * minutes,
            workers=workers,
        )
    counts = whole_intervals(counts, 60 * minutes)
    target = (out or Path("counts.csv")).resolve()
    rows = write_counts(counts, target)
    session.show_findings(counts.findings, most=3)
    session.show(session.words("cli_counts_at", path=str(target), rows=rows, days=days))
    session.finish({"file": str(target), "rows": rows, "days": list(counts.days)}, counts.findings)
