# SPDX-License-Identifier: Apache-2.0
"""Cut a long corridor where that makes its bands worth more, with a reason for each cut.

The widest bands of every run of neighbouring signals are found exactly; the best cuts are then a
dynamic programme over the runs. A band is worth its share of the cycle times the flow and the
length it serves, so a long narrow band competes with short wide ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lvbo.errors import Finding, Severity, UsageError
from lvbo.progression import _kernels
from lvbo.progression.band import two_way_band, value_of, widest_two_way
from lvbo.progression.chain import Chain, Floats, Links, build_chain
from lvbo.progression.problem import Band, BandProblem, Lock
from lvbo.progression.search import allowed_choices

WIDE_M, WIDE_SHARE = 800.0, 1.5  # a link is long beyond this, or beyond this share of the median
FLOW_CHANGE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PartWishes:
    """Say what cuts cost and what bands serve.

    A cut costs `cut_cost` of what a band as wide as the cycle in both directions would be worth.
    Flows are vehicles per hour by link; without them all links carry the same. With
    `common_cycle` all parts run one cycle.
    """

    cut_cost: float = 0.02
    flow_out_vph: tuple[float, ...] = ()
    flow_in_vph: tuple[float, ...] = ()
    common_cycle: bool = True
    most_signals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Hold signals `first` to `last` with their bands; a single signal has none."""

    first: int
    last: int
    band: Band | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Hold the link without a band, and why: the main reason first."""

    link: int
    reasons: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Hold the parts in outbound order, the cuts between them, and what all is worth.

    Worth is a share: 1 would be bands as wide as the cycle over the whole length, both ways.
    """

    parts: tuple[Part, ...]
    cuts: tuple[Cut, ...]
    worth: float
    worth_whole: float


def part_corridor(problem: BandProblem, wishes: PartWishes | None = None) -> Partition:
    """Return the best partition of a corridor, one part or several.

    Raises:
        UsageError: LV429 flows that do not fit the links.

    """
    asked = _Corridor(problem, wishes or PartWishes())
    cycles = problem.cycles_ms
    options: list[tuple[int, ...]] = (
        [(c,) for c in cycles] if asked.wishes.common_cycle else [cycles]
    )
    plans = [(_best_ends(asked.worths(option), asked.wishes), option) for option in options]
    (worth, ends), option = max(plans, key=lambda plan: plan[0][0])
    parts = tuple(
        Part(first=first, last=last - 1, band=asked.band(first, last - 1, option))
        for first, last in pairwise(ends)
    )
    whole = max(float(asked.worth(0, problem.signals - 1, o)) for o in options)
    return Partition(
        parts=parts,
        cuts=tuple(asked.cut(a, b, option) for a, b in pairwise(parts)),
        worth=worth,
        worth_whole=whole,
    )


def _best_ends(worths: Floats, wishes: PartWishes) -> tuple[float, list[int]]:
    """Return the best worth and the first signals of its parts, the number of signals last."""
    n = worths.shape[0]
    most = wishes.most_signals or n
    best = [0.0] + [-np.inf] * n
    came = [0] * (n + 1)
    for end in range(1, n + 1):
        for first in range(max(0, end - most), end):
            value = best[first] + worths[first, end - 1] - (wishes.cut_cost if first else 0.0)
            if value > best[end] + 1e-12:
                best[end], came[end] = float(value), first
    ends = [n]
    while ends[-1]:
        ends.append(came[ends[-1]])
    return best[n], ends[::-1]


class _Corridor:
    """Hold a corridor and what its links carry, as shares of all."""

    def __init__(self, problem: BandProblem, wishes: PartWishes) -> None:
        self.problem, self.wishes = problem, wishes
        links = problem.signals - 1
        for field, flows in (("out", wishes.flow_out_vph), ("in", wishes.flow_in_vph)):
            if flows and (len(flows) != links or min(flows) < 0):
                raise UsageError("LV429", direction=field, found=len(flows), expected=links)
        carried = [
            np.array(metres) * np.array(flows or (1.0,) * links) * weight
            for metres, flows, weight in (
                (problem.distance_out_m, wishes.flow_out_vph, problem.weight_out),
                (problem.distance_in_m, wishes.flow_in_vph, problem.weight_in),
            )
        ]
        total = float(sum(c.sum() for c in carried)) or 1.0
        self.out, self.back = (2 * c / total for c in carried)
        self.chain = build_chain(problem)

    def sub(self, first: int, last: int, cycles_ms: tuple[int, ...]) -> BandProblem:
        """Return the problem of signals first..last, weighted by what its links carry."""
        p = self.problem
        signals, links = slice(first, last + 1), slice(first, last)
        return replace(
            p,
            patterns=p.patterns[signals],
            cycles_ms=cycles_ms,
            distance_out_m=p.distance_out_m[links],
            distance_in_m=p.distance_in_m[links],
            speed_out_mps=p.speed_out_mps[links],
            speed_in_mps=p.speed_in_mps[links],
            clearance_out_ms=p.clearance_out_ms[signals],
            clearance_in_ms=p.clearance_in_ms[signals],
            weight_out=float(self.out[links].sum()) / 2 + 1e-12,
            weight_in=float(self.back[links].sum()) / 2 + 1e-12,
            locks=tuple(_locks_within(p.locks, first, last)),
            posted=p.posted and replace(p.posted, sections=p.posted.sections[links]),
        )

    def worth(self, first: int, last: int, cycles_ms: tuple[int, ...]) -> float:
        """Return what the best bands of a run are worth; where nobody drives, nothing."""
        links = slice(first, last)
        if not self.out[links].any() and not self.back[links].any():
            return 0.0
        p = self.problem
        if p.locks or p.posted or p.speed_change_limit_s_per_m is not None:
            problem = self.sub(first, last, cycles_ms)
            plan = widest_two_way(problem)
            return value_of(problem, plan) if plan else 0.0
        chain = self._sliced(first, last)
        value = 0.0
        for allowed in allowed_choices(chain):
            index, _, _, _, found = _kernels.sweep(
                np.array(cycles_ms, np.int64),
                p.parts_per_cycle,
                chain.first,
                chain.windows,
                allowed,
                chain.both.table,
                chain.wishes,
                value,
            )
            value = float(found) if index >= 0 else value
        if p.ratio_range or p.min_out_ms or p.min_in_ms:
            return value
        longest = np.maximum.reduceat(chain.windows[1::2], chain.first[:-1], axis=1).min(1)
        return float(max(value, *(longest / p.parts_per_cycle * chain.wishes[:2])))

    def _sliced(self, first: int, last: int) -> Chain:
        """Return the arrays of a run of signals, as far as the sweep reads them."""
        whole = self.chain
        begin, end = whole.first[first], whole.first[last + 1]
        wishes = whole.wishes.copy()
        wishes[0], wishes[1] = (float(c[first:last].sum()) / 2 for c in (self.out, self.back))
        return replace(
            whole,
            first=whole.first[first : last + 2] - begin,
            windows=np.ascontiguousarray(whole.windows[:, begin:end]),
            both=Links(table=np.ascontiguousarray(whole.both.table[:, first:last])),
            wishes=wishes,
        )

    def worths(self, cycles_ms: tuple[int, ...]) -> Floats:
        """Return what every run is worth, by first and last signal."""
        n = self.problem.signals
        table = np.zeros((n, n))
        most = self.wishes.most_signals or n
        for first in range(n):
            for last in range(first + 1, min(n, first + most)):
                table[first, last] = self.worth(first, last, cycles_ms)
        return table

    def band(self, first: int, last: int, cycles_ms: tuple[int, ...]) -> Band | None:
        """Return the bands of a part."""
        return None if first == last else two_way_band(self.sub(first, last, cycles_ms))

    def cut(self, left: Part, right: Part, cycles_ms: tuple[int, ...]) -> Cut:
        """Return the cut between two parts with its reasons."""
        link = left.last
        joined = self.band(left.first, right.last, cycles_ms)
        return Cut(link=link, reasons=tuple(self._reasons(link, left, right, joined)))

    def _reasons(
        self, link: int, left: Part, right: Part, joined: Band | None
    ) -> Iterator[Finding]:
        place = f"link {link}"
        if joined is not None:
            yield _why(
                "LV478",
                place,
                joined_s=_seconds(joined),
                left_s=_seconds(left.band),
                right_s=_seconds(right.band),
            )
        metres = self.problem.distance_out_m
        if metres[link] > max(WIDE_M, 0.0) or metres[link] > WIDE_SHARE * float(np.median(metres)):
            yield _why("LV479", place, spacing_m=round(metres[link]))
        for flows, direction in (
            (self.wishes.flow_out_vph, "outbound"),
            (self.wishes.flow_in_vph, "inbound"),
        ):
            if not flows:
                continue
            near = [flows[k] for k in (link - 1, link + 1) if 0 <= k < len(flows)]
            high, low = max([flows[link], *near]), min([flows[link], *near])
            if high > 0 and (high - low) / high >= FLOW_CHANGE:
                percent = round(100 * (high - low) / high)
                yield _why("LV480", place, direction=direction, percent=percent)


def _locks_within(locks: tuple[Lock, ...], first: int, last: int) -> Iterator[Lock]:
    for lock in locks:
        pairs = [
            (s - first, ms)
            for s, ms in zip(lock.signals, lock.offsets_ms, strict=True)
            if first <= s <= last
        ]
        if pairs:
            signals, offsets = zip(*pairs, strict=True)
            yield replace(lock, signals=signals, offsets_ms=offsets)


def _why(code: str, place: str, **fields: object) -> Finding:
    return Finding(code=code, place=place, severity=Severity.ADVICE, fields=fields)


def _seconds(band: Band | None) -> float:
    return 0.0 if band is None else round(band.exact.sum_ms / 1000, 1)
