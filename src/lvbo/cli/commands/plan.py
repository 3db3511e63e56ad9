# SPDX-License-Identifier: Apache-2.0
"""`lvbo plan`: one timing plan per controller and period, coordinated where streets are named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.area import area_data, cycle_limits, one_of, read_buses, show_area
from lvbo.cli.load import net_file, read_place, the_counts, the_plans
from lvbo.cli.options import CountsOpt, OutOpt, PlaceArg, PlansOpt, StreetOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.errors import Finding, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lvbo.network.network import Network
    from lvbo.project.line import Designed
    from lvbo.signal.schedule import PlanSet


def plan(
    ctx: typer.Context,
    path: PlaceArg,
    counts: CountsOpt = None,
    plans: PlansOpt = None,
    street: StreetOpt = None,
    out: OutOpt = None,
    area: Annotated[bool, typer.Option("--area", help="cli_opt_area")] = False,
    bands: Annotated[
        str | None, typer.Option("--bands", metavar="hard|soft|none", help="cli_opt_bands")
    ] = None,
    objective: Annotated[
        str | None, typer.Option("--objective", metavar="NAME", help="cli_opt_objective")
    ] = None,
    cycles: Annotated[
        str | None, typer.Option("--cycles", metavar="A-B", help="cli_opt_cycles")
    ] = None,
    most_plans: Annotated[
        int | None, typer.Option("--most-plans", min=1, metavar="K", help="cli_opt_most_plans")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=1.0, metavar="S", help="cli_opt_search_seconds"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="cli_opt_search_seed")
    ] = None,
    least_gain: Annotated[
        float | None, typer.Option("--least-gain", min=0.0, metavar="P", help="cli_opt_least_gain")
    ] = None,
    robust: Annotated[
        int | None, typer.Option("--robust", min=2, metavar="N", help="cli_opt_robust")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, metavar="N", help="cli_opt_area_workers")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="cli_opt_cluster")
    ] = None,
    buses: Annotated[
        Path | None, typer.Option("--buses", metavar="FILE", help="cli_opt_buses")
    ] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="cli_opt_calibrate")] = False,
    try_out: Annotated[bool, typer.Option("--try", help="cli_opt_try")] = False,
    transitions: Annotated[bool, typer.Option("--transitions", help="cli_opt_transitions")] = False,
) -> None:
    """Write plans made from counts, as text, SUMO programmes and stage sheets."""
    session: Session = ctx.obj
    wanted = {
        "--bands": bands,
        "--objective": objective,
        "--cycles": cycles,
        "--most-plans": most_plans,
        "--seconds": seconds,
        "--seed": seed,
        "--least-gain": least_gain,
        "--robust": robust,
        "--workers": workers,
        "--cluster": cluster,
        "--buses": buses,
        "--calibrate": calibrate or None,
        "--try": try_out or None,
    }
    if transitions and not street:
        raise UsageError("LV739", place="--transitions", streets=0)
    if not area:
        for name, value in wanted.items():
            if value is not None:
                raise UsageError("LV735", place=name)
        _each(session, path, counts, plans, street, out, transitions=transitions)
        return
    asked = _Asked(
        streets=tuple(street or ()),
        transitions=transitions,
        bands=bands,
        objective=objective,
        cycles=cycles,
        most_plans=most_plans,
        seconds=seconds,
        seed=seed or 0,
        least_gain=None if least_gain is None else least_gain / 100,
        samples=robust or 1,
        workers=workers or 1,
        cluster=cluster or "",
        buses=buses,
        calibrate=calibrate,
        try_out=try_out,
    )
    _area(session, path, counts, plans, asked, out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a call asks of an area, as it was written."""

    streets: tuple[str, ...]
    transitions: bool
    bands: str | None
    objective: str | None
    cycles: str | None
    most_plans: int | None
    seconds: float | None
    seed: int
    least_gain: float | None
    samples: int
    workers: int
    cluster: str
    buses: Path | None
    calibrate: bool
    try_out: bool


def _area(
    session: Session,
    path: Path,
    counts: list[Path] | None,
    plans: Path | None,
    asked: _Asked,
    out: Path | None,
) -> None:
    """Plan all signals together; write plans, gains, trade-off and map."""
    from lvbo.optimize.aims import Aim
    from lvbo.optimize.area_plan import Bands
    from lvbo.optimize.executor import open_runner
    from lvbo.project.area import AreaWish, design_area, in_force
    from lvbo.project.area_files import write_area_files
    from lvbo.project.area_trial import decided
    from lvbo.project.folder import staged

    limits = cycle_limits(asked.cycles)
    bands = one_of(Bands, asked.bands, "--bands") or Bands.HARD
    aim = one_of(Aim, asked.objective, "--objective") or Aim.BALANCED
    target = (out or Path("lvbo-plans")).resolve()
    with session.step("read"):
        place = read_place(path)
        installed = in_force(place.network, the_plans(plans, place))
    with session.step("counts"):
        seen = the_counts(counts, place.network)
    wish = AreaWish(
        streets=asked.streets,
        bands=bands,
        aim=aim,
        limits=limits,
        most_plans=asked.most_plans,
        seconds=asked.seconds,
        seed=asked.seed,
        least_gain=asked.least_gain,
        samples=asked.samples,
        bus_ph=read_buses(asked.buses, place.network),
        fit_on=net_file(place) if asked.calibrate else None,
    )
    with open_runner(asked.workers, asked.cluster) as runner:
        made = design_area(
            place.network,
            seen,
            installed,
            wish,
            speeds_mps=place.speeds_mps,
            steps=session.step,
            runner=runner,
        )
    if asked.try_out:
        workers = max(2, asked.workers)
        with session.step("try"), open_runner(workers, asked.cluster) as runner:
            made = decided(made, place.network, net_file(place), installed, runner=runner)
    switched = asked.streets if asked.transitions else ()
    timed, told = _timed(session, place.network, made.designed, installed, switched)
    made = replace(made, designed=replace(made.designed, plans=timed))
    with staged(target) as scratch, session.step("plan_files") as tell:
        lost = write_area_files(made, place.network, scratch, session.language, tell)
    findings = (*seen.findings, *made.findings, *told, *lost)
    session.show_findings(findings, most=3)
    show_area(session, made, place.network)
    session.show(session.words("cli_area_at", path=str(target), plans=len(made.plans.plans)))
    session.show(session.words("cli_area_next", path=str(target / "plans.toml")))
    session.finish(
        lambda: {
            "folder": str(target),
            "plans": len(made.plans.plans),
            **area_data(session, made),
        },
        findings,
    )


def _each(
    session: Session,
    path: Path,
    counts: list[Path] | None,
    plans: Path | None,
    street: list[str] | None,
    out: Path | None,
    *,
    transitions: bool,
) -> None:
    """Plan each signal, coordinated where streets are named."""
    from lvbo.project.folder import staged
    from lvbo.project.line import design
    from lvbo.project.results import write_plan_files

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
    switched = (street or ()) if transitions else ()
    timed, told = _timed(session, place.network, made, installed, switched)
    with staged(target) as scratch, session.step("plan_files"):
        lost = write_plan_files(timed, place.network, scratch)
    findings = (*seen.findings, *made.findings, *told, *lost)
    session.show_findings(findings, most=3)
    _show(session, made)
    session.show(session.words("cli_plans_at", path=str(target), plans=len(made.plans.plans)))
    session.finish({"folder": str(target), "plans": len(made.plans.plans)}, findings)


def _timed(
    session: Session,
    network: Network,
    made: Designed,
    installed: PlanSet,
    streets: Sequence[str],
) -> tuple[PlanSet, tuple[Finding, ...]]:
    """Return the plans with the transitions in force, and new ones on these streets."""
    from lvbo.project.transition import add_transitions

    timed = made.plans.with_transitions_of(installed)
    if not streets:
        return timed, ()
    corridors = [network.corridor(name) for name in streets]
    return add_transitions(network, corridors, timed, made.demand, steps=session.step)


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
