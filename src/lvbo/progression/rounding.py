# SPDX-License-Identifier: Apache-2.0
"""Offsets in whole seconds near an exact plan."""

from __future__ import annotations

import numpy as np

from lvbo.progression.chain import Chain
from lvbo.progression.offsets import SECOND_MS, plan_at
from lvbo.progression.problem import BandPlan, BandProblem


def whole_seconds(problem: BandProblem, chain: Chain, exact: BandPlan) -> BandPlan:
    """Return the plan with offsets in whole seconds, measured again."""
    offsets = np.array(exact.offsets_ms, np.int64)
    rounded = (offsets + SECOND_MS // 2) // SECOND_MS * SECOND_MS % exact.cycle_ms
    return plan_at(problem, chain, exact.cycle_ms, rounded, exact.patterns, kind=exact.kind)
