# SPDX-License-Identifier: Apache-2.0
"""The best plan of one structure: windows chosen, whole cycles counted, everything else free.

With the window of each signal and the number of whole cycles between its two lines given, cycle,
offsets, link times and bands are a linear programme (Gartner, Assmann, Lasaga, Hou 1991 in window
form, times in cycles, z = 1/C). Speed-change limits, ratio limits, minimum bands and locks are
rows of it, so its optimum keeps them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lvbo.progression.chain import Chain, Floats
from lvbo.progression.linear import Programme
from lvbo.progression.linkbands import CENTRED, LinkBandProblem
from lvbo.progression.problem import BandProblem

INSIDE_MS = 4.0
"""A line stays this far inside its greens, so that whole milliseconds keep it there."""
MINIMUM_ROOM_MS = 6.0
HALF_TICK_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Hold what a fit takes as given, by signal, and where it starts (times in cycles).

    `choices` index the chain's windows; `turns` are the whole cycles from the inbound green that
    the signal's clock shows in the cycle of the outbound line to the green of the inbound line.
    """

    cycle_ms: float
    choices: tuple[int, ...]
    turns: tuple[int, ...]
    offsets: Floats
    lines_out: Floats
    lines_in: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Hold the best plan of a structure in real numbers."""

    structure: Structure
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Hold the cycles allowed, and offsets that are given (signal to cycles) or tied in groups."""

    low_ms: float
    high_ms: float
    given: Mapping[int, float]
    tied: Mapping[int, tuple[int, float]]  # signal to the leader of its group, cycles later


def bounds_of(problem: BandProblem, low_ms: float, high_ms: float) -> Bounds:
    """Return the bounds of a problem with its locks, told in cycles of `low_ms`."""
    given: dict[int, float] = {}
    tied: dict[int, tuple[int, float]] = {}
    for lock in problem.locks:
        if lock.absolute:
            given |= {s: ms / low_ms for s, ms in zip(lock.signals, lock.offsets_ms, strict=True)}
            continue
        leader = lock.signals[0]
        for s, ms in zip(lock.signals[1:], lock.offsets_ms[1:], strict=True):
            tied[s] = (leader, (ms - lock.offsets_ms[0]) / low_ms)
    return Bounds(low_ms=low_ms, high_ms=high_ms, given=given, tied=tied)


Affine = tuple[dict[int, float], float]


class _Writer:
    """Write the programme of one structure."""

    def __init__(
        self,
        problem: LinkBandProblem,
        chain: Chain,
        structure: Structure,
        bounds: Bounds,
        *,
        through: bool = False,
    ) -> None:
        self.problem, self.chain, self.structure, self.bounds = problem, chain, structure, bounds
        self.free = bounds.high_ms > bounds.low_ms
        self.programme = Programme(border=int(self.free) + 2 * through)
        self.z = 1000 / structure.cycle_ms
        if self.free:
            self.programme.column(self.z)
        self.shared: tuple[int, int] | None = None
        if through:  # one half-band per direction for all links
            out, back = (2 * sum(w) for w in (problem.weight_out, problem.weight_in))
            add = self.programme.column
            self.shared = add(0.1, cost=out), add(0.1, cost=back)
        self.offset: list[Affine] = []
        self.out: list[int] = []
        self.back: list[int] = []
        self.sides: list[tuple[int, int, int, int]] = []

    def row(self, terms: dict[int, float], per_z: float = 0.0, high: float = 0.0) -> None:
        """Add sum of terms + per_z x z <= high."""
        if self.free:
            self.programme.at_most({**terms, 0: per_z}, high)
        else:
            self.programme.at_most(terms, high - per_z * self.z)

    def write(self) -> None:
        """Add columns, then rows."""
        n = self.problem.street.signals
        for i in range(n):
            self._columns(i, last=i == n - 1)
        if self.free:
            self.programme.between(1000 / self.bounds.high_ms, {0: 1.0}, 1000 / self.bounds.low_ms)
        windows = self.chain.windows / self.problem.street.parts_per_cycle
        for i in range(n):
            choice = self.structure.choices[i]
            self._green(i, windows[:2, choice], outbound=True)
            self._green(i, windows[2:, choice], outbound=False)
        for i in range(n - 1):
            self._drive(i)
            if i == 0 or not self.shared:
                self._band_limits(i)
        self._changes()

    def _columns(self, i: int, *, last: bool) -> None:
        add, s = self.programme.column, self.structure
        if i in self.bounds.given:
            turns = round(float(s.offsets[i]) - self.bounds.given[i])
            self.offset.append(({}, self.bounds.given[i] + turns))
        elif i in self.bounds.tied:
            leader, later = self.bounds.tied[i]
            terms, constant = self.offset[leader]
            turns = round(float(s.offsets[i] - s.offsets[leader]) - later)
            self.offset.append((dict(terms), constant + later + turns))
        else:
            self.offset.append(({add(float(s.offsets[i])): 1.0}, 0.0))
        self.out.append(add(float(s.lines_out[i])))
        self.back.append(add(float(s.lines_in[i])))
        if last:
            return
        w_out, w_in = self.problem.weight_out[i], self.problem.weight_in[i]
        if self.shared:
            self.sides.append((self.shared[0], self.shared[0], self.shared[1], self.shared[1]))
        elif self.problem.least_side == CENTRED:
            a, b = add(0.1, cost=2 * w_out), add(0.1, cost=2 * w_in)
            self.sides.append((a, a, b, b))
        else:
            a, b = add(0.1, cost=w_out), add(0.1, cost=w_out)
            c, d = add(0.1, cost=w_in), add(0.1, cost=w_in)
            self.sides.append((a, b, c, d))

    def _green(self, i: int, window: Floats, *, outbound: bool) -> None:
        """Keep line and sides of both neighbouring links inside the green of a signal."""
        start, length = float(window[0]), float(window[1])
        links = [self.sides[k] for k in (i - 1, i) if 0 <= k < len(self.sides)]
        near = [(s[0], s[1]) if outbound else (s[2], s[3]) for s in links]
        near = list(dict.fromkeys(near))
        if length >= 1:
            for before, after in near:
                self.row(_sum(before, after), high=1.0)
            return
        line = self.out[i] if outbound else self.back[i]
        start += 0 if outbound else self.structure.turns[i]
        terms, constant = self.offset[i]
        after_line = {**terms, line: -1.0}  # start + offset - line
        before_line = {**{c: -v for c, v in terms.items()}, line: 1.0}
        self.row(after_line, INSIDE_MS / 1000, -start - constant)
        self.row(before_line, INSIDE_MS / 1000, start + constant + length)
        for before, after in near:
            self.row({**after_line, before: 1.0}, high=-start - constant)
            self.row({**before_line, after: 1.0}, high=start + constant + length)

    def _times(self, i: int, *, outbound: bool) -> tuple[int, int, float]:
        """Return the later and the earlier line of a link and the clearance between, s."""
        if outbound:
            return self.out[i + 1], self.out[i], float(self.chain.clear_out[i + 1]) / 1000
        return self.back[i], self.back[i + 1], float(self.chain.clear_in[i]) / 1000

    def _drive(self, i: int) -> None:
        street = self.problem.street
        for outbound in (True, False):
            metres = (street.distance_out_m if outbound else street.distance_in_m)[i]
            slow, fast = (street.speed_out_mps if outbound else street.speed_in_mps)[i]
            later, earlier, clear = self._times(i, outbound=outbound)
            room = HALF_TICK_S / 4 if slow == fast else 0.0
            self.row({later: 1.0, earlier: -1.0}, clear - metres / slow - room)
            self.row({later: -1.0, earlier: 1.0}, metres / fast - clear - room)

    def _changes(self) -> None:
        street = self.problem.street
        limit = street.speed_change_limit_s_per_m
        if limit is None:
            return
        for outbound in (True, False):
            metres = street.distance_out_m if outbound else street.distance_in_m
            for i in range(street.signals - 2):
                a, b, clear = self._times(i, outbound=outbound)
                c, d, clear_next = self._times(i + 1, outbound=outbound)
                here, then = 1 / metres[i], 1 / metres[i + 1]
                terms: dict[int, float] = {}
                for column, value in ((c, then), (d, -then), (a, -here), (b, here)):
                    terms[column] = terms.get(column, 0.0) + value
                shift = clear_next * then - clear * here
                strict = max(0.0, limit - HALF_TICK_S * (here + then) / 4)
                self.row(terms, shift - strict)
                self.row({k: -v for k, v in terms.items()}, -shift - strict)

    def _band_limits(self, i: int) -> None:
        a, b, c, d = self.sides[i]
        for column in {a, b, c, d}:
            self.row({column: -1.0})
        out, back = _sum(a, b), _sum(c, d)
        street = self.problem.street
        if street.min_out_ms:
            least = (street.min_out_ms + MINIMUM_ROOM_MS) / 1000
            self.row({k: -v for k, v in out.items()}, least)
        if street.min_in_ms:
            least = (street.min_in_ms + MINIMUM_ROOM_MS) / 1000
            self.row({k: -v for k, v in back.items()}, least)
        low, high = street.ratio_range or (0.0, np.inf)
        room = 1e-6 if high - low < 1e-6 else 0.0  # noqa: PLR2004  an equation gets a little room
        if low > 0:
            self.row({**{k: low * v for k, v in out.items()}, **_turned(back)}, high=room)
        if high < np.inf:
            self.row({**{k: -high * v for k, v in out.items()}, **back}, high=room)
        least = self.problem.least_side
        if 0 < least < CENTRED:
            for one, other in ((a, b), (b, a), (c, d), (d, c)):
                self.row({one: least - 1, other: least})


def _sum(a: int, b: int) -> dict[int, float]:
    return {a: 2.0} if a == b else {a: 1.0, b: 1.0}


def _turned(terms: dict[int, float]) -> dict[int, float]:
    return {column: -value for column, value in terms.items()}


def fit_structure(
    problem: LinkBandProblem,
    chain: Chain,
    structure: Structure,
    bounds: Bounds,
    *,
    through: bool = False,
) -> Fit | None:
    """Return the best plan of a structure, None where it keeps no limits.

    With `through` each direction has one band, centred on its line, through all links.
    """
    writer = _Writer(problem, chain, structure, bounds, through=through)
    writer.write()
    best = writer.programme.solve()
    if best is None:
        return None
    x = best.columns
    offsets = [sum(v * x[c] for c, v in terms.items()) + add for terms, add in writer.offset]
    return Fit(
        structure=Structure(
            cycle_ms=1000 / float(x[0]) if writer.free else structure.cycle_ms,
            choices=structure.choices,
            turns=structure.turns,
            offsets=np.array(offsets),
            lines_out=x[writer.out],
            lines_in=x[writer.back],
        ),
        value=best.value,
    )
