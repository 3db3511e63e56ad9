# SPDX-License-Identifier: Apache-2.0
"""The next cycle of a plan from the green that its stages used, within steps and minima.

Pure arithmetic of whole seconds; stages are those of the plan, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.control.protocols import Bools, Floats, Ints
from lvbo.timing.splits import equal_saturation_greens, whole_seconds

HALF_FROM = 0.9
"""Half the common cycle is taken up only where it is so much emptier than it may be."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """What a site's plan cannot change: least greens by stage (stages,), all time between, s."""

    least_s: Ints
    lost_s: int

    @property
    def least_cycle_s(self) -> int:
        """Return the shortest cycle that holds all minima."""
        return int(self.least_s.sum()) + self.lost_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How far a plan may move in one cycle: greens and cycle, s; between which cycles.

    The cycle grows where stages cannot all stay below the saturation `full`, and shrinks where all
    stay below `slack`. With `common_s` the cycle is that one, or half of it where `may_halve`.
    """

    green_s: int = 5
    cycle_s: int = 4
    least_s: int = 40
    most_s: int = 120
    full: float = 0.8
    slack: float = 0.45
    common_s: int | None = None
    may_halve: bool = True


def next_cycle(frame: Frame, rates: Floats, cycle_s: int, steps: Steps) -> int:
    """Return the cycle to run next; `rates` (stages,) is the green wanted per second of time."""
    if steps.common_s is not None:
        return _common(frame, rates, cycle_s, steps)
    low = max(steps.least_s, frame.least_cycle_s)
    high = max(low, steps.most_s)
    grown = needed_cycle(frame, rates, (low, high), steps.full)
    shrunk = needed_cycle(frame, rates, (low, high), steps.slack)
    aim = int(np.clip(cycle_s, grown, shrunk))
    return int(np.clip(aim, cycle_s - steps.cycle_s, cycle_s + steps.cycle_s))


def needed_cycle(frame: Frame, rates: Floats, limits_s: tuple[int, int], saturation: float) -> int:
    """Return the shortest cycle within limits in which no stage is fuller than that."""
    low, high = limits_s
    for cycle in range(low, high):
        wanted = np.maximum(frame.least_s, rates * cycle / saturation)
        if wanted.sum() + frame.lost_s <= cycle:
            return cycle
    return high


def _common(frame: Frame, rates: Floats, cycle_s: int, steps: Steps) -> int:
    """Return the common cycle or its half, which is only left once it no longer does."""
    whole = steps.common_s or cycle_s
    half = whole // 2
    if whole % 2 or frame.least_cycle_s > half or not steps.may_halve:
        return whole
    wanted = steps.full if cycle_s == half else HALF_FROM * steps.full
    return half if needed_cycle(frame, rates, (half, half + 1), wanted) == half else whole


def next_greens(frame: Frame, wanted_s: Floats, now_s: Ints, cycle_s: int, step_s: int) -> Ints:
    """Return greens of equal saturation that fill the cycle, none moved by more than a step.

    Where the cycle itself moves by more than all steps together, they move as far as it needs.
    """
    room = cycle_s - frame.lost_s
    low = np.maximum(frame.least_s, now_s - step_s)
    high = np.maximum(frame.least_s, now_s + step_s)
    if not low.sum() <= room <= high.sum():
        low, high = frame.least_s, np.full(len(now_s), room)
    greens = equal_saturation_greens(wanted_s, room, least_s=low, most_s=high)
    return whole_seconds(greens, room, least_s=low, most_s=high)


def wanted_by_stage(given: Floats, wanted: Floats, seen: Bools, plan: Floats) -> Floats:
    """Return the green that each stage wants: that of its fullest lane. All are parts of the time.

    `given` (stages, lanes), `wanted` and `seen` (lanes,) as measured; `plan` (stages,) are the
    plan's greens, whose share lanes keep that nothing is seen of: they want as much of it as those
    seen want of theirs, on average. Where nothing at all is seen, the plan's greens are wanted.
    """
    had = given.sum(axis=0)
    watched = seen & (had > 0)
    full = np.where(watched, wanted / np.where(watched, had, 1.0), 0.0)
    served = given > 0
    own = np.where(served & watched, full * given, 0.0).max(axis=1, initial=0.0)
    known = (served & watched).any(axis=1)
    if not known.any():
        return plan
    level = own[known].sum() / max(float(plan[known].sum()), 0.01)
    blind = (served & ~watched).any(axis=1) | ~known
    return np.asarray(np.where(blind, np.maximum(own, level * plan), own))
