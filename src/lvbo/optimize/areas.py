# SPDX-License-Identifier: Apache-2.0
"""Which signals are run together: areas, what each cut between them costs, who shares a cycle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lvbo.ids import ControllerId
from lvbo.optimize.coupling import Coupling
from lvbo.optimize.louvain import louvain, modularity, renumbered

Members = tuple[ControllerId, ...]
Pair = tuple[int, int]

MOST_SIGNALS = 60
STICKY = 0.25
"""So much more than it is counts a coupling inside an area of before."""
LEAST_GAIN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRules:
    """What areas must keep: so many signals at most, corridors whole, `earlier` areas if they can.

    Corridors are kept whole in the order given, as long as what hangs together by them is no
    larger than an area may be.
    """

    most: int = MOST_SIGNALS
    corridors: tuple[Members, ...] = ()
    earlier: tuple[Members, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Two neighbours in different areas, and what coordinating them would have saved."""

    first: ControllerId
    second: ControllerId
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The areas, each in the order of names; the cuts, the dearest first.

    `split` are the corridors that were too long to be kept whole, by their number in the rules.
    """

    areas: tuple[Members, ...]
    cuts: tuple[Cut, ...]
    split: tuple[int, ...]
    modularity: float

    @property
    def lost(self) -> float:
        """Return what all cuts cost together, in the unit of the couplings."""
        return sum(cut.weight for cut in self.cuts)

    @property
    def borders(self) -> dict[Pair, float]:
        """Return what is cut between each two areas, by their numbers."""
        area = {c: k for k, members in enumerate(self.areas) for c in members}
        found: dict[Pair, float] = defaultdict(float)
        for cut in self.cuts:
            ends = area[cut.first], area[cut.second]
            found[min(ends), max(ends)] += cut.weight
        return dict(sorted(found.items()))


def find_areas(
    controllers: Iterable[ControllerId],
    couplings: Sequence[Coupling],
    rules: AreaRules | None = None,
) -> Partition:
    """Return areas whose signals have much to do with each other, little with those of others.

    Every area hangs together by its couplings and corridors.
    """
    chosen, names = rules or AreaRules(), tuple(sorted(controllers))
    number = {c: k for k, c in enumerate(names)}
    links = {_ordered(number[c.first], number[c.second]): c.weight for c in couplings}
    streets = [[number[c] for c in line if c in number] for line in chosen.corridors]
    knot, split = _knots(len(names), streets, chosen.most)
    before = {number[c]: k for k, area in enumerate(chosen.earlier) for c in area if c in number}
    group = louvain(*_knotted(links, knot, before), chosen.most)
    group = _connected([group[k] for k in knot], [*links, *_steps(streets, knot)])
    areas: list[list[ControllerId]] = [[] for _ in range(max(group, default=-1) + 1)]
    for name, g in zip(names, group, strict=True):
        areas[g].append(name)
    cuts = [
        Cut(first=c.first, second=c.second, weight=c.weight)
        for c in couplings
        if group[number[c.first]] != group[number[c.second]]
    ]
    return Partition(
        areas=tuple(tuple(area) for area in areas),
        cuts=tuple(sorted(cuts, key=lambda cut: (-cut.weight, cut.first, cut.second))),
        split=tuple(split),
        modularity=modularity(links, group),
    )


def _ordered(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


def _knots(
    signals: int, streets: Sequence[Sequence[int]], most: int
) -> tuple[list[int], list[int]]:
    """Return for each signal the number of what corridors hold together, and corridors split."""
    knot, size = list(range(signals)), [1] * signals
    split = []
    for k, street in enumerate(streets):
        joined = sorted({knot[s] for s in street})
        if sum(size[g] for g in joined) > most:
            split.append(k)
            continue
        for g in joined[1:]:
            size[joined[0]] += size[g]
            knot = [joined[0] if own == g else own for own in knot]
    return renumbered(knot), split


def _knotted(
    links: Mapping[Pair, float], knot: Sequence[int], before: Mapping[int, int]
) -> tuple[dict[Pair, float], list[int]]:
    """Return weights between knots and their sizes; couplings of an earlier area count more."""
    weights: dict[Pair, float] = defaultdict(float)
    for (a, b), weight in links.items():
        same = a in before and before[a] == before.get(b)
        weights[_ordered(knot[a], knot[b])] += weight * (1 + STICKY * same)
    sizes = [0] * (max(knot, default=-1) + 1)
    for g in knot:
        sizes[g] += 1
    return dict(weights), sizes


def _steps(streets: Sequence[Sequence[int]], knot: Sequence[int]) -> list[Pair]:
    """Return the neighbours along the corridors that are kept whole."""
    pairs = [(a, b) for street in streets for a, b in pairwise(street)]
    return [_ordered(a, b) for a, b in pairs if knot[a] == knot[b]]


def _connected(group: Sequence[int], joined: Iterable[Pair]) -> list[int]:
    """Return the groups with those taken apart that do not hang together."""
    near: list[list[int]] = [[] for _ in group]
    for a, b in joined:
        if group[a] == group[b]:
            near[a].append(b)
            near[b].append(a)
    part = [-1] * len(group)
    for s in range(len(group)):
        if part[s] < 0:
            part[s], todo = s, [s]
            while todo:
                for other in near[todo.pop()]:
                    if part[other] < 0:
                        part[other] = s
                        todo.append(other)
    return renumbered(part)


# one cycle or their own -----------------------------------------------------------------------

CycleCosts = Mapping[int, float]
"""What an area costs at each cycle in s that fits it, in the unit of the couplings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCycle:
    """Areas, by number, that run one cycle, what they cost so, and what that saves.

    `saved` is against own best cycles and nothing coordinated between the areas.
    """

    areas: tuple[int, ...]
    cycle_s: int
    cost: float
    saved: float


def share_cycles(
    costs: Sequence[CycleCosts], borders: Mapping[Pair, float]
) -> tuple[SharedCycle, ...]:
    """Return which areas should run one cycle, merging the pair that saves most until none does.

    Areas that share a cycle pay for what is not their own best one and save what is cut between
    them (`Partition.borders`).
    """
    groups: dict[int, tuple[int, ...]] = {k: (k,) for k in range(len(costs))}
    table = {k: dict(own) for k, own in enumerate(costs)}
    border = {_ordered(*pair): saved for pair, saved in borders.items()}
    while True:
        gains = {pair: _gain(table, pair, saved) for pair, saved in sorted(border.items())}
        best = max(gains, key=lambda pair: gains[pair], default=None)
        if best is None or gains[best] <= LEAST_GAIN:
            break
        a, b = best
        groups[a] = tuple(sorted((*groups[a], *groups.pop(b))))
        table[a] = _together(table[a], table.pop(b), border[best])
        border = _merged(border, a, b)
    return tuple(_shared(areas, table[k], costs) for k, areas in sorted(groups.items()))


def _together(one: CycleCosts, other: CycleCosts, saved: float) -> dict[int, float]:
    return {c: cost + other[c] - saved for c, cost in one.items() if c in other}


def _gain(table: Mapping[int, CycleCosts], pair: Pair, saved: float) -> float:
    one, other = table[pair[0]], table[pair[1]]
    joined = _together(one, other, saved)
    if not joined:
        return 0.0
    return min(one.values()) + min(other.values()) - min(joined.values())


def _merged(border: Mapping[Pair, float], a: int, b: int) -> dict[Pair, float]:
    """Return the borders after group b has become part of group a."""
    found: dict[Pair, float] = defaultdict(float)
    for (one, other), saved in border.items():
        ends = a if one == b else one, a if other == b else other
        if ends[0] != ends[1]:
            found[_ordered(*ends)] += saved
    return dict(found)


def _shared(areas: Sequence[int], table: CycleCosts, costs: Sequence[CycleCosts]) -> SharedCycle:
    cycle = min(table, key=lambda c: (table[c], c))
    alone = sum(min(costs[k].values()) for k in areas)
    return SharedCycle(
        areas=tuple(areas), cycle_s=cycle, cost=table[cycle], saved=alone - table[cycle]
    )
