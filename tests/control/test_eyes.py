# SPDX-License-Identifier: Apache-2.0
"""What is made of areas, loops and reports, beside what truly stands and comes on the street."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.crossroads import LANE, WHEELS, crossroads, vehicles

from lvbo.control._sight_kernels import (
    AT_LINE_M,
    CAR_PERSONS,
    FLOW_S,
    STANDING_MPS,
    absent,
    gather,
)
from lvbo.control.estimate import (
    BELIEVED,
    FIRST_VPS,
    MOST_QUEUE,
    STEADY_VPS,
    Announced,
    BlindQueue,
    Rates,
    Served,
)
from lvbo.control.eyes import HIDDEN_S, SLOWEST, AreaEye, Eyes, ReportEye
from lvbo.control.protocols import LaneState, Loops, Observation, Vehicles
from lvbo.control.site import Site, Zone
from lvbo.ids import LinkId, PhaseId
from lvbo.signal.lamp import Lamp
from lvbo.simulation.sensing import Sensing, parse_sensing
from lvbo.testing import EW, NS, Condition, ReplayStreet, four_stages

FOUR = four_stages()
SPAN_S = 60
LINE_M, ADVANCE_M = 1.0, 42.0


def look_at(site: Site, *going: PhaseId, age_s: int = 30, **more: object) -> Observation:
    """Return what is seen while these phases have gone for so long."""
    on = np.isin(site.phases, going)
    shows = np.array([int(phase.shows) for phase in site.rules.phases])
    usual: dict[str, object] = {
        "controller": site.id,
        "time_s": 1000,
        "seen_s": 1000,
        "lamps": np.where(on, shows, int(Lamp.RED)),
        "since_s": np.full(len(site.phases), age_s),
        "working": np.ones(len(site.lanes), dtype=bool),
        "blocked": np.zeros(len(site.movements), dtype=bool),
        "calls": np.zeros(len(site.phases), dtype=bool),
    }
    return Observation(**{**usual, **more})  # type: ignore[arg-type]


def loops(
    passed: Mapping[tuple[PhaseId, float], float] | None = None,
    covered: Mapping[tuple[PhaseId, float], float] | None = None,
    *,
    advance: bool = True,
) -> Loops:
    """Return loops at the stop line and upstream, with what they saw by phase and distance."""
    at = [(p, m) for p in WHEELS for m in ((LINE_M, ADVANCE_M) if advance else (LINE_M,))]
    return Loops(
        lane=np.array([LANE[p] for p, _ in at]),
        distance_m=np.array([m for _, m in at]),
        share=np.ones(len(at)),
        passed=np.array([(passed or {}).get(key, 0.0) for key in at]),
        occupied=np.array([(covered or {}).get(key, 0.0) for key in at]),
    )


# one pass over vehicles -----------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_nobody_is_lost_and_nobody_is_made_up(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    first, lane_of = np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1])
    share_of = np.array([1.0, 1.0, 0.7, 0.3])
    zone = rng.integers(0, 3, count)
    queue, arrivals, head, _, _, present, near = gather(
        zone, rng.uniform(0, 200, count), rng.uniform(0, 14, count), np.zeros(count),
        np.full(count, 1.3), first, lane_of, share_of, np.array([0, 1, -1]), np.full(2, 200.0),
        np.full(2, 10.0), rng.random(2) < 0.5, 400,
    )  # fmt: skip
    truth = np.array(
        [(zone == k).sum() + share * (zone == 2).sum() for k, share in enumerate((0.7, 0.3))]
    )

    assert queue + arrivals.sum(axis=1) == pytest.approx(truth, abs=1e-4)
    assert present == pytest.approx(truth)
    assert (near <= present + 1e-9).all()
    assert ((head >= 0) == [(zone == k).any() for k in range(2)]).all()


def test_one_vehicle_by_hand() -> None:
    def seen(far_m: float, pace_mps: float, *, flows: bool) -> tuple[float, list[int]]:
        queue, arrivals, *_ = gather(
            np.array([0]), np.array([far_m]), np.array([pace_mps]), np.zeros(1), np.ones(1),
            np.array([0, 1]), np.array([0]), np.ones(1), np.array([0]), np.array([200.0]),
            np.array([10.0]), np.array([flows]), 60,
        )  # fmt: skip
        return float(queue[0]), np.flatnonzero(arrivals[0]).tolist()

    assert seen(100, 10.0, flows=False) == (0.0, [10])
    assert seen(100, 0.0, flows=False) == (1.0, [])
    # From a stand 100 m away: 10 s, and 10 m/s to regain at 2.6 m/s2, half of it lost: 1.92 s.
    assert seen(100, 0.0, flows=True) == (0.0, [11])
    assert seen(AT_LINE_M - 1, STANDING_MPS - 0.1, flows=True) == (1.0, [])


def test_those_who_have_just_started_pass_the_line_one_after_the_other() -> None:
    def comes_s(*, flows: bool) -> list[int]:
        far_m = np.array([36.0, 15.0, 29.0, 22.0])  # in no order
        _, arrivals, *_ = gather(
            np.zeros(4, dtype=np.int64), far_m, np.full(4, 3.0), np.zeros(4), np.ones(4),
            np.array([0, 1]), np.array([0]), np.ones(1), np.array([0]), np.array([200.0]),
            np.array([10.0]), np.array([flows]), 60,
        )  # fmt: skip
        return np.repeat(np.arange(60), arrivals[0].astype(int)).tolist()

    # Free drive and what regaining speed takes: 2.44, 3.14, 3.84, 4.54 s.
    assert comes_s(flows=False) == [2, 3, 3, 4]
    assert comes_s(flows=True) == [int(2.44 + k * FLOW_S) for k in range(4)] == [2, 4, 6, 7]


def test_the_nearest_is_the_head_and_the_longest_wait_counts() -> None:
    _, _, head, wait, aboard, count, near = gather(
        np.zeros(3, dtype=np.int64), np.array([50.0, 10.0, 100.0]), np.zeros(3),
        np.array([30.0, 5.0, 70.0]), np.array([1.3, 1.3, 40.0]), np.array([0, 1]), np.array([0]),
        np.ones(1), np.array([0]), np.array([200.0]), np.array([10.0]), np.array([False]), 60,
    )  # fmt: skip

    assert (head[0], wait[0], count[0]) == (1, 70.0, 3.0)
    assert near[0] == pytest.approx(0.75 + 0.95 + 0.5)
    assert aboard[0] == pytest.approx(42.6 / 3)


def test_a_lane_with_nobody_has_the_load_of_cars() -> None:
    lanes = AreaEye(crossroads(), SPAN_S).look(look_at(crossroads(), vehicles=vehicles({})))

    assert lanes.load == pytest.approx(np.ones(4))
    assert (lanes.head == -1).all()
    assert CAR_PERSONS > 1


# areas ----------------------------------------------------------------------------------------


def replayed(condition: Condition | None = None, load: float = 0.7) -> ReplayStreet:
    """Return a busy street whose lamps are led by its local control."""
    street = ReplayStreet([FOUR], seed=5, load=load, condition=condition)
    street.rest(60)
    return street


def truth(street: ReplayStreet, below_mps: float = STANDING_MPS) -> np.ndarray:
    """Return who truly stands, by lane."""
    stands = street.queues.speed_mps < below_mps
    return np.bincount(street.queues.lane[stands], minlength=len(FOUR.lanes)).astype(float)


def test_areas_count_the_queues_at_red_that_end_in_sight_exactly() -> None:
    street, eye, served = replayed(load=0.5), AreaEye(FOUR, SPAN_S), Served(FOUR)
    counted = 0.0
    for _ in range(300):
        (seen,) = street.observe()
        red = served.green_s(seen) == 0
        lanes = eye.look(seen)

        assert lanes.queue[red] == pytest.approx(truth(street)[red])
        counted = max(counted, float(lanes.queue.max()))
        street.rest(1)
    assert counted >= 5


def test_areas_count_everybody_who_came_and_who_left() -> None:
    street, eye = replayed(), AreaEye(FOUR, SPAN_S)
    left, gone = 0.0, 0
    (seen,) = street.observe()
    eye.look(seen)
    for _ in range(300):
        street.rest(1)
        gone += len(street.queues.gone.key)
        (seen,) = street.observe()
        lanes = eye.look(seen)
        left += float(lanes.left.sum())

        assert lanes.present.sum() == street.vehicles
    assert left == gone > 20


def test_vehicles_that_areas_miss_are_missing_in_their_share_and_nothing_grows() -> None:
    street = replayed(Condition(sensing=replace(Sensing(), missed=0.3)))
    eye = AreaEye(FOUR, SPAN_S)
    seen_all, true_all = 0.0, 0.0
    for _ in range(400):
        (seen,) = street.observe()
        seen_all += float(eye.look(seen).present.sum())
        true_all += street.vehicles
        street.rest(1)

    assert seen_all / true_all == pytest.approx(0.7, abs=0.06)


def test_shifted_clocks_give_the_same_lanes() -> None:
    street, one, two = replayed(), AreaEye(FOUR, SPAN_S), AreaEye(FOUR, SPAN_S)
    for _ in range(50):
        (seen,) = street.observe()
        later = replace(seen, time_s=seen.time_s + 777, seen_s=seen.seen_s + 777)

        assert same(one.look(seen), two.look(later))
        street.rest(1)


def same(one: LaneState, two: LaneState) -> bool:
    names = one.__slots__
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def test_free_vehicles_teach_the_pace_within_bounds() -> None:
    site = crossroads()
    eye = AreaEye(site, SPAN_S)
    for _ in range(3000):
        eye.look(look_at(site, vehicles=vehicles({0: (100.0, 11.0), 1: (100.0, 3.0)})))

    assert eye._pace.mps[0] == pytest.approx(11.0, abs=0.2)
    assert eye._pace.mps[1] == pytest.approx(SLOWEST * 14.0)
    assert eye._pace.mps[2] == 14.0


def test_a_green_that_was_lit_a_second_ago_has_lasted_one_second() -> None:
    street, served = ReplayStreet([FOUR], seed=5), Served(FOUR)
    seen = []
    for _ in range(40):
        seen.append(served.green_s(*street.observe()))
        street.rest(1)
    lit = np.array(seen)
    began = lit[1:][(lit[:-1] == 0) & (lit[1:] > 0)]

    assert len(began)
    assert (began == 1).all()


# blind lanes ----------------------------------------------------------------------------------


def test_a_blind_queue_grows_by_the_mean_and_goes_with_green() -> None:
    blind = BlindQueue(2)
    for _ in range(100):
        blind.step(np.full(2, 0.2), np.array([0, 0]))

    assert blind.queue == pytest.approx([20.0, 20.0])
    for _ in range(10):
        blind.step(np.full(2, 0.2), np.array([30, 0]))
    assert blind.queue == pytest.approx([20 - 10 * (STEADY_VPS - 0.2), 22.0])
    for _ in range(1000):
        blind.step(np.full(2, 0.2), np.array([30, 0]))
    assert blind.queue.tolist() == [0.0, MOST_QUEUE]


def test_a_blind_lane_takes_the_mean_of_its_link() -> None:
    site = replace(crossroads(), links=tuple(map(LinkId, ("a", "a", "b", "b"))))
    rates = Rates(site)
    working = np.array([True, False, True, True])
    for second in range(1200):
        rates.take(np.array([second % 5 == 0, False, False, False], dtype=float), working)

    assert rates.vps[0] == pytest.approx(0.2, abs=0.02)
    assert rates.vps[1] == pytest.approx(rates.vps[0])
    assert rates.vps[2] == pytest.approx(0.0, abs=0.01)


FEEDER = 4
"""A stretch that leads, over a junction without signals, to two lanes as far as is known."""


def with_feeder() -> Site:
    own = crossroads()
    feeder = Zone(name="feeder", lanes=(0, 1), shares=(0.5, 0.5))
    return replace(own, zones=(*own.zones, feeder))


def one(key: int, zone: int, far_m: float, pace_mps: float) -> Vehicles:
    return replace(vehicles({zone: (far_m, pace_mps)}), key=np.array([key]))


def test_who_drives_through_a_junction_on_his_way_is_one_and_the_same() -> None:
    """Nobody looks at the middle of it; he comes to the line 3 s after he vanished."""
    site = with_feeder()
    eye = AreaEye(site, SPAN_S)
    way = (one(0, FEEDER, 30.0, 0.0), None, None, None, one(0, 0, 8.0, 6.0), None)
    for key in range(100):
        seen = [vehicles({}) if at is None else replace(at, key=np.array([key])) for at in way]
        lanes = [eye.look(look_at(site, vehicles=each)) for each in seen]
    again = eye.look(look_at(site, vehicles=one(1000, FEEDER, 30.0, 5.0)))

    assert [at.present[0] for at in lanes[:4]] == pytest.approx(np.ones(4), abs=0.05)
    assert [at.queue[0] for at in lanes[:4]] == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=0.05)
    assert [at.left[0] for at in lanes] == [0, 0, 0, 0, 0, 1]
    assert again.rate_vps[0] == pytest.approx(1 / len(way), rel=0.15)


def test_who_does_not_come_to_the_line_is_forgotten_in_time() -> None:
    site = with_feeder()
    eye = AreaEye(site, SPAN_S)
    eye.look(look_at(site, vehicles=one(0, FEEDER, 30.0, 5.0)))
    there = [float(eye.look(look_at(site, vehicles=vehicles({}))).present.sum()) for _ in range(9)]

    assert there == [1.0] * HIDDEN_S + [0.0] * (9 - HIDDEN_S)


def test_who_left_a_stop_line_is_not_hidden() -> None:
    site = with_feeder()
    eye = AreaEye(site, SPAN_S)
    eye.look(look_at(site, vehicles=one(0, 2, 3.0, 9.0)))
    lanes = eye.look(look_at(site, vehicles=vehicles({})))

    assert (lanes.present.sum(), lanes.left[2]) == (0.0, 1.0)


def test_without_any_detector_the_prior_stands_and_queues_stay_in_bounds() -> None:
    site = crossroads()
    eyes = Eyes(site, SPAN_S)
    dark = np.zeros(4, dtype=bool)
    for _ in range(400):
        lanes = eyes.look(look_at(site, NS, working=dark))

    assert lanes.rate_vps == pytest.approx(np.full(4, FIRST_VPS))
    assert lanes.queue.tolist() == pytest.approx([0.0, 12.0, 12.0, 12.0], abs=0.1)
    assert lanes.arrivals.sum(axis=1) == pytest.approx(np.full(4, FIRST_VPS * SPAN_S), rel=1e-4)


# announcements --------------------------------------------------------------------------------


def test_announced_arrivals_replace_the_mean_as_far_as_they_are_known() -> None:
    site = crossroads()
    rates = Rates(site)
    for second in range(3000):
        rates.take(np.full(4, float(second % 10 == 0)), np.ones(4, dtype=bool))
        told = np.zeros((4, SPAN_S))
        told[0, 20] = 1.0
        if second % 10 == 0:
            told[0, 0] = 1.0
        announced = Announced(arrivals=told, until_s=np.array([40, 0, 0, 0]))
        expected = rates.expected(np.zeros(4, dtype=np.int64), SPAN_S, announced)

    assert rates.vps == pytest.approx(np.full(4, 0.1), abs=0.02)
    assert expected[0, 20] == pytest.approx(1.0, rel=0.1)
    assert expected[0, 1:20] == pytest.approx(np.full(19, expected[0, 1]))
    assert expected[0, 1] < 0.02
    assert expected[0, 40:] == pytest.approx(np.full(20, rates.vps[0]))
    assert expected[1] == pytest.approx(np.full(SPAN_S, rates.vps[1]))


def test_announcements_are_scaled_to_the_mean_seen_within_bounds() -> None:
    rates = Rates(crossroads())
    told = np.full((4, SPAN_S), 0.4)
    announced = Announced(arrivals=told, until_s=np.full(4, SPAN_S))
    for second in range(3000):
        rates.take(np.full(4, float(second % 5 == 0)), np.ones(4, dtype=bool))
        expected = rates.expected(np.zeros(4, dtype=np.int64), SPAN_S, announced)

    assert expected.mean() == pytest.approx(0.2, rel=0.1)  # twice too many were told of
    for second in range(3000):
        rates.take(np.full(4, float(second % 100 == 0)), np.ones(4, dtype=bool))
        expected = rates.expected(np.zeros(4, dtype=np.int64), SPAN_S, announced)
    assert expected.mean() == pytest.approx(0.4 * BELIEVED[0], rel=0.05)


# vehicles that report -------------------------------------------------------------------------


@pytest.mark.slow
def test_the_share_of_those_who_report_is_learned() -> None:
    found = {}
    for share in (0.1, 0.6):
        street = replayed(Condition(sensing=parse_sensing(f"connected:{share}")))
        eye = ReportEye(FOUR, SPAN_S)
        for _ in range(1500):
            (seen,) = street.observe()
            eye.look(seen)
            street.rest(1)
        found[share] = eye.share

    assert found[0.1] < 0.2 < found[0.6]
    assert found[0.6] == pytest.approx(0.6, abs=0.15)


def test_a_reporter_tells_of_a_queue_up_to_its_place() -> None:
    site, eye = crossroads(), ReportEye(crossroads(), SPAN_S)
    lanes = eye.look(look_at(site, EW, vehicles=vehicles({0: (35.0, 0.0)}), sampled=True))

    assert lanes.queue[0] == pytest.approx(6.0)
    assert lanes.queue[1] < 1.0


# the choice of the eye ------------------------------------------------------------------------


def test_the_eye_fits_what_is_seen_and_a_state_made_for_all_is_taken() -> None:
    site = crossroads()
    eyes = Eyes(site, SPAN_S)
    some: Vehicles = vehicles({0: (35.0, 0.0)})
    area = eyes.look(look_at(site, EW, vehicles=some))
    report = eyes.look(look_at(site, EW, vehicles=some, sampled=True))
    line = eyes.look(look_at(site, EW, loops=loops(covered={(NS, LINE_M): 1.0})))

    assert area.queue[0] == 1.0
    assert report.queue[0] == pytest.approx(6.0)
    assert line.stands[0]
    assert eyes.look(look_at(site, EW, vehicles=some, lanes=area)) is area
    assert (
        Eyes(site, SPAN_S, near_m=20.0).look(look_at(site, vehicles=some, lanes=area)) is not area
    )


def test_who_is_new_is_not_among_those_of_the_second_before() -> None:
    key, before = np.array([7, 2, 9, 4]), np.array([2, 4, 5])

    assert absent(key, before).tolist() == [True, False, True, False]
    assert absent(before, key).tolist() == [False, False, True]
    assert absent(key, key[:0]).all()


def test_an_area_shows_how_far_a_queue_reaches_unless_it_reaches_out_of_sight() -> None:
    site = crossroads()
    eye, lane = AreaEye(site, SPAN_S), LANE[NS]

    def seen(key: int, far_m: float, pace_mps: float) -> bool:
        one = replace(vehicles({lane: (far_m, pace_mps)}), key=np.array([key]))
        return bool(eye.look(look_at(site, EW, vehicles=one)).endless[lane])

    came = [seen(second // 10, 190.0 if second % 10 == 0 else 50.0, 14.0) for second in range(300)]
    near = [seen(1000, 20.0, 0.0) for _ in range(60)]
    far = [seen(1000, 190.0, 0.0) for _ in range(60)]

    assert not any(came + near)
    assert far[-1]


def test_loops_and_reports_never_show_how_far_a_queue_reaches() -> None:
    site = crossroads()

    by_loops = Eyes(site).look(look_at(site, EW, loops=loops()))
    standing = vehicles({LANE[NS]: (2.0, 0.0)})
    by_reports = Eyes(site).look(look_at(site, EW, vehicles=standing, sampled=True))

    assert by_loops.endless.all()
    assert by_reports.endless.all()
