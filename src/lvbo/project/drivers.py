# SPDX-License-Identifier: Apache-2.0
"""Drivers of fitted traffic who discharge as those did who were counted.

The headways that detectors see are not those of drivers alone: who leaves a queue for a bay, or
waits for room ahead, leaves a gap that is counted too. Drivers made from such headways meet the
same gaps again and are slower than those counted. So fitted traffic is counted as the street was,
and what differs then is taken off.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.ids import LaneId
from lvbo.io.build_scenario import calmer, calmness
from lvbo.project.trial import Trial, fitted_traffic
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.count import COUNTING_FROM, count_days

LEAST_LANES = 3
"""Headways of fewer lanes are chance."""
COUNTED_S = 1800
"""So long fitted traffic is counted, after it has warmed up."""


def with_drivers(trial: Trial, plans: PlanSet) -> Trial:
    """Return a trial whose drivers discharge, under these plans, as the demand's lanes did.

    Where fewer than three lanes tell, the trial stays as it is.

    Raises:
        InputError: LV545 where no path fits the counts; LV602 a plan breaks a hard rule.
        ToolError: LV600 where SUMO is missing, LV601 where it broke off.

    """
    if len(_headways_s(trial.demand)) < LEAST_LANES:
        return trial
    begun = calmness(trial.demand, trial.network)
    tried = replace(trial, calm=begun, longest_s=min(trial.longest_s, COUNTED_S))
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        scenario = fitted_traffic(tried, plans, Path(place), 1.0)
        counts = count_days({COUNTING_FROM: scenario}, plans=plans, workers=1)
    by_s = longer_s(estimate_demand(trial.network, counts, plans=plans), trial.demand)
    return trial if by_s is None else replace(trial, calm=calmer(begun, by_s))


def longer_s(before: Demand, after: Demand) -> float | None:
    """Return how much longer headways are after than before, s: the median of lanes seen in both.

    None where fewer than three lanes were.
    """
    one, other = _headways_s(before), _headways_s(after)
    both = [other[lane] - one[lane] for lane in one if lane in other]
    return float(np.median(both)) if len(both) >= LEAST_LANES else None


def _headways_s(demand: Demand) -> dict[LaneId, float]:
    return {s.lane: 3600 / s.flow_vph for s in demand.saturations if s.observed}
