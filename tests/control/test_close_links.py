# SPDX-License-Identifier: Apache-2.0
"""Two signals with a short link between them: who is let in, and what one tells the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lvbo.control.close_links import AHEAD_S, HEADWAY_S, CloseLinks
from lvbo.control.eyes import Eyes
from lvbo.control.loop_eye import no_loops
from lvbo.control.protocols import Observation
from lvbo.control.site import Site
from lvbo.ids import ControllerId
from lvbo.network.network import Network
from lvbo.signal.lamp import Lamp

A, B = ControllerId("A"), ControllerId("B")
LONG_M = 1e4
"""Every link is shorter than this."""


def look(site: Site, *, green: bool, queue: float = 0.0) -> Observation:
    """Return a site with all vehicle phases green, or none, and so many who stand on each lane."""
    shows = np.array([int(p.shows) for p in site.rules.phases])
    seen = Observation(
        controller=site.id,
        time_s=1000,
        seen_s=1000,
        lamps=np.where(green & ~site.walks, shows, int(Lamp.RED)),
        since_s=np.full(len(site.phases), 10),
        loops=no_loops(),
        working=np.ones(len(site.lanes), dtype=bool),
        blocked=np.zeros(len(site.movements), dtype=bool),
        calls=np.zeros(len(site.phases), dtype=bool),
    )
    lanes = Eyes(site).look(seen)
    return replace(seen, lanes=replace(lanes, queue=np.full(len(site.lanes), queue)))


def into(site: Site, other: Site) -> np.ndarray:
    """Return which movements of a site lead to a stop line of the other."""
    return np.array([link in other.links for link in site.exits])


def test_nobody_is_let_into_a_short_link_whose_signal_is_red(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    close = CloseLinks(network, list(sites.values()), short_m=LONG_M)
    a, b = sites[A], sites[B]
    red, _ = close.look([look(a, green=True), look(b, green=False)])
    open_, back = close.look([look(a, green=True), look(b, green=True)])

    assert into(a, b).any()
    assert (red.blocked == into(a, b)).all()
    assert not open_.blocked.any()
    assert not back.blocked.any()


def test_who_waits_to_be_let_in_is_told_to_the_signal_at_its_end(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    close = CloseLinks(network, list(sites.values()), short_m=LONG_M)
    a, b = sites[A], sites[B]
    before, queue = [look(a, green=False, queue=3.0), look(b, green=False)], 3.0
    _, told = close.look(before)
    assert told.lanes is not None
    assert before[1].lanes is not None
    more = told.lanes.arrivals - before[1].lanes.arrivals
    turns = np.array([link in a.exits for link in b.links])
    first = np.flatnonzero(more.sum(axis=0) > 0)

    assert 0 < more.sum() <= queue * len(a.lanes)
    assert first[0] == AHEAD_S
    assert (np.diff(first) == HEADWAY_S).all()
    assert (more[~turns] == 0).all()


def test_longer_links_are_left_alone(network: Network, sites: dict[ControllerId, Site]) -> None:
    close = CloseLinks(network, list(sites.values()))
    before = [look(sites[A], green=True, queue=3.0), look(sites[B], green=False)]

    for old, new in zip(before, close.look(before), strict=True):
        assert new is old


def test_links_within_a_pair_are_left_to_who_leads_it(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    close = CloseLinks(network, list(sites.values()), short_m=LONG_M, pairs=[(A, B)])
    before = [look(sites[A], green=True, queue=3.0), look(sites[B], green=False)]

    for old, new in zip(before, close.look(before), strict=True):
        assert new is old
