# SPDX-License-Identifier: Apache-2.0
"""Delay against stops 延误-停车权衡图: the ways to run one period that no other beats."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lvbo.report.plots import style
from lvbo.report.values import CurvePoint, TradeCurve
from lvbo.report.words import Words

MARKS = {"none": ("o", style.BLUE), "soft": ("s", style.GREEN), "hard": ("D", style.PINK)}
PLAIN = ("o", style.BLUE)
CLOSE = 0.03


def draw_trade_off(ax: Axes, curve: TradeCurve, words: Words) -> None:
    """Draw the points by number; the key says what each is. A ring marks the chosen one."""
    handles: list[Line2D] = []
    for number, point in enumerate(curve.points, start=1):
        before = [p for p in curve.points[: number - 1] if _close(p, point, curve)]
        handles.append(_mark(ax, point, str(number), len(before)))
        if point.chosen:
            ax.plot(
                point.delay_vehh, point.stops, "o", ms=19, mfc="none", mec=style.VERMILION, mew=2
            )
    if curve.before is not None:
        (handle,) = ax.plot(
            curve.before.delay_vehh,
            curve.before.stops,
            "X",
            ms=11,
            color=style.BEFORE,
            ls="none",
            label=curve.before.label,
        )
        handles.append(handle)
    ring = Line2D(
        [], [], marker="o", ms=12, mfc="none", mec=style.VERMILION, mew=2, ls="none",
        label=words("fig_trade_chosen"),
    )  # fmt: skip
    ax.margins(0.12)
    ax.set_xlabel(words("fig_trade_delay"))
    ax.set_ylabel(words("fig_trade_stops"))
    ax.grid(color=style.FAINT, lw=0.6)
    style.write_title(ax, curve.title, curve.subtitle)
    legend = style.figure_of(ax).legend(handles=[*handles, ring], loc="outside lower left", ncols=1)
    legend.set_alignment("left")


def _close(a: CurvePoint, b: CurvePoint, curve: TradeCurve) -> bool:
    """Say whether two points would cover each other."""
    delays = [p.delay_vehh for p in curve.points]
    stops = [p.stops for p in curve.points]
    wide, high = max(delays) - min(delays), max(stops) - min(stops)
    near = abs(a.delay_vehh - b.delay_vehh) <= CLOSE * wide
    return near and abs(a.stops - b.stops) <= CLOSE * high


def _mark(ax: Axes, point: CurvePoint, number: str, covered: int) -> Line2D:
    shape, colour = MARKS.get(point.kind, PLAIN)
    (handle,) = ax.plot(
        point.delay_vehh,
        point.stops,
        shape,
        ms=12,
        mfc=colour,
        mec=style.INK,
        mew=0.6,
        ls="none",
        zorder=4,
        label=f"{number}  {point.label}",
    )
    ax.annotate(
        number,
        (point.delay_vehh, point.stops),
        xytext=(0, 0) if not covered else (13 * covered, 10),
        textcoords="offset points",
        ha="center",
        va="center_baseline",
        fontsize=8,
        color=style.INK if covered else style.PAPER,
        zorder=5,
    )
    return handle
