# SPDX-License-Identifier: Apache-2.0
"""The cycle from flow ratios: Webster's optimum, the cycle for a wanted saturation, their splits.

`ratio` is Y, the sum of the critical flow ratios; `lost_s` is L, the lost time per cycle
(see `critical` for the three ways of counting it). All times are in s.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lvbo.errors import Finding, InfeasibleError, Severity, UsageError
from lvbo.timing.arrays import Array, real

REDESIGN_RATIO = 0.9
"""Above this Y the approaches or stages want a new design (Chinese intersection design, 8.5.4)."""


def webster_cycle(ratio: float, lost_s: float) -> float:
    """Return the delay-optimal cycle (1.5 L + 5) / (1 - Y): Webster (1958)."""
    _check(ratio, lost_s, saturation=1.0)
    return (1.5 * lost_s + 5) / (1 - ratio)


def target_cycle(ratio: float, lost_s: float, saturation: float) -> float:
    """Return the cycle L X / (X - Y) at which the critical saturation is X (HCM 7, ch. 31, 7)."""
    _check(ratio, lost_s, saturation=saturation)
    return lost_s * saturation / (saturation - ratio)


def least_cycle(ratio: float, lost_s: float) -> float:
    """Return the cycle L / (1 - Y), below which a critical movement never clears."""
    return target_cycle(ratio, lost_s, 1.0)


def near_optimal_cycles(ratio: float, lost_s: float) -> tuple[float, float]:
    """Return 0.75 and 1.5 times Webster's cycle: within, delay rises by 10 to 20 % at most."""
    best = webster_cycle(ratio, lost_s)
    return 0.75 * best, 1.5 * best


def critical_saturation(ratio: float, lost_s: float, cycle_s: float) -> float:
    """Return Xc = Y C / (C - L), the saturation of all critical movements alike (eq. 19-30)."""
    if cycle_s <= lost_s:
        raise InfeasibleError("LV502", cycle_s=cycle_s, lost_s=lost_s, conflict=("C", "L"))
    return ratio * cycle_s / (cycle_s - lost_s)


def webster_greens(flow_ratios: ArrayLike, lost_s: float, cycle_s: float) -> Array:
    """Return effective greens y / Y (C - L): equal saturation in every stage."""
    y = real(flow_ratios)
    if cycle_s <= lost_s:
        raise InfeasibleError("LV502", cycle_s=cycle_s, lost_s=lost_s, conflict=("C", "L"))
    return np.asarray(y / y.sum() * (cycle_s - lost_s))


def target_greens(flow_ratios: ArrayLike, cycle_s: float, saturation: float) -> Array:
    """Return effective greens y C / X."""
    return np.asarray(real(flow_ratios) * cycle_s / saturation)


def displayed_greens(
    effective_s: ArrayLike, start_loss_s: ArrayLike, amber_s: ArrayLike, *, amber_used_s: ArrayLike
) -> Array:
    """Return displayed greens g + l - used amber; `amber_used_s` lies between 0 and the amber."""
    if np.any(np.asarray(amber_used_s) > np.asarray(amber_s)):
        raise UsageError("LV503", used_s=amber_used_s, amber_s=amber_s)
    return np.asarray(real(effective_s) + np.asarray(start_loss_s) - np.asarray(amber_used_s))


def round_up_cycle(cycle_s: float, step_s: int) -> int:
    """Return the next whole multiple of `step_s`, as sheets print cycles."""
    return math.ceil(cycle_s / step_s - 1e-9) * step_s


def redesign_finding(place: str, ratio: float) -> Finding | None:
    """Return a finding where Y leaves too little of the cycle (Chinese design, 8.5.4)."""
    if ratio <= REDESIGN_RATIO:
        return None
    return Finding(
        code="LV525", place=place, severity=Severity.WARNING, fields={"ratio": round(ratio, 2)}
    )


def _check(ratio: float, lost_s: float, *, saturation: float) -> None:
    if ratio < 0 or lost_s < 0 or saturation <= 0:
        raise UsageError("LV504", ratio=ratio, lost_s=lost_s, saturation=saturation)
    if ratio >= saturation:
        raise InfeasibleError("LV501", ratio=ratio, saturation=saturation, conflict=("Y", "X"))
