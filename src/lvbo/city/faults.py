# SPDX-License-Identifier: Apache-2.0
"""What makes days and detectors of `yuci` differ: weather, holidays, and detector faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lvbo.city.counts import CountLane

SNOW = (date(2025, 12, 11), date(2025, 12, 12), date(2025, 12, 13))
ICE = (date(2025, 12, 14), date(2025, 12, 15))
HOLIDAY = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3))
MAKE_UP_WORKDAY = date(2026, 1, 4)
OUTAGE_DAY, OUTAGE_SLOTS = date(2025, 12, 18), (36, 60)
DEAD = ("WH_HT.WH_P_3", "end_JL_n.YH_JL.s_2")
STUCK_ON, STUCK_VALUE = "YH_HT.YH_XJ.s_4", 225
UNDER_COUNTING, UNDER_SHARE = "AN_XJ.AN_YB.s_4", 0.80
SWAPPED = ("AN_HT.AN_XJ.s_6", "AN_HT.AN_XJ.s_5")
OUTAGE_SITE = "YH_ZD"
LATE_CLOCK_SITE, LATE_CLOCK_S = "AN_YB", 7
_SATURDAY = 5
_MONDAY, _FRIDAY = 0, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFactors:
    """What a day does to traffic and to saturation flow, and whether offices are open."""

    workday: bool
    traffic: float = 1.0
    saturation: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Which columns of the count table are wrong, and how."""

    dead: tuple[int, ...]
    stuck: int
    under: int
    swapped: tuple[int, int]
    outage: tuple[int, ...]
    late: tuple[int, ...]

    @classmethod
    def of(cls, lanes: Sequence[CountLane]) -> Faults:
        """Return the faults as column numbers of these lanes."""
        at = {lane.code: number for number, lane in enumerate(lanes)}
        at_site = {number: lane.site.code for number, lane in enumerate(lanes)}
        return cls(
            dead=tuple(at[code] for code in DEAD),
            stuck=at[STUCK_ON],
            under=at[UNDER_COUNTING],
            swapped=(at[SWAPPED[0]], at[SWAPPED[1]]),
            outage=tuple(n for n, code in at_site.items() if code == OUTAGE_SITE),
            late=tuple(n for n, code in at_site.items() if code == LATE_CLOCK_SITE),
        )

    @staticmethod
    def table() -> tuple[list[str], list[list[str]]]:
        """Return the list of faults, for tests and readers; no planner sees it."""
        return ["fault", "where", "value"], [
            *(["dead", code, "0"] for code in DEAD),
            ["stuck_on", STUCK_ON, str(STUCK_VALUE)],
            ["under_counting", UNDER_COUNTING, str(UNDER_SHARE)],
            ["swapped", " ".join(SWAPPED), ""],
            ["outage_6_h", OUTAGE_SITE, OUTAGE_DAY.isoformat()],
            ["late_clock", LATE_CLOCK_SITE, f"{LATE_CLOCK_S} s"],
        ]


def day_factors(day: date) -> DayFactors:
    """Return the factors of a day: snow 11-13 December and ice after it, holiday, working days."""
    workday = day == MAKE_UP_WORKDAY or (day.weekday() < _SATURDAY and day not in HOLIDAY)
    if day in SNOW:
        return DayFactors(workday=workday, traffic=0.85, saturation=0.80)
    if day in ICE:
        return DayFactors(workday=workday, traffic=0.93, saturation=0.90)
    if day in HOLIDAY:
        return DayFactors(workday=False, traffic=0.90)
    ordinary = {_MONDAY: 1.02, _FRIDAY: 1.03}
    return DayFactors(workday=workday, traffic=ordinary.get(day.weekday(), 1.0))


def with_faults(counts: NDArray[np.float64], day: date, faults: Faults) -> NDArray[np.float64]:
    """Return one day's counts (slots, lanes) as the faulty detectors report them."""
    found = counts.copy()
    late = list(faults.late)
    share = LATE_CLOCK_S / 900
    before = np.vstack([counts[:1, late], counts[:-1, late]])
    found[:, late] = np.round((1 - share) * counts[:, late] + share * before)
    left, through = faults.swapped
    found[:, [left, through]] = found[:, [through, left]]
    found[:, faults.under] = np.round(UNDER_SHARE * found[:, faults.under])
    found[:, faults.stuck] = STUCK_VALUE
    found[:, list(faults.dead)] = 0
    if day == OUTAGE_DAY:
        found[OUTAGE_SLOTS[0] : OUTAGE_SLOTS[1], list(faults.outage)] = np.nan
    return found
