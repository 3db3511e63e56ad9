# SPDX-License-Identifier: Apache-2.0
"""`lvbo check`: what is doubtful in a network, its plans and counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.flows import flow_data, flows_table
from lvbo.cli.load import Place, read_place, the_counts, the_plans, the_scenario
from lvbo.cli.options import CountsOpt, PlaceArg, PlansOpt
from lvbo.cli.session import Session

if TYPE_CHECKING:
    from lvbo.errors import Finding
    from lvbo.project.flow_check import FlowCheck
    from lvbo.signal.schedule import PlanSet


def check(
    ctx: typer.Context,
    path: PlaceArg,
    plans: PlansOpt = None,
    counts: CountsOpt = None,
    itself: Annotated[bool, typer.Option("--self", help="cli_opt_self")] = False,
    flows: Annotated[bool, typer.Option("--flows", help="cli_opt_flows")] = False,
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
    seen = _flow_check(place, chosen, counts, session) if flows else None
    found += seen.findings if seen is not None else ()
    _sum_up(session, place, chosen, path)
    counted = session.show_findings(found, most=10_000 if every else 4, as_result=True)
    session.show(
        session.words(
            "cli_found", errors=counted.errors, warnings=counted.warnings, advice=counted.advice
        )
    )
    told: dict[str, object] = {
        "errors": counted.errors,
        "warnings": counted.warnings,
        "advice": counted.advice,
    }
    if seen is not None:
        session.show(flows_table(session, seen))
        told["flows"] = flow_data(seen)
    session.finish(told, found)
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


def _flow_check(
    place: Place, plans: PlanSet, counts: list[Path] | None, session: Session
) -> FlowCheck:
    """Compare the area model with SUMO: on counts, or on the traffic that the place has."""
    from lvbo.project.flow_check import check_area_flows
    from lvbo.simulation.count import COUNTING_FROM, count_scenario

    with session.step("count"):
        seen = (
            the_counts(counts, place.network)
            if counts
            else count_scenario(the_scenario(place), seeds=(COUNTING_FROM,))
        )
    net_file = place.path if place.scenario is None else place.scenario.net_file
    with session.step("flow_check"):
        return check_area_flows(place.network, net_file, seen, plans, place.speeds_mps)


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
