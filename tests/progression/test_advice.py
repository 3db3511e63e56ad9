# SPDX-License-Identifier: Apache-2.0
"""The advice of the program is the table that was measured and stands in the documentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.progression.problems import plain
from tests.progression.test_slack import flows

from lvbo.progression.advice import ROWS, Case, Row, StreetTraits, advise, street_traits

WAVES = Path(__file__).parents[2] / "docs" / "waves.md"
CALM = StreetTraits(signals=5, spacing_m=350.0, turn_in=0.1, tide=0.5, load=0.7, given_up=0.0)


def table() -> list[tuple[str, str, str]]:
    """Return case, condition and model of each row of the table in the documentation."""
    text = WAVES.read_text(encoding="utf-8").split("## Which model to use", 1)[1]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(c[0].strip("`"), c[1], c[2].strip("`")) for c in cells]


def test_the_program_advises_what_the_table_says() -> None:
    rows = [
        (
            str(row.case),
            "any other street" if row.trait is None else f"`{row.trait}` > {row.above:g}",
            str(row.model),
        )
        for row in ROWS
    ]

    assert rows == table()


def with_trait(row: Row, more: float) -> StreetTraits:
    """Return a calm street whose trait of this row is so much above its limit."""
    change: Any = {} if row.trait is None else {row.trait: row.above + more}
    return replace(CALM, **change)


@pytest.mark.parametrize("asked", ROWS, ids=lambda row: str(row.case))
def test_a_street_of_each_kind_gets_the_model_of_its_row(asked: Row) -> None:
    street, at_limit = with_trait(asked, 1), with_trait(asked, 0)
    advice = advise(street, "High St")

    assert (advice.case, advice.model) == (asked.case, asked.model)
    assert advice.reason.code == asked.code
    assert advice.reason.fields["model"] == str(asked.model)
    assert advise(at_limit, "High St").case is Case.OTHER


def test_the_traits_of_a_street_are_those_a_pencil_finds() -> None:
    problem = plain((20, 30, 20), (30, 50))
    traffic = replace(flows(3, 900, 300), turn_in_out=(1.0, 0.1, 0.2), turn_in_in=(0.4, 0.1, 1.0))

    traits = street_traits(problem, traffic, 0.8)

    assert traits.signals == 3
    assert traits.spacing_m == pytest.approx(400)
    assert traits.turn_in == pytest.approx((0.1 + 0.2 + 0.4 + 0.1) / 4)  # not where all begin
    assert traits.tide == pytest.approx(900 / 1200)
    assert traits.load == 0.8
