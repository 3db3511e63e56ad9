# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem, turned

from lvbo.errors import UsageError
from lvbo.progression.band import two_way_band
from lvbo.progression.linkband import link_bands, widest_link_bands
from lvbo.progression.linkband_eval import evaluate_link_bands
from lvbo.progression.linkbands import LinkBandPlan, LinkBandProblem, value_of_links
from lvbo.progression.problem import BandKind, BandProblem, Lock, Pattern
from lvbo.progression.walk_links import walk_links

seeds = st.integers(0, 10_000)
few = settings(max_examples=10, deadline=None)


def weighted(street: BandProblem, seed: int = 0, side: float = 0.5) -> LinkBandProblem:
    """Return a problem of bands by link with weights in hundredths, none zero."""
    source = random.Random(seed)
    links = street.signals - 1
    out, back = (tuple(source.randrange(5, 40) / 100 for _ in range(links)) for _ in range(2))
    return LinkBandProblem(street=street, weight_out=out, weight_in=back, least_side=side)


def even(street: BandProblem, side: float = 0.5) -> LinkBandProblem:
    ones = (1.0,) * (street.signals - 1)
    return LinkBandProblem(street=street, weight_out=ones, weight_in=ones, least_side=side)


def test_half_a_cycle_of_driving_gives_every_link_its_shorter_green() -> None:
    # cycle 60, drive 30 s: the three greens of 20, 30 and 24 s can be centred on both lines
    plan = widest_link_bands(even(plain((20, 30, 24), (30, 30))))

    assert plan is not None
    assert plan.bands_out_ms == pytest.approx((20_000, 24_000), abs=4)
    assert plan.bands_in_ms == pytest.approx((20_000, 24_000), abs=4)
    # the line leaves signal 1 30 s after signal 0 outbound, 30 s before it inbound
    assert plan.line_out_ms[1] - plan.line_out_ms[0] == 30_000
    assert plan.line_in_ms[0] - plan.line_in_ms[1] == 30_000
    # green 1 is 10 s longer and centred on the same line: it opens 30 - 5 s after green 0
    assert (plan.offsets_ms[1] - plan.offsets_ms[0]) % 60_000 == pytest.approx(25_000, abs=4)


def test_a_signal_without_use_for_a_long_band_does_not_narrow_the_others() -> None:
    # a green of 6 s in the middle holds a through band to 6 s, but only the links beside it here
    street = plain((30, 30, 6, 30, 30), (30, 30, 30, 30))
    through = two_way_band(street).exact
    plan = widest_link_bands(even(street))

    assert through.outbound_ms == 6_000
    assert plan is not None
    assert plan.bands_out_ms == pytest.approx((30_000, 6_000, 6_000, 30_000), abs=4)


def test_a_band_may_lie_to_one_side_of_its_line_where_that_is_allowed() -> None:
    # one quarter of a cycle between the greens: centred bands lose on both sides of the line
    street = plain((30, 30, 30), (20, 20))
    centred, free = (widest_link_bands(even(street, side)) for side in (0.5, 0.0))

    assert centred is not None
    assert free is not None
    assert sum(free.bands_out_ms + free.bands_in_ms) > sum(
        centred.bands_out_ms + centred.bands_in_ms
    )
    assert any(before != after for before, after in free.sides_out_ms + free.sides_in_ms)
    assert all(before == after for before, after in centred.sides_out_ms)


def test_the_larger_weight_gets_the_wider_band() -> None:
    street = plain((24, 24), (20,))
    out = LinkBandProblem(street=street, weight_out=(3.0,), weight_in=(1.0,))
    back = LinkBandProblem(street=street, weight_out=(1.0,), weight_in=(3.0,))

    favoured, other = widest_link_bands(out), widest_link_bands(back)

    assert favoured is not None
    assert other is not None
    assert favoured.bands_out_ms[0] > favoured.bands_in_ms[0]
    assert other.bands_in_ms[0] > other.bands_out_ms[0]


def test_queue_clearance_lets_the_line_leave_earlier_than_it_arrives() -> None:
    # 32 s each way is 4 s too long for half a cycle; 4 s of clearance take that off
    street = replace(plain((20, 20), (32,)), clearance_out_ms=(0, 4_000))
    plan = widest_link_bands(even(street))

    assert plan is not None
    assert plan.line_out_ms[1] - plan.line_out_ms[0] == 28_000
    assert plan.travel_out_ms == (32_000,)
    assert plan.bands_out_ms + plan.bands_in_ms == pytest.approx((20_000, 20_000), abs=4)


@few
@given(seeds, st.sampled_from([0.0, 0.25, 0.5]))
def test_the_walker_confirms_every_band_of_every_link(seed: int, side: float) -> None:
    problem = weighted(random_problem(seed, 5), seed, side)
    answer = link_bands(problem)

    for plan in (answer.exact, answer.whole, answer.one_way_out, answer.one_way_in):
        walk = walk_links(problem, plan)

        assert walk.violations == ()
        assert walk.value == pytest.approx(value_of_links(problem, plan), abs=1e-4)
    assert all(o % 1000 == 0 for o in answer.whole.offsets_ms)


@few
@given(seeds)
def test_speed_changes_ratios_and_minimum_bands_hold_on_every_link(seed: int) -> None:
    street = replace(
        random_problem(seed, 4, speeds=(9.0, 18.0)),
        speed_change_limit_s_per_m=0.01,
        ratio_range=(0.6, 1.5),
        min_out_ms=3_000,
    )
    problem = weighted(street, seed)
    plan = widest_link_bands(problem)

    if plan is not None:
        assert walk_links(problem, plan).violations == ()
        assert min(plan.bands_out_ms) >= 3_000


@few
@given(seeds)
def test_the_best_plan_never_loses_to_one_direction_alone(seed: int) -> None:
    problem = weighted(random_problem(seed, 4), seed)
    answer = link_bands(problem)

    best = value_of_links(problem, answer.exact)

    assert best >= value_of_links(problem, answer.one_way_out)
    assert best >= value_of_links(problem, answer.one_way_in)


@few
@given(seeds)
def test_uneven_bands_are_worth_at_least_the_centred_ones(seed: int) -> None:
    street = random_problem(seed, 4, cycles_s=(60,))
    centred, free = (widest_link_bands(weighted(street, seed, side)) for side in (0.5, 0.0))

    if centred is not None:
        assert free is not None
        problem = weighted(street, seed, 0.0)
        assert value_of_links(problem, free) >= value_of_links(problem, centred) - 3e-4


def through_value(problem: LinkBandProblem) -> float:
    plan = two_way_band(problem.street).two_way
    if plan is None or min(plan.outbound_ms, plan.inbound_ms) <= 0:
        return 0.0
    out = sum(problem.weight_out) * plan.outbound_ms
    return (out + sum(problem.weight_in) * plan.inbound_ms) / plan.cycle_ms


@few
@given(seeds)
def test_bands_by_link_are_worth_at_least_a_band_through_all(seed: int) -> None:
    problem = weighted(random_problem(seed, 5), seed)
    plan = widest_link_bands(problem)
    through = through_value(problem)

    assert through == 0 or plan is not None
    if plan is not None:
        assert value_of_links(problem, plan) >= through - 3e-4


@pytest.mark.parametrize("seed", range(6))
def test_seen_from_the_other_end_the_value_is_the_same(seed: int) -> None:
    here = weighted(random_problem(seed, 5), seed)
    there = LinkBandProblem(
        street=turned(here.street),
        weight_out=here.weight_in[::-1],
        weight_in=here.weight_out[::-1],
    )

    one, other = widest_link_bands(here), widest_link_bands(there)

    assert one is not None
    assert other is not None
    assert value_of_links(here, one) == pytest.approx(value_of_links(there, other), abs=5e-4)


@pytest.mark.parametrize("seed", range(4))
def test_time_scaled_by_two_gives_the_same_shares(seed: int) -> None:
    street = random_problem(seed, 4, speeds=(12.5, 12.5), cycles_s=(60,))
    double = replace(
        street,
        cycles_ms=(120_000,),
        distance_out_m=tuple(2 * d for d in street.distance_out_m),
        distance_in_m=tuple(2 * d for d in street.distance_in_m),
    )
    small, large = (widest_link_bands(weighted(s, seed)) for s in (street, double))

    assert (small is None) == (large is None)
    if small and large:
        problem = weighted(street, seed)
        assert value_of_links(problem, large) == pytest.approx(
            value_of_links(problem, small), abs=5e-4
        )


@pytest.mark.parametrize("seed", range(4))
def test_a_signal_that_is_always_green_narrows_no_other_link(seed: int) -> None:
    street = random_problem(seed, 4, speeds=(12.5, 12.5))
    always = (Pattern(outbound=((0, 60_000),), inbound=((0, 60_000),)),)
    more = replace(
        street,
        patterns=(*street.patterns, always),
        distance_out_m=(*street.distance_out_m, 100.0),
        distance_in_m=(*street.distance_in_m, 100.0),
        speed_out_mps=(*street.speed_out_mps, (12.5, 12.5)),
        speed_in_mps=(*street.speed_in_mps, (12.5, 12.5)),
    )
    here = weighted(street, seed)
    there = LinkBandProblem(
        street=more,
        weight_out=(*here.weight_out, 1e-6),
        weight_in=(*here.weight_in, 1e-6),
    )
    before, after = widest_link_bands(here), widest_link_bands(there)

    assert before is not None
    assert after is not None
    assert value_of_links(there, after) == pytest.approx(value_of_links(here, before), abs=5e-4)


def test_moving_all_offsets_and_lines_together_moves_no_band() -> None:
    problem = weighted(random_problem(3, 5), 3)
    plan = widest_link_bands(problem)
    assert plan is not None
    moved = replace(
        plan,
        offsets_ms=tuple((o + 17_000) % plan.cycle_ms for o in plan.offsets_ms),
        line_out_ms=tuple(t + 17_000 for t in plan.line_out_ms),
        line_in_ms=tuple(t + 17_000 for t in plan.line_in_ms),
    )

    assert walk_links(problem, moved) == walk_links(problem, plan)


@pytest.mark.parametrize(
    "lock",
    [
        Lock(signals=(1, 3), offsets_ms=(5_300, 20_000)),
        Lock(signals=(1, 2), offsets_ms=(0, 7_000), absolute=False),
    ],
)
def test_locks_are_kept_to_the_millisecond(lock: Lock) -> None:
    problem = weighted(replace(random_problem(4, 5, cycles_s=(60,)), locks=(lock,)), 4)
    answer = link_bands(problem)

    assert answer.two_way is not None
    for plan in (answer.two_way, answer.whole, answer.one_way_out):
        assert walk_links(problem, plan).violations == ()


def centred_by_hand(problem: LinkBandProblem, offsets_s: tuple[int, ...]) -> float:
    """Return the value of offsets in whole seconds, lines tried at every half second."""
    street = problem.street
    total = 0.0
    for outbound in (True, False):
        weights = problem.weight_out if outbound else problem.weight_in
        metres = street.distance_out_m if outbound else street.distance_in_m
        drive = [0.0]
        for d in metres:
            drive.append(drive[-1] + d / street.speed_out_mps[0][0] * (1 if outbound else -1))
        best = None
        for at in range(120):
            rooms = []
            for i, (pattern,) in enumerate(street.patterns):
                ((start, length),) = pattern.outbound if outbound else pattern.inbound
                before = (at / 2 + drive[i] - offsets_s[i] - start / 1000) % 60
                rooms.append(min(before, length / 1000 - before))
            if min(rooms) >= 0:
                bands = [2 * min(a, b) for a, b in pairwise(rooms)]
                value = sum(w * b for w, b in zip(weights, bands, strict=True))
                best = value if best is None else max(best, value)
        if best is None:
            return 0.0
        total += best
    return total / 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_no_offsets_on_a_grid_beat_the_solver(seed: int) -> None:
    street = random_problem(seed, 3, speeds=(12.5, 12.5), cycles_s=(60,), free=False)
    problem = weighted(street, seed)
    plan = widest_link_bands(problem)
    tried = max(centred_by_hand(problem, (0, a, b)) for a, b in product(range(0, 60, 2), repeat=2))

    assert plan is not None
    assert tried <= value_of_links(problem, plan) + 2e-4
    assert value_of_links(problem, plan) <= tried + 0.06


def false_claim(plan: LinkBandPlan) -> LinkBandPlan:
    (before, after), *rest = plan.sides_out_ms
    return replace(plan, sides_out_ms=((before + 500, after + 500), *rest))


def shifted(plan: LinkBandPlan) -> LinkBandPlan:
    return replace(plan, line_in_ms=tuple(t + 30_000 for t in plan.line_in_ms))


def broken(plan: LinkBandPlan) -> LinkBandPlan:
    first, *rest = plan.line_out_ms
    return replace(plan, line_out_ms=(first, *(t + 5 for t in rest)))


@pytest.mark.parametrize(
    ("spoil", "code"), [(false_claim, "LV437"), (shifted, "LV436"), (broken, "LV435")]
)
def test_the_walker_finds_what_is_wrong(
    spoil: Callable[[LinkBandPlan], LinkBandPlan], code: str
) -> None:
    problem = even(plain((20, 20, 20), (30, 30)))
    plan = widest_link_bands(problem)
    assert plan is not None

    assert code in {f.code for f in walk_links(problem, spoil(plan)).violations}


def test_a_line_that_finds_no_green_is_told() -> None:
    # 15 s of driving shift the two short greens by half a cycle: no line passes both ways
    answer = link_bands(even(plain((10, 10), (15,))))

    assert answer.two_way is None
    assert answer.exact.kind is not BandKind.TWO_WAY
    assert [f.code for f in answer.findings] == ["LV434"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weight_out": (1.0,)}, "LV400"),
        ({"weight_in": (0.0, -1.0)}, "LV432"),
        ({"least_side": 0.6}, "LV433"),
    ],
)
def test_a_faulty_problem_is_named(change: dict[str, object], code: str) -> None:
    problem = even(plain((20, 20, 20), (10, 10)))

    with pytest.raises(UsageError) as caught:
        replace(problem, **change)  # type: ignore[arg-type]

    assert caught.value.code == code


@few
@given(seeds, st.sampled_from([0.0, 0.5]))
def test_offsets_that_were_solved_for_are_measured_at_their_value(seed: int, side: float) -> None:
    problem = weighted(random_problem(seed, 4), seed, side)
    plan = widest_link_bands(problem)

    if plan is not None:
        seen = evaluate_link_bands(problem, plan.cycle_ms, plan.offsets_ms, plan.patterns)
        assert seen is not None
        assert seen.offsets_ms == plan.offsets_ms
        assert walk_links(problem, seen).violations == ()
        assert value_of_links(problem, seen) >= value_of_links(problem, plan) - 3e-4


def test_an_offset_dragged_later_by_a_second_is_measured_as_a_pencil_does() -> None:
    # 30 s of driving, greens 20 s, the second 1 s late: its green moves 1 s against both lines
    problem = even(plain((20, 20), (30,)))

    there = evaluate_link_bands(problem, 60_000, (0, 31_000), (0, 0))
    none = evaluate_link_bands(problem, 60_000, (0, 5_000), (0, 0))

    assert there is not None
    assert there.bands_out_ms + there.bands_in_ms == pytest.approx((19_000, 19_000), abs=4)
    assert none is None


@pytest.mark.parametrize("side", [0.0, 0.5])
def test_a_one_way_street_gets_the_shorter_green_of_every_link(side: float) -> None:
    # inbound nobody drives and nothing stops: outbound greens of 20, 26, 22 s can all be centred
    street = plain((20, 26, 22), (17, 23))
    always = ((0, 60_000),)
    patterns = tuple(
        tuple(Pattern(outbound=p.outbound, inbound=always) for p in own) for own in street.patterns
    )
    problem = LinkBandProblem(
        street=replace(street, patterns=patterns),
        weight_out=(1.0, 1.0),
        weight_in=(0.0, 0.0),
        least_side=side,
    )
    answer = link_bands(problem)

    assert answer.exact.bands_out_ms == pytest.approx((20_000, 22_000), abs=4)
    assert walk_links(problem, answer.exact).violations == ()
    assert walk_links(problem, answer.whole).violations == ()


def test_of_several_windows_the_one_that_serves_is_taken() -> None:
    # 10 s of driving: only the second outbound window of signal 1 fits both ways
    street = plain((20, 20), (10,))
    windows = Pattern(outbound=((0, 6_000), (30_000, 20_000)), inbound=((10_000, 20_000),))
    problem = even(replace(street, patterns=(street.patterns[0], (windows,))))
    plan = widest_link_bands(problem)

    assert plan is not None
    assert plan.bands_out_ms + plan.bands_in_ms == pytest.approx((20_000, 20_000), abs=4)
    assert walk_links(problem, plan).violations == ()


def test_a_half_cycle_signal_serves_both_ways_at_a_quarter_of_the_cycle() -> None:
    street = plain((20, 14), (15,))
    own = Pattern(outbound=((0, 14_000),), inbound=((0, 14_000),))
    problem = even(replace(street, patterns=(street.patterns[0], (own.repeated(2, 60_000),))))
    plan = widest_link_bands(problem)

    assert plan is not None
    assert plan.bands_out_ms + plan.bands_in_ms == pytest.approx((14_000, 14_000), abs=4)
