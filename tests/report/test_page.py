# SPDX-License-Identifier: Apache-2.0
"""The report is one file that needs nothing else, says everything in both languages, and never
mixes what is expected with what was measured.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.report import streets

from lvbo.evaluation.compare import LESS_IS_BETTER, WAY_LESS_IS_BETTER
from lvbo.evaluation.intervals import interval
from lvbo.report.font import embedded_font
from lvbo.report.front import front, next_step
from lvbo.report.inline import inline
from lvbo.report.inputs import ReportInputs
from lvbo.report.numbers import STYLES, Mark, line, mark_of, spread
from lvbo.report.page import build_report
from lvbo.report.words import Words
from lvbo.text import Language, table

VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})
EN = Words(language=Language.EN)


class Tags(HTMLParser):
    """Check that tags nest, and keep ids, references and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.used: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._keep(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self._keep(attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def _keep(self, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" and value:
                self.ids.append(value)
            if key == "href" and value:
                self.used.append(value)
            self.used += re.findall(r"url\((#[^)]+)\)", value or "")


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return streets.inputs()


@pytest.fixture(scope="module")
def page(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = build_report(inputs, tmp_path_factory.mktemp("report") / "report.html")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


def test_the_report_names_no_address_outside_itself(page: str, tags: Tags) -> None:
    outside = [each for each in tags.used if not each.startswith("#")]

    assert re.findall(r"https?:|//[a-z]+\.|@import|<script|<link|<img", page) == []
    assert outside == []


def test_its_tags_nest(tags: Tags) -> None:
    assert tags.wrong == []
    assert tags.open == []


def test_every_id_is_there_once_and_every_reference_finds_one(tags: Tags) -> None:
    assert len(tags.ids) == len(set(tags.ids))
    assert {each[1:] for each in tags.used} - set(tags.ids) == set()


def test_both_languages_are_inside(page: str) -> None:
    assert '<main class="zh" lang="zh-CN">' in page
    assert '<main class="en" lang="en">' in page
    assert "预期值（仿真）" in page
    assert "Expected (simulated)" in page


def test_it_opens_with_the_language_asked_for(inputs: ReportInputs, tmp_path: Path) -> None:
    bare = replace(inputs, waves=(), links=(), demand=None)
    path = build_report(bare, tmp_path / "en.html", first=Language.EN)
    page = path.read_text(encoding="utf-8")

    assert 'id="pick-en" checked' in page
    assert 'id="pick-zh" checked' not in page


def test_expected_and_measured_stand_in_tables_of_their_own() -> None:
    first = front(replace(streets.measured_inputs(), links=()), EN)

    assert [part.heading for part in first.parts] == [
        "Expected (simulated)",
        "Measured on the street",
    ]
    assert first.not_measured == ""


def test_a_report_with_nothing_measured_says_so(inputs: ReportInputs) -> None:
    assert "Nothing on this page was measured" in front(replace(inputs, links=()), EN).not_measured


def test_page_one_names_the_movement_that_pays(inputs: ReportInputs) -> None:
    part = front(replace(inputs, links=()), EN).parts[0]

    assert part.worst_hit == (
        "Worst hit: 中都路, north leg, left: 52.0 s to 61.0 s per vehicle, "
        "+9.0 [+7.7, +10.3] s, about 64 vehicles."
    )


def test_page_one_has_no_emissions(inputs: ReportInputs) -> None:
    part = front(replace(inputs, links=()), EN).parts[0]

    assert "CO2" not in [row.measure for block in part.blocks for row in block.lines]


def test_emissions_are_relative_only() -> None:
    row = line(streets.difference("co2_g", 300.0, 291.0), EN)

    assert (row.before, row.after, row.change) == ("–", "–", "–")
    assert row.percent.endswith("%")


def test_losers_come_first_in_the_annex(page: str) -> None:
    table = page[page.index('id="en-compare"') :]

    assert table.index("pedestrian delay, mean") < table.index("delay per vehicle")


def test_less_delay_is_better_and_less_throughput_is_worse() -> None:
    delay = streets.difference("delay_s", 60.0, 50.0)
    throughput = streets.difference("throughput_vph", 2000.0, 1500.0, less=False)

    assert mark_of(delay) is Mark.BETTER
    assert mark_of(throughput) is Mark.WORSE


def test_an_interval_that_holds_zero_decides_nothing() -> None:
    assert mark_of(streets.difference("delay_s", 60.0, 60.1)) is Mark.UNCLEAR


def test_one_run_has_no_interval_and_says_so() -> None:
    assert spread(interval([-3.0]), STYLES["delay_s"], EN) == "−3.0 (one run, no interval)"


def test_a_speed_is_written_in_kilometres_per_hour() -> None:
    row = line(streets.difference("speed_mps", 10.0, 12.0, less=False), EN)

    assert (row.before, row.unit, row.mark) == ("36.0", "km/h", Mark.BETTER)


def test_a_network_that_loses_is_not_recommended(inputs: ReportInputs) -> None:
    result = inputs.results[0]
    worse = replace(result.comparison, differences=(streets.difference("delay_s", 50.0, 60.0),))

    assert next_step((result,)) is Mark.BETTER
    assert next_step((replace(result, comparison=worse),)) is Mark.WORSE


def test_an_inlined_drawing_keeps_its_references_to_itself() -> None:
    svg = (
        '<?xml version="1.0"?><svg width="10pt" height="5pt" viewBox="0 0 10 5" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1"><metadata>x</metadata>'
        '<path id="a"/><use xlink:href="#a" clip-path="url(#c)"/></svg>'
    )

    assert inline(svg, "p-", "A & B", 18.5) == (
        '<svg role="img" aria-label="A &amp; B" style="max-width: 18.5cm" viewBox="0 0 10 5">'
        '<path id="p-a"/><use href="#p-a" clip-path="url(#p-c)"/></svg>'
    )


def test_the_page_carries_its_own_small_font(page: str) -> None:
    assert "data:font/woff;base64," in page
    assert 1_000 < len(embedded_font("绿波 band")) < 20_000


def test_names_from_files_cannot_break_the_page(inputs: ReportInputs, tmp_path: Path) -> None:
    sample = replace(inputs.sample, corridor="<script>alert(1)</script>")
    bare = replace(inputs, sample=sample, waves=(), links=(), demand=None)
    page = build_report(bare, tmp_path / "x.html").read_text(encoding="utf-8")

    assert "<script" not in page


@pytest.mark.parametrize("language", list(Language))
def test_every_measure_that_is_compared_has_a_name_and_a_unit(language: Language) -> None:
    names = [*LESS_IS_BETTER, *WAY_LESS_IS_BETTER]

    assert [name for name in names if f"word_measure_{name}" not in table(language)] == []
    assert [name for name in names if name not in STYLES] == []
    assert [s for s in STYLES.values() if f"word_unit_{s.unit}" not in table(language)] == []
