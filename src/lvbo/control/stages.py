# SPDX-License-Identifier: Apache-2.0
"""The stages a site may show, which may follow which, and how long each change takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Order
from lvbo.control.site import NONE, PROTECTED, YIELDING, Site
from lvbo.errors import PlanError
from lvbo.ids import PhaseId
from lvbo.network.place import Turn
from lvbo.signal.lamp import Conflict
from lvbo.signal.rules import SignalRules, StageSets

UNKNOWN_S = 10_000
"""Stands for an intergreen that is not known: longer than any change."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StageTable:
    """Stages by number; the first `len(cycle)` are the site's order.

    `greens` (stages, phases) are the phases of a stage, permanent ones too. `legal` (stages,
    stages) says what may follow a stage (itself included). `change_s` (stages, stages, phases) is
    the time from the end of one stage to the green of a phase in the next: zero for one that runs
    on, -1 for one that is not in it. `least_s` (stages,) is the minimum green of a stage, the
    longest of its phases that serve vehicles; `cycle` is the site's order, a stage that comes twice
    in it at its first place: what may follow it there or later may follow it always. `over`
    (stages, stages, stages) marks the stages that a change from the first to the second passes
    over, where that is allowed while nobody calls them: 1 in this round, 2 in the next.
    """

    order: Order
    cycle: tuple[int, ...]
    greens: NDArray[np.bool_]
    legal: NDArray[np.bool_]
    change_s: NDArray[np.int64]
    least_s: NDArray[np.int64]
    over: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Return the number of stages."""
        return len(self.greens)

    def stage_of(self, going: NDArray[np.bool_], walks: NDArray[np.bool_]) -> int:
        """Return the stage whose vehicle phases go, or -1; people may have stopped walking."""
        return row_shown(self.greens, going, walks)


def row_shown(greens: NDArray[np.bool_], going: NDArray[np.bool_], walks: NDArray[np.bool_]) -> int:
    """Return the row of `greens` (rows, phases) whose vehicle phases go, or -1."""
    same = ((greens == going) | walks).all(axis=1)
    return int(np.argmax(same)) if same.any() else -1


def stage_table(site: Site, order: Order, stages: StageSets | None = None) -> StageTable:
    """Return the stages of a site in its usual order, or of the order given.

    With `Order.ANY` the stages of all the site's orders are taken, and those in which one approach
    goes alone; any may follow any, except where the rules forbid to skip or a waiting area orders
    them.

    Raises:
        PlanError: LV730 where the site has no stage at all.

    """
    rules = site.rules
    cycle = stages if stages is not None else next(iter(rules.orders), ())
    wide = order is Order.ANY and rules.may_skip and stages is None
    more = [*(s for other in rules.orders for s in other), *approach_stages(site)] if wide else []
    listed = tuple(dict.fromkeys((*cycle, *more)))
    if not listed:
        raise PlanError("LV730", controller=site.id)
    greens = np.array([[p in {*s, *rules.permanent} for p in site.phases] for s in listed])
    change = change_times(rules, site.phases, greens, site.walks)
    free = order is Order.ANY and rules.may_skip
    turn = [listed.index(s) for s in cycle]
    legal = _any(len(listed)) if free else _ring(turn, len(listed), skips=_skips(rules, order))
    once = tuple(dict.fromkeys(turn))
    return StageTable(
        order=order,
        cycle=once,
        greens=greens,
        legal=legal & _possible(change) & _kept_together(rules, site.phases, greens),
        change_s=change,
        least_s=_least(rules, site, greens),
        over=_passed_over(once, len(listed), order),
    )


def _passed_over(turn: Sequence[int], count: int, order: Order) -> NDArray[np.int64]:
    """Return by change which stages it passes over where skips depend on calls: 1, 2 next round."""
    over = np.zeros((count,) * 3, dtype=np.int64)
    if order is not Order.SKIP:
        return over
    for a, first in enumerate(turn):
        for hops in range(2, len(turn)):
            for k in range(a + 1, a + hops):
                over[first, turn[(a + hops) % len(turn)], turn[k % len(turn)]] = 1 + k // len(turn)
    return over


def approach_stages(site: Site) -> StageSets:
    """Return the stages in which one approach goes and yields to nobody, new to the site's orders.

    With it goes what meets none of its phases. None is made for an approach that has a stage of
    the orders in which all its movements go and yield to nobody; those who turn back do not count.
    """
    listed = [s for order in site.rules.orders for s in order]
    back = np.array([turn is Turn.UTURN for turn in site.turns], dtype=bool)
    found: dict[tuple[PhaseId, ...], None] = {}
    for link in dict.fromkeys(site.links):
        own = site.uses[np.array(site.links) == link].any(axis=0) & ~back
        alone = _approach(site, own)
        if _is_free(site, alone, own) and not any(_is_free(site, s, own) for s in listed):
            found[alone] = None
    return tuple(found)


def _approach(site: Site, own: NDArray[np.bool_]) -> tuple[PhaseId, ...]:
    """Return the phases of an approach, the best of each movement, and who meets none of them."""
    served = np.asarray(site.serves > NONE)
    mine = np.asarray((served & own).any(axis=1))
    best = site.serves.max(axis=1, initial=NONE)
    wheels = np.flatnonzero((best > NONE) & ~site.walks)
    chosen: list[int] = []
    for k in sorted(wheels, key=lambda k: (not mine[k], -best[k], k)):
        kinds = {site.rules.conflict(site.phases[k], site.phases[c]) for c in chosen}
        meets = kinds - {Conflict.COMPATIBLE}
        goes = served[chosen].any(axis=0)
        if not meets and (served[k] & ~goes).any():
            chosen.append(int(k))
    return tuple(sorted(site.phases[k] for k in chosen))


def _is_free(site: Site, stage: Sequence[PhaseId], own: NDArray[np.bool_]) -> bool:
    """Say whether all own movements go in a stage, and yield to nobody who goes."""
    rows = np.isin(np.array(site.phases), np.array(stage))
    how = site.serves[rows].max(axis=0, initial=NONE)
    yields = (how == YIELDING) & (site.yields & (how == PROTECTED)).any(axis=1)
    return bool((how[own] > NONE).all() and not yields[own].any())


def change_times(
    rules: SignalRules,
    phases: Sequence[PhaseId],
    greens: NDArray[np.bool_],
    walks: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Return when each phase of the next stage goes after the end of a stage, whole seconds.

    Shape (stages, stages, phases); -1 for a phase that is not in the next stage, or that can never
    follow because an intergreen is unknown (then the change is not legal). People on foot, in the
    phases marked by `walks`, have cleared by the end of a stage that kept its minimum.
    """
    early = np.zeros(len(phases), dtype=bool) if walks is None else walks
    count, width = greens.shape
    need = np.zeros(
        (width, width), dtype=np.int64
    )  # from the end of a row to the start of a column
    for a, first in enumerate(phases):
        for b, second in enumerate(phases):
            value = rules.intergreen_ds(first, second) if first != second else 0
            need[a, b] = UNKNOWN_S if value is None else math.ceil(value / 10)
    ready = np.array([math.ceil(p.red_amber_ds / 10) for p in rules.phases])
    found = np.full((count, count, width), -1, dtype=np.int64)
    for p in range(count):
        for q in range(count):
            ends = greens[p] & ~greens[q]
            starts = greens[q] & ~greens[p]
            waits = np.maximum(need[ends & ~early].max(axis=0, initial=0), ready)
            found[p, q] = np.where(starts, waits, np.where(greens[q], 0, -1))
    return found


def _any(count: int) -> NDArray[np.bool_]:
    return np.ones((count, count), dtype=bool)


def _skips(rules: SignalRules, order: Order) -> bool:
    return rules.may_skip and order is not Order.FIXED


def _ring(turn: Sequence[int], count: int, *, skips: bool) -> NDArray[np.bool_]:
    """Return who may follow in a cyclic order; with skips every later stage may."""
    legal = np.eye(count, dtype=bool)
    for k, stage in enumerate(turn):
        legal[stage, turn[(k + 1) % len(turn)]] = True
        if skips:
            legal[stage, list(turn)] = True
    return legal


def _possible(change: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the changes whose intergreens are all known."""
    return np.asarray((change < UNKNOWN_S).all(axis=2))


def _kept_together(
    rules: SignalRules, phases: Sequence[PhaseId], greens: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the changes that keep the order of waiting areas.

    A phase that follows another starts only from a stage with it, and that stage, when it lets the
    other end, goes on to the one that follows.
    """
    kept = _any(len(greens))
    at = {phase: k for k, phase in enumerate(phases)}
    for rule in rules.follows:
        late, early = greens[:, at[rule.phase]], greens[:, at[rule.after]]
        starts = ~late[:, None] & late[None, :]
        leaves = (early & ~late)[:, None] & ~early[None, :]
        kept &= ~(starts & ~early[:, None]) & ~(leaves & ~late[None, :])
    return kept


def _least(rules: SignalRules, site: Site, greens: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the minimum of each stage: its vehicles' greens, and its walks with their clearance.

    A walk starts with its stage and clears while the stage holds; the shortest intergreen of the
    vehicles that end with the stage is part of its clearance.
    """
    least = np.array([rules.limit_index[p].min_green_ds for p in site.phases])
    fixed = np.isin(np.array(site.phases), np.array(rules.permanent, dtype=str)) | site.walks
    each = np.where(greens & ~fixed, least, 0).max(axis=1)
    on_foot = [
        max(
            (least[k] + _clearance_ds(rules, site, row, int(k)) for k in np.flatnonzero(afoot)),
            default=0,
        )
        for row, afoot in ((row, row & site.walks) for row in greens)
    ]
    return np.asarray(-(-np.maximum(each, on_foot) // 10), dtype=np.int64)


def _clearance_ds(rules: SignalRules, site: Site, stage: NDArray[np.bool_], walk: int) -> int:
    """Return how long a stage holds after a walk, until its vehicles' intergreens do."""
    wheels = [p for k, p in enumerate(site.phases) if stage[k] and not site.walks[k]]
    longest = 0
    for first, second, need in rules.foes:
        if first == site.phases[walk] and need is not None:
            own = [rules.intergreen_ds(w, second) or 0 for w in wheels]
            longest = max(longest, need - max(own, default=0))
    return longest
