# SPDX-License-Identifier: Apache-2.0
"""Left turns that wait for gaps: saturation in gaps, unblocked green, capacity, their delay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lvbo.timing.arrays import Array, quotient, real

CRITICAL_GAP_S = 4.5
FOLLOW_UP_S = 2.5
SNEAKERS = 2.0
"""Vehicles that turn at the end of a permitted green from one lane (HCM 7, ch. 31)."""


VEHICLE_M, STANDING_M = 5.0, 7.5
"""A vehicle, and the room that one takes which stands behind another."""
MOST_INSIDE = 2


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


# shared lanes ---------------------------------------------------------------------------------


def inner_room(path_m: float) -> int:
    """Return how many yielding drivers stand inside an intersection, clear of the lane behind them.

    They wait half way along their path: the first needs a vehicle's length to the stop line, each
    further one a standing place more; at most two. 30 m give room for two, 8 m for none.
    """
    return max(0, min(MOST_INSIDE, math.floor((path_m / 2 - VEHICLE_M) / STANDING_M) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSecond:
    """What the lamps give a lane in one second, as shares of its drivers; the rest has red.

    `free` go, `yields` wait for gaps and find `gap_vps` of them, veh/s.
    """

    free: float
    yields: float = 0.0
    gap_vps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """Who holds a lane up: chances, not numbers.

    `held` that somebody who has red stands at its head; `waiting[n - 1]` that n drivers wait for
    gaps. Up to `room` of them stand inside the intersection; one more closes the lane.
    """

    held: float = 0.0
    waiting: tuple[float, ...] = (0.0,)

    @property
    def open(self) -> float:
        """Return the chance that the next driver finds the lane open."""
        return (1 - self.held) * (1 - self.waiting[-1])


def shared_lane(
    seconds: Sequence[LaneSecond], sat_vps: float, room: int
) -> tuple[list[float], LaneState]:
    """Return what a lane of several turns lets go each second, veh/s, and how it ends.

    It starts open with a queue whose turns come by chance. Drivers leave at saturation flow while
    the lane is open. The first who has red closes it: so 1 / x leave in a green that a share x of
    them does not have, that one counted as he reaches the stop line. Drivers who yield go on into
    the intersection and leave one by one in gaps, a queue of `room` + 1 places (M/M/1/K); when the
    lamps change, those inside clear and who stands at the stop line begins the next green. The
    steady state without room inside is s g / (g + p s), the harmonic mean of both rates.
    """
    state, found, before = LaneState(waiting=(0.0,) * (room + 1)), [], LaneSecond(free=0.0)
    for now in seconds:
        state = _lamps_change(state, before, now)
        is_lit = now.free + now.yields > 0
        found.append(sat_vps * state.open if is_lit else 0.0)
        if is_lit:
            state = _one_second(state, now, sat_vps)
        before = now
    return found, state


def _lamps_change(state: LaneState, before: LaneSecond, now: LaneSecond) -> LaneState:
    """Return the state after the lamps: who had red may go, who is inside clears."""
    red, had = (1 - second.free - second.yields for second in (now, before))
    lit = red < 1
    held = state.held * (min(1.0, red / had) if had > 0 else 1.0) if lit else 0.0
    waiting = state.waiting
    if now.yields <= 0 < before.yields:
        last = 0.0 if lit else waiting[-1]
        waiting = (last, *(0.0 for _ in waiting[1:]))
    return LaneState(held=held, waiting=waiting)


def _one_second(state: LaneState, now: LaneSecond, sat_vps: float) -> LaneState:
    """Return the state a second later."""
    red = 1 - now.free - now.yields
    held = state.held + red * sat_vps * state.open
    comes = now.yields * sat_vps * (1 - state.held)
    chances = (1 - sum(state.waiting), *state.waiting)
    last = len(chances) - 1
    waiting = []
    for n in range(1, last + 1):
        goes = now.gap_vps * (chances[n] - (chances[n + 1] if n < last else 0.0))
        stays = comes * (chances[n] if n < last else 0.0)
        waiting.append(chances[n] + comes * chances[n - 1] - stays - goes)
    return LaneState(held=held, waiting=tuple(waiting))
