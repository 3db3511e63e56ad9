# SPDX-License-Identifier: Apache-2.0
"""What a green lets through: saturation flow with its adjustments, capacity, saturation.

Adjustments are those of HCM 7, chapters 19 and 31, with lengths in m. A site's own saturation flow
replaces `ideal_vph`; the factors stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lvbo.timing.arrays import Array, quotient, real

IDEAL_VPH = 1900.0
LEFT_EQUIVALENT = 1.05
RIGHT_EQUIVALENT = 1.18
CENTRAL_AREA = 0.90
_NARROW_M = 3.048
_WIDE_M = 3.932


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneAdjustments:
    """The factors of one lane group, each 1 where it does not apply (HCM 7, eq. 19-8)."""

    width: float = 1.0
    heavy_and_grade: float = 1.0
    parking: float = 1.0
    buses: float = 1.0
    area: float = 1.0
    lane_use: float = 1.0
    left_turn: float = 1.0
    right_turn: float = 1.0
    left_pedestrians: float = 1.0
    right_pedestrians: float = 1.0

    @property
    def product(self) -> float:
        """Return all factors multiplied."""
        along = self.width * self.heavy_and_grade * self.parking * self.buses * self.area
        turning = self.left_turn * self.right_turn * self.left_pedestrians * self.right_pedestrians
        return along * turning * self.lane_use


def saturation_flow(adjustments: LaneAdjustments, *, ideal_vph: float = IDEAL_VPH) -> float:
    """Return the adjusted saturation flow per lane, veh/h of green (HCM 7, eq. 19-8)."""
    return ideal_vph * adjustments.product


def width_factor(width_m: float) -> float:
    """Return f_w: 0.96 below 10 ft, 1.04 above 12.9 ft, else 1 (HCM 7, exhibit 19-20)."""
    if width_m < _NARROW_M - 1e-9:
        return 0.96
    return 1.04 if width_m > _WIDE_M else 1.0


def heavy_and_grade_factor(heavy_percent: float, grade_percent: float) -> float:
    """Return f_HVg from heavy vehicles and grade, both in % (HCM 7, eqs. 19-9 and 19-10)."""
    if grade_percent < 0:
        return (100 - 0.79 * heavy_percent - 2.07 * grade_percent) / 100
    return (100 - 0.78 * heavy_percent - 0.31 * grade_percent**2) / 100


def parking_factor(lanes: int, manoeuvres_ph: float) -> float:
    """Return f_p beside kerb parking (HCM 7, eq. 19-11), at least 0.05."""
    return max(0.05, (lanes - 0.1 - 18 * manoeuvres_ph / 3600) / lanes)


def bus_factor(lanes: int, stopping_ph: float) -> float:
    """Return f_bb for buses that stop within 75 m of the stop line (HCM 7, eq. 19-12)."""
    return max(0.05, (lanes - 14.4 * stopping_ph / 3600) / lanes)


def lane_use_factor(group_vph: float, heaviest_lane_vph: float, lanes: int) -> float:
    """Return f_LU: mean lane flow over the heaviest lane's flow (HCM 7, eq. 19-7)."""
    return group_vph / (lanes * heaviest_lane_vph)


def crossing_pedestrians_factor(
    pedestrians_ph: float, cycle_s: float, pedestrian_green_s: float, *, receiving_spare: bool
) -> float:
    """Return f_Rpb of a right turn through a green crossing (HCM 7, eqs. 31-72 to 31-82).

    `receiving_spare` says that the street turned into has more lanes than turn into it.
    """
    in_green_ph = min(5000.0, pedestrians_ph * cycle_s / pedestrian_green_s)
    occupied = min(in_green_ph / 2000, 0.4 + in_green_ph / 10_000)
    return 1 - (0.6 if receiving_spare else 1.0) * min(0.9, occupied)


def shared_right_saturation(
    through_vph: float,
    right_share: ArrayLike,
    *,
    right_equivalent: float = RIGHT_EQUIVALENT,
    pedestrian_factor: float = 1.0,
) -> Array:
    """Return the saturation of a through lane with a share of right turns (HCM 7, eq. 31-105)."""
    extra = right_equivalent / pedestrian_factor - 1
    return np.asarray(through_vph / (1 + real(right_share) * extra))


def effective_green(
    green_s: ArrayLike,
    yellow_s: ArrayLike,
    red_s: ArrayLike,
    *,
    start_loss_s: ArrayLike,
    end_gain_s: ArrayLike,
) -> Array:
    """Return g = G + Y + R - l1 - (Y + R - e), never below 0 (HCM 7, eqs. 19-1 to 19-3).

    The clearance cancels out: it is asked for so that the gain never reaches beyond it.
    """
    clearance = real(yellow_s) + np.asarray(red_s)
    gain = np.minimum(real(end_gain_s), clearance)
    return np.asarray(np.maximum(0.0, real(green_s) - real(start_loss_s) + gain))


def capacity(saturation_vph: ArrayLike, green_s: ArrayLike, cycle_s: ArrayLike) -> Array:
    """Return c = s g / C in veh/h; `green_s` is effective, `saturation_vph` of all lanes."""
    return np.asarray(real(saturation_vph) * real(green_s) / real(cycle_s))


def available_capacity(
    capacity_vph: ArrayLike, saturation_vph: ArrayLike, longest_green_s: ArrayLike, cycle_s: float
) -> Array:
    """Return c_a = max(c, s g_a / C), what an actuated phase could serve (HCM 7, eq. 19-24).

    A phase in a coordinated or simultaneous gap-out group can run past its own maximum: then its
    capacity is the larger one, and taking g_a alone makes the incremental delay too large.
    """
    longest = capacity(saturation_vph, longest_green_s, cycle_s)
    return np.asarray(np.maximum(real(capacity_vph), longest))


def saturation(volume_vph: ArrayLike, capacity_vph: ArrayLike) -> Array:
    """Return X = v / c; infinite where nothing serves some volume, 0 where there is none."""
    volume = real(volume_vph)
    return quotient(volume, capacity_vph, otherwise=np.where(volume > 0, np.inf, 0.0))
