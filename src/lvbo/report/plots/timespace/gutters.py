# SPDX-License-Identifier: Apache-2.0
"""What stands beside a time-space diagram: a card per signal, distance and time of each link."""

from __future__ import annotations

from lvbo.report.plots import style
from lvbo.report.plots.timespace.frame import POINTS_PER_CM, Frame, spread, widest_cm
from lvbo.report.values import BandStrip, SignalRow, StripKind, TimeSpace
from lvbo.report.words import MPS_TO_KMH, Words, short

CARD_CM = 0.92
UPRIGHT_CM = 3.6
"""Cards below a swapped diagram stand upright where they have this much room."""
POINT_SIZE = 7.0
BADGE_PT = 34.0
CARD_PT = 6.0
LEAST_MOVE_S = 0.5
BADGE = "#F6D7C3"


def write_cards(frame: Frame, diagram: TimeSpace, words: Words) -> None:
    """Write name, phases, cycle, absolute and relative offset of each signal beside its bars."""
    room = frame.along_cm / max(1, len(frame.drawn) - 1)
    turned = frame.swapped and room < UPRIGHT_CM
    gap = frame.units(UPRIGHT_CM if frame.swapped and not turned else CARD_CM)
    shown = spread(frame.drawn, gap)
    badged = any(_badge(row, words) for row in diagram.signals)
    before: SignalRow | None = None
    for row, y, at in zip(diagram.signals, frame.drawn, shown, strict=True):
        _write_card(frame, _card(row, before, words), y, at, badged=badged, turned=turned)
        _write_badge(frame, _badge(row, words), at, turned=turned)
        before = row


def _card(row: SignalRow, before: SignalRow | None, words: Words) -> list[str]:
    name = f"{short(row.name)}  [{short(row.phases, 12)}]" if row.phases else short(row.name)
    line = words("fig_card", cycle=f"{row.cycle_s:g}", offset=f"{row.offset_s:g}")
    if before is None:
        return [name, line]
    relative = (row.offset_s - before.offset_s) % row.cycle_s
    return [name, line, words("fig_card_relative", offset=f"{relative:g}")]


def _badge(row: SignalRow, words: Words) -> str:
    """Return by how much an offset was moved; nothing where it was not."""
    if row.moved_s is None or abs(row.moved_s) < LEAST_MOVE_S:
        return ""
    return words("fig_badge", seconds=f"{row.moved_s:+.0f}".replace("-", "−"))


def _write_card(
    frame: Frame, lines: list[str], y: float, at: float, *, badged: bool, turned: bool
) -> None:
    away = CARD_PT + (BADGE_PT if badged else 0.0)
    leader = {"arrowstyle": "-", "color": style.SOFT, "lw": 0.5, "shrinkA": 1, "shrinkB": 0}
    if frame.swapped:
        away += 12.0
        text = "\n".join([lines[0], "  ".join(lines[1:])]) if turned else "\n".join(lines)
        frame.ax.annotate(
            text,
            (y, 0),
            xycoords=("data", "axes fraction"),
            xytext=(_shift_pt(frame, y, at), -away),
            textcoords="offset points",
            ha="center",
            va="top",
            rotation=90 if turned else 0,
            fontsize=7,
            linespacing=1.3,
            annotation_clip=False,
            arrowprops=leader,
        )
        return
    frame.ax.annotate(
        "\n".join([lines[0], "  ".join(lines[1:])]),
        (0, y),
        xycoords=("axes fraction", "data"),
        xytext=(-away, _shift_pt(frame, y, at)),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7.5,
        linespacing=1.35,
        annotation_clip=False,
        arrowprops=leader,
    )


def _shift_pt(frame: Frame, y: float, at: float) -> float:
    """Return how far a card lies from its signal, in points along the street."""
    return (at - y) / frame.units(1.0) * POINTS_PER_CM


def _write_badge(frame: Frame, text: str, at: float, *, turned: bool) -> None:
    if not text:
        return
    along = (at, 0) if frame.swapped else (0, at)
    coords = ("data", "axes fraction") if frame.swapped else ("axes fraction", "data")
    away = (0.0, -20.0) if frame.swapped else (-CARD_PT - 2, 0.0)
    frame.ax.annotate(
        text,
        along,
        xycoords=coords,
        xytext=away,
        textcoords="offset points",
        ha="center" if frame.swapped else "right",
        va="top" if frame.swapped else "center",
        rotation=90 if turned else 0,
        fontsize=7,
        color=style.DARK_RED,
        annotation_clip=False,
        bbox={"boxstyle": "round,pad=0.25", "fc": BADGE, "ec": style.DARK_RED, "lw": 0.5},
    )


def write_links(frame: Frame, diagram: TimeSpace, words: Words) -> None:
    """Write length, travel times and band speeds of each link in the gutter across from the cards.

    Arrows say which way: up and down, or right and left where distance runs along x.
    """
    middles = [(a + b) / 2 for a, b in zip(frame.drawn, frame.drawn[1:], strict=False)]
    lines = [_link(diagram, link, words, swapped=frame.swapped) for link in range(len(middles))]
    room = frame.along_cm / max(1, len(middles))
    turned = frame.swapped and room < widest_cm(lines, POINT_SIZE) + 0.3
    pitch = CARD_CM if turned or not frame.swapped else widest_cm(lines, POINT_SIZE) + 0.2
    for text, y, at in zip(lines, middles, spread(middles, frame.units(pitch)), strict=True):
        shift = _shift_pt(frame, y, at)
        frame.ax.annotate(
            text,
            (y, 1) if frame.swapped else (1, y),
            xycoords=("data", "axes fraction") if frame.swapped else ("axes fraction", "data"),
            xytext=(shift, 4) if frame.swapped else (6, shift),
            textcoords="offset points",
            ha="center" if frame.swapped else "left",
            va="bottom" if frame.swapped else "center",
            rotation=90 if turned else 0,
            fontsize=7 if frame.swapped else 7.5,
            color=style.SOFT,
            annotation_clip=False,
        )


def gutter_pt(frame: Frame, diagram: TimeSpace, words: Words) -> float:
    """Return how high the words on links stand above a swapped diagram, in points."""
    links = range(len(frame.drawn) - 1)
    lines = [_link(diagram, link, words, swapped=True) for link in links]
    turned = frame.along_cm / max(1, len(lines)) < widest_cm(lines, POINT_SIZE) + 0.3
    if turned:
        return widest_cm(lines, POINT_SIZE) * POINTS_PER_CM + 8
    return 12.0 * max(text.count("\n") + 1 for text in lines) + 6


def _link(diagram: TimeSpace, link: int, words: Words, *, swapped: bool) -> str:
    """Return metres, then seconds and km/h outbound and inbound as the bands take them."""
    metres = diagram.signals[link + 1].at_m - diagram.signals[link].at_m
    arrows = ("→", "←") if swapped else ("↑", "↓")
    speeds = [
        (arrow, found)
        for arrow, outbound in zip(arrows, (True, False), strict=True)
        if (found := _speed(diagram.bands, link, outbound=outbound)) is not None
    ]
    if not speeds:
        return f"{metres:.0f} m"
    times = " ".join(f"{arrow}{metres / v:.0f}" for arrow, v in speeds)
    kmh = " ".join(f"{arrow}{MPS_TO_KMH * v:.0f}" for arrow, v in speeds)
    return words("fig_link", metres=f"{metres:.0f}", times=times) + f"\n{kmh} km/h"


def _speed(bands: tuple[BandStrip, ...], link: int, *, outbound: bool) -> float | None:
    """Return the band speed on a link in one direction; that of parts where nothing else is."""
    found = [
        (strip.kind is StripKind.PART, strip.speeds_mps[link - strip.first])
        for strip in bands
        if strip.is_outbound is outbound and 0 <= link - strip.first < len(strip.speeds_mps)
    ]
    return min(found)[1] if found else None
