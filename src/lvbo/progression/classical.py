# SPDX-License-Identifier: Apache-2.0
"""The two classical hand methods for a two-way wave, to stand beside the exact answer.

Both give every signal one of two offsets, half a cycle apart, and one speed for the whole street.
With v C / 2 the distance a car drives in half a cycle, a signal that lies d beyond such an ideal
place loses d / (v C / 2) of a cycle of green on one side of the band, so that the band is half the
sum of the least remaining greens of either side. The algebraic method (数解法) looks for the
spacing whose ideal places lie nearest to all signals; the graphical method (图解法) draws the line
from the first signal and tries slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lvbo.progression.offsets import evaluate_offsets
from lvbo.progression.problem import BandPlan, BandProblem

Floats = npt.NDArray[np.float64]
SPREAD_M, STEP_M = 100.0, 10.0  # how far and how finely spacings about v C / 2 are tried
STEP_MPS = 1 / 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Classical:
    """Hold what a hand method finds: speed, ideal spacing, and per signal half and misplacement.

    `halves` are 0 or 1 half cycles; `displaced_m` is how far the signal lies beyond its ideal
    place; `band_share` is the band of either direction, as a share of the cycle.
    """

    cycle_s: float
    speed_mps: float
    spacing_m: float
    widest_gap_m: float
    halves: tuple[int, ...]
    displaced_m: tuple[float, ...]
    band_share: float

    @property
    def losses(self) -> tuple[float, ...]:
        """Return the share of a cycle of green that each signal loses (绿时损失)."""
        return tuple(abs(d) / self.spacing_m for d in self.displaced_m)


def algebraic_method(
    distances_m: Sequence[float], green_shares: Sequence[float], cycle_s: float, speed_mps: float
) -> Classical:
    """Return the plan of the algebraic method (数解法) for one cycle and a wished speed.

    Spacings from 100 m below to 100 m above v C / 2 are tried every 10 m; the one is taken whose
    signals, folded onto one spacing, leave the widest gap between them, and its ideal places lie
    opposite the middle of that gap.
    """
    places = _places(distances_m)
    wished = round(speed_mps * cycle_s / 2 / STEP_M) * STEP_M
    tried = np.arange(wished - SPREAD_M, wished + SPREAD_M + STEP_M / 2, STEP_M)
    spacing = max((a for a in tried if a > 0), key=lambda a: _gap(places, float(a))[0])
    gap, after = _gap(places, float(spacing))
    ideal = (after + (float(spacing) - gap) / 2) % float(spacing)
    return _laid(places, green_shares, cycle_s, (float(spacing), ideal, gap))


def graphical_method(
    distances_m: Sequence[float],
    green_shares: Sequence[float],
    cycle_s: float,
    speeds_mps: tuple[float, float],
) -> Classical:
    """Return the plan of the graphical method (图解法): the best line from the first signal.

    Slopes are tried every km/h; each signal takes the half cycle whose green lies nearer the line.
    """
    places = _places(distances_m)
    low, high = speeds_mps
    slopes = np.append(np.arange(low, high, STEP_MPS), high)
    plans = []
    for speed in slopes:
        spacing = float(speed) * cycle_s / 2
        plans.append(_laid(places, green_shares, cycle_s, (spacing, 0.0, _gap(places, spacing)[0])))
    return max(plans, key=lambda plan: plan.band_share)


def classical_plan(problem: BandProblem, plan: Classical) -> BandPlan:
    """Return the bands that the offsets of a hand method give at its own speed.

    Each signal runs its first sequence; the middle of its first outbound green falls on 0 or on
    half a cycle.
    """
    cycle_ms = round(1000 * plan.cycle_s)
    per_part = cycle_ms / problem.parts_per_cycle
    offsets = []
    for half, (pattern, *_) in zip(plan.halves, problem.patterns, strict=True):
        start, length = pattern.outbound[0]
        middle = (start + length / 2) * per_part
        offsets.append(round(half * cycle_ms / 2 - middle) % cycle_ms)
    speeds = ((plan.speed_mps, plan.speed_mps),) * (problem.signals - 1)
    fixed = replace(
        problem,
        cycles_ms=(cycle_ms,),
        speed_out_mps=speeds,
        speed_in_mps=speeds,
        speed_change_limit_s_per_m=None,
        posted=None,
        locks=(),
    )
    return evaluate_offsets(fixed, cycle_ms, tuple(offsets), (0,) * problem.signals)


def _places(distances_m: Sequence[float]) -> Floats:
    return np.concatenate(([0.0], np.cumsum(np.array(distances_m, np.float64))))


def _gap(places: Floats, spacing: float) -> tuple[float, float]:
    """Return the widest gap between the places folded onto one spacing, and where it ends."""
    folded = np.sort(places % spacing)
    gaps = np.diff(np.append(folded, folded[0] + spacing))
    widest = int(np.argmax(gaps))
    return float(gaps[widest]), float(folded[(widest + 1) % folded.size])


def _laid(
    places: Floats,
    green_shares: Sequence[float],
    cycle_s: float,
    fold: tuple[float, float, float],
) -> Classical:
    spacing, ideal, gap = fold
    nearest = np.rint((places - ideal) / spacing)
    displaced = places - ideal - nearest * spacing
    greens = np.array(green_shares)
    band = (np.min(greens - displaced / spacing) + np.min(greens + displaced / spacing)) / 2
    return Classical(
        cycle_s=cycle_s,
        speed_mps=2 * spacing / cycle_s,
        spacing_m=spacing,
        widest_gap_m=gap,
        halves=tuple(int(k) % 2 for k in nearest),
        displaced_m=tuple(displaced.tolist()),
        band_share=max(0.0, float(band)),
    )
