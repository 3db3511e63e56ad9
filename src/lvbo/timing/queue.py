# SPDX-License-Identifier: Apache-2.0
"""How far the queue reaches: deterministic queue, back of queue, storage, stop rate.

Back of queue and stop rate are those of HCM 7, chapter 31, section 4, and chapter 18; per lane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lvbo.errors import Finding, Severity, UsageError

MPH_MPS = 0.44704
FOOT_M = 0.3048
Z_95 = 1.64
_STOPPED_MPS = 5 * MPH_MPS
_ACCELERATING_MPS2 = 3.5 * FOOT_M
_BRAKING_MPS2 = 4.0 * FOOT_M
_CAR_M = 25 * FOOT_M
_HEAVY_M = 45 * FOOT_M
_LARGEST_FACTOR = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane of a group under a signal: flows in veh/h, times in s.

    `green_arrivals` is P, the share that arrives on green; None means uniform arrivals, g / C.
    `slowing_s` is the time lost by braking and starting alone (`slowing_delay`).
    """

    volume_vph: float
    saturation_vph: float
    green_s: float
    cycle_s: float
    green_arrivals: float | None = None
    slowing_s: float = 0.0

    @property
    def capacity_vph(self) -> float:
        """Return s g / C."""
        return self.saturation_vph * self.green_s / self.cycle_s

    @property
    def x(self) -> float:
        """Return volume over capacity."""
        return self.volume_vph / self.capacity_vph

    @property
    def arrivals(self) -> float:
        """Return the share that arrives on green."""
        share = self.green_s / self.cycle_s
        return share if self.green_arrivals is None else self.green_arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOfQueue:
    """The three terms of the back of queue, veh per lane: in the cycle, overflow, initial queue."""

    cyclic_veh: float
    overflow_veh: float
    initial_veh: float = 0.0

    @property
    def mean_veh(self) -> float:
        """Return Q1 + Q2 + Q3 (HCM 7, eq. 31-149)."""
        return self.cyclic_veh + self.overflow_veh + self.initial_veh

    def percentile_veh(self, lane: Lane, *, z: float = Z_95, upstream: float = 1.0) -> float:
        """Return the queue not exceeded with the probability of `z` (HCM 7, eq. 31-150 to 153)."""
        random = self.cyclic_veh + self.overflow_veh
        if random <= 0:
            return self.initial_veh
        factor = 1 + z * math.sqrt(upstream / random)
        if lane.x >= 1:
            share = (lane.green_s / lane.cycle_s) ** 0.33
            factor += 0.60 * z**0.24 * share * (1 - math.exp(2 - 2 * lane.x))
        return random * min(_LARGEST_FACTOR, factor) + self.initial_veh


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleQueue:
    """The deterministic queue of one cycle: delay in s/veh and veh s, longest queue, clearing."""

    mean_delay_s: float
    total_veh_s: float
    longest_veh: float
    clearing_s: float


def deterministic_queue(
    volume_vph: float, saturation_vph: float, green_s: float, cycle_s: float
) -> CycleQueue:
    """Return the D/D/1 queue of a cycle: uniform arrivals, service at saturation in green."""
    red = cycle_s - green_s
    q, s = volume_vph / 3600, saturation_vph / 3600
    clearing = red * q / (s - q) if s > q else math.inf
    if clearing > green_s + 1e-9:
        raise UsageError("LV517", volume_vph=volume_vph, capacity_vph=s * 3600 * green_s / cycle_s)
    total = 0.5 * q * red * (red + clearing)
    return CycleQueue(
        mean_delay_s=total / (q * cycle_s) if q > 0 else 0.0,
        total_veh_s=total,
        longest_veh=q * red,
        clearing_s=clearing,
    )


def slowing_delay(limit_mps: float) -> float:
    """Return d_a in s: what braking to a crawl and starting again costs (HCM 7, eq. 31-131)."""
    cruising = 0.90 * (25.6 * MPH_MPS + 0.47 * limit_mps)
    change = (cruising - _STOPPED_MPS) ** 2 / (2 * cruising)
    return change * (1 / _ACCELERATING_MPS2 + 1 / _BRAKING_MPS2)


def stopped_vehicles(lane: Lane) -> float:
    """Return N_f, vehicles per lane and cycle that stop fully (HCM 7, eqs. 31-133 to 31-140).

    This is the first term of the back of queue as well (31-141).
    """
    if lane.volume_vph <= 0 or not 0 < lane.green_s < lane.cycle_s:
        return 0.0
    q = min(lane.volume_vph, lane.capacity_vph) / 3600
    s = lane.saturation_vph / 3600
    p, slow, green = lane.arrivals, lane.slowing_s, lane.green_s
    red = lane.cycle_s - green
    full = min(1.0, lane.x)
    in_red = (1 - p) * q * lane.cycle_s / red
    if slow <= (1 - p) * green * lane.x:
        clearing = q * lane.cycle_s * (1 - p - p * slow / green) / (s * (1 - full * p))
        return max(0.0, in_red * red + p * q * lane.cycle_s / green * (clearing - slow))
    clearing = q * lane.cycle_s * (1 - p) * (red - slow) / (s * (red - full * (1 - p) * green))
    return max(0.0, in_red * (red - slow + clearing))


def back_of_queue(
    lane: Lane, incremental_s: float, *, initial_veh: float = 0.0, period_h: float = 0.25
) -> BackOfQueue:
    """Return Q1, Q2, Q3 of a lane (HCM 7, eqs. 31-141 to 31-148).

    `incremental_s` is the lane's incremental delay d2, `initial_veh` its queue at the start.
    """
    return BackOfQueue(
        cyclic_veh=stopped_vehicles(lane),
        overflow_veh=lane.capacity_vph * incremental_s / 3600,
        initial_veh=_initial_term(lane, initial_veh, period_h),
    )


def _initial_term(lane: Lane, begin: float, period_h: float) -> float:
    if begin <= 0:
        return 0.0
    growth = lane.volume_vph - lane.capacity_vph
    lasting = period_h if growth >= 0 else min(period_h, begin / -growth)
    end = begin + lasting * growth
    end_alone = max(0.0, period_h * growth)
    return lasting * (begin + end - end_alone) / 2 / period_h


def vehicle_spacing_m(heavy_percent: float = 0.0) -> float:
    """Return the length of a queued vehicle with its gap in m (HCM 7, eq. 31-155)."""
    return _CAR_M + (_HEAVY_M - _CAR_M) * heavy_percent / 100


def storage_ratio(queue_veh: float, storage_m: float, *, spacing_m: float = _CAR_M) -> float:
    """Return queue length over storage length, R_Q (HCM 7, eq. 31-154); above 1 it spills."""
    return queue_veh * spacing_m / storage_m


def storage_finding(
    place: str, queue_veh: float, storage_m: float, spacing_m: float
) -> Finding | None:
    """Return a finding where a queue is longer than the space it has."""
    if storage_ratio(queue_veh, storage_m, spacing_m=spacing_m) <= 1:
        return None
    return Finding(
        code="LV524",
        place=place,
        severity=Severity.WARNING,
        fields={"queue_m": round(queue_veh * spacing_m), "storage_m": round(storage_m)},
    )


def stop_rate(lane: Lane, stopped_veh: float, overflow_veh: float) -> float:
    """Return full stops per vehicle at a signal (HCM 7, eq. 18-11).

    `overflow_veh` is Q2 + Q3; both queues are per lane.
    """
    served = min(1.0, lane.x) * lane.green_s * lane.saturation_vph
    return 3600 * (stopped_veh / served + overflow_veh / (lane.volume_vph * lane.cycle_s))
