# SPDX-License-Identifier: Apache-2.0
"""The time-space diagram of a street as a user asks for it: plans, traffic and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import polars as pl

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, InputError, UsageError
from lvbo.evaluation.corridors import place_tracks
from lvbo.evaluation.drives import LEAST_M, NEAR_M, fit_drive
from lvbo.ids import LinkId
from lvbo.io.gpx import Track
from lvbo.io.projection import Projection
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.attain import LinkAttainability, link_attainability
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.linkband_plan import link_slack_ms
from lvbo.progression.linkbands import WaveModel
from lvbo.progression.partial import part_bands
from lvbo.progression.wave import PeriodWave, WaveSettings
from lvbo.report.layers import Layers
from lvbo.report.street import Caption, band_facts, coordinated_phases, lines_of, timespace
from lvbo.report.values import Tick, TimeSpace, Trace, TraceSource
from lvbo.report.words import Words, short
from lvbo.signal.schedule import DAY_S, Period, PlanSet
from lvbo.simulation.runs import LampChange
from lvbo.timing.plans import period_volumes

TITLE_EMS = 32
ROUND_S = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Driven:
    """What happened on the street: places of vehicles along it, lamps, detector actuations."""

    tracks: pl.DataFrame | None = None
    source: TraceSource = TraceSource.SIMULATED
    lamps: tuple[LampChange, ...] = ()
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class DiagramOrder:
    """What to draw: a street under plans, against others, in a period, from a second on.

    Without `begin_s` it begins where vehicles were recorded, else with the period.
    """

    corridor: Corridor
    plans: PlanSet
    against: PlanSet | None = None
    day_type: str
    period: str | None = None
    begin_s: float | None = None
    cycles: int = 4
    model: WaveModel = WaveModel.TWO_WAY
    speeds_mps: Mapping[LinkId, float] = field(default_factory=dict)
    demand: Demand | None = None
    driven: Driven = field(default_factory=Driven)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One diagram with the wave that it shows; None where the cycles have no common one."""

    diagram: TimeSpace
    wave: PeriodWave | None
    links: LinkAttainability | None


def draw_street(network: Network, order: DiagramOrder, words: Words) -> tuple[Side, ...]:
    """Return the diagram of a street, or those before and after on the same axes.

    Raises:
        UsageError: LV140 for a period that the plans do not have.
        InputError: LV144 where nobody was on the street in the span drawn.

    """
    period = _period(order)
    begin_s = _begin_s(order, period)
    waves = [
        None if plans is None else _wave(network, order, plans, period)
        for plans in (order.against, order.plans)
    ]
    sides = []
    for number, plans in enumerate((order.against, order.plans)):
        if plans is not None:
            side = _side(network, order, words, (plans, waves[number], period, begin_s))
            sides.append(side)
    if len(sides) > 1:
        sides = [_headed(side, sides, k, words) for k, side in enumerate(sides)]
    return tuple(sides)


def _period(order: DiagramOrder) -> Period:
    day = order.plans.day_plan(order.day_type)
    if order.period is not None:
        named = {period.name: period for period in day.periods}
        if order.period not in named:
            raise UsageError("LV140", place=order.period, known=", ".join(named))
        return named[order.period]
    begin_s = order.begin_s
    if begin_s is None and order.driven.tracks is not None:
        begin_s = _middle_s(order)
    return day.periods[0] if begin_s is None else day.at(int(begin_s) % DAY_S)


def _begin_s(order: DiagramOrder, period: Period) -> float:
    if order.begin_s is not None:
        return order.begin_s
    if order.driven.tracks is not None:
        return _middle_s(order)
    return float(period.start_s)


def _middle_s(order: DiagramOrder) -> float:
    """Return where a diagram of recorded vehicles begins: about mid-record, or at first drives.

    Raises:
        InputError: LV144 where nobody was on the street.

    """
    tracks = order.driven.tracks
    if tracks is None or tracks.is_empty():
        raise InputError("LV144", place=order.corridor.name)
    first, middle = (float(str(t)) for t in (tracks["t_s"].min(), tracks["t_s"].median()))
    if order.driven.source is TraceSource.DRIVEN:
        return first // ROUND_S * ROUND_S
    return max(first, middle - _span_s(order, middle) / 2) // ROUND_S * ROUND_S


def _span_s(order: DiagramOrder, second: float) -> float:
    """Return how long the diagram is at the cycles of a second of the day."""
    running = order.plans.running(order.day_type, int(second) % DAY_S)
    cycles = [running[c].cycle_s for c in order.corridor.controllers if c in running]
    return order.cycles * max(cycles, default=100.0)


def _wave(
    network: Network, order: DiagramOrder, plans: PlanSet, period: Period
) -> PeriodWave | None:
    """Return the wave that plans give in the period of that name or time; None without one."""
    known = Street(network=network, speeds_mps=order.speeds_mps, demand=order.demand)
    settings = WaveSettings(model=order.model)
    try:
        wave = evaluate_wave(order.corridor, plans, street=known, settings=settings)
    except InputError as error:
        if error.code != "LV452":
            raise
        return None
    name = plans.day_plan(order.day_type).at(period.start_s % DAY_S).name
    return wave.at(name, order.day_type)


def _side(
    network: Network,
    order: DiagramOrder,
    words: Words,
    what: tuple[PlanSet, PeriodWave | None, Period, float],
) -> Side:
    plans, wave, period, begin_s = what
    is_after = plans is order.plans
    running = plans.running(order.day_type, period.start_s % DAY_S)
    compared = order.against if is_after else None
    volumes = None if order.demand is None else period_volumes(order.demand, order.day_type, period)
    layers = Layers(
        links=wave.links if wave else None,
        link_slack_ms=link_slack_ms(wave.problem, wave.links) if wave and wave.links else (),
        parts=part_bands(wave.problem, wave.runs) if wave and wave.links is None else (),
        volumes=volumes,
        before=compared.running(order.day_type, period.start_s % DAY_S) if compared else None,
        lamps=order.driven.lamps if is_after else (),
        ticks=order.driven.ticks if is_after else (),
        source=order.driven.source,
    )
    band = wave.runs if wave else None
    name = short(order.corridor.name or str(order.corridor.id), TITLE_EMS)
    when = words.period(period.name) or words.span(period.start_s, period.end_s)
    diagram = timespace(
        network,
        order.corridor,
        running,
        caption=Caption(
            title=f"{name} | {when}",
            subtitle=band_facts(band, words),
            phases=coordinated_phases(network, order.corridor, words),
        ),
        begin_s=begin_s,
        band=band,
        layers=layers,
        cycles=order.cycles,
    )
    if is_after:
        diagram = replace(diagram, traces=_traces(order, (diagram.begin_s, diagram.end_s)))
    links = link_attainability(wave.problem, wave.runs, wave.links) if wave else None
    return Side(diagram=diagram, wave=wave, links=links)


def _traces(order: DiagramOrder, span_s: tuple[float, float]) -> tuple[Trace, ...]:
    if order.driven.tracks is None:
        return ()
    found = tuple(lines_of(order.driven.tracks, span_s))
    if not found:
        raise InputError("LV144", place=order.corridor.name)
    return found


def _headed(side: Side, sides: Sequence[Side], k: int, words: Words) -> Side:
    """Return a diagram that says which side it is; the second says what its bands gained."""
    last = sides[-1].diagram
    title = f"{side.diagram.title} | {words('word_after' if k else 'word_before')}"
    subtitle = side.diagram.subtitle
    bands = [None if each.wave is None else each.wave.runs for each in sides]
    if k and bands[0] is not None and bands[1] is not None:
        out = (bands[1].outbound_ms - bands[0].outbound_ms) / 1000
        back = (bands[1].inbound_ms - bands[0].inbound_ms) / 1000
        subtitle = words("fig_gain", outbound=_signed(out), inbound=_signed(back)) + subtitle
    span = max(last.end_s, *(each.diagram.end_s for each in sides))
    drawn = replace(side.diagram, title=title, subtitle=subtitle, end_s=span)
    return replace(side, diagram=drawn)


def _signed(seconds: float) -> str:
    return f"{seconds:+.0f}".replace("-", "−") if abs(seconds) >= 0.5 else "±0"  # noqa: PLR2004


def sumo_tracks(
    steps: pl.DataFrame, edges: pl.DataFrame, corridor: Corridor, network: Network
) -> pl.DataFrame:
    """Return simulated steps as places along a corridor.

    Raises:
        InputError: LV144 where none of them lies on it.

    """
    found = place_tracks(steps, edges, corridor, network)
    if found.is_empty():
        raise InputError("LV144", place=corridor.name)
    return found


def gps_tracks(
    drives: Sequence[Track], projection: Projection, corridor: Corridor, network: Network
) -> pl.DataFrame:
    """Return positioned drives as places along a corridor, times as seconds of the local day.

    Raises:
        InputError: LV136 for every track of which no part follows the corridor.

    """
    found, wrong = [], []
    zone = ZoneInfo(network.zone)
    for drive in drives:
        local = [fix.at.astimezone(zone) for fix in drive.fixes]
        midnight = local[0].replace(hour=0, minute=0, second=0, microsecond=0)
        times = [(at - midnight).total_seconds() for at in local]
        points = [projection.to_local(fix.longitude, fix.latitude) for fix in drive.fixes]
        fitted = fit_drive(drive.name, times, points, corridor, network)
        found.append(fitted.tracks)
        if fitted.tracks.is_empty():
            fields = {
                "street": corridor.name,
                "points": len(points),
                "nearest_m": round(fitted.nearest_m),
                "most_m": round(NEAR_M),
                "least_m": round(LEAST_M),
            }
            wrong.append(Finding(code="LV136", place=drive.name, fields=fields))
    if wrong:
        raise InputError.of(wrong)
    return pl.concat(found)
