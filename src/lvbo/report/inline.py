# SPDX-License-Identifier: Apache-2.0
"""SVG made fit to stand inside a page: no prolog, no addresses, names that cannot clash."""

from __future__ import annotations

import re
from html import escape

_PROLOG = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
_NAMESPACE = re.compile(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"')
_SIZE = re.compile(r'(<svg[^>]*?)\swidth="[^"]*"|(<svg[^>]*?)\sheight="[^"]*"')
_NAMED = re.compile(r'\bid="([^"]+)"')
_USED = re.compile(r'(url\(#|href="#)')


def inline(svg: str, prefix: str, label: str, width_cm: float) -> str:
    """Return the drawing as an element of a page, its ids set apart by `prefix`.

    Browsers do not see clip paths of hidden parts, so every drawing keeps its own. It is shown no
    wider than it was drawn.
    """
    text = _PROLOG.sub("", svg)
    text = _NAMESPACE.sub("", text).replace("xlink:href", "href")
    text = _SIZE.sub(lambda m: m.group(1) or m.group(2), text)
    text = _SIZE.sub(lambda m: m.group(1) or m.group(2), text)
    text = _NAMED.sub(lambda m: f'id="{prefix}{m.group(1)}"', text)
    text = _USED.sub(lambda m: m.group(1) + prefix, text)
    shown = f'<svg role="img" aria-label="{escape(label)}" style="max-width: {width_cm:g}cm"'
    return text.replace("<svg", shown, 1).strip()
