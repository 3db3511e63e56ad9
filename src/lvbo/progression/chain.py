# SPDX-License-Identifier: Apache-2.0
"""The arrays that the band kernels read, built once per problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from lvbo.errors import InfeasibleError
from lvbo.progression.problem import BandProblem, PostedSpeeds, SpeedRange

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PACE_LEVELS = 14  # pace levels over the whole speed range, where a change limit binds
MOST_LEVELS = 160
NO_LIMIT = 1e9  # a ratio of bands that never binds
LEVELS_PER_LIMIT = 3  # pace levels at least within one change of the limit's size
COARSE_LEVELS = 8  # pace levels of a first look
ROUNDING_S = 0.0005  # half a tick: link times are whole milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Hold the links of a chain as kernels read them, (4, n - 1, K).

    Rows: shortest and longest time (ms); first and last pace level of the link before from which
    a level may be entered. K = 1 where no speed-change limit binds.
    """

    table: Ints

    @classmethod
    def of(cls, lo: Ints, hi: Ints, near: Ints, far: Ints) -> Links:
        """Return links of four (n - 1, K) arrays."""
        return cls(table=np.stack((lo, hi, near, far)))

    @property
    def lo(self) -> Ints:
        """Return the shortest times, (n - 1, K)."""
        row: Ints = self.table[0]
        return row

    @property
    def hi(self) -> Ints:
        """Return the longest times, (n - 1, K)."""
        row: Ints = self.table[1]
        return row

    @property
    def levels(self) -> int:
        """Return the number of pace levels."""
        return int(self.table.shape[2])

    def plus(self, added_ms: Ints) -> Links:
        """Return the same links with `added_ms` (n - 1) more on every level."""
        table = self.table.copy()
        table[:2] += added_ms[:, None]
        return Links(table=table)

    def reversed(self) -> Links:
        """Return the links in the other order."""
        table = np.ascontiguousarray(self.table[:, ::-1])
        if self.levels > 1:
            table[2], table[3] = _turn(self.table[2], self.table[3])
        return Links(table=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Hold a problem as arrays.

    `first` (n + 1), `windows` (4, m): start and length outbound, start and length inbound, in
    parts; `pattern` (m) names the sequence of each choice. `travel_out`, `travel_in` are link
    times without queue clearance; `both` is their sum less the clearances of the two ends.
    """

    first: Ints
    windows: Ints
    pattern: Ints
    travel_out: Links
    travel_in: Links
    clear_out: Ints
    clear_in: Ints
    both: Links
    wishes: Floats


def build_chain(problem: BandProblem) -> Chain:
    """Return the arrays of a problem; locks are not in them."""
    first, windows, pattern = _choices(problem)
    out, back = _link_times(problem)
    n = problem.signals
    clear_out = np.array(problem.clearance_out_ms or (0,) * n, np.int64)
    clear_in = np.array(problem.clearance_in_ms or (0,) * n, np.int64)
    total = Links.of(out.lo + back.lo, out.hi + back.hi, out.table[2], out.table[3])
    return Chain(
        first=first,
        windows=windows,
        pattern=pattern,
        travel_out=out,
        travel_in=back,
        clear_out=clear_out,
        clear_in=clear_in,
        both=total.plus(-clear_out[1:] - clear_in[:-1]),
        wishes=wishes_of(problem),
    )


def wishes_of(problem: BandProblem) -> Floats:
    """Return weights, ratio limits and minimum bands as the kernels read them."""
    low, high = problem.ratio_range or (0.0, NO_LIMIT)
    return np.array(
        [
            problem.weight_out,
            problem.weight_in,
            low,
            min(high, NO_LIMIT),
            problem.min_out_ms,
            problem.min_in_ms,
        ]
    )


def _choices(problem: BandProblem) -> tuple[Ints, Ints, Ints]:
    first = [0]
    rows: list[tuple[int, int, int, int]] = []
    pattern: list[int] = []
    for patterns in problem.patterns:
        for index, p in enumerate(patterns):
            for out, back in product(p.outbound, p.inbound):
                rows.append((*out, *back))
                pattern.append(index)
        first.append(len(rows))
    windows = np.ascontiguousarray(np.array(rows, np.int64).T)
    return np.array(first, np.int64), windows, np.array(pattern, np.int64)


def _link_times(problem: BandProblem) -> tuple[Links, Links]:
    if problem.posted:
        return _posted_times(problem, problem.posted)
    limit = problem.speed_change_limit_s_per_m
    ranges = (problem.speed_out_mps, problem.speed_in_mps)
    if limit is not None and any(_spread(r) > limit for r in ranges):
        return _paced_times(problem, limit, PACE_LEVELS, LEVELS_PER_LIMIT)
    zero = np.zeros((problem.signals - 1, 1), np.int64)

    def free(distances: tuple[float, ...], speeds: tuple[SpeedRange, ...]) -> Links:
        pairs = [time_range(d, v) for d, v in zip(distances, speeds, strict=True)]
        both = np.array(pairs, np.int64)
        return Links.of(both[:, :1], both[:, 1:], zero, zero)

    return (
        free(problem.distance_out_m, problem.speed_out_mps),
        free(problem.distance_in_m, problem.speed_in_mps),
    )


def _spread(speeds: tuple[SpeedRange, ...]) -> float:
    """Return the largest change of pace (s/m) that neighbouring ranges allow."""
    changes = [max(1 / a[0] - 1 / b[1], 1 / b[0] - 1 / a[1]) for a, b in pairwise(speeds)]
    return max(changes, default=0.0)


def time_range(distance_m: float, speeds: SpeedRange) -> tuple[int, int]:
    """Return the shortest and the longest whole link time of a speed range, ms."""
    low = int(np.ceil(distance_m / speeds[1] * 1000 - 1e-6))
    high = int(np.floor(distance_m / speeds[0] * 1000 + 1e-6))
    if low <= high:
        return low, high
    fixed = round(distance_m * (1 / speeds[0] + 1 / speeds[1]) * 500)
    return fixed, fixed


def _posted_times(problem: BandProblem, posted: PostedSpeeds) -> tuple[Links, Links]:
    """Return link times by the speeds on signs; a level is the same sign along a section."""
    choices = posted_choices(problem, posted)
    levels = max(len(c) for c in choices)
    links = problem.signals - 1
    signs = np.array([[choices[s][min(k, len(choices[s]) - 1)] for k in range(levels)]
                      for s in _numbered(posted.sections)])  # fmt: skip
    metres = np.array((problem.distance_out_m, problem.distance_in_m))
    out, back = np.rint(1000 * metres[:, :, None] / np.moveaxis(signs, 2, 0)).astype(np.int64)
    limit = problem.speed_change_limit_s_per_m
    near, far = _windows((1 / signs[:, :, 0],), np.inf if limit is None else limit + 1e-9)
    for i in range(1, links):
        if posted.sections[i] == posted.sections[i - 1]:
            near[i] = far[i] = np.arange(levels)
    return Links.of(out, out, near, far), Links.of(back, back, near, far)


def posted_choices(problem: BandProblem, posted: PostedSpeeds) -> list[list[tuple[float, float]]]:
    """Return by section the pairs of signs, outbound and inbound, that all its links allow."""
    found = []
    for section in sorted(set(posted.sections)):
        links = [i for i, s in enumerate(posted.sections) if s == section]
        allowed = [
            [
                v
                for v in posted.speeds_mps
                if all(r[i][0] - 1e-9 <= v <= r[i][1] + 1e-9 for i in links)
            ]
            for r in (problem.speed_out_mps, problem.speed_in_mps)
        ]
        if posted.same_both_ways:
            pairs = [(v, v) for v in allowed[0] if v in allowed[1]]
        else:
            pairs = list(product(allowed[0], allowed[1]))
        if not pairs:
            raise InfeasibleError("LV439", section=section, conflict=("signs", "speed ranges"))
        found.append(pairs)
    return found


def _numbered(sections: tuple[int, ...]) -> list[int]:
    order = sorted(set(sections))
    return [order.index(s) for s in sections]


def _paced_times(
    problem: BandProblem, limit: float, least: int, per_limit: int
) -> tuple[Links, Links]:
    """Return link times on common pace levels, where a change limit binds.

    Level k stands for one pace (s/m) in both directions, brought into each link's own range. There
    are about `least` levels or more, and `per_limit` or more to a change of the limit's size.
    """
    ranges = problem.speed_out_mps + problem.speed_in_mps
    distances = problem.distance_out_m + problem.distance_in_m
    slowest, fastest = max(1 / v[0] for v in ranges), min(1 / v[1] for v in ranges)
    strict = limit - 2 * ROUNDING_S / min(distances)
    if strict < 0:
        strict = limit
    steps = max(per_limit, int(np.ceil(least * limit / (slowest - fastest))))
    step = max(strict / steps, (slowest - fastest) / MOST_LEVELS)
    count = int(np.ceil((slowest - fastest) / step - 1e-9)) + 1
    levels = np.minimum(fastest + step * np.arange(count), slowest)
    count_links = problem.signals - 1
    return _levelled(problem, np.tile(levels, (count_links, 1)), np.tile(levels, (count_links, 1)))


def coarsely_paced(problem: BandProblem, chain: Chain) -> Chain:
    """Return the chain with few pace levels."""
    limit = problem.speed_change_limit_s_per_m or 0.0
    return with_travel(chain, *_paced_times(problem, limit, COARSE_LEVELS, 1))


def with_travel(chain: Chain, travel_out: Links, travel_in: Links) -> Chain:
    """Return the chain with these link times."""
    both = Links.of(
        travel_out.lo + travel_in.lo,
        travel_out.hi + travel_in.hi,
        travel_out.table[2],
        travel_out.table[3],
    ).plus(-chain.clear_out[1:] - chain.clear_in[:-1])
    return replace(chain, travel_out=travel_out, travel_in=travel_in, both=both)


def _levelled(problem: BandProblem, out: Floats, back: Floats) -> tuple[Links, Links]:
    """Return link times for paces (n - 1, K) of both directions, brought into their ranges."""
    limit = problem.speed_change_limit_s_per_m or 0.0

    def whole_ms(paces: Floats, metres: tuple[float, ...], speeds: tuple[SpeedRange, ...]) -> Ints:
        bounds = np.array([time_range(d, v) for d, v in zip(metres, speeds, strict=True)])
        ms = np.rint(_paces(paces, speeds) * np.array(metres)[:, None] * 1000).astype(np.int64)
        inside: Ints = np.clip(ms, bounds[:, :1], bounds[:, 1:])
        return inside

    ms_out = whole_ms(out, problem.distance_out_m, problem.speed_out_mps)
    ms_in = whole_ms(back, problem.distance_in_m, problem.speed_in_mps)
    real = (
        ms_out / 1000 / np.array(problem.distance_out_m)[:, None],
        ms_in / 1000 / np.array(problem.distance_in_m)[:, None],
    )
    near, far = _windows(real, limit + 1e-9)
    return Links.of(ms_out, ms_out, near, far), Links.of(ms_in, ms_in, near, far)


def _paces(levels: Floats, speeds: tuple[SpeedRange, ...]) -> Floats:
    low = np.array([1 / v[1] for v in speeds])[:, None]
    high = np.array([1 / v[0] for v in speeds])[:, None]
    paces: Floats = np.clip(levels, low, high)
    return paces


def _windows(paces: tuple[Floats, ...], limit: float) -> tuple[Ints, Ints]:
    """Return for link and level the first and last level of the link before."""
    links, count = paces[0].shape
    near = np.tile(np.arange(count), (links, 1))
    far = near.copy()
    for i in range(1, links):
        ok = np.ones((count, count), bool)
        for p in paces:
            ok &= np.abs(p[i][:, None] - p[i - 1][None, :]) <= limit
        if not ok.any():
            raise InfeasibleError("LV412", conflict=(f"link {i - 1}", f"link {i}"), link=i)
        near[i] = np.where(ok.any(1), ok.argmax(1), 1)
        far[i] = np.where(ok.any(1), count - 1 - ok[:, ::-1].argmax(1), 0)
    return near, far


def _turn(near: Ints, far: Ints) -> tuple[Ints, Ints]:
    """Return the level windows of the chain walked the other way."""
    links, count = near.shape
    back_near = np.tile(np.arange(count), (links, 1))
    back_far = back_near.copy()
    for i in range(1, links):
        levels = np.arange(count)
        ok = (near[i][:, None] <= levels) & (levels <= far[i][:, None])  # (this, before)
        turned = ok.T
        row = links - i
        back_near[row] = np.where(turned.any(1), turned.argmax(1), 1)
        back_far[row] = np.where(turned.any(1), count - 1 - turned[:, ::-1].argmax(1), 0)
    return back_near, back_far
