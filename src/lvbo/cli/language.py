# SPDX-License-Identifier: Apache-2.0
"""Which language to speak: the option, the variable, the locale; English where none says."""

from __future__ import annotations

import locale
from collections.abc import Mapping, Sequence

from lvbo.text import Language

VARIABLE = "LVBO_LANG"
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def find_language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language that the arguments, else the environment, ask for."""
    asked = _option(arguments) or environment.get(VARIABLE) or _locale(environment)
    return Language.ZH if asked.lower().startswith(("zh", "chinese")) else Language.EN


def _option(arguments: Sequence[str]) -> str:
    for word, after in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "--lang":
            return after
        if word.startswith("--lang="):
            return word.partition("=")[2]
    return ""


def _locale(environment: Mapping[str, str]) -> str:
    named = next((environment[name] for name in LOCALES if environment.get(name)), "")
    return named or locale.getlocale()[0] or ""
