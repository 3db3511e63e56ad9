# SPDX-License-Identifier: Apache-2.0
"""Pairs of signals a few metres apart, led as one: those from one side go at a time.

Between two such signals there is no room to wait. Where both let vehicles into the links between
them, those who turn left there wait for one another's followers, and lock each other in for good.
As at a diamond interchange run in three phases who drives on from one signal finds the other one
open, or about to open, which lets nobody in meanwhile and stays open until the last one is through.
Those who turn in from a cross street, few as a rule, are let in with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from lvbo.control.close_links import SHORT_M
from lvbo.control.gate import make_gate
from lvbo.control.halves import Half, Places, fits, half_of, may_follow, shortest_ring
from lvbo.control.merging import merged_rules
from lvbo.control.protocols import Ints, Order
from lvbo.control.site import Site, read_site
from lvbo.control.stages import StageTable, change_times
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.signal.lamp import Conflict, Countdown
from lvbo.signal.rules import Controller

CLEAR_S = 8
"""So long after one signal has let in the last vehicle the other one may have closed: the yellow
and the drive between them."""
TURN_S = 6
"""So long after one signal has let in the last vehicle the other one lets in."""
MORE_STAGES = 1
"""A ring may have so many stages more than the longer of both orders: each takes its share of green
from all. Signals of two stages need four together, which halves what they can let through."""
MOST_PLACES = 60
"""The search keeps stages as bits of a number."""
_WHOLE = (Countdown.FULL, Countdown.LEARNING)


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
    network: Network,
    sites: Sequence[Site],
    order: Order,
    *,
    short_m: float = SHORT_M,
    more: int = MORE_STAGES,
) -> tuple[Pair, ...]:
    """Return the pairs of signals to be led as one, those of the shortest links first.

    Each signal is in one pair at most. Where any stage may follow any, both keep to their usual
    order all the same. No pair is made where the orders of both never leave one open for the other,
    where a round of both takes longer than the gates have promised or has over `more` stages beyond
    those of the longer order, which would take green from all, where displays differ or show whole
    greens.
    """
    own = Order.SKIP if order is Order.ANY else order
    found: list[Pair] = []
    for near, far in _close(network, sites, short_m):
        if {near.id, far.id} & {name for pair in found for name in pair.ids}:
            continue
        pair = _paired(network, near, far, own, more)
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


def _paired(network: Network, near: Site, far: Site, order: Order, more: int) -> Pair | None:
    """Return both as a pair, or None where they cannot be led as one."""
    if near.rules.countdown != far.rules.countdown or near.rules.countdown in _WHOLE:
        return None
    if set(near.lanes) & set(far.lanes):
        return None
    halves = half_of(near, far, order), half_of(far, near, order)
    first, second = halves
    every = tuple(product(range(len(first.greens)), range(len(second.greens))))
    fit = {(a, b) for a, b in every if fits(first, a, second, b)}
    ring = shortest_ring(halves, fit)
    longest = max(len(half.table.cycle) for half in halves) + more
    if not ring or len(ring) > longest or len(every) > MOST_PLACES:
        return None
    places = (*ring, *(p for p in every if p not in ring))
    site = read_site(network, _controller(halves, fit))
    table = _table(site, halves, len(ring), places, fit)
    pair = Pair(halves=halves, site=site, table=table, places=places)
    return pair if _keeps_promises(pair) else None


def _keeps_promises(pair: Pair) -> bool:
    """Say whether a round of the pair is as short as the gates of both have promised."""
    own = [make_gate(half.site, half.table).red_s for half in pair.halves]
    return bool((make_gate(pair.site, pair.table).red_s <= np.concatenate(own)).all())


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
    legal = may_follow(first)[at[:, None], at] & may_follow(second)[on[:, None], on]
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


def _over(halves: tuple[Half, Half], places: Sequence[Places]) -> Ints:
    """Return by change, (places, places, places), which stand for those that one passes over.

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
