# SPDX-License-Identifier: Apache-2.0
"""Local civil times of count files: ways of writing, 24:00, and the days the clock changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_S = 86_400
DATE = re.compile(
    r"(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"|(?<!\d)(?P<packed>\d{8})(?!\d)"
)
CLOCK = r"(\d{1,2})\s*[:：时]\s*(\d{1,2})?\s*(?:[:：分]\s*(\d{1,2})?(?:\.\d+)?)?\s*秒?"
TIME = re.compile(CLOCK)
RANGE = re.compile(CLOCK + r"\s*(?:-|~|～|—|–|至|到)+\s*" + CLOCK)
OFFSET = re.compile(r"(?:\d|\s)(Z|[+-]\d{2}:?\d{2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The start of an interval: local day and second, its end where written, UTC where written."""

    day: date
    second: int
    end_second: int | None = None
    utc: datetime | None = None
    is_24: bool = False


def read_stamp(day_text: str, time_text: str, end_text: str, zone: ZoneInfo) -> Stamp | None:
    """Return what the cells of one row say about time; None where they cannot be read.

    `day_text` may be empty where `time_text` holds the date too. A missing start with an end given
    leaves `second` equal to the end: the caller subtracts the interval. `is_24` marks a 24:00 that
    stands alone: only the end of an interval is written so.
    """
    exact = _with_offset(time_text, zone)
    if exact is not None:
        return exact
    day = _day(day_text or time_text)
    if day is None:
        return None
    clock = DATE.sub(" ", time_text, count=1).replace("T", " ").strip()
    span = RANGE.search(clock)
    end = _second(TIME.search(end_text.replace("T", " "))) if end_text else None
    if span:
        start, end = _of(span.groups()[:3]), _of(span.groups()[3:])
    elif clock:
        start = _second(TIME.fullmatch(clock))
    else:
        start = end if end_text else 0
    if start is None or (end_text and end is None):
        return None
    return _stamp(day, start, end)


def _stamp(day: date, start: int, end: int | None) -> Stamp | None:
    if start > DAY_S or (end is not None and end > DAY_S):
        return None
    if end is not None and end <= start and end != start:
        end += DAY_S
    if start == DAY_S:
        return Stamp(day=day + timedelta(days=1), second=0, is_24=True)
    return Stamp(day=day, second=start, end_second=end)


def _with_offset(text: str, zone: ZoneInfo) -> Stamp | None:
    if not OFFSET.search(text.strip()) or not DATE.match(text.strip()):
        return None
    try:
        utc = datetime.fromisoformat(text.strip()).astimezone(UTC)
    except ValueError:
        return None
    local = utc.astimezone(zone)
    return Stamp(day=local.date(), second=_seconds(local), utc=utc)


def _day(text: str) -> date | None:
    found = DATE.search(text)
    if not found:
        return None
    packed = found["packed"]
    parts = (packed[:4], packed[4:6], packed[6:]) if packed else found.group("y", "m", "d")
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def _second(found: re.Match[str] | None) -> int | None:
    return None if found is None else _of(found.groups())


def _of(parts: tuple[str | None, ...]) -> int | None:
    hour, minute, second = (int(part or 0) for part in parts)
    if minute > 59 or second > 59:  # noqa: PLR2004  a clock
        return None
    return 3600 * hour + 60 * minute + second


def _seconds(local: datetime) -> int:
    return 3600 * local.hour + 60 * local.minute + local.second


def to_utc(day: date, second: int, zone: ZoneInfo, *, later: bool = False) -> datetime | None:
    """Return the instant of a local civil time, or None where the clock jumps over it.

    Where the clock is turned back the time occurs twice; `later` takes the second one.
    """
    naive = datetime.combine(day, datetime.min.time()) + timedelta(seconds=second)
    local = naive.replace(tzinfo=zone, fold=int(later))
    utc = local.astimezone(UTC)
    back = utc.astimezone(zone).replace(tzinfo=None)
    return utc if back == naive else None


def occurs_twice(day: date, second: int, zone: ZoneInfo) -> bool:
    """Say whether a local civil time occurs twice because the clock is turned back."""
    naive = datetime.combine(day, datetime.min.time()) + timedelta(seconds=second)
    early, late = (naive.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return early is not None and late is not None and early > late
