# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.progression.problems import plain, random_problem

from lvbo.bench.instances import generate_instances
from lvbo.errors import UsageError
from lvbo.progression.partition import PartWishes, _Corridor, part_corridor
from lvbo.progression.problem import Lock
from lvbo.progression.walk import walk_plan


def test_a_street_of_two_good_halves_is_cut_between_them() -> None:
    # 30 s of driving suit a cycle of 60 s; the 15 s of the middle link fit no band both ways
    parted = part_corridor(plain((20, 20, 20, 20, 20, 20), (30, 30, 15, 30, 30)))

    assert [(p.first, p.last) for p in parted.parts] == [(0, 2), (3, 5)]
    assert [cut.link for cut in parted.cuts] == [2]
    assert all(p.band and p.band.exact.sum_ms == 40_000 for p in parted.parts)
    (reason,) = parted.cuts[0].reasons
    assert reason.code == "LV478"
    assert reason.fields == {"joined_s": 20.0, "left_s": 40.0, "right_s": 40.0}
    # bands of 20 of 60 s on 4 of the 4.5 half-minutes of driving, less the cut
    assert parted.worth == pytest.approx(20 / 60 * 120 / 135 - 0.02, abs=1e-3)
    assert parted.worth_whole == pytest.approx(20 / 60 / 2, abs=1e-3)


def test_a_street_that_suits_one_wave_stays_whole() -> None:
    parted = part_corridor(plain((20, 24, 20), (30, 30)))

    assert [(p.first, p.last) for p in parted.parts] == [(0, 2)]
    assert parted.cuts == ()
    assert parted.worth == parted.worth_whole


def test_a_dear_cut_is_not_made() -> None:
    street = plain((20, 20, 20, 20, 20, 20), (30, 30, 15, 30, 30))

    assert len(part_corridor(street, PartWishes(cut_cost=0.5)).parts) == 1


def test_long_links_and_turning_flows_are_told_as_reasons() -> None:
    street = plain((20, 20, 20, 20, 20), (30, 30, 105, 30), mps=10.0)
    flows = (900.0, 900.0, 200.0, 900.0)
    parted = part_corridor(street, PartWishes(flow_out_vph=flows, most_signals=3))
    codes = {cut.link: [r.code for r in cut.reasons] for cut in parted.cuts}

    assert codes[2] == ["LV478", "LV479", "LV480"]


def test_parts_are_no_longer_than_wished() -> None:
    parted = part_corridor(plain((20,) * 7, (30,) * 6), PartWishes(most_signals=3))

    assert max(p.last - p.first + 1 for p in parted.parts) <= 3


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_no_other_set_of_cuts_is_worth_more(seed: int) -> None:
    problem = random_problem(seed, 5, cycles_s=(60, 80))
    wishes = PartWishes(cut_cost=0.03)
    parted = part_corridor(problem, wishes)
    corridor = _Corridor(problem, wishes)
    best = -1.0
    for cycle in problem.cycles_ms:
        worths = corridor.worths((cycle,))
        for count in range(5):
            for cuts in combinations(range(1, 5), count):
                runs = pairwise((0, *cuts, 5))
                value = sum(worths[a, b - 1] for a, b in runs) - 0.03 * count
                best = max(best, float(value))

    assert parted.worth == pytest.approx(best, abs=1e-9)
    for part in parted.parts:
        if part.band:
            sub = corridor.sub(part.first, part.last, (part.band.exact.cycle_ms,))
            assert walk_plan(sub, part.band.whole).violations == ()


def test_parts_of_their_own_cycles_are_worth_at_least_as_much() -> None:
    problem = random_problem(5, 6, cycles_s=(60, 75, 90))

    own = part_corridor(problem, PartWishes(common_cycle=False))
    common = part_corridor(problem)

    assert own.worth >= common.worth - 1e-9
    assert len({p.band.exact.cycle_ms for p in common.parts if p.band}) <= 1


def test_locks_stay_with_their_parts() -> None:
    street = plain((20, 20, 20, 20, 20, 20), (30, 30, 15, 30, 30))
    lock = Lock(signals=(1, 4), offsets_ms=(7_000, 9_000))
    parted = part_corridor(replace(street, locks=(lock,)))

    offsets = [o for p in parted.parts if p.band for o in p.band.exact.offsets_ms]
    assert (offsets[1], offsets[4]) == (7_000, 9_000)


def test_flows_that_do_not_fit_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        part_corridor(plain((20, 20, 20), (30, 30)), PartWishes(flow_out_vph=(100.0,)))

    assert caught.value.code == "LV429"


@pytest.mark.slow
def test_fifty_signals_are_parted_into_wider_bands() -> None:
    problem = generate_instances((50,), seed=1)[0].problem(10.0)
    parted = part_corridor(problem)

    assert len(parted.parts) > 1
    assert parted.worth > parted.worth_whole
