# SPDX-License-Identifier: Apache-2.0
"""What a timing leaves unserved and what would cure it: findings, never changes.

Lane use (an approach whose other movements have room), stage merge (a stage that serves little and
costs an intergreen), gating (hold traffic back upstream), and queues longer than their storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import Finding, Severity
from lvbo.ids import MovementId
from lvbo.signal.lamp import Lamp
from lvbo.timing.delay import incremental_delay
from lvbo.timing.model import STATUS, ControllerModel, Timing
from lvbo.timing.queue import Lane, back_of_queue, storage_finding, vehicle_spacing_m

LATER_SHARE = 0.7
"""How much of the demand comes after the period, for the time to clear."""
GATED_X = 0.95
ROOM_X = 0.7
LIGHT_RATIO = 0.12
FEWEST_STAGES = 3

Floats = NDArray[np.float64]
Volumes = Mapping[MovementId, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Served:
    """What one timing gives: by movement wanted and possible veh/h, by lane wanted veh/h and x."""

    volume_vph: Floats
    capacity_vph: Floats
    lane_vph: Floats
    lane_x: Floats

    @property
    def x(self) -> Floats:
        """Return volume over capacity of each movement."""
        return self.volume_vph / np.maximum(self.capacity_vph, 1e-9)


def served(model: ControllerModel, timing: Timing, volumes_vph: Volumes) -> Served:
    """Return what a timing gives to every movement; one on several lanes gets its part of each."""
    volume = np.array([max(volumes_vph.get(m, 0.0), 0.0) for m in model.movements])
    parts = model.shares * np.nan_to_num(volume)
    lane_vph = parts.sum(axis=1)
    _, lane_x = model.lane_results(timing, lane_vph)
    capacity = (parts / np.maximum(lane_x, 1e-9)[:, None]).sum(axis=0)
    return Served(volume_vph=volume, capacity_vph=capacity, lane_vph=lane_vph, lane_x=lane_x)


def diagnose(
    model: ControllerModel, timing: Timing, volumes_vph: Volumes, place: str
) -> tuple[Finding, ...]:
    """Return queues without room and, where demand is over capacity, overloads and cures.

    `place` names controller and period.
    """
    given = served(model, timing, volumes_vph)
    found = _storage(model, timing, given, place)
    if (given.x > 1).any():
        found += [
            _headline(timing, given, place),
            *_overloads(model, timing, given, place),
            *_lane_use(model, given, place),
        ]
        found += _merges(model, timing, given, place) or _gating(model, given, place)
    return tuple(found)


def hours_to_clear(volume_vph: float, capacity_vph: float, period_h: float) -> float:
    """Return how long after the period the queue left over lasts, h; infinite where it stays.

    The queue (v - c) T shrinks at c - v `LATER_SHARE`.
    """
    left = max(0.0, volume_vph - capacity_vph) * period_h
    shrinking = capacity_vph - LATER_SHARE * volume_vph
    if left == 0:
        return 0.0
    return left / shrinking if shrinking > 0 else np.inf


def _headline(timing: Timing, given: Served, place: str) -> Finding:
    worst = round(float(given.lane_x.max()), 2)
    return _warning("LV560", place, x=worst, cycle_s=timing.cycle_s)


def _overloads(model: ControllerModel, timing: Timing, given: Served, place: str) -> list[Finding]:
    """Return one finding per movement that wants more than it gets, the worst first."""
    found = []
    for m in _over(given):
        hours = hours_to_clear(given.volume_vph[m], given.capacity_vph[m], model.hours)
        said = {
            "movement": model.movements[m],
            "x": round(float(given.x[m]), 2),
            "cycle_s": timing.cycle_s,
        }
        if np.isfinite(hours):
            found.append(_warning("LV520", place, hours=round(float(hours), 2), **said))
        else:
            found.append(_warning("LV526", place, **said))
    return found


def _over(given: Served) -> list[int]:
    return [int(m) for m in np.argsort(-given.x, kind="stable") if given.x[m] > 1]


def _lane_use(model: ControllerModel, given: Served, place: str) -> list[Finding]:
    """Return overloaded movements beside which another movement of the approach has room."""
    found = []
    for m in _over(given):
        mates = [
            n
            for n, approach in enumerate(model.approaches)
            if n != m and approach == model.approaches[m] and 0 < given.x[n] < ROOM_X
        ]
        if mates:
            spare = min(mates, key=lambda n: (given.x[n], n))
            found.append(
                _warning(
                    "LV521",
                    place,
                    movement=model.movements[m],
                    other=model.movements[spare],
                    x=round(float(given.x[spare]), 2),
                )
            )
    return found


def _merges(model: ControllerModel, timing: Timing, given: Served, place: str) -> list[Finding]:
    """Return a stage that serves little, where the critical ratios of all stages fit in a cycle."""
    stages = model.orders[timing.order].stages
    ratios = _stage_ratios(model, timing, given)
    light = int(np.argmin(ratios))
    few = len(stages) < FEWEST_STAGES
    if few or ratios.sum() >= 1 or not 0 < ratios[light] <= LIGHT_RATIO:
        return []
    saved = model.order_limits[timing.order].intergreen_s[light]
    return [_warning("LV522", place, stage="+".join(stages[light]), saved_s=saved)]


def _stage_ratios(model: ControllerModel, timing: Timing, given: Served) -> Floats:
    """Return the largest flow ratio of the lanes that each stage alone serves."""
    lit = model.order_arrays[timing.order][0].lit == STATUS[Lamp.GREEN]
    alone = lit & (lit.sum(axis=0) == 1)
    ratio = given.lane_vph / np.maximum(model.layout.sat_vps * 3600, 1e-9)
    uses = model.shares > 0
    by_movement = np.where(uses, ratio[:, None], 0.0).max(axis=0, initial=0.0)
    return np.asarray(np.where(alone, by_movement, 0.0).max(axis=1, initial=0.0))


def _gating(model: ControllerModel, given: Served, place: str) -> list[Finding]:
    """Return how much less would have to arrive for the critical movement to clear."""
    worst = _over(given)[0]
    excess = float(given.volume_vph[worst] - GATED_X * given.capacity_vph[worst])
    return [_warning("LV523", place, movement=model.movements[worst], excess_vph=round(excess))]


def _storage(model: ControllerModel, timing: Timing, given: Served, place: str) -> list[Finding]:
    """Return lanes whose 95th percentile back of queue is longer than the lane."""
    found = []
    for k, lane in enumerate(model.lanes):
        if given.lane_vph[k] <= 0:
            continue
        queue = _queue_veh(model, timing, given, k)
        finding = storage_finding(
            f"{place} {lane}", queue, float(model.storage_m[k]), vehicle_spacing_m()
        )
        found += [finding] if finding else []
    return found


def _queue_veh(model: ControllerModel, timing: Timing, given: Served, k: int) -> float:
    """Return the 95th percentile back of queue of one lane, veh."""
    volume, saturation = float(given.lane_vph[k]), float(model.layout.sat_vps[k] * 3600)
    capacity = max(1.0, volume / max(float(given.lane_x[k]), 1e-9))
    lane = Lane(
        volume_vph=volume,
        saturation_vph=saturation,
        green_s=min(1.0, capacity / saturation) * timing.cycle_s,
        cycle_s=timing.cycle_s,
    )
    waiting = float(incremental_delay(volume / capacity, capacity, model.hours))
    return back_of_queue(lane, waiting).percentile_veh(lane)


def _warning(code: str, place: str, **fields: object) -> Finding:
    said = {"controller": place, **fields}
    return Finding(code=code, place=place, severity=Severity.WARNING, fields=said)
