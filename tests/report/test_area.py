# SPDX-License-Identifier: Apache-2.0
"""The figures of an area plan: whole, told apart without colour, true to their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from tests.report import examples

from lvbo.optimize.area_plan import Bands
from lvbo.optimize.curve import TradeOff, TradePoint
from lvbo.report.area import period_words, trade_curve
from lvbo.report.figures import change_figure, trade_off_figure
from lvbo.report.plots import change_map, style
from lvbo.report.plots.style import Drawing, house_style
from lvbo.report.values import ChangeLink, ChangeMap, CurvePoint, TradeCurve
from lvbo.report.words import Words
from lvbo.text import Language

LANGUAGES = list(Language)


def changes(language: Language) -> ChangeMap:
    """Return the streets of the service level map, with changes of both signs."""
    known = examples.los_map(language)
    links = tuple(
        ChangeLink(
            shape=link.shape,
            change_vehh=None if link.delay_s is None else (link.delay_s - 60) / 8,
        )
        for link in known.links
    )
    words = Words(language=language)
    return ChangeMap(
        title=words("fig_change_title", when=period_words("workday", "p0700", words)),
        subtitle=words("fig_change_facts", before="120.0", after="101.5"),
        links=links,
        discs=known.discs,
    )


def curve(language: Language) -> TradeCurve:
    points = tuple(
        TradePoint(
            stop_s=8.0,
            bands=list(Bands)[k % 3],
            delay_vehs_ph=3600.0 * (150 + 4 * k),
            stops_ph=15_000.0 - 700 * k,
            band_s=5.0 * k,
            chosen=k == 2,
        )
        for k in range(7)
    )
    before = replace(points[0], delay_vehs_ph=3600.0 * 200, chosen=False)
    trade = TradeOff(day_type="workday", period="am", points=points, before=before)
    return trade_curve(trade, Words(language=language))


FIGURES: dict[str, Callable[[Language], Drawing]] = {
    "changes": lambda x: change_figure(changes(x), x),
    "trade-off": lambda x: trade_off_figure(curve(x), x),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_whole_and_has_every_glyph(
    name: str, language: Language, tmp_path: Path
) -> None:
    drawing = FIGURES[name](language)
    svg, png = drawing.write(tmp_path / "figure")
    with house_style():
        figure = Figure(
            figsize=(drawing.width_cm * style.CM, drawing.height_cm * style.CM),
            layout="constrained",
        )
        drawing.draw(figure)
        figure.draw_without_rendering()
        inside = figure.get_tightbbox()

    assert svg.stat().st_size > 0 < png.stat().st_size
    assert inside.x0 >= -0.01
    assert inside.y0 >= -0.01
    assert inside.x1 <= drawing.width_cm * style.CM + 0.01
    assert inside.y1 <= drawing.height_cm * style.CM + 0.01


def test_the_colours_of_gain_and_loss_differ_in_blue_and_in_lightness() -> None:
    falls, grows = (
        (change_map.FALLS, change_map.FALLS_MUCH),
        (
            change_map.GROWS,
            change_map.GROWS_MUCH,
        ),
    )
    for gain, loss in ((a, b) for a in falls for b in grows):
        assert to_rgb(gain)[2] - to_rgb(loss)[2] > 0.4
    for a, b in combinations((change_map.FALLS, change_map.FALLS_MUCH), 2):
        assert abs(sum(to_rgb(a)) - sum(to_rgb(b))) > 0.4


def test_steps_are_round_numbers_below_the_largest_change() -> None:
    assert [change_map._round(x) for x in (0.034, 1.0, 6.5, 19.9, 21.0)] == pytest.approx(
        [0.02, 1.0, 5.0, 10.0, 20.0]
    )


def test_a_map_without_any_change_is_drawn() -> None:
    own = changes(Language.EN)
    still = replace(own, links=tuple(replace(link, change_vehh=0.0) for link in own.links))

    assert change_figure(still, Language.EN).svg()


def test_close_points_do_not_write_over_each_other() -> None:
    near = CurvePoint(delay_vehh=100.0, stops=9000.0, kind="soft", label="a")
    far = CurvePoint(delay_vehh=140.0, stops=7000.0, kind="none", label="b")
    own = TradeCurve(title="t", subtitle="", points=(near, replace(near, kind="hard"), far))
    with house_style():
        figure = Figure()
        trade_off_figure(own, Language.EN).draw(figure)
        figure.draw_without_rendering()
        shown = [
            text.get_window_extent()
            for text in figure.axes[0].texts
            if text.get_text() in {"1", "2", "3"}
        ]

    assert len(shown) == 3
    assert not any(a.overlaps(b) for a, b in combinations(shown, 2))


def test_a_period_named_by_its_start_reads_as_a_time() -> None:
    words = Words(language=Language.EN)

    assert period_words("workday", "p0645", words) == "workdays 06:45"
    assert period_words("weekend", "all", words) == "weekends all day"
