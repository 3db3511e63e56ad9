# SPDX-License-Identifier: Apache-2.0
"""`lvbo wave`: a two-way green wave along a street, with its time-space diagram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.holding import gates_table, held_plans, holds_data, inflow_table
from lvbo.cli.load import Place, read_place, the_plans
from lvbo.cli.options import CountsOpt, OutOpt, PlaceArg, PlansOpt, StreetOpt
from lvbo.cli.paths import paths_data, paths_table, read_wish
from lvbo.cli.ranking import show_ranks
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.cli.traffic import Traffic, known_demand, known_traffic
from lvbo.cli.tried import trial_data, trial_table, tried_waves
from lvbo.errors import UsageError
from lvbo.progression.linkbands import WaveModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lvbo.demand.demand import Demand
    from lvbo.errors import Finding
    from lvbo.progression.pathresult import PathWave, PathWish
    from lvbo.progression.wave import Wave, WaveSettings
    from lvbo.project.wave_trial import TriedWave
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
    signed: Annotated[
        list[str] | None, typer.Option("--signed", metavar="NAME", help="cli_opt_signed")
    ] = None,
    paths: Annotated[
        int | None, typer.Option("--paths", min=0, metavar="N", help="cli_opt_paths")
    ] = None,
    bus: Annotated[Path | None, typer.Option("--bus", metavar="FILE", help="cli_opt_bus")] = None,
    keep: Annotated[
        float | None, typer.Option("--keep", min=0.0, max=1.0, metavar="SHARE", help="cli_opt_keep")
    ] = None,
    hold: Annotated[str | None, typer.Option("--hold", metavar="LINK", help="cli_opt_hold")] = None,
    ratio: Annotated[
        str | None, typer.Option("--ratio", metavar="A-B", help="cli_opt_ratio")
    ] = None,
    try_out: Annotated[bool, typer.Option("--try", help="cli_opt_wave_try")] = False,
) -> None:
    """Coordinate streets, or list those there are: with counts, by what a wave would save."""
    session: Session = ctx.obj
    _refuse_together(
        {"--hold": hold, "--paths": paths, "--bus": bus},
        {"--as-is": as_is or None, "--posted": posted, "--ratio": ratio, "--why": why or None,
         "--one-by-one": one_by_one or None, "--signed": signed, "--try": try_out or None,
         "--model": None if model is WaveModel.TWO_WAY else model},
        street or (),
    )  # fmt: skip
    _refuse_together(
        {"--try": try_out or None},
        {"--as-is": as_is or None, "--whole-band": whole_band or None, "--signed": signed,
         "--model": None if model is WaveModel.TWO_WAY else model},
        street or (),
    )  # fmt: skip
    if try_out and not counts:
        raise UsageError("LV594", place="--try")
    _check_keep(keep, paths, bus)
    wanted = _ratio(ratio)
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
    if counts and not street:
        show_ranks(session, place, chosen, counts)
        return
    if listed or not street:
        _list(session, place)
        return
    from lvbo.progression.wave import WaveSettings
    from lvbo.project.line import safe_plans

    if plans is None and not as_is:
        chosen = safe_plans(place.network, chosen)
    if hold is not None:
        _holding(session, place, chosen, street[0], counts, hold, out)
        return
    if paths is not None or bus is not None:
        _for_paths(session, place, chosen, street, counts, read_wish(paths, bus, keep), out)
        return
    settings = WaveSettings(
        model=model,
        posted_step_kmh=posted,
        ratio_range=wanted,
        least_share=1.0 if whole_band else 0.0,
    )
    traffic = known_traffic(session, place, counts, chosen)
    if try_out:
        tried = tried_waves(session, place, chosen, street, traffic, settings)
        _show(session, place, [own.wave for own in tried], traffic, out, why=why, tried=tried)
        return
    one_by_one = one_by_one or wanted is not None or model is not WaveModel.TWO_WAY
    with session.step("waves"):
        waves = (
            _as_they_are(place, chosen, street, traffic, settings)
            if as_is
            else _together(place, chosen, street, traffic, settings, signed, one_by_one=one_by_one)
        )
    _show(session, place, waves, traffic, out, why=why)


def _as_they_are(
    place: Place, plans: PlanSet, street: list[str], traffic: Traffic, settings: WaveSettings
) -> list[Wave]:
    from lvbo.progression.coordinate import evaluate_wave

    known = traffic.on(place)
    return [
        evaluate_wave(place.network.corridor(name), plans, street=known, settings=settings)
        for name in street
    ]


def _together(
    place: Place,
    plans: PlanSet,
    street: list[str],
    traffic: Traffic,
    settings: WaveSettings,
    signed: list[str] | None,
    *,
    one_by_one: bool,
) -> list[Wave]:
    from lvbo.progression.coordinate_network import NetworkGoal, coordinate_network

    made = coordinate_network(
        [place.network.corridor(name) for name in street],
        plans,
        street=traffic.on(place),
        settings=settings,
        goal=NetworkGoal(held=frozenset(signed or ()), one_by_one=one_by_one),
    )
    return list(made.waves)


def _show(
    session: Session,
    place: Place,
    waves: list[Wave],
    traffic: Traffic,
    out: Path | None,
    *,
    why: bool,
    tried: Sequence[TriedWave] = (),
) -> None:
    target = _write(session, place, waves, out, tried)
    findings = [finding for made in waves for finding in made.findings]
    session.show_findings(findings, most=3)
    for made in waves:
        session.show(wave_table(session, made))
        if any(period.links is not None for period in made.periods):
            session.show(link_table(session, made))
    for own in tried:
        session.show(trial_table(session, own))
    if traffic.demand is not None:
        findings += _show_advice(session, place, traffic.demand, waves)
    if why:
        findings += _show_reasons(session, waves)
    session.show(session.words("cli_wave_at", path=str(target)))
    session.finish(
        lambda: {
            "folder": str(target),
            "waves": [_data(made) for made in waves],
            "trials": [trial_data(own) for own in tried],
        },
        findings,
    )


def _show_advice(
    session: Session, place: Place, demand: Demand, waves: list[Wave]
) -> list[Finding]:
    from lvbo.progression.advice import advise_wave

    advice = [a.reason for made in waves for a in advise_wave(made, place.network, demand)]
    session.show_findings(advice, most=len(advice))
    return advice


def _refuse_together(
    special: Mapping[str, object], plain: Mapping[str, object], street: Sequence[str]
) -> None:
    """Refuse options that do not go together, and special waves of no street or of several."""
    named = [name for name, value in special.items() if value is not None]
    if not named:
        return
    others = [name for name, value in plain.items() if value is not None]
    if "--hold" in named:
        others = [*named[1:], *others]
    if others:
        raise UsageError("LV738", place=named[0], other=", ".join(others))
    if not street or (named[0] == "--hold" and len(street) > 1):
        raise UsageError("LV739", place=named[0], streets=len(street))


def _check_keep(keep: float | None, paths: int | None, bus: Path | None) -> None:
    """Refuse a share to keep where nothing takes from the through bands."""
    if keep is not None and paths is None and bus is None:
        raise UsageError("LV703", place="--keep", missing="--paths")


def _ratio(text: str | None) -> tuple[float, float] | None:
    """Return the least and the most of inbound over outbound band."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        raise UsageError("LV704", place="--ratio", reason=text) from None
    return low, high


def _for_paths(
    session: Session,
    place: Place,
    plans: PlanSet,
    street: list[str],
    counts: list[Path] | None,
    wish: PathWish,
    out: Path | None,
) -> None:
    """Coordinate streets for their main paths and buses, beside the two-way wave."""
    from lvbo.progression.coordinate import Street
    from lvbo.progression.pathwave import coordinate_paths

    demand = known_demand(session, place, counts, plans) if counts or wish.most else None
    made: list[PathWave] = []
    with session.step("waves"):
        for name in street:
            known = Street(
                network=place.network,
                demand=demand,
                speeds_mps=place.speeds_mps,
                locked=frozenset(c for own in made for c in own.wave.corridor.controllers),
            )
            made.append(coordinate_paths(place.network.corridor(name), plans, known, wish))
            plans = made[-1].wave.plans
    waves = [own.wave for own in made]
    target = _write(session, place, waves, out)
    findings = [finding for own in waves for finding in own.findings]
    session.show_findings(findings, most=3)
    for own in made:
        session.show(wave_table(session, own.wave))
        session.show(paths_table(session, own))
    session.show(session.words("cli_wave_at", path=str(target)))
    session.finish(
        lambda: {
            "folder": str(target),
            "waves": [_data(own) for own in waves],
            "paths": [[paths_data(period) for period in own.periods] for own in made],
        },
        findings,
    )


def _holding(
    session: Session,
    place: Place,
    plans: PlanSet,
    street: str,
    counts: list[Path] | None,
    link: str,
    out: Path | None,
) -> None:
    """Hold platoons before a full link of a street, with the plans as they are elsewhere."""
    from lvbo.progression.coordinate import Street, evaluate_wave

    demand = known_demand(session, place, counts, plans)
    with session.step("waves"):
        held, holds = held_plans(place, street, plans, demand, link)
        known = Street(network=place.network, demand=demand, speeds_mps=place.speeds_mps)
        made = evaluate_wave(place.network.corridor(street), held, street=known)
    target = _write(session, place, [made], out)
    findings = [finding for own in holds.values() for finding in own.findings]
    session.show_findings(findings, most=3)
    session.show(gates_table(session, made.corridor.name, holds))
    session.show(inflow_table(session, holds))
    session.show(wave_table(session, made))
    session.show(session.words("cli_wave_at", path=str(target)))
    session.finish(
        lambda: {"folder": str(target), "waves": [_data(made)], "holds": holds_data(holds)},
        findings,
    )


def _show_reasons(session: Session, waves: list[Wave]) -> list[Finding]:
    from lvbo.progression.explain import explain_wave

    reasons = [reason for made in waves for own in made.periods for reason in explain_wave(own)]
    session.show_findings(reasons, most=len(reasons))
    return reasons


def _write(
    session: Session,
    place: Place,
    waves: list[Wave],
    out: Path | None,
    tried: Sequence[TriedWave] = (),
) -> Path:
    from lvbo.project.folder import staged
    from lvbo.project.pictures import wave_figure
    from lvbo.project.plan_files import write_plans
    from lvbo.report.words import Words

    target = (out or Path("lvbo-wave")).resolve()
    words = Words(language=session.language)
    with staged(target) as scratch, session.step("figures") as tell:
        write_plans(waves[-1].plans, scratch / "plans.toml")
        if tried:
            from lvbo.project.wave_trial import write_trials

            write_trials(scratch / "trial.csv", tried)
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
