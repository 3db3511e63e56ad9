# SPDX-License-Identifier: Apache-2.0
"""The streets of `yuci` are those of its sheet."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lvbo.city.plainxml import lane_turns
from lvbo.city.streets import (
    ROWS,
    SPACING_M,
    STREETS,
    Kind,
    Side,
    Turn,
    all_red_s,
    along,
    clearance_s,
    crossing_m,
    ends,
    exit_side,
    sites,
)


def test_the_city_has_18_signals_of_the_four_shapes() -> None:
    kinds = [site.kind for site in sites().values()]

    assert len(kinds) == 18
    assert kinds.count(Kind.CROSSING) == 15
    assert {Kind.TEE, Kind.BRANCH, Kind.MIDBLOCK} <= set(kinds)


@pytest.mark.parametrize("row", list(ROWS))
def test_the_crossings_of_a_street_lie_as_far_apart_as_the_sheet_says(row: str) -> None:
    places = [site.x_m for site in along(row) if site.kind is Kind.CROSSING]
    gaps = tuple(b - a for a, b in pairwise(places))

    assert gaps == SPACING_M[row]


def test_the_rows_lie_480_and_720_m_apart() -> None:
    assert (ROWS["YH"] - ROWS["WH"], ROWS["WH"] - ROWS["AN"]) == (480, 720)


def test_the_tee_lies_250_m_east_of_yingbin_and_the_branch_halves_770_m() -> None:
    assert sites()["AN_T"].x_m - sites()["AN_YB"].x_m == 250
    assert sites()["YH_B"].x_m - sites()["YH_XJ"].x_m == 385
    assert sites()["YH_YB"].x_m - sites()["YH_B"].x_m == 385


def test_every_leg_ends_at_a_site_that_leads_back_or_at_the_end_of_the_city() -> None:
    for site in sites().values():
        for leg in site.legs.values():
            back = leg.far in ends() or any(
                other.far == site.code for other in sites()[leg.far].legs.values()
            )

            assert back, (site.code, leg.side)


def test_from_the_west_a_left_turn_leaves_north_and_a_right_turn_south() -> None:
    assert exit_side(Side.WEST, Turn.LEFT) is Side.NORTH
    assert exit_side(Side.WEST, Turn.THROUGH) is Side.EAST
    assert exit_side(Side.WEST, Turn.RIGHT) is Side.SOUTH


def test_all_red_is_3_s_where_two_wide_streets_meet_and_2_s_elsewhere() -> None:
    wide = {code for code, site in sites().items() if all_red_s(site) == 3}

    assert wide == {"AN_ZD", "AN_HT", "YH_ZD", "YH_HT"}


def test_zebras_measure_36_24_and_14_m_and_clear_in_17_24_and_14_s() -> None:
    lengths = [crossing_m(STREETS[code]) for code in ("AN", "WH", "BZ")]
    site, branch = sites()["AN_XJ"], sites()["YH_B"]

    assert lengths == [36, 24, 14]
    assert clearance_s(site, Side.WEST) == 17
    assert clearance_s(site, Side.NORTH) == 24
    assert clearance_s(branch, Side.NORTH) == 14


def test_stop_lines_have_the_lanes_of_the_sheet() -> None:
    double = sites()["AN_ZD"].legs[Side.WEST].stop_line
    plain = sites()["YH_JL"].legs[Side.WEST].stop_line
    narrow = sites()["WH_XJ"]
    lanes = lane_turns(narrow.legs[Side.WEST].stop_line, narrow, Side.WEST)

    assert (double.lefts, double.throughs, double.rights) == (2, 3, 1)
    assert (plain.lefts, plain.throughs, plain.rights) == (1, 3, 1)
    assert lanes == ((Turn.THROUGH, Turn.RIGHT), (Turn.THROUGH,), (Turn.LEFT,))
