# SPDX-License-Identifier: Apache-2.0
"""Colours, the Chinese typeface, and writing a drawing to SVG and PNG.

Colours are the set of Okabe and Ito (2008), told apart by colour-blind readers too. Lamp colours
are used for lamps and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
LAMP_GREEN_TRAILING = "#79DE79"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure that can be drawn: its size in cm and what to draw on it."""

    width_cm: float
    height_cm: float
    draw: Callable[[Figure], None]

    def svg(self) -> str:
        """Return the figure as SVG; its text is outlines, so no font is needed to see it."""
        return self._saved("svg", {"Date": None, "Creator": None}).decode("utf-8")

    def png(self) -> bytes:
        """Return the figure as PNG."""
        return self._saved("png", {"Software": None})

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write `stem`.svg and `stem`.png; return both paths."""
        svg, png = stem.with_name(stem.name + ".svg"), stem.with_name(stem.name + ".png")
        svg.write_text(self.svg(), encoding="utf-8")
        png.write_bytes(self.png())
        return svg, png

    def _saved(self, kind: str, metadata: dict[str, None]) -> bytes:
        buffer = BytesIO()
        with house_style():
            size = (self.width_cm * CM, self.height_cm * CM)
            figure = Figure(figsize=size, layout="constrained")
            self.draw(figure)
            figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
        return buffer.getvalue()


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that holds the axes."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise UsageError("LV671")
    return figure


def write_title(ax: Axes, title: str, subtitle: str, *, lift_pt: float = 0.0) -> None:
    """Write the header of a figure: what and where, then period, plan and dates below.

    It stands `lift_pt` above where it would stand by itself.
    """
    pad = lift_pt + (24 if subtitle else 10)
    ax.set_title(short(title, 48), loc="left", pad=pad, color=INK)
    ax.annotate(
        short(subtitle, 72),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 9 + lift_pt),
        textcoords="offset points",
        fontsize=8,
        color=SOFT,
    )
