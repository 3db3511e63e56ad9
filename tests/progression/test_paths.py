# SPDX-License-Identifier: Apache-2.0
"""Bands of paths that turn, and of buses with dwell, on small circles and on a small street."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.streets import flat_demand, four_signals

from lvbo.errors import InputError, UsageError
from lvbo.ids import LinkId, MovementId
from lvbo.network.network import Network
from lvbo.network.place import Turn
from lvbo.progression.busband import (
    BusLine,
    BusStop,
    bus_parts,
    bus_path,
    bus_way,
    share_without_stop,
)
from lvbo.progression.coordinate import Street
from lvbo.progression.pathband import Leg, Path, PathBandProblem, value_of_paths
from lvbo.progression.pathflows import main_paths
from lvbo.progression.pathresult import PathKind, PathWish
from lvbo.progression.pathsearch import Setting, evaluate_paths, path_bands
from lvbo.progression.pathwave import coordinate_paths
from lvbo.progression.problem import Lock
from lvbo.progression.walk_paths import walk_paths
from lvbo.signal.schedule import DayPlan, Period
from lvbo.timing.model import CycleLimits
from lvbo.timing.plans import time_plans

DAYS = (DayPlan(day_type="workday", periods=(Period(start_s=0, end_s=0, name="all"),)),)


def random_paths(seed: int, *, signals: int = 3, cycle_s: int = 20, free: bool = False) -> (
    PathBandProblem
):  # fmt: skip
    """Return four paths over a chain, forth and back, with up to two sequences a signal."""
    source = random.Random(seed)
    sequences = tuple(source.randrange(1, 3) for _ in range(signals))
    least = [1000 * source.randrange(3, cycle_s) for _ in range(2 * (signals - 1))]
    paths = []
    for number in range(4):
        first, last = sorted(source.sample(range(signals), 2))
        back = source.random() < 0.5
        order = list(range(first, last + 1))[:: -1 if back else 1]
        legs = []
        for k, signal in enumerate(order):
            link = min(order[k - 1], signal) + (signals - 1 if back else 0)
            windows = tuple(
                ((1000 * source.randrange(cycle_s), 1000 * source.randrange(4, cycle_s // 2)),)
                for _ in range(sequences[signal])
            )
            legs.append(Leg(signal=signal, windows=windows, way=link if k else None))
        paths.append(Path(name=str(number), weight=source.randrange(1, 9), legs=tuple(legs)))
    return PathBandProblem(
        cycle_ms=1000 * cycle_s,
        sequences=sequences,
        ways_ms=tuple((t, t + (2000 if free else 0)) for t in least),
        paths=tuple(paths),
    )


def best_of_all(problem: PathBandProblem) -> float:
    """Return the best value over all whole-second offsets and sequences; times are fixed."""
    seconds = range(0, problem.cycle_ms, 1000)
    times = tuple(low for low, _ in problem.ways_ms)
    return max(
        value_of_paths(
            problem,
            evaluate_paths(
                problem, Setting(offsets_ms=(0, *rest), patterns=patterns, times_ms=times)
            ),
        )
        for patterns in product(*(range(k) for k in problem.sequences))
        for rest in product(seconds, repeat=len(problem.sequences) - 1)
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_what_trying_everything_finds(seed: int) -> None:
    problem = random_paths(seed)
    plan = path_bands(problem)

    assert value_of_paths(problem, plan) == pytest.approx(best_of_all(problem))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_vehicles_find_the_bands_that_a_plan_claims(seed: int) -> None:
    problem = random_paths(seed, signals=4, cycle_s=60, free=True)
    plan = path_bands(problem, seed=seed)

    assert walk_paths(problem, plan) == plan.bands_ms


def test_a_path_that_turns_in_has_its_own_windows() -> None:
    """Left green [0, 10) s, 15 s of driving, through green [0, 30) at offset 10: [10, 20) + 15."""
    left = Leg(signal=0, windows=(((0, 10_000),),))
    through = Leg(signal=1, windows=(((0, 30_000),),), way=0)
    problem = PathBandProblem(
        cycle_ms=60_000,
        sequences=(1, 1),
        ways_ms=((15_000, 15_000),),
        paths=(Path(name="in", weight=1.0, legs=(left, through)),),
    )
    at = Setting(offsets_ms=(10_000, 20_000), patterns=(0, 0), times_ms=(15_000,))
    late = replace(at, offsets_ms=(10_000, 32_000))
    plan = evaluate_paths(problem, at)

    assert (plan.bands_ms, plan.fronts_ms) == ((10_000,), (10_000,))
    assert evaluate_paths(problem, late).bands_ms == (3_000,)


def test_a_spread_of_dwell_takes_its_width_from_the_green() -> None:
    """20 s of green hold vehicles that may be up to 8 s late for 12 s."""
    legs = (
        Leg(signal=0, windows=(((0, 30_000),),)),
        Leg(signal=1, windows=(((0, 20_000),),), extra_ms=25_000, spread_ms=8_000),
    )
    problem = PathBandProblem(
        cycle_ms=60_000,
        sequences=(1, 1),
        ways_ms=(),
        paths=(Path(name="bus", weight=1.0, legs=legs),),
    )
    plan = path_bands(problem)

    assert plan.bands_ms == (12_000,)
    assert walk_paths(problem, plan) == (12_000,)


def test_least_bands_go_before_weight() -> None:
    """One offset serves either path with 10 s, for their greens at signal 1 lie 30 s apart."""
    first = Leg(signal=0, windows=(((0, 10_000),),))
    paths = tuple(
        Path(
            name=name,
            weight=weight,
            legs=(first, Leg(signal=1, windows=(((start, 10_000),),), extra_ms=5_000)),
            least_ms=least_ms,
        )
        for name, weight, start, least_ms in (("heavy", 5.0, 0, 0), ("light", 1.0, 30_000, 4_000))
    )
    problem = PathBandProblem(cycle_ms=60_000, sequences=(1, 1), ways_ms=(), paths=paths)
    free = replace(problem, paths=tuple(replace(path, least_ms=0) for path in paths))

    assert path_bands(free).bands_ms == (10_000, 0)
    assert path_bands(problem).bands_ms == (0, 10_000)


def test_locked_signals_do_not_move_against_each_other() -> None:
    problem = random_paths(3, signals=4, cycle_s=40)
    locks = (
        Lock(signals=(0,), offsets_ms=(7_000,)),
        Lock(signals=(1, 2), offsets_ms=(0, 5_000), absolute=False),
    )
    plan = path_bands(replace(problem, locks=locks))

    assert plan.offsets_ms[0] == 7_000
    assert (plan.offsets_ms[2] - plan.offsets_ms[1]) % 40_000 == 5_000


def test_a_path_over_signals_that_are_not_there_is_refused() -> None:
    leg = Leg(signal=2, windows=(((0, 10_000),),))
    path = Path(name="lost", weight=1.0, legs=(leg,))

    with pytest.raises(UsageError) as refused:
        PathBandProblem(cycle_ms=60_000, sequences=(1, 1), ways_ms=(), paths=(path,))

    assert refused.value.code == "LV440"


# a street ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return four_signals(tmp_path_factory.mktemp("street"))


def line(network: Network, spread_s: float, buses_ph: float = 30) -> BusLine:
    link = network.corridors[0].outbound[1].links[0]
    stop = BusStop(link=link, dwell_s=20, spread_s=spread_s)
    return BusLine(name="1", buses_ph=buses_ph, persons=40, speed_mps=10, stops=(stop,))


def test_flows_of_paths_are_chains_of_turning_shares(network: Network) -> None:
    """600 of 720 go on at each signal; the path turns in with 60 and off with 60 of 720."""
    corridor = network.corridors[0]
    volumes = dict.fromkeys((m.id for m in network.movements), 60.0)
    volumes |= {m.id: 600.0 for m in network.movements if m.turn is Turn.THROUGH}
    approach = network.movement_index[MovementId(str(corridor.stops[1].outbound))].from_link
    total = sum(volumes[m.id] for m in network.movements_from[approach])
    found = main_paths(corridor, network, volumes, 1000)
    own = next(
        p for p in found
        if p.outbound and p.stops == (0, 1, 2) and p.turns[0] is Turn.LEFT
        and p.turns[-1] is Turn.RIGHT
    )  # fmt: skip

    assert own.flow_vph == pytest.approx(60 * (600 / total) * (60 / total))
    assert [p.is_through for p in found[:2]] == [True, True]
    assert all(a.flow_vph >= b.flow_vph for a, b in pairwise(found[2:]))


def test_paths_are_worth_more_than_in_the_two_way_wave(network: Network) -> None:
    demand = flat_demand(network, 200.0, 250.0)
    plans = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=70, most_s=70))
    street = Street(network=network, demand=demand)
    made = coordinate_paths(network.corridors[0], plans, street, PathWish(most=6))
    (own,) = made.periods
    through = [b for b in own.bands if b.kind is PathKind.THROUGH]
    new, old = (sum(b.persons_ph * x for b, x in zip(own.bands, held, strict=True)) for held in (
        [b.band_ms for b in own.bands], [b.before_ms for b in own.bands]))  # fmt: skip

    assert len(own.bands) == 8
    assert new > old
    assert all(b.band_ms >= int(0.7 * b.before_ms) for b in through)
    assert walk_paths(own.problem, own.plan) == own.plan.bands_ms
    assert {p.offset_ds % 10 for p in made.wave.plans.plans} == {0}


def test_buses_get_a_band_that_their_dwell_shifts(network: Network) -> None:
    demand = flat_demand(network, 200.0, 50.0)
    plans = time_plans(network, demand, DAYS, limits=CycleLimits(least_s=70, most_s=70))
    street = Street(network=network, demand=demand)
    wish = PathWish(most=0, buses=(line(network, 4, buses_ph=100),), least_through=0.0)
    (own,) = coordinate_paths(network.corridors[0], plans, street, wish).periods
    bus = own.bands[-1]

    assert bus.kind is PathKind.BUS
    assert bus.band_ms > bus.before_ms
    assert bus.kept is not None
    assert bus.kept >= wish.counted


def test_a_line_has_a_band_from_stop_to_stop(network: Network) -> None:
    way = bus_way(line(network, 4), network.corridors[0], "here")
    parts = bus_parts(way)

    assert [(part.first, len(part.way.drive_s)) for part in parts] == [(0, 1), (1, 2)]
    assert [sum(part.way.dwell_s) for part in parts] == [0, 20]


def test_the_share_that_keeps_its_band_falls_as_dwell_spreads(network: Network) -> None:
    """At one stop of spread 5 s a green of exactly the middle 80 % keeps 80 % of a thin band."""
    shares = []
    for spread_s in (2.0, 5.0, 15.0):
        way = bus_way(line(network, spread_s), network.corridors[0], "here")
        n = len(way.drive_s) + 1
        windows = [(((0, 500),),), (((0, 60_000),),), (((0, 12_816),),), *[(((0, 60_000),),)] * n]
        path = bus_path(way, windows, list(range(n)), 0.8, 1.0)
        problem = PathBandProblem(
            cycle_ms=60_000, sequences=(1,) * n, ways_ms=(), paths=(replace(path, legs=tuple(
                replace(leg, spread_ms=0) for leg in path.legs)),)
        )  # fmt: skip
        arrives = round(1000 * (sum(way.drive_s[:2]) + 20)) - 6_408
        offsets = (0, 0, arrives, *(0,) * (n - 3))
        plan = evaluate_paths(problem, Setting(offsets_ms=offsets, patterns=(0,) * n, times_ms=()))
        shares.append(share_without_stop(way, path, plan, 0))

    assert shares[0] > shares[1] > shares[2]
    assert shares[1] == pytest.approx(0.8, abs=0.02)


def test_a_bus_that_stops_elsewhere_is_refused(network: Network) -> None:
    lost = replace(line(network, 4), stops=(BusStop(link=LinkId("no"), dwell_s=1, spread_s=0),))

    with pytest.raises(InputError) as refused:
        bus_way(lost, network.corridors[0], "here")

    assert refused.value.code == "LV441"
