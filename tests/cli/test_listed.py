# SPDX-License-Identifier: Apache-2.0
"""Lists with commas are read whole or refused, every wrong word named."""

from __future__ import annotations

from enum import StrEnum

import pytest

from lvbo.cli.listed import degrees, members, names, whole_numbers
from lvbo.errors import UsageError


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def test_names_are_the_words_between_commas() -> None:
    assert names("a, b,") == ("a", "b")
    assert names("") == ()


def test_members_are_found_by_their_values() -> None:
    assert members("green,red", Colour) == (Colour.GREEN, Colour.RED)
    assert members("", Colour) == ()


def test_words_that_name_no_member_are_told_together() -> None:
    with pytest.raises(UsageError, match="LV684") as caught:
        members("blue,red,white", Colour)
    assert caught.value.fields == {"place": "blue, white", "known": "red, green"}


def test_whole_numbers_are_read_or_refused() -> None:
    assert whole_numbers("36, 100") == (36, 100)
    for wrong in ("", "36,", "-1", "a", "0"):
        with pytest.raises(UsageError, match="LV683"):
            whole_numbers(wrong)


def test_degrees_of_saturation_are_read_or_refused() -> None:
    assert degrees("0.5, 0.85") == (0.5, 0.85)
    for wrong in ("", "a", "0.5,-1", "2", "nan"):
        with pytest.raises(UsageError, match="LV732"):
            degrees(wrong)
