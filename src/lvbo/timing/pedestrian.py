# SPDX-License-Identifier: Apache-2.0
"""People on foot and on bicycles: the green they need, how long they wait, their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lvbo.errors import Finding, Severity, UsageError
from lvbo.timing.delay import Level
from lvbo.timing.queue import FOOT_M, MPH_MPS

WALK_MPS = 1.0
LEAST_WALK_S = 7.0
LONGEST_WAIT_S = 70.0
LONGEST_WAIT_REFUGE_S = 90.0
WALK_USED_OF_CLEARANCE_S = 4.0
BICYCLE_SATURATION_PH = 2000.0
_SCORES = (1.5, 2.5, 3.5, 4.5, 5.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingTimes:
    """What a pedestrian lamp shows, whole s: steady green, then flashing green or clearance."""

    walk_s: int
    clear_s: int

    @property
    def total_s(self) -> int:
        """Return both together: the least green of a stage that contains the crossing."""
        return self.walk_s + self.clear_s


def crossing_times(
    length_m: float, *, speed_mps: float = WALK_MPS, walk_s: float = LEAST_WALK_S
) -> CrossingTimes:
    """Return steady green and a flash in which the last one to enter crosses fully.

    GB/T 51439-2021, 9.2.1: who enters in the last second of steady green reaches the far side, or
    the refuge, before red.
    """
    _check_speed(speed_mps)
    return CrossingTimes(walk_s=_up(walk_s), clear_s=_up(length_m / speed_mps))


def two_stage_times(
    parts_m: Sequence[float], *, speed_mps: float = WALK_MPS, walk_s: float = LEAST_WALK_S
) -> tuple[CrossingTimes, ...]:
    """Return the times of each part of a crossing with refuges: each part clears on its own."""
    return tuple(crossing_times(part, speed_mps=speed_mps, walk_s=walk_s) for part in parts_m)


def manual_times(
    length_m: float,
    *,
    clearing_mps: float = 3.5 * FOOT_M,
    button_m: float | None = None,
    total_mps: float = 3.0 * FOOT_M,
    walk_s: float = LEAST_WALK_S,
) -> CrossingTimes:
    """Return walk and clearance by MUTCD 2009, 4E.06.

    With the button `button_m` from the kerb, walk and clearance together also serve someone who
    walks from the button at `total_mps`.
    """
    clear = _up(length_m / clearing_mps)
    whole = 0 if button_m is None else _up((length_m + button_m) / total_mps)
    return CrossingTimes(walk_s=max(_up(walk_s), whole - clear), clear_s=clear)


def textbook_minimum(
    length_m: float, intergreen_s: float, *, speed_mps: float = WALK_MPS, start_s: float = 7.0
) -> float:
    """Return g = 7 + L / v - I in s, where the vehicles' intergreen counts (Chinese textbooks)."""
    return max(0.0, start_s + length_m / speed_mps - intergreen_s)


def longest_wait(cycle_s: float, steady_s: float, services: int = 1) -> float:
    """Return the longest wait in s, C less the steady green, equal services; flash is no green."""
    return cycle_s / services - steady_s


def wait_finding(place: str, wait_s: float, *, refuge: bool) -> Finding | None:
    """Return advice where people wait longer than 70 s, 90 s with a refuge (GB/T 51439 9.2.1)."""
    limit_s = LONGEST_WAIT_REFUGE_S if refuge else LONGEST_WAIT_S
    if wait_s <= limit_s:
        return None
    fields = {"wait_s": round(wait_s), "limit_s": round(limit_s)}
    return Finding(code="LV515", place=place, severity=Severity.ADVICE, fields=fields)


def flash_finding(place: str, flash_s: float, length_m: float, speed_mps: float) -> Finding | None:
    """Return advice where the pedestrian flash is shorter than the crossing takes."""
    needed_s = length_m / speed_mps
    if flash_s >= needed_s:
        return None
    fields = {"flash_s": flash_s, "needed_s": round(needed_s, 1)}
    return Finding(code="LV516", place=place, severity=Severity.ADVICE, fields=fields)


def walk_delay(cycle_s: float, walk_s: float) -> float:
    """Return d_p = (C - g)^2 / 2 C in s, g = walk + 4 (HCM 7, eqs. 19-51 and 19-54)."""
    green = min(cycle_s, walk_s + WALK_USED_OF_CLEARANCE_S)
    return (cycle_s - green) ** 2 / (2 * cycle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkWindow:
    """When a walk light comes in the cycle: its start and its length, s."""

    start_s: float
    walk_s: float

    @property
    def green_s(self) -> float:
        """Return the effective walk, walk + 4 s."""
        return self.walk_s + WALK_USED_OF_CLEARANCE_S


def two_stage_delay(
    cycle_s: float, windows: Sequence[WalkWindow], crossing_s: Sequence[float]
) -> float:
    """Return the mean wait in s over all stages of a crossing with refuges.

    `crossing_s[k]` is the walking time from the kerb of stage k to that of stage k + 1. People come
    evenly over the cycle; whoever meets no walk waits for the next one (HCM 7, eqs. 19-78 to
    19-88, here derived from the offsets and free of cases). People who enter in walk stay spread
    over it; the others leave with its start.
    """
    first = windows[0]
    total = (cycle_s - first.green_s) ** 2 / (2 * cycle_s)
    bunched = 1 - first.green_s / cycle_s
    for (before, after), walking in zip(pairwise(windows), crossing_s, strict=True):
        arrival = before.start_s + walking
        together = _wait(after, cycle_s, arrival)
        spread = _wait_sum(after, cycle_s, arrival, before.green_s) / before.green_s
        total += bunched * together + (1 - bunched) * spread
    return total


def _wait(window: WalkWindow, cycle_s: float, at_s: float) -> float:
    """Return the wait of someone who comes at a second of the cycle."""
    since = (at_s - window.start_s) % cycle_s
    return 0.0 if since < window.green_s else cycle_s - since


def _wait_sum(window: WalkWindow, cycle_s: float, from_s: float, length_s: float) -> float:
    """Return the integral of the wait over an interval that starts at a second of the cycle."""
    begin = (from_s - window.start_s) % cycle_s
    rounds, rest = divmod(begin + length_s, cycle_s)
    whole = _partial(window, cycle_s, cycle_s)
    return rounds * whole + _partial(window, cycle_s, rest) - _partial(window, cycle_s, begin)


def _partial(window: WalkWindow, cycle_s: float, until_s: float) -> float:
    """Return the integral of the wait from the start of walk."""
    if until_s <= window.green_s:
        return 0.0
    return cycle_s * (until_s - window.green_s) - (until_s**2 - window.green_s**2) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedStreet:
    """The street a crosswalk leads over, for the pedestrian score (HCM 7, ch. 19, section 5)."""

    lanes_crossed: int
    through_lanes: int
    volume_vph: float
    speed85_mps: float
    turning_vph: float
    islands: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score of service and the parts that it is the sum of."""

    width: float
    vehicles: float
    speed: float = 0.0
    delay: float = 0.0
    base: float = 0.0

    @property
    def value(self) -> float:
        """Return the sum."""
        return self.base + self.width + self.vehicles + self.speed + self.delay

    @property
    def level(self) -> Level:
        """Return the level of service (HCM 7, exhibit 19-9)."""
        return list(Level)[sum(self.value > limit for limit in _SCORES)]


def lane_count_15min(street: CrossedStreet) -> float:
    """Return n_15, vehicles per lane of the crossed street in 15 min (HCM 7, eq. 19-60)."""
    return 0.25 * street.volume_vph / street.through_lanes


def pedestrian_score(street: CrossedStreet, delay_s: float) -> Score:
    """Return the pedestrian score of a crosswalk (HCM 7, eqs. 19-55 to 19-60)."""
    n15 = lane_count_15min(street)
    return Score(
        base=0.5997,
        width=0.681 * street.lanes_crossed**0.514,
        vehicles=0.00569 * street.turning_vph / 4 - street.islands * (0.0027 * n15 - 0.1946),
        speed=0.00013 * n15 * street.speed85_mps / MPH_MPS,
        delay=0.0401 * math.log(delay_s) if delay_s > 0 else 0.0,
    )


def bicycle_delay(
    volume_ph: float,
    green_s: float,
    cycle_s: float,
    *,
    saturation_ph: float = BICYCLE_SATURATION_PH,
) -> float:
    """Return d_b in s in a bicycle lane (HCM 7, eqs. 19-106 and 19-107)."""
    share = green_s / cycle_s
    full = min(1.0, volume_ph / (saturation_ph * share))
    return 0.5 * cycle_s * (1 - share) ** 2 / (1 - full * share)


def bicycle_score(
    cross_width_m: float, outside_width_m: float, volume_vph: float, through_lanes: int
) -> Score:
    """Return the bicycle score of an approach (HCM 7, eqs. 19-108 to 19-110).

    `cross_width_m` is the width of the street crossed, `outside_width_m` that of the outside lane
    with bicycle lane and shoulder.
    """
    width = (0.0153 * cross_width_m - 0.2144 * outside_width_m) / FOOT_M
    return Score(base=4.1324, width=width, vehicles=0.0066 * volume_vph / (4 * through_lanes))


def _up(seconds: float) -> int:
    return math.ceil(seconds - 1e-9)


def _check_speed(speed_mps: float) -> None:
    if speed_mps <= 0:
        raise UsageError("LV505", speed_mps=speed_mps)
