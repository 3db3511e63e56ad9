# SPDX-License-Identifier: Apache-2.0
"""Lvbo 绿波: from a street and its counts to a proven two-way green wave.

The names below are loaded when they are first used, so that `import lvbo` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lvbo.city.build import build_yuci
    from lvbo.demand.demand import Demand
    from lvbo.demand.estimate import estimate_demand
    from lvbo.detection.counts import Counts
    from lvbo.errors import LvboError
    from lvbo.evaluation.compare import compare
    from lvbo.io.build_scenario import build_scenario
    from lvbo.io.counts_csv import read_counts
    from lvbo.io.plans_toml import read_plans
    from lvbo.io.scenario import Scenario
    from lvbo.io.sumo_net import read_network
    from lvbo.io.sumo_scenario import read_scenario
    from lvbo.network.chains import find_corridors
    from lvbo.network.network import Network
    from lvbo.optimize.area_plan import AreaGoal, optimize_area
    from lvbo.progression.coordinate import coordinate, evaluate_wave
    from lvbo.progression.coordinate_network import coordinate_network
    from lvbo.progression.holding import hold_before
    from lvbo.progression.pathwave import coordinate_paths
    from lvbo.progression.ranking import rank_corridors
    from lvbo.progression.wave import Wave
    from lvbo.project.plan_files import write_plans
    from lvbo.project.transition import plan_transition
    from lvbo.project.wave_trial import try_wave
    from lvbo.report.page import build_report
    from lvbo.signal.check import check_plan
    from lvbo.signal.schedule import PlanSet
    from lvbo.simulation.count import count_scenario
    from lvbo.simulation.selfcheck import self_check
    from lvbo.simulation.simulate import simulate
    from lvbo.timing.periods import find_periods
    from lvbo.timing.plans import time_plans

__version__ = "0.1.0"

_HOMES = {
    "AreaGoal": "lvbo.optimize.area_plan",
    "Counts": "lvbo.detection.counts",
    "Demand": "lvbo.demand.demand",
    "LvboError": "lvbo.errors",
    "Network": "lvbo.network.network",
    "PlanSet": "lvbo.signal.schedule",
    "Scenario": "lvbo.io.scenario",
    "Wave": "lvbo.progression.wave",
    "build_report": "lvbo.report.page",
    "build_scenario": "lvbo.io.build_scenario",
    "build_yuci": "lvbo.city.build",
    "check_plan": "lvbo.signal.check",
    "compare": "lvbo.evaluation.compare",
    "coordinate": "lvbo.progression.coordinate",
    "coordinate_network": "lvbo.progression.coordinate_network",
    "coordinate_paths": "lvbo.progression.pathwave",
    "count_scenario": "lvbo.simulation.count",
    "estimate_demand": "lvbo.demand.estimate",
    "evaluate_wave": "lvbo.progression.coordinate",
    "find_corridors": "lvbo.network.chains",
    "find_periods": "lvbo.timing.periods",
    "hold_before": "lvbo.progression.holding",
    "optimize_area": "lvbo.optimize.area_plan",
    "plan_transition": "lvbo.project.transition",
    "rank_corridors": "lvbo.progression.ranking",
    "read_counts": "lvbo.io.counts_csv",
    "read_network": "lvbo.io.sumo_net",
    "read_plans": "lvbo.io.plans_toml",
    "read_scenario": "lvbo.io.sumo_scenario",
    "self_check": "lvbo.simulation.selfcheck",
    "simulate": "lvbo.simulation.simulate",
    "time_plans": "lvbo.timing.plans",
    "try_wave": "lvbo.project.wave_trial",
    "write_plans": "lvbo.project.plan_files",
}

__all__ = [
    "AreaGoal",
    "Counts",
    "Demand",
    "LvboError",
    "Network",
    "PlanSet",
    "Scenario",
    "Wave",
    "build_report",
    "build_scenario",
    "build_yuci",
    "check_plan",
    "compare",
    "coordinate",
    "coordinate_network",
    "coordinate_paths",
    "count_scenario",
    "estimate_demand",
    "evaluate_wave",
    "find_corridors",
    "find_periods",
    "hold_before",
    "optimize_area",
    "plan_transition",
    "rank_corridors",
    "read_counts",
    "read_network",
    "read_plans",
    "read_scenario",
    "self_check",
    "simulate",
    "time_plans",
    "try_wave",
    "write_plans",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module 'lvbo' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
