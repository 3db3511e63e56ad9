# SPDX-License-Identifier: Apache-2.0
"""When a search shall end: an instant by a clock that is handed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

Clock = Callable[[], float]
"""Seconds since any instant; processes and hosts that share a deadline share the instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """An instant in s of a clock after which nothing is begun that can be left out."""

    at_s: float
    clock: Clock = time.time

    @property
    def left_s(self) -> float:
        """Return how much time is left, below 0 where it is over."""
        return self.at_s - self.clock()

    @property
    def is_over(self) -> bool:
        """Say whether the time is over."""
        return self.left_s <= 0

    def after(self, share: float) -> Deadline:
        """Return the instant at which so large a share of what is left now will be gone."""
        now = self.clock()
        return replace(self, at_s=now + share * max(0.0, self.at_s - now))


def within(seconds: float, clock: Clock = time.time) -> Deadline:
    """Return the instant so many seconds from now."""
    return Deadline(at_s=clock() + seconds, clock=clock)


def shared_out(
    until: Deadline | None, work: Sequence[float], workers: int = 1
) -> list[Deadline | None]:
    """Return when each of several tasks must end, handed out in their order to so many workers."""
    if until is None or not work:
        return [None] * len(work)
    busy, ends = [0.0] * workers, []
    for own in work:
        first = busy.index(min(busy))
        busy[first] += own
        ends.append(busy[first])
    return [until.after(end / max(busy)) for end in ends]
