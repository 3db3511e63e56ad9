# SPDX-License-Identifier: Apache-2.0
"""The annex, for engineers: plans, diagrams, findings, all comparisons, methods, manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lvbo.errors import Finding
from lvbo.evaluation.indices import AIMS, Aim
from lvbo.ids import ControllerId, MovementId
from lvbo.report.assemble import period_curve
from lvbo.report.figures import (
    before_after_figure,
    flow_figure,
    period_curve_figure,
    stage_figure,
    timespace_figure,
)
from lvbo.report.inline import inline
from lvbo.report.inputs import DirectionResult, ReportInputs, Result, WavePage
from lvbo.report.layers import Layers
from lvbo.report.maps import flow_day
from lvbo.report.names import controller_name, movement_name
from lvbo.report.numbers import STYLES, Line, line, number, spread
from lvbo.report.plots.style import Drawing
from lvbo.report.stages import stage_sheet
from lvbo.report.street import Caption, band_facts, coordinated_phases, timespace
from lvbo.report.values import BeforeAfter, Pairing, StageSheet, TimeSpace
from lvbo.report.words import Words, short
from lvbo.signal.plan import Plan
from lvbo.signal.schedule import DAY_S, PlanSet

BOXES = ("delay_s", "trip_s", "stops", "walk_delay_s", "spillback_min")
SHOWN_PER_CODE = 6
SHOWN_MOVEMENTS = 20
METHODS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its caption."""

    caption: str
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One plan of one controller in one period, before or after."""

    controller: str
    period: str
    side: str
    cycle: str
    offset: str
    stages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """What was found under one code, at some places, and what to do."""

    code: str
    severity: str
    sentences: tuple[str, ...]
    more: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementLine:
    """One movement that loses."""

    place: str
    movement: str
    vehicles: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AimBlock:
    """The indices of one direction of a street under one aim."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """All measures, those of streets by aim, and the movements that lose, of one source."""

    heading: str
    sides: str
    lines: tuple[Line, ...]
    corridors: tuple[AimBlock, ...]
    losers: tuple[MovementLine, ...]
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """All that the annex prints."""

    plans: tuple[PlanLine, ...]
    stages: tuple[Figure, ...]
    waves: tuple[Figure, ...]
    day: tuple[Figure, ...]
    findings: tuple[FoundLine, ...]
    compared: tuple[Compared, ...]
    boxes: tuple[Figure, ...]
    data: tuple[FoundLine, ...]
    methods: tuple[str, ...]
    manifest: tuple[tuple[str, str], ...]


def annex(inputs: ReportInputs, words: Words) -> Annex:
    """Return the annex in the words of a language."""
    return Annex(
        plans=tuple(_plan_lines(inputs, words)),
        stages=tuple(_stage_figures(inputs, words)),
        waves=tuple(_wave_figures(inputs, words)),
        day=tuple(_day_figures(inputs, words)),
        findings=found_lines(inputs.findings, words),
        compared=tuple(_compared(inputs, result, words) for result in inputs.results),
        boxes=tuple(_box_figures(inputs, words)),
        data=found_lines(inputs.data_findings, words),
        methods=tuple(words(f"report_method_{k + 1}") for k in range(METHODS)),
        manifest=tuple(flattened(inputs.manifest)),
    )


def _figure(drawing: Drawing, name: str, caption: str, words: Words) -> Figure:
    svg = inline(drawing.svg(), f"{words.language}-{name}-", caption, drawing.width_cm)
    return Figure(caption=caption, svg=Markup(svg))  # noqa: S704  drawn by ourselves


def running(plans: PlanSet, day_type: str, second: float) -> Mapping[ControllerId, Plan]:
    """Return the plans at a second of a day; of the first day type where this one has none."""
    kind = _kind(plans, day_type)
    return plans.running(kind, int(second) % DAY_S)


def _plan_lines(inputs: ReportInputs, words: Words) -> Iterator[PlanLine]:
    """Return the plans of every controller by period, before and after where they differ."""
    for controller in inputs.network.controllers:
        name = short(controller_name(inputs.network, controller), 16)
        for first, last, old, new in _spans(inputs, controller.id):
            sides = (("before", old), ("after", new)) if old != new else (("same", new),)
            for side, plan in sides:
                if plan is None:
                    continue
                sheet = stage_sheet(inputs.network, controller, plan, words)
                yield PlanLine(
                    controller=name,
                    period=_span(*first, last, words),
                    side=words(f"word_{side}"),
                    cycle=f"{plan.cycle_s:g}",
                    offset=f"{plan.offset_s:g}",
                    stages=stage_text(sheet),
                )


def _spans(
    inputs: ReportInputs, controller: ControllerId
) -> Iterator[tuple[tuple[str, int], int, Plan | None, Plan | None]]:
    """Return name, start, end and both plans of each span in which neither changes."""
    kinds = [_kind(plans, inputs.day_type) for plans in (inputs.plans_before, inputs.plans_after)]
    periods = {
        p.start_s: p.name
        for plans, kind in zip((inputs.plans_before, inputs.plans_after), kinds, strict=True)
        for p in plans.day_plan(kind).periods
    }
    starts = sorted(periods)
    last: tuple[int, Plan | None, Plan | None] | None = None
    for second in starts:
        old = _plan_at(inputs.plans_before, kinds[0], controller, second)
        new = _plan_at(inputs.plans_after, kinds[1], controller, second)
        if last is not None and (old, new) != last[1:]:
            yield (periods[last[0]], last[0]), second, last[1], last[2]
            last = None
        last = last or (second, old, new)
    if last is not None:
        yield (periods[last[0]], last[0]), starts[0], last[1], last[2]


def _kind(plans: PlanSet, day_type: str) -> str:
    """Return the day type, or the first that the plans know where they do not know it."""
    known = [day.day_type for day in plans.day_plans]
    return day_type if day_type in known else known[0]


def _plan_at(plans: PlanSet, kind: str, controller: ControllerId, second: int) -> Plan | None:
    period = plans.day_plan(kind).at(second).name
    return plans.run_index.get((controller, kind, period))


def _span(name: str, start_s: int, end_s: int, words: Words) -> str:
    """Return name and hours of a plan; one that runs round the clock says so."""
    if start_s % DAY_S == end_s % DAY_S:
        return words("report_all_day")
    return f"{words.period(name)} {words.span(start_s, end_s)}".strip()


def stage_text(sheet: StageSheet) -> str:
    """Return the stages of a plan as green/flash/yellow/all-red, stage by stage."""
    return "   ".join(
        f"{c.green_s:g}/{c.flash_s:g}/{c.yellow_s:g}/{c.all_red_s:g}" for c in sheet.cells
    )


def _stage_figures(inputs: ReportInputs, words: Words) -> Iterator[Figure]:
    """Return the stage diagrams of all signals of the corridors in the judged period."""
    plans = running(inputs.plans_after, inputs.day_type, inputs.sample.start_s)
    wanted = dict.fromkeys(c for wave in inputs.waves for c in wave.corridor.controllers)
    span = words.span(inputs.sample.start_s, inputs.sample.end_s)
    period = words.period(inputs.sample.period)
    for k, controller_id in enumerate(wanted):
        if controller_id in plans:
            controller = inputs.network.controller_index[controller_id]
            plan = plans[controller_id]
            subtitle = words("report_plan_of", period=f"{period} {span}".strip())
            sheet = stage_sheet(inputs.network, controller, plan, words, subtitle)
            drawing = stage_figure(sheet, words.language)
            yield _figure(drawing, f"stage{k}", sheet.title, words)


def _wave_figures(inputs: ReportInputs, words: Words) -> Iterator[Figure]:
    for k, wave in enumerate(inputs.waves):
        for side in ("before", "after"):
            name = short(wave.corridor.name, 40)
            parts = (name, words.period(wave.period), words(f"word_{side}"))
            title = words("report_sample_gap").join(part for part in parts if part)
            drawing = timespace_figure(_diagram(inputs, wave, side, title, words), words.language)
            yield _figure(drawing, f"wave{k}{side}", title, words)


def _diagram(
    inputs: ReportInputs, wave: WavePage, side: str, title: str, words: Words
) -> TimeSpace:
    is_after = side == "after"
    plans = inputs.plans_after if is_after else inputs.plans_before
    band = wave.after if is_after else wave.before
    return timespace(
        inputs.network,
        wave.corridor,
        running(plans, inputs.day_type, wave.begin_s),
        caption=Caption(
            title=title,
            subtitle=band_facts(band, words),
            phases=coordinated_phases(inputs.network, wave.corridor, words),
        ),
        begin_s=wave.begin_s,
        band=band,
        run=wave.run_after if is_after else wave.run_before,
        layers=Layers(before=running(inputs.plans_before, inputs.day_type, wave.begin_s))
        if is_after
        else None,
    )


def _day_figures(inputs: ReportInputs, words: Words) -> Iterator[Figure]:
    if inputs.demand is not None:
        flow = flow_day(inputs.demand, inputs.plans_after, inputs.day_type, words)
        if flow is not None:
            yield _figure(flow_figure(flow, words.language), "flow", flow.title, words)
    if inputs.period_choice is not None:
        curve = period_curve(inputs.period_choice, words)
        yield _figure(period_curve_figure(curve, words.language), "curve", curve.title, words)


def found_lines(findings: Sequence[Finding], words: Words) -> tuple[FoundLine, ...]:
    """Return findings by code, errors first; of many alike the first few and how many more."""
    order = {"error": 0, "warning": 1, "advice": 2}
    by_code: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        by_code.setdefault((order[finding.severity], finding.code), []).append(finding)
    return tuple(_found(alike, words) for _, alike in sorted(by_code.items()))


def _found(alike: Sequence[Finding], words: Words) -> FoundLine:
    first = alike[0]
    more = len(alike) - SHOWN_PER_CODE
    return FoundLine(
        code=first.code,
        severity=words(f"word_severity_{first.severity}"),
        sentences=tuple(
            words(f.code, **{"place": f.place, **f.fields}) for f in alike[:SHOWN_PER_CODE]
        ),
        more=words("report_more_findings", n=more) if more > 0 else "",
        advice=words(f"{first.code}_fix"),
    )


def _compared(inputs: ReportInputs, result: Result, words: Words) -> Compared:
    comparison = result.comparison
    more = len(comparison.losers) - SHOWN_MOVEMENTS
    return Compared(
        heading=words(f"report_source_{result.source}"),
        sides=words("report_sides", before=comparison.before, after=comparison.after),
        lines=tuple(line(d, words) for d in comparison.differences),
        corridors=tuple(
            block for direction in result.directions for block in aim_blocks(direction, words)
        ),
        losers=tuple(_losers(inputs, result, words)),
        more=words("report_more_movements", n=more) if more > 0 else "",
    )


def aim_blocks(direction: DirectionResult, words: Words) -> Iterator[AimBlock]:
    """Return the indices of a direction by aim, in the order of the standard, then all others."""
    found = {difference.measure: difference for difference in direction.differences}
    for aim in (*Aim, None):
        names = (
            [name for name in AIMS if AIMS[name] is aim]
            if aim
            else [x for x in found if x not in AIMS]
        )
        lines = tuple(line(found[name], words) for name in names if name in found)
        if lines:
            heading = words(
                "report_corridor_aim",
                street=short(direction.street, 20),
                direction=f" {words.heading(direction.heading)}",
                aim=words(f"word_aim_{aim or 'more'}"),
            )
            yield AimBlock(heading=heading.strip(), lines=lines)


def _losers(inputs: ReportInputs, result: Result, words: Words) -> Iterator[MovementLine]:
    style = STYLES["delay_s"]
    network = inputs.network
    for change in result.comparison.losers[:SHOWN_MOVEMENTS]:
        movement = network.movement_index[MovementId(change.movement)]
        place = network.intersection_index[movement.intersection]
        yield MovementLine(
            place=short(place.name or str(place.id), 16),
            movement=movement_name(network, movement.id, words),
            vehicles=f"{change.vehicles:.0f}",
            before=number(change.before_s, style),
            after=number(change.after_s, style),
            change=spread(change.change_s, style, words),
        )


def _box_figures(inputs: ReportInputs, words: Words) -> Iterator[Figure]:
    for k, result in enumerate(inputs.results):
        panels = tuple(_panels(result, words))
        if panels:
            caption = words("report_boxes", source=words(f"report_source_{result.source}"))
            drawing = before_after_figure(panels, words.language)
            yield _figure(drawing, f"boxes{k}", caption, words)


def _panels(result: Result, words: Words) -> Iterator[BeforeAfter]:
    """Return one panel per measure of the network that has a share of change, losers first."""
    for difference in result.comparison.differences:
        percent = difference.percent
        if difference.measure not in BOXES or percent is None or percent.low is None:
            continue
        values = [
            tuple(float(getattr(m, difference.measure)) for m in side)
            for side in (result.before, result.after)
        ]
        if not values[0]:
            continue
        style = STYLES[difference.measure]
        pairing = Pairing(
            label=words("report_whole_network"),
            before=values[0],
            after=values[1],
            change=percent.mean / 100,
            low=percent.low / 100,
            high=(percent.high or 0.0) / 100,
        )
        yield BeforeAfter(
            title=words(f"word_measure_{difference.measure}"),
            unit=words(f"word_unit_{style.unit}"),
            pairings=(pairing,),
        )


def flattened(record: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return a manifest as rows of dotted key and value, in order."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(str(each) for each in value)
        else:
            yield f"{prefix}{key}", str(value)
