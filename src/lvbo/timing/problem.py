# SPDX-License-Identifier: Apache-2.0
"""What a search for a plan is asked, what it answers, and the arrays in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lvbo.errors import Finding, UsageError
from lvbo.timing.arrays import Array
from lvbo.timing.delay import Conditions
from lvbo.timing.limits import Bounds, Window

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class StageProblem:
    """What a plan has to serve: S stages in their order, M movements.

    `saturation_vph` (S, M) is the flow of all lanes of a movement in a stage, 0 where it has red;
    a movement may be served in several stages, also at different rates (protected, permitted).
    `intergreen_s` (S,) follows each stage, and is green for movements which both sides serve.
    `least_window_s` (M,) is the least green of each movement; pedestrians are movements with a
    large saturation flow and their own least window. `sneakers_veh` (M,) leave at every end of
    green. `weight` (M,) is people per vehicle. `later_share` is the share of the demand that comes
    after the period, for the time to clear. `lanes` and `storage_m` (M,) say how much queue a
    movement has room for; `approaches` (M,) which movements could share lanes.
    """

    stages: tuple[str, ...]
    movements: tuple[str, ...]
    volume_vph: Array
    saturation_vph: Array
    intergreen_s: Array
    least_green_s: Array
    most_green_s: Array | None = None
    least_window_s: Array | None = None
    start_loss_s: Array | float = 2.0
    end_gain_s: Array | float = 1.0
    sneakers_veh: Array | float = 0.0
    weight: Array | float = 1.0
    conditions: Conditions = field(default_factory=Conditions)
    later_share: float = 0.7
    approaches: tuple[str, ...] = ()
    lanes: Array | float = 1.0
    storage_m: Array | float = math.inf
    controller: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.stages), len(self.movements))
        volume = np.asarray(self.volume_vph, float)
        if np.shape(self.saturation_vph) != shape or volume.shape != shape[1:]:
            raise UsageError("LV511", shape=np.shape(self.saturation_vph), expected=shape)
        if not np.isfinite(volume).all() or (volume < 0).any():
            raise UsageError("LV500", volume=volume.tolist(), saturation="")
        if np.any(np.mod(self.intergreen_s, 1) != 0) or np.any(np.asarray(self.intergreen_s) < 0):
            raise UsageError("LV514", intergreen_s=np.asarray(self.intergreen_s).tolist())
        unserved = (volume > 0) & ~(np.asarray(self.saturation_vph) > 0).any(axis=0)
        if unserved.any():
            raise UsageError("LV512", movement=self.movements[int(np.argmax(unserved))])


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRange:
    """The cycles that may be used, whole seconds, both ends included."""

    least_s: int = 40
    most_s: int = 150


@dataclass(frozen=True, eq=False, kw_only=True)
class CycleTable:
    """One fit per whole cycle: greens (K, S) in s, weighted delay in veh h per h, largest x."""

    cycle_s: Whole
    greens_s: Whole
    delay_veh_h: Array
    worst_x: Array

    def row(self, cycle_s: int) -> int:
        """Return the row of a cycle."""
        return int(cycle_s - self.cycle_s[0])


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedPlan:
    """A cycle with its stage greens in s, and what every movement gets from it.

    `delay_s` is control delay, `incremental_s` its part d2. `hours_to_clear` counts from the end
    of the period: 0 where nothing is left over, infinite where the later demand does not let the
    queue shrink.
    """

    cycle_s: int
    greens_s: tuple[int, ...]
    green_s: Array
    capacity_vph: Array
    x: Array
    delay_s: Array
    incremental_s: Array
    delay_veh_h: float
    hours_to_clear: Array
    findings: tuple[Finding, ...] = ()

    @property
    def worst_x(self) -> float:
        """Return the largest saturation."""
        return float(self.x.max(initial=0.0))

    @property
    def over_capacity(self) -> bool:
        """Say whether some movement wants more than it gets."""
        return self.worst_x > 1


def bounds_of(problem: StageProblem, cycles: CycleRange) -> Bounds:
    """Return the hard limits of a problem: windows of one stage become limits of that stage."""
    least = np.array(problem.least_green_s, float)
    windows: list[Window] = []
    for m, wanted in enumerate(_full(problem.least_window_s, len(problem.movements), 0.0)):
        for first, length in _runs(problem, m):
            inner = sum(_gap(problem, first + k) for k in range(length - 1))
            if length == 1:
                least[first] = max(least[first], wanted)
            elif wanted > inner:
                name = problem.movements[m]
                windows.append(
                    Window(name=name, first=first, length=length, least_s=float(wanted - inner))
                )
    most = _full(problem.most_green_s, len(problem.stages), math.inf)
    return Bounds(
        stages=problem.stages,
        least_s=tuple(map(float, least)),
        most_s=tuple(map(float, most)),
        intergreen_s=tuple(float(gap) for gap in np.asarray(problem.intergreen_s, float)),
        windows=tuple(windows),
        least_cycle_s=cycles.least_s,
        most_cycle_s=cycles.most_s,
    )


def _gap(problem: StageProblem, stage: int) -> float:
    return float(np.asarray(problem.intergreen_s)[stage % len(problem.stages)])


def _runs(problem: StageProblem, movement: int) -> list[tuple[int, int]]:
    """Return first stage and length of every green window; none where there is never red."""
    served = np.asarray(problem.saturation_vph)[:, movement] > 0
    count = len(served)
    starts = [s for s in range(count) if served[s] and not served[s - 1]]
    return [
        (s, next(k for k in range(1, count + 1) if not served[(s + k) % count])) for s in starts
    ]


def _full(value: Array | float | None, count: int, otherwise: float) -> Array:
    filled = otherwise if value is None else value
    return np.array(np.broadcast_to(np.asarray(filled, float), (count,)))


class Parts:
    """A problem as the arrays that the kernels take; `_kernels` says what each one holds."""

    def __init__(self, problem: StageProblem, bounds: Bounds) -> None:
        sat = np.ascontiguousarray(problem.saturation_vph, float)
        self.stages, self.count = sat.shape
        self.served = sat > 0
        self.volume = np.array(problem.volume_vph, float)
        self.gaps = np.array(bounds.intergreen_s, float)
        both = self.served & np.roll(self.served, -1, axis=0)
        windows = (self.served & ~np.roll(self.served, -1, axis=0)).sum(axis=0)
        net_loss = _full(problem.start_loss_s, self.count, 0) - _full(
            problem.end_gain_s, self.count, 0
        )
        self.base = self.gaps @ both - windows * net_loss
        ref = sat.sum(axis=0) / np.maximum(self.served.sum(axis=0), 1)
        extra = 3600 * _full(problem.sneakers_veh, self.count, 0) * windows
        given = problem.conditions
        k, upstream = (
            _full(np.asarray(v, float), self.count, 0) for v in (given.k, given.upstream)
        )
        self.flow = (sat, self.base, ref, extra, self.volume)
        self.cost = (
            _full(problem.weight, self.count, 1),
            8 * k * upstream,
            _full(np.asarray(given.progression, float), self.count, 1),
            float(np.asarray(given.period_h, float)),
            self.gaps,
            windows > 1,
            np.array(net_loss),
        )
        mask = np.array(
            [[w.covers(s, self.stages) for s in range(self.stages)] for w in bounds.windows], float
        ).reshape(len(bounds.windows), self.stages)
        self.hard = (
            np.ceil(np.array(bounds.least_s) - 1e-9),
            np.array(bounds.most_s),
            mask,
            np.array([w.least_s for w in bounds.windows], float),
        )
