# SPDX-License-Identifier: Apache-2.0
"""All best trades of outbound against inbound band: the exact Pareto front.

For one cycle and one choice of shortest greens, exactly the pairs of bands with
b <= g, b_in <= g_in, b + b_in <= S can be had (Morgan and Little 1964 for enlarging one band at
the other's cost), so the front is made of a few lines of slope -1, and one-way plans at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.band import one_way_plans
from lvbo.progression.band_fit import plan_of
from lvbo.progression.chain import NO_LIMIT, Chain, Floats, Ints, build_chain
from lvbo.progression.locks import unlocked_cases
from lvbo.progression.problem import BandPlan, BandProblem
from lvbo.progression.search import Found, allowed_choices, build_setting

SUM_ALONE: Floats = np.array([1.0, 1.0, 0.0, NO_LIMIT, 0.0, 0.0])
SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """Hold a pair of bands, in shares of the cycle, and a plan that has them."""

    outbound_share: float
    inbound_share: float
    plan: BandPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Hold a line of the front: bands up to these shares with this sum, at one cycle."""

    cycle_ms: int
    sum_share: float
    most_out: float
    most_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Hold the front: its lines, and its corners from the widest inbound to the widest outbound.

    Ratio limits and minimum bands of the problem do not cut it; it shows what they cost.
    """

    trades: tuple[Trade, ...]
    corners: tuple[Corner, ...]

    def inbound_at(self, outbound_share: float) -> float | None:
        """Return the widest inbound band beside an outbound band of at least this share."""
        lines = [
            min(t.most_in, t.sum_share - outbound_share)
            for t in self.trades
            if outbound_share <= min(t.most_out, t.sum_share) + SAME
        ]
        points = [
            c.inbound_share for c in self.corners if c.outbound_share >= outbound_share - SAME
        ]
        return max([max(0.0, x) for x in lines] + points, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A line with what is needed to build its plans."""

    trade: Trade
    sum_ms: int
    problem: BandProblem
    chain: Chain
    allowed: Ints
    caps_ms: tuple[int, int]
    restore: int  # which case of the locks it belongs to


def pareto_front(problem: BandProblem) -> Front:
    """Return the exact front of outbound against inbound band over all cycles of a problem.

    With pace levels (a speed-change limit that binds) it is exact up to their distance, with
    locks up to the speeds tried between them.
    """
    cases = list(unlocked_cases(problem))
    pieces = [p for k, case in enumerate(cases) for p in _pieces(case.problem, case.chain, k)]
    kept = _undominated(pieces)
    chain = build_chain(problem)
    corners = [
        _corner(problem, chain, cases[p.restore].restored(found))
        for p in kept
        for found in _ends(p)
    ]
    cycle_ms = kept[0].trade.cycle_ms if kept else problem.cycles_ms[0]
    corners += [_at(plan) for plan in one_way_plans(problem, chain, cycle_ms)]
    return Front(trades=tuple(p.trade for p in kept), corners=tuple(_best(corners)))


def _pieces(problem: BandProblem, chain: Chain, case: int) -> list[_Piece]:
    """Return the widest sum for each choice of shortest greens."""
    cycles = np.array(problem.cycles_ms, np.int64)
    parts = problem.parts_per_cycle
    pieces = []
    for allowed in allowed_choices(chain):
        index, _, b, d, _ = _kernels.sweep(
            cycles, parts, chain.first, chain.windows, allowed, chain.both.table, SUM_ALONE, -1.0
        )
        if index < 0:
            continue
        cycle_ms = int(cycles[index])
        shortest = [int(row[allowed > 0].min()) for row in chain.windows[1::2]]
        caps = [min(g, parts) * cycle_ms // parts for g in shortest]
        trade = Trade(
            cycle_ms=cycle_ms,
            sum_share=(b + d) / cycle_ms,
            most_out=min(caps[0], b + d) / cycle_ms,
            most_in=min(caps[1], b + d) / cycle_ms,
        )
        pieces.append(
            _Piece(
                trade=trade,
                sum_ms=int(b + d),
                problem=problem,
                chain=chain,
                allowed=allowed,
                caps_ms=(caps[0], caps[1]),
                restore=case,
            )
        )
    return pieces


def _undominated(pieces: list[_Piece]) -> list[_Piece]:
    def covers(a: Trade, b: Trade) -> bool:
        return (
            a.sum_share >= b.sum_share - SAME
            and a.most_out >= b.most_out - SAME
            and a.most_in >= b.most_in - SAME
        )

    kept: list[_Piece] = []
    for piece in sorted(pieces, key=lambda p: -p.trade.sum_share):
        if not any(covers(other.trade, piece.trade) for other in kept):
            kept.append(piece)
    return kept


def _ends(piece: _Piece) -> list[Found]:
    """Return both ends of a line as settings."""
    most_out = min(piece.caps_ms[0], piece.sum_ms)
    most_in = min(piece.caps_ms[1], piece.sum_ms)
    ends = {(piece.sum_ms - most_in, most_in), (most_out, piece.sum_ms - most_out)}
    return [
        build_setting(piece.problem, piece.chain, piece.trade.cycle_ms, bands, piece.allowed)
        for bands in sorted(ends)
    ]


def _corner(problem: BandProblem, chain: Chain, found: Found) -> Corner:
    return _at(plan_of(problem, chain, found))


def _at(plan: BandPlan) -> Corner:
    return Corner(outbound_share=plan.outbound_share, inbound_share=plan.inbound_share, plan=plan)


def _best(corners: list[Corner]) -> list[Corner]:
    """Return the corners that no other one beats, from the widest inbound band on."""
    tick = 2 / min(c.plan.cycle_ms for c in corners)
    kept: list[Corner] = []
    for corner in sorted(corners, key=lambda c: (-c.outbound_share, -c.inbound_share)):
        if not kept or corner.inbound_share > kept[-1].inbound_share + tick:
            kept.append(corner)
    return kept[::-1]
