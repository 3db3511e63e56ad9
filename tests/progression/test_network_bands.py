# SPDX-License-Identifier: Apache-2.0
"""Bands of crossing corridors, walked street by street and beside all offsets tried."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.networks import BRIEF, best_by_trying_all, tiny
from tests.progression.problems import plain, random_problem, turned

from lvbo.errors import InfeasibleError, UsageError
from lvbo.progression.band import two_way_band, value_of
from lvbo.progression.network_bands import (
    NetworkBandPlan,
    NetworkBandProblem,
    evaluate_network,
    network_value,
    weighted,
)
from lvbo.progression.network_fit import refit
from lvbo.progression.network_solve import network_bands
from lvbo.progression.problem import Lock
from lvbo.progression.walk import walk_plan


def walked(problem: NetworkBandProblem, plan: NetworkBandPlan) -> None:
    """See that cars find every band that a plan claims, and that streets agree at their nodes."""
    for corridor, nodes, runs in zip(problem.corridors, problem.nodes, plan.corridors, strict=True):
        walk = walk_plan(corridor, runs)

        assert walk.violations == ()
        assert walk.outbound_ms >= runs.outbound_ms - 1
        assert runs.offsets_ms == tuple(plan.offsets_ms[v] for v in nodes)
        assert runs.patterns == tuple(plan.patterns[v] for v in nodes)


@pytest.mark.parametrize("seed", range(6))
def test_a_square_reaches_the_best_of_all_whole_second_offsets(seed: int) -> None:
    problem = tiny(seed)

    answer = network_bands(problem, BRIEF)

    walked(problem, answer.exact)
    walked(problem, answer.whole)
    assert weighted(problem, answer.whole.corridors) == best_by_trying_all(problem)


def test_sequences_are_chosen_once_for_both_streets_of_a_node() -> None:
    problem = tiny(3, sequences=2)
    held = replace(problem, fixed_ms=((1, 0), (2, 4000)))

    answer = network_bands(held)

    walked(held, answer.whole)
    assert weighted(held, answer.whole.corridors) == best_by_trying_all(held)
    assert answer.whole.offsets_ms[1:3] == (0, 4000)


@given(seed=st.integers(0, 10_000), shift_s=st.integers(1, 11))
@settings(max_examples=20, deadline=None)
def test_a_common_shift_of_all_offsets_changes_no_band(seed: int, shift_s: int) -> None:
    problem = tiny(seed)
    offsets = (0, 3000, 7000, 5000)

    plans = [
        evaluate_network(problem, 12_000, [o + by for o in offsets], (0,) * 4)
        for by in (0, 1000 * shift_s)
    ]

    assert [p.sum_ms for p in plans[0].corridors] == [p.sum_ms for p in plans[1].corridors]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_fit_never_loses_and_claims_nothing_that_cars_do_not_find(seed: int) -> None:
    problem = tiny(seed)
    plan = evaluate_network(problem, 12_000, (0, 3000, 7000, 5000), (0,) * 4)

    fitted = refit(problem, plan)

    walked(problem, fitted)
    assert network_value(problem, fitted) >= network_value(problem, plan)


def test_a_street_seen_from_its_other_end_is_worth_the_same() -> None:
    problem = tiny(4)
    other = replace(
        problem,
        corridors=(turned(problem.corridors[0]), *problem.corridors[1:]),
        nodes=((1, 0), *problem.nodes[1:]),
    )

    answers = [network_bands(p, BRIEF) for p in (problem, other)]

    assert network_value(problem, answers[0].whole) == network_value(other, answers[1].whole)


def test_one_street_alone_gets_the_answer_of_the_street_solver() -> None:
    street = replace(random_problem(5, free=False), cycles_ms=(60_000, 75_000, 90_000))
    problem = NetworkBandProblem(corridors=(street,), nodes=((0, 1, 2, 3),), names=("alone",))

    answer = network_bands(problem, BRIEF)

    alone = value_of(street, two_way_band(street).exact)
    assert network_value(problem, answer.exact) == pytest.approx(alone, rel=3e-4)


def test_streets_that_close_no_loop_each_get_their_own_best() -> None:
    problem = tiny(1)
    tree = NetworkBandProblem(
        corridors=problem.corridors[:1] + problem.corridors[2:],
        nodes=((0, 1), (0, 2), (1, 3)),
        names=("south", "west", "east"),
    )

    answer = network_bands(tree, BRIEF)

    assert network_value(tree, answer.exact) == pytest.approx(answer.bound, rel=1e-3)


def test_a_street_that_keeps_its_own_bands_takes_them_from_the_others() -> None:
    problem = tiny(25)
    alone = two_way_band(problem.corridors[0]).whole
    signed = replace(problem.corridors[0], min_out_ms=alone.outbound_ms, min_in_ms=alone.inbound_ms)
    held = replace(problem, corridors=(signed, *problem.corridors[1:]))

    answer = network_bands(held, BRIEF)

    free = network_bands(problem, BRIEF)
    walked(held, answer.whole)
    assert free.whole.corridors[0].sum_ms < alone.sum_ms
    assert answer.whole.corridors[0].outbound_ms >= alone.outbound_ms
    assert answer.whole.corridors[0].inbound_ms >= alone.inbound_ms
    assert weighted(held, answer.whole.corridors) <= weighted(problem, free.whole.corridors)


def test_least_bands_that_cannot_be_are_refused_by_name() -> None:
    problem = tiny(2)
    too_much = replace(problem.corridors[1], min_out_ms=11_000)

    with pytest.raises(InfeasibleError) as refused:
        network_bands(
            replace(problem, corridors=(problem.corridors[0], too_much, *problem.corridors[2:])),
            BRIEF,
        )

    assert (refused.value.code, refused.value.fields["place"]) == ("LV485", "north")


def test_streets_that_cannot_both_keep_their_bands_are_refused_by_name() -> None:
    problem = tiny(25)
    alone = [two_way_band(c).whole for c in problem.corridors]
    greedy = [
        replace(c, min_out_ms=p.outbound_ms, min_in_ms=p.inbound_ms)
        for c, p in zip(problem.corridors, alone, strict=True)
    ]

    with pytest.raises(InfeasibleError) as refused:
        network_bands(replace(problem, corridors=tuple(greedy)), BRIEF)

    assert refused.value.code == "LV486"
    assert refused.value.fields["place"] in problem.names


def test_equal_seeds_give_equal_plans() -> None:
    problem = tiny(7)

    assert network_bands(problem, BRIEF) == network_bands(problem, BRIEF)


def test_a_node_that_a_street_passes_twice_has_one_offset() -> None:
    street = plain([20, 25, 22], [12, 40])
    problem = NetworkBandProblem(corridors=(street,), nodes=((0, 1, 0),), names=("bent",))

    answer = network_bands(problem, BRIEF)

    locked = replace(street, locks=(Lock(signals=(0, 2), offsets_ms=(0, 0), absolute=False),))
    walked(problem, answer.whole)
    assert answer.exact.corridors[0].sum_ms == two_way_band(locked).exact.sum_ms


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("LV400", {"nodes": ((0, 1), (2, 3), (0, 2), (1, 3, 4))}),
        ("LV484", {"nodes": ((0, 1), (2, 4), (0, 2), (1, 4))}),
        ("LV484", {"fixed_ms": ((9, 0),)}),
    ],
)
def test_problems_that_do_not_fit_together_are_refused(
    code: str, change: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match=code):
        replace(tiny(0), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("LV482", {"cycles_ms": (13_000,)}),
        ("LV483", {"ratio_range": (0.5, 2.0)}),
        ("LV483", {"locks": (Lock(signals=(0,), offsets_ms=(0,)),)}),
    ],
)
def test_corridors_that_do_not_fit_a_network_are_refused(
    code: str, change: dict[str, object]
) -> None:
    problem = tiny(0)
    odd = replace(problem.corridors[1], **change)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match=code):
        replace(problem, corridors=(problem.corridors[0], odd, *problem.corridors[2:]))


def test_sequences_that_differ_between_the_streets_of_a_node_are_refused() -> None:
    one, two = tiny(0), tiny(0, sequences=2)

    with pytest.raises(UsageError, match="LV481"):
        replace(one, corridors=(two.corridors[0], *one.corridors[1:]))
