# SPDX-License-Identifier: Apache-2.0
"""The map of service levels 服务水平图: flow as width, control delay as colour and letter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patches import Polygon as Shape
from numpy.typing import NDArray

from lvbo.report.plots import style
from lvbo.report.values import LosLink, LosMap
from lvbo.report.words import Words, short, width_ems
from lvbo.timing.delay import level_of_service

LIMITS_S = ((10, "A"), (20, "B"), (35, "C"), (55, "D"), (80, "E"))
"""Upper ends of the levels, as `level_of_service` has them; for the legend only."""
COLOURS = {
    "A": style.GREEN,
    "B": style.SKY,
    "C": style.YELLOW,
    "D": style.ORANGE,
    "E": style.VERMILION,
    "F": style.DARK_RED,
}
UNKNOWN = "#C3CBCE"
WIDEST_SHARE = 0.020
THINNEST_SHARE = 0.005
GAP_SHARE = 0.003
MOST_NAMES_EMS = 10
EM_SHARE = 0.0145
"""How much of the map's diagonal a Chinese character of a name takes."""
NAME_PT, BELOW_PT = 7, -17
LEVEL_SHARE = 0.02
"""Names of places that differ less in height stand in one line."""

Array = NDArray[np.float64]


def draw_los(ax: Axes, los: LosMap, words: Words) -> None:
    """Draw links beside their centre line, on the side traffic drives on; signals as discs."""
    size = _size(los)
    most = max((link.flow_vph for link in los.links), default=1.0) or 1.0
    side = -1.0 if los.left_hand else 1.0
    for link in los.links:
        share = THINNEST_SHARE + (WIDEST_SHARE - THINNEST_SHARE) * link.flow_vph / most
        _draw_link(ax, link, size * share, size * GAP_SHARE, side)
    for x, y, _ in los.discs:
        ax.plot(x, y, "o", ms=9, mfc=style.PAPER, mec=style.INK, mew=1.2, zorder=5)
    write_names(ax, los.discs, size, above_pt=13)
    ax.set_aspect("equal", adjustable="datalim")
    ax.axis("off")
    ax.autoscale_view()
    style.write_title(ax, los.title, los.stamp)
    _write_legend(ax, most, words)


def write_names(
    ax: Axes, discs: Sequence[tuple[float, float, str]], size: float, *, above_pt: float
) -> None:
    """Write the names of signals above them, below where a name on the left would touch.

    `discs` are x, y in metres and the name, `size` the diagonal of the map in metres.
    """
    above: list[tuple[float, float]] = []
    for x, y, name in sorted(discs):
        if not name:
            continue
        text = short(name, MOST_NAMES_EMS)
        crowded = any(x < end and abs(y - at) < LEVEL_SHARE * size for end, at in above)
        if not crowded:
            above.append((x + EM_SHARE * size * width_ems(text), y))
        ax.annotate(
            text,
            (x, y),
            xytext=(5, BELOW_PT if crowded else above_pt),
            textcoords="offset points",
            fontsize=NAME_PT,
            zorder=7,
            bbox={"boxstyle": "round,pad=0.12", "fc": style.PAPER, "ec": "none", "alpha": 0.75},
        )


def _size(los: LosMap) -> float:
    points = np.asarray([point for link in los.links for point in link.shape])
    return float(np.hypot(*np.ptp(points, axis=0))) or 1.0


def aside(shape: Sequence[tuple[float, float]], distance: float) -> Array:
    """Return the line moved to the right of its direction by `distance` metres."""
    points = np.asarray(shape, dtype=float)
    steps = np.diff(points, axis=0)
    steps /= np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-9)[:, None]
    at = np.vstack([steps[:1], (steps[:-1] + steps[1:]) / 2, steps[-1:]])
    at /= np.maximum(np.hypot(at[:, 0], at[:, 1]), 1e-9)[:, None]
    return np.asarray(points + distance * np.column_stack([at[:, 1], -at[:, 0]]))


def _draw_link(ax: Axes, link: LosLink, width_m: float, gap_m: float, side: float) -> None:
    inner, outer = aside(link.shape, side * gap_m), aside(link.shape, side * (gap_m + width_m))
    letter = level_of_service(link.delay_s) if link.delay_s is not None else ""
    colour = COLOURS.get(letter, UNKNOWN)
    outline = np.vstack([inner, outer[::-1]])
    ax.add_patch(Shape(outline, fc=colour, ec=style.SOFT, lw=0.3, zorder=2))
    ax.update_datalim(outline)
    if not letter:
        return
    at = along(aside(link.shape, side * (gap_m + width_m / 2)), 0.5)
    ax.text(
        *at,
        letter,
        ha="center",
        va="center",
        fontsize=7,
        color=style.INK,
        zorder=6,
        bbox={"boxstyle": "circle,pad=0.18", "fc": style.PAPER, "ec": colour, "lw": 1.2},
    )


def along(points: Array, share: float) -> tuple[float, float]:
    """Return the point at a share of the length of a line."""
    steps = np.diff(points, axis=0)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    at = share * run[-1]
    return float(np.interp(at, run, points[:, 0])), float(np.interp(at, run, points[:, 1]))


def _write_legend(ax: Axes, most_vph: float, words: Words) -> None:
    keys = []
    low = 0
    for limit, letter in LIMITS_S:
        keys.append(Patch(color=COLOURS[letter], label=f"{letter}  {low:g}–{limit:g} s"))
        low = limit
    keys.append(Patch(color=COLOURS["F"], label=f"F  > {low:g} s"))
    keys.append(Patch(color=UNKNOWN, label=words("fig_los_unknown")))
    legend = style.figure_of(ax).legend(handles=keys, loc="outside lower left", ncols=4)
    legend.set_title(words("fig_los_note", most=f"{most_vph:.0f}"))
    legend.set_alignment("left")
