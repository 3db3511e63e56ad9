# SPDX-License-Identifier: Apache-2.0
"""The bars of a time-space diagram: what each signal shows to both directions, and its slack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lvbo.report.plots import style
from lvbo.report.plots.timespace.frame import Array, Frame, starts
from lvbo.report.values import Green, Shown, SignalRow, TimeSpace
from lvbo.signal.lamp import GOING, OFF, Lamp

BAR_CM = 0.22
LEAST_SLACK_S = 0.5
LIT_S = 0.55
"""In each second of a green flash the lamp is drawn dark for this long."""
LEFT_HATCH = "/////"


def draw_lamps(frame: Frame, diagram: TimeSpace, row: SignalRow, y: float) -> None:
    """Draw the two bars of a signal: the outbound one on the far side of its stop line."""
    thick = frame.units(BAR_CM)
    out, back = _Bar(frame, diagram, y, y + thick), _Bar(frame, diagram, y - thick, y)
    for bar, greens, lefts, shown, shown_left in (
        (out, row.outbound, row.left_outbound, row.shown_outbound, row.shown_left_outbound),
        (back, row.inbound, row.left_inbound, row.shown_inbound, row.shown_left_inbound),
    ):
        if shown:
            bar.draw_shown(shown)
            bar.hatch((s.begin_s, s.end_s) for s in shown_left if s.lamp in GOING)
        else:
            bar.draw_plan(greens, row.cycle_s)
            bar.draw_left(lefts, row.cycle_s)
    edge = frame.put([diagram.begin_s, diagram.end_s], [y, y])
    frame.ax.plot(edge[:, 0], edge[:, 1], color=style.INK, linewidth=0.5, zorder=7)


class _Bar:
    """One bar: a direction of one signal, between two drawn places."""

    def __init__(self, frame: Frame, diagram: TimeSpace, low: float, high: float) -> None:
        self.frame, self.diagram = frame, diagram
        self.low, self.high = low, high

    def boxes(self, spans: Iterable[tuple[float, float]]) -> list[Array]:
        """Return boxes for spans of time, cut to the diagram."""
        first, last = self.diagram.begin_s, self.diagram.end_s
        cut = ((max(a, first), min(b, last)) for a, b in spans)
        return [self.frame.box(a, b, self.low, self.high) for a, b in cut if a < b]

    def draw_plan(self, greens: Sequence[Green], cycle_s: float) -> None:
        """Draw what the plan shows; a direction without any green is grey: it is not controlled."""
        whole = self.boxes([(self.diagram.begin_s, self.diagram.end_s)])
        self.frame.fill(whole, style.LAMP_RED if greens else style.FAINT, 4)
        each = [(g, at) for g in greens for at in starts(g.start_s, cycle_s, self.diagram)]
        ends = [(g, at, at + g.length_s) for g, at in each]
        fill = self.frame.fill
        fill(self.boxes((b, b + g.yellow_s) for g, _, b in ends), style.LAMP_YELLOW, 5)
        fill(self.boxes((a, b) for _, a, b in ends), style.LAMP_GREEN, 5)
        trailing = ((a + g.least_s, b) for g, a, b in ends if g.least_s is not None)
        fill(self.boxes(trailing), style.LAMP_GREEN_TRAILING, 5.5)
        self._draw_flash((b - g.flash_s, b) for g, _, b in ends)

    def draw_shown(self, shown: Sequence[Shown]) -> None:
        """Draw what the lamps were."""
        self.frame.fill(self.boxes([(self.diagram.begin_s, self.diagram.end_s)]), style.LAMP_RED, 4)
        for lamp in {each.lamp for each in shown} - {Lamp.RED}:
            spans = [(each.begin_s, each.end_s) for each in shown if each.lamp is lamp]
            self.frame.fill(self.boxes(spans), _colour(lamp), 5)
        self._draw_flash((s.begin_s, s.end_s) for s in shown if s.is_flashing)

    def _draw_flash(self, spans: Iterable[tuple[float, float]]) -> None:
        dark = [
            (a + k, min(a + k + LIT_S, b)) for a, b in spans for k in range(max(0, round(b - a)))
        ]
        self.frame.fill(self.boxes(dark), style.PAPER, 6)

    def draw_left(self, lefts: Sequence[Green], cycle_s: float) -> None:
        """Hatch the time in which the left turn of the approach goes: before or after its green."""
        self.hatch(
            (at, at + g.length_s) for g in lefts for at in starts(g.start_s, cycle_s, self.diagram)
        )

    def hatch(self, spans: Iterable[tuple[float, float]]) -> None:
        """Hatch spans of time."""
        self.frame.hatch(self.boxes(spans), LEFT_HATCH, style.PAPER, 6.5)


def _colour(lamp: Lamp) -> str:
    if lamp in GOING:
        return style.LAMP_GREEN
    if lamp in OFF:
        return style.LAMP_OFF
    return style.LAMP_RED_AMBER if lamp is Lamp.RED_AMBER else style.LAMP_YELLOW


def draw_slack(frame: Frame, diagram: TimeSpace) -> None:
    """Draw, at one green start of each signal, how far it may move and keep the bands."""
    for row, y in zip(diagram.signals, frame.drawn, strict=True):
        earlier, later = row.slack_s
        middle = (diagram.begin_s + diagram.end_s) / 2
        greens = (row.outbound or row.inbound)[:1]
        if earlier + later < LEAST_SLACK_S or not greens:
            continue
        all_starts = starts(greens[0].start_s, row.cycle_s, diagram)
        at = min(all_starts, key=lambda t: abs(t - middle))
        begin, end = frame.put([at - earlier, at + later], [y, y])
        arrow = {"arrowstyle": "<->,head_width=0.11,head_length=0.13", "lw": 1.1}
        frame.ax.annotate(
            "",
            end,
            begin,
            arrowprops={**arrow, "color": style.INK, "shrinkA": 0, "shrinkB": 0},
            zorder=8.5,
        )
