# SPDX-License-Identifier: Apache-2.0
"""Before and after 前后对比, seed by seed: never a bare percentage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lvbo.report.plots import style
from lvbo.report.values import BeforeAfter, Pairing
from lvbo.report.words import Words, short

LIFT = 0.19  # how far the two boxes of a pair lie from their common line
THICK = 0.28


def draw_before_after(ax: Axes, result: BeforeAfter, words: Words) -> None:
    """Draw two boxes per pairing: whiskers 5 to 95 %, a dot per seed, the mean as a diamond."""
    for k, pairing in enumerate(result.pairings):
        _draw_pair(ax, pairing, k)
        ax.annotate(
            pairing_text(pairing, words),
            (1, k),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    ax.set_yticks(range(len(result.pairings)), [short(p.label, 16) for p in result.pairings])
    ax.set_ylim(len(result.pairings) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=style.FAINT, lw=0.6)
    ax.set_axisbelow(True)
    style.write_title(ax, f"{result.title} ({result.unit})", "")


def write_key(ax: Axes, words: Words) -> None:
    """Write the legend of the whole figure once."""
    keys = [
        Patch(fc=style.BEFORE, alpha=0.55, label=words("word_before")),
        Patch(fc=style.AFTER, alpha=0.55, label=words("word_after")),
    ]
    legend = style.figure_of(ax).legend(handles=keys, loc="outside lower left", ncols=2)
    legend.set_title(words("fig_boxes_note"))
    legend.set_alignment("left")


def pairing_text(pairing: Pairing, words: Words) -> str:
    """Return the change with its interval and sample, as it stands beside the boxes."""
    numbers = (signed(100 * share) for share in (pairing.change, pairing.low, pairing.high))
    change, low, high = numbers
    return words("fig_change", change=change, low=low, high=high, n=len(pairing.before))


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign; a real minus, no sign on zero."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def _draw_pair(ax: Axes, pairing: Pairing, k: int) -> None:
    sides: tuple[tuple[Sequence[float], float, str], ...] = (
        (pairing.before, k - LIFT, style.BEFORE),
        (pairing.after, k + LIFT, style.AFTER),
    )
    for values, y, colour in sides:
        ax.bxp(
            [_box(values)],
            positions=[y],
            orientation="horizontal",
            widths=THICK,
            showfliers=False,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"fc": colour, "alpha": 0.45, "ec": style.INK, "lw": 0.7},
            medianprops={"color": style.INK, "lw": 1.4},
            whiskerprops={"color": style.INK, "lw": 0.7},
            capprops={"color": style.INK, "lw": 0.7},
        )
        ax.plot(values, [y] * len(values), "o", ms=3, mfc=style.INK, mec="none", alpha=0.55)
        ax.plot(sum(values) / len(values), y, "D", ms=5, mfc=style.PAPER, mec=style.INK, mew=0.9)
    for pair in zip(pairing.before, pairing.after, strict=True):
        ax.plot(pair, [k - LIFT, k + LIFT], color=style.SOFT, lw=0.4, alpha=0.7, zorder=1)


def _box(values: Sequence[float]) -> dict[str, float]:
    names = ("whislo", "q1", "med", "q3", "whishi")
    places = np.percentile(values, (5, 25, 50, 75, 95))
    return dict(zip(names, map(float, places), strict=True))
