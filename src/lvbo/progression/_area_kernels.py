# SPDX-License-Identifier: Apache-2.0
"""Platoons between signals of one cycle: dispersion, queues on profiles, the best offset of one.

Cyclic flow profiles after TRANSYT (Robertson, 1969): q'(t + beta T) = F q(t) + (1 - F) q'(t + beta
T - 1) with F = 1 / (1 + alpha beta T). All profiles are in veh/s per second of the area clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Area(NamedTuple):
    """L lanes and E feeders of signals with one cycle of C seconds.

    `rates[L, C]` is discharge on the signal's own clock, `owner[L]` its signal, `base[L]` the
    uniform arrivals and `total[L]` all arrivals in veh/s. A feeder sends `share[E]` of the
    departures of lane `source[E]` on, `lag[E]` s later, smoothed by `smooth[E]`.
    Feeders are sorted by target: those of lane l are `into[l]` to `into[l + 1]`. Lanes of signal s
    are `first[s]` to `first[s + 1]`. A stop costs as much as `stop_s` seconds of delay.
    """

    rates: Floats
    owner: Ints
    base: Floats
    total: Floats
    source: Ints
    share: Floats
    lag: Ints
    smooth: Floats
    into: Ints
    first: Ints
    stop_s: float


@njit(cache=True)
def disperse(leave: Floats, share: float, lag: int, smooth: float, arrive: Floats) -> None:
    """Add a dispersed, delayed share of a departure profile to `arrive[C]`."""
    cycle = leave.shape[0]
    value = leave.mean()
    for turn in range(2):
        for t in range(cycle):
            value += smooth * (leave[t] - value)
            if turn == 1:
                arrive[(t + lag) % cycle] += share * value


@njit(cache=True)
def arrivals(area: Area, leave: Floats, lane: int, arrive: Floats) -> None:
    """Fill `arrive[C]` with all that comes to a lane."""
    arrive[:] = area.base[lane]
    for e in range(area.into[lane], area.into[lane + 1]):
        disperse(leave[area.source[e]], area.share[e], area.lag[e], area.smooth[e], arrive)
    mean = arrive.mean()
    if mean > 0.0:
        arrive *= area.total[lane] / mean


@njit(cache=True)
def lane_queue(rate: Floats, offset: int, arrive: Floats, leave: Floats, stop_s: float) -> float:
    """Run one lane to its steady cycle; fill `leave[C]`; return veh-s of delay per cycle.

    Vehicles that cannot leave in the second they arrive stop, each for `stop_s` more.

    Arrivals beyond 98 % of the capacity are left to the random and oversaturation delay, which
    offsets do not change.
    """
    cycle = rate.shape[0]
    room, wanted = rate.sum(), arrive.sum()
    load = 1.0 if wanted <= 0.98 * room else 0.98 * room / wanted
    queue, delay = 0.0, 0.0
    for turn in range(3):
        delay = 0.0
        before = queue
        for t in range(cycle):
            queue += arrive[t] * load
            out = min(queue, rate[(t - offset) % cycle])
            queue -= out
            leave[t] = out
            delay += queue + stop_s * min(queue, arrive[t] * load)
        if turn > 0 and abs(queue - before) < 0.02:
            break
    return delay


@njit(cache=True)
def run_area(area: Area, offsets: Ints, sweeps: int, leave: Floats, delay: Floats) -> float:
    """Run all lanes `sweeps` times; fill `leave[L, C]` and `delay[L]`; return veh-s per cycle."""
    arrive = np.empty(leave.shape[1])
    for _ in range(sweeps):
        for lane in range(leave.shape[0]):
            arrivals(area, leave, lane, arrive)
            offset = offsets[area.owner[lane]]
            delay[lane] = lane_queue(area.rates[lane], offset, arrive, leave[lane], area.stop_s)
    return float(delay.sum())


@njit(cache=True)
def signal_cost(
    area: Area, signal: int, offset: int, leave: Floats, offsets: Ints, own: Floats, spare: Floats
) -> float:
    """Return veh-s per cycle of a signal's lanes and of the lanes it feeds, at a trial offset.

    `own[l, C]` receives the departures of its lanes; `spare[2, C]` is scratch.
    """
    a, b = area.first[signal], area.first[signal + 1]
    cost = 0.0
    for lane in range(a, b):
        arrivals(area, leave, lane, spare[0])
        cost += lane_queue(area.rates[lane], offset, spare[0], own[lane - a], area.stop_s)
    for lane in range(leave.shape[0]):
        if area.owner[lane] == signal or not _fed_by(area, lane, a, b):
            continue
        spare[0][:] = area.base[lane]
        for e in range(area.into[lane], area.into[lane + 1]):
            source = area.source[e]
            if a <= source < b:
                disperse(own[source - a], area.share[e], area.lag[e], area.smooth[e], spare[0])
            else:
                disperse(leave[source], area.share[e], area.lag[e], area.smooth[e], spare[0])
        mean = spare[0].mean()
        if mean > 0.0:
            spare[0] *= area.total[lane] / mean
        turn = offsets[area.owner[lane]]
        cost += lane_queue(area.rates[lane], turn, spare[0], spare[1], area.stop_s)
    return cost


@njit(cache=True)
def _fed_by(area: Area, lane: int, a: int, b: int) -> bool:
    sources = area.source[area.into[lane] : area.into[lane + 1]]
    return bool(((sources >= a) & (sources < b)).any())


@njit(cache=True)
def best_offset(area: Area, signal: int, allowed: Ints, offsets: Ints, leave: Floats) -> int:
    """Return which of the allowed offsets of a signal costs least, all else as it is."""
    cycle = leave.shape[1]
    own = np.empty((area.first[signal + 1] - area.first[signal], cycle))
    spare = np.empty((2, cycle))
    best, lowest = offsets[signal], np.inf
    for k in range(allowed.shape[0]):
        cost = signal_cost(area, signal, allowed[k], leave, offsets, own, spare)
        if cost < lowest - 1e-9:
            best, lowest = allowed[k], cost
    return int(best)
