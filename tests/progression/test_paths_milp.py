# SPDX-License-Identifier: Apache-2.0
"""Path bands beside a mixed-integer programme of the same problem, solved by HiGHS."""

from __future__ import annotations

import pytest
from tests.progression.test_paths import random_paths

from lvbo.progression.pathband import PathBandProblem, value_of_paths
from lvbo.progression.pathsearch import path_bands

highspy = pytest.importorskip("highspy")


def proved(problem: PathBandProblem) -> float:
    """Return the optimum: offsets and times continuous, a path has a band or none."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)  # noqa: FBT003  the solver's own call
    solver.setOptionValue("threads", 1)
    integer = highspy.HighsVarType.kInteger
    cycle = problem.cycle_ms / 1000
    much = 2 * cycle
    offsets = [solver.addVariable(0, cycle) for _ in problem.sequences]
    times = [solver.addVariable(low / 1000, high / 1000) for low, high in problem.ways_ms]
    chosen = [
        [solver.addVariable(0, 1, type=integer) for _ in range(count)]
        for count in problem.sequences
    ]
    solver.addConstr(offsets[0] == 0)
    for own in chosen:
        solver.addConstr(solver.qsum(own) == 1)
    value = []
    for path in problem.paths:
        front, band = solver.addVariable(0, cycle), solver.addVariable(0, cycle)
        lives = solver.addVariable(0, 1, type=integer)
        solver.addConstr(band <= cycle * lives)
        value.append(path.weight / cycle * band)
        at = front
        for leg in path.legs:
            at = at + (times[leg.way] if leg.way is not None else 0) + leg.extra_ms / 1000
            turn = solver.addVariable(-20, 20, type=integer)
            for pattern, ((start, length),) in enumerate(leg.windows):
                since = at - offsets[leg.signal] - cycle * turn - start / 1000
                off = much * (2 - lives - chosen[leg.signal][pattern])
                solver.addConstr(since + off >= 0)
                solver.addConstr(since + band - off <= (length - leg.spread_ms) / 1000)
    solver.maximize(solver.qsum(value))
    return float(solver.getInfo().objective_function_value)


@pytest.mark.parametrize("seed", [2, 5])
def test_no_programme_finds_more_band_for_the_paths(seed: int) -> None:
    problem = random_paths(seed, signals=4, cycle_s=60, free=True)
    ours = value_of_paths(problem, path_bands(problem))

    assert ours == pytest.approx(proved(problem), rel=2e-3)
