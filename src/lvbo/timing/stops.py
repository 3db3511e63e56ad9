# SPDX-License-Identifier: Apache-2.0
"""Driving along a street between two signals: running time, travel speed, stops per km.

HCM 7, chapter 18, in m and s; its regression constants are in miles per hour and feet.
"""

from __future__ import annotations

from dataclasses import dataclass

from lvbo.timing.queue import FOOT_M, MPH_MPS

_MILE_FT = 5280.0
_START_LOSS_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One direction of a street between two stop lines: lengths in m, shares 0 to 1.

    `median_share` has a median that cannot be crossed, `kerb_share` a kerb on the outside;
    `accesses` are driveways and side streets on both sides; `friction_s` is the time that turning
    vehicles cost at them; `spacing_m` is the distance of the signals, else the length.
    """

    length_m: float
    entry_width_m: float
    lanes: int
    limit_mps: float
    volume_vph: float
    median_share: float = 0.0
    kerb_share: float = 1.0
    accesses: int = 0
    friction_s: float = 0.0
    spacing_m: float | None = None


def base_free_speed(segment: Segment) -> float:
    """Return the base free-flow speed in m/s (HCM 7, eq. 18-3 and exhibit 18-11)."""
    constant = 25.6 + 0.47 * segment.limit_mps / MPH_MPS
    median, kerb = segment.median_share, segment.kerb_share
    section = 1.5 * median - 0.47 * kerb - 3.7 * median * kerb
    link_ft = (segment.length_m - segment.entry_width_m) / FOOT_M
    density = segment.accesses * _MILE_FT / link_ft
    return (constant + section - 0.078 * density / segment.lanes) * MPH_MPS


def free_speed(segment: Segment) -> float:
    """Return the free-flow speed, lower where signals are close (HCM 7, eqs. 18-4 and 18-5)."""
    base = base_free_speed(segment)
    spacing_ft = max(400.0, (segment.spacing_m or segment.length_m) / FOOT_M)
    return base * min(1.0, 1.02 - 4.7 * (base / MPH_MPS - 19.5) / spacing_ft)


def running_time(segment: Segment) -> float:
    """Return the time to drive the segment without stopping at its end, s (HCM 7, eq. 18-7)."""
    free = free_speed(segment)
    load = min(0.999999, segment.volume_vph / (52.8 * segment.lanes * free / MPH_MPS))
    proximity: float = 2 / (1 + (1 - load) ** 0.21)
    starting = (6.0 - _START_LOSS_S) / (0.0025 * segment.length_m / FOOT_M)
    return starting + segment.length_m / free * proximity + segment.friction_s


def running_speed(segment: Segment) -> float:
    """Return length over running time, m/s."""
    return segment.length_m / running_time(segment)


def travel_speed(segment: Segment, through_delay_s: float) -> float:
    """Return length over running time and control delay at its end, m/s (HCM 7, eq. 18-15)."""
    return segment.length_m / (running_time(segment) + through_delay_s)


def stops_per_km(segment: Segment, stops_per_vehicle: float, other_stops: float = 0.0) -> float:
    """Return the spatial stop rate (HCM 7, eq. 18-16, there per mile)."""
    return 1000 * (stops_per_vehicle + other_stops) / segment.length_m
