# SPDX-License-Identifier: Apache-2.0
"""The bands of a time-space diagram and what is written on them."""

from __future__ import annotations

import numpy as np

from lvbo.report.plots import style
from lvbo.report.plots.timespace.frame import Array, Frame, repeats
from lvbo.report.values import BandStrip, StripKind, TimeSpace
from lvbo.report.words import MPS_TO_KMH, Words

FADED = 0.5
ASIDE = 0.8
"""Labels stand this many cycles off the middle, so that those of both directions keep apart; those
of parts one cycle from those of whole bands."""
LABEL_CM = 1.1
"""A label needs a link this long on paper, measured along the street."""


def colour(strip: BandStrip) -> str:
    """Return the colour of a band's direction."""
    return style.OUTBOUND if strip.is_outbound else style.INBOUND


def draw_band(frame: Frame, diagram: TimeSpace, strip: BandStrip) -> None:
    """Draw a band in every cycle, link by link: queues ahead of it make it leave before it comes.

    Parts of a street are drawn lighter, with dashed edges.
    """
    if strip.width_s <= 0:
        return
    part = strip.kind is StripKind.PART
    outlines: list[Array] = []
    edges: list[Array] = []
    for link in range(len(strip.fronts_s) - 1):
        heights = np.asarray(frame.drawn[strip.first + link : strip.first + link + 2])
        ends = np.asarray(strip.ends_s(link))
        for k in repeats(min(ends), max(ends) + strip.width_s, strip.cycle_s, diagram):
            fronts = ends + k * strip.cycle_s
            front, back = frame.put(fronts, heights), frame.put(fronts + strip.width_s, heights)
            outlines.append(np.concatenate([front, back[::-1]]))
            edges += [front, back]
    faded = FADED if part else 1.0
    frame.fill(outlines, colour(strip), 1, alpha=0.24 * faded)
    frame.lines(edges, colour(strip), 2, width=0.9, alpha=0.9 * faded, dashed=part)


def band_label(strip: BandStrip, words: Words) -> str:
    """Return the words on a band: its width in s, its share of the cycle, its speed."""
    low, high = (round(MPS_TO_KMH * v) for v in (min(strip.speeds_mps), max(strip.speeds_mps)))
    speed = f"{low}" if low == high else f"{low}–{high}"
    share = 100 * strip.width_s / strip.cycle_s
    width = f"{strip.width_s:.0f}"
    if strip.kind is not StripKind.THROUGH:
        return words("fig_band_short", width=width)
    return words("fig_band_label", width=width, share=f"{share:.0f}", speed=speed)


def label_band(frame: Frame, diagram: TimeSpace, strip: BandStrip, words: Words) -> None:
    """Write the label along the widest link, in the repeat nearest to the middle."""
    if strip.width_s <= 0:
        return
    heights = frame.drawn[strip.first : strip.first + len(strip.fronts_s)]
    link = int(np.argmax(np.diff(heights)))
    if heights[link + 1] - heights[link] < frame.units(LABEL_CM):
        return
    ends = [
        (time + strip.width_s / 2, height)
        for time, height in zip(strip.ends_s(link), heights[link : link + 2], strict=True)
    ]
    time = (ends[0][0] + ends[1][0]) / 2
    cycles = ASIDE - 1 if strip.kind is StripKind.PART else ASIDE
    aside = (-cycles if strip.is_outbound else cycles) * strip.cycle_s
    middle = (diagram.begin_s + diagram.end_s) / 2 + aside
    shift = round((middle - time) / strip.cycle_s) * strip.cycle_s
    points = frame.put([t + shift for t, _ in ends], [h for _, h in ends])
    x, y = points.mean(axis=0)
    dx, dy = points[1] - points[0]
    frame.ax.text(
        x,
        y,
        band_label(strip, words),
        rotation=float(np.degrees(np.arctan2(dy, dx) if dx >= 0 else np.arctan2(-dy, -dx))),
        rotation_mode="anchor",
        transform_rotates_text=True,
        ha="center",
        va="center",
        fontsize=7.5 if strip.kind is StripKind.THROUGH else 6.5,
        zorder=9,
        bbox={"boxstyle": "round,pad=0.2", "fc": style.PAPER, "ec": "none", "alpha": 0.8},
    )
