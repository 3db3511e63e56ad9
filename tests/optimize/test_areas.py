# SPDX-License-Identifier: Apache-2.0
"""Areas: what is cut, what is kept together, who shares a cycle."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lvbo.ids import ControllerId
from lvbo.optimize.areas import AreaRules, Partition, SharedCycle, find_areas, share_cycles
from lvbo.optimize.areas import _connected as connected
from lvbo.optimize.coupling import Coupling

NAMES = tuple(ControllerId(name) for name in "abcdef")
TWO_TOWNS = {"ab": 10.0, "bc": 10.0, "ac": 8.0, "cd": 1.0, "de": 10.0, "ef": 10.0, "df": 8.0}


def couplings(weights: Mapping[str, float]) -> tuple[Coupling, ...]:
    return tuple(
        Coupling(first=ControllerId(pair[0]), second=ControllerId(pair[1]), weight=weight)
        for pair, weight in weights.items()
    )


def names(partition: Partition) -> list[str]:
    return ["".join(area) for area in partition.areas]


def line(*signals: str) -> tuple[ControllerId, ...]:
    return tuple(ControllerId(s) for s in signals)


def test_areas_are_cut_where_least_is_lost_and_the_cut_says_how_much() -> None:
    found = find_areas(NAMES, couplings(TWO_TOWNS))

    assert names(found) == ["abc", "def"]
    assert [(cut.first, cut.second, cut.weight) for cut in found.cuts] == [("c", "d", 1.0)]
    assert found.lost == 1.0
    assert found.borders == {(0, 1): 1.0}
    assert found.modularity == pytest.approx(56 / 57 - 2 * 0.5**2)


def test_the_order_in_which_couplings_are_given_does_not_matter() -> None:
    turned = dict(reversed(TWO_TOWNS.items()))

    assert names(find_areas(NAMES, couplings(turned))) == ["abc", "def"]


def test_no_area_is_larger_than_allowed() -> None:
    chain = {f"{a}{b}": 5.0 for a, b in zip("abcde", "bcdef", strict=True)}
    found = find_areas(NAMES, couplings(chain), AreaRules(most=2))

    assert max(len(area) for area in found.areas) == 2
    assert sorted(s for area in found.areas for s in area) == list(NAMES)
    assert sum(cut.weight for cut in found.cuts) == found.lost


def test_a_corridor_is_not_cut_even_where_little_would_be_lost() -> None:
    rules = AreaRules(corridors=(line("b", "c", "d", "e"),))
    found = find_areas(NAMES, couplings(TWO_TOWNS), rules)

    assert any({"b", "c", "d", "e"} <= set(area) for area in found.areas)
    assert found.split == ()


def test_a_corridor_longer_than_an_area_may_be_is_named_as_split() -> None:
    rules = AreaRules(most=3, corridors=(line("a", "b"), line("b", "c", "d", "e")))
    found = find_areas(NAMES, couplings(TWO_TOWNS), rules)

    assert found.split == (1,)
    assert any({"a", "b"} <= set(area) for area in found.areas)


def test_what_does_not_hang_together_is_no_area() -> None:
    assert connected([0, 0, 0, 1], [(0, 1), (1, 3)]) == [0, 0, 1, 2]
    assert names(find_areas(NAMES, ())) == list("abcdef")


def test_areas_of_before_stay_as_long_as_little_speaks_against_it() -> None:
    """Signal c turns a little more to the other town, then very much."""
    little, much = dict(TWO_TOWNS), dict(TWO_TOWNS)
    little |= {"bc": 4.0, "ac": 4.0, "cd": 9.0, "ce": 9.0}
    much |= {"bc": 1.0, "ac": 1.0, "cd": 9.0, "ce": 9.0}
    rules = AreaRules(earlier=(line("a", "b", "c"), line("d", "e", "f")))

    assert names(find_areas(NAMES, couplings(little))) == ["ab", "cdef"]
    assert names(find_areas(NAMES, couplings(little), rules)) == ["abc", "def"]
    assert names(find_areas(NAMES, couplings(much), rules)) == ["ab", "cdef"]


def test_areas_share_a_cycle_only_where_that_saves_more_than_it_costs() -> None:
    costs = [{60: 100.0, 80: 104.0}, {60: 210.0, 80: 200.0}, {60: 300.0, 100: 200.0}]

    apart = share_cycles(costs, {(0, 1): 3.0, (1, 2): 50.0})
    joined = share_cycles(costs, {(0, 1): 5.0, (1, 2): 50.0})

    assert [(s.areas, s.cycle_s) for s in apart] == [((0,), 60), ((1,), 80), ((2,), 100)]
    assert joined[0] == SharedCycle(areas=(0, 1), cycle_s=80, cost=299.0, saved=1.0)
    assert joined[1].areas == (2,)


def test_a_third_area_joins_by_both_its_borders() -> None:
    """Alone either border of the third is too dear: 100 veh-s/h for a cycle that is not its own."""
    costs = [{60: 100.0, 80: 190.0}, {60: 100.0, 80: 190.0}, {60: 200.0, 80: 100.0}]
    found = share_cycles(costs, {(0, 1): 10.0, (0, 2): 60.0, (1, 2): 60.0})

    assert found == (SharedCycle(areas=(0, 1, 2), cycle_s=60, cost=270.0, saved=30.0),)
