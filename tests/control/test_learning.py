# SPDX-License-Identifier: Apache-2.0
"""What a site learns comes to the truth, stays in bounds, and forgets what is true no longer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.crossroads import LANE, crossroads, turns_on_red
from tests.control.test_eyes import look_at

from lvbo.control._count_kernels import LEAST_VPS, MOST_VPS, STEADY_VPS
from lvbo.control.adaptive import AdaptiveController
from lvbo.control.estimate import Served
from lvbo.control.eyes import SPAN_S
from lvbo.control.learning import (
    FIRST_VEHICLES,
    FLOWING_S,
    TURN_MEMORY,
    Learned,
    mostly,
    prior_counts,
)
from lvbo.control.protocols import Crossings, LaneState, Observation, Order
from lvbo.control.site import NONE
from lvbo.control.stages import stage_table
from lvbo.network.place import Turn
from lvbo.signal.lamp import Lamp
from lvbo.testing import EW, NS, four_stages, two_stages

SITE = two_stages()
LANES = len(SITE.lanes)
FREE = np.ones(LANES, dtype=bool)


def turned(lane: int, movements: list[int]) -> Crossings:
    return Crossings(lane=np.full(len(movements), lane), movement=np.array(movements))


def discharge(
    learned: Learned, left_of: list[float], *, queue: float = 14.0, free: bool = True
) -> None:
    """Let one queue go: a second of red, then these vehicles by second of green, on each lane."""
    learned.discharged(
        np.zeros(LANES), np.full(LANES, queue), np.zeros(LANES, dtype=np.int64), FREE & free
    )
    for k, left in enumerate(left_of):
        learned.discharged(
            np.full(LANES, left), np.full(LANES, queue), np.full(LANES, k + 1), FREE & free
        )


def test_before_anything_is_seen_priors_stand() -> None:
    learned = Learned(SITE)
    own = prior_counts(SITE)[0]

    assert learned.shares[0] == pytest.approx(own / own.sum())
    assert learned.flow_vps == pytest.approx(np.full(LANES, STEADY_VPS))
    assert learned.profile == pytest.approx(np.array(FIRST_VEHICLES) / STEADY_VPS)


@pytest.mark.parametrize("truth", [(0.9, 0.05, 0.05), (0.2, 0.7, 0.1)])
def test_turn_shares_converge_to_what_is_seen(truth: tuple[float, ...]) -> None:
    learned, rng = Learned(SITE), np.random.default_rng(1)
    moves = np.flatnonzero(SITE.uses[0])
    for _ in range(600):
        learned.turned(turned(0, [int(rng.choice(moves, p=truth))]))

    assert learned.shares[0, moves] == pytest.approx(np.array(truth), abs=0.1)
    assert learned.shares[1] == pytest.approx(Learned(SITE).shares[1])


def test_one_vehicle_counts_beside_a_prior_of_four_by_hand() -> None:
    learned, move = Learned(SITE), int(np.flatnonzero(SITE.uses[0])[0])
    before = learned.shares[0, move]
    learned.turned(turned(0, [move]))

    assert learned.shares[0, move] == pytest.approx((4 * before + 1) / 5)


def test_old_turns_fade() -> None:
    learned = Learned(SITE)
    first, second = np.flatnonzero(SITE.uses[0])[:2].tolist()
    learned.turned(turned(0, [first] * 5000))
    for _ in range(3 * int(TURN_MEMORY)):
        learned.turned(turned(0, [second]))

    assert learned.shares[0, second] > 0.9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=60))
def test_shares_sum_to_one_over_the_movements_of_the_lane(made: list[int]) -> None:
    learned = Learned(SITE)
    lane_of = SITE.uses.argmax(axis=0)
    for movement in made:
        learned.turned(turned(int(lane_of[movement]), [movement]))

    assert learned.shares.sum(axis=1) == pytest.approx(np.ones(LANES))
    assert (learned.shares[~SITE.uses] == 0).all()
    assert (learned.shares >= 0).all()


@pytest.mark.parametrize("truth", [0.4, 0.6])
def test_saturation_flow_converges_to_what_queues_discharge(truth: float) -> None:
    learned = Learned(SITE)
    for _ in range(80):
        discharge(learned, [truth] * 22)

    assert learned.flow_vps == pytest.approx(np.full(LANES, truth), rel=0.03)


@pytest.mark.parametrize(("left", "bound"), [(3.0, MOST_VPS), (0.0, LEAST_VPS)])
def test_saturation_flow_stays_within_bounds(left: float, bound: float) -> None:
    learned = Learned(SITE)
    for _ in range(200):
        discharge(learned, [left] * 22, queue=80.0)

    assert learned.flow_vps == pytest.approx(np.full(LANES, bound))


@pytest.mark.parametrize(("queue", "free"), [(2.0, True), (14.0, False)])
def test_nothing_is_learned_from_short_or_held_queues(queue: float, *, free: bool) -> None:
    learned = Learned(SITE)
    for _ in range(50):
        discharge(learned, [0.3] * 22, queue=queue, free=free)

    assert learned.flow_vps == pytest.approx(np.full(LANES, STEADY_VPS))
    assert learned.profile == pytest.approx(Learned(SITE).profile)


def test_those_behind_the_queue_teach_nothing() -> None:
    learned = Learned(SITE)
    for _ in range(50):
        discharge(learned, [1.0] * 3 + [0.0] * 19, queue=3.0)

    assert learned.flow_vps == pytest.approx(np.full(LANES, STEADY_VPS))


def test_a_slow_start_is_learned_and_the_steady_flow_is_not_touched_by_it() -> None:
    learned = Learned(SITE)
    late = [0.0] * 4 + [STEADY_VPS] * 18
    for _ in range(200):
        discharge(learned, late)
    lost = FLOWING_S - learned.profile[-1]

    assert learned.profile[4] < 0.3 < Learned(SITE).profile[4]
    assert lost == pytest.approx(4.0, abs=0.3)
    assert learned.flow_vps == pytest.approx(np.full(LANES, STEADY_VPS), rel=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_the_start_of_a_queue_never_runs_backwards(seed: int) -> None:
    learned, rng = Learned(SITE), np.random.default_rng(seed)
    for _ in range(10):
        discharge(learned, rng.uniform(0, 1.5, 20).tolist(), queue=float(rng.integers(0, 20)))

    assert learned.profile[0] == 0.0
    assert (np.diff(learned.profile) >= 0).all()
    assert ((learned.flow_vps >= LEAST_VPS) & (learned.flow_vps <= MOST_VPS)).all()


def test_a_lane_of_one_movement_has_it_for_certain() -> None:
    site = four_stages()
    alone = site.uses.sum(axis=1) == 1

    assert alone.any()
    assert Learned(site).shares[alone].max(axis=1).tolist() == [1.0] * int(alone.sum())


def test_a_queue_out_of_sight_that_is_not_there_teaches_no_flow() -> None:
    """Four stand in sight and sixteen are thought to stand behind them; after the four none go."""
    table = stage_table(SITE, Order.ANY)
    alone = int(np.flatnonzero(table.greens.sum(axis=1) == 1)[0])
    lane = int(
        np.flatnonzero(SITE.uses[:, (SITE.serves[table.greens[alone]] > 0)[0]].any(axis=1))[0]
    )
    controller = AdaptiveController(SITE, table)
    green = np.array([int(phase.shows) for phase in SITE.rules.phases])
    lanes = LaneState(
        queue=np.full(LANES, 20.0),
        arrivals=np.zeros((LANES, SPAN_S), dtype=np.float32),
        present=np.full(LANES, 4.0),
        near=np.zeros(LANES),
        wait_s=np.zeros(LANES),
        left=np.zeros(LANES),
        rate_vps=np.zeros(LANES),
        gap_s=np.zeros(LANES),
        head=np.full(LANES, -1),
        stands=np.zeros(LANES, dtype=bool),
        load=np.ones(LANES),
        endless=np.ones(LANES, dtype=bool),
    )
    for t in range(600):
        lit_s = t % 60 - 30
        goes = table.greens[alone] & (lit_s > 0)
        left = np.full(LANES, 0.5 if 0 < lit_s <= 8 else 0.0)
        controller.watch(
            Observation(
                controller=SITE.id,
                time_s=t,
                seen_s=t,
                lamps=np.where(goes, green, int(Lamp.RED)),
                since_s=np.full(len(SITE.phases), max(lit_s, 0)),
                working=np.ones(LANES, dtype=bool),
                blocked=np.zeros(len(SITE.movements), dtype=bool),
                calls=np.zeros(len(SITE.phases), dtype=bool),
                lanes=replace(lanes, left=left),
            )
        )

    assert controller._learned.flow_vps[lane] == pytest.approx(0.5, abs=0.05)


def test_who_turns_right_at_red_has_no_green_for_most_of_his_lane() -> None:
    plain = turns_on_red(crossroads())
    alone = replace(plain, uses=plain.uses & (np.array(plain.turns) == Turn.RIGHT))
    row, lane = plain.phases.index(EW), LANE[NS]

    found = [mostly(site.serves > NONE, site)[:, lane] for site in (plain, alone)]
    assert [bool(found[0][row]), bool(found[0][plain.phases.index(NS)])] == [False, True]
    assert bool(found[1][row])  # a lane for right turns alone
    lit = [Served(plain, most=most).green_s(look_at(plain, EW))[lane] for most in (False, True)]
    assert lit == [30, 0]
