# SPDX-License-Identifier: Apache-2.0
"""Where times and places lie on paper, whichever of them runs along x."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from lvbo.report.plots import style
from lvbo.report.values import Spacing, TimeSpace

Array = NDArray[np.float64]
Numbers = Sequence[float] | Array

POINTS_PER_CM = 72 / 2.54
LEAST_LINK_SHARE = 0.09
SHORTEST_SUM = 0.8
"""Least lengths of links take this share of the street at most."""
MARGIN = 0.06
"""The street goes on beyond its end signals by this share of its drawn length."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes, the places of the signals in m and as drawn, and how long the street is in cm."""

    ax: Axes
    places: tuple[float, ...]
    drawn: tuple[float, ...]
    swapped: bool
    along_cm: float

    @property
    def length(self) -> float:
        """Return the drawn length between the end signals."""
        return self.drawn[-1] - self.drawn[0]

    def units(self, cm: float) -> float:
        """Return a length on paper in drawn units along the street."""
        return cm / self.along_cm * self.length * (1 + 2 * MARGIN)

    def put(self, times: Numbers, places: Numbers) -> Array:
        """Return points, shape (n, 2), for times in s and places already on the drawn scale."""
        pair = (places, times) if self.swapped else (times, places)
        return np.column_stack(pair)

    def scaled(self, places_m: Numbers) -> Array:
        """Return places on the drawn scale; beyond the end signals the scale goes on."""
        inner = np.interp(places_m, self.places, self.drawn)
        over = np.clip(np.asarray(places_m) - self.places[-1], 0, None)
        under = np.clip(np.asarray(places_m) - self.places[0], None, 0)
        return np.asarray(inner + over + under)

    def box(self, begin_s: float, end_s: float, low: float, high: float) -> Array:
        """Return the corners of a box between two times and two drawn places."""
        return self.put([begin_s, end_s, end_s, begin_s], [low, low, high, high])

    def fill(
        self, shapes: Sequence[Array], colour: str, layer: float, *, alpha: float = 1.0
    ) -> None:
        """Fill shapes with one colour."""
        if shapes:
            drawn = PolyCollection(
                shapes, facecolors=colour, edgecolors="none", alpha=alpha, zorder=layer
            )
            self.ax.add_collection(drawn, autolim=False)

    def hatch(self, shapes: Sequence[Array], pattern: str, colour: str, layer: float) -> None:
        """Hatch shapes without covering what lies below them."""
        if shapes:
            drawn = PolyCollection(
                shapes, facecolors="none", edgecolors=colour, linewidths=0, zorder=layer
            )
            drawn.set_hatch(pattern)
            self.ax.add_collection(drawn, autolim=False)

    def lines(
        self,
        shapes: Sequence[Array],
        colour: str,
        layer: float,
        *,
        width: float,
        alpha: float = 1.0,
        dashed: bool = False,
    ) -> None:
        """Draw lines of one colour."""
        if shapes:
            drawn = LineCollection(
                shapes,
                colors=colour,
                linewidths=width,
                alpha=alpha,
                linestyles=(0, (4, 2)) if dashed else "solid",
                zorder=layer,
            )
            self.ax.add_collection(drawn, autolim=False)


def drawn_places(places: Sequence[float], spacing: Spacing) -> tuple[float, ...]:
    """Return places on the drawn scale, the first at 0."""
    gaps = np.diff(places)
    if spacing is Spacing.EQUAL:
        gaps = np.full(len(gaps), gaps.sum() / len(gaps))
    if spacing is Spacing.HYBRID:
        least = min(LEAST_LINK_SHARE, SHORTEST_SUM / len(gaps))
        gaps = np.maximum(gaps, least * gaps.sum())
    return tuple(float(x) for x in np.concatenate([[0.0], np.cumsum(gaps)]))


def starts(start_s: float, cycle_s: float, diagram: TimeSpace) -> Iterable[float]:
    """Return all times at which something periodic begins that may show in the diagram."""
    first = floor((diagram.begin_s - start_s) / cycle_s) - 1
    last = ceil((diagram.end_s - start_s) / cycle_s)
    return (start_s + k * cycle_s for k in range(first, last + 1))


def repeats(first_s: float, last_s: float, cycle_s: float, diagram: TimeSpace) -> range:
    """Return by how many cycles something from `first_s` to `last_s` may be moved and be seen."""
    low = floor((diagram.begin_s - last_s) / cycle_s) + 1
    return range(low, ceil((diagram.end_s - first_s) / cycle_s))


def widest_cm(texts: Iterable[str], points: float) -> float:
    """Return how wide the widest line of some texts is on paper."""
    font = FontProperties(family=style.family(), size=points)
    lines = [line for text in texts for line in text.split("\n")]
    widths = [float(TextPath((0, 0), line, prop=font).get_extents().x1) for line in lines]
    return max(widths, default=0.0) / POINTS_PER_CM


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return places at least `gap` apart, in order, near the wanted ones."""
    groups: list[list[float]] = []
    for k, place in enumerate(wanted):
        groups.append([place - k * gap, 1.0])
        while len(groups) > 1 and groups[-2][0] >= groups[-1][0]:
            mean, count = groups.pop()
            last = groups[-1]
            last[0] = (last[0] * last[1] + mean * count) / (last[1] + count)
            last[1] += count
    flat = [mean for mean, count in groups for _ in range(int(count))]
    return [mean + k * gap for k, mean in enumerate(flat)]
