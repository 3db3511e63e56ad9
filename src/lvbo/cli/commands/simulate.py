# SPDX-License-Identifier: Apache-2.0
"""`lvbo simulate`: run plans with several seeds and keep what was measured."""

from __future__ import annotations

from pathlib import Path

import typer

from lvbo.cli.load import read_place, the_plans, the_scenario
from lvbo.cli.options import OutOpt, PlansOpt, ScenarioArg, SeedsOpt, WorkersOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table


def simulate(
    ctx: typer.Context,
    scenario: ScenarioArg,
    plans: PlansOpt = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
    out: OutOpt = None,
) -> None:
    """Run a scenario; without plans its own, given the clearance they lack."""
    from lvbo.project.folder import staged
    from lvbo.project.records import record_of, write_record
    from lvbo.simulation.simulate import Conduct
    from lvbo.simulation.simulate import simulate as run
    from lvbo.simulation.tools import repaired

    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(scenario)
        known = the_scenario(place)
        chosen = the_plans(plans, place) if plans else repaired(place.plans, known)
    name = plans.stem if plans else "shipped"
    target = (out or Path("runs") / name).resolve()
    with staged(target) as scratch:
        with session.step("simulate") as tell:
            runs = run(
                known,
                chosen,
                seeds=range(seeds),
                conduct=Conduct(name=name),
                workers=workers,
                progress=tell,
            )
        record = record_of(runs, known.network)
        write_record(record, scratch, runs.manifest)
    columns = [
        session.words(f"cli_col_{c}") for c in ("seed", "delay", "trip", "stops", "left", "lamps")
    ]
    table = plain_table(session.words("cli_title_runs", name=name), columns, numbers=6)
    for m in record.measures:
        table.add_row(
            str(m.seed),
            f"{m.delay_s:.1f}",
            f"{m.trip_s:.1f}",
            f"{m.stops:.2f}",
            str(m.unfinished),
            str(m.lamp_violations),
        )
    session.show(table)
    session.show(session.words("cli_runs_at", path=str(target)))
    findings = [f for one in runs.runs for f in one.violations]
    session.show_findings(findings, most=3)
    session.finish(lambda: {"folder": str(target), "runs": record.plain()}, findings)
    if findings:
        raise typer.Exit(1)
