# SPDX-License-Identifier: Apache-2.0
"""Pairs of signals a few metres apart, led as one: those from one side go at a time.

Between two such signals there is no room to wait. Where both let vehicles into the links between
them, those who turn left there wait for one another's followers, and lock each other in for good.
As at a diamond interchange run in four phases (Texas Transportation Institute; FHWA Signal Timing
Manual, 2nd ed., ch. 9) whoever is let in by one signal finds the other one open, which lets nobody
in meanwhile, and stays open until the last one is through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from lvbo.control.close_links import SHORT_M
from lvbo.control.merging import merged_rules
from lvbo.control.protocols import Bools, Ints, Order
from lvbo.control.site import NONE, Site, read_site
from lvbo.control.stages import StageTable, change_times, stage_table
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.signal.lamp import Conflict, Countdown
from lvbo.signal.rules import Controller

CLEAR_S, TURN_S = 8, 6
"""So long after one signal has let in the last vehicle, its yellow and the drive between them, the
other one may close; those whom that one lets in begin somewhat sooner."""
_WHOLE = (Countdown.FULL, Countdown.LEARNING)

Places = tuple[int, int]
"""A mode of the one signal and a mode of the other, by number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Half:
    """One signal of a pair and its modes: its stages, and those that let vehicles in without them.

    `greens` (modes, phases), `stage` (modes,) the stage of each in `table`. `enters` (modes,) lets
    vehicles in between the signals, `opens` lets those out who are on each lane there. `into`
    (phases,) are the phases that let in. `turn` are the modes in their order, `spare` (modes,)
    those that may be left out of it.
    """

    site: Site
    table: StageTable
    greens: Bools
    stage: Ints
    enters: Bools
    opens: Bools
    into: Bools
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
        same = ((self.greens == going) | self.site.walks).all(axis=1)
        return int(np.argmax(same)) if same.any() else -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two signals led as one: the site that they make together, its stages.

    `places` (stages of the pair) are the modes of each signal in it.
    """

    halves: tuple[Half, Half]
    site: Site
    table: StageTable
    places: tuple[Places, ...]

    @property
    def ids(self) -> tuple[ControllerId, ControllerId]:
        """Return the controllers of both signals."""
        return self.halves[0].site.id, self.halves[1].site.id


def find_pairs(
    network: Network, sites: Sequence[Site], order: Order, *, short_m: float = SHORT_M
) -> tuple[Pair, ...]:
    """Return the pairs of signals to be led as one, those of the shortest links first.

    Each signal is in one pair at most. Where any stage may follow any, no pair is made, nor where
    the stage orders of both never leave one open for the other, or their displays differ.
    """
    if order is Order.ANY:
        return ()
    found: list[Pair] = []
    for near, far in _close(network, sites, short_m):
        if {near.id, far.id} & {name for pair in found for name in pair.ids}:
            continue
        pair = _paired(network, near, far, order)
        if pair is not None:
            found.append(pair)
    return tuple(found)


def _close(network: Network, sites: Sequence[Site], short_m: float) -> list[tuple[Site, Site]]:
    """Return the sites with short links both ways between them, the closest first."""
    ends = {link: site for site in sites for link in site.links}
    length: dict[tuple[ControllerId, ControllerId], float] = {}
    for site in sites:
        for exit_ in site.exits:
            far, long_m = ends.get(exit_), network.link_index[exit_].length_m
            if far is not None and far.id != site.id and long_m <= short_m:
                way = site.id, far.id
                length[way] = min(long_m, length.get(way, long_m))
    index = {site.id: site for site in sites}
    both = sorted((m, a, b) for (a, b), m in length.items() if a < b and (b, a) in length)
    return [(index[a], index[b]) for _, a, b in both]


def _paired(network: Network, near: Site, far: Site, order: Order) -> Pair | None:
    if near.rules.countdown != far.rules.countdown or near.rules.countdown in _WHOLE:
        return None
    halves = _half(near, far, order), _half(far, near, order)
    first, second = halves
    every = tuple(product(range(len(first.greens)), range(len(second.greens))))
    fit = {(a, b) for a, b in every if _fits(first, a, second, b)}
    ring = shortest_ring(first.turn, first.spare, second.turn, second.spare, fit)
    if not ring:
        return None
    places = (*ring, *(p for p in every if p not in ring))
    site = read_site(network, _controller(halves, fit))
    table = _table(site, halves, len(ring), places, fit)
    return Pair(halves=halves, site=site, table=table, places=places)


def _half(site: Site, other: Site, order: Order) -> Half:
    """Return what the stages of a site do to the links between it and the other one."""
    table = stage_table(site, order)
    between = np.isin(np.array(site.links), np.array(other.exits))
    inward = np.isin(np.array(site.exits), np.array(other.links))
    inward &= ~(site.uses & between[:, None]).any(axis=0)  # who turns back there is no more
    serves = site.serves > NONE
    served = np.array([serves[green].any(axis=0) for green in table.greens])
    opens: Bools = np.asarray((served @ site.uses.T)[:, between].all(axis=1))
    into: Bools = np.asarray((serves & inward).any(axis=1) & table.greens[opens].any(axis=0))
    enters: Bools = np.asarray((table.greens & into).any(axis=1))
    skips = order is Order.SKIP and site.rules.may_skip
    rows, stages, turn = list(table.greens), list(range(table.count)), []
    for stage in table.cycle:
        if opens[stage] and enters[stage]:
            turn.append(len(rows))
            rows.append(table.greens[stage] & ~into)
            stages.append(stage)
        turn.append(stage)
    own = np.array(stages)
    waits = np.arange(len(rows)) >= table.count
    return Half(
        site=site,
        table=table,
        greens=np.array(rows),
        stage=own,
        enters=enters[own] & ~waits,
        opens=opens[own],
        into=into,
        turn=tuple(turn),
        spare=waits | (opens[own] & ~enters[own] & skips),
    )


def _fits(first: Half, a: int, second: Half, b: int) -> bool:
    """Say whether two modes may run at once: who lets in finds the other open, and alone."""
    if first.enters[a] and second.enters[b]:
        return False
    open_to = second.opens[b] or not first.enters[a]
    return bool(open_to and (first.opens[a] or not second.enters[b]))


def shortest_ring(
    first: Sequence[int], spare1: Bools, second: Sequence[int], spare2: Bools, fit: set[Places]
) -> tuple[Places, ...]:
    """Return the fewest pairs of modes, all of which fit, that go once through both orders.

    Modes that are spare may be left out. Nothing where there is no such ring.
    """
    rings = (
        _ring((*first[x:], *first[:x]), spare1, (*second[y:], *second[:y]), spare2, fit)
        for x, y in product(range(len(first)), range(len(second)))
    )
    return min((ring for ring in rings if ring), key=len, default=())


def _ring(
    first: Sequence[int], spare1: Bools, second: Sequence[int], spare2: Bools, fit: set[Places]
) -> tuple[Places, ...]:
    """Return the shortest ring from the first modes of both to them again, by dynamic programming.

    `way` is the shortest one to so many steps in each order.
    """
    whole = len(first), len(second)
    way: dict[Places, tuple[Places, ...]] = {(0, 0): ((first[0], second[0]),)}
    if way[0, 0][0] not in fit:
        return ()
    for x, y in product(range(whole[0] + 1), range(whole[1] + 1)):
        here = first[x % whole[0]], second[y % whole[1]]
        before = [
            way[place]
            for place in product(_before(first, spare1, x), _before(second, spare2, y))
            if place in way and place != (x, y)
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


def _controller(halves: tuple[Half, Half], fit: set[Places]) -> Controller:
    """Return both controllers as one, whose phases keep apart what does not fit."""
    first, second = (half.site.controller for half in halves)
    return Controller(
        id=ControllerId(f"{first.id}+{second.id}"),
        intersections=(*first.intersections, *second.intersections),
        rules=merged_rules(first, second, tuple(_apart(halves, fit))),
    )


def _apart(
    halves: tuple[Half, Half], fit: set[Places]
) -> Iterator[tuple[int, int, Conflict, int, int]]:
    """Yield phases of the first and second that no fitting modes show together.

    With each the time from the end of the first's to the start of the second's, and back, in
    tenths of a second: who was let in must be through before the other one closes.
    """
    first, second = halves
    together = np.zeros((len(first.site.phases), len(second.site.phases)), dtype=bool)
    for a, b in fit:
        together |= first.greens[a][:, None] & second.greens[b]
    wheels = ~first.site.walks[:, None] & ~second.site.walks
    lets = first.into[:, None] | second.into
    for p, q in zip(*np.nonzero(~together & wheels & lets), strict=True):
        there, back = _after_s(first, p, second, q), _after_s(second, q, first, p)
        yield int(p), int(q), Conflict.FORBIDDEN, 10 * there, 10 * back


def _after_s(one: Half, ends: int, other: Half, starts: int) -> int:
    """Return how long after a phase of one has ended a phase of the other one may start, s."""
    if not one.into[ends]:
        return 0
    if other.into[starts]:
        return TURN_S
    return 0 if (other.greens[:, starts] & other.opens).any() else CLEAR_S


def _table(
    site: Site, halves: tuple[Half, Half], ring: int, places: Sequence[Places], fit: set[Places]
) -> StageTable:
    """Return the stages of the pair: those of the ring, then all others, to be known again.

    Into what does not fit no change is made, and it may not stay.
    """
    first, second = halves
    greens = np.array([np.concatenate((first.greens[a], second.greens[b])) for a, b in places])
    at, on = (np.array([place[k] for place in places]) for k in (0, 1))
    legal = _may_follow(first)[at[:, None], at] & _may_follow(second)[on[:, None], on]
    least = np.maximum(first.table.least_s[first.stage[at]], second.table.least_s[second.stage[on]])
    return StageTable(
        order=first.table.order,
        cycle=tuple(range(ring)),
        greens=greens,
        legal=legal & np.array([place in fit for place in places]),
        change_s=change_times(site.rules, site.phases, greens, site.walks),
        least_s=least,
        over=_over(halves, places),
    )


def _may_follow(half: Half) -> Bools:
    """Return which mode may follow which, (modes, modes).

    Who is let in is not stopped but by another stage, and a stage that let nobody in yet is left
    only once it has, as the gate has it. Nobody on foot is ever passed over.
    """
    table, stage = half.table, half.stage
    walks = (table.greens & half.site.walks).any(axis=1)
    legal = table.legal & ~((table.over > 0) & walks).any(axis=2)
    same, waits = stage[:, None] == stage, half.waits
    stops = same & ~waits[:, None] & waits
    return np.asarray(legal[stage[:, None], stage] & ~stops & (same | ~waits[:, None]))


def _over(halves: tuple[Half, Half], places: Sequence[Places]) -> Ints:
    """Return by change which stages of the pair stand for those that one signal passes over.

    The other signal is there in the mode that it changes to: whom it serves is not passed over.
    """
    number = {place: k for k, place in enumerate(places)}
    over = np.zeros((len(places),) * 3, dtype=np.int64)
    for (k, at), (j, to) in product(enumerate(places), enumerate(places)):
        for which, half in enumerate(halves):
            own = half.table.over[half.stage[at[which]], half.stage[to[which]]]
            for e in np.flatnonzero(own).tolist():
                over[k, j, number[(e, to[1]) if which == 0 else (to[0], e)]] = own[e]
    return over
