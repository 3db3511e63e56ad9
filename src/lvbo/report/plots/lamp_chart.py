# SPDX-License-Identifier: Apache-2.0
"""The lamp chart 信号配时图: what each phase shows, second by second of the cycle."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from lvbo.report.plots import style
from lvbo.report.values import LampRow, StageSheet
from lvbo.report.words import Words, short
from lvbo.signal.lamp import GOING, OFF, Lamp

THICK = 0.62


def draw_lamps(ax: Axes, sheet: StageSheet, words: Words) -> None:
    """Draw one row per phase over one cycle, stage borders dotted; local second 0 at the left."""
    rows = sheet.rows
    for k, row in enumerate(rows):
        _draw_row(ax, row, k, sheet.cycle_s)
    for border in sheet.borders_s:
        ax.axvline(border, color=style.INK, lw=0.7, ls=(0, (1, 2)), zorder=6)
    ax.set_xlim(0, sheet.cycle_s)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks(range(len(rows)), [short(row.name, 14) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 2, 5, 10], integer=True))
    ax.set_xlabel(words("fig_second_in_cycle", offset=f"{sheet.offset_s:g}"))
    _write_legend(ax, rows, words)


def _colour(lamp: Lamp) -> str:
    if lamp in GOING:
        return style.LAMP_GREEN
    if lamp in OFF:
        return style.LAMP_OFF
    return style.LAMP_RED_AMBER if lamp is Lamp.RED_AMBER else style.LAMP_YELLOW


def _draw_row(ax: Axes, row: LampRow, k: int, cycle_s: float) -> None:
    box = (k - THICK / 2, THICK)
    ax.broken_barh([(0, cycle_s)], box, facecolors=style.LAMP_RED, zorder=1)
    for run in row.runs:
        ax.broken_barh([(run.start_s, run.length_s)], box, facecolors=_colour(run.lamp), zorder=2)
        if run.is_flashing:
            dark = [(run.start_s + j, min(0.5, run.length_s - j)) for j in range(int(run.length_s))]
            ax.broken_barh(dark, box, facecolors=style.PAPER, zorder=3)
        elif run.length_s >= 0.07 * cycle_s and run.lamp in GOING:
            middle = run.start_s + run.length_s / 2
            ax.text(
                middle,
                k,
                f"{run.length_s:g}",
                ha="center",
                va="center",
                color=style.PAPER,
                fontsize=7.5,
                zorder=5,
            )


def _write_legend(ax: Axes, rows: tuple[LampRow, ...], words: Words) -> None:
    shown = {run.lamp for row in rows for run in row.runs}
    keys = [
        Patch(color=style.LAMP_GREEN, label=words("word_green")),
        Patch(fc=style.LAMP_GREEN, ec=style.PAPER, hatch="||||", label=words("word_green_flash")),
        Patch(color=style.LAMP_YELLOW, label=words("word_yellow")),
        Patch(color=style.LAMP_RED, label=words("word_red")),
    ]
    if Lamp.RED_AMBER in shown:
        keys.append(Patch(color=style.LAMP_RED_AMBER, label=words("word_red_amber")))
    if shown & OFF:
        keys.append(Patch(color=style.LAMP_OFF, label=words("word_lamp_off")))
    style.figure_of(ax).legend(handles=keys, loc="outside lower left", ncols=6)
