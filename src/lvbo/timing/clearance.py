# SPDX-License-Identifier: Apache-2.0
"""Yellow, all-red and the intergreen of a conflicting pair of movements.

The intergreen is counted from the end of one green to the start of the other, over the clearing
road users: the last one to leave has to be out of the conflict before the first one to enter
reaches it. Values of the users are data of a site; the defaults here are Chinese urban practice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from lvbo.errors import Finding, Severity, UsageError

GRAVITY = 9.81
FOOT_M = 0.3048
MPH_MPS = 0.44704


class User(StrEnum):
    """Who may still be in the conflict area when a green ends."""

    THROUGH = "through"
    TURNING = "turning"
    EBIKE = "ebike"
    PEDESTRIAN = "pedestrian"
    PEDESTRIAN_SCHOOL = "pedestrian_school"
    PEDESTRIAN_ICE = "pedestrian_ice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """How a road user leaves: time after the end of green at which the last one passes the line."""

    pass_s: float
    speed_mps: float
    length_m: float


CLEARING: Mapping[User, Clearing] = MappingProxyType(
    {
        User.THROUGH: Clearing(pass_s=3.0, speed_mps=10.0, length_m=6.0),
        User.TURNING: Clearing(pass_s=2.0, speed_mps=7.0, length_m=6.0),
        User.EBIKE: Clearing(pass_s=1.0, speed_mps=5.0, length_m=2.0),
        User.PEDESTRIAN: Clearing(pass_s=0.0, speed_mps=1.0, length_m=0.0),
        User.PEDESTRIAN_SCHOOL: Clearing(pass_s=0.0, speed_mps=0.8, length_m=0.0),
        User.PEDESTRIAN_ICE: Clearing(pass_s=0.0, speed_mps=0.9, length_m=0.0),
    }
)
ENTERING_MPS = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """One clearing user against the first entering one: metres from stop line to conflict point.

    `enter_m` is 0 where the entering users start from a waiting area beyond the stop line.
    """

    user: User
    clear_m: float
    enter_m: float


def intergreen(
    encounters: Iterable[Encounter],
    *,
    users: Mapping[User, Clearing] = CLEARING,
    entering_mps: float = ENTERING_MPS,
    observed_s: float = 0.0,
) -> float:
    """Return max over users of t_pass + (s_clear + l) / v_clear - s_enter / v_enter, in s.

    Never less than what was observed on site, and never below 0.
    """
    needed = [observed_s, 0.0]
    for meeting in encounters:
        leaving = users[meeting.user]
        travel = (meeting.clear_m + leaving.length_m) / leaving.speed_mps
        needed.append(leaving.pass_s + travel - meeting.enter_m / entering_mps)
    return max(needed)


def whole_seconds(intergreen_s: float) -> int:
    """Return the next whole second: plans that we make never shorten a clearance."""
    return math.ceil(intergreen_s - 1e-9)


def yellow(
    speed_mps: float,
    *,
    reaction_s: float = 1.0,
    braking_mps2: float = 3.0,
    grade: float = 0.0,
) -> float:
    """Return Y = t + v / (2 a + 2 g G) in s (ITE, kinematic); downhill `grade` is negative.

    What is installed stays: where this is longer, it is a finding (`yellow_finding`).
    """
    return reaction_s + speed_mps / (2 * _deceleration(braking_mps2, grade))


def yellow_for_turn(
    approach_mps: float,
    entry_mps: float,
    *,
    reaction_s: float = 1.0,
    braking_mps2: float = 3.0,
    grade: float = 0.0,
) -> float:
    """Return Y = t + (v0 - vE / 2) / (a + g G) in s (ITE 2020, extended kinematic equation).

    A trajectory study found it long for left turns: an offer, no default.
    """
    return reaction_s + (approach_mps - entry_mps / 2) / _deceleration(braking_mps2, grade)


def bounded_yellow(computed_s: float, *, least_s: float = 3.0, most_s: float = 6.0) -> float:
    """Return the yellow within its legal bounds (MUTCD 4D.26: 3 to 6 s)."""
    return min(most_s, max(least_s, computed_s))


def rounded_yellow(computed_s: float, *, step_s: float = 0.5) -> float:
    """Return the bounded yellow rounded up to a step (Maryland, COMAR 11.04.14.03: 0.5 s)."""
    return bounded_yellow(math.ceil(computed_s / step_s - 1e-9) * step_s)


def yellow_finding(
    place: str, installed_s: float, computed_s: float, *, margin_s: float = 0.5
) -> Finding | None:
    """Return a finding where an installed yellow lies below the computed one; it stays as it is."""
    if computed_s - installed_s <= margin_s:
        return None
    return Finding(
        code="LV509",
        place=place,
        severity=Severity.ADVICE,
        fields={"installed_s": installed_s, "computed_s": round(computed_s, 1)},
    )


def all_red(width_m: float, vehicle_m: float, speed_mps: float, *, credit_s: float = 0.0) -> float:
    """Return R = (W + L) / V in s, less the credit some agencies take (1 s), at least 0 (ITE)."""
    if speed_mps <= 0:
        raise UsageError("LV505", speed_mps=speed_mps)
    return max(0.0, (width_m + vehicle_m) / speed_mps - credit_s)


def german_yellow(limit_kmh: float) -> float:
    """Return 3, 4 or 5 s at a limit up to 50, 60 or 70 km/h (RiLSA)."""
    return 3.0 + min(2, max(0, math.ceil((limit_kmh - 50) / 10)))


def german_intergreen(crossing_s: float, clearing_s: float, entering_s: float) -> float:
    """Return crossing + clearing - entering time in s, at least 0 (RiLSA)."""
    return max(0.0, crossing_s + clearing_s - entering_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmberRed:
    """An intergreen as it is shown: yellow, then all-red, in s."""

    yellow_s: float
    red_s: float


def chinese_intergreen(
    difference_m: float, speed_mps: float, *, braking_s: float, amber_s: float = 3.0
) -> AmberRed:
    """Return I = z / u + ts as 3 s of amber and the rest all-red (intersection design, 8.5.3).

    `difference_m` is z, how much further the clearing stop line lies from the conflict point.
    Below 3 s the amber alone stands.
    """
    needed = difference_m / speed_mps + braking_s
    return AmberRed(yellow_s=amber_s, red_s=max(0.0, needed - amber_s))


def _deceleration(braking_mps2: float, grade: float) -> float:
    slowing = braking_mps2 + GRAVITY * grade
    if slowing <= 0:
        raise UsageError("LV506", braking_mps2=braking_mps2, grade=grade)
    return slowing
