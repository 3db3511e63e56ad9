# SPDX-License-Identifier: Apache-2.0
"""What each number of periods costs on days held out, and which number was taken."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lvbo.report.plots import style
from lvbo.report.values import PeriodCurve
from lvbo.report.words import Words


def draw_period_curve(ax: Axes, curve: PeriodCurve, words: Words) -> None:
    """Draw cost per number of periods with the error of its distance from the best, and the best.

    The smallest number whose error bar reaches the line of the best is taken.
    """
    ax.errorbar(
        curve.counts,
        curve.costs,
        yerr=curve.errors,
        color=style.BLUE,
        ecolor=style.SOFT,
        marker="o",
        ms=4,
        lw=1.4,
        capsize=2.5,
        label=words("fig_cost_and_error"),
    )
    ax.axhline(
        min(curve.costs), color=style.SOFT, lw=0.9, ls=(0, (4, 3)), label=words("fig_best_cost")
    )
    chosen = curve.counts.index(curve.chosen)
    ax.plot(
        curve.chosen,
        curve.costs[chosen],
        "o",
        ms=12,
        mfc="none",
        mec=style.VERMILION,
        mew=1.8,
        label=words("fig_chosen_periods", n=curve.chosen),
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(words("fig_period_count"))
    ax.set_ylabel(curve.unit)
    ax.grid(axis="y", color=style.FAINT, lw=0.6)
    style.write_title(ax, curve.title, "")
    ax.legend(loc="upper right")
