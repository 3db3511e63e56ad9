# SPDX-License-Identifier: Apache-2.0
"""Every sentence a user reads, by code, in Chinese and English.

The tables are `en.toml` and `zh.toml`: equal keys, equal fields. Only the command line, the web
pages and reports turn codes into sentences.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Language(StrEnum):
    """The languages Lvbo speaks."""

    ZH = "zh"
    EN = "en"


@cache
def table(language: Language) -> Mapping[str, str]:
    """Return all sentences of one language by code."""
    raw = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(raw)


def say(code: str, language: Language, /, **fields: object) -> str:
    """Return the sentence of `code` with its fields filled in; KeyError if there is none."""
    return table(language)[code].format_map(fields)
