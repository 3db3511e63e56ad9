# SPDX-License-Identifier: Apache-2.0
"""The report: one self-contained page, in Chinese and English, for a leader and for engineers."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from lvbo.report import annex, front
from lvbo.report.font import embedded_font
from lvbo.report.inputs import ReportInputs
from lvbo.report.words import Words
from lvbo.text import Language

TEMPLATE = "report.html.j2"


def build_report(inputs: ReportInputs, path: Path | str, *, first: Language = Language.ZH) -> Path:
    """Write the report as one HTML file that needs no other file and no network; return its path.

    Both languages are inside; `first` is the one it opens with.
    """
    import jinja2

    source = files(__package__).joinpath("templates", TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    pages = [_page(inputs, Words(language=language)) for language in Language]
    template = environment.from_string(source)
    bare = template.render(pages=pages, first=str(first), font="")
    text = template.render(pages=pages, first=str(first), font=embedded_font(_letters(bare)))
    target = Path(path)
    target.write_text(text, encoding="utf-8")
    return target


def _letters(page: str) -> str:
    """Return what a page prints: its letters outside drawings, tags and styles."""
    return re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]+>", "", page, flags=re.DOTALL)


def _page(inputs: ReportInputs, words: Words) -> dict[str, object]:
    return {
        "language": str(words.language),
        "tag": "zh-CN" if words.language is Language.ZH else "en",
        "words": words,
        "front": front.front(inputs, words),
        "annex": annex.annex(inputs, words),
    }
