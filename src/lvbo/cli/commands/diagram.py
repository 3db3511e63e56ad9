# SPDX-License-Identifier: Apache-2.0
"""`lvbo diagram`: the time-space diagram of a street, as planned and as it happened."""

from __future__ import annotations

import re
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lvbo.cli.load import Place, read_place, the_counts, the_plans
from lvbo.cli.options import CountsOpt, PlaceArg, PlansOpt
from lvbo.cli.session import Session
from lvbo.cli.tables import plain_table
from lvbo.errors import UsageError
from lvbo.progression.linkbands import WaveModel
from lvbo.report.values import Spacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lvbo.demand.demand import Demand
    from lvbo.network.corridor import Corridor
    from lvbo.project.diagram import Driven, Side
    from lvbo.report.plots.style import Drawing
    from lvbo.report.values import Tick
    from lvbo.signal.schedule import PlanSet

KINDS = ("", ".svg", ".png")
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def diagram(
    ctx: typer.Context,
    path: PlaceArg,
    street: Annotated[str, typer.Option("--street", "-s", metavar="NAME", help="cli_opt_street")],
    plans: PlansOpt = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="cli_opt_against")
    ] = None,
    counts: CountsOpt = None,
    run: Annotated[Path | None, typer.Option("--run", metavar="FOLDER", help="cli_opt_run")] = None,
    fcd: Annotated[Path | None, typer.Option("--fcd", metavar="FILE", help="cli_opt_fcd")] = None,
    gpx: Annotated[
        list[Path] | None, typer.Option("--gpx", metavar="FILE", help="cli_opt_gpx")
    ] = None,
    events: Annotated[
        list[Path] | None, typer.Option("--events", metavar="FILE", help="cli_opt_events")
    ] = None,
    detectors: Annotated[
        list[Path] | None, typer.Option("--detectors", metavar="FILE", help="cli_opt_detectors")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--period", metavar="NAME", help="cli_opt_period")
    ] = None,
    day_type: Annotated[
        str | None, typer.Option("--day-type", metavar="NAME", help="cli_opt_day_type")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="cli_opt_at")] = None,
    cycles: Annotated[
        int, typer.Option("--cycles", min=3, metavar="N", help="cli_opt_drawn_cycles")
    ] = 4,
    model: Annotated[
        WaveModel, typer.Option("--model", help="cli_opt_wave_model")
    ] = WaveModel.TWO_WAY,
    spacing: Annotated[Spacing, typer.Option("--spacing", help="cli_opt_spacing")] = Spacing.HYBRID,
    swap: Annotated[bool, typer.Option("--swap", help="cli_opt_swap")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="cli_opt_out_diagram")
    ] = None,
) -> None:
    """Draw a street under plans, against others, with what drove there."""
    from lvbo.project.diagram import DiagramOrder, draw_street
    from lvbo.report.figures import timespace_pair
    from lvbo.report.words import Words

    session: Session = ctx.obj
    target = _target(out)
    begin_s = None if at is None else _second(at)
    _check_sources(run, fcd, gpx, events, detectors)
    with session.step("read"):
        place = read_place(path)
        chosen = the_plans(plans, place)
        own = against is not None and against.resolve() == path.resolve()
        compared = the_plans(None if own else against, place) if against else None
        corridor = place.network.corridor(street)
        kind = day_type or chosen.day_plans[0].day_type
        for planned in (chosen, compared):
            _check_day_type(planned, kind)
        ticked = _ticks(place, corridor, events or [], detectors or [])
        driven = _driven(place, corridor, run, fcd, gpx or [], ticked)
    order = DiagramOrder(
        corridor=corridor,
        plans=chosen,
        against=compared,
        day_type=kind,
        period=period,
        begin_s=begin_s,
        cycles=cycles,
        model=model,
        speeds_mps=place.speeds_mps,
        demand=_demand(session, place, counts) if counts else None,
        driven=driven,
    )
    with session.step("diagram"):
        sides = draw_street(place.network, order, Words(language=session.language))
        drawing = timespace_pair(
            [side.diagram for side in sides], session.language, spacing=spacing, swapped=swap
        )
        written = _write(drawing, target)
    session.show(_table(session, corridor, sides))
    session.show(session.words("cli_diagram_at", paths=", ".join(map(str, written))))
    session.finish({"files": [str(p) for p in written], "sides": [_data(side) for side in sides]})


def _target(out: Path | None) -> Path:
    target = (out or Path("lvbo-diagram")).resolve()
    if target.suffix.lower() not in KINDS:
        raise UsageError("LV145", place=target.name)
    return target


def _second(text: str) -> float:
    found = TIME.fullmatch(text)
    if found is None:
        raise UsageError("LV143", place=text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(3600 * hours + 60 * minutes + seconds)


def _check_day_type(plans: PlanSet | None, day_type: str) -> None:
    known = [] if plans is None else [day.day_type for day in plans.day_plans]
    if known and day_type not in known:
        raise UsageError("LV714", place="--day-type", day_type=day_type, known=", ".join(known))


def _check_sources(
    run: Path | None,
    fcd: Path | None,
    gpx: list[Path] | None,
    events: list[Path] | None,
    detectors: list[Path] | None,
) -> None:
    named = {"--run": run, "--fcd": fcd, "--gpx": gpx}
    given = [option for option, value in named.items() if value]
    if len(given) > 1:
        raise UsageError("LV141", place=" ".join(given))
    if events and not detectors:
        raise UsageError("LV142", place="--events")


def _net_file(place: Place) -> Path:
    return place.scenario.net_file if place.scenario else place.path


def _driven(
    place: Place,
    corridor: Corridor,
    run: Path | None,
    fcd: Path | None,
    gpx: list[Path],
    ticks: tuple[Tick, ...],
) -> Driven:
    """Return what happened on the street, from the one source that was named."""
    from lvbo.project.diagram import Driven, gps_tracks, sumo_tracks
    from lvbo.report.values import TraceSource

    network = place.network
    if run is not None:
        from lvbo.io.sumo_fcd import net_edges
        from lvbo.project.recording import read_recording

        kept = read_recording(run)
        tracks = sumo_tracks(kept.tracks, net_edges(_net_file(place)), corridor, network)
        return Driven(tracks=tracks, lamps=kept.lamps, ticks=ticks)
    if fcd is not None:
        from lvbo.io.sumo_fcd import net_edges, read_fcd

        steps = read_fcd(fcd)
        tracks = sumo_tracks(steps, net_edges(_net_file(place)), corridor, network)
        return Driven(tracks=tracks, ticks=ticks)
    if gpx:
        from lvbo.io.gpx import read_all_gpx
        from lvbo.io.projection import read_projection

        drives = read_all_gpx(gpx)
        tracks = gps_tracks(drives, read_projection(_net_file(place)), corridor, network)
        return Driven(tracks=tracks, source=TraceSource.DRIVEN, ticks=ticks)
    return Driven(ticks=ticks)


def _ticks(
    place: Place, corridor: Corridor, events: list[Path], detectors: list[Path]
) -> tuple[Tick, ...]:
    if not events:
        return ()
    from zoneinfo import ZoneInfo

    from lvbo.io.sumo_counts import FIRST_DAY, SimulatedDay, read_sumo_counts, read_sumo_detectors
    from lvbo.report.layers import ticks

    network = place.network
    known = read_sumo_detectors(detectors, network)
    seen = read_sumo_counts(events, known, day=SimulatedDay(zone=network.zone))
    midnight = datetime.combine(FIRST_DAY, time(), tzinfo=ZoneInfo(network.zone)).timestamp()
    return () if seen.events is None else ticks(network, corridor, seen.events, known, midnight)


def _demand(session: Session, place: Place, counts: list[Path]) -> Demand:
    from lvbo.demand.estimate import estimate_demand

    with session.step("demand"):
        seen = the_counts(counts, place.network)
        return estimate_demand(place.network, seen, plans=place.plans)


def _write(drawing: Drawing, target: Path) -> tuple[Path, ...]:
    kind = target.suffix.lower()
    if not kind:
        return drawing.write(target)
    data = drawing.png() if kind == ".png" else drawing.svg().encode("utf-8")
    target.write_bytes(data)
    return (target,)


def _table(session: Session, corridor: Corridor, sides: Sequence[Side]) -> Table:
    """Return the bands of each diagram, and how much of the greens they use."""
    names = ("cycle", "out", "back", "eff", "att", "link_att")
    columns = ["", *(session.words(f"cli_col_{name}") for name in names)]
    title = session.words("cli_title_diagram", street=corridor.name)
    table = plain_table(title, columns, numbers=len(names))
    labels = ("before", "after") if len(sides) > 1 else ("",)
    for label, side in zip(labels, sides, strict=True):
        if side.wave is None or side.links is None:
            table.add_row(session.words(f"word_{label}") if label else "", *("–",) * len(names))
            continue
        runs = side.wave.runs
        out, back = side.links.mean()
        table.add_row(
            session.words(f"word_{label}") if label else "",
            f"{side.wave.cycle_s:g}",
            f"{runs.outbound_ms / 1000:.0f} s",
            f"{runs.inbound_ms / 1000:.0f} s",
            f"{runs.efficiency:.2f}",
            f"{runs.attainability:.2f}",
            f"{out:.2f} / {back:.2f}",
        )
    return table


def _data(side: Side) -> dict[str, object]:
    """Return what a diagram says in figures; None where there is no wave."""
    wave, links, drawn = side.wave, side.links, side.diagram
    shown = {
        "begin_s": drawn.begin_s,
        "end_s": drawn.end_s,
        "signals": [
            {
                "name": row.name,
                "cycle_s": row.cycle_s,
                "offset_s": row.offset_s,
                "moved_s": row.moved_s,
                "slack_s": row.slack_s,
            }
            for row in drawn.signals
        ],
        "traces": len(drawn.traces),
        "wedges": len(drawn.wedges),
        "ticks": len(drawn.ticks),
    }
    if wave is None or links is None:
        return {**shown, "bands": None}
    runs = wave.runs
    return {
        **shown,
        "bands": {
            "cycle_s": wave.cycle_s,
            "outbound_s": runs.outbound_ms / 1000,
            "inbound_s": runs.inbound_ms / 1000,
            "outbound_efficiency": runs.outbound_share,
            "inbound_efficiency": runs.inbound_share,
            "efficiency": runs.efficiency,
            "attainability": runs.attainability,
            "outbound_attainability": runs.outbound_ms / runs.min_green_out_ms,
            "inbound_attainability": runs.inbound_ms / runs.min_green_in_ms,
            "link_attainability_out": links.outbound,
            "link_attainability_in": links.inbound,
        },
    }
