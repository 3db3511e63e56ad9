# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave`: a two-way green wave along a street, with its time-space diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.load import Place, read_place, the_plans
from lvbo.cli.options import OutOpt, PlaceArg, PlansOpt, StreetOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table

if TYPE_CHECKING:
    from lvbo.progression.wave import Wave


def wave(
    ctx: typer.Context,
    path: PlaceArg,
    plans: PlansOpt = None,
    street: StreetOpt = None,
    out: OutOpt = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="cli_opt_as_is")] = False,
    listed: Annotated[bool, typer.Option("--list", help="cli_opt_list")] = False,
) -> None:
    """Coordinate streets, or list those there are."""
    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
    if listed or not street:
        _list(session, place)
        return
    from lvbo.progression.coordinate import Street, coordinate, evaluate_wave
    from lvbo.project.line import safe_plans

    if plans is None and not as_is:
        chosen = safe_plans(place.network, chosen)
    waves: list[Wave] = []
    with session.step("waves"):
        for name in street:
            corridor = place.network.corridor(name)
            known = Street(
                network=place.network,
                speeds_mps=place.speeds_mps,
                locked=frozenset(c for made in waves for c in made.corridor.controllers),
            )
            work = evaluate_wave if as_is else coordinate
            waves.append(work(corridor, chosen, street=known))
            chosen = waves[-1].plans
    target = _write(session, place, waves, out)
    findings = [finding for made in waves for finding in made.findings]
    session.show_findings(findings, most=3)
    for made in waves:
        session.show(wave_table(session, made))
    session.show(session.words("cli_wave_at", path=str(target)))
    session.finish(
        lambda: {"folder": str(target), "waves": [_data(made) for made in waves]}, findings
    )


def _write(session: Session, place: Place, waves: list[Wave], out: Path | None) -> Path:
    from lvbo.io.plans import write_plans
    from lvbo.project.folder import staged
    from lvbo.project.pictures import wave_figure
    from lvbo.report.words import Words

    target = (out or Path("lvbo-wave")).resolve()
    words = Words(language=session.language)
    with staged(target) as scratch, session.step("figures") as tell:
        write_plans(waves[-1].plans, scratch / "plans.toml")
        total = sum(len(made.periods) for made in waves)
        done = 0
        for number, made in enumerate(waves, start=1):
            for own in made.periods:
                drawing = wave_figure(place.network, made, own, words)
                drawing.write(scratch / f"wave-{number}-{own.day_type}-{own.period}")
                done += 1
                tell(done / total)
    return target


def wave_table(session: Session, made: Wave) -> Table:
    """Return the bands of every period of a wave."""
    columns = [
        session.words(f"cli_col_{c}") for c in ("period", "cycle", "out", "back", "eff", "att")
    ]
    table = plain_table(
        session.words("cli_title_wave", street=made.corridor.name), columns, numbers=5
    )
    for own in made.periods:
        kind = session.word_or(f"word_day_{own.day_type}", own.day_type)
        table.add_row(
            f"{kind} {own.period}",
            f"{own.cycle_s:g}",
            f"{own.runs.outbound_ms / 1000:.0f} s ({100 * own.runs.outbound_share:.0f} %)",
            f"{own.runs.inbound_ms / 1000:.0f} s ({100 * own.runs.inbound_share:.0f} %)",
            f"{own.runs.efficiency:.2f}",
            f"{own.runs.attainability:.2f}",
        )
    return table


def _list(session: Session, place: Place) -> None:
    columns = [session.words(f"cli_col_{c}") for c in ("street", "signals", "length")]
    table = plain_table(session.words("cli_title_streets"), columns, numbers=2)
    corridors = place.network.corridors
    for corridor in corridors:
        table.add_row(corridor.name, str(len(corridor.stops)), f"{corridor.length_m:.0f} m")
    session.show(table)
    session.finish(
        {
            "corridors": [
                {"name": c.name, "id": str(c.id), "signals": len(c.stops), "length_m": c.length_m}
                for c in corridors
            ]
        }
    )


def _data(made: Wave) -> dict[str, object]:
    from lvbo.codec import to_plain

    return {
        "street": made.corridor.name,
        "periods": [
            {
                "day_type": own.day_type,
                "period": own.period,
                "cycle_s": own.cycle_s,
                "outbound_s": own.runs.outbound_ms / 1000,
                "inbound_s": own.runs.inbound_ms / 1000,
                "efficiency": own.runs.efficiency,
                "attainability": own.runs.attainability,
                "band": to_plain(own.runs),
            }
            for own in made.periods
        ],
    }
