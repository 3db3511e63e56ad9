# SPDX-License-Identifier: Apache-2.0
"""Left turns that wait for gaps: saturation in gaps, unblocked green, capacity, their delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lvbo.timing.arrays import Array, quotient, real

CRITICAL_GAP_S = 4.5
FOLLOW_UP_S = 2.5
SNEAKERS = 2.0
"""Vehicles that turn at the end of a permitted green from one lane (HCM 7, ch. 31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A part of the cycle with one discharge rate; `extra_veh` leave at its end (sneakers)."""

    duration_s: float
    rate_vph: float
    extra_veh: float = 0.0


def permitted_saturation(
    opposing_vph: ArrayLike,
    *,
    critical_gap_s: float = CRITICAL_GAP_S,
    follow_up_s: float = FOLLOW_UP_S,
) -> Array:
    """Return s_p = v exp(-v tc) / (1 - exp(-v tf)) in veh/h of unblocked green (HCM 7, 31-100).

    Without opposing traffic it is 3600 / tf.
    """
    opposing = np.maximum(real(opposing_vph), 1e-6)
    gaps = np.exp(-opposing * critical_gap_s / 3600)
    return np.asarray(opposing * gaps / -np.expm1(-opposing * follow_up_s / 3600))


def blocked_green(
    opposing_vph: ArrayLike,
    opposing_saturation_vph: ArrayLike,
    opposing_green_s: ArrayLike,
    cycle_s: ArrayLike,
) -> Array:
    """Return g_q, the part of the opposing green that its own queue takes, in s.

    Uniform arrivals: the queue of the red, v r, leaves at s - v; at most the whole green.
    """
    volume = real(opposing_vph)
    green = real(opposing_green_s)
    spare = real(opposing_saturation_vph) - volume
    red = real(cycle_s) - green
    clearing = quotient(volume * red, spare, otherwise=np.inf)
    return np.asarray(np.minimum(green, clearing))


def permitted_rate(
    gap_saturation_vph: ArrayLike, green_s: ArrayLike, blocked_s: ArrayLike
) -> Array:
    """Return the mean discharge over a whole permitted green, veh/h: s_p (g - g_q) / g.

    This is the saturation flow that a search over stage greens takes for a permitted stage. It
    depends on the opposing green, so fit, update and fit again.
    """
    green = real(green_s)
    open_share = quotient(np.maximum(green - real(blocked_s), 0), green, otherwise=0.0)
    return np.asarray(real(gap_saturation_vph) * open_share)


def permitted_capacity(
    saturation_vph: ArrayLike,
    unblocked_s: ArrayLike,
    cycle_s: ArrayLike,
    *,
    sneakers: float = SNEAKERS,
) -> Array:
    """Return c = (g_u s_p + 3600 n_s) / C in veh/h for one lane (HCM 7, eq. 31-119)."""
    through_gaps = real(saturation_vph) * real(unblocked_s)
    return np.asarray((through_gaps + 3600 * sneakers) / real(cycle_s))


def protected_permitted_capacity(
    protected: Service, permitted: Service, cycle_s: float, *, sneakers: float = SNEAKERS
) -> float:
    """Return the capacity of a left turn with both kinds of green (HCM 7, eq. 31-124), veh/h."""
    served = protected.duration_s * protected.rate_vph + permitted.duration_s * permitted.rate_vph
    return (served + 3600 * sneakers) / cycle_s


def polygon_delay(services: Sequence[Service], volume_vph: float) -> float:
    """Return the uniform delay in s/veh under any cyclic pattern of service rates.

    This is the queue accumulation polygon (HCM 7, ch. 19, section 4): arrivals are uniform, above
    capacity they are cut down to it, and the queue of the last part carries into the first. The
    services cover one cycle in order.
    """
    cycle_s = sum(part.duration_s for part in services)
    able = sum(part.duration_s * part.rate_vph / 3600 + part.extra_veh for part in services)
    if volume_vph <= 0:
        return 0.0
    arrivals = min(volume_vph / 3600, able / cycle_s)
    if arrivals <= 0:
        return float("inf")
    queue = 0.0
    for _ in range(3):  # the queue repeats from the second round on; the third is measured
        area, queue = _one_round(services, arrivals, queue)
    return area / (arrivals * cycle_s)


def _one_round(services: Sequence[Service], arrivals: float, queue: float) -> tuple[float, float]:
    """Return the queue's area over one cycle in veh s, and the queue at its end."""
    area = 0.0
    for part in services:
        slope = arrivals - part.rate_vph / 3600
        growing_s = part.duration_s
        if slope < 0:
            growing_s = min(growing_s, queue / -slope)
        end = max(0.0, queue + slope * growing_s)
        area += 0.5 * (queue + end) * growing_s
        queue = max(0.0, end - part.extra_veh)
    return area, queue
