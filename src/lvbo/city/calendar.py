# SPDX-License-Identifier: Apache-2.0
"""The periods of a winter workday in `yuci` and how strong traffic is through the day.

Office hours are 8-12 and 14:30-18, so the city has four peaks. Shares are of the AM peak hour.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

DAY_S = 86_400
SLOT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time of day with one plan; `share` is the flow the plan is made for, of the AM peak."""

    code: str
    begin_s: int
    cycle_s: int
    share: float
    eastbound: bool
    """Whether the one-way offsets favour eastbound traffic, the heavy direction of the morning."""


class Span(StrEnum):
    """What of the day is simulated: a part of the morning, an hour of a period, the whole day."""

    SHORT = "demo"
    OFFPEAK = "offpeak"
    AM = "am"
    PM = "pm"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A span that is simulated: warm-up from `begin_s`, judged, and run out until `end_s`.

    `period` is the one whose plan runs first.
    """

    code: str
    period: str
    begin_s: int
    judged_from_s: int
    judged_to_s: int
    end_s: int


def _clock(hours: int, minutes: int = 0) -> int:
    return hours * 3600 + minutes * 60


_TABLE = (
    ("night", _clock(0), 70, 0.15, True),
    ("dawn", _clock(6), 90, 0.50, True),
    ("am", _clock(7), 130, 1.00, True),
    ("morning", _clock(8, 30), 110, 0.70, True),
    ("noon", _clock(11, 20), 120, 0.80, True),
    ("midday", _clock(12, 30), 90, 0.60, False),
    ("return", _clock(13, 50), 120, 0.72, False),
    ("afternoon", _clock(14, 50), 110, 0.70, False),
    ("pm", _clock(17), 135, 0.95, False),
    ("evening", _clock(19), 110, 0.60, False),
    ("late", _clock(20, 30), 90, 0.40, False),
    ("night", _clock(22, 30), 70, 0.15, False),
)
SWITCHES: tuple[tuple[int, str], ...] = tuple((row[1], row[0]) for row in _TABLE)
"""When each plan starts on a winter workday, seconds after midnight; night holds until 06:00."""

PERIODS: tuple[Period, ...] = tuple(
    Period(code=code, begin_s=begin, cycle_s=cycle, share=share, eastbound=eastbound)
    for code, begin, cycle, share, eastbound in _TABLE[:-1]
)

PROOFS = (
    Proof(
        code="am",
        period="am",
        begin_s=_clock(7),
        judged_from_s=_clock(7, 15),
        judged_to_s=_clock(8, 15),
        end_s=_clock(8, 25),
    ),
    Proof(
        code="offpeak",
        period="morning",
        begin_s=_clock(9, 15),
        judged_from_s=_clock(9, 30),
        judged_to_s=_clock(10, 30),
        end_s=_clock(10, 40),
    ),
    Proof(
        code="pm",
        period="pm",
        begin_s=_clock(17, 15),
        judged_from_s=_clock(17, 30),
        judged_to_s=_clock(18, 30),
        end_s=_clock(18, 40),
    ),
)

PILOT_PROOFS = (
    *PROOFS[:2],
    Proof(
        code="demo",
        period="morning",
        begin_s=_clock(9, 15),
        judged_from_s=_clock(9, 30),
        judged_to_s=_clock(9, 50),
        end_s=_clock(9, 55),
    ),
)
"""What is simulated of the pilot section; `demo` is short, so that a first look takes a minute."""

DAY = Proof(
    code="day",
    period="dawn",
    begin_s=_clock(6),
    judged_from_s=_clock(6, 15),
    judged_to_s=_clock(22, 15),
    end_s=_clock(22, 30),
)
"""A winter workday from the first peak's foot to the night plan; too large to be shipped."""

PEAKS = frozenset({"am", "pm"})
"""The periods in which buses run at their full frequency."""

_WORKDAY = (
    (0.0, 0.10), (1.5, 0.06), (3.0, 0.04), (4.5, 0.06), (5.5, 0.12), (6.25, 0.30), (6.875, 0.60),
    (7.125, 0.80), (7.375, 0.94), (7.625, 1.11), (7.875, 1.03), (8.125, 0.92), (8.375, 0.80),
    (8.75, 0.73), (9.5, 0.70), (10.75, 0.70), (11.25, 0.74), (11.67, 0.80), (12.1, 0.76),
    (12.7, 0.60), (13.6, 0.58), (14.25, 0.72), (15.0, 0.68), (16.5, 0.70), (17.125, 0.76),
    (17.375, 0.84), (17.625, 0.92), (17.875, 1.05), (18.125, 0.98), (18.375, 0.87), (18.75, 0.78),
    (19.5, 0.58), (20.5, 0.45), (22.0, 0.25), (23.0, 0.15), (24.0, 0.10),
)  # fmt: skip
_WEEKEND = (
    (0.0, 0.14), (3.0, 0.05), (6.0, 0.12), (8.0, 0.38), (10.5, 0.70), (19.0, 0.70),
    (20.5, 0.48), (22.0, 0.30), (24.0, 0.14),
)  # fmt: skip


def share_at(second: float, *, workday: bool = True) -> float:
    """Return the flow at a second of the day as a share of the AM peak hour; linear in between."""
    curve = _WORKDAY if workday else _WEEKEND
    hour = (second % DAY_S) / 3600
    return _on_curve(curve, hour)


def morning_weight(second: float, *, workday: bool = True) -> float:
    """Return how much of a slot's traffic follows the morning's directions, 0..1."""
    if not workday:
        return 0.5
    curve = ((0.0, 0.5), (5.5, 0.5), (6.5, 1.0), (8.5, 1.0), (9.5, 0.5), (16.5, 0.5), (17.25, 0.0))
    return _on_curve((*curve, (19.0, 0.0), (20.0, 0.5), (24.0, 0.5)), second / 3600)


def period_at(second: int) -> str:
    """Return the code of the period that a second of a workday lies in."""
    starts = [begin for begin, _ in SWITCHES]
    return SWITCHES[bisect_right(starts, second) - 1][1]


def _on_curve(curve: tuple[tuple[float, float], ...], hour: float) -> float:
    for (left, low), (right, high) in pairwise(curve):
        if left <= hour <= right:
            return low + (high - low) * (hour - left) / (right - left)
    return curve[-1][1]
