# SPDX-License-Identifier: Apache-2.0
"""The stage diagram 阶段图: a box per stage with what goes, and its seconds below."""

from __future__ import annotations

from math import cos, radians, sin

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from matplotlib.path import Path

from lvbo.report.plots import style
from lvbo.report.values import Arrow, StageCell, StageSheet
from lvbo.report.words import Words

ROAD_HALF = 0.16
REACH = 0.44
ZEBRA_AT = 0.27
STEP = 1.08  # from one box to the next
ROW_STEP = 1.78
PER_ROW = 5
Point = tuple[float, float]


def draw_stages(ax: Axes, sheet: StageSheet, words: Words) -> None:
    """Draw the stages of a plan in order, north up, and the cycle as the last box."""
    ax.set_aspect("equal")
    ax.axis("off")
    boxes = len(sheet.cells) + 1
    for k, cell in enumerate(sheet.cells):
        _draw_cell(ax, sheet, cell, _corner(k), words)
    _draw_end(ax, sheet, _corner(boxes - 1), words)
    ax.set_xlim(-0.04, min(boxes, PER_ROW) * STEP)
    ax.set_ylim(-1.02 - (boxes - 1) // PER_ROW * ROW_STEP, 0.72)
    style.write_title(ax, sheet.title, sheet.subtitle)


def _corner(k: int) -> Point:
    """Return where box k stands: its left edge, and the height of its zero line."""
    return k % PER_ROW * STEP, -(k // PER_ROW) * ROW_STEP


def _draw_cell(ax: Axes, sheet: StageSheet, cell: StageCell, corner: Point, words: Words) -> None:
    left, base = corner
    _box(ax, corner, 1.0)
    ax.text(left + 0.05, base + 0.62, cell.name, fontsize=9, va="center")
    centre = (left + 0.5, base + 0.02)
    for bearing in sheet.legs_deg:
        _draw_leg(ax, centre, bearing)
    ax.add_patch(Circle(centre, 1.3 * ROAD_HALF, fc=style.FAINT, ec="none", zorder=2))
    for bearing in cell.zebras_deg:
        _draw_zebra(ax, centre, bearing)
    for arrow in cell.arrows:
        _draw_arrow(ax, centre, arrow, left_hand=sheet.left_hand)
    _write_seconds(ax, cell, corner, words)


def _box(ax: Axes, corner: Point, width: float) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (corner[0] + 0.02, corner[1] - 0.98),
            width - 0.04,
            1.66,
            boxstyle="round,pad=0.02,rounding_size=0.04",
            fc=style.PAPER,
            ec=style.FAINT,
            lw=1.0,
            zorder=0,
        )
    )


def _unit(bearing_deg: float) -> Point:
    return sin(radians(bearing_deg)), cos(radians(bearing_deg))


def _at(centre: Point, along: Point, distance: float, aside: float) -> Point:
    """Return the point `distance` out along a leg and `aside` to the right of looking out."""
    return (
        centre[0] + along[0] * distance + along[1] * aside,
        centre[1] + along[1] * distance - along[0] * aside,
    )


def _draw_leg(ax: Axes, centre: Point, bearing: float) -> None:
    along = _unit(bearing)
    sides = ((0.0, -1), (REACH, -1), (REACH, 1), (0.0, 1))
    corners = [_at(centre, along, d, side * ROAD_HALF) for d, side in sides]
    ax.add_patch(Polygon(corners, fc=style.FAINT, ec="none", zorder=1))
    ends = (_at(centre, along, 1.3 * ROAD_HALF + 0.02, 0), _at(centre, along, REACH, 0))
    ax.plot(*zip(*ends, strict=True), color=style.PAPER, lw=1.0, zorder=2)


def _draw_zebra(ax: Axes, centre: Point, bearing: float) -> None:
    along, bars = _unit(bearing), 6
    for k in range(bars):
        aside = ROAD_HALF * (-1 + 2 * (k + 0.25) / bars)
        wide = ROAD_HALF / bars
        ends = ((-0.045, 0.0), (0.045, 0.0), (0.045, wide), (-0.045, wide))
        corners = [_at(centre, along, ZEBRA_AT + d, aside + w) for d, w in ends]
        ax.add_patch(Polygon(corners, fc=style.BLUE, ec="none", zorder=3))


def _draw_arrow(ax: Axes, centre: Point, arrow: Arrow, *, left_hand: bool) -> None:
    """Draw a movement from its leg to the other; traffic keeps to its side of each leg."""
    side = 1.0 if left_hand else -1.0
    turn = (arrow.to_deg - arrow.from_deg) % 360
    lane = 0.045 if turn > 225 or turn < 10 else 0.12 if turn < 135 else 0.08
    if left_hand:
        lane = 0.165 - lane
    start = _at(centre, _unit(arrow.from_deg), REACH - 0.02, side * lane)
    inner = _at(centre, _unit(arrow.from_deg), 0.12, side * lane)
    outer = _at(centre, _unit(arrow.to_deg), 0.12, -side * lane)
    end = _at(centre, _unit(arrow.to_deg), REACH - 0.07, -side * lane)
    path = Path([start, inner, outer, end], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    ax.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>,head_length=4.5,head_width=2.4",
            lw=1.6,
            color=style.INK,
            linestyle=(0, (2.2, 1.4)) if arrow.yields else "solid",
            zorder=5,
        )
    )


def _write_seconds(ax: Axes, cell: StageCell, corner: Point, words: Words) -> None:
    left, base = corner
    parts = (
        ("fig_short_green", cell.green_s, style.LAMP_GREEN),
        ("fig_short_flash", cell.flash_s, style.LAMP_GREEN),
        ("fig_short_yellow", cell.yellow_s, style.LAMP_YELLOW),
        ("fig_short_all_red", cell.all_red_s, style.LAMP_RED),
    )
    for k, (key, seconds, colour) in enumerate(parts):
        x = left + 0.14 + 0.24 * k
        ax.text(
            x, base - 0.52, words(key), ha="center", va="center", fontsize=6.2, color=style.SOFT
        )
        ax.text(x, base - 0.65, f"{seconds:g}", ha="center", va="center", fontsize=8.5)
        bar = Rectangle((x - 0.1, base - 0.765), 0.2, 0.035, fc=colour, ec="none", zorder=3)
        if key == "fig_short_flash":
            bar.set(fc=style.PAPER, ec=colour, hatch="||||", linewidth=0)
            bar.set_edgecolor(colour)
        ax.add_patch(bar)
    total = words("fig_stage_total", seconds=f"{cell.length_s:g}")
    ax.text(left + 0.5, base - 0.88, total, ha="center", va="center", fontsize=8)


def _draw_end(ax: Axes, sheet: StageSheet, corner: Point, words: Words) -> None:
    left, base = corner
    _box(ax, corner, 0.7)
    lines = (
        (words("fig_cycle"), f"{sheet.cycle_s:g} s"),
        (words("fig_offset"), f"{sheet.offset_s:g} s"),
    )
    for k, (name, value) in enumerate(lines):
        y = base + 0.2 - 0.55 * k
        ax.text(left + 0.35, y, name, ha="center", fontsize=8, color=style.SOFT)
        ax.text(left + 0.35, y - 0.16, value, ha="center", fontsize=11)
