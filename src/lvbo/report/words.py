# SPDX-License-Identifier: Apache-2.0
"""The words that figures and pages print, in the language of the reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from lvbo.signal.schedule import clock
from lvbo.text import Language, say, table

MPS_TO_KMH = 3.6
WIDE_FROM = 0x2E80  # from here on a letter is about one em wide
LATIN_EMS = 0.55
_BY_START = re.compile(r"p\d{4}")


class Heading(StrEnum):
    """The compass direction in which traffic goes."""

    N = "n"
    NE = "ne"
    E = "e"
    SE = "se"
    S = "s"
    SW = "sw"
    W = "w"
    NW = "nw"


HEADINGS = tuple(Heading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Turn keys of the text tables into words of one language."""

    language: Language

    def __call__(self, key: str, /, **fields: object) -> str:
        """Return the words of a key with its fields filled in; KeyError if there are none."""
        return say(key, self.language, **fields)

    def named(self, prefix: str, value: str) -> str:
        """Return the words for a value, such as `dry` of `word_weather`, or else the value."""
        return table(self.language).get(f"{prefix}_{value}", value)

    def period(self, name: str) -> str:
        """Return the name of a period, nothing where it is only named by its start (`p0700`)."""
        return "" if _BY_START.fullmatch(name) else self.named("word_period", name)

    def heading(self, heading: Heading | None) -> str:
        """Return a direction of travel: eastbound, 由西向东; None is both directions."""
        return self(f"word_bound_{heading}" if heading else "word_bound_both")

    def span(self, start_s: int, end_s: int) -> str:
        """Return a span of the day as HH:MM-HH:MM; an end at midnight reads 24:00."""
        return f"{clock(start_s)}–{clock(end_s or 86_400)}"

    def kmh(self, speed_mps: float) -> str:
        """Return a speed in whole km/h with its unit."""
        return f"{speed_mps * MPS_TO_KMH:.0f} km/h"


def heading_of(bearing_deg: float) -> Heading:
    """Return the nearest of the eight headings to a bearing (degrees clockwise from north)."""
    return HEADINGS[round(bearing_deg / 45) % 8]


def short(text: str, ems: float = 13.0) -> str:
    """Return a name with its middle left out where it is wider than `ems` Chinese characters."""
    if width_ems(text) <= ems:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while tail and width_ems(head) + width_ems(tail) > ems - 1:
        head, tail = (head[:-1], tail) if len(head) >= len(tail) else (head, tail[1:])
    return f"{head}…{tail}"


def width_ems(text: str) -> float:
    """Return how wide a text is, in Chinese characters."""
    return sum(1.0 if ord(letter) >= WIDE_FROM else LATIN_EMS for letter in text)
