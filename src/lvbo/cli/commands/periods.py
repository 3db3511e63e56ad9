# SPDX-License-Identifier: Apache-2.0
"""`lvbo periods`: the day cut into periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lvbo.cli.load import read_place, the_counts, the_plans
from lvbo.cli.options import CountsOpt, PlaceArg, PlansOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.timing.periods import Periods


def periods(
    ctx: typer.Context,
    path: PlaceArg,
    counts: CountsOpt = None,
    plans: PlansOpt = None,
    most: Annotated[int, typer.Option("--most", min=1, metavar="N", help="cli_opt_most")] = 10,
) -> None:
    """Print the periods of each day type, with how sure each break is."""
    from lvbo.demand.estimate import estimate_demand
    from lvbo.timing.periods import find_periods

    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
    with session.step("counts"):
        seen = the_counts(counts, place.network)
    with session.step("demand"):
        demand = estimate_demand(place.network, seen, plans=the_plans(plans, place))
    with session.step("periods"):
        found = find_periods(place.network, demand, max_periods=most)
    findings = (*seen.findings, *demand.findings, *found.findings)
    session.show_findings(findings, most=3)
    _show(session, found)
    session.finish(lambda: _data(found), findings)


def _show(session: Session, found: Periods) -> None:
    from lvbo.signal.schedule import clock

    columns = [session.words(f"cli_col_{c}") for c in ("day", "period", "from", "to", "sure")]
    table = plain_table(session.words("cli_title_periods"), columns, numbers=3)
    sure = {(c.day_type, b.second): b.support for c in found.choices for b in c.breaks}
    for day in found:
        for period in day.periods:
            support = sure.get((day.day_type, period.start_s))
            table.add_row(
                session.word_or(f"word_day_{day.day_type}", day.day_type),
                period.name,
                clock(period.start_s),
                clock(period.end_s or 86_400),
                "" if support is None else f"{100 * support:.0f} %",
            )
        table.add_section()
    session.show(table)


def _data(found: Periods) -> dict[str, object]:
    from lvbo.codec import to_plain

    return {"day_plans": to_plain(found.day_plans), "choices": to_plain(found.choices)}
