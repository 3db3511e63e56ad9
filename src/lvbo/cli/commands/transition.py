# SPDX-License-Identifier: Apache-2.0
"""`lvbo transition`: how the signals of a street pass from one period's wave to the next's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.load import Place, read_place, the_plans
from lvbo.cli.options import CountsOpt, OutOpt, PlaceArg, PlansOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.cli.traffic import known_demand

if TYPE_CHECKING:
    from lvbo.errors import Finding
    from lvbo.project.transition import Passing, TransitionPlan
    from lvbo.project.transition_cost import Damage
    from lvbo.signal.schedule import PlanSet

NEVER = "–"


def transition(
    ctx: typer.Context,
    path: PlaceArg,
    street: Annotated[
        str, typer.Option("--street", "-s", metavar="NAME", help="cli_opt_one_street")
    ],
    before: Annotated[str, typer.Option("--from", metavar="PERIOD", help="cli_opt_from_period")],
    after: Annotated[str, typer.Option("--to", metavar="PERIOD", help="cli_opt_to_period")],
    plans: PlansOpt = None,
    counts: CountsOpt = None,
    day_type: Annotated[
        str, typer.Option("--day", metavar="TYPE", help="cli_opt_day_type")
    ] = "workday",
    out: OutOpt = None,
) -> None:
    """Say for each controller how it shall get into step, and what the change costs.

    With a folder to write to, plans that carry these ways, in every form.
    """
    from lvbo.project.transition import plan_transition

    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
    corridor = place.network.corridor(street)
    demand = known_demand(session, place, counts, chosen)
    made = plan_transition(
        place.network,
        corridor,
        chosen,
        demand,
        before,
        after,
        day_type=day_type,
        steps=session.step,
    )
    ruled = chosen.with_transitions(made.rules)
    lost = () if out is None else _write(session, ruled, place, out.resolve())
    findings = (*made.findings, *lost)
    session.show_findings(findings, most=3)
    session.show(passings_table(session, made))
    session.show(damage_table(session, made))
    if out is not None:
        count, where = len(ruled.plans), str(out.resolve())
        session.show(session.words("cli_plans_at", path=where, plans=count))
    session.finish(lambda: _data(made, out), findings)


def _write(session: Session, plans: PlanSet, place: Place, target: Path) -> tuple[Finding, ...]:
    from lvbo.project.folder import staged
    from lvbo.project.results import write_plan_files

    with staged(target) as scratch, session.step("plan_files"):
        return write_plan_files(plans, place.network, scratch)


def passings_table(session: Session, made: TransitionPlan) -> Table:
    """Return how each controller passes, beside its quickest way."""
    names = ("controller", "manner", "moved_s", "in_step_s", "quick_moved_s", "quick_in_step_s")
    columns = [session.words(f"cli_col_{c}") for c in names]
    title = session.words(
        "cli_title_transition", street=made.corridor.name, before=made.before, after=made.after
    )
    table = plain_table(title, columns, numbers=4)
    table.caption = session.words("cli_transition_caption")
    table.caption_justify = "left"
    for p in made.passings:
        quickest = p.quickest.in_step_s
        table.add_row(
            str(p.controller),
            _manner(session, p),
            f"{p.course.moved_s:+.0f}",
            NEVER if p.in_step_s is None else str(p.in_step_s),
            f"{p.quickest.moved_s:+.0f}",
            NEVER if quickest is None else str(quickest - p.change_s),
        )
    return table


def _manner(session: Session, passing: Passing) -> str:
    manner = passing.course.manner
    return session.words(f"word_manner_{manner.way}", cycles=manner.cycles)


def damage_table(session: Session, made: TransitionPlan) -> Table:
    """Return what the transition costs, beside the quickest way and the plans at once."""
    names = ("choice", "delay_in_all", "stops", "without_out", "without_back")
    columns = [session.words(f"cli_col_{c}") for c in names]
    table = plain_table(session.words("cli_title_damage"), columns, numbers=4)
    for name, damage in _damages(made):
        table.add_row(
            session.words(f"word_choice_{name}"),
            f"{damage.delay_vehh:.1f}",
            f"{damage.stops:.0f}",
            str(damage.without_band[0]),
            str(damage.without_band[1]),
        )
    return table


def _damages(made: TransitionPlan) -> tuple[tuple[str, Damage], ...]:
    return (("chosen", made.chosen), ("quickest", made.quickest), ("at_once", made.at_once))


def _data(made: TransitionPlan, out: Path | None) -> dict[str, object]:
    return {
        "folder": None if out is None else str(out.resolve()),
        "street": made.corridor.name,
        "day_type": made.day_type,
        "from": made.before,
        "to": made.after,
        "change_s": made.change_s,
        "controllers": [
            {
                "controller": str(p.controller),
                "way": str(p.course.manner.way),
                "cycles": p.course.manner.cycles,
                "longer": p.course.rule.longer,
                "shorter": p.course.rule.shorter,
                "moved_s": p.course.moved_s,
                "in_step_s": p.in_step_s,
                "quickest_moved_s": p.quickest.moved_s,
                "quickest_in_step_s": p.quickest.in_step_s and p.quickest.in_step_s - p.change_s,
            }
            for p in made.passings
        ],
        "damage": {
            name: {
                "delay_vehh": d.delay_vehh,
                "stops": d.stops,
                "without_band": list(d.without_band),
            }
            for name, d in _damages(made)
        },
    }
