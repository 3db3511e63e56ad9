# SPDX-License-Identifier: Apache-2.0
"""Offsets in whole seconds near an exact plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.progression import _kernels
from lvbo.progression.chain import Chain, Floats, Ints
from lvbo.progression.offsets import Setting, fix_times, one_ways, plan_at
from lvbo.progression.problem import BandKind, BandPlan, BandProblem

SECOND_MS = 1000
SHIFTS_MS = np.arange(0, SECOND_MS, 125, dtype=np.int64)
SIDE_WEIGHT = 0.001  # a one-way plan takes what it can get in the other direction


def whole_seconds(problem: BandProblem, chain: Chain, exact: BandPlan) -> BandPlan:
    """Return the best plan found near `exact` whose offsets are whole seconds.

    All offsets are rounded at several common shifts, the bands measured again with link times
    free in their ranges, then single offsets moved by a second while that helps. Locked offsets
    stay as they are. Where a speed-change limit binds, link times stay those of `exact`.
    """
    if chain.both.lo.shape[1] > 1:
        travel = (np.array(t, np.int64) for t in (exact.travel_out_ms, exact.travel_in_ms))
        chain = fix_times(chain, *travel)
    offsets = np.array(exact.offsets_ms, np.int64)
    setting = Setting(
        cycle_ms=exact.cycle_ms, offsets_ms=offsets, patterns=exact.patterns, kind=exact.kind
    )
    wishes = _wishes(chain, exact.kind)
    best = _settle(problem, chain, setting, wishes)
    measured = plan_at(problem, chain, replace(setting, offsets_ms=best))
    return plan_at(problem, chain, replace(setting, offsets_ms=best), _trimmed(measured, wishes))


def _wishes(chain: Chain, kind: BandKind) -> Floats:
    if kind is BandKind.TWO_WAY:
        return chain.wishes
    out = 1.0 if kind is BandKind.OUTBOUND else SIDE_WEIGHT
    back = 1.0 if kind is BandKind.INBOUND else SIDE_WEIGHT
    return np.array([out, back, 0.0, np.inf, 0.0, 0.0])


def _settle(problem: BandProblem, chain: Chain, setting: Setting, wishes: Floats) -> Ints:
    out, back = one_ways(problem, chain, setting)
    movable = np.ones(problem.signals, np.int64)
    for lock in problem.locks:
        movable[list(lock.signals)] = 0
    shifts = SHIFTS_MS[:1] if problem.locks else SHIFTS_MS
    settled: Ints = _kernels.settle(
        out.first,
        out.start,
        out.green,
        out.links.lo,
        out.links.hi,
        back.first,
        back.start,
        back.green,
        back.links.lo,
        back.links.hi,
        setting.cycle_ms,
        setting.offsets_ms,
        movable,
        wishes,
        SECOND_MS,
        shifts,
    )
    return settled


def _trimmed(plan: BandPlan, wishes: Floats) -> tuple[int, int]:
    """Return the bands cut to the ratio limits; unchanged where no cut meets them."""
    b_out, b_in = _kernels.split(
        plan.sum_ms,
        plan.outbound_ms,
        plan.inbound_ms,
        wishes[0],
        wishes[1],
        wishes[2],
        wishes[3],
        int(wishes[4]),
        int(wishes[5]),
    )
    return (int(b_out), int(b_in)) if b_out >= 0 else (plan.outbound_ms, plan.inbound_ms)
