# SPDX-License-Identifier: Apache-2.0
"""Finished figures: a plain value and a language in, SVG and PNG out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure

from lvbo.report.plots.before_after import draw_before_after, write_key
from lvbo.report.plots.change_map import draw_changes
from lvbo.report.plots.flow_periods import draw_cycles, draw_flow
from lvbo.report.plots.lamp_chart import draw_lamps
from lvbo.report.plots.los_map import draw_los
from lvbo.report.plots.period_curve import draw_period_curve
from lvbo.report.plots.stage_diagram import PER_ROW, ROW_STEP, STEP, draw_stages
from lvbo.report.plots.style import Drawing
from lvbo.report.plots.timespace.diagram import draw_timespace
from lvbo.report.plots.timespace.legend import write_legend
from lvbo.report.plots.trade_off import draw_trade_off
from lvbo.report.values import (
    BeforeAfter,
    ChangeMap,
    FlowDay,
    LosMap,
    PeriodCurve,
    Spacing,
    StageSheet,
    TimeSpace,
    TradeCurve,
)
from lvbo.report.words import Words
from lvbo.text import Language

PAGE_CM = 18.4
WIDE_CM = 26.0
PER_SIGNAL_CM = 1.05
AXIS_CM = 2.4
HEAD_CM = 2.8
KEYS_CM = 1.9
SWAPPED_CM = 21.0


def timespace_figure(
    diagram: TimeSpace,
    language: Language,
    *,
    spacing: Spacing = Spacing.HYBRID,
    swapped: bool = False,
) -> Drawing:
    """Return the time-space diagram 时距图 of a street."""
    return timespace_pair([diagram], language, spacing=spacing, swapped=swapped)


def timespace_pair(
    diagrams: Sequence[TimeSpace],
    language: Language,
    *,
    spacing: Spacing = Spacing.HYBRID,
    swapped: bool = False,
) -> Drawing:
    """Return time-space diagrams of one street on the same axes, for example before and after.

    They must span the same time and hold the same signals.
    """
    words = Words(language=language)
    count = len(diagrams)
    along_cm = _along_cm(len(diagrams[0].signals), swapped=swapped)
    keys_cm = KEYS_CM if swapped else KEYS_CM + 0.6

    def draw(figure: Figure) -> None:
        shape = (1, count) if swapped else (count, 1)
        panels = figure.subplots(*shape, squeeze=False).ravel()
        for ax, diagram in zip(panels, diagrams, strict=True):
            draw_timespace(ax, diagram, words, spacing=spacing, swapped=swapped, along_cm=along_cm)
        write_legend(panels[0], diagrams, words, swapped=swapped)

    if swapped:
        return Drawing(
            width_cm=count * (along_cm + AXIS_CM), height_cm=SWAPPED_CM + keys_cm, draw=draw
        )
    height = count * (along_cm + HEAD_CM) + keys_cm
    return Drawing(width_cm=WIDE_CM, height_cm=height, draw=draw)


def _along_cm(signals: int, *, swapped: bool) -> float:
    """Return how long the axis of distances is: cards of all signals find room along it."""
    if swapped:
        return max(WIDE_CM - AXIS_CM, PER_SIGNAL_CM * signals)
    return max(min(11.0, 3.0 + 1.6 * signals), PER_SIGNAL_CM * signals)


def stage_figure(sheet: StageSheet, language: Language) -> Drawing:
    """Return the stage diagram 阶段图 with the lamp chart 信号配时图 below it."""
    words = Words(language=language)
    boxes = len(sheet.cells) + 1
    columns, rows = min(boxes, PER_ROW), -(-boxes // PER_ROW)
    width = min(PAGE_CM, max(13.0, 3.1 * columns))
    stages_cm = rows * ROW_STEP * width / (columns * STEP) + 1.2
    lamps_cm = 0.38 * len(sheet.rows) + 1.5

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, height_ratios=(stages_cm, lamps_cm))
        draw_stages(upper, sheet, words)
        draw_lamps(lower, sheet, words)

    return Drawing(width_cm=width, height_cm=stages_cm + lamps_cm + 1.2, draw=draw)


def flow_figure(flow: FlowDay, language: Language) -> Drawing:
    """Return flow over the day with its periods 流量-时段图, cycles below where they are known."""
    words = Words(language=language)
    with_cycles = any(span.cycle_s is not None for span in flow.periods)

    def draw(figure: Figure) -> None:
        if not with_cycles:
            draw_flow(figure.add_subplot(), flow, words)
            return
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        draw_flow(upper, flow, words)
        draw_cycles(lower, flow, words)
        upper.tick_params(labelbottom=False)

    return Drawing(width_cm=PAGE_CM, height_cm=13.0 if with_cycles else 10.0, draw=draw)


def before_after_figure(results: Sequence[BeforeAfter], language: Language) -> Drawing:
    """Return boxes before and after 前后对比, one panel per measure."""
    words = Words(language=language)
    rows = [len(result.pairings) + 0.9 for result in results]

    def draw(figure: Figure) -> None:
        panels = figure.subplots(len(results), 1, squeeze=False, height_ratios=rows)
        for ax, result in zip(panels[:, 0], results, strict=True):
            draw_before_after(ax, result, words)
        write_key(panels[-1, 0], words)

    height = 1.15 * sum(rows) + 1.3 * len(rows) + 1.4
    return Drawing(width_cm=PAGE_CM, height_cm=height, draw=draw)


def los_figure(los: LosMap, language: Language) -> Drawing:
    """Return the map of service levels 服务水平图."""
    words = Words(language=language)

    def draw(figure: Figure) -> None:
        draw_los(figure.add_subplot(), los, words)

    return Drawing(width_cm=PAGE_CM, height_cm=_map_cm(link.shape for link in los.links), draw=draw)


def change_figure(changes: ChangeMap, language: Language) -> Drawing:
    """Return the map of what changes 延误变化图: where delay falls and where it grows."""
    words = Words(language=language)

    def draw(figure: Figure) -> None:
        draw_changes(figure.add_subplot(), changes, words)

    height = _map_cm(link.shape for link in changes.links)
    return Drawing(width_cm=PAGE_CM, height_cm=height, draw=draw)


def _map_cm(shapes: Iterable[Sequence[tuple[float, float]]]) -> float:
    """Return how high a map is drawn on a page, its legend included."""
    points = [point for shape in shapes for point in shape]
    spans = [max(values) - min(values) for values in zip(*points, strict=True)]
    height = (PAGE_CM - 1) * float(spans[1] + 1) / float(spans[0] + 1) + 3.4
    return min(24.0, max(8.0, height))


def trade_off_figure(curve: TradeCurve, language: Language) -> Drawing:
    """Return delay against stops 延误-停车权衡图 with the bands of each point."""
    words = Words(language=language)

    def draw(figure: Figure) -> None:
        draw_trade_off(figure.add_subplot(), curve, words)

    height = 10.0 + 0.5 * (len(curve.points) + 1)
    return Drawing(width_cm=PAGE_CM, height_cm=height, draw=draw)


def period_curve_figure(curve: PeriodCurve, language: Language) -> Drawing:
    """Return what each number of periods costs on days held out."""
    words = Words(language=language)

    def draw(figure: Figure) -> None:
        draw_period_curve(figure.add_subplot(), curve, words)

    return Drawing(width_cm=14.0, height_cm=8.5, draw=draw)
