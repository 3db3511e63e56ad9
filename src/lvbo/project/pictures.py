# SPDX-License-Identifier: Apache-2.0
"""The figures of a result as files, in both languages, SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.progression.linkband_plan import link_slack_ms
from lvbo.progression.partial import part_bands
from lvbo.progression.problem import BandPlan
from lvbo.progression.wave import PeriodWave, Wave
from lvbo.report.annex import running
from lvbo.report.figures import flow_figure, los_figure, timespace_figure
from lvbo.report.inputs import ReportInputs, WavePage
from lvbo.report.layers import Layers
from lvbo.report.maps import flow_day, los_map
from lvbo.report.plots.style import Drawing
from lvbo.report.street import Caption, band_facts, coordinated_phases, timespace
from lvbo.report.words import Words, short
from lvbo.signal.schedule import DAY_S, PlanSet
from lvbo.simulation.runs import Run
from lvbo.text import Language

Named = tuple[str, Drawing]
TITLE_EMS = 40


@dataclass(frozen=True, slots=True)
class Moment:
    """When a diagram is drawn for: the day type, and its first second of the day."""

    day_type: str
    begin_s: float


def write_figures(inputs: ReportInputs, folder: Path, tell: Callable[[float], None]) -> None:
    """Write the time-space diagrams, the day's flow and the map of a result."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, language in enumerate(Language):
        words = Words(language=language)
        drawings = list(_drawings(inputs, words))
        for k, (name, drawing) in enumerate(drawings):
            drawing.write(folder / f"{name}-{language}")
            tell((number + (k + 1) / len(drawings)) / len(Language))


def _drawings(inputs: ReportInputs, words: Words) -> Iterator[Named]:
    for k, page in enumerate(inputs.waves, start=1):
        yield f"wave-{k}", page_figure(inputs, page, words)
    if inputs.demand is not None:
        flow = flow_day(inputs.demand, inputs.plans_after, inputs.day_type, words)
        if flow is not None:
            yield "flow", flow_figure(flow, words.language)
    sample = inputs.sample
    stamp = f"{sample.period} {words.span(sample.start_s, sample.end_s)}"
    found = los_map(inputs.network, inputs.links, words("report_los_title"), stamp)
    yield "map", los_figure(found, words.language)


def page_figure(inputs: ReportInputs, page: WavePage, words: Words) -> Drawing:
    """Return the time-space diagram of the new plans with the vehicles that drove through."""
    return street_figure(
        inputs.network,
        page.corridor,
        inputs.plans_after,
        words,
        Moment(inputs.day_type, page.begin_s),
        band=page.after,
        run=page.run_after,
        layers=Layers(before=running(inputs.plans_before, inputs.day_type, page.begin_s)),
    )


def wave_figure(network: Network, wave: Wave, own: PeriodWave, words: Words) -> Drawing:
    """Return the time-space diagram of one period of a wave, without vehicles."""
    period = {p.name: p for p in wave.plans.day_plan(own.day_type).periods}[own.period]
    moment = Moment(own.day_type, float(period.start_s))
    layers = Layers(
        links=own.links,
        link_slack_ms=link_slack_ms(own.problem, own.links) if own.links else (),
        parts=() if own.links else part_bands(own.problem, own.runs),
    )
    return street_figure(
        network, wave.corridor, wave.plans, words, moment, band=own.runs, layers=layers
    )


def street_figure(  # noqa: PLR0913  a diagram joins all of these
    network: Network,
    corridor: Corridor,
    plans: PlanSet,
    words: Words,
    moment: Moment,
    *,
    band: BandPlan | None,
    run: Run | None = None,
    layers: Layers | None = None,
) -> Drawing:
    """Return the time-space diagram of a street in one period."""
    name = short(corridor.name or str(corridor.id), TITLE_EMS)
    second = int(moment.begin_s) % DAY_S
    period = plans.day_plan(moment.day_type).at(second)
    shown = words.period(period.name) or words.span(period.start_s, period.end_s)
    diagram = timespace(
        network,
        corridor,
        plans.running(moment.day_type, second),
        caption=Caption(
            title=f"{name} | {shown}",
            subtitle=band_facts(band, words),
            phases=coordinated_phases(network, corridor, words),
        ),
        begin_s=moment.begin_s,
        band=band,
        run=run,
        layers=layers,
    )
    return timespace_figure(diagram, words.language)
