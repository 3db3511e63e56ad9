# SPDX-License-Identifier: Apache-2.0
"""The Chinese font of the figures, cut down to the letters of one page and carried inside it."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO


def embedded_font(text: str) -> str:
    """Return a data address of a font that holds every letter of `text` and no more.

    The page then reads the same on a computer that has no Chinese font.
    """
    import pylopdf_fonts_zh_cn
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options()
    options.flavor = "woff"
    options.layout_features = ["kern", "locl"]
    options.hinting = False
    options.desubroutinize = True
    font = load_font(str(pylopdf_fonts_zh_cn.sans_path()), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes={ord(letter) for letter in text})
    subsetter.subset(font)
    buffer = BytesIO()
    save_font(font, buffer, options)
    font.close()
    return "data:font/woff;base64," + b64encode(buffer.getvalue()).decode("ascii")
