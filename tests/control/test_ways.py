# SPDX-License-Identifier: Apache-2.0
"""Where those seen upstream go, and queues that reach out of sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.control.crossroads import crossroads

from lvbo.control._sight_kernels import END_M
from lvbo.control.eyes import Foresight
from lvbo.control.site import Site, Zone
from lvbo.control.ways import CLOSE_M, Beyond, Ways

FEEDER = 4


@pytest.fixture
def site() -> Site:
    """Return the crossroads with a stretch that is thought to feed two of its lanes evenly."""
    own = crossroads()
    feeder = Zone(name="feeder", lanes=(0, 1), shares=(0.5, 0.5))
    return replace(own, zones=(*own.zones, feeder))


def drive(ways: Ways, key: int, *zones: int) -> None:
    """Let one vehicle be seen on these stretches, one after another, and then no more."""
    for zone in zones:
        ways.take(np.array([key]), np.array([zone]))
    ways.take(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def feeds(ways: Ways) -> list[float]:
    at = slice(int(ways.first[FEEDER]), int(ways.first[FEEDER + 1]))
    return [float(x) for x in ways.share[at]]


def test_shares_of_a_zone_become_those_seen(site: Site) -> None:
    ways = Ways(site)
    for key in range(300):
        drive(ways, key, FEEDER, 0 if key % 4 else 1)

    assert feeds(ways) == pytest.approx([0.75, 0.25], abs=0.03)


def test_those_who_turn_off_count_for_no_lane(site: Site) -> None:
    ways = Ways(site)
    for key in range(300):
        if key % 5:
            drive(ways, key, FEEDER)
        else:
            drive(ways, key, FEEDER, FEEDER, 1)

    assert feeds(ways) == pytest.approx([0.0, 0.2], abs=0.04)
    assert ways.by_lane(np.array([0, 0, 0, 0, 10.0]))[1] == pytest.approx(2.0, abs=0.4)


def test_a_zone_that_leads_to_one_lane_alone_is_never_doubted(site: Site) -> None:
    ways = Ways(site)
    for key in range(50):
        drive(ways, key, 2)

    assert ways.share[2] == 1.0


def test_who_changes_lanes_is_expected_where_he_leaves(site: Site) -> None:
    """All who come on lane 0 leave over lane 1; near the line no more of them change."""
    ways = Ways(replace(site, links=(site.links[0], site.links[0], *site.links[2:])))
    far = ways.stretch(np.array([0, 1, 2]), np.full(3, CLOSE_M + 1))
    for key in range(300):
        drive(ways, key, int(far[0]), 1 if key % 2 else int(far[1]), 1)
        drive(ways, 1000 + key, 0)

    assert far[2] == 2
    assert ways.lone[far[:2]].tolist() == [0, 1]
    number = np.zeros(len(ways.lone))
    number[far[0]] = 10.0
    assert ways.by_lane(number)[:2] == pytest.approx([0.0, 10.0], abs=0.5)
    number[far[0]], number[0] = 0.0, 10.0
    assert ways.by_lane(number)[:2] == pytest.approx([10.0, 0.0], abs=0.5)


def test_who_stands_near_the_line_calls_for_his_lane_whatever_others_did(site: Site) -> None:
    """Else a lane without green would lose its calls by those who turn aside, and get none."""
    ways = Ways(replace(site, links=(site.links[0], site.links[0], *site.links[2:])))
    far = ways.stretch(np.array([0]), np.full(1, CLOSE_M + 1))
    for key in range(300):
        drive(ways, key, int(far[0]), 0, 1)
    number = np.zeros(len(ways.lone))
    number[0] = 1.0

    assert ways.by_lane(number)[:2].tolist() == [1.0, 0.0]


def step(beyond: Beyond, far_m: float, speed_mps: float, *, new: bool = False) -> float:
    found = beyond.step(
        np.array([0]), np.array([far_m]), np.array([speed_mps]), np.array([new], dtype=bool)
    )
    return float(found[0])


def test_a_queue_grows_out_of_sight_while_its_last_one_stands_where_sight_ends() -> None:
    beyond = Beyond(1)
    for second in range(600):
        step(beyond, 100.0, 14.0, new=second % 10 == 0)
    grown = [step(beyond, 100.0 - END_M / 2, 0.0) for _ in range(50)]

    assert grown[0] == pytest.approx(0.1, abs=0.01)
    assert grown[-1] == pytest.approx(5.0, abs=0.5)
    assert step(beyond, 100.0, 10.0, new=True) == pytest.approx(grown[-1] - 2.0)
    assert [step(beyond, 50.0, 0.0) for _ in range(10)][-1] == 0.0


def test_a_queue_that_ends_in_sight_hides_nobody() -> None:
    beyond = Beyond(1)
    for second in range(600):
        step(beyond, 100.0, 14.0, new=second % 10 == 0)

    assert step(beyond, 50.0, 0.0) == 0.0


def test_arrivals_are_unseen_from_where_vehicles_come_into_sight_on() -> None:
    foresight = Foresight(np.array([14.0, 14.0]))
    for _ in range(100):
        foresight.take(np.array([0]), np.array([1.0]), np.array([5.0]))

    assert foresight.seconds == pytest.approx([5.0, 14.0], abs=0.5)
