# SPDX-License-Identifier: Apache-2.0
"""What one signal tells the next: who comes, when, and how many of them."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.control.learning import prior_counts
from lvbo.control.neighbours import PACE, SPREAD, Neighbours
from lvbo.control.site import Site
from lvbo.ids import ControllerId
from lvbo.network.network import Network

A, B = ControllerId("A"), ControllerId("B")


def lanes_of(site: Site, link: str) -> list[int]:
    return [k for k, own in enumerate(site.links) if str(own) == link]


def told(neighbours: Neighbours, site: ControllerId) -> np.ndarray:
    announced = neighbours.announced(site)
    assert announced is not None
    return np.asarray(announced.arrivals)


def left(site: Site, lanes: list[int], vehicles: float = 1.0) -> np.ndarray:
    row = np.zeros(len(site.lanes))
    row[lanes] = vehicles
    return row


def drive_s(network: Network) -> int:
    """Return the drive from A to B at the pace of platoons."""
    (through,) = [m for m in network.movements if (m.from_link, m.to_link) == ("WA", "AB")]
    link = network.link_index[through.to_link]
    return round((link.length_m + through.length_m) / (PACE * link.speed_mps))


def test_who_leaves_arrives_after_the_drive_and_not_before(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    neighbours = Neighbours(network, list(sites.values()))
    neighbours.take(A, left(sites[A], lanes_of(sites[A], "WA")[:1]))
    arrivals = told(neighbours, B).sum(axis=0)
    seconds = np.flatnonzero(arrivals)

    assert 20 < drive_s(network) < 35
    assert seconds[0] == drive_s(network) - 1
    assert seconds[-1] == drive_s(network) - 1 + len(SPREAD) - 1


def test_as_many_arrive_as_leave_in_that_direction(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    neighbours = Neighbours(network, list(sites.values()))
    lane = lanes_of(sites[A], "WA")[0]
    shares = prior_counts(sites[A])[lane] / prior_counts(sites[A])[lane].sum()
    to_b = [str(network.movement_index[m].to_link) == "AB" for m in sites[A].movements]
    neighbours.take(A, left(sites[A], [lane], 3.0))
    arrivals = told(neighbours, B)

    assert arrivals.sum() == pytest.approx(3.0 * shares[to_b].sum())
    assert set(np.flatnonzero(arrivals.sum(axis=1))) <= set(lanes_of(sites[B], "AB"))
    assert told(neighbours, A).sum() == 0


def test_the_seconds_bring_them_nearer_until_they_are_there(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    neighbours = Neighbours(network, list(sites.values()))
    neighbours.take(A, left(sites[A], lanes_of(sites[A], "WA")))
    whole = told(neighbours, B).sum()
    came = 0.0
    for second in range(drive_s(network) + len(SPREAD)):
        first = told(neighbours, B)[:, 0].sum()
        came += first

        assert first == 0 or second >= drive_s(network) - 1
        neighbours.step()

    assert came == pytest.approx(whole)
    assert told(neighbours, B).sum() == 0


def test_what_is_announced_is_known_for_the_length_of_the_drive(
    network: Network, sites: dict[ControllerId, Site]
) -> None:
    announced = Neighbours(network, list(sites.values())).announced(B)
    assert announced is not None
    fed = lanes_of(sites[B], "AB")
    others = np.setdiff1d(np.arange(len(sites[B].lanes)), fed)

    assert announced.until_s[fed].tolist() == [drive_s(network)] * len(fed)
    assert not announced.until_s[others].any()


def test_a_signal_alone_is_told_nothing(network: Network, sites: dict[ControllerId, Site]) -> None:
    assert Neighbours(network, [sites[A]]).announced(A) is None


def test_nobody_leaves_nobody_comes(network: Network, sites: dict[ControllerId, Site]) -> None:
    neighbours = Neighbours(network, list(sites.values()))
    neighbours.take(A, np.zeros(len(sites[A].lanes)))

    assert told(neighbours, B).sum() == 0


def test_a_vehicle_is_spread_over_its_seconds_and_stays_one() -> None:
    assert SPREAD.sum() == pytest.approx(1.0)
