# SPDX-License-Identifier: Apache-2.0
"""The line over a street: counts to demand, periods, plans and waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.demand.speeds import platoon_speeds
from lvbo.detection.counts import Counts
from lvbo.errors import Finding
from lvbo.ids import LinkId
from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.progression.wave import Wave, WaveSettings
from lvbo.project.steps import Steps, silent
from lvbo.signal.schedule import PlanSet
from lvbo.timing.periods import Periods, find_periods
from lvbo.timing.plans import time_plans
from lvbo.timing.repair import repair_clearance


@dataclass(frozen=True, eq=False, kw_only=True)
class Designed:
    """What was made from counts: demand, periods, plans, and a wave per street."""

    demand: Demand
    periods: Periods
    plans: PlanSet
    waves: tuple[Wave, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found on the way, in the order of the line."""
        waves = (finding for wave in self.waves for finding in wave.findings)
        return (*self.demand.findings, *self.periods.findings, *self.plans.findings, *waves)


def design(  # noqa: PLR0913  the line joins all of these
    network: Network,
    counts: Counts,
    shipped: PlanSet,
    *,
    streets: Sequence[str] = (),
    speeds_mps: Mapping[LinkId, float] | None = None,
    settings: WaveSettings | None = None,
    steps: Steps = silent,
) -> Designed:
    """Return plans made from counts, coordinated street by street in the order given.

    Signals that one street has set stay as they are in the next. Without streets each controller
    is timed, and nothing coordinated. `speeds_mps` go before those that the counts measured.
    """
    with steps("demand"):
        demand = estimate_demand(network, counts, plans=shipped)
    with steps("periods"):
        periods = find_periods(network, demand)
    if not streets:
        with steps("plans"):
            plans = time_plans(network, demand, periods)
        return Designed(demand=demand, periods=periods, plans=plans)
    with steps("waves") as tell:
        corridors = tuple(network.corridor(name) for name in streets)
        laid = settings or WaveSettings()
        known = {**platoon_speeds(counts), **(speeds_mps or {})}
        order = AreaOrder(corridors=corridors, speeds_mps=known, settings=laid)
        area = plan_area(network, demand, periods, order, progress=tell)
    return Designed(demand=demand, periods=periods, plans=area.plans, waves=area.waves)


def safe_plans(network: Network, plans: PlanSet) -> PlanSet:
    """Return the plans with the clearance they lack, each at its own cycle.

    Raises:
        InfeasibleError: LV604 where a cycle is too short for it.

    """
    index = network.controller_index
    return plans.mapped(lambda plan: repair_clearance(plan, index[plan.controller].rules))


def installed_wave(scenario: Scenario, street: str, plans: PlanSet) -> Wave:
    """Return the wave that plans give a street as they are."""
    known = Street(network=scenario.network, speeds_mps=link_speeds(scenario))
    return evaluate_wave(scenario.network.corridor(street), plans, street=known)


def link_speeds(scenario: Scenario) -> dict[LinkId, float]:
    """Return the measured speeds of a scenario's site sheet by link, m/s."""
    return {LinkId(link): speed for link, speed in scenario.speeds_mps}
