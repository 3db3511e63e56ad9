# SPDX-License-Identifier: Apache-2.0
"""A time-space diagram on one pair of axes: its layers in order, its axes and its header."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from lvbo.report.plots import style
from lvbo.report.plots.timespace.bands import draw_band, label_band
from lvbo.report.plots.timespace.frame import MARGIN, Frame, drawn_places
from lvbo.report.plots.timespace.gutters import gutter_pt, write_cards, write_links
from lvbo.report.plots.timespace.lamps import draw_lamps, draw_slack
from lvbo.report.plots.timespace.traffic import draw_queues, draw_ticks, draw_traces, draw_wedges
from lvbo.report.values import Spacing, TimeSpace
from lvbo.report.words import Words


def draw_timespace(
    ax: Axes,
    diagram: TimeSpace,
    words: Words,
    *,
    spacing: Spacing = Spacing.HYBRID,
    swapped: bool = False,
    along_cm: float = 10.0,
) -> None:
    """Draw a time-space diagram on `ax`: time along x and distance along y, or swapped.

    `along_cm` is about how long the axis of distances is on paper. The key is not drawn:
    `legend.write_legend` writes one for all diagrams of a figure.
    """
    places = tuple(row.at_m for row in diagram.signals)
    frame = Frame(ax, places, drawn_places(places, spacing), swapped, along_cm)
    _set_axes(frame, diagram, words)
    for strip in diagram.bands:
        draw_band(frame, diagram, strip)
    draw_wedges(frame, diagram)
    draw_traces(frame, diagram.traces)
    draw_queues(frame, diagram.traces)
    draw_ticks(frame, diagram)
    for row, y in zip(diagram.signals, frame.drawn, strict=True):
        draw_lamps(frame, diagram, row, y)
    draw_slack(frame, diagram)
    for strip in diagram.bands:
        label_band(frame, diagram, strip, words)
    write_cards(frame, diagram, words)
    write_links(frame, diagram, words)


def _set_axes(frame: Frame, diagram: TimeSpace, words: Words) -> None:
    ax, margin = frame.ax, MARGIN * frame.length
    limits = (frame.drawn[0] - margin, frame.drawn[-1] + margin)
    time, place = (ax.yaxis, ax.xaxis) if frame.swapped else (ax.xaxis, ax.yaxis)
    (ax.set_ylim if frame.swapped else ax.set_xlim)(diagram.begin_s, diagram.end_s)
    (ax.set_xlim if frame.swapped else ax.set_ylim)(*limits)
    time.set_major_locator(MultipleLocator(_tick_s(diagram.end_s - diagram.begin_s)))
    time.set_major_formatter(FuncFormatter(lambda second, _: _hms(second)))
    time.set_label_text(words("fig_time_of_day"))
    place.set_ticks([])
    ax.spines["bottom" if frame.swapped else "left"].set_visible(False)
    lift = gutter_pt(frame, diagram, words) if frame.swapped else 0.0
    style.write_title(ax, diagram.title, diagram.subtitle, lift_pt=lift)


def _tick_s(span_s: float) -> float:
    return next((step for step in (10, 20, 30, 60, 120, 300) if span_s <= 10 * step), 600)


def _hms(second: float) -> str:
    whole = round(second) % 86_400
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
