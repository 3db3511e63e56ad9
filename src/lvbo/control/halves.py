# SPDX-License-Identifier: Apache-2.0
"""One signal of a pair: in which modes it may be, and how those of both go round together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from lvbo.control.protocols import Bools, Ints, Order
from lvbo.control.site import NONE, Site
from lvbo.control.stages import StageTable, row_shown, stage_table

Places = tuple[int, int]
"""A mode of the one signal and a mode of the other, by number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Half:
    """One signal of a pair and its modes: its stages, and those of them that let in nobody yet.

    `greens` (modes, phases), `stage` (modes,) the stage of each in `table`. `enters` (modes,) lets
    vehicles in between the signals, `opens` lets those out who are on each lane there. `into`
    (phases,) are the phases that let in, `at_once` (stages, stages) the changes that begin with
    one of them. `turn` are the modes in their order, `spare` (modes,) those that may be left out of
    it.
    """

    site: Site
    table: StageTable
    greens: Bools
    stage: Ints
    enters: Bools
    opens: Bools
    into: Bools
    at_once: Bools
    turn: tuple[int, ...]
    spare: Bools

    @property
    def waits(self) -> Bools:
        """Return the modes in which those who are let in by their stage still wait, (modes,)."""
        return np.asarray(np.arange(len(self.greens)) >= self.table.count)

    def lets_out(self, mode: int) -> bool:
        """Say whether a mode, -1 for none, is open and lets nobody in."""
        return mode >= 0 and bool(self.opens[mode] & ~self.enters[mode])

    def mode_of(self, going: Bools) -> int:
        """Return the mode that is shown, or -1; people may have stopped walking."""
        return row_shown(self.greens, going, self.site.walks)


def half_of(site: Site, other: Site, order: Order) -> Half:
    """Return what the stages of a site do to the links between it and the other one."""
    table = stage_table(site, order)
    between = np.isin(np.array(site.links), np.array(other.exits))
    inward = np.isin(np.array(site.exits), np.array(other.links))
    inward &= ~(site.uses & between[:, None]).any(axis=0)  # who turns back there is no more
    serves = site.serves > NONE
    served = np.array([serves[green].any(axis=0) for green in table.greens])
    opens: Bools = np.asarray((served @ site.uses.T)[:, between].all(axis=1))
    into: Bools = np.asarray((serves & inward).any(axis=1) & table.greens[opens].any(axis=0))
    into &= ~np.isin(np.array(site.phases, dtype=object), np.array(site.rules.permanent))
    enters: Bools = np.asarray((table.greens & into).any(axis=1))
    rows, stages, turn = _modes(site, table, opens & enters, into)
    own = np.array(stages)
    waits = np.arange(len(rows)) >= table.count
    begins = table.greens & ~table.greens[:, None] & into
    skips = order is Order.SKIP and site.rules.may_skip
    return Half(
        site=site,
        table=table,
        greens=np.array(rows),
        stage=own,
        enters=enters[own] & ~waits,
        opens=opens[own],
        into=into,
        at_once=np.asarray((begins & (table.change_s <= 0)).any(axis=2)),
        turn=tuple(turn),
        spare=waits | (opens[own] & ~enters[own] & skips),
    )


def _modes(
    site: Site, table: StageTable, lets: Bools, into: Bools
) -> tuple[list[Bools], list[int], list[int]]:
    """Return the greens of all modes, their stages, and the modes in the order of the site.

    Where those let in wait that `lets` (stages,) marks, the stage is a mode of its own before it,
    but for one that would look like another stage.
    """
    rows, stages, turn = list(table.greens), list(range(table.count)), []
    for stage in table.cycle:
        waits = table.greens[stage] & ~into
        if lets[stage] and table.stage_of(waits, site.walks) < 0:
            turn.append(len(rows))
            rows.append(waits)
            stages.append(stage)
        turn.append(stage)
    return rows, stages, turn


def may_follow(half: Half) -> Bools:
    """Return which mode may follow which, (modes, modes).

    Who is let in is not stopped but by another stage, and a stage that let nobody in yet is left
    only once it has, as the gate has it. Where they would begin at once nobody can be made to wait.
    Nobody on foot is ever passed over.
    """
    table, stage = half.table, half.stage
    walks = (table.greens & half.site.walks).any(axis=1)
    legal = table.legal & ~((table.over > 0) & walks).any(axis=2)
    same, waits = stage[:, None] == stage, half.waits
    begins = half.at_once[stage[:, None], stage]
    never = (waits & ~waits[:, None] & (same | begins)) | (waits[:, None] & ~same)
    return np.asarray(legal[stage[:, None], stage] & ~never)


def fits(first: Half, a: int, second: Half, b: int) -> bool:
    """Say whether two modes may run at once: who lets in finds the other open, and alone."""
    if first.enters[a] and second.enters[b]:
        return False
    open_to = second.opens[b] or not first.enters[a]
    return bool(open_to and (first.opens[a] or not second.enters[b]))


def shortest_ring(halves: tuple[Half, Half], fit: set[Places]) -> tuple[Places, ...]:
    """Return the fewest pairs of modes, all of which fit, that go once through both orders.

    Modes that are spare may be left out; each signal may make its part of every step. Nothing where
    there is no such ring.
    """
    turns = [half.turn for half in halves]
    rings = (
        _ring(halves, ((*turns[0][x:], *turns[0][:x]), (*turns[1][y:], *turns[1][:y])), fit)
        for x, y in product(*(range(len(turn)) for turn in turns))
    )
    return min((ring for ring in rings if ring), key=len, default=())


def _ring(
    halves: tuple[Half, Half], turns: tuple[tuple[int, ...], tuple[int, ...]], fit: set[Places]
) -> tuple[Places, ...]:
    """Return the shortest ring from the first modes of both to them again, by dynamic programming.

    `way` is the shortest one to so many steps in each order.
    """
    (first, second), whole = turns, (len(turns[0]), len(turns[1]))
    may = [may_follow(half) for half in halves]
    way: dict[Places, tuple[Places, ...]] = {(0, 0): ((first[0], second[0]),)}
    if way[0, 0][0] not in fit:
        return ()
    for x, y in product(range(whole[0] + 1), range(whole[1] + 1)):
        here = first[x % whole[0]], second[y % whole[1]]
        steps = product(_before(first, halves[0].spare, x), _before(second, halves[1].spare, y))
        before = [
            way[step]
            for step in steps
            if step in way
            and step != (x, y)
            and all(may[k][way[step][-1][k], here[k]] for k in (0, 1))
        ]
        if here in fit and before:
            way[x, y] = (*min(before, key=len), here)
    ring = way.get(whole, ())[:-1]
    return ring if len(set(ring)) == len(ring) else ()


def _before(turn: Sequence[int], spare: Bools, x: int) -> Iterator[int]:
    """Yield from where a step may lead to a place of an order: from it, or over what is spare."""
    yield x
    for k in range(x - 1, -1, -1):
        yield k
        if not spare[turn[k]]:
            return
