# SPDX-License-Identifier: Apache-2.0
"""The whole line over a street: counts to plans, plans to a proof."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from lvbo.demand.demand import Demand
from lvbo.demand.estimate import estimate_demand
from lvbo.detection.counts import Counts
from lvbo.errors import Finding
from lvbo.ids import LinkId
from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.progression.coordinate import Street, evaluate_wave
from lvbo.progression.plan_area import AreaOrder, plan_area
from lvbo.progression.wave import Wave, WaveSettings
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.runs import Run, Runs
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.simulation.tools import repaired
from lvbo.timing.periods import Periods, find_periods
from lvbo.timing.plans import time_plans
from lvbo.timing.repair import repair_clearance

Progress = Callable[[float], None]
Steps = Callable[[str], AbstractContextManager[Progress]]
"""Opens a step of the line by its name; what it gives is told the share done, 0 to 1."""


@contextmanager
def silent(_: str) -> Iterator[Progress]:
    """Open a step that nobody watches."""
    yield lambda _share: None


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
    is timed, and nothing coordinated.
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
        order = AreaOrder(corridors=corridors, speeds_mps=speeds_mps, settings=laid)
        area = plan_area(network, demand, periods, order, progress=tell)
    return Designed(demand=demand, periods=periods, plans=area.plans, waves=area.waves)


@dataclass(frozen=True, eq=False, kw_only=True)
class Proof:
    """Plans before and after, run on the same seeds; one run of each keeps its trajectories."""

    scenario: Scenario
    plans_before: PlanSet
    plans_after: PlanSet
    before: Runs
    after: Runs
    tracked_before: Run | None = None
    tracked_after: Run | None = None


def prove(
    scenario: Scenario,
    after: PlanSet,
    *,
    seeds: Sequence[int],
    before: PlanSet | None = None,
    workers: int = 2,
    steps: Steps = silent,
) -> Proof:
    """Return runs of the plans in force and of the new ones, paired by seed.

    Without `before` the plans of the scenario are taken, given the clearance they lack. The first
    seed of each keeps its trajectories.
    """
    old = repaired(scenario.plans, scenario) if before is None else before
    sides = [_Side(scenario, old, "shipped"), _Side(scenario, after, "lvbo")]
    with steps("simulate") as tell:
        runs = _side_by_side(sides, seeds, workers, tell)
    return Proof(
        scenario=scenario,
        plans_before=old,
        plans_after=after,
        before=_bare(runs[0]),
        after=_bare(runs[1]),
        tracked_before=runs[0].runs[0],
        tracked_after=runs[1].runs[0],
    )


@dataclass(frozen=True, slots=True)
class _Side:
    scenario: Scenario
    plans: PlanSet
    name: str

    def runs(self, seeds: Sequence[int], workers: int, tell: Progress) -> Runs:
        """Return all runs; the first seed keeps its trajectories."""
        share = 1 / len(seeds)
        tracked = Conduct(name=self.name, trajectories=True)
        first = simulate(
            self.scenario,
            self.plans,
            seeds=seeds[:1],
            conduct=tracked,
            workers=1,
            progress=lambda done: tell(share * done),
        )
        if not seeds[1:]:
            return first
        others = simulate(
            self.scenario,
            self.plans,
            seeds=seeds[1:],
            conduct=Conduct(name=self.name),
            workers=workers,
            progress=lambda done: tell(share + (1 - share) * done),
        )
        record = {**others.manifest, "seeds": list(seeds)}
        return replace(others, runs=(*first.runs, *others.runs), manifest=record)


class _StoppedError(Exception):
    """Unwinds a thread that nobody waits for any more, so that its workers are ended."""


def _side_by_side(
    sides: Sequence[_Side], seeds: Sequence[int], workers: int, tell: Progress
) -> list[Runs]:
    """Return the runs of every side; with two workers or more the sides run at once."""
    shares = [0.0] * len(sides)
    stop = threading.Event()

    def told(number: int, share: float) -> None:
        if stop.is_set():
            raise _StoppedError
        shares[number] = share

    each = max(1, workers // len(sides))
    threads = len(sides) if workers > 1 else 1
    with ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            jobs = [
                pool.submit(side.runs, seeds, each, partial(told, number))
                for number, side in enumerate(sides)
            ]
            while not all(job.done() for job in jobs):
                tell(sum(shares) / len(shares))
                wait(jobs, timeout=0.2, return_when=FIRST_EXCEPTION)
                failed = [job for job in jobs if job.done() and job.exception() is not None]
                for job in failed:
                    job.result()
            return [job.result() for job in jobs]
        except BaseException:
            stop.set()
            raise


def _bare(runs: Runs) -> Runs:
    return replace(runs, runs=tuple(replace(run, tracks=None) for run in runs.runs))


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
