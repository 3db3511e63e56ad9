# SPDX-License-Identifier: Apache-2.0
"""What a green-wave solver is asked and what it answers: plain numbers, no network objects.

Conventions, once for all modules of this room:

- Signals are numbered 0 to n - 1 in outbound order; link i joins signal i and signal i + 1 and has
  an outbound and an inbound length. Outbound runs from signal 0 to n - 1, inbound back.
- Times are integer milliseconds. Windows are integers in parts of a cycle
  (`parts_per_cycle` parts make one cycle), on the signal's own clock. With
  `parts_per_cycle == cycle_ms` they are milliseconds and nothing is rounded.
- The offset of a signal is the area-clock time, modulo the cycle, at which its own clock shows
  zero: larger is later.
- A band of width b passes a stop line during [front, front + b).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from lvbo.errors import Finding, UsageError

Window = tuple[int, int]  # start and length, in parts of a cycle
SpeedRange = tuple[float, float]  # lowest and highest speed, metres per second
FEWEST_SIGNALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Hold the coordinated greens of one permitted phase sequence of a signal.

    A direction has one or several windows of usable green (start, length), start in
    [0, parts_per_cycle), length in (0, parts_per_cycle]; a window may run over the end of the
    cycle. A length of a whole cycle means always green.
    """

    outbound: tuple[Window, ...]
    inbound: tuple[Window, ...]

    def repeated(self, times: int, parts_per_cycle: int) -> Pattern:
        """Return the windows of a signal that runs `times` own cycles in one group cycle.

        The windows of this pattern count in parts of the own cycle scaled so that one own cycle
        has `parts_per_cycle / times` parts, for example milliseconds.
        """
        own = parts_per_cycle // times

        def again(windows: tuple[Window, ...]) -> tuple[Window, ...]:
            return tuple(
                (start + k * own, length) for k in range(times) for start, length in windows
            )

        return Pattern(outbound=again(self.outbound), inbound=again(self.inbound))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Say that some signals may not move against each other.

    `offsets_ms[k]` is the offset of `signals[k]`. With `absolute` these are the offsets
    themselves (signals that run already); without, only their differences hold (stop lines of one
    controller).
    """

    signals: tuple[int, ...]
    offsets_ms: tuple[int, ...]
    absolute: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedSpeeds:
    """Say which speeds may stand on signs, one per section of the street.

    `sections` numbers the section of each link, never falling along the street; every link of a
    section gets one of `speeds_mps` (rising) that lies in its range, in both directions the same
    or, without `same_both_ways`, one for each.
    """

    sections: tuple[int, ...]
    speeds_mps: tuple[float, ...]
    same_both_ways: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BandProblem:
    """Ask for the widest bands along one chain of n signals.

    Per signal (length n): `patterns` (the sequences to choose from), `clearance_out_ms`,
    `clearance_in_ms` (queue clearance: the band leaves the signal that much earlier than it
    arrives, Little, Kelson, Gartner 1981; empty means none). Per link (length n - 1): distances
    and speed ranges of both directions; equal ends fix the speed. `ratio_range` limits inbound
    over outbound band. `speed_change_limit_s_per_m` limits the change of 1/v between neighbouring
    links, per direction. With `posted` the speeds are those of signs. The value to maximise is
    (weight_out x outbound + weight_in x inbound) / cycle.
    """

    patterns: tuple[tuple[Pattern, ...], ...]
    parts_per_cycle: int
    cycles_ms: tuple[int, ...]
    distance_out_m: tuple[float, ...]
    distance_in_m: tuple[float, ...]
    speed_out_mps: tuple[SpeedRange, ...]
    speed_in_mps: tuple[SpeedRange, ...]
    clearance_out_ms: tuple[int, ...] = ()
    clearance_in_ms: tuple[int, ...] = ()
    weight_out: float = 1.0
    weight_in: float = 1.0
    ratio_range: tuple[float, float] | None = None
    min_out_ms: int = 0
    min_in_ms: int = 0
    speed_change_limit_s_per_m: float | None = None
    locks: tuple[Lock, ...] = ()
    posted: PostedSpeeds | None = None

    def __post_init__(self) -> None:
        _check_lengths(self)
        _check_numbers(self)
        for signal, patterns in enumerate(self.patterns):
            _check_patterns(signal, patterns, self.parts_per_cycle)
        for lock in self.locks:
            _check_lock(lock, self.signals)
        if self.posted:
            _check_posted(self.posted, self)

    @property
    def signals(self) -> int:
        """Return the number of signals."""
        return len(self.patterns)


class BandKind(StrEnum):
    """Say which directions a plan serves with a band."""

    TWO_WAY = "two_way"
    OUTBOUND = "outbound"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandPlan:
    """Hold one set of offsets and the bands it gives.

    Per signal: `offsets_ms` in [0, cycle), `patterns` (index of the sequence), `front_out_ms` and
    `front_in_ms` (when the front of each band leaves the signal; increasing along the direction
    of travel, not wrapped, first value of the direction in [0, cycle); empty where the direction
    has no band), `slack_ms` (how far the
    offset may move earlier and later, alone, without losing any of the bands). Per link:
    `travel_out_ms`, `travel_in_ms`. `binding_out` and `binding_in` name the signals whose green
    touches the band on either side; these hold it where it is.
    """

    kind: BandKind
    cycle_ms: int
    outbound_ms: int
    inbound_ms: int
    offsets_ms: tuple[int, ...]
    patterns: tuple[int, ...]
    travel_out_ms: tuple[int, ...]
    travel_in_ms: tuple[int, ...]
    front_out_ms: tuple[int, ...]
    front_in_ms: tuple[int, ...]
    slack_ms: tuple[tuple[int, int], ...]
    binding_out: tuple[int, ...]
    binding_in: tuple[int, ...]
    min_green_out_ms: int
    min_green_in_ms: int

    @property
    def sum_ms(self) -> int:
        """Return outbound plus inbound band."""
        return self.outbound_ms + self.inbound_ms

    @property
    def outbound_share(self) -> float:
        """Return the outbound band as a share of the cycle."""
        return self.outbound_ms / self.cycle_ms

    @property
    def inbound_share(self) -> float:
        """Return the inbound band as a share of the cycle."""
        return self.inbound_ms / self.cycle_ms

    @property
    def efficiency(self) -> float:
        """Return (b + b_in) / (2 C), the share of two cycles that the bands use."""
        return self.sum_ms / (2 * self.cycle_ms)

    @property
    def attainability(self) -> float:
        """Return (b + b_in) / (g_min + g_min_in); 1 means limited by the greens alone."""
        return self.sum_ms / (self.min_green_out_ms + self.min_green_in_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Answer a `BandProblem`.

    `exact` is the best plan in milliseconds, `whole` the same with offsets in whole seconds (what
    a controller can run), re-evaluated and re-polished. `two_way` is None where no two-way plan
    meets the ratio limits and minimum bands; the one-way plans are always there. `exact` is the
    best of the three by the value of the problem. `findings` say which wishes were not met.
    """

    exact: BandPlan
    whole: BandPlan
    two_way: BandPlan | None
    one_way_out: BandPlan
    one_way_in: BandPlan
    findings: tuple[Finding, ...] = ()

    @property
    def rounding_cost(self) -> float:
        """Return what whole-second offsets cost, in shares of a cycle (sum of both bands)."""
        return (self.exact.sum_ms - self.whole.sum_ms) / self.exact.cycle_ms


def _check_lengths(problem: BandProblem) -> None:
    n = problem.signals
    if n < FEWEST_SIGNALS:
        raise UsageError("LV400", field="patterns", found=n, expected=FEWEST_SIGNALS)
    sizes: tuple[tuple[str, Sequence[object], int], ...] = (
        ("distance_out_m", problem.distance_out_m, n - 1),
        ("distance_in_m", problem.distance_in_m, n - 1),
        ("speed_out_mps", problem.speed_out_mps, n - 1),
        ("speed_in_mps", problem.speed_in_mps, n - 1),
        ("clearance_out_ms", problem.clearance_out_ms or (0,) * n, n),
        ("clearance_in_ms", problem.clearance_in_ms or (0,) * n, n),
    )
    for field, values, expected in sizes:
        if len(values) != expected:
            raise UsageError("LV400", field=field, found=len(values), expected=expected)


def _check_numbers(problem: BandProblem) -> None:
    if not problem.cycles_ms or min(problem.cycles_ms) <= 0 or problem.parts_per_cycle <= 0:
        raise UsageError("LV401", cycles=problem.cycles_ms, parts=problem.parts_per_cycle)
    for link, metres in enumerate(problem.distance_out_m + problem.distance_in_m):
        if not metres > 0:
            raise UsageError("LV402", link=link % (problem.signals - 1), distance_m=metres)
    for link, (low, high) in enumerate(problem.speed_out_mps + problem.speed_in_mps):
        if not 0 < low <= high:
            raise UsageError("LV403", link=link % (problem.signals - 1), low_mps=low, high_mps=high)
    if problem.ratio_range and not 0 <= problem.ratio_range[0] <= problem.ratio_range[1]:
        raise UsageError("LV404", low=problem.ratio_range[0], high=problem.ratio_range[1])
    if min(problem.weight_out, problem.weight_in) < 0 or not problem.weight_out + problem.weight_in:
        raise UsageError("LV405", out=problem.weight_out, inbound=problem.weight_in)


def _check_patterns(signal: int, patterns: tuple[Pattern, ...], parts: int) -> None:
    if not patterns or not all(p.outbound and p.inbound for p in patterns):
        raise UsageError("LV406", signal=signal)
    for pattern in patterns:
        for start, length in pattern.outbound + pattern.inbound:
            if not (0 <= start < parts and 0 < length <= parts):
                raise UsageError(
                    "LV407", signal=signal, start=start, length=length, parts_per_cycle=parts
                )


def _check_posted(posted: PostedSpeeds, problem: BandProblem) -> None:
    links = problem.signals - 1
    if len(posted.sections) != links:
        raise UsageError("LV400", field="sections", found=len(posted.sections), expected=links)
    rising = all(a <= b for a, b in pairwise(posted.sections))
    speeds = posted.speeds_mps
    apart = problem.speed_change_limit_s_per_m is not None and not posted.same_both_ways
    if not (rising and speeds and speeds[0] > 0 and sorted(set(speeds)) == list(speeds)) or apart:
        raise UsageError("LV438", sections=posted.sections, speeds_mps=speeds)


def _check_lock(lock: Lock, signals: int) -> None:
    known = all(0 <= s < signals for s in lock.signals)
    distinct = len(set(lock.signals)) == len(lock.signals) == len(lock.offsets_ms)
    if not (known and distinct and lock.signals):
        raise UsageError("LV408", signals=lock.signals, offsets_ms=lock.offsets_ms, n=signals)
