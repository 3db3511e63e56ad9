# SPDX-License-Identifier: Apache-2.0
"""Lists with commas, as options take them: names, members of a set, numbers."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from lvbo.errors import UsageError

E = TypeVar("E", bound=StrEnum)
N = TypeVar("N", int, float)
MOST_X = 1.5
"""No street is asked to carry more than this share of its capacity."""


def names(text: str) -> tuple[str, ...]:
    """Return the words of a list; none for an empty one."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def members(text: str, kind: type[E]) -> tuple[E, ...]:
    """Return the members that a list names; none for an empty one.

    Raises:
        UsageError: LV684 for words that name none.

    """
    known = {str(member): member for member in kind}
    found = names(text)
    wrong = [word for word in found if word not in known]
    if wrong:
        raise UsageError("LV684", place=", ".join(wrong), known=", ".join(known))
    return tuple(known[word] for word in found)


def whole_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list.

    Raises:
        UsageError: LV683 where it is empty or one is no whole number above 0.

    """
    return _numbers(text, "LV683", int, lambda number: number >= 1)


def degrees(text: str) -> tuple[float, ...]:
    """Return the degrees of saturation of a list.

    Raises:
        UsageError: LV732 where it is empty or one is no number between 0 and 1.5.

    """
    return _numbers(text, "LV732", float, lambda number: 0 < number <= MOST_X)


def _numbers(
    text: str, code: str, read: Callable[[str], N], fits: Callable[[N], bool]
) -> tuple[N, ...]:
    words = [word.strip() for word in text.split(",")]
    wrong = [word or "-" for word in words if not _fits(word, read, fits)]
    if wrong:
        raise UsageError(code, place=", ".join(wrong))
    return tuple(read(word) for word in words)


def _fits(word: str, read: Callable[[str], N], fits: Callable[[N], bool]) -> bool:
    try:
        return fits(read(word))
    except ValueError:
        return False
