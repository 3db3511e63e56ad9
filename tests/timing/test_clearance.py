# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from lvbo.errors import UsageError
from lvbo.timing.clearance import (
    CLEARING,
    Clearing,
    Encounter,
    User,
    all_red,
    bounded_yellow,
    chinese_intergreen,
    german_intergreen,
    german_yellow,
    intergreen,
    rounded_yellow,
    whole_seconds,
    yellow,
    yellow_finding,
    yellow_for_turn,
)


def test_the_intergreen_is_pass_and_clearing_less_entering_time() -> None:
    # Through car: 3 + (24 + 6) / 10 - 11 / 11 = 5.0 s.
    assert intergreen([Encounter(user=User.THROUGH, clear_m=24, enter_m=11)]) == pytest.approx(5)


def test_the_slow_user_decides() -> None:
    car = Encounter(user=User.THROUGH, clear_m=24, enter_m=11)
    ebike = Encounter(user=User.EBIKE, clear_m=33, enter_m=0)

    assert intergreen([car, ebike]) == pytest.approx(1 + 35 / 5)


def test_a_waiting_area_takes_the_entering_time_away() -> None:
    behind_line = intergreen([Encounter(user=User.THROUGH, clear_m=24, enter_m=22)])
    waiting_area = intergreen([Encounter(user=User.THROUGH, clear_m=24, enter_m=0)])

    assert waiting_area - behind_line == pytest.approx(2.0)


def test_an_observed_intergreen_is_never_shortened() -> None:
    near = Encounter(user=User.TURNING, clear_m=0, enter_m=60)

    assert intergreen([near]) == 0
    assert intergreen([near], observed_s=4) == 4


def test_the_default_users_clear_as_in_chinese_cities() -> None:
    table = {user: (c.pass_s, c.speed_mps, c.length_m) for user, c in CLEARING.items()}

    assert table == {
        User.THROUGH: (3, 10, 6),
        User.TURNING: (2, 7, 6),
        User.EBIKE: (1, 5, 2),
        User.PEDESTRIAN: (0, 1.0, 0),
        User.PEDESTRIAN_SCHOOL: (0, 0.8, 0),
        User.PEDESTRIAN_ICE: (0, 0.9, 0),
    }


def test_a_site_may_bring_its_own_users() -> None:
    slow = {**CLEARING, User.PEDESTRIAN: Clearing(pass_s=0, speed_mps=0.8, length_m=0)}
    crossing = Encounter(user=User.PEDESTRIAN, clear_m=16, enter_m=0)

    assert intergreen([crossing]) == pytest.approx(16)
    assert intergreen([crossing], users=slow) == pytest.approx(20)


def test_clearances_round_up() -> None:
    assert [whole_seconds(t) for t in (4.0, 4.01, 4.9999999999)] == [4, 5, 5]


def test_downhill_asks_for_a_longer_yellow() -> None:
    level, downhill, uphill = (yellow(60 / 3.6, grade=g) for g in (0, -0.04, 0.04))

    assert level == pytest.approx(1 + 60 / 3.6 / 6)
    assert uphill < level < downhill


def test_a_turn_that_enters_at_approach_speed_has_the_yellow_of_a_through_car() -> None:
    assert yellow_for_turn(20, 20, braking_mps2=3.048) == pytest.approx(
        yellow(20, braking_mps2=3.048)
    )
    assert yellow_for_turn(20, 9) > yellow(20)


def test_a_yellow_lies_between_3_and_6_seconds() -> None:
    assert [bounded_yellow(t) for t in (2.1, 4.2, 7.0)] == [3.0, 4.2, 6.0]
    assert [rounded_yellow(t) for t in (2.8325, 3.932, 5.0315)] == [3.0, 4.0, 5.5]


def test_an_installed_yellow_of_3_s_is_a_finding_where_4_s_are_computed() -> None:
    finding = yellow_finding("J1 east", 3.0, 4.0)

    assert finding is not None
    assert (finding.code, finding.severity) == ("LV509", "advice")
    assert yellow_finding("J1 east", 3.0, 3.4) is None


def test_all_red_is_the_way_over_the_speed() -> None:
    assert all_red(18, 6, 12) == pytest.approx(2.0)
    assert all_red(18, 6, 12, credit_s=1.0) == pytest.approx(1.0)
    assert all_red(1, 1, 12, credit_s=1.0) == 0.0


def test_german_amber_is_3_4_and_5_seconds() -> None:
    assert [german_yellow(limit) for limit in (30, 50, 60, 70)] == [3, 3, 4, 5]
    assert german_intergreen(3, 3, 1) == 5
    assert german_intergreen(1, 1, 5) == 0


def test_chinese_intergreen_is_3_s_of_amber_and_the_rest_all_red() -> None:
    long = chinese_intergreen(30, 12, braking_s=2.5)
    short = chinese_intergreen(2, 12, braking_s=2.5)

    assert long.yellow_s == short.yellow_s == 3.0
    assert long.red_s == pytest.approx(2.0)
    assert short.red_s == 0.0


def test_impossible_speeds_and_grades_are_refused() -> None:
    with pytest.raises(UsageError) as standing:
        all_red(10, 6, 0)
    with pytest.raises(UsageError) as cliff:
        yellow(15, grade=-0.5)

    assert (standing.value.code, cliff.value.code) == ("LV505", "LV506")
