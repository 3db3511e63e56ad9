# SPDX-License-Identifier: Apache-2.0
"""Drive vehicles along paths that turn, with no knowledge of how the plan was found.

Vehicles pass the first stop line of a path in every millisecond of the cycle; each drives with the
times of the plan and needs green at every stop line, also when it is as late as its stops may make
it. The band is the longest run of those who find it. This module must not import the solver.
"""

from __future__ import annotations

import numpy as np

from lvbo.progression.pathband import Path, PathBandPlan, PathBandProblem


def walk_paths(problem: PathBandProblem, plan: PathBandPlan) -> tuple[int, ...]:
    """Return the band of each path that vehicles find at this plan, ms."""
    return tuple(_walked(problem, plan, path) for path in problem.paths)


def _walked(problem: PathBandProblem, plan: PathBandPlan, path: Path) -> int:
    cycle = problem.cycle_ms
    begins = np.arange(cycle)
    passes = np.ones(cycle, dtype=bool)
    at = begins.copy()
    for leg in path.legs:
        at = at + leg.extra_ms + (0 if leg.way is None else plan.times_ms[leg.way])
        local = at - plan.offsets_ms[leg.signal]
        green = np.zeros(cycle, dtype=bool)
        for start, length in leg.windows[plan.patterns[leg.signal]]:
            since = (local - start) % cycle
            green |= since + leg.spread_ms < length
            green |= length >= cycle
        passes &= green
    if passes.all():
        return cycle
    turned = np.roll(passes, -int(np.argmin(passes)))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], turned.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
