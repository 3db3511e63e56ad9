# SPDX-License-Identifier: Apache-2.0
"""The bands that known offsets give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Ints, Links, build_chain
from lvbo.progression.problem import BandKind, BandPlan, BandProblem, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Hold what a controller group is given: cycle, offset and sequence per signal."""

    cycle_ms: int
    offsets_ms: Ints  # (n)
    patterns: tuple[int, ...]
    kind: BandKind = BandKind.TWO_WAY


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWay:
    """Hold one direction of a chain in the order in which its cars meet the signals.

    `start` and `green` (ms) are windows on the signals' own clocks, `first` (n + 1) their index,
    `owner` the signal of each window; `links` times are front to front, queue clearance taken off.
    """

    cycle_ms: int
    first: Ints
    owner: Ints
    start: Ints
    green: Ints
    links: Links

    def at(self, offsets_ms: Ints) -> Ints:
        """Return starts on the area clock and lengths of the windows, (2, m)."""
        arcs = np.empty((2, self.start.size), np.int64)
        np.add(self.start, offsets_ms[self.owner], out=arcs[0])
        arcs[1] = self.green
        return arcs

    def widest(self, offsets_ms: Ints, guess_ms: int = 0) -> int:
        """Return the widest band, or -1 where not even one car passes; a near guess saves time."""
        arcs = self.at(offsets_ms)
        table = self.links.table
        return int(_kernels.widest_band(self.first, arcs, self.cycle_ms, table, guess_ms))

    def mark(self, offsets_ms: Ints, band_ms: int, moves: Ints, ok: Ints) -> None:
        """Set `ok` (k) where a band of this width passes after one move (2, k): signal and ms."""
        arcs = self.at(offsets_ms)
        table = self.links.table
        _kernels.mark(self.first, arcs, moves, band_ms, self.cycle_ms, table, ok)

    def drive(self, offsets_ms: Ints, band_ms: int) -> tuple[Ints, Ints, Ints]:
        """Return fronts (n), link times (n - 1), and green before and after the band (2, n).

        Without a band there are no fronts and nothing limits the offsets.
        """
        if band_ms <= 0:
            none = np.zeros(0, np.int64)
            return none, none, np.full((2, offsets_ms.size), self.cycle_ms, np.int64)
        arcs = self.at(offsets_ms)
        table = self.links.table
        q, times, _ = _kernels.trace(self.first, arcs, band_ms, self.cycle_ms, table)
        fronts = q[0] + np.concatenate((np.zeros(1, np.int64), np.cumsum(times)))
        return fronts, times, self.room(arcs, fronts, band_ms)

    def room(self, arcs: Ints, fronts: Ints, band_ms: int) -> Ints:
        """Return the green before and after a band, in each signal's best window, (2, n)."""
        before = (fronts[self.owner] - arcs[0]) % self.cycle_ms
        after = self.green - before - band_ms
        before[after < 0] = after[after < 0] = -1
        always = self.green >= self.cycle_ms
        before[always] = after[always] = self.cycle_ms
        if before.size == fronts.size:  # one window each
            return np.array((before, after))
        order = np.lexsort((np.minimum(before, after), self.owner))
        best = order[self.first[1:] - 1]
        return np.stack((before[best], after[best]))

    @property
    def shortest_green_ms(self) -> int:
        """Return the shortest of the signals' longest windows."""
        longest = np.maximum.reduceat(self.green, self.first[:-1])
        return int(min(longest.min(), self.cycle_ms))


def evaluate_offsets(
    problem: BandProblem, cycle_ms: int, offsets_ms: tuple[int, ...], patterns: tuple[int, ...]
) -> BandPlan:
    """Return the widest bands that these offsets give, at the best link times of each direction.

    Nothing is solved for: this is what dragging an offset shows. Ratio limits do not trim.
    """
    offsets = np.array(offsets_ms, np.int64)
    setting = Setting(cycle_ms=cycle_ms, offsets_ms=offsets, patterns=patterns)
    return plan_at(problem, build_chain(problem), setting)


def plan_at(
    problem: BandProblem,
    chain: Chain,
    setting: Setting,
    bands_ms: tuple[int, int] | None = None,
    ways: tuple[OneWay, OneWay] | None = None,
) -> BandPlan:
    """Return the plan of known offsets, with bands of these widths or the widest there are.

    `ways` are both directions with the sequences of the setting, where they are known.
    """
    cycle_ms, offsets = setting.cycle_ms, setting.offsets_ms
    out, back = ways or one_ways(problem, chain, setting)
    turned = np.ascontiguousarray(offsets[::-1])
    b_out, b_in = bands_ms or (out.widest(offsets), back.widest(turned))
    front_out, times_out, room_out = out.drive(offsets, b_out)
    front_in, times_in, room_in = back.drive(turned, b_in)
    room_in = room_in[:, ::-1]
    # moving an offset later takes green from before the band in both directions
    earlier = np.minimum(room_out[1], room_in[1])
    later = np.minimum(room_out[0], room_in[0])
    for lock in problem.locks:
        earlier[list(lock.signals)] = later[list(lock.signals)] = 0
    return BandPlan(
        kind=setting.kind,
        cycle_ms=cycle_ms,
        outbound_ms=max(b_out, 0),
        inbound_ms=max(b_in, 0),
        offsets_ms=_numbers(offsets % cycle_ms),
        patterns=setting.patterns,
        travel_out_ms=_travel(times_out, chain.clear_out[1:], chain.travel_out),
        travel_in_ms=_travel(times_in[::-1], chain.clear_in[:-1], chain.travel_in),
        front_out_ms=_numbers(front_out),
        front_in_ms=_numbers(front_in[::-1]),
        slack_ms=tuple(zip(_numbers(earlier), _numbers(later), strict=True)),
        binding_out=_numbers(np.flatnonzero(room_out.min(0) <= 0)),
        binding_in=_numbers(np.flatnonzero(room_in.min(0) <= 0)),
        min_green_out_ms=out.shortest_green_ms,
        min_green_in_ms=back.shortest_green_ms,
    )


def one_ways(problem: BandProblem, chain: Chain, setting: Setting) -> tuple[OneWay, OneWay]:
    """Return both directions with the windows of the chosen sequences."""
    picked = [problem.patterns[i][p] for i, p in enumerate(setting.patterns)]
    parts = problem.parts_per_cycle
    return (
        _direction(
            [p.outbound for p in picked],
            parts,
            setting.cycle_ms,
            chain.travel_out.plus(-chain.clear_out[1:]),
        ),
        _direction(
            [p.inbound for p in picked][::-1],
            parts,
            setting.cycle_ms,
            chain.travel_in.plus(-chain.clear_in[:-1]).reversed(),
        ),
    )


def fix_times(chain: Chain, travel_out_ms: Ints, travel_in_ms: Ints) -> Chain:
    """Return the chain with these link times (n - 1) instead of ranges."""
    zero = np.zeros((travel_out_ms.size, 1), np.int64)

    def fixed(times: Ints) -> Links:
        column = times.reshape(-1, 1)
        return Links.of(column, column, zero, zero)

    both = fixed(travel_out_ms + travel_in_ms).plus(-chain.clear_out[1:] - chain.clear_in[:-1])
    return replace(chain, travel_out=fixed(travel_out_ms), travel_in=fixed(travel_in_ms), both=both)


def _direction(
    windows: list[tuple[Window, ...]], parts: int, cycle_ms: int, links: Links
) -> OneWay:
    counts = [len(w) for w in windows]
    flat = np.array([x for w in windows for x in w], np.int64).T.copy()
    start = np.empty(flat.shape[1], np.int64)
    green = np.empty(flat.shape[1], np.int64)
    _kernels.scale(cycle_ms, parts, flat[0], flat[1], start, green)
    green[green >= cycle_ms] = 4 * cycle_ms
    return OneWay(
        cycle_ms=cycle_ms,
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        owner=np.repeat(np.arange(len(counts)), counts),
        start=start,
        green=green,
        links=links,
    )


def _travel(times: Ints, clearance: Ints, links: Links) -> tuple[int, ...]:
    if times.size:
        return _numbers(times + clearance)
    k = links.levels // 2
    return _numbers((links.lo[:, k] + links.hi[:, k]) // 2)


def _numbers(values: Ints) -> tuple[int, ...]:
    return tuple(values.tolist())
