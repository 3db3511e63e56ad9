# SPDX-License-Identifier: Apache-2.0
"""The key of a time-space diagram: only what is drawn is explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lvbo.report.plots import style
from lvbo.report.plots.timespace.frame import widest_cm
from lvbo.report.plots.timespace.lamps import LEAST_SLACK_S, LEFT_HATCH
from lvbo.report.plots.timespace.traffic import (
    QUEUE,
    TICK_IN,
    TICK_OUT,
    TRACE_IN,
    TRACE_OUT,
    standing,
)
from lvbo.report.values import SignalRow, StripKind, TimeSpace
from lvbo.report.words import Words
from lvbo.signal.lamp import OFF

Key = Patch | Line2D
COLUMNS = 5
POINTS = 8.0
MARK_CM = 1.6
"""What a mark and the gap to the next column take beside a label of the key."""


def write_legend(ax: Axes, diagrams: Sequence[TimeSpace], words: Words, *, swapped: bool) -> None:
    """Write the key of one or several diagrams of the same street below the figure."""
    first = diagrams[0]
    out, back = words.heading(first.outbound_heading), words.heading(first.inbound_heading)
    keys = [*_lamps(diagrams, words), *_bands(diagrams, words, (out, back))]
    keys += [*_traffic(diagrams, words, (out, back)), *_slack(diagrams, words)]
    figure = style.figure_of(ax)
    columns = _columns([str(key.get_label()) for key in keys], figure.get_figwidth() / style.CM)
    legend = figure.legend(handles=keys, loc="outside lower left", ncols=columns)
    legend.set_in_layout(True)
    key = "fig_bars_note_swapped" if swapped else "fig_bars_note"
    note = words(key, outbound=out, inbound=back)
    if any(row.shown_outbound or row.shown_inbound for row in _rows(diagrams)):
        note += words("fig_bars_recorded")
    legend.set_title(note, prop=FontProperties(size=8))
    legend.set_alignment("left")


def _columns(labels: Sequence[str], width_cm: float) -> int:
    """Return how many columns of labels, as many in each as can be, fit a width."""
    for columns in range(COLUMNS, 1, -1):
        parts = [list(part) for part in np.array_split(np.asarray(labels), columns)]
        if sum(widest_cm(part, POINTS) + MARK_CM for part in parts) <= width_cm:
            return columns
    return 1


def _rows(diagrams: Sequence[TimeSpace]) -> list[SignalRow]:
    return [row for diagram in diagrams for row in diagram.signals]


def _lamps(diagrams: Sequence[TimeSpace], words: Words) -> list[Key]:
    rows = _rows(diagrams)
    planned = [row for row in rows if not (row.shown_outbound and row.shown_inbound)]
    greens = [g for row in planned for g in (*row.outbound, *row.inbound)]
    shown = [s for row in rows for s in (*row.shown_outbound, *row.shown_inbound)]
    keys: list[Key] = [Patch(color=style.LAMP_GREEN, label=words("word_green"))]
    if any(g.least_s is not None and g.least_s < g.length_s for g in greens):
        label = words("fig_trailing")
        keys.append(Patch(color=style.LAMP_GREEN_TRAILING, label=label))
    if any(g.flash_s > 0 for g in greens) or any(s.is_flashing for s in shown):
        label = words("word_green_flash")
        keys.append(Patch(fc=style.LAMP_GREEN, ec=style.PAPER, hatch="||||", label=label))
    keys.append(Patch(color=style.LAMP_YELLOW, label=words("word_yellow")))
    keys.append(Patch(color=style.LAMP_RED, label=words("word_red")))
    lefts = [g for row in planned for g in (*row.left_outbound, *row.left_inbound)]
    if lefts or any(row.shown_left_outbound or row.shown_left_inbound for row in rows):
        label = words("fig_left")
        keys.append(Patch(fc=style.LAMP_RED, ec=style.PAPER, hatch=LEFT_HATCH, label=label))
    if any(s.lamp in OFF for s in shown):
        keys.append(Patch(color=style.LAMP_OFF, label=words("word_lamp_off")))
    if any(not row.outbound or not row.inbound for row in rows):
        keys.append(Patch(color=style.FAINT, label=words("fig_no_signal")))
    return keys


def _bands(diagrams: Sequence[TimeSpace], words: Words, names: tuple[str, str]) -> list[Key]:
    bands = [s for diagram in diagrams for s in diagram.bands if s.width_s > 0]
    keys: list[Key] = []
    for is_outbound, name in zip((True, False), names, strict=True):
        colour = style.OUTBOUND if is_outbound else style.INBOUND
        own = {strip.kind for strip in bands if strip.is_outbound is is_outbound}
        if own & {StripKind.THROUGH, StripKind.LINK}:
            which = "fig_link_band_of" if StripKind.LINK in own else "fig_band_of"
            label = words(which, direction=name)
            keys.append(Patch(fc=colour, ec=colour, alpha=0.4, label=label))
        if StripKind.PART in own:
            label = words("fig_part_band_of", direction=name)
            keys.append(Patch(fc=colour, ec=colour, ls="--", alpha=0.2, label=label))
    return keys


def _traffic(diagrams: Sequence[TimeSpace], words: Words, names: tuple[str, str]) -> list[Key]:
    traces = [trace for diagram in diagrams for trace in diagram.traces]
    ticks = [tick for diagram in diagrams for tick in diagram.ticks]
    keys: list[Key] = []
    pairs = zip((True, False), names, (TRACE_OUT, TRACE_IN), strict=True)
    for is_outbound, name, colour in pairs:
        if any(trace.is_outbound is is_outbound for trace in traces):
            label = words(f"fig_trace_{diagrams[0].source}", direction=name)
            keys.append(Line2D([], [], color=colour, linewidth=0.8, label=label))
    if any(standing(trace) for trace in traces):
        keys.append(Line2D([], [], color=QUEUE, linewidth=2.5, label=words("fig_queue")))
    if any(diagram.wedges for diagram in diagrams):
        keys.append(Patch(fc=QUEUE, alpha=0.55, label=words("fig_wedge")))
    for is_outbound, name, colour in zip((True, False), names, (TICK_OUT, TICK_IN), strict=True):
        if any(tick.is_outbound is is_outbound for tick in ticks):
            label = words("fig_tick", direction=name)
            mark = Line2D([], [], color=colour, marker="|", markersize=7, linestyle="none")
            mark.set_label(label)
            keys.append(mark)
    return keys


def _slack(diagrams: Sequence[TimeSpace], words: Words) -> list[Key]:
    if not any(sum(row.slack_s) >= LEAST_SLACK_S for row in _rows(diagrams)):
        return []
    mark = Line2D([], [], color=style.INK, linewidth=1.1, marker="$↔$", markersize=9)
    mark.set(linestyle="none", label=words("fig_slack"))
    return [mark]
