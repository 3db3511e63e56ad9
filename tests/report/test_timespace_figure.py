# SPDX-License-Identifier: Apache-2.0
"""A time-space diagram with every layer, drawn: nothing clipped, nothing over another label.

Warnings are errors in this suite, so a glyph that the font lacks fails the drawing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import BboxBase
from tests.report import examples

from lvbo.report.figures import timespace_figure, timespace_pair
from lvbo.report.plots import style
from lvbo.report.plots.style import Drawing, house_style
from lvbo.report.plots.timespace.bands import band_label
from lvbo.report.plots.timespace.frame import drawn_places, repeats
from lvbo.report.values import BandStrip, Spacing, StripKind
from lvbo.report.words import Words
from lvbo.text import Language

CASES = {
    "twenty signals": (Language.EN, 20, False, Spacing.HYBRID),
    "twenty signals, swapped": (Language.ZH, 20, True, Spacing.HYBRID),
    "three signals, swapped": (Language.EN, 3, True, Spacing.HYBRID),
    "to scale": (Language.ZH, 12, False, Spacing.TRUE),
}


def drawn(drawing: Drawing) -> Figure:
    figure = Figure(
        figsize=(drawing.width_cm * style.CM, drawing.height_cm * style.CM), layout="constrained"
    )
    drawing.draw(figure)
    figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("case", CASES)
def test_no_label_is_clipped_or_covers_another(case: str) -> None:
    language, signals, swapped, spacing = CASES[case]
    diagram = examples.all_layers(language, signals)
    drawing = timespace_figure(diagram, language, swapped=swapped, spacing=spacing)

    with house_style():
        figure = drawn(drawing)
        inside = figure.get_tightbbox()
        (ax,) = figure.axes
        beside = [t for t in ax.texts if isinstance(t, Annotation) and not t.get_annotation_clip()]
        boxes = [
            (text.get_text(), Text.get_window_extent(text))
            for text in beside
            if text.get_text() not in {"", diagram.subtitle}
        ]

    assert len(boxes) >= 2 * signals - 1
    assert min(inside.x0, inside.y0) >= -0.01
    assert inside.x1 <= drawing.width_cm * style.CM + 0.01
    assert inside.y1 <= drawing.height_cm * style.CM + 0.01
    for (a, first), (b, second) in combinations(boxes, 2):
        assert not _overlap(first, second), (a, b)


def _overlap(a: BboxBase, b: BboxBase) -> bool:
    """Say whether two boxes share more than a pixel each way."""
    x = min(a.x1, b.x1) - max(a.x0, b.x0)
    y = min(a.y1, b.y1) - max(a.y0, b.y0)
    return bool(x > 1 and y > 1)


def test_before_and_after_share_one_key_and_one_span() -> None:
    after = examples.timespace(Language.ZH)
    before = replace(after, bands=())
    with house_style():
        figure = drawn(timespace_pair([before, after], Language.ZH))
    first, second = figure.axes

    assert first.get_xlim() == second.get_xlim()
    assert len(figure.legends) == 1


@pytest.mark.parametrize("spacing", Spacing)
def test_links_are_drawn_to_scale_alike_or_with_a_least_length(spacing: Spacing) -> None:
    gaps = np.diff(drawn_places((0.0, 20.0, 420.0, 1020.0), spacing))

    expected = {
        Spacing.TRUE: (20.0, 400.0, 600.0),
        Spacing.EQUAL: (340.0, 340.0, 340.0),
        Spacing.HYBRID: (0.09 * 1020, 400.0, 600.0),
    }
    assert tuple(gaps) == pytest.approx(expected[spacing])


def test_least_lengths_never_make_up_the_whole_street() -> None:
    places = tuple(float(x) for x in np.cumsum([0.0] + [10.0] * 19 + [3000.0]))
    gaps = np.diff(drawn_places(places, Spacing.HYBRID))

    assert gaps[-1] > 10 * gaps[0]


def test_something_is_repeated_wherever_it_shows() -> None:
    diagram = replace(examples.timespace(Language.EN), begin_s=100.0, end_s=430.0)

    assert [k for k in repeats(0.0, 30.0, 100.0, diagram)] == [1, 2, 3, 4]  # noqa: C416


def test_a_part_of_a_street_or_a_link_says_only_how_wide_its_band_is() -> None:
    strip = BandStrip(
        is_outbound=True, width_s=12.0, cycle_s=90.0, fronts_s=(0.0, 9.0), speeds_mps=(12.0,),
        kind=StripKind.PART,
    )  # fmt: skip

    assert band_label(strip, Words(language=Language.ZH)) == "12 s"
    assert all(a < b for a, b in pairwise(strip.ends_s(0)))
