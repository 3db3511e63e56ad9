# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave`: a two-way green wave along a street, with its time-space diagram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.load import Place, read_place, the_counts, the_plans
from lvbo.cli.options import CountsOpt, OutOpt, PlaceArg, PlansOpt, StreetOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.progression.linkbands import WaveModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lvbo.demand.demand import Demand
    from lvbo.errors import Finding
    from lvbo.ids import LinkId
    from lvbo.progression.ranking import Candidate
    from lvbo.progression.wave import Wave
    from lvbo.signal.schedule import PlanSet


def wave(
    ctx: typer.Context,
    path: PlaceArg,
    plans: PlansOpt = None,
    street: StreetOpt = None,
    counts: CountsOpt = None,
    out: OutOpt = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="cli_opt_as_is")] = False,
    listed: Annotated[bool, typer.Option("--list", help="cli_opt_list")] = False,
    model: Annotated[
        WaveModel, typer.Option("--model", help="cli_opt_wave_model")
    ] = WaveModel.TWO_WAY,
    posted: Annotated[
        float | None, typer.Option("--posted", metavar="KMH", help="cli_opt_posted")
    ] = None,
    whole_band: Annotated[bool, typer.Option("--whole-band", help="cli_opt_whole_band")] = False,
    why: Annotated[bool, typer.Option("--why", help="cli_opt_why")] = False,
    one_by_one: Annotated[bool, typer.Option("--one-by-one", help="cli_opt_one_by_one")] = False,
    hold: Annotated[
        list[str] | None, typer.Option("--hold", metavar="NAME", help="cli_opt_hold")
    ] = None,
) -> None:
    """Coordinate streets, or list those there are: with counts, by what a wave would save."""
    session: Session = ctx.obj
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
    if counts and not street:
        _rank(session, place, chosen, counts)
        return
    if listed or not street:
        _list(session, place)
        return
    from lvbo.progression.coordinate import Street, evaluate_wave
    from lvbo.progression.coordinate_network import NetworkGoal, coordinate_network
    from lvbo.progression.tradeoff import MOST_COST
    from lvbo.progression.wave import WaveSettings
    from lvbo.project.line import safe_plans

    if plans is None and not as_is:
        chosen = safe_plans(place.network, chosen)
    settings = WaveSettings(
        model=model,
        posted_step_kmh=posted,
        most_cost=math.inf if whole_band else MOST_COST,
    )
    traffic = _traffic(session, place, chosen, counts)
    known = Street(network=place.network, demand=traffic.demand, speeds_mps=traffic.speeds_mps)
    corridors = [place.network.corridor(name) for name in street]
    with session.step("waves"):
        if as_is:
            waves = [evaluate_wave(c, chosen, street=known, settings=settings) for c in corridors]
        else:
            goal = NetworkGoal(
                held=frozenset(hold or ()),
                one_by_one=one_by_one or model is not WaveModel.TWO_WAY,
            )
            network = coordinate_network(
                corridors, chosen, street=known, settings=settings, goal=goal
            )
            waves = list(network.waves)
    target = _write(session, place, waves, out)
    findings = [finding for made in waves for finding in made.findings]
    session.show_findings(findings, most=3)
    for made in waves:
        session.show(wave_table(session, made))
        if model is not WaveModel.TWO_WAY:
            session.show(link_table(session, made))
    if traffic.demand is not None:
        findings += _show_advice(session, place, traffic.demand, waves)
    if why:
        findings += _show_reasons(session, waves)
    session.show(session.words("cli_wave_at", path=str(target)))
    session.finish(
        lambda: {"folder": str(target), "waves": [_data(made) for made in waves]}, findings
    )


NAME_WIDTH = 9
"""What a street's name gets of the table of ranks at least, in columns of a terminal."""


@dataclass(frozen=True, kw_only=True)
class _Traffic:
    """What is known of the traffic of a place: its demand, where it was counted, and speeds."""

    demand: Demand | None
    speeds_mps: Mapping[LinkId, float]


def _traffic(session: Session, place: Place, plans: PlanSet, counts: list[Path] | None) -> _Traffic:
    if not counts:
        return _Traffic(demand=None, speeds_mps=place.speeds_mps)
    from lvbo.demand.estimate import estimate_demand
    from lvbo.demand.speeds import platoon_speeds

    with session.step("counts"):
        seen = the_counts(counts, place.network)
    with session.step("demand"):
        demand = estimate_demand(place.network, seen, plans=plans)
    return _Traffic(demand=demand, speeds_mps={**platoon_speeds(seen), **place.speeds_mps})


def _show_advice(
    session: Session, place: Place, demand: Demand, waves: list[Wave]
) -> list[Finding]:
    from lvbo.progression.advice import advise_wave

    advice = [a.reason for made in waves for a in advise_wave(made, place.network, demand)]
    session.show_findings(advice, most=len(advice))
    return advice


def _show_reasons(session: Session, waves: list[Wave]) -> list[Finding]:
    from lvbo.progression.explain import explain_wave

    reasons = [reason for made in waves for own in made.periods for reason in explain_wave(own)]
    session.show_findings(reasons, most=len(reasons))
    return reasons


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


def link_table(session: Session, made: Wave) -> Table:
    """Return the bands of every link and period of a wave."""
    columns = [session.words(f"cli_col_{c}") for c in ("period", "section", "out", "back")]
    table = plain_table(
        session.words("cli_title_links", street=made.corridor.name), columns, numbers=3
    )
    for own in made.periods:
        links = own.links
        if links is None:
            continue
        none = (0,) * len(links.travel_out_ms)
        pairs = zip(links.bands_out_ms or none, links.bands_in_ms or none, strict=True)
        kind = session.word_or(f"word_day_{own.day_type}", own.day_type)
        for number, (out, back) in enumerate(pairs, start=1):
            table.add_row(
                f"{kind} {own.period}", str(number), f"{out / 1000:.0f} s", f"{back / 1000:.0f} s"
            )
    return table


def _rank(session: Session, place: Place, plans: PlanSet, counts: list[Path]) -> None:
    from lvbo.demand.estimate import estimate_demand
    from lvbo.progression.ranking import rank_corridors
    from lvbo.timing.periods import find_periods

    with session.step("counts"):
        seen = the_counts(counts, place.network)
    with session.step("demand"):
        demand = estimate_demand(place.network, seen, plans=plans)
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
                "links": None if own.links is None else to_plain(own.links),
            }
            for own in made.periods
        ],
    }
