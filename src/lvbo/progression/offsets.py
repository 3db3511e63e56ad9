# SPDX-License-Identifier: Apache-2.0
"""The bands of known offsets, and the best whole seconds near an exact plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Ints, Links, build_chain
from lvbo.progression.problem import BandKind, BandPlan, BandProblem

SECOND_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWay:
    """Hold one direction of a chain in the order in which its cars meet the signals.

    `start` and `green` (ms) are windows on the signals' own clocks, `first` (n + 1) their index;
    `links` times are front to front, queue clearance taken off.
    """

    first: Ints
    start: Ints
    green: Ints
    links: Links

    def at(self, offsets_ms: Ints) -> Ints:
        """Return the starts of the windows on the area clock."""
        return self.start + np.repeat(offsets_ms, np.diff(self.first))

    def widest(self, offsets_ms: Ints, cycle_ms: int) -> int:
        """Return the widest band, or -1 where not even one car passes."""
        links = self.links
        return int(
            _kernels.widest_band(
                self.first,
                self.at(offsets_ms),
                self.green,
                cycle_ms,
                links.lo,
                links.hi,
                links.near,
                links.far,
            )
        )

    def front(self, offsets_ms: Ints, cycle_ms: int, band_ms: int) -> tuple[Ints, Ints]:
        """Return when the front of a band of this width leaves each signal, and the link times."""
        links = self.links
        q, times, _ = _kernels.trace(
            self.first,
            self.at(offsets_ms),
            self.green,
            band_ms,
            cycle_ms,
            links.lo,
            links.hi,
            links.near,
            links.far,
        )
        return q[0] + np.concatenate((np.zeros(1, np.int64), np.cumsum(times))), times

    def room(
        self, offsets_ms: Ints, cycle_ms: int, fronts: Ints, band_ms: int
    ) -> tuple[Ints, Ints]:
        """Return per signal the green before and after the band, in the window it uses."""
        n = offsets_ms.size
        before = np.full(n, -1, np.int64)
        after = np.full(n, -1, np.int64)
        starts = self.at(offsets_ms)
        for i in range(n):
            for c in range(self.first[i], self.first[i + 1]):
                if self.green[c] >= cycle_ms:
                    before[i], after[i] = cycle_ms, cycle_ms
                    continue
                early = (fronts[i] - starts[c]) % cycle_ms
                late = self.green[c] - early - band_ms
                if late >= 0 and min(early, late) > min(before[i], after[i]):
                    before[i], after[i] = early, late
        return before, after


def one_ways(
    problem: BandProblem, chain: Chain, cycle_ms: int, patterns: tuple[int, ...]
) -> tuple[OneWay, OneWay]:
    """Return both directions with the windows of the chosen sequences."""
    picked = [problem.patterns[i][p] for i, p in enumerate(patterns)]
    parts = problem.parts_per_cycle
    out = _direction([p.outbound for p in picked], parts, cycle_ms)
    back = _direction([p.inbound for p in picked][::-1], parts, cycle_ms)
    return (
        OneWay(
            first=out[0],
            start=out[1],
            green=out[2],
            links=chain.travel_out.plus(-chain.clear_out[1:]),
        ),
        OneWay(
            first=back[0],
            start=back[1],
            green=back[2],
            links=chain.travel_in.reversed().plus(-chain.clear_in[:-1][::-1]),
        ),
    )


def _direction(
    windows: list[tuple[tuple[int, int], ...]], parts: int, cycle_ms: int
) -> tuple[Ints, Ints, Ints]:
    first = np.concatenate(([0], np.cumsum([len(w) for w in windows]))).astype(np.int64)
    flat = np.array([x for w in windows for x in w], np.int64)
    start = np.empty(len(flat), np.int64)
    green = np.empty(len(flat), np.int64)
    _kernels.scale(cycle_ms, parts, flat[:, 0].copy(), flat[:, 1].copy(), start, green)
    green[green >= cycle_ms] = 4 * cycle_ms
    return first, start, green


def with_times(chain: Chain, travel_out: Ints, travel_in: Ints) -> Chain:
    """Return the chain with fixed link times."""
    zero = np.zeros((travel_out.size, 1), np.int64)

    def fixed(times: Ints) -> Links:
        column = times.reshape(-1, 1)
        return Links(lo=column, hi=column, near=zero, far=zero)

    out, back = fixed(travel_out), fixed(travel_in)
    total = fixed(travel_out + travel_in).plus(-chain.clear_out[1:] - chain.clear_in[:-1])
    return replace(chain, travel_out=out, travel_in=back, both=total)


def evaluate_offsets(
    problem: BandProblem,
    cycle_ms: int,
    offsets_ms: tuple[int, ...],
    patterns: tuple[int, ...],
    *,
    kind: BandKind = BandKind.TWO_WAY,
) -> BandPlan:
    """Return the widest bands that these offsets give, at the best link times of each direction.

    Nothing is solved for; this is what dragging an offset shows. Ratio limits do not trim.
    """
    chain = build_chain(problem)
    return plan_at(problem, chain, cycle_ms, np.array(offsets_ms, np.int64), patterns, kind=kind)


def plan_at(
    problem: BandProblem,
    chain: Chain,
    cycle_ms: int,
    offsets_ms: Ints,
    patterns: tuple[int, ...],
    *,
    kind: BandKind,
    bands_ms: tuple[int, int] | None = None,
) -> BandPlan:
    """Return the plan of known offsets, with bands of these widths or the widest there are."""
    out, back = one_ways(problem, chain, cycle_ms, patterns)
    turned = np.ascontiguousarray(offsets_ms[::-1])
    if bands_ms is None:
        bands_ms = (out.widest(offsets_ms, cycle_ms), back.widest(turned, cycle_ms))
    b_out, b_in = bands_ms
    n = offsets_ms.size
    room_out, front_out, times_out = _drive(out, offsets_ms, cycle_ms, b_out)
    room_in, front_in, times_in = _drive(back, turned, cycle_ms, b_in)
    room_in = room_in[:, ::-1]
    # moving an offset later takes green from before the band in both directions
    earlier = np.minimum(room_out[1], room_in[1])
    later = np.minimum(room_out[0], room_in[0])
    locked = {s for lock in problem.locks for s in lock.signals}
    return BandPlan(
        kind=kind,
        cycle_ms=cycle_ms,
        outbound_ms=max(b_out, 0),
        inbound_ms=max(b_in, 0),
        offsets_ms=tuple(int(x) % cycle_ms for x in offsets_ms),
        patterns=patterns,
        travel_out_ms=times_out or _middle(chain.travel_out),
        travel_in_ms=times_in[::-1] or _middle(chain.travel_in),
        front_out_ms=front_out,
        front_in_ms=front_in[::-1],
        slack_ms=tuple(
            (0, 0) if i in locked else (int(earlier[i]), int(later[i])) for i in range(n)
        ),
        binding_out=tuple(i for i in range(n) if room_out[:, i].min() <= 0),
        binding_in=tuple(i for i in range(n) if room_in[:, i].min() <= 0),
        min_green_out_ms=_min_green(out, cycle_ms),
        min_green_in_ms=_min_green(back, cycle_ms),
    )


def _drive(
    way: OneWay, offsets_ms: Ints, cycle_ms: int, band_ms: int
) -> tuple[Ints, tuple[int, ...], tuple[int, ...]]:
    """Return green before and after the band (2, n), fronts and link times along the drive."""
    n = offsets_ms.size
    if band_ms <= 0:
        return np.full((2, n), cycle_ms, np.int64), (), ()
    fronts, times = way.front(offsets_ms, cycle_ms, band_ms)
    room = np.stack(way.room(offsets_ms, cycle_ms, fronts, band_ms))
    return room, tuple(fronts.tolist()), _with_clearance(way, times)


def _with_clearance(way: OneWay, times: Ints) -> tuple[int, ...]:
    return tuple(times.tolist())


def _middle(links: Links) -> tuple[int, ...]:
    k = links.lo.shape[1] // 2
    return tuple(((links.lo[:, k] + links.hi[:, k]) // 2).tolist())


def _min_green(way: OneWay, cycle_ms: int) -> int:
    longest = np.maximum.reduceat(way.green, way.first[:-1])
    return int(min(longest.min(), cycle_ms))
