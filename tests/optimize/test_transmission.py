# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lvbo.ids import LaneId, LinkId
from lvbo.optimize.evaluate import Profiles
from lvbo.optimize.lamps import Right
from lvbo.optimize.mesh import VEHICLE_M, AreaMesh, Pipe, Queue, Traits
from lvbo.optimize.transmission import Span, Transmission, Transmitted, build_transmission
from lvbo.optimize.windows import Change, Timing, Windows, build_windows
from lvbo.testing.grids import Streets, bare_mesh, four_stages, grid_mesh, two_stages

TRAITS = Traits(alpha=0.35, beta=0.8)


def queue(  # one lane of 1,800 veh/h, unless said otherwise
    signal: int, link: str, vph: float, storage: float = 1e4, lanes: int = 1, move: int = 0
) -> Queue:
    return Queue(
        signal=signal,
        link=LinkId(link),
        lanes=tuple(LaneId(f"{link}_{move}_{i}") for i in range(lanes)),
        total_vph=vph,
        sat_vph=1800 * lanes,
        storage=storage,
        turns=((move, 1.0, ()),),
    )


def timing(cycle_s: float, *greens: tuple[float, float], offset_s: float = 0.0) -> Timing:
    """Return movement k green from greens[k][0] for greens[k][1] s."""
    return Timing(
        cycle_s=cycle_s,
        offset_s=offset_s,
        gain_s=2.0,
        rights=tuple(
            Right(move=k, right=2, begin_s=begin, length_s=length, ends=True)
            for k, (begin, length) in enumerate(greens)
        ),
    )


def one(*timings: Timing) -> Windows:
    """Return the windows of one plan of each signal."""
    return build_windows([[at] for at in timings])


def run(
    mesh: AreaMesh, windows: Windows, end_s: int, window_s: tuple[int, int] | None = None
) -> tuple[Transmission, Transmitted]:
    model = build_transmission(mesh)
    return model, model.run_windows(windows, Span(end_s=end_s, window_s=window_s))


def random_timings(rng: np.random.Generator, signals: int, plans: int) -> list[list[Timing]]:
    """Return plans of all kinds: cycles from 40 to 140 s, any splits, any offsets."""
    found = []
    for _ in range(signals):
        row = []
        for _ in range(plans):
            cycle = float(rng.integers(40, 141))
            greens = rng.dirichlet(np.ones(4)) * (cycle - 20)
            row.append(four_stages(cycle, greens.tolist(), float(rng.uniform(0, cycle))))
        found.append(row)
    return found


# one signal --------------------------------------------------------------------------------------


def test_an_oversaturated_queue_grows_and_waits_as_the_deterministic_formula_says() -> None:
    """0.3 veh/s come, 0.5 x 30 / 60 = 0.25 go: 0.05 t stay, beside 0.5 x 30 x 0.25 in red."""
    mesh = bare_mesh([queue(0, "a", 1080)], [], TRAITS)

    _, found = run(mesh, one(timing(60, (30, 30))), 3600)

    assert found.inside[0] == pytest.approx(0.05 * 3600, rel=0.005)
    assert found.waiting_vehs[0, 0] == pytest.approx(0.025 * 3600**2 + 3.75 * 3600, rel=0.01)
    assert found.left[0] == pytest.approx(0.25 * 3600, rel=0.005)


def test_a_queue_below_saturation_waits_as_webster_says() -> None:
    """(1 - g/C)^2 / (2 (1 - y)) x C, with y = 0.1 / 0.5 and g/C = 1/2: 9.375 s each."""
    mesh = bare_mesh([queue(0, "a", 360)], [], TRAITS)

    _, found = run(mesh, one(timing(60, (0, 30))), 3600, (600, 3600))

    assert found.waiting_vehs[0, 0] / (0.1 * 3000) == pytest.approx(9.375, rel=0.02)


def test_chance_adds_the_random_part_of_hcm_and_most_of_it_at_saturation() -> None:
    """At x = 0.4, c = 900 veh/h: 225 x (-0.6 + sqrt(0.36 + 1.6 / 225)) = 1.327 s each."""
    mesh = bare_mesh([queue(0, "a", 360)], [], TRAITS)

    _, calm = run(mesh, one(timing(60, (0, 30))), 3600, (600, 3600))
    each = [
        float(run(bare_mesh([queue(0, "a", v)], [], TRAITS), one(timing(60, (0, 30))), 3600)[1]
              .random_vehs[0, 0]) / v
        for v in (810, 900, 990, 1800)
    ]  # fmt: skip

    assert calm.random_vehs[0, 0] / (0.1 * 3000) == pytest.approx(1.327, rel=0.01)
    assert each[1] > each[0]
    assert each[1] > each[2] > each[3]


def test_a_window_that_is_later_serves_later() -> None:
    mesh = bare_mesh([queue(0, "a", 360)], [], TRAITS)
    model = build_transmission(mesh)

    at = one(timing(60, (0, 30), offset_s=20))
    before, after = (model.run_windows(at, Span(end_s=t)).left[0] for t in (20, 30))

    assert before == 0
    assert after == pytest.approx(0.1 * 20 + 0.1 * 10, abs=0.11)


# full streets ------------------------------------------------------------------------------------


def two_signals(first_storage: float = 1e4) -> AreaMesh:
    """Return 1,080 veh/h to a signal and 150 m of one lane, for 20 vehicles, to the next."""
    storage = 150 / VEHICLE_M
    pipe = Pipe(source=0, link=1, time_s=12.0, length_m=150.0, lanes=1, shares=((0, 1.0),))
    return bare_mesh(
        [queue(0, "a", 1080, first_storage), queue(1, "b", 1080, storage)], [pipe], TRAITS
    )


STARVED = one(timing(60, (0, 40)), timing(60, (0, 12)))
"""The first may send 0.5 x 40 / 60 = 0.333 veh/s, the second 0.5 x 12 / 60 = 0.1 veh/s."""


def test_a_full_street_lets_in_only_what_leaves_it() -> None:
    model, half = run(two_signals(), STARVED, 1800)
    whole = model.run_windows(STARVED, Span(end_s=3600), start=half.end)

    out = float(half.end.tide.here[0, 0] + 0.3 * 1800 - whole.end.tide.here[0, 0])
    assert out == pytest.approx(0.1 * 1800, rel=0.01)
    assert whole.left[0] == pytest.approx(0.1 * 1800, rel=0.01)
    assert whole.fullest[1, 0] == pytest.approx(1.0, abs=1e-4)
    assert whole.end.tide.here[0, 0] == pytest.approx(0.3 * 3600 - 0.1 * 3600 - 20, abs=8)


def test_the_delay_of_a_full_street_is_had_before_it() -> None:
    """The queue before grows by 0.2 veh/s once the street is full; there are never 20 in it."""
    _, found = run(two_signals(), STARVED, 3600)

    assert found.waiting_vehs[0, 0] == pytest.approx(0.1 * 3600**2, rel=0.05)
    assert found.waiting_vehs[1, 0] < 20 * 3600


def test_who_finds_the_first_street_full_waits_outside() -> None:
    """Of the room for 60, 9 are on their way back with the waves of 60 and 30 s."""
    _, found = run(two_signals(40), STARVED, 3600)

    assert found.outside[0] == pytest.approx(0.2 * 3600 - 51, abs=8)
    assert found.kept_vehs[0, 0] > 0.05 * 3600**2
    assert found.inside[0] <= 60
    assert found.entered[0] == pytest.approx(found.inside[0] + found.left[0], rel=1e-5)


def test_room_comes_back_when_the_wave_has_run_the_street() -> None:
    """Nobody leaves the second signal before 300 s; the 30 s that the wave takes pass first."""
    model = build_transmission(two_signals())
    first = timing(600, (0, 600))
    second = timing(600, (300, 300))
    at = one(first, second)

    inflow = []
    for end in (300, 320, 340, 360):
        found = model.run_windows(at, Span(end_s=end))
        inflow.append(float(found.inside[0] + found.left[0] - found.end.tide.here[0, 0]))

    assert inflow[0] == pytest.approx(20, abs=0.01)
    assert inflow[1] == pytest.approx(20, abs=0.01)
    assert inflow[3] - inflow[2] == pytest.approx(0.5 * 20, rel=0.1)


def test_who_passes_two_stop_lines_of_one_junction_is_not_held_between_them() -> None:
    """The inner link has no length: in steps of 1 s its room alone would pass 0.25 veh/s."""
    pipe = Pipe(source=0, link=1, time_s=1.6, length_m=0.1, lanes=1, shares=((0, 1.0),))
    mesh = bare_mesh([queue(0, "a", 1440), queue(1, "b", 1440, 1.0)], [pipe], TRAITS)
    _, found = run(mesh, one(timing(60, (0, 55)), timing(60, (0, 60))), 1200)

    assert found.left[0] == pytest.approx(0.4 * 1200, rel=0.03)
    assert found.came[1, 0] == pytest.approx(0.4 * 1200, rel=0.03)


# bays --------------------------------------------------------------------------------------------


def bay_mesh(lanes: int, ahead: float, left: float, bay: float = 5.0) -> AreaMesh:
    """Return one link of 600 m with a bay for left turns."""
    return bare_mesh(
        [
            queue(0, "a", ahead, 80.0 * lanes, lanes),
            queue(0, "a", left, bay, 1, move=1),
        ],
        [],
        TRAITS,
    )


def served(
    mesh: AreaMesh, *greens: tuple[float, float], from_s: int = 1800, to_s: int = 3600
) -> tuple[float, float]:
    """Return how many of each queue leave."""
    model = build_transmission(mesh)
    half = model.run_windows(one(timing(60, *greens)), Span(end_s=from_s))
    whole = model.run_windows(one(timing(60, *greens)), Span(end_s=to_s), start=half.end)
    tides = [at.end.tide for at in (half, whole)]
    came = [whole.entered[0] * float(mesh.arrays.base[q] / mesh.arrays.base.sum()) for q in (0, 1)]
    stay = [float(t.here[q, 0] + t.behind[q, 0]) for q in (0, 1) for t in tides]
    return came[0] - stay[1] + stay[0], came[1] - stay[3] + stay[2]


def test_a_full_bay_beside_one_lane_stops_everybody_behind_it() -> None:
    """Left turns may go at 0.5 x 3 / 60 = 0.025 veh/s; four go ahead for each who turns."""
    ahead, left = served(bay_mesh(1, 720, 180), (0, 50), (52, 3))

    assert left == pytest.approx(0.025 * 1800, rel=0.02)
    assert ahead == pytest.approx(4 * left, rel=0.05)


def test_a_full_bay_beside_two_lanes_leaves_the_other_lane() -> None:
    """0.6 veh/s ahead find 0.5 in one lane; in the other 0.3 for each 0.2 of whom 0.025 turn."""
    greens = ((0, 50), (52, 3))
    ahead, left = served(bay_mesh(2, 2160, 720), *greens, from_s=240, to_s=600)
    wide, _ = served(bay_mesh(2, 2160, 720, bay=80.0), *greens, from_s=240, to_s=600)

    assert left == pytest.approx(0.025 * 360, rel=0.02)
    assert 0.5 * 360 < ahead < (0.5 + 0.3 * 0.025 / 0.2) * 360
    assert wide > 0.58 * 360


def test_a_queue_past_the_entrance_keeps_others_from_an_empty_bay() -> None:
    """0.5 x 6 / 60 = 0.05 veh/s may go ahead, one turns for each four; the street is not full."""
    ahead, left = served(bay_mesh(1, 720, 180), (0, 6), (10, 45), from_s=120, to_s=420)

    assert ahead == pytest.approx(0.05 * 300, rel=0.02)
    assert left == pytest.approx(ahead / 4, rel=0.1)


# grids -------------------------------------------------------------------------------------------


def profiles(mesh: AreaMesh, windows: Windows, cycle_s: int) -> np.ndarray:
    """Return veh-s per second by cyclic flow profiles, per candidate."""
    from lvbo.optimize._profile_values import Lamps

    lamps = Lamps(
        windows.first[:-1],
        windows.first[1:],
        windows.move,
        windows.right,
        windows.begin,
        windows.length,
        windows.sneak,
        windows.gain,
    )
    cost = Profiles(mesh).cost(lamps, cycle_s)
    return np.asarray(cost.sum(axis=0)[: windows.plans])


def offsets(seed: int, signals: int, cycle: int) -> list[float]:
    return [float(o) for o in np.random.default_rng(seed).integers(0, cycle, signals)]


@pytest.mark.parametrize("seed", range(3))
def test_below_saturation_the_delay_is_that_of_cyclic_profiles(seed: int) -> None:
    mesh = grid_mesh(Streets(signals=2, vph=500))
    windows = one(*(four_stages(60, (14, 6, 14, 6), o) for o in offsets(seed, 4, 60)))

    _, found = run(mesh, windows, 1500, (600, 1500))

    assert found.delay_vehs[0] / 900 == pytest.approx(profiles(mesh, windows, 60)[0], rel=0.05)
    assert found.kept_vehs.sum() == 0


def test_those_who_yield_wait_as_in_cyclic_profiles() -> None:
    mesh = grid_mesh(Streets(signals=2, vph=700, left=0.2, yielding=True))
    windows = one(*(two_stages(60, (25, 25), o) for o in offsets(1, 4, 60)))

    _, found = run(mesh, windows, 1500, (600, 1500))

    assert found.delay_vehs[0] / 900 == pytest.approx(profiles(mesh, windows, 60)[0], rel=0.02)


@pytest.mark.parametrize("yielding", [False, True])
def test_queue_by_queue_is_the_same_as_second_by_second(yielding: bool) -> None:  # noqa: FBT001
    mesh = grid_mesh(Streets(signals=2, vph=400, spacing_m=260, yielding=yielding))
    model = build_transmission(mesh)
    windows = one(*(two_stages(60, (20, 30), o) for o in offsets(2, 4, 60)))

    quick = model.run_windows(windows, Span(end_s=700))
    strict = model.run_windows(windows, Span(end_s=700), strict=True)

    assert quick.strict_share < 0.9
    assert strict.strict_share == 1
    assert quick.delay_vehs[0] == pytest.approx(strict.delay_vehs[0], rel=1e-4)
    np.testing.assert_allclose(quick.end.tide.here, strict.end.tide.here, atol=2e-3)


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 13))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_loses_vehicles_or_overfills_a_street(seed: int) -> None:
    """Thirteen times sixteen plans, some of which lock the grid."""
    rng = np.random.default_rng(seed)
    vph = float(rng.uniform(400, 1500))
    streets = Streets(
        signals=2, vph=vph, spacing_m=160, bay_m=40, jitter_m=30, seed=seed, left=0.25
    )
    model = build_transmission(grid_mesh(streets))
    windows = build_windows(random_timings(rng, 4, 16))
    found = model.run_windows(windows, Span(end_s=7))
    entered, left = found.entered, found.left

    for end in range(77, 700, 70):
        found = model.run_windows(windows, Span(end_s=end), start=found.end)
        entered, left = entered + found.entered, left + found.left
        tide = found.end.tide
        inside = np.add.reduceat(tide.here + tide.behind, model.web.queues[:-1])

        np.testing.assert_allclose(entered, found.inside + left, rtol=1e-5, atol=1e-3)
        assert min(rows.min() for rows in tide) > -1e-3
        assert (inside <= model.web.storage[:, None] + 1e-3).all()
        assert (tide.here <= model.web.region[:, None] + 1e-3).all()
        assert found.fullest.max() <= 1 + 1e-5


def test_each_candidate_is_as_if_alone() -> None:
    rng = np.random.default_rng(5)
    timings = random_timings(rng, 4, 3)
    model = build_transmission(grid_mesh(Streets(signals=2, vph=900, spacing_m=200)))

    together = model.run_windows(build_windows(timings), Span(end_s=400))
    alone = [
        model.run_windows(build_windows([[row[b]] for row in timings]), Span(end_s=400))
        for b in range(3)
    ]

    assert len(set(together.delay_vehs.round(3))) == 3
    assert together.delay_vehs.tolist() == pytest.approx(
        [found.delay_vehs[0] for found in alone], rel=1e-4
    )


def test_a_run_in_pieces_is_the_same_run() -> None:
    model = build_transmission(grid_mesh(Streets(signals=2, vph=800, spacing_m=200)))
    windows = build_windows(random_timings(np.random.default_rng(6), 4, 2))

    whole = model.run_windows(windows, Span(end_s=500, window_s=(0, 500)))
    first = model.run_windows(windows, Span(end_s=131))
    second = model.run_windows(windows, Span(end_s=500), start=first.end)

    np.testing.assert_allclose(whole.end.tide.here, second.end.tide.here, atol=1e-2)
    waits = first.waiting_vehs.sum(axis=0) + second.waiting_vehs.sum(axis=0)
    assert waits.tolist() == pytest.approx(whole.waiting_vehs.sum(axis=0).tolist(), rel=1e-3)


def test_after_a_change_of_plans_each_signal_shows_the_other_from_its_own_second() -> None:
    model = build_transmission(grid_mesh(Streets(signals=2, vph=700)))
    rng = np.random.default_rng(8)
    old, new = (build_windows(random_timings(rng, 4, 1)) for _ in range(2))

    def changed(at_s: Sequence[int]) -> Transmitted:
        change = Change(windows=new, at_s=np.array(at_s, np.int64))
        return model.run_windows(old, Span(end_s=500), change=change)

    before = model.run_windows(old, Span(end_s=247))
    pieces = model.run_windows(new, Span(end_s=500), start=before.end)
    never = model.run_windows(old, Span(end_s=500))

    np.testing.assert_allclose(changed([247] * 4).end.tide.here, pieces.end.tide.here, atol=1e-2)
    np.testing.assert_allclose(changed([500] * 4).end.tide.here, never.end.tide.here, atol=1e-2)
    assert abs(changed([247, 247, 247, 300]).end.tide.here - pieces.end.tide.here).max() > 0.1


def test_all_can_go_on_from_where_one_is() -> None:
    model = build_transmission(grid_mesh(Streets(signals=2, vph=700)))
    windows = build_windows(random_timings(np.random.default_rng(9), 4, 3))
    found = model.run_windows(windows, Span(end_s=200))

    start = found.end.of(1)

    assert (start.tide.here == found.end.tide.here[:, [1]]).all()
    assert start.second == 200
    assert model.inside(start).tolist() == pytest.approx([found.inside[1]] * 16)


def test_the_series_is_that_of_the_candidate_asked_for() -> None:
    model = build_transmission(grid_mesh(Streets(signals=2, vph=700)))
    windows = build_windows(random_timings(np.random.default_rng(3), 4, 3))

    found = model.run_windows(windows, Span(end_s=200, watched=2))

    assert found.series[-1, 0] == 200
    assert (np.diff(found.series[:, 0]) <= model.block_s).all()
    end = found.end.tide.here + found.end.tide.behind
    assert found.series[-1, 1:].tolist() == end[:, 2].tolist()


def test_twice_the_arrivals_are_twice_as_many() -> None:
    model = build_transmission(grid_mesh(Streets(signals=2, vph=300)))
    windows = one(*(four_stages(60, (14, 6, 14, 6)) for _ in range(4)))

    single, double = (
        model.run_windows(windows, Span(end_s=120, factor=factor)) for factor in (1.0, 2.0)
    )

    assert double.entered[0] == pytest.approx(2 * single.entered[0], rel=1e-5)


@pytest.mark.parametrize("plans", [0, 17])
def test_no_plan_or_more_than_fit_are_refused(plans: int) -> None:
    with pytest.raises(ValueError, match=f"{plans} sets of plans"):
        build_windows([[timing(60, (0, 30))] * plans])


def test_a_cycle_shorter_than_a_block_is_refused() -> None:
    model = build_transmission(bare_mesh([queue(0, "a", 360)], [], TRAITS))

    with pytest.raises(ValueError, match="a cycle of 10"):
        model.run_windows(one(timing(10, (0, 5))), Span(end_s=60))
