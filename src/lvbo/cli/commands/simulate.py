# SPDX-License-Identifier: Apache-2.0
"""`lvbo simulate`: run plans or a controller with several seeds and keep what was measured."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.load import Place, read_place, the_plans, the_scenario
from lvbo.cli.options import OutOpt, PlansOpt, ScenarioArg, SeedsOpt, WeatherOpt, WorkersOpt
from lvbo.cli.routes import effects_of, read_escorts, route_data, show_routes
from lvbo.cli.session import Session
from lvbo.cli.steps import Tell
from lvbo.cli.tables import corridor_table, plain_table
from lvbo.control.protocols import Order
from lvbo.errors import UsageError
from lvbo.io.scenario import Weather

if TYPE_CHECKING:
    from lvbo.evaluation.routes import RouteEffect
    from lvbo.project.controlled import ControlOrder
    from lvbo.project.records import RunRecord
    from lvbo.simulation.runs import Controlled, Runs

MEASURED = ("seed", "delay", "trip", "stops", "left", "lamps")
DECIDED = ("longest_wait", "forced", "released", "decision")


def simulate(
    ctx: typer.Context,
    scenario: ScenarioArg,
    plans: PlansOpt = None,
    seeds: SeedsOpt = 5,
    workers: WorkersOpt = 2,
    out: OutOpt = None,
    controller: Annotated[
        str | None, typer.Option("--controller", metavar="NAME", help="cli_opt_controller")
    ] = None,
    order: Annotated[Order | None, typer.Option("--order", help="cli_opt_order")] = None,
    sensing: Annotated[
        str | None, typer.Option("--sensing", metavar="S", help="cli_opt_sensing")
    ] = None,
    street_rules: Annotated[
        bool | None,
        typer.Option("--street-rules/--no-street-rules", help="cli_opt_street_rules"),
    ] = None,
    route: Annotated[
        Path | None, typer.Option("--route", metavar="FILE", help="cli_opt_route")
    ] = None,
    street: Annotated[
        list[str] | None, typer.Option("--street", metavar="NAME", help="cli_opt_keep_wave")
    ] = None,
    weather: WeatherOpt = Weather.DRY,
    tracks: Annotated[bool, typer.Option("--tracks", help="cli_opt_tracks")] = False,
) -> None:
    """Run a scenario under plans, by default its own, or under a controller behind the gate."""
    from lvbo.cli.decisions import write_log
    from lvbo.project.folder import staged
    from lvbo.project.recording import write_recording
    from lvbo.project.records import record_of, write_record
    from lvbo.simulation.weather import weathered

    session: Session = ctx.obj
    wanted = _control_order(controller, order, sensing, street_rules, route, street or [])
    with session.step("read"):
        place = read_place(scenario)
        known = the_scenario(place)
        for name in street or ():
            known.network.corridor(name)
        if wanted is not None:
            wanted = replace(wanted, tracks=tracks)
        if wanted is not None and route is not None:
            wanted = replace(wanted, escorts=read_escorts(route, known.network))
    name = controller or (plans.stem if plans else "shipped")
    target = (out or Path("runs") / name).resolve()
    effects: tuple[RouteEffect, ...] = ()
    with staged(target) as scratch, weathered(known, weather) as driven:
        there = replace(place, scenario=driven)
        with session.step("simulate") as tell:
            if wanted is None:
                runs = _by_plans(there, plans, name, seeds, workers, tell, tracks=tracks)
            else:
                runs = _by_controller(there, plans, wanted, seeds, workers, tell)
        if wanted is not None and wanted.escorts:
            with session.step("routes_without") as tell:
                none = replace(wanted, priority=False)
                effects = effects_of(_by_controller(there, plans, none, seeds, workers, tell), runs)
        with session.step("measure"):
            record = record_of(runs, known.network, street or ())
        write_record(record, scratch, {**runs.manifest, "weather": str(weather)})
        if tracks:
            write_recording(runs.runs[0], scratch)
        if wanted is not None:
            write_log(runs, scratch, session.language)
    facts = [run.controlled for run in runs.runs if wanted is not None and run.controlled]
    _show(session, record, runs, facts, effects, target)


def _control_order(
    controller: str | None,
    order: Order | None,
    sensing: str | None,
    street_rules: bool | None,
    route: Path | None,
    streets: list[str],
) -> ControlOrder | None:
    """Return who shall control, checked; None for plans, which go by none of the options."""
    given: dict[str, object] = {
        "--order": order,
        "--sensing": sensing,
        "--street-rules": street_rules,
        "--route": route,
    }
    if controller is None:
        for option, value in given.items():
            if value is not None:
                raise UsageError("LV719", place=option)
        return None
    from lvbo.project.controlled import ControlOrder, check_order

    wanted = ControlOrder(
        controller=controller,
        order=order or Order.SKIP,
        sensing=sensing or "area",
        street_rules=bool(street_rules),
        streets=tuple(streets),
    )
    check_order(wanted)
    return wanted


def _by_plans(
    place: Place,
    plans: Path | None,
    name: str,
    seeds: int,
    workers: int,
    tell: Tell,
    *,
    tracks: bool,
) -> Runs:
    from lvbo.simulation.simulate import Conduct
    from lvbo.simulation.simulate import simulate as run
    from lvbo.simulation.tools import repaired

    known = the_scenario(place)
    return run(
        known,
        the_plans(plans, place) if plans else repaired(place.plans, known),
        seeds=range(seeds),
        conduct=Conduct(name=name, trajectories=tracks),
        workers=workers,
        progress=tell,
    )


def _by_controller(
    place: Place, plans: Path | None, wanted: ControlOrder, seeds: int, workers: int, tell: Tell
) -> Runs:
    from lvbo.project.controlled import control_scenario

    return control_scenario(
        the_scenario(place),
        wanted,
        plans=the_plans(plans, place) if plans else None,
        seeds=range(seeds),
        workers=workers,
        progress=tell,
    )


def _show(
    session: Session,
    record: RunRecord,
    runs: Runs,
    facts: list[Controlled],
    effects: tuple[RouteEffect, ...],
    target: Path,
) -> None:
    """Show what was measured and where it lies; leave with 1 where a lamp broke a rule."""
    session.show(_table(session, record, facts))
    for one in record.streets:
        session.show(corridor_table(one, session))
    if effects:
        show_routes(session, effects, runs)
    session.show(session.words("cli_runs_at", path=str(target)))
    if facts:
        session.show(session.words("cli_log_at", folder=str(target)))
    findings = [f for one in runs.runs for f in one.violations]
    session.show_findings(findings, most=3)
    data: dict[str, object] = {"folder": str(target), "runs": record.plain()}
    if facts:
        data["controlled"] = [
            {"seed": seed, **asdict(one)} for seed, one in zip(runs.seeds, facts, strict=True)
        ]
    if effects:
        data["routes"] = route_data(effects, runs)
    session.finish(data, findings)
    if findings:
        raise typer.Exit(1)


def _table(session: Session, record: RunRecord, facts: list[Controlled]) -> Table:
    columns = [*MEASURED, *(DECIDED if facts else ())]
    table = plain_table(
        session.words("cli_title_runs", name=record.controller),
        [session.words(f"cli_col_{c}") for c in columns],
        numbers=len(columns),
    )
    for number, m in enumerate(record.measures):
        table.add_row(
            str(m.seed),
            f"{m.delay_s:.1f}",
            f"{m.trip_s:.1f}",
            f"{m.stops:.2f}",
            str(m.unfinished),
            str(m.lamp_violations),
            *(_cells(facts[number]) if facts else ()),
        )
    return table


def _cells(facts: Controlled) -> tuple[str, ...]:
    return (
        f"{facts.worst_wait_s:.0f}",
        str(facts.forced),
        str(facts.released),
        f"{facts.decision_ms_mean:.2f}",
    )
