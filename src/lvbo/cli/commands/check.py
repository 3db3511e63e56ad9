# SPDX-License-Identifier: Apache-2.0
"""`lvbo check`: what is doubtful in a network, its plans and counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.load import Place, read_place, the_counts, the_plans, the_scenario
from lvbo.cli.options import CountsOpt, PlaceArg, PlansOpt
from lvbo.cli.session import Session

if TYPE_CHECKING:
    from lvbo.errors import Finding
    from lvbo.signal.schedule import PlanSet


def check(
    ctx: typer.Context,
    path: PlaceArg,
    plans: PlansOpt = None,
    counts: CountsOpt = None,
    itself: Annotated[bool, typer.Option("--self", help="cli_opt_self")] = False,
    every: Annotated[bool, typer.Option("--all", help="cli_opt_all")] = False,
) -> None:
    """Print every finding; exit 1 where one is more than advice."""
    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
    with session.step("check"):
        found = [*_findings(place, chosen)]
    if counts:
        with session.step("counts"):
            found += the_counts(counts, place.network).findings
    if itself:
        found += _self_check(place, session)
    _sum_up(session, place, chosen, path)
    counted = session.show_findings(found, most=10_000 if every else 4, as_result=True)
    session.show(
        session.words(
            "cli_found", errors=counted.errors, warnings=counted.warnings, advice=counted.advice
        )
    )
    session.finish(
        {"errors": counted.errors, "warnings": counted.warnings, "advice": counted.advice}, found
    )
    if counted.matter:
        raise typer.Exit(1)


def _findings(place: Place, plans: PlanSet) -> Iterator[Finding]:
    from lvbo.io.doubts import check_network
    from lvbo.signal.check import check_plan, check_rules

    yield from place.plans.findings
    yield from check_network(place.network, plans)
    index = place.network.controller_index
    for controller in place.network.controllers:
        yield from check_rules(controller.rules, str(controller.id))
    for plan in plans.plans:
        yield from check_plan(plan, index[plan.controller].rules)


def _self_check(place: Place, session: Session) -> tuple[Finding, ...]:
    from lvbo.simulation.selfcheck import self_check

    scenario = the_scenario(place)
    with session.step("self_check"):
        return tuple(self_check(scenario))


def _sum_up(session: Session, place: Place, plans: PlanSet, path: Path) -> None:
    network = place.network
    session.show(
        session.words(
            "cli_network",
            path=path.name,
            signals=len(network.controllers),
            links=len(network.links),
            movements=len(network.movements),
            plans=len(plans.plans),
            corridors=len(network.corridors),
        )
    )
