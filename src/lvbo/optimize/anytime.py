# SPDX-License-Identifier: Apache-2.0
"""An area plan by a time: period after period, each with a fair share of what is left.

Every period is timed at least once at the cycles that served the periods before it, so there is a
whole plan whenever the time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from time import perf_counter, process_time

from lvbo.demand.demand import Demand
from lvbo.network.network import Network
from lvbo.optimize.area_plan import AreaGoal, AreaPlan, optimize_area
from lvbo.optimize.curve import period_demand
from lvbo.optimize.search import Effort
from lvbo.progression.wave import Wave
from lvbo.signal.schedule import DayPlan, Period, PlanSet
from lvbo.timing.plans import coordination_groups

ENDLESS = 1_000_000
"""Kicks where time is the limit."""
CYCLES_KEPT = 3
LOOK_S = 0.2


def optimize_within(
    network: Network,
    demand: Demand,
    periods: Iterable[DayPlan],
    goal: AreaGoal,
    seconds: float,
    *,
    progress: Callable[[float], None] | None = None,
) -> AreaPlan:
    """Return the best plans for every period that are found within `seconds` by the clock.

    What cannot be cut short, a first timing of each period, may run over.

    Raises:
        InfeasibleError: LV510 where the limits of a signal contradict; it names the smallest set.

    """
    days = tuple(periods)
    listed = [(day, period) for day in days for period in day.periods]
    groups = goal.groups or coordination_groups(network)
    clock = _Clock(seconds, len(listed), sum(len(g.controllers) > 1 for g in groups))
    found: list[AreaPlan] = []
    for k, (day, period) in enumerate(listed):
        effort = clock.effort(goal.effort, k)
        if clock.is_over and found:
            effort = replace(effort, cycles_s=_cycles_of(found), finalists=1)
        single = period_demand(demand, day.day_type, period)
        whole = Period(start_s=0, end_s=0, name=period.name)
        one = (DayPlan(day_type=day.day_type, periods=(whole,)),)
        asked = replace(goal, effort=effort)
        made = optimize_area(network, single, one, asked, progress=clock.teller(k, progress))
        found.append(made)
        clock.done(effort)
    return joined(days, found)


class _Clock:
    """Share time out: what a first timing takes is learned, the rest goes to improving."""

    def __init__(self, seconds: float, periods: int, groups: int) -> None:
        self.begin, self.seconds = perf_counter(), seconds
        self.periods, self.groups = periods, max(1, groups)
        self.since, self.cpu = self.begin, process_time()
        self.first_s = 0.0
        self.pace = _pace()

    @property
    def left_s(self) -> float:
        """Return how much time is left."""
        return self.seconds - (perf_counter() - self.begin)

    @property
    def is_over(self) -> bool:
        """Say whether there is no time for another full look."""
        return self.left_s <= self.first_s

    def effort(self, asked: Effort, k: int) -> Effort:
        """Return the effort for period k: CPU time for each group beside the first timing.

        The first period knows nothing of how long that takes and gets half its share.
        """
        share = self.left_s / (self.periods - k)
        spare = share - self.first_s if k else share / 2
        self.since, self.cpu = perf_counter(), process_time()
        return replace(asked, kicks=ENDLESS, seconds=max(0.0, spare * self.pace) / self.groups)

    def done(self, effort: Effort) -> None:
        """Learn from a period how long a first timing takes, and how fast the CPU runs here."""
        wall, cpu = perf_counter() - self.since, process_time() - self.cpu
        self.pace = min(1.0, cpu / wall) if wall > 0 else 1.0
        improving = (effort.seconds or 0.0) * self.groups / max(self.pace, 0.05)
        self.first_s = max(0.0, wall - improving)

    def teller(self, k: int, progress: Callable[[float], None] | None) -> Callable[[float], None]:
        """Return what tells how much is done: periods, or time where that is further."""

        def tell(_: float) -> None:
            gone = min(1.0, (perf_counter() - self.since) * self.periods / self.seconds)
            if progress is not None:
                progress((k + 0.99 * gone) / self.periods)

        return tell


def _pace() -> float:
    """Return how much CPU time a second by the clock gives here and now."""
    wall, cpu = perf_counter(), process_time()
    while perf_counter() - wall < LOOK_S:
        pass
    return min(1.0, max(0.05, (process_time() - cpu) / (perf_counter() - wall)))


def _cycles_of(found: Sequence[AreaPlan]) -> tuple[int, ...]:
    """Return the longest cycles of the last periods: those that groups share."""
    longest = {max(-(-p.cycle_ds // 10) for p in made.plans.plans) for made in found}
    return tuple(sorted(longest)[-CYCLES_KEPT:])


def joined(days: Sequence[DayPlan], parts: Sequence[AreaPlan]) -> AreaPlan:
    """Return plans made period by period as one area plan over whole days."""
    plans = PlanSet(
        plans=tuple(
            sorted(
                (plan for part in parts for plan in part.plans.plans),
                key=lambda plan: (plan.controller, plan.id),
            )
        ),
        day_plans=tuple(days),
        assignments=tuple(a for part in parts for a in part.plans.assignments),
        findings=tuple(f for part in parts for f in part.plans.findings),
    )
    waves: dict[str, Wave] = {}
    for wave in (wave for part in parts for wave in part.waves):
        known = waves.get(wave.corridor.id)
        laid = wave.periods if known is None else (*known.periods, *wave.periods)
        waves[wave.corridor.id] = replace(wave, plans=plans, periods=laid)
    return AreaPlan(
        plans=plans,
        waves=tuple(waves.values()),
        periods=tuple(period for part in parts for period in part.periods),
    )
