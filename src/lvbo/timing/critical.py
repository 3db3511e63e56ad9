# SPDX-License-Identifier: Apache-2.0
"""Flow ratios, critical movements and lost time: what a cycle must at least serve.

Lost time has three conventions in the literature, and the same data give cycles that differ by a
quarter. Every function here therefore takes a lost time, and the convention is named by the
function which makes it: `lost_time_by_intergreen`, `lost_time_by_phase`, `lost_time_by_all_red`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lvbo.errors import UsageError
from lvbo.timing.arrays import Array, quotient, real


@dataclass(frozen=True, slots=True, kw_only=True)
class RingPhase:
    """One phase of a ring: its flow ratio, its lost time in s, its ring and its barrier group."""

    name: str
    flow_ratio: float
    lost_time_s: float
    ring: int
    barrier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPath:
    """The phases that fix the cycle, the sum of their flow ratios and of their lost times in s."""

    phases: tuple[str, ...]
    flow_ratio: float
    lost_time_s: float


def flow_ratio(volume_vph: ArrayLike, saturation_vph: ArrayLike) -> Array:
    """Return volume over saturation flow, y; zero where nothing wants to go."""
    volume, saturation = np.broadcast_arrays(real(volume_vph), real(saturation_vph))
    if np.any(volume < 0) or np.any((saturation <= 0) & (volume > 0)):
        raise UsageError("LV500", volume=volume.tolist(), saturation=saturation.tolist())
    return quotient(volume, saturation, otherwise=0.0)


def critical_ratios(flow_ratios: ArrayLike, served: ArrayLike) -> Array:
    """Return the largest flow ratio of each stage.

    `flow_ratios` has shape (movements,), `served` (stages, movements). A movement that several
    stages serve counts in none of them here; `critical_path` and the plan search see it whole.
    """
    y = real(flow_ratios)
    use = np.asarray(served, bool)
    alone = use & (use.sum(axis=0) == 1)
    return np.asarray(np.where(alone, y, 0.0).max(axis=1, initial=0.0))


def critical_path(phases: Sequence[RingPhase]) -> CriticalPath:
    """Return the critical path through rings and barriers (HCM 7, ch. 19, section 4).

    Between two barriers the ring with the largest sum of flow ratios is critical; on equal sums
    the one that loses more time.
    """
    chosen: list[RingPhase] = []
    for barrier in sorted({phase.barrier for phase in phases}):
        group = [phase for phase in phases if phase.barrier == barrier]
        rings = [[p for p in group if p.ring == ring] for ring in sorted({p.ring for p in group})]
        chosen += max(rings, key=_weight)
    return CriticalPath(
        phases=tuple(phase.name for phase in chosen),
        flow_ratio=sum(phase.flow_ratio for phase in chosen),
        lost_time_s=sum(phase.lost_time_s for phase in chosen),
    )


def _weight(ring: Iterable[RingPhase]) -> tuple[float, float]:
    phases = list(ring)
    return sum(p.flow_ratio for p in phases), sum(p.lost_time_s for p in phases)


def lost_time_by_intergreen(
    start_loss_s: ArrayLike, intergreen_s: ArrayLike, amber_s: ArrayLike
) -> float:
    """Return L = sum(l + I - A) in s: Webster (1958); Chinese intersection design, 8.5.2.

    All of the amber counts as green, so a stage loses its start and the all-red.
    """
    lost = real(start_loss_s) + np.asarray(intergreen_s) - np.asarray(amber_s)
    return float(lost.sum())


def lost_time_by_phase(
    start_loss_s: ArrayLike, yellow_s: ArrayLike, red_s: ArrayLike, end_gain_s: ArrayLike
) -> float:
    """Return L = sum(l1 + Y + R - e) in s over the critical phases (HCM 7, eq. 19-1)."""
    lost = real(start_loss_s) + np.asarray(yellow_s) + np.asarray(red_s)
    return float((lost - np.asarray(end_gain_s)).sum())


def lost_time_by_all_red(stages: int, all_red_s: float, *, start_loss_s: float = 2.0) -> float:
    """Return L = 2 n + R in s: Indian practice (IRC 93; Khanna and Justo), R all-red per cycle."""
    return stages * start_loss_s + all_red_s
