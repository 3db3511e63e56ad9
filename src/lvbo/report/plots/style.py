# SPDX-License-Identifier: Apache-2.0
"""Colours, the Chinese typeface, and writing a drawing to SVG and PNG.

Colours are the set of Okabe and Ito (2008), told apart by colour-blind readers too. Lamp colours
are used for lamps and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lvbo.errors import UsageError
from lvbo.report.words import short

BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
YELLOW = "#F0E442"
PINK = "#CC79A7"
VERMILION = "#D55E00"
DARK_RED = "#8B1A1A"

INK = "#202D30"
SOFT = "#5B6B70"
FAINT = "#D5DCDE"
PAPER = "#FFFFFF"

LAMP_GREEN = "#2FA84F"
LAMP_YELLOW = "#F2C200"
LAMP_RED = "#D8413A"
LAMP_RED_AMBER = "#E8833A"
LAMP_OFF = "#9AA5A8"

OUTBOUND = BLUE
INBOUND = ORANGE
BEFORE = "#8A979B"
AFTER = BLUE

CM = 1 / 2.54
DOTS_PER_INCH = 160

_SETTINGS: Any = {
    "font.size": 9.0,
    "axes.titlesize": 11.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "lvbo",
    "path.simplify": True,
}


@cache
def family() -> str:
    """Register the Chinese font of its package with matplotlib; return its family name."""
    import pylopdf_fonts_zh_cn

    path = pylopdf_fonts_zh_cn.sans_path()
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style inside the block; the reader's own settings come back after it.

    Text is laid out when it is drawn, so a figure must be saved inside the block too.
    """
    with mpl.rc_context({**_SETTINGS, "font.family": [family(), "DejaVu Sans"]}):
        yield


def draw_figure(width_cm: float, height_cm: float, draw: Callable[[Figure], None]) -> Drawing:
    """Draw a figure of this size in the house style and return it as SVG and PNG."""
    with house_style():
        figure = Figure(figsize=(width_cm * CM, height_cm * CM), layout="constrained")
        draw(figure)
        return Drawing(svg=_saved(figure, "svg").decode("utf-8"), png=_saved(figure, "png"))


class Drawing:
    """One finished figure, as SVG text and as PNG bytes."""

    __slots__ = ("png", "svg")

    def __init__(self, *, svg: str, png: bytes) -> None:
        self.svg = svg
        self.png = png

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write `stem`.svg and `stem`.png; return both paths."""
        svg, png = stem.with_name(stem.name + ".svg"), stem.with_name(stem.name + ".png")
        svg.write_text(self.svg, encoding="utf-8")
        png.write_bytes(self.png)
        return svg, png


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that holds the axes."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise UsageError("LV671")
    return figure


def write_title(ax: Axes, title: str, subtitle: str) -> None:
    """Write the header of a figure: what and where, then period, plan and dates below."""
    ax.set_title(short(title, 48), loc="left", pad=24 if subtitle else 10, color=INK)
    ax.annotate(
        subtitle,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 9),
        textcoords="offset points",
        fontsize=8,
        color=SOFT,
    )


def _saved(figure: Figure, kind: str) -> bytes:
    buffer = BytesIO()
    stamp = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=stamp)
    return buffer.getvalue()
