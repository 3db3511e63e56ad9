# SPDX-License-Identifier: Apache-2.0
"""`lvbo plan`: one timing plan per controller and period, coordinated where streets are named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lvbo.cli.load import read_place, the_counts, the_plans
from lvbo.cli.options import CountsOpt, OutOpt, PlaceArg, PlansOpt, StreetOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.project.line import Designed


def plan(
    ctx: typer.Context,
    path: PlaceArg,
    counts: CountsOpt = None,
    plans: PlansOpt = None,
    street: StreetOpt = None,
    out: OutOpt = None,
) -> None:
    """Write plans made from counts, as text, SUMO programmes and stage sheets."""
    from lvbo.project.folder import staged
    from lvbo.project.line import design
    from lvbo.project.results import write_plan_files

    session: Session = ctx.obj
    target = (out or Path("lvbo-plans")).resolve()
    with session.step("read"):
        place = read_place(path)
        installed = the_plans(plans, place)
    with session.step("counts"):
        seen = the_counts(counts, place.network)
    made = design(
        place.network,
        seen,
        installed,
        streets=street or (),
        speeds_mps=place.speeds_mps,
        steps=session.step,
    )
    with staged(target) as scratch, session.step("plan_files"):
        lost = write_plan_files(made.plans, place.network, scratch)
    findings = (*seen.findings, *made.findings, *lost)
    session.show_findings(findings, most=3)
    _show(session, made)
    session.show(session.words("cli_plans_at", path=str(target), plans=len(made.plans.plans)))
    session.finish({"folder": str(target), "plans": len(made.plans.plans)}, findings)


def _show(session: Session, made: Designed) -> None:
    columns = [session.words(f"cli_col_{c}") for c in ("day", "period", "signals", "cycles")]
    table = plain_table(session.words("cli_title_plans"), columns, numbers=2)
    for day in made.plans.day_plans:
        for period in day.periods:
            own = [
                plan.cycle_s
                for (_, kind, name), plan in made.plans.run_index.items()
                if (kind, name) == (day.day_type, period.name)
            ]
            cycles = ", ".join(f"{cycle:g}" for cycle in sorted(set(own), reverse=True))
            kind = session.word_or(f"word_day_{day.day_type}", day.day_type)
            table.add_row(kind, period.name, str(len(own)), cycles)
        table.add_section()
    session.show(table)
