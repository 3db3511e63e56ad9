# SPDX-License-Identifier: Apache-2.0
"""How many leave a lane of several turns: counted by hand, then by every model that runs on it."""

from __future__ import annotations

import numpy as np
import pytest

from lvbo.ids import LaneId, LinkId
from lvbo.optimize.mesh import Queue, Traits, mesh_arrays
from lvbo.timing.permitted import LaneSecond, LaneState, inner_room, shared_lane

SAT = 0.5
RED = LaneSecond(free=0.0)


def left(seconds: list[LaneSecond], room: int) -> tuple[float, LaneState]:
    """Return how many leave, and how the lane ends."""
    rates, state = shared_lane(seconds, SAT, room)
    return sum(rates), state


def test_room_inside_is_that_of_the_first_half_of_the_path() -> None:
    """Half of 8 m takes nobody, of 20 m one vehicle of 5 m, of 30 m one more 7.5 m behind it."""
    assert [inner_room(metres) for metres in (0.0, 8.0, 10.0, 20.0, 25.0, 30.0, 60.0)] == [
        0, 0, 1, 1, 2, 2, 2,
    ]  # fmt: skip


def test_so_many_pass_before_the_first_who_has_red() -> None:
    """A quarter has red: on average the 1 / 0.25 = 4th driver does, and he stands at the head."""
    many, _ = left([LaneSecond(free=0.75)] * 200, 0)

    assert many == pytest.approx(4.0, abs=0.01)


def test_a_short_green_ends_before_the_first_who_has_red_comes() -> None:
    """Four starts at chances 1, 0.75, 0.75^2, 0.75^3: 2.73 of four; by seconds a little more."""
    many, _ = left([LaneSecond(free=0.75)] * 8, 0)
    by_seconds = SAT * sum((1 - 0.25 * SAT) ** k for k in range(8))

    assert many == pytest.approx(by_seconds)
    assert by_seconds == pytest.approx(2.63, abs=0.01)


def test_who_was_held_goes_when_the_lamps_change() -> None:
    """The left turn that stood at the head has its own green next: the lane is open again."""
    green = [LaneSecond(free=0.75)] * 60
    _, held = left(green, 0)
    rates, _ = shared_lane([*green, RED, RED, LaneSecond(free=0.25)], SAT, 0)

    assert held.open < 0.001
    assert rates[-1] == SAT


@pytest.mark.parametrize(("room", "before"), [(0, 10.0), (1, 20.0), (2, 30.0)])
def test_the_lane_closes_when_one_more_waits_than_stand_inside(room: int, before: float) -> None:
    """A tenth turns left and finds no gap: every 10th driver fills a place."""
    many, state = left([LaneSecond(free=0.9, yields=0.1)] * 2000, room)

    assert many == pytest.approx(before, abs=0.01)
    assert state.open == pytest.approx(0.0, abs=1e-3)


def test_without_room_the_lane_settles_at_the_harmonic_mean() -> None:
    """9 of 10 need 2 s, one waits 10 s for a gap and takes none of the others' time before."""
    rates, _ = shared_lane([LaneSecond(free=0.8, yields=0.2, gap_vps=0.1)] * 300, SAT, 0)

    assert rates[-1] == pytest.approx(1 / (1 / SAT + 0.2 / 0.1))


def test_with_room_the_lane_settles_as_a_queue_of_so_many_places() -> None:
    """M/M/1/2 at a load of 1: a third of the time each with nobody, one, two: open for two."""
    rates, state = shared_lane([LaneSecond(free=0.8, yields=0.2, gap_vps=0.1)] * 600, SAT, 1)

    assert state.waiting == pytest.approx((1 / 3, 1 / 3), abs=1e-3)
    assert rates[-1] == pytest.approx(SAT * 2 / 3, abs=1e-3)


def test_who_is_inside_clears_and_who_stands_at_the_line_begins_the_next_green() -> None:
    green = [LaneSecond(free=0.5, yields=0.5)] * 200
    rates, _ = shared_lane([*green, *[RED] * 30, *green], SAT, 1)

    assert sum(rates[:200]) == pytest.approx(4.0, abs=0.01)
    assert sum(rates[230:]) == pytest.approx(2.0, abs=0.01)


CYCLE = 80


def _lamps() -> list[tuple[int, int]]:
    """Return status by second: through 20 s alone, both 25 s, red, the left turn alone 8 s."""
    through = [2] * 45 + [0] * 35
    turning = [0] * 20 + [1] * 25 + [0] * 5 + [2] * 8 + [0] * 22
    return list(zip(through, turning, strict=True))


FOE_VPS = 0.2


@pytest.mark.parametrize("room", [0, 1, 2])
def test_all_models_run_a_shared_lane_by_the_same_rule(room: int) -> None:
    """The timing of one signal agrees to rounding, profiles but for their series of gaps."""
    own = _by_the_rule(room)

    assert _in_flow_kernels(room) == pytest.approx(own, abs=1e-9)
    assert _in_profiles(room) == pytest.approx(own, abs=1e-2)


def _by_the_rule(room: int) -> list[float]:
    """Return the rates of the second cycle, in which the first is remembered."""
    from lvbo.timing._flow_kernels import _yielding_rate

    gap = _yielding_rate(FOE_VPS, SAT)
    seconds = [
        LaneSecond(
            free=0.7 * (a == 2) + 0.3 * (b == 2), yields=0.3 * (b == 1), gap_vps=gap * (b == 1)
        )
        for a, b in _lamps()
    ]
    return shared_lane([*seconds, *seconds], SAT, room)[0][CYCLE:]


def _in_flow_kernels(room: int) -> list[float]:
    from lvbo.timing import _flow_kernels as kernels

    layout = kernels.Layout(
        np.array([[0, 1]]),
        np.array([[0.7, 0.3]]),
        np.array([[[-1], [1]]]),
        np.array([SAT]),
        (0, 0),
        np.array([1]),
        np.array([room]),
        np.zeros(1),
    )
    work = kernels.scratch(2, 2, CYCLE)
    work.used[:] = np.array(_lamps()).T
    work.flow[1, :] = FOE_VPS
    kernels.lane_rates(0, CYCLE, layout, work)
    return list(work.rate)


def _in_profiles(room: int) -> list[float]:
    from lvbo.optimize import _profile_kernels as kernels
    from lvbo.optimize._profile_values import Lamps

    link = LinkId("in")
    queues = [
        Queue(
            signal=0,
            link=link,
            lanes=(LaneId("in_0"),),
            total_vph=900,
            sat_vph=3600 * SAT,
            storage=20,
            turns=((0, 0.7, ()), (1, 0.3, (1,))),
            room=room,
        ),
        Queue(
            signal=0,
            link=link,
            lanes=(LaneId("foe_0"),),
            total_vph=3600 * FOE_VPS,
            sat_vph=1800,
            storage=20,
            turns=((2, 1.0, ()),),
        ),
    ]
    mesh = mesh_arrays(1, [0, 1], [0], queues, [], Traits())
    windows = [(0, 2, 0, 45), (1, 1, 20, 25), (1, 2, 50, 8)]

    def rows(values: list[int]) -> np.ndarray:
        return np.repeat(np.array(values, np.float32)[:, None], 16, axis=1)

    lamps = Lamps(
        first=np.array([0]),
        last=np.array([3]),
        move=np.array([w[0] for w in windows]),
        right=np.array([w[1] for w in windows]),
        begin=rows([w[2] for w in windows]),
        length=rows([w[3] for w in windows]),
        sneak=rows([0, 1, 0]),
        gain=np.zeros(1, np.float32),
    )
    work = kernels.scratch(1, 2, CYCLE)
    work.leave[1] = FOE_VPS
    kernels.mixed_rate(mesh, lamps, 0, 0, CYCLE, work)
    return [float(r) for r in work.rate[:, 3]]
