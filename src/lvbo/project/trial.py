# SPDX-License-Identifier: Apache-2.0
"""Try plans out on traffic fitted to counts, before anybody drives through them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lvbo.demand.demand import Demand
from lvbo.evaluation.measures import measure
from lvbo.io.build_scenario import Building, build_scenario
from lvbo.network.network import Network
from lvbo.signal.schedule import DAY_S, Period, PlanSet
from lvbo.simulation.simulate import Conduct, simulate

TRIAL_SEEDS = (2000, 2001)
"""Never judged, never counted on."""
WORTH_CHANGING = 0.97
"""Plans in force are only replaced where the new ones save at least 3 % of the delay."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial runs on: the street and the demand its counts gave."""

    network: Network
    net_file: Path
    demand: Demand
    day_type: str = "workday"
    workers: int = 2


def try_out(trial: Trial, candidates: Mapping[str, PlanSet]) -> str:
    """Return the name of the plans to keep: the first, unless another clearly does better.

    All run on the same fitted traffic and seeds; vehicles that never get in or through count.
    """
    first, *others = candidates
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        demand = trial.demand
        end = (demand.first_s + demand.slots * demand.slot_s - 1) % DAY_S + 1
        period = Period(start_s=demand.first_s % DAY_S, end_s=end % DAY_S, name="trial")
        scenario = build_scenario(
            trial.network,
            demand,
            period,
            net_file=trial.net_file,
            folder=Path(place),
            building=Building(day_type=trial.day_type, plans=candidates[first]),
        )
        delays = {}
        for name, plans in candidates.items():
            runs = simulate(
                scenario,
                plans,
                seeds=TRIAL_SEEDS,
                conduct=Conduct(name=name),
                workers=trial.workers,
            )
            listed = [measure(run, trial.network).delay_s for run in runs.runs]
            delays[name] = sum(listed) / len(listed)
    best = min(others, key=lambda name: delays[name])
    return best if delays[best] <= WORTH_CHANGING * delays[first] else first
