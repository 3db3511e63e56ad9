# SPDX-License-Identifier: Apache-2.0
"""Every figure is drawn in both languages, whole and without a missing glyph.

Warnings are errors in this suite, so a glyph that the font lacks fails the drawing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from tests.report import examples

from lvbo.errors import UsageError
from lvbo.report.figures import (
    before_after_figure,
    flow_figure,
    los_figure,
    period_curve_figure,
    stage_figure,
    timespace_figure,
)
from lvbo.report.plots import style
from lvbo.report.plots.before_after import pairing_text, signed
from lvbo.report.plots.los_map import BELOW_PT, LIMITS_S, write_names
from lvbo.report.plots.style import Drawing, house_style
from lvbo.report.plots.timespace.bands import band_label
from lvbo.report.plots.timespace.diagram import draw_timespace
from lvbo.report.plots.timespace.frame import spread
from lvbo.report.values import FlowDay, Spacing
from lvbo.report.words import Words, short
from lvbo.text import Language, table
from lvbo.timing.delay import level_of_service

LANGUAGES = list(Language)
FIGURES: dict[str, Callable[[Language], Drawing]] = {
    "timespace": lambda x: timespace_figure(examples.timespace(x), x),
    "timespace swapped": lambda x: timespace_figure(
        examples.timespace(x), x, swapped=True, spacing=Spacing.EQUAL
    ),
    "stages": lambda x: stage_figure(examples.stage_sheet(x), x),
    "flow": lambda x: flow_figure(examples.flow_day(x), x),
    "before and after": lambda x: before_after_figure(examples.before_after(x), x),
    "service levels": lambda x: los_figure(examples.los_map(x), x),
    "period curve": lambda x: period_curve_figure(examples.period_curve(x), x),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_written_as_svg_and_png(name: str, language: Language, tmp_path: Path) -> None:
    svg, png = FIGURES[name](language).write(tmp_path / "figure")

    assert svg.read_text(encoding="utf-8").startswith("<?xml")
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["timespace", "stages", "before and after", "service levels"])
def test_nothing_is_drawn_beyond_the_edge_of_a_figure(name: str) -> None:
    drawing = FIGURES[name](Language.EN)

    with house_style():
        figure = Figure(
            figsize=(drawing.width_cm * style.CM, drawing.height_cm * style.CM),
            layout="constrained",
        )
        drawing.draw(figure)
        figure.draw_without_rendering()
        inside = figure.get_tightbbox()

    assert inside.x0 >= -0.01
    assert inside.y0 >= -0.01
    assert inside.x1 <= drawing.width_cm * style.CM + 0.01
    assert inside.y1 <= drawing.height_cm * style.CM + 0.01


def test_the_font_has_every_letter_of_both_text_tables() -> None:
    lines = [line for language in LANGUAGES for line in table(language).values()]
    letters = sorted(set("".join(lines)) - {"\n"})

    def draw(figure: Figure) -> None:
        for k, letter in enumerate(letters):
            figure.text(k % 40 / 40, 1 - k // 40 / 40, letter.replace("$", r"\$"))

    png = Drawing(width_cm=20, height_cm=20, draw=draw).png()

    assert png


def test_a_glyph_the_font_lacks_fails_the_drawing() -> None:
    def draw(figure: Figure) -> None:
        figure.text(0.5, 0.5, "\U00012000")  # a cuneiform sign

    with pytest.raises(UserWarning, match="Glyph"):
        Drawing(width_cm=3, height_cm=3, draw=draw).png()


def test_drawing_leaves_the_settings_of_the_reader_alone() -> None:
    before = dict(mpl.rcParams)

    FIGURES["period curve"](Language.ZH).svg()

    assert dict(mpl.rcParams) == before


def test_the_same_figure_is_the_same_file_every_time() -> None:
    first, second = (FIGURES["stages"](Language.ZH).svg() for _ in range(2))

    assert first == second


def test_a_band_is_labelled_with_width_share_and_speed() -> None:
    strip = examples.timespace(Language.EN).bands[0]
    one_speed = replace(strip, width_s=24.0, cycle_s=90.0, speeds_mps=(12.5,) * 4)

    text = band_label(one_speed, Words(language=Language.EN))

    assert text.replace("∙", "·") == "b = 24 s (27 %) · v = 45 km/h"


def test_a_change_is_written_with_interval_and_sample() -> None:
    pairing = replace(
        examples.before_after(Language.EN)[0].pairings[0], change=-0.124, low=-0.151, high=-0.096
    )

    text = pairing_text(pairing, Words(language=Language.EN))

    assert text == "−12.4 % [−15.1, −9.6], n = 5, paired"


def test_a_change_of_nothing_has_no_sign() -> None:
    assert [signed(x) for x in (-0.04, 0.0, 0.26, -3.0)] == ["0.0", "0.0", "+0.3", "−3.0"]


def test_a_later_green_is_drawn_further_right() -> None:
    diagram = examples.timespace(Language.EN)
    row = replace(
        diagram.signals[0],
        outbound=(replace(diagram.signals[0].outbound[0], start_s=20.0, length_s=30.0),),
    )
    drawn = replace(
        diagram, signals=(row, *diagram.signals[1:]), begin_s=0.0, end_s=110.0, bands=(), traces=()
    )
    figure = Figure()
    ax = figure.add_subplot()

    with house_style():
        draw_timespace(ax, drawn, Words(language=Language.EN))
    greens = [
        np.asarray(path.vertices)
        for shapes in ax.collections
        if to_hex(tuple(np.ravel(shapes.get_facecolor())[:4]) or "w") == style.LAMP_GREEN.lower()
        for path in shapes.get_paths()
    ]
    lowest = [g for g in greens if np.min(g[:, 1]) == 0.0]

    assert [(np.min(g[:, 0]), np.max(g[:, 0])) for g in lowest] == [(20.0, 50.0)]


def test_cards_keep_their_distance_and_their_order() -> None:
    shown = spread([0.0, 1.0, 1.2, 9.0], 2.0)

    assert all(b - a >= 2.0 - 1e-9 for a, b in pairwise(shown))
    assert shown[3] == 9.0


def test_one_day_alone_is_a_flow_too() -> None:
    flow = examples.flow_day(Language.ZH)
    one = FlowDay(title="", subtitle="", starts_s=flow.starts_s, flow_vph=flow.flow_vph[:1])

    assert flow_figure(one, Language.ZH).svg()


def test_left_hand_traffic_keeps_left_in_the_stage_sketch() -> None:
    right, left = (
        stage_figure(examples.stage_sheet(Language.EN, left_hand=hand), Language.EN).svg()
        for hand in (False, True)
    )

    assert right != left


def test_the_legend_of_the_map_has_the_limits_of_the_manual() -> None:
    assert [level_of_service(limit) for limit, _ in LIMITS_S] == [x for _, x in LIMITS_S]
    assert [level_of_service(limit + 0.1) for limit, _ in LIMITS_S] == list("BCDEF")


def test_a_name_that_would_touch_another_stands_below() -> None:
    """Names of 7 characters take a tenth of the map's diagonal of 1,000 m."""
    axes = Figure().add_subplot()
    discs = [(0.0, 0.0, "安宁街-锦纶路"), (60.0, 5.0, "安宁街-东支路"), (60.0, 90.0, "文华街")]
    write_names(axes, discs, 1000.0, above_pt=13)

    names = [text for text in axes.texts if isinstance(text, Annotation)]
    heights = {name.get_text(): name.xyann[1] for name in names}

    assert heights == {"安宁街-锦纶路": 13, "安宁街-东支路": BELOW_PT, "文华街": 13}


def test_axes_without_a_figure_are_refused() -> None:
    ax = Figure().add_subplot()
    ax.remove()

    with pytest.raises(UsageError, match="LV671"):
        style.figure_of(ax)


def test_a_long_name_loses_its_middle() -> None:
    assert short("安宁街") == "安宁街"
    assert short("cluster_306484187_cluster_1200363791", 10) == "cluster_…00363791"


def test_no_figure_uses_a_lamp_colour_for_anything_else() -> None:
    lamps = {style.LAMP_GREEN, style.LAMP_YELLOW, style.LAMP_RED}
    others = ("flow", "before and after", "service levels", "period curve")
    used = {
        colour.upper()
        for name in others
        for colour in re.findall(r"#[0-9a-f]{6}", FIGURES[name](Language.EN).svg())
    }

    assert used & {colour.upper() for colour in lamps} == set()
