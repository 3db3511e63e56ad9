# SPDX-License-Identifier: Apache-2.0
"""Page one, for a leader: what was done, what came of it, who pays, what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from lvbo.evaluation.compare import Comparison
from lvbo.ids import MovementId
from lvbo.report.figures import los_figure
from lvbo.report.inline import inline
from lvbo.report.inputs import DirectionResult, ReportInputs, Result, Sample, Source
from lvbo.report.maps import los_map
from lvbo.report.names import movement_name
from lvbo.report.numbers import STYLES, Line, Mark, line, mark_of, number, spread
from lvbo.report.words import Words, short

CORRIDOR = (
    "travel_median_s",
    "travel_p95_s",
    "speed_mps",
    "stops_per_trip",
    "stops_per_km",
    "nonstop_share",
)
NETWORK = (
    "person_delay_s",
    "delay_s",
    "walk_delay_s",
    "walk_delay_longest_s",
    "spillback_min",
    "bus_trip_s",
    "unfinished",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A table of results under a heading."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One sentence of the verdict and how it reads."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """All of one source: expected or measured, never both."""

    heading: str
    blocks: tuple[Block, ...]
    worst_hit: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """All that page one prints."""

    title: str
    sample: str
    notices: tuple[str, ...]
    parts: tuple[Part, ...]
    not_measured: str
    next_step: str
    figure: Markup | None


def front(inputs: ReportInputs, words: Words) -> Front:
    """Return page one in the words of a language."""
    measured = any(result.source is Source.MEASURED for result in inputs.results)
    return Front(
        title=words("report_title", corridor=inputs.sample.corridor),
        sample=sample_line(inputs.sample, words),
        notices=tuple(words(key) for key in inputs.notices),
        parts=tuple(_part(inputs, result, words) for result in inputs.results),
        not_measured="" if measured else words("report_not_measured"),
        next_step=words(f"report_next_{next_step(inputs.results)}"),
        figure=_map(inputs, words),
    )


def sample_line(sample: Sample, words: Words) -> str:
    """Return what was looked at, on one line."""
    period = words.period(sample.period)
    parts = [
        sample.place,
        short(sample.corridor, 30),
        f"{period} {words.span(sample.start_s, sample.end_s)}".strip(),
        sample.dates,
        words("word_and").join(words.named("word_day", d) for d in sample.day_types),
        words.named("word_weather", sample.weather),
    ]
    if sample.seeds:
        parts.append(words("report_seeds", n=len(sample.seeds)))
    return words("report_sample_gap").join(part for part in parts if part)


def _part(inputs: ReportInputs, result: Result, words: Words) -> Part:
    blocks = [_direction(direction, words) for direction in result.directions]
    network = [d for d in result.comparison.differences if d.measure in NETWORK]
    network.sort(key=lambda d: NETWORK.index(d.measure))
    heading = words("report_whole_network")
    blocks.append(Block(heading=heading, lines=tuple(line(d, words) for d in network)))
    return Part(
        heading=words(f"report_source_{result.source}"),
        blocks=tuple(blocks),
        worst_hit=worst_hit(inputs, result.comparison, words),
        verdicts=tuple(verdicts(result, words)),
    )


def _direction(direction: DirectionResult, words: Words) -> Block:
    shown = [d for d in direction.differences if d.measure in CORRIDOR]
    shown.sort(key=lambda d: CORRIDOR.index(d.measure))
    heading = words("report_direction", direction=words.heading(direction.heading))
    return Block(heading=heading, lines=tuple(line(d, words) for d in shown))


def worst_hit(inputs: ReportInputs, comparison: Comparison, words: Words) -> str:
    """Return the sentence on the movement that loses most, all its vehicles together."""
    losers = comparison.losers
    if not losers:
        return words("report_no_loser") if comparison.movements else ""
    loser = losers[0]
    style = STYLES["delay_s"]
    place = inputs.network.intersection_index[
        inputs.network.movement_index[MovementId(loser.movement)].intersection
    ]
    return words(
        "report_worst_hit",
        place=short(place.name or str(place.id), 16),
        movement=movement_name(inputs.network, MovementId(loser.movement), words),
        before=number(loser.before_s, style),
        after=number(loser.after_s, style),
        change=spread(loser.change_s, style, words),
        vehicles=f"{loser.vehicles:.0f}",
    )


def verdicts(result: Result, words: Words) -> list[Verdict]:
    """Return one sentence per direction on travel time, and one on the delay of everyone."""
    found = []
    for direction in result.directions:
        for difference in direction.differences:
            if direction.heading and difference.measure == "travel_median_s":
                mark = mark_of(difference)
                text = words(
                    f"report_verdict_direction_{mark}",
                    direction=words.heading(direction.heading),
                    change=spread(difference.change, STYLES["travel_median_s"], words),
                )
                found.append(Verdict(mark=mark, text=text))
    for difference in result.comparison.differences:
        if difference.measure == "delay_s":
            mark = mark_of(difference)
            change = spread(difference.change, STYLES["delay_s"], words)
            found.append(
                Verdict(mark=mark, text=words(f"report_verdict_network_{mark}", change=change))
            )
    return found


def next_step(results: tuple[Result, ...]) -> Mark:
    """Return which next step the results call for.

    Worse where the whole network certainly loses, better where something certainly gains and the
    network does not lose, else unclear.
    """
    network = [
        mark_of(d) for r in results for d in r.comparison.differences if d.measure == "delay_s"
    ]
    corridor = [
        mark_of(d)
        for r in results
        for direction in r.directions
        for d in direction.differences
        if d.measure == "travel_median_s"
    ]
    if Mark.WORSE in network:
        return Mark.WORSE
    return Mark.BETTER if Mark.BETTER in (*network, *corridor) else Mark.UNCLEAR


def _map(inputs: ReportInputs, words: Words) -> Markup | None:
    if not inputs.links:
        return None
    sample = inputs.sample
    period = words.period(sample.period)
    stamp = words(
        "report_los_stamp",
        period=f"{period} {words.span(sample.start_s, sample.end_s)}".strip(),
        source=words("report_source_simulated"),
    )
    title = words("report_los_title")
    drawing = los_figure(los_map(inputs.network, inputs.links, title, stamp), words.language)
    svg = inline(drawing.svg(), f"{words.language}-los-", title, drawing.width_cm)
    return Markup(svg)  # noqa: S704  drawn by ourselves
