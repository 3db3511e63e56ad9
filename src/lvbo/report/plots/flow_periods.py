# SPDX-License-Identifier: Apache-2.0
"""Flow over the day with the periods behind it 流量-时段图, and the cycle of each period."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from lvbo.report.plots import style
from lvbo.report.values import FlowDay, PeriodSpan
from lvbo.report.words import Words
from lvbo.signal.schedule import DAY_S

BACKGROUNDS = ("#E8F1F6", "#FBF3E2", "#EAF5F1", "#F6ECF2", "#EFF2F3")
HOUR_S = 3600


def draw_flow(ax: Axes, flow: FlowDay, words: Words) -> None:
    """Draw thin lines per day, the median thick, the span from 15 to 85 % as a ribbon."""
    slot_s = float(flow.starts_s[1] - flow.starts_s[0])
    edges = np.append(flow.starts_s, flow.starts_s[-1] + slot_s)
    middles = flow.starts_s + slot_s / 2
    low, median, high = np.nanpercentile(flow.flow_vph, [15, 50, 85], axis=0)
    _shade(ax, flow, named=True)
    for day in flow.flow_vph:
        ax.plot(middles, day, color=style.SOFT, lw=0.5, alpha=0.55, zorder=2)
    ax.fill_between(middles, low, high, color=style.SKY, alpha=0.4, lw=0, zorder=3)
    ax.plot(middles, median, color=style.BLUE, lw=2.0, zorder=4)
    ax.plot([], [], color=style.SOFT, lw=0.7, label=words("fig_each_day", n=len(flow.flow_vph)))
    ax.plot([], [], color=style.BLUE, lw=2.0, label=words("fig_median_day"))
    ax.fill_between([], [], color=style.SKY, alpha=0.4, label=words("fig_ribbon"))
    ax.set_xlim(float(edges[0]), float(edges[-1]))
    ax.set_ylim(0, 1.16 * float(np.nanmax(flow.flow_vph)))
    ax.set_ylabel(words("fig_flow"))
    _hours(ax)
    style.write_title(ax, flow.title, flow.subtitle)
    handles, labels = ax.get_legend_handles_labels()
    style.figure_of(ax).legend(handles, labels, loc="outside lower left", ncols=3)


def draw_cycles(ax: Axes, flow: FlowDay, words: Words) -> None:
    """Draw the cycle of each period as a step line, below the flow and on the same hours."""
    _shade(ax, flow, named=False)
    known = [span for span in flow.periods if span.cycle_s is not None]
    for span in known:
        cycle = span.cycle_s or 0.0
        ax.plot([span.start_s, span.end_s], [cycle, cycle], color=style.VERMILION, lw=2.0)
        middle = (span.start_s + span.end_s) / 2
        ax.annotate(
            f"{cycle:g}",
            (middle, cycle),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
        )
    for left, right in pairwise(known):
        ends = [left.cycle_s or 0.0, right.cycle_s or 0.0]
        ax.plot([right.start_s, right.start_s], ends, color=style.VERMILION, lw=0.8)
    ax.set_ylim(0, 1.35 * max((span.cycle_s or 0.0 for span in known), default=100.0))
    ax.set_ylabel(words("fig_cycle_s"))
    ax.set_xlabel(words("fig_time_of_day"))
    _hours(ax)


def _shade(ax: Axes, flow: FlowDay, *, named: bool) -> None:
    """Shade the periods; their names stand at the top, upright where the period is short."""
    names: dict[str, str] = {}
    for span in flow.periods:
        colour = names.setdefault(span.name, BACKGROUNDS[len(names) % len(BACKGROUNDS)])
        ax.axvspan(span.start_s, span.end_s, color=colour, lw=0, zorder=0)
        ax.axvline(span.start_s, color=style.FAINT, lw=0.8, zorder=1)
        if named:
            ax.text(
                (span.start_s + span.end_s) / 2,
                0.985,
                span.name,
                transform=ax.get_xaxis_transform(),
                ha="center",
                va="top",
                fontsize=7.5,
                rotation=0 if _fits(span) else 90,
                zorder=6,
                bbox={"boxstyle": "round,pad=0.12", "fc": colour, "ec": "none", "alpha": 0.8},
            )


def _fits(span: PeriodSpan) -> bool:
    """Say whether a name fits across its period: an em is about a quarter of an hour wide."""
    ems = sum(1.0 if ord(letter) > 0x2E7F else 0.55 for letter in span.name)
    return span.end_s - span.start_s > (0.28 * ems + 0.2) * HOUR_S


def _hours(ax: Axes) -> None:
    ax.xaxis.set_major_locator(MultipleLocator(2 * HOUR_S))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda second, _: _hour(second)))


def _hour(second: float) -> str:
    whole = round(second)
    return "24:00" if whole == DAY_S else f"{whole // HOUR_S % 24:02d}:{whole // 60 % 60:02d}"
