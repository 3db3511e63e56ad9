# SPDX-License-Identifier: Apache-2.0
"""Streets by what a green wave on them would save, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from lvbo.cli.load import Place
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.cli.traffic import known_demand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lvbo.progression.ranking import Candidate
    from lvbo.signal.schedule import PlanSet

NAME_WIDTH = 9
"""What a street's name gets of the table of ranks at least, in columns of a terminal."""


def show_ranks(session: Session, place: Place, plans: PlanSet, counts: list[Path]) -> None:
    """Rank the streets of a place by what a wave on them would save."""
    from lvbo.progression.ranking import rank_corridors
    from lvbo.timing.periods import find_periods

    demand = known_demand(session, place, counts, plans)
    with session.step("periods"):
        periods = find_periods(place.network, demand)
    with session.step("rank") as tell:
        ranked = rank_corridors(
            place.network, demand, periods, plans, speeds_mps=place.speeds_mps, progress=tell
        )
    session.show(rank_table(session, ranked))
    reasons = [reason for candidate in ranked for reason in candidate.reasons]
    session.show_findings(reasons, most=len(reasons))
    session.finish({"corridors": [_ranked(candidate) for candidate in ranked]}, reasons)


def rank_table(session: Session, ranked: Sequence[Candidate]) -> Table:
    """Return the streets by what a wave on them would save on a day."""
    names = ("street", "signals", "spacing", "through", "turn_in", "saturation", "platoon_ratio",
             "wave_saves", "timing_saves", "in_force")  # fmt: skip
    columns = [session.words(f"cli_col_{c}") for c in names]
    headings = [column.replace(" ", "\n") for column in columns]
    table = plain_table(session.words("cli_title_ranked"), headings, numbers=9)
    table.collapse_padding = True
    table.columns[0].min_width = NAME_WIDTH
    table.caption = session.words("cli_ranked_caption")
    table.caption_justify = "left"
    for c in ranked:
        table.add_row(
            c.corridor.name,
            str(len(c.corridor.stops)),
            f"{c.spacing_m:.0f}",
            f"{c.through_vph:.0f}",
            f"{100 * c.turn_in:.0f}",
            f"{c.saturation:.2f}",
            "–" if c.platoon_ratio is None else f"{c.platoon_ratio:.2f}",
            _saving(c),
            "–" if c.retiming_vehh is None else f"{c.retiming_vehh:.1f}",
            "–" if c.in_force is None else f"{100 * c.in_force:.0f}",
        )
    return table


def _saving(c: Candidate) -> str:
    """Return what a wave saves, on a second line its range over the days counted."""
    spread = "" if c.range_vehh is None else f"\n{c.range_vehh[0]:.0f}–{c.range_vehh[1]:.0f}"
    return f"{c.saving_vehh:.1f}{spread}"


def _ranked(c: Candidate) -> dict[str, object]:
    return {
        "name": c.corridor.name,
        "id": str(c.corridor.id),
        "signals": len(c.corridor.stops),
        "length_m": c.corridor.length_m,
        "spacing_m": c.spacing_m,
        "through_vph": c.through_vph,
        "turn_in": c.turn_in,
        "saturation": c.saturation,
        "platoon_ratio": c.platoon_ratio,
        "saving_vehh": c.saving_vehh,
        "saving_range_vehh": c.range_vehh,
        "retiming_vehh": c.retiming_vehh,
        "in_force": c.in_force,
        "reasons": [reason.code for reason in c.reasons],
    }
