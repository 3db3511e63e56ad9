# SPDX-License-Identifier: Apache-2.0
"""Try plans out on traffic fitted to counts, before anybody drives through them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from lvbo.codec import digest
from lvbo.demand.demand import Demand
from lvbo.evaluation.measures import measure
from lvbo.io.build_scenario import Building, build_scenario
from lvbo.io.scenario import Scenario
from lvbo.network.network import Network
from lvbo.optimize.executor import Serial, TaskRunner, Tell
from lvbo.signal.schedule import DAY_S, Period, PlanSet
from lvbo.simulation.runs import Run
from lvbo.simulation.simulate import Conduct, simulate

T = TypeVar("T")
Gauge = Callable[[Run, Network], T]
"""What is measured of a run; a function that can be pickled."""
TRIAL_SEEDS = (2000, 2001)
"""Never judged, never counted on."""
STRESS = 1.1
"""Counts are a sample: plans must also bear 10 % more demand than was counted."""
LONGEST_S = 2700
WORTH_CHANGING = 0.97
"""Plans in force are only replaced where the new ones save at least 3 % of the delay."""
BEHIND = 0.1
"""Plans that all runs so far show behind the best, by 10 % of its delay on average, run no more."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial runs on: the street and the demand its counts gave, so long at most.

    Where `redrawn`, vehicles depart anew with each seed, as they do each day; else seeds share
    their departures and only drive differently. `calm` is how calm drivers are, None as the
    demand's lanes discharge by themselves (`build_scenario.calmness`).
    """

    network: Network
    net_file: Path
    demand: Demand
    day_type: str = "workday"
    longest_s: int = LONGEST_S
    redrawn: bool = False
    calm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPlans:
    """The plans to keep, and delays in s/veh run by run: as counted, and under 10 % more demand.

    Those clearly behind have fewer runs as counted; those that were not needed none under stress.
    """

    best: str
    counted_s: Mapping[str, tuple[float, ...]]
    stressed_s: Mapping[str, tuple[float, ...]]


def try_out(
    trial: Trial, candidates: Mapping[str, PlanSet], runner: TaskRunner | None = None
) -> TriedPlans:
    """Return which plans to keep: the first, unless another clearly does better.

    All run on the same fitted traffic and seeds; vehicles that never get in or through count until
    the end. With the demand as counted another must save 3 %, and with 10 % more demand it must
    still be no worse than the first: stress refuses, but does not rank. See `robust_delay`. Runs
    are tasks for the runner, here if none is given; the answer is the same whoever does them.
    """
    runs = FittedRuns(trial, candidates, _delay, runner)
    first, *others = candidates
    counted = race((first,), others, TRIAL_SEEDS, runs.measured, behind_in_delay)
    stressed: dict[str, tuple[float, ...]] = {}
    for name in _worthy(first, counted):
        asked = [n for n in (first, name) if n not in stressed]
        stressed |= runs.measured(asked, TRIAL_SEEDS, STRESS)
        if robust_delay(stressed[name]) <= robust_delay(stressed[first]):
            return TriedPlans(best=name, counted_s=counted, stressed_s=stressed)
    return TriedPlans(best=first, counted_s=counted, stressed_s=stressed)


def robust_delay(delays_s: tuple[float, ...]) -> float:
    """Return the mean of the average and the worst run: one locked street outweighs a few seconds.

    Two runs of 60 and 100 s/veh give (80 + 100) / 2 = 90 s/veh.
    """
    return (sum(delays_s) / len(delays_s) + max(delays_s)) / 2


def race(
    held: Sequence[str],
    others: Sequence[str],
    seeds: Sequence[int],
    runs: Callable[[Sequence[str], Sequence[int]], Mapping[str, tuple[T, ...]]],
    behind: Callable[[str, Mapping[str, tuple[T, ...]]], bool],
) -> dict[str, tuple[T, ...]]:
    """Return what runs of all gave, seed by seed; who is clearly behind runs no further seed.

    `behind` judges one by its name beside all that still run. Who is held runs to the end, unless
    one is left alone.
    """
    found: dict[str, tuple[T, ...]] = dict.fromkeys((*held, *others), ())
    running = [*held, *others]
    for seed in seeds:
        for name, own in runs(running, (seed,)).items():
            found[name] += own
        field = {name: found[name] for name in running}
        running = [n for n in running if n in held or not behind(n, field)]
        if len(running) == 1:
            break
    return found


def is_behind(own: Sequence[float], best: Sequence[float], *, by: float = BEHIND) -> bool:
    """Say whether runs are clearly behind the best ones: in every seed, and by so much of them."""
    lost = [a - b for a, b in zip(own, best, strict=True)]
    return min(lost) > 0 and sum(lost) > by * sum(best)


def behind_in_delay(name: str, delays_s: Mapping[str, tuple[float, ...]]) -> bool:
    """Say whether one is clearly behind the best of those that run, by their delays."""
    best_s = min(delays_s.values(), key=robust_delay)
    return is_behind(delays_s[name], best_s)


def _worthy(first: str, counted_s: Mapping[str, tuple[float, ...]]) -> list[str]:
    """Return the names of those that clearly do better than the first, the best one first."""
    most = WORTH_CHANGING * robust_delay(counted_s[first])
    full = len(TRIAL_SEEDS)
    kept = {name: robust_delay(d) for name, d in counted_s.items() if len(d) == full}
    return sorted((name for name, d in kept.items() if d <= most), key=lambda name: kept[name])


def fitted_traffic(
    trial: Trial, plans: PlanSet, folder: Path, factor: float, seed: int = 0
) -> Scenario:
    """Return traffic fitted to the demand times a factor, from its beginning.

    The seed draws who departs when.
    """
    demand = trial.demand
    length_s = demand.slots * demand.slot_s
    end = (demand.first_s + length_s - 1) % DAY_S + 1
    return build_scenario(
        trial.network,
        replace(demand, volume_vph=factor * demand.volume_vph),
        Period(start_s=demand.first_s % DAY_S, end_s=end % DAY_S, name="trial"),
        net_file=trial.net_file,
        folder=folder,
        building=Building(
            day_type=trial.day_type,
            seed=seed,
            length_s=min(length_s, trial.longest_s),
            plans=plans,
            calm=trial.calm,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Task(Generic[T]):
    """One run, with the files it needs: whoever does it may not see ours."""

    scenario: Scenario
    files: Mapping[str, bytes]
    plans: PlanSet
    seed: int
    gauge: Gauge[T]


class FittedRuns(Generic[T]):
    """Hold the traffic of a trial and who runs what on it; equal plans run once."""

    def __init__(
        self,
        trial: Trial,
        candidates: Mapping[str, PlanSet],
        gauge: Gauge[T],
        runner: TaskRunner | None = None,
    ) -> None:
        self.trial, self.candidates, self.gauge = trial, candidates, gauge
        self.runner = runner or Serial()
        self._traffic = cache(self._fitted)

    def measured(
        self,
        names: Sequence[str],
        seeds: Sequence[int],
        factor: float = 1.0,
        tell: Tell | None = None,
    ) -> dict[str, tuple[T, ...]]:
        """Return what is measured of each by seed, with the demand times a factor."""
        drawn = {seed: self._traffic(factor, self._draw(seed)) for seed in seeds}
        own = {name: digest(self.candidates[name]) for name in names}
        plans = {own[name]: self.candidates[name] for name in names}
        keys = [(key, seed) for key in plans for seed in seeds]
        tasks = [
            _Task(scenario=drawn[s][0], files=drawn[s][1], plans=plans[k], seed=s, gauge=self.gauge)
            for k, s in keys
        ]
        found = dict(zip(keys, self.runner.map(_gauged, tasks, tell), strict=True))
        return {name: tuple(found[own[name], seed] for seed in seeds) for name in names}

    def _draw(self, seed: int) -> int:
        return seed if self.trial.redrawn else 0

    def _fitted(self, factor: float, draw: int) -> tuple[Scenario, Mapping[str, bytes]]:
        first = next(iter(self.candidates.values()))
        with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
            scenario = fitted_traffic(self.trial, first, Path(place), factor, draw)
            named = (scenario.net_file, *scenario.route_files)
            return scenario, {path.name: path.read_bytes() for path in named}


def _gauged(task: _Task[T]) -> T:
    """Return what is measured of one run."""
    with tempfile.TemporaryDirectory(prefix="lvbo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        for name, content in task.files.items():
            (folder / name).write_bytes(content)
        given = task.scenario
        scenario = replace(
            given,
            folder=folder,
            net_file=folder / given.net_file.name,
            route_files=tuple(folder / path.name for path in given.route_files),
        )
        conduct = Conduct(name="trial")
        (run,) = simulate(scenario, task.plans, seeds=[task.seed], conduct=conduct, workers=1).runs
        return task.gauge(run, scenario.network)


def _delay(run: Run, network: Network) -> float:
    """Return the delay of one run, s/veh."""
    return measure(run, network).delay_s
