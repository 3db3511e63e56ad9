# SPDX-License-Identifier: Apache-2.0
"""The time-space diagram 时距图: greens, bands and vehicles along one street."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from lvbo.report.plots import style
from lvbo.report.values import BandStrip, Green, SignalRow, Spacing, TimeSpace, Trace
from lvbo.report.words import MPS_TO_KMH, Words, short

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array

BAR_SHARE = 0.014  # thickness of one lamp bar, as a share of the drawn length of the street
CARD_SHARE = 0.062  # least distance between two cards in the gutter, same unit
LEAST_LINK_SHARE = 0.09
TRACE_OUT = "#00395C"
TRACE_IN = "#7A4300"
QUEUE = "#8E1B5A"
STANDING_MPS = 5 / 3.6
"""Slower vehicles stand in a queue."""
LEAST_SLACK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a time and a place lie on paper, whichever of them runs along x."""

    ax: Axes
    places: tuple[float, ...]
    drawn: tuple[float, ...]
    swapped: bool

    @property
    def length(self) -> float:
        return self.drawn[-1] - self.drawn[0]

    def put(self, times: Numbers, places: Numbers) -> Array:
        """Return points, shape (n, 2), for times in s and places already on the drawn scale."""
        pair = (places, times) if self.swapped else (times, places)
        return np.column_stack(pair)

    def scaled(self, places_m: Numbers) -> Array:
        """Return places on the drawn scale; beyond the end signals the scale goes on."""
        inner = np.interp(places_m, self.places, self.drawn)
        over = np.clip(np.asarray(places_m) - self.places[-1], 0, None)
        under = np.clip(np.asarray(places_m) - self.places[0], None, 0)
        return np.asarray(inner + over + under)

    def box(self, begin_s: float, end_s: float, low: float, high: float) -> Array:
        return self.put([begin_s, end_s, end_s, begin_s], [low, low, high, high])


def draw_timespace(
    ax: Axes,
    diagram: TimeSpace,
    words: Words,
    *,
    spacing: Spacing = Spacing.HYBRID,
    swapped: bool = False,
) -> None:
    """Draw a time-space diagram on `ax`: time along x and distance along y, or swapped."""
    places = tuple(row.at_m for row in diagram.signals)
    frame = _Frame(ax, places, _drawn_places(places, spacing), swapped)
    _set_axes(frame, diagram, words)
    for strip in diagram.bands:
        _draw_band(frame, diagram, strip)
    _draw_traces(frame, diagram.traces)
    _draw_queues(frame, diagram.traces)
    for row, y in zip(diagram.signals, frame.drawn, strict=True):
        _draw_lamps(frame, diagram, row, y)
    _draw_slack(frame, diagram)
    for strip in diagram.bands:
        _label_band(frame, diagram, strip, words)
    _write_cards(frame, diagram, words)
    if not swapped:
        _write_links(frame, diagram)
    _write_legend(ax, diagram, words, swapped=swapped)


def _drawn_places(places: Sequence[float], spacing: Spacing) -> tuple[float, ...]:
    gaps = np.diff(places)
    if spacing is Spacing.EQUAL:
        gaps = np.full(len(gaps), gaps.sum() / len(gaps))
    if spacing is Spacing.HYBRID:
        gaps = np.maximum(gaps, LEAST_LINK_SHARE * gaps.sum())
    return tuple(float(x) for x in np.concatenate([[0.0], np.cumsum(gaps)]))


def _set_axes(frame: _Frame, diagram: TimeSpace, words: Words) -> None:
    ax, margin = frame.ax, 0.06 * frame.length
    limits = (frame.drawn[0] - margin, frame.drawn[-1] + margin)
    time, place = (ax.yaxis, ax.xaxis) if frame.swapped else (ax.xaxis, ax.yaxis)
    (ax.set_ylim if frame.swapped else ax.set_xlim)(diagram.begin_s, diagram.end_s)
    (ax.set_xlim if frame.swapped else ax.set_ylim)(*limits)
    time.set_major_locator(MultipleLocator(_tick_s(diagram.end_s - diagram.begin_s)))
    time.set_major_formatter(FuncFormatter(lambda second, _: _hms(second)))
    time.set_label_text(words("fig_time_of_day"))
    place.set_ticks([])
    ax.spines["bottom" if frame.swapped else "left"].set_visible(False)
    style.write_title(ax, diagram.title, diagram.subtitle)


def _tick_s(span_s: float) -> float:
    return next((step for step in (10, 20, 30, 60, 120, 300) if span_s <= 10 * step), 600)


def _hms(second: float) -> str:
    whole = round(second) % 86_400
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _draw_lamps(frame: _Frame, diagram: TimeSpace, row: SignalRow, y: float) -> None:
    thick = BAR_SHARE * frame.length
    sides = ((row.outbound, y, y + thick), (row.inbound, y - thick, y))
    for greens, low, high in sides:
        red = frame.box(diagram.begin_s, diagram.end_s, low, high)
        _fill(frame, [red], style.LAMP_RED, 4)
        shown = list(_shown(greens, row.cycle_s, diagram))
        _fill(frame, [frame.box(a, b, low, high) for _, _, a, b in shown], style.LAMP_YELLOW, 5)
        steady = [frame.box(a, b, low, high) for a, b, _, _ in shown]
        _fill(frame, steady, style.LAMP_GREEN, 5)
        flashes = _flashes(greens, row.cycle_s, diagram)
        dark = [frame.box(a, b, low, high) for a, b in flashes]
        _fill(frame, dark, style.PAPER, 6)
    edge = frame.put([diagram.begin_s, diagram.end_s], [y, y])
    frame.ax.plot(edge[:, 0], edge[:, 1], color=style.INK, linewidth=0.5, zorder=7)


def _starts(start_s: float, cycle_s: float, diagram: TimeSpace) -> Iterable[float]:
    first = floor((diagram.begin_s - start_s) / cycle_s) - 1
    last = ceil((diagram.end_s - start_s) / cycle_s)
    return (start_s + k * cycle_s for k in range(first, last + 1))


def _shown(
    greens: Iterable[Green], cycle_s: float, diagram: TimeSpace
) -> Iterable[tuple[float, float, float, float]]:
    """Return begin and end of green, begin and end of yellow, cut to the drawn span."""
    low, high = diagram.begin_s, diagram.end_s
    for green in greens:
        for start in _starts(green.start_s, cycle_s, diagram):
            end = start + green.length_s
            times = (start, end, end, end + green.yellow_s)
            if times[3] > low and start < high:
                a, b, c, d = (min(max(t, low), high) for t in times)
                yield a, b, c, d


def _flashes(
    greens: Iterable[Green], cycle_s: float, diagram: TimeSpace
) -> Iterable[tuple[float, float]]:
    """Return the dark halves of each flashing second at the end of each green."""
    low, high = diagram.begin_s, diagram.end_s
    for green in greens:
        for start in _starts(green.start_s, cycle_s, diagram):
            end = start + green.length_s
            for k in range(round(green.flash_s)):
                a, b = max(end - green.flash_s + k, low), min(end - green.flash_s + k + 0.55, high)
                if a < b:
                    yield a, b


def _fill(frame: _Frame, boxes: Sequence[Array], colour: str, layer: float) -> None:
    if boxes:
        shapes = PolyCollection(boxes, facecolors=colour, edgecolors="none", zorder=layer)
        frame.ax.add_collection(shapes, autolim=False)


def _colour(strip: BandStrip) -> str:
    return style.OUTBOUND if strip.is_outbound else style.INBOUND


def _repeats(strip: BandStrip, diagram: TimeSpace) -> range:
    low, high = min(strip.fronts_s), max(strip.fronts_s) + strip.width_s
    first = floor((diagram.begin_s - high) / strip.cycle_s) + 1
    return range(first, ceil((diagram.end_s - low) / strip.cycle_s))


def _draw_band(frame: _Frame, diagram: TimeSpace, strip: BandStrip) -> None:
    if strip.width_s <= 0:
        return
    heights = np.asarray(frame.drawn[strip.first : strip.first + len(strip.fronts_s)])
    whole = len(strip.fronts_s) == len(diagram.signals)
    outlines, edges = [], []
    for k in _repeats(strip, diagram):
        fronts = np.asarray(strip.fronts_s) + k * strip.cycle_s
        front, back = frame.put(fronts, heights), frame.put(fronts + strip.width_s, heights)
        outlines.append(np.concatenate([front, back[::-1]]))
        edges += [front, back]
    colour, faded = _colour(strip), 1.0 if whole else 0.55
    fill = PolyCollection(
        outlines, facecolors=colour, edgecolors="none", alpha=0.24 * faded, zorder=1
    )
    lines = LineCollection(edges, colors=colour, linewidths=0.9, alpha=0.9 * faded, zorder=2)
    frame.ax.add_collection(fill, autolim=False)
    frame.ax.add_collection(lines, autolim=False)


def _draw_traces(frame: _Frame, traces: Iterable[Trace]) -> None:
    for is_outbound, colour in ((True, TRACE_OUT), (False, TRACE_IN)):
        lines = [
            frame.put(trace.times_s, frame.scaled(trace.places_m))
            for trace in traces
            if trace.is_outbound is is_outbound and len(trace.times_s) > 1
        ]
        drawn = LineCollection(lines, colors=colour, linewidths=0.45, alpha=0.65, zorder=8)
        frame.ax.add_collection(drawn, autolim=False)


def standing(trace: Trace) -> list[tuple[float, float, float]]:
    """Return begin, end in s and place in m of each time a vehicle stands."""
    times, places = np.asarray(trace.times_s), np.asarray(trace.places_m)
    slow = np.abs(np.diff(places)) < STANDING_MPS * np.diff(times)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], slow.astype(int), [0]))))
    return [
        (float(times[a]), float(times[b]), float(places[b]))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _draw_queues(frame: _Frame, traces: Iterable[Trace]) -> None:
    """Draw standing vehicles; those of one queue lie side by side as a wedge."""
    lines = [
        frame.put([begin, end], frame.scaled([place, place]))
        for trace in traces
        for begin, end, place in standing(trace)
    ]
    drawn = LineCollection(lines, colors=QUEUE, linewidths=1.3, alpha=0.8, zorder=3.5)
    frame.ax.add_collection(drawn, autolim=False)


def slack_s(row: SignalRow, bands: Iterable[tuple[BandStrip, float]]) -> tuple[float, float]:
    """Return how much earlier and later a signal may turn green and keep these bands, s.

    Bands come with the time of their front at the signal; (0, 0) where one does not fit a green.
    """
    earlier = later = row.cycle_s
    for strip, front_s in bands:
        greens = row.outbound if strip.is_outbound else row.inbound
        before = [(front_s - green.start_s) % row.cycle_s for green in greens]
        rooms = [
            (green.length_s - lead - strip.width_s, lead)
            for green, lead in zip(greens, before, strict=True)
        ]
        after, lead = max(rooms, key=min, default=(0.0, 0.0))
        earlier, later = min(earlier, max(0.0, after)), min(later, max(0.0, lead))
    return earlier, later


def _draw_slack(frame: _Frame, diagram: TimeSpace) -> None:
    """Draw, at one green start of each signal, how far it may move and keep the bands."""
    for k, (row, y) in enumerate(zip(diagram.signals, frame.drawn, strict=True)):
        bands = [
            (strip, strip.fronts_s[k - strip.first])
            for strip in diagram.bands
            if strip.width_s > 0 and 0 <= k - strip.first < len(strip.fronts_s)
        ]
        earlier, later = slack_s(row, bands) if bands else (0.0, 0.0)
        middle = (diagram.begin_s + diagram.end_s) / 2
        starts = [green.start_s for green in row.outbound or row.inbound][:1]
        if earlier + later < LEAST_SLACK_S or not starts:
            continue
        at = min(_starts(starts[0], row.cycle_s, diagram), key=lambda t: abs(t - middle))
        begin, end = frame.put([at - earlier, at + later], [y, y])
        arrow = {"arrowstyle": "<->,head_width=0.11,head_length=0.13", "lw": 1.1}
        frame.ax.annotate(
            "",
            end,
            begin,
            arrowprops={**arrow, "color": style.INK, "shrinkA": 0, "shrinkB": 0},
            zorder=8.5,
        )


def band_label(strip: BandStrip, words: Words) -> str:
    """Return the words on a band: its width in s, its share of the cycle, its speed."""
    low, high = (round(MPS_TO_KMH * v) for v in (min(strip.speeds_mps), max(strip.speeds_mps)))
    speed = f"{low}" if low == high else f"{low}–{high}"
    share = 100 * strip.width_s / strip.cycle_s
    return words("fig_band_label", width=f"{strip.width_s:.0f}", share=f"{share:.0f}", speed=speed)


def _label_band(frame: _Frame, diagram: TimeSpace, strip: BandStrip, words: Words) -> None:
    """Write the label along the widest link of the repeat nearest to the middle."""
    if strip.width_s <= 0:
        return
    heights = frame.drawn[strip.first : strip.first + len(strip.fronts_s)]
    link = int(np.argmax(np.diff(heights)))
    ends = [(strip.fronts_s[j] + strip.width_s / 2, heights[j]) for j in (link, link + 1)]
    time = (ends[0][0] + ends[1][0]) / 2
    middle = (diagram.begin_s + diagram.end_s) / 2 + (-0.5 if strip.is_outbound else 0.5) * (
        strip.cycle_s
    )
    shift = round((middle - time) / strip.cycle_s) * strip.cycle_s
    points = frame.put([t + shift for t, _ in ends], [h for _, h in ends])
    x, y = points.mean(axis=0)
    dx, dy = points[1] - points[0]
    frame.ax.text(
        x,
        y,
        band_label(strip, words),
        rotation=float(np.degrees(np.arctan2(dy, dx))) if dx >= 0 else _upright(dx, dy),
        rotation_mode="anchor",
        transform_rotates_text=True,
        ha="center",
        va="center",
        fontsize=7.5,
        zorder=9,
        bbox={"boxstyle": "round,pad=0.2", "fc": style.PAPER, "ec": "none", "alpha": 0.8},
    )


def _upright(dx: float, dy: float) -> float:
    return float(np.degrees(np.arctan2(-dy, -dx)))


def _spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return places at least `gap` apart, in order, near the wanted ones."""
    groups: list[list[float]] = []
    for k, place in enumerate(wanted):
        groups.append([place - k * gap, 1.0])
        while len(groups) > 1 and groups[-2][0] >= groups[-1][0]:
            mean, count = groups.pop()
            last = groups[-1]
            last[0] = (last[0] * last[1] + mean * count) / (last[1] + count)
            last[1] += count
    flat = [mean for mean, count in groups for _ in range(int(count))]
    return [mean + k * gap for k, mean in enumerate(flat)]


def _card(row: SignalRow, before: SignalRow | None, words: Words) -> str:
    name = short(row.name)
    line = words("fig_card", cycle=f"{row.cycle_s:g}", offset=f"{row.offset_s:g}")
    if before is None:
        return f"{name}\n{line}"
    relative = (row.offset_s - before.offset_s) % row.cycle_s
    return f"{name}\n{line}  {words('fig_card_relative', offset=f'{relative:g}')}"


def _write_cards(frame: _Frame, diagram: TimeSpace, words: Words) -> None:
    """Write name, cycle, absolute and relative offset of each signal beside its bars."""
    gap = CARD_SHARE * frame.length * (2.2 if frame.swapped else 1.0)
    shown = _spread(frame.drawn, gap)
    before: SignalRow | None = None
    for row, y, at in zip(diagram.signals, frame.drawn, shown, strict=True):
        _write_card(frame, _card(row, before, words), y, at)
        before = row


def _write_card(frame: _Frame, text: str, y: float, at: float) -> None:
    if frame.swapped:
        frame.ax.annotate(
            text.replace("  ", "\n"),
            (y, 0),
            xycoords=("data", "axes fraction"),
            xytext=(at, -0.035),
            textcoords=("data", "axes fraction"),
            ha="center",
            va="top",
            fontsize=7,
            linespacing=1.3,
            annotation_clip=False,
        )
        return
    frame.ax.annotate(
        text,
        (0, y),
        xycoords=("axes fraction", "data"),
        xytext=(-0.012, at),
        textcoords=("axes fraction", "data"),
        ha="right",
        va="center",
        fontsize=7.5,
        linespacing=1.35,
        annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": style.SOFT, "lw": 0.5, "shrinkA": 1, "shrinkB": 0},
    )


def _speeds(diagram: TimeSpace, link: int) -> str:
    """Return the band speeds on a link, outbound up and inbound down."""
    parts = []
    for arrow, is_outbound in (("↑", True), ("↓", False)):
        for strip in diagram.bands:
            if strip.is_outbound is is_outbound and 0 <= link - strip.first < len(strip.speeds_mps):
                parts.append(f"{arrow}{MPS_TO_KMH * strip.speeds_mps[link - strip.first]:.0f}")
                break
    return " ".join(parts)


def _write_links(frame: _Frame, diagram: TimeSpace) -> None:
    """Write length and band speeds of each link in the right gutter."""
    middles = [(a + b) / 2 for a, b in zip(frame.drawn, frame.drawn[1:], strict=False)]
    for link, at in enumerate(middles):
        metres = diagram.signals[link + 1].at_m - diagram.signals[link].at_m
        speeds = _speeds(diagram, link)
        text = f"{metres:.0f} m"
        if speeds:
            text += f"\n{speeds} km/h"
        frame.ax.annotate(
            text,
            (1, at),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=7.5,
            color=style.SOFT,
            annotation_clip=False,
        )


def _write_legend(ax: Axes, diagram: TimeSpace, words: Words, *, swapped: bool) -> None:
    out, back = words.heading(diagram.outbound_heading), words.heading(diagram.inbound_heading)
    keys: list[Patch | Line2D] = [
        Patch(color=style.LAMP_GREEN, label=words("word_green")),
        Patch(fc=style.LAMP_GREEN, ec=style.PAPER, hatch="||||", label=words("word_green_flash")),
        Patch(color=style.LAMP_YELLOW, label=words("word_yellow")),
        Patch(color=style.LAMP_RED, label=words("word_red")),
    ]
    for is_outbound, name in ((True, out), (False, back)):
        if any(strip.is_outbound is is_outbound and strip.width_s > 0 for strip in diagram.bands):
            colour = style.OUTBOUND if is_outbound else style.INBOUND
            label = words("fig_band_of", direction=name)
            keys.append(Patch(fc=colour, ec=colour, alpha=0.4, label=label))
    for is_outbound, name, colour in ((True, out, TRACE_OUT), (False, back, TRACE_IN)):
        if any(trace.is_outbound is is_outbound for trace in diagram.traces):
            label = words("fig_trace_of", direction=name)
            keys.append(Line2D([], [], color=colour, linewidth=0.8, label=label))
    if any(standing(trace) for trace in diagram.traces):
        keys.append(Line2D([], [], color=QUEUE, linewidth=2.5, label=words("fig_queue")))
    if any(strip.width_s > 0 for strip in diagram.bands):
        mark = Line2D([], [], color=style.INK, linewidth=1.1, marker="$↔$", markersize=9)
        mark.set(linestyle="none", label=words("fig_slack"))
        keys.append(mark)
    legend = style.figure_of(ax).legend(handles=keys, loc="outside lower left", ncols=4)
    legend.set_in_layout(True)
    key = "fig_bars_note_swapped" if swapped else "fig_bars_note"
    note = words(key, outbound=out, inbound=back)
    legend.set_title(note, prop=FontProperties(size=8))
    legend.set_alignment("left")
