# SPDX-License-Identifier: Apache-2.0
"""`lvbo report`: prove plans on a scenario and write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvbo.cli.load import read_place, the_plans, the_scenario
from lvbo.cli.options import BeforeOpt, OutOpt, ScenarioArg, SeedsOpt, StreetOpt, WorkersOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import gains_table

NewPlans = Annotated[Path, typer.Option("--plans", "-p", metavar="FILE", help="cli_opt_plans_new")]


def report(
    ctx: typer.Context,
    scenario: ScenarioArg,
    plans: NewPlans,
    before: BeforeOpt = None,
    street: StreetOpt = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
    out: OutOpt = None,
) -> None:
    """Run both plan sets on the same seeds and write figures, numbers and one page."""
    from lvbo.project.folder import staged
    from lvbo.project.proof import prove
    from lvbo.project.results import Occasion, gather, write_results

    session: Session = ctx.obj
    target = (out or Path("lvbo-report")).resolve()
    with session.step("read"):
        place = read_place(scenario)
        known = the_scenario(place)
        new = the_plans(plans, place)
        old = the_plans(before, place) if before else None
    with staged(target) as scratch:
        proof = prove(
            known, new, seeds=range(seeds), before=old, workers=workers, steps=session.step
        )
        occasion = Occasion(place=known.name, day_type=new.day_plans[0].day_type)
        with session.step("measure"):
            results = gather(proof, None, occasion, streets=street or ())
        page = write_results(results, scratch, first=session.language, steps=session.step)
        name = page.relative_to(scratch)
    session.show(gains_table(session.words("cli_title_gains"), results.result, session))
    session.show(session.words("cli_report_at", path=str(target / name)))
    session.finish(lambda: _data(results.result, target / name))


def _data(result: object, page: Path) -> dict[str, object]:
    from lvbo.codec import to_plain

    return {"report": str(page), "result": to_plain(getattr(result, "comparison", None))}
