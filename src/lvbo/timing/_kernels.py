# SPDX-License-Identifier: Apache-2.0
"""The inner loops of the plan search: S stages, M movements, R green windows of two stages or more.

Arrays that all functions share, times in s, flows in veh/h:

`greens` (S,) whole seconds as floats; `sat` (S, M) saturation of a movement in a stage, 0 where it
is red; `base` (M,) green from intergreens inside a window less the net loss; `ref` (M,) the
saturation at which `base` discharges; `extra` (M,) veh/h x s that leave at ends of green;
`volume`, `weight`, `noise` = 8 k I, `pf` (M,); `gaps` (S,) the intergreen after each stage;
`split` (M,) true where a movement has several windows; `low`, `high` (S,) bounds of greens;
`mask` (R, S), `need` (R,) least sums of greens.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@njit(cache=True)
def capacities(
    greens: Array, cycle: float, sat: Array, base: Array, ref: Array, extra: Array, out: Array
) -> None:
    """Write the capacity of each movement, veh/h, to `out` (M,)."""
    stages, movements = sat.shape
    for m in range(movements):
        total = extra[m] + ref[m] * base[m]
        for s in range(stages):
            total += sat[s, m] * greens[s]
        out[m] = max(total, 0.0) / cycle


@njit(cache=True)
def pressure(
    greens: Array,
    cycle: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    cap: Array,
) -> float:
    """Return the sum of the 64th powers of saturation, a smooth stand-in for the largest one."""
    capacities(greens, cycle, sat, base, ref, extra, cap)
    total = 0.0
    for m in range(volume.shape[0]):
        if volume[m] > 0:
            x = volume[m] / max(cap[m], 1e-3 * volume[m])
            x2 = x * x
            x4 = x2 * x2
            x8 = x4 * x4
            x16 = x8 * x8
            x32 = x16 * x16
            total += x32 * x32
    return total


@njit(cache=True)
def worst(
    greens: Array,
    cycle: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    cap: Array,
) -> float:
    """Return the largest saturation of all movements with demand."""
    capacities(greens, cycle, sat, base, ref, extra, cap)
    most = 0.0
    for m in range(volume.shape[0]):
        if volume[m] > 0:
            most = max(most, volume[m] / max(cap[m], 1e-3 * volume[m]))
    return most


@njit(cache=True)
def squared_reds(greens: Array, gaps: Array, sat: Array, m: int, lost: float) -> float:
    """Return the sum of the squares of the reds between the windows of movement m, s^2.

    `lost` is what each window loses net of its end gain.
    """
    stages = sat.shape[0]
    first = 0
    while first < stages and not (sat[first, m] > 0 and sat[(first + 1) % stages, m] == 0):
        first += 1
    total = 0.0
    red = 0.0
    for step in range(stages):
        s = (first + step) % stages
        after = (s + 1) % stages
        if sat[s, m] == 0:
            red += greens[s]
        if sat[s, m] == 0 or sat[after, m] == 0:
            red += gaps[s]
        if sat[after, m] > 0 and red > 0:
            total += (red + lost) ** 2
            red = 0.0
    return total


@njit(cache=True)
def total_delay(
    greens: Array,
    cycle: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    weight: Array,
    noise: Array,
    pf: Array,
    period: float,
    gaps: Array,
    split: Flags,
    lost: Array,
    cap: Array,
    delay: Array,
) -> float:
    """Return the weighted delay in veh s per h, and write each movement's s/veh to `delay` (M,).

    HCM 7, eqs. 19-19 and 19-26, as in `delay.control_delay`; where a movement has several windows
    the squares of its reds are added, so that two short reds cost less than one long one.
    """
    capacities(greens, cycle, sat, base, ref, extra, cap)
    stages, movements = sat.shape
    total = 0.0
    for m in range(movements):
        green = base[m]
        for s in range(stages):
            if sat[s, m] > 0:
                green += greens[s]
        share = min(max(green / cycle, 0.0), 1.0)
        usable = max(cap[m], 1e-9)
        x = volume[m] / usable
        reds = (cycle * (1 - share)) ** 2
        if split[m]:
            reds = min(reds, squared_reds(greens, gaps, sat, m, lost[m]))
        first = 0.5 * reds / cycle / max(1 - min(1.0, x) * share, 1e-12) * pf[m]
        over = x - 1
        second = 900 * period * (over + np.sqrt(over * over + noise[m] * x / (usable * period)))
        delay[m] = first + second
        total += weight[m] * volume[m] * delay[m]
    return total


@njit(cache=True)
def may_take(greens: Array, s: int, low: Array, mask: Array, need: Array) -> bool:
    """Say whether stage s can give up a second."""
    if greens[s] - 1 < low[s] - 1e-9:
        return False
    for r in range(mask.shape[0]):
        if mask[r, s] > 0:
            length = -1.0
            for t in range(greens.shape[0]):
                length += mask[r, t] * greens[t]
            if length < need[r] - 1e-9:
                return False
    return True


@njit(cache=True)
def spread(
    greens: Array,
    cycle: float,
    rest: int,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    low: Array,
    high: Array,
    mask: Array,
    need: Array,
    cap: Array,
) -> None:
    """Add `rest` seconds to `greens` in place and level saturation by moving single seconds."""
    stages = greens.shape[0]
    for _ in range(rest):
        best = -1
        least = np.inf
        for s in range(stages):
            if greens[s] + 1 <= high[s] + 1e-9:
                greens[s] += 1
                value = pressure(greens, cycle, sat, base, ref, extra, volume, cap)
                greens[s] -= 1
                if value < least:
                    least = value
                    best = s
        greens[best] += 1
    now = pressure(greens, cycle, sat, base, ref, extra, volume, cap)
    better = True
    while better:
        better = False
        give = -1
        take = -1
        least = now * (1 - 1e-12)
        for a in range(stages):
            if not may_take(greens, a, low, mask, need):
                continue
            for b in range(stages):
                if a == b or greens[b] + 1 > high[b] + 1e-9:
                    continue
                greens[a] -= 1
                greens[b] += 1
                value = pressure(greens, cycle, sat, base, ref, extra, volume, cap)
                greens[a] += 1
                greens[b] -= 1
                if value < least:
                    least = value
                    give = a
                    take = b
        if give >= 0:
            greens[give] -= 1
            greens[take] += 1
            now = least
            better = True


@njit(cache=True)
def settle(
    greens: Array,
    cycle: float,
    limit: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    weight: Array,
    noise: Array,
    pf: Array,
    period: float,
    gaps: Array,
    split: Flags,
    lost: Array,
    low: Array,
    high: Array,
    mask: Array,
    need: Array,
    cap: Array,
    delay: Array,
) -> float:
    """Move single seconds in place while delay falls and no saturation passes `limit`."""
    stages = greens.shape[0]
    now = total_delay(
        greens,
        cycle,
        sat,
        base,
        ref,
        extra,
        volume,
        weight,
        noise,
        pf,
        period,
        gaps,
        split,
        lost,
        cap,
        delay,
    )
    better = True
    while better:
        better = False
        give = -1
        take = -1
        least = now * (1 - 1e-12)
        for a in range(stages):
            if not may_take(greens, a, low, mask, need):
                continue
            for b in range(stages):
                if a == b or greens[b] + 1 > high[b] + 1e-9:
                    continue
                greens[a] -= 1
                greens[b] += 1
                value = total_delay(
                    greens,
                    cycle,
                    sat,
                    base,
                    ref,
                    extra,
                    volume,
                    weight,
                    noise,
                    pf,
                    period,
                    gaps,
                    split,
                    lost,
                    cap,
                    delay,
                )
                if (
                    value < least
                    and worst(greens, cycle, sat, base, ref, extra, volume, cap) <= limit
                ):
                    least = value
                    give = a
                    take = b
                greens[a] += 1
                greens[b] -= 1
        if give >= 0:
            greens[give] -= 1
            greens[take] += 1
            now = least
            better = True
    return now


@njit(cache=True)
def sweep(
    first: int,
    last: int,
    start: Array,
    limit: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volume: Array,
    weight: Array,
    noise: Array,
    pf: Array,
    period: float,
    gaps: Array,
    split: Flags,
    lost: Array,
    low: Array,
    high: Array,
    mask: Array,
    need: Array,
    out_greens: Array,
    out_delay: Array,
    out_worst: Array,
) -> None:
    """Fit greens at every whole cycle from `first` to `last`; row k of the outputs is first + k.

    `start` (S,) satisfies all bounds and does not fill the first cycle. Each cycle starts from the
    level greens of the one before. The least possible largest saturation is found first; delay is
    then lowered without passing it, or `limit` where that is larger.
    """
    movements = sat.shape[1]
    cap = np.empty(movements)
    delay = np.empty(movements)
    level = start.copy()
    best = start.copy()
    for cycle in range(first, last + 1):
        rest = round(cycle - gaps.sum() - level.sum())
        spread(level, float(cycle), rest, sat, base, ref, extra, volume, low, high, mask, need, cap)
        bound = max(
            limit, worst(level, float(cycle), sat, base, ref, extra, volume, cap) * (1 + 1e-9)
        )
        rest = round(cycle - gaps.sum() - best.sum())
        spread_one = best.copy()
        if rest == 1:
            s_best = -1
            least = np.inf
            for s in range(best.shape[0]):
                if best[s] + 1 <= high[s] + 1e-9:
                    spread_one[s] += 1
                    value = total_delay(
                        spread_one,
                        float(cycle),
                        sat,
                        base,
                        ref,
                        extra,
                        volume,
                        weight,
                        noise,
                        pf,
                        period,
                        gaps,
                        split,
                        lost,
                        cap,
                        delay,
                    )
                    spread_one[s] -= 1
                    if value < least:
                        least = value
                        s_best = s
            spread_one[s_best] += 1
        fits = (
            rest == 1
            and worst(spread_one, float(cycle), sat, base, ref, extra, volume, cap) <= bound
        )
        best = spread_one if fits else level.copy()
        row = cycle - first
        out_delay[row] = settle(
            best,
            float(cycle),
            bound,
            sat,
            base,
            ref,
            extra,
            volume,
            weight,
            noise,
            pf,
            period,
            gaps,
            split,
            lost,
            low,
            high,
            mask,
            need,
            cap,
            delay,
        )
        out_worst[row] = worst(best, float(cycle), sat, base, ref, extra, volume, cap)
        out_greens[row] = best


@njit(cache=True)
def slot_delays(
    greens: Array,
    cycle: float,
    sat: Array,
    base: Array,
    ref: Array,
    extra: Array,
    volumes: Array,
    weight: Array,
    noise: Array,
    pf: Array,
    period: float,
    gaps: Array,
    split: Flags,
    lost: Array,
    out: Array,
) -> None:
    """Write the delay of each slot and movement, s/veh, to `out`; `volumes`, `out` (N, M)."""
    cap = np.empty(volumes.shape[1])
    for n in range(volumes.shape[0]):
        total_delay(
            greens,
            cycle,
            sat,
            base,
            ref,
            extra,
            volumes[n],
            weight,
            noise,
            pf,
            period,
            gaps,
            split,
            lost,
            cap,
            out[n],
        )
