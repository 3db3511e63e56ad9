# SPDX-License-Identifier: Apache-2.0
"""The map of what changes 延误变化图: links by how much less or more delay they have.

Blue falls, vermilion grows; widths and written values say the same without colour.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patches import Polygon as Shape

from lvbo.report.plots import style
from lvbo.report.plots.los_map import along, aside, write_names
from lvbo.report.values import ChangeLink, ChangeMap
from lvbo.report.words import Words

UNKNOWN = "#C3CBCE"
SAME = "#E4E8E9"
FALLS, FALLS_MUCH = style.SKY, style.BLUE
GROWS, GROWS_MUCH = style.ORANGE, style.VERMILION
WIDTHS = {UNKNOWN: 0.004, SAME: 0.007, FALLS: 0.010, GROWS: 0.010}
WIDEST = 0.016
GAP_SHARE = 0.003
LABELS = 10
LABEL_AT = 0.3
"""Values stand near the start of a link, names near its end: opposite links do not collide."""


def draw_changes(ax: Axes, changes: ChangeMap, words: Words) -> None:
    """Draw links beside their centre line, on the side traffic drives on; signals as discs."""
    points = np.asarray([point for link in changes.links for point in link.shape])
    size = float(np.hypot(*np.ptp(points, axis=0))) or 1.0
    some, much = _steps(changes)
    side = -1.0 if changes.left_hand else 1.0
    told = _told(changes, some)
    for link in changes.links:
        colour = _colour(link.change_vehh, some, much)
        width = size * WIDTHS.get(colour, WIDEST)
        gap = side * size * GAP_SHARE
        inner, outer = aside(link.shape, gap), aside(link.shape, gap + side * width)
        outline = np.vstack([inner, outer[::-1]])
        ax.add_patch(Shape(outline, fc=colour, ec=style.SOFT, lw=0.3, zorder=2))
        ax.update_datalim(outline)
        if link in told and link.change_vehh is not None:
            at = along(aside(link.shape, gap + side * width / 2), LABEL_AT)
            _write(ax, at, _signed(link.change_vehh), colour)
    for x, y, _ in changes.discs:
        ax.plot(x, y, "o", ms=7, mfc=style.PAPER, mec=style.INK, mew=1.1, zorder=5)
    write_names(ax, changes.discs, size, above_pt=7)
    ax.set_aspect("equal", adjustable="datalim")
    ax.axis("off")
    ax.margins(0.04)
    ax.autoscale_view()
    style.write_title(ax, changes.title, changes.subtitle)
    _write_legend(ax, some, much, words)


def _steps(changes: ChangeMap) -> tuple[float, float]:
    """Return what counts as a change and as a large one, veh-h per hour, in round numbers."""
    most = max((abs(c.change_vehh) for c in changes.links if c.change_vehh is not None), default=0)
    much = _round(max(most, 0.1) / 3)
    return much / 5, much


def _round(value: float) -> float:
    """Return the nearest of 1, 2, 5 times a power of ten below a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def _told(changes: ChangeMap, some: float) -> list[ChangeLink]:
    """Return the links whose change is written beside them."""
    large = [c for c in changes.links if c.change_vehh is not None and abs(c.change_vehh) >= some]
    return sorted(large, key=lambda c: -abs(c.change_vehh or 0.0))[:LABELS]


def _colour(change: float | None, some: float, much: float) -> str:
    if change is None:
        return UNKNOWN
    if abs(change) < some:
        return SAME
    if change < 0:
        return FALLS_MUCH if -change >= much else FALLS
    return GROWS_MUCH if change >= much else GROWS


def _write(ax: Axes, at: tuple[float, float], text: str, colour: str) -> None:
    ax.text(
        *at,
        text,
        ha="center",
        va="center",
        fontsize=7,
        color=style.INK,
        zorder=8,
        bbox={"boxstyle": "round,pad=0.15", "fc": style.PAPER, "ec": colour, "lw": 1.0},
    )


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _write_legend(ax: Axes, some: float, much: float, words: Words) -> None:
    keys = [
        Patch(color=FALLS_MUCH, label=words("fig_falls", least=f"{much:g}")),
        Patch(color=FALLS, label=words("fig_falls", least=f"{some:g}")),
        Patch(color=SAME, label=words("fig_hardly", most=f"{some:g}")),
        Patch(color=GROWS, label=words("fig_grows", least=f"{some:g}")),
        Patch(color=GROWS_MUCH, label=words("fig_grows", least=f"{much:g}")),
        Patch(color=UNKNOWN, label=words("fig_los_unknown")),
    ]
    legend = style.figure_of(ax).legend(handles=keys, loc="outside lower left", ncols=3)
    legend.set_title(words("fig_change_note"))
    legend.set_alignment("left")
