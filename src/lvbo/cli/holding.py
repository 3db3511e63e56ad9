# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave --hold`: hold platoons before a section of a street that is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from lvbo.cli.load import Place
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.demand.demand import Demand
    from lvbo.progression.holding import HoldPlan
    from lvbo.signal.schedule import PlanSet

Holds = dict[tuple[str, str], "HoldPlan"]
"""Red waves by day type and period."""


def held_plans(
    place: Place, street: str, plans: PlanSet, demand: Demand, link: str
) -> tuple[PlanSet, Holds]:
    """Return the plans with a red wave before a link in every period, and what it does."""
    from lvbo.ids import LinkId
    from lvbo.progression.holding import hold_before
    from lvbo.timing.plans import period_volumes

    corridor, found = place.network.corridor(street), {}
    for day in plans.day_plans:
        for period in day.periods:
            running = plans.running(day.day_type, period.start_s)
            volumes = period_volumes(demand, day.day_type, period)
            made = hold_before(place.network, corridor, running, volumes, LinkId(link))
            plans = plans.with_plans(made.plans)
            found[day.day_type, period.name] = made
    return plans, found


def gates_table(session: Session, street: str, holds: Holds) -> Table:
    """Return what every gate does in every period."""
    names = ("period", "controller", "offset_was", "offset_is", "cut", "held_was", "held_is",
             "room")  # fmt: skip
    columns = [session.words(f"cli_col_{c}") for c in names]
    table = plain_table(session.words("cli_title_gates", street=street), columns, numbers=6)
    for (kind, period), made in holds.items():
        day = session.word_or(f"word_day_{kind}", kind)
        for gate in made.gates:
            table.add_row(
                f"{day} {period}",
                str(gate.controller),
                f"{gate.offset_before_s:g}",
                f"{gate.offset_s:g}",
                str(gate.cut_s),
                f"{gate.held_before:.0f}",
                f"{gate.held:.0f}",
                f"{gate.room:.0f}",
            )
        table.add_section()
    return table


def inflow_table(session: Session, holds: Holds) -> Table:
    """Return what enters the section by cycle, and who finds it full, before and after."""
    names = ("period", "hold_plans", "inflow", "blocked", "full_s")
    columns = [session.words(f"cli_col_{c}") for c in names]
    section = next(iter(holds.values())).section if holds else ""
    table = plain_table(session.words("cli_title_inflow", section=section), columns, numbers=3)
    for (kind, period), made in holds.items():
        day = session.word_or(f"word_day_{kind}", kind)
        rows = (
            ("was", made.inflow_before, made.blocked_before, made.full_before_s),
            ("is", made.inflow, made.blocked, made.full_s),
        )
        for name, inflow, blocked, full_s in rows:
            table.add_row(
                f"{day} {period}",
                session.words(f"word_hold_{name}"),
                " ".join(f"{x:.0f}" for x in inflow),
                f"{blocked:.0f}",
                f"{full_s:.0f}",
            )
    return table


def holds_data(holds: Holds) -> list[dict[str, object]]:
    """Return red waves for JSON."""
    return [
        {
            "day_type": kind,
            "period": period,
            "section": str(made.section),
            "outbound": made.outbound,
            "cycle_s": made.cycle_s,
            "room": made.room,
            "gates": [
                {
                    "controller": str(gate.controller),
                    "offset_before_s": gate.offset_before_s,
                    "offset_s": gate.offset_s,
                    "cut_s": gate.cut_s,
                    "held_before": gate.held_before,
                    "held": gate.held,
                    "room": gate.room,
                }
                for gate in made.gates
            ],
            "inflow_before": list(made.inflow_before),
            "inflow": list(made.inflow),
            "blocked_before": made.blocked_before,
            "blocked": made.blocked,
            "full_before_s": made.full_before_s,
            "full_s": made.full_s,
        }
        for (kind, period), made in holds.items()
    ]
