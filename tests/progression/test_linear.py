# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random

import pytest

from lvbo.progression.linear import Programme


def test_the_corner_of_two_rows_is_found() -> None:
    # maximise 3 x + 2 y with x + y <= 4, x + 3 y <= 6, x <= 3: the corner (3, 1)
    programme = Programme()
    x, y = programme.column(cost=3.0), programme.column(cost=2.0)
    programme.at_most({x: 1.0, y: 1.0}, 4.0)
    programme.at_most({x: 1.0, y: 3.0}, 6.0)
    programme.between(0.0, {x: 1.0}, 3.0)
    programme.between(0.0, {y: 1.0}, 9.0)
    best = programme.solve()

    assert best is not None
    assert best.value == pytest.approx(11.0, abs=1e-6)
    assert best.columns.tolist() == pytest.approx([3.0, 1.0], abs=1e-6)


def test_rows_that_contradict_each_other_give_nothing() -> None:
    programme = Programme()
    x = programme.column(cost=1.0)
    programme.at_most({x: 1.0}, 1.0)
    programme.at_most({x: -1.0}, -2.0)

    assert programme.solve() is None


def test_an_equation_holds_to_its_little_room() -> None:
    programme = Programme()
    x, y = programme.column(cost=1.0), programme.column(cost=1.0)
    programme.between(2.0, {x: 1.0, y: 2.0}, 2.0)
    programme.between(0.0, {x: 1.0}, 5.0)
    programme.between(0.0, {y: 1.0}, 5.0)
    best = programme.solve()

    assert best is not None
    assert best.columns.tolist() == pytest.approx([2.0, 0.0], abs=1e-5)


@pytest.mark.parametrize("border", [0, 1, 2])
@pytest.mark.parametrize("columns", [6, 40])
def test_highs_finds_the_same_optimum(border: int, columns: int) -> None:
    highspy = pytest.importorskip("highspy")
    source = random.Random(10 * columns + border)
    programme, solver = Programme(border=border), highspy.Highs()
    solver.setOptionValue("output_flag", False)  # noqa: FBT003
    for j in range(columns):
        programme.column(cost=source.uniform(-0.3, 0.7))
        solver.addVar(-1.0, 1.0)
        solver.changeColCost(j, programme.costs[j])
        programme.between(-1.0, {j: 1.0}, 1.0)
    for _ in range(3 * columns):
        near = source.randrange(border, columns - 2)
        touched = [*range(border), near, near + 1, near + 2]
        terms = {j: source.gauss(0, 1) for j in touched}
        high = source.uniform(0, 0.5)
        programme.at_most(terms, high)
        solver.addRow(-highspy.kHighsInf, high, len(terms), list(terms), list(terms.values()))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solver.run()
    best = programme.solve()

    assert best is not None
    assert best.value == pytest.approx(solver.getObjectiveValue(), abs=1e-6)
