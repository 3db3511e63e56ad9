# SPDX-License-Identifier: Apache-2.0
"""What a wave spares and what passing costs, by the second, with numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tests.control.crossroads import crossroads
from tests.control.test_supervisor import lanes, look

from lvbo.control.site import Site
from lvbo.control.usage import lane_lights
from lvbo.control.worth import STOP_S, Passed, Worth
from lvbo.signal.lamp import Lamp
from lvbo.testing import EW, NS

RED_S, GREEN_S, RATE = 40, 20, 0.1


@pytest.fixture(scope="module")
def site() -> Site:
    return crossroads()


def passed(site: Site, queues: list[float], *, along: str = NS) -> Passed:
    """Return what a green, a red and a green of NS bring where so many stand in each second."""
    at = [str(p) for p in site.phases].index(NS)
    mine = lane_lights(site)[at]
    street = lane_lights(site)[[str(p) for p in site.phases].index(along)]
    worth, found = Worth(site, np.asarray(street)), Passed()
    for now, queue in enumerate([0.0] * GREEN_S + queues):
        lamps = np.full(len(site.phases), int(Lamp.RED))
        red = GREEN_S <= now < GREEN_S + RED_S
        lamps[at] = int(Lamp.RED if red else Lamp.GREEN)
        state = lanes(site, queue=queue * mine, rate_vps=RATE * mine, left=RATE * mine)
        seen = look(site, now, state)
        seen.lamps[:] = lamps
        found.add(worth.look(seen, state))
    return found


def test_who_comes_evenly_is_spared_nothing(site: Site) -> None:
    evenly = [RATE * s for s in range(RED_S)] + [0.0] * GREEN_S

    # In the second that the green begins those of the last second stand no more than before.
    assert passed(site, evenly).spared == pytest.approx(STOP_S * RATE)


def test_a_platoon_that_comes_at_green_is_spared_the_wait_and_the_stop_at_red(site: Site) -> None:
    found = passed(site, [0.0] * (RED_S + GREEN_S))

    assert found.spared == pytest.approx(RATE * RED_S * (RED_S - 1) / 2 + STOP_S * RATE * RED_S)
    assert found.waits == 0.0


def test_who_was_left_over_from_the_green_before_did_not_come_at_red(site: Site) -> None:
    left_over = [3.0 + RATE * s for s in range(RED_S)] + [0.0] * GREEN_S

    assert passed(site, left_over).spared == pytest.approx(STOP_S * RATE)


def test_lanes_beside_the_street_are_spared_nothing_but_their_waits_count(site: Site) -> None:
    found = passed(site, [2.0] * RED_S + [0.0] * GREEN_S, along=EW)

    assert found.spared == 0.0
    assert found.waits == pytest.approx(2.0 * RED_S)


def test_passing_costs_the_wait_and_the_stop(site: Site) -> None:
    at = lane_lights(site)[[str(p) for p in site.phases].index(NS)].sum()
    found = passed(site, [0.0] + [2.0] * (RED_S - 1) + [0.0] * GREEN_S)
    left = RATE * (RED_S + 2 * GREEN_S) * at

    assert found.passage_s == pytest.approx(at * (2.0 * (RED_S - 1) + 2.0 * STOP_S) / left)


def test_what_was_measured_fades_alike() -> None:
    found = Passed(seconds=100.0, spared=50.0, waits=80.0, left=20.0)
    found.fade(0.5)

    assert (found.spared_vehs, found.passage_s) == (0.5, 4.0)
    assert Passed(seconds=10.0, spared=-5.0).spared_vehs == 0.0
