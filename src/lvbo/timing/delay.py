# SPDX-License-Identifier: Apache-2.0
"""Control delay at a signal: uniform, incremental, initial queue; progression; levels of service.

Formulas are those of HCM 7, chapter 19. `PF` (progression) and `I` (filtering by the signal
upstream) are what make coordination visible: with both at 1 no green wave can show a gain.

Every function broadcasts its arguments, so that (slots, movements) against (movements,) works.
Volumes and capacities in veh/h, times in s, the analysis period in h.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from lvbo.timing.arrays import Array, quotient, real

PRETIMED_K = 0.5
PLATOON_RATIO = {1: 0.333, 2: 0.667, 3: 1.0, 4: 1.333, 5: 1.667, 6: 2.0}
"""Platoon ratio by arrival type (HCM 7, exhibit 19-13): 3 is random, 5 favourable, 1 very poor."""
_LEVELS_S = (10.0, 20.0, 35.0, 55.0, 80.0)


class Level(StrEnum):
    """Levels of service, A the best."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a delay depends on besides flow and green: numbers or arrays that broadcast.

    `period_h` is the analysis period T; `k` the incremental delay factor (0.5 where the timing is
    fixed, see `actuated_k`); `upstream` the filtering I (`upstream_filter`); `progression` PF
    (`progression_factor`).
    """

    period_h: ArrayLike = 0.25
    k: ArrayLike = PRETIMED_K
    upstream: ArrayLike = 1.0
    progression: ArrayLike = 1.0


def control_delay(
    volume_vph: ArrayLike,
    saturation_vph: ArrayLike,
    green_s: ArrayLike,
    cycle_s: ArrayLike,
    conditions: Conditions | None = None,
) -> Array:
    """Return d1 PF + d2 in s/veh, any shapes that broadcast (HCM 7, eq. 19-18 without d3).

    `green_s` is effective, `saturation_vph` that of all lanes. Volume without capacity waits for
    ever (inf); where there is no volume the delay is that of a lone vehicle.
    """
    saturation = real(saturation_vph)
    cycle = real(cycle_s)
    share = np.clip(real(green_s) / cycle, 0.0, 1.0)
    capacity = saturation * share
    volume = real(volume_vph)
    usable = np.maximum(capacity, 1e-9)
    x = volume / usable
    given = conditions or Conditions()
    first = _uniform(cycle, share, x) * real(given.progression)
    second = incremental_delay(x, usable, given.period_h, k=given.k, upstream=given.upstream)
    return np.asarray(np.where((capacity <= 0) & (volume > 0), np.inf, first + second))


def uniform_delay(
    x: ArrayLike, green_s: ArrayLike, cycle_s: ArrayLike, *, progression: ArrayLike = 1.0
) -> Array:
    """Return d1 = PF 0.5 C (1 - u)^2 / (1 - min(1, X) u), u = g / C (HCM 7, eq. 19-19)."""
    cycle = real(cycle_s)
    share = real(green_s) / cycle
    return np.asarray(_uniform(cycle, share, real(x)) * real(progression))


def _uniform(cycle: Array, share: Array, x: Array) -> Array:
    # At u = 1 there is no red and no delay: the quotient is 0 / 0 there, its limit 0.
    below = np.maximum(1 - np.minimum(1.0, x) * share, 1e-12)
    return np.asarray(0.5 * cycle * (1 - share) ** 2 / below)


def incremental_delay(
    x: ArrayLike,
    capacity_vph: ArrayLike,
    period_h: ArrayLike,
    *,
    k: ArrayLike = PRETIMED_K,
    upstream: ArrayLike = 1.0,
) -> Array:
    """Return d2 = 900 T [(X - 1) + sqrt((X - 1)^2 + 8 k I X / (c T))] (HCM 7, eq. 19-26)."""
    over = real(x) - 1
    t = real(period_h)
    noise = 8 * real(k) * real(upstream) * (over + 1) / (real(capacity_vph) * t)
    return np.asarray(900 * t * (over + np.sqrt(over**2 + noise)))


def initial_queue_delay(
    queue_veh: ArrayLike, volume_vph: ArrayLike, capacity_vph: ArrayLike, period_h: ArrayLike
) -> Array:
    """Return d3 in s/veh, the delay from a queue that is there already (HCM 7, 19-44 to 19-49)."""
    begin, volume, cap, t = np.broadcast_arrays(
        *(real(a) for a in (queue_veh, volume_vph, capacity_vph, period_h))
    )
    lasting, end_alone = _queue_time(begin, volume, cap, t)
    end = begin + lasting * (volume - cap)
    growth = lasting * (begin + end - end_alone) / 2
    squares = (end**2 - end_alone**2 - begin**2) / (2 * cap)
    some = (begin > 0) & (volume > 0)
    scale = np.where(some, quotient(3600.0, volume * t, otherwise=0.0), 0.0)
    return np.asarray(scale * (growth + squares))


def queue_after(
    queue_veh: ArrayLike, volume_vph: ArrayLike, capacity_vph: ArrayLike, period_h: ArrayLike
) -> Array:
    """Return the queue left at the end of a period: the next period's initial queue (19-45)."""
    begin, volume, cap, t = (real(a) for a in (queue_veh, volume_vph, capacity_vph, period_h))
    return np.asarray(np.maximum(0.0, begin + t * (volume - cap)))


def _queue_time(begin: Array, volume: Array, cap: Array, t: Array) -> tuple[Array, Array]:
    """Return t_A in h and Q_eo in veh (HCM 7, eqs. 19-46 to 19-49)."""
    over = volume >= cap
    clearing = quotient(begin, cap - volume, otherwise=0.0)
    lasting = np.where(over, t, np.minimum(clearing, t))
    return lasting, np.where(over, t * (volume - cap), 0.0)


def green_arrivals(platoon_ratio: ArrayLike, green_s: ArrayLike, cycle_s: ArrayLike) -> Array:
    """Return P = Rp g / C, the share that arrives on green, at most 1 (HCM 7, eq. 19-15)."""
    share = real(green_s) / real(cycle_s)
    return np.asarray(np.minimum(1.0, real(platoon_ratio) * share))


def progression_factor(
    green_share: ArrayLike, green_s: ArrayLike, cycle_s: ArrayLike, x: ArrayLike
) -> Array:
    """Return PF from P, the share arriving on green (HCM 7, eqs. 19-20 and 19-21)."""
    p = real(green_share)
    u = np.minimum(real(green_s) / real(cycle_s), 1 - 1e-9)
    full = np.minimum(1.0, real(x))
    y = full * u
    ahead = (1 - p) / (1 - u) * (1 - y) / np.maximum(1 - full * p, 1e-9)
    return np.asarray(ahead * (1 + y * (1 - p / u) / (1 - u)))


def upstream_filter(x_upstream: ArrayLike) -> Array:
    """Return I = 1 - 0.91 Xu^2.68, at least 0.09 (HCM 7, eq. 19-6); 1 where isolated."""
    x = np.clip(real(x_upstream), 0.0, 1.0)
    return np.asarray(np.maximum(0.09, 1 - 0.91 * x**2.68))


def actuated_k(volume_vph: ArrayLike, available_vph: ArrayLike, passage_s: ArrayLike) -> Array:
    """Return the incremental delay factor of an actuated phase (HCM 7, eqs. 19-22 and 19-23)."""
    pt = real(passage_s)
    least = np.maximum(0.04, -0.375 + 0.354 * pt - 0.0910 * pt**2 + 0.00889 * pt**3)
    ratio = real(volume_vph) / real(available_vph)
    return np.asarray(np.clip((1 - 2 * least) * (ratio - 0.5) + least, least, 0.5))


def mean_delay(volume_vph: ArrayLike, delay_s: ArrayLike) -> float:
    """Return the volume-weighted mean delay in s/veh (HCM 7, eqs. 19-28 and 19-29)."""
    volume = real(volume_vph)
    total = float(volume.sum())
    return float((volume * real(delay_s)).sum()) / total if total > 0 else 0.0


def level_of_service(delay_s: float, x: float = 0.0) -> Level:
    """Return the level of a lane group, or of an approach when `x` is left out (exhibit 19-8).

    The delay must be control delay; a saturation above 1 is F whatever the delay.
    """
    if x > 1:
        return Level.F
    return list(Level)[sum(delay_s > limit for limit in _LEVELS_S)]
