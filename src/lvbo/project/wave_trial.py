# SPDX-License-Identifier: Apache-2.0
"""Let a simulation decide how much of a green wave's band stays, before anybody drives it.

The model that chooses a share of the band sees neither queues that stay nor what happens inside
junctions. So its choice, other shares, all of the band as it was solved, and offsets of least delay
run on traffic fitted to the counts, the same seeds for all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lvbo.demand.demand import Demand
from lvbo.errors import Finding, Severity, UsageError
from lvbo.evaluation.corridors import measure_along
from lvbo.evaluation.measures import measure
from lvbo.ids import ControllerId, LinkId
from lvbo.network.corridor import Corridor
from lvbo.network.network import Network
from lvbo.optimize.curve import period_demand
from lvbo.optimize.evaluate import AreaJudge, Plans
from lvbo.optimize.executor import TaskRunner
from lvbo.optimize.offsets import best_offsets
from lvbo.optimize.search import Objective
from lvbo.progression.choices import WaveChoices, wave_choices
from lvbo.progression.coordinate import GIVEN_UP, PARTLY, Street, Task, over_periods
from lvbo.progression.wave import PeriodWave, Wave, WaveSettings
from lvbo.project.drivers import with_drivers
from lvbo.project.steps import Progress
from lvbo.project.trial import LONGEST_S, FittedRuns, Trial, race
from lvbo.project.wave_rule import Found, StreetRun, TriedShare, WaveTrial, behind, best_wave
from lvbo.signal.schedule import PlanSet, one_period
from lvbo.simulation.runs import Run
from lvbo.timing.plans import Volumes, controller_models

SEEDS = (2000, 2001, 2002, 2003)
"""Never judged, never counted on."""
LEAST_DELAY = Objective(stop_s=0.0, spill_s=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """How waves are tried: on which SUMO network, with which seeds, for how long at most."""

    net_file: Path
    seeds: tuple[int, ...] = SEEDS
    longest_s: int = LONGEST_S


@dataclass(frozen=True, kw_only=True)
class TriedWave:
    """The wave that a simulation decided on, and what it found in each period with traffic."""

    wave: Wave
    trials: tuple[WaveTrial, ...]


def try_wave(  # noqa: PLR0913  the trial joins all of these
    corridor: Corridor,
    plans: PlanSet,
    street: Street,
    trying: Trying,
    *,
    settings: WaveSettings | None = None,
    runner: TaskRunner | None = None,
    tell: Progress | None = None,
) -> TriedWave:
    """Return the wave along a corridor whose share of the band a simulation decided on.

    In each period with traffic the waves of `wave_choices` run on traffic fitted to its demand; see
    `best_wave` for the rule. A finding says what was found. Simulations are tasks for the runner,
    here if none is given; the answer is the same whoever does them.

    Raises:
        UsageError: LV594 where the demand or a network that was read from SUMO is missing.
        InputError: as `coordinate`; LV545 where no path fits the counts.
        ToolError: LV600 where SUMO is missing.

    """
    known_street(street, corridor)
    judge = _Judge(corridor, plans, trying, runner, tell)
    wave = over_periods(corridor, plans, street, settings or WaveSettings(), judge.decided)
    return TriedWave(wave=wave, trials=tuple(judge.trials))


def try_waves(  # noqa: PLR0913  the trial joins all of these
    corridors: Sequence[Corridor],
    plans: PlanSet,
    street: Street,
    trying: Trying,
    *,
    settings: WaveSettings | None = None,
    runner: TaskRunner | None = None,
    tell: Progress | None = None,
) -> tuple[TriedWave, ...]:
    """Return the waves of several streets, tried one after another; what one has set stays.

    Raises:
        LvboError: as `try_wave`.

    """
    made: list[TriedWave] = []
    for number, corridor in enumerate(corridors):
        own = try_wave(
            corridor,
            plans,
            replace(street, locked=street.locked | _set_by(made)),
            trying,
            settings=settings,
            runner=runner,
            tell=partial(_part, tell, number, len(corridors)),
        )
        plans = own.wave.plans
        made.append(own)
    return tuple(replace(own, wave=replace(own.wave, plans=plans)) for own in made)


def _set_by(made: Sequence[TriedWave]) -> frozenset[ControllerId]:
    return frozenset(c for own in made for c in own.wave.corridor.controllers)


def _part(tell: Progress | None, number: int, count: int, share: float) -> None:
    if tell is not None:
        tell((number + share) / count)


def known_street(street: Street, corridor: Corridor) -> tuple[Network, Demand]:
    """Return the network and the demand that a trial needs; LV594 where one is missing."""
    if street.network is None or street.demand is None or street.network.sumo is None:
        raise UsageError("LV594", place=corridor.name)
    return street.network, street.demand


# runs -------------------------------------------------------------------------------------------


class _Judge:
    """Decide period after period on one street, and keep what was found."""

    def __init__(
        self,
        corridor: Corridor,
        plans: PlanSet,
        trying: Trying,
        runner: TaskRunner | None,
        tell: Progress | None,
    ) -> None:
        self.corridor, self.plans = corridor, plans
        self.trying, self.runner, self.tell = trying, runner, tell
        self.spans, self.done = sum(len(day.periods) for day in plans.day_plans), 0
        self.trials: list[WaveTrial] = []

    def decided(self, task: Task) -> PeriodWave:
        """Return the wave of one period that its trial decided on; without traffic the model's."""
        choices = wave_choices(task, partial(_least_delay, task))
        if len(choices.waves) > 1 and _has_traffic(task):
            trial = self._tried(task, choices)
            self.trials.append(trial)
            made = _told(choices.of(trial.best).wave, _finding(self.corridor, trial, choices))
        else:
            made = _told(choices.of(choices.preferred).wave, _untried(self.corridor, task))
        self.done += 1
        return made

    def _tried(self, task: Task, choices: WaveChoices) -> WaveTrial:
        found = self._runs(task, choices)
        return WaveTrial(
            day_type=task.day.day_type,
            period=task.period.name,
            seeds=self.trying.seeds,
            preferred=choices.preferred,
            best=best_wave(choices, found),
            tried=tuple(
                TriedShare(name=own.name, share=own.share, runs=found[own.name])
                for own in choices.waves
            ),
        )

    def _runs(self, task: Task, choices: WaveChoices) -> Found:
        """Return the runs of all; the preferred wave and those it is measured by run all seeds."""
        plans = {own.name: self._plans(task, own.wave) for own in choices.waves}
        fitted = FittedRuns(
            with_drivers(_trial(task, self.trying), plans[choices.preferred]),
            plans,
            partial(street_run, self.corridor),
            self.runner,
        )

        def runs(names: Sequence[str], seeds: Sequence[int]) -> Found:
            rounds = self.trying.seeds.index(seeds[0])
            return fitted.measured(names, seeds, tell=partial(self._told, rounds))

        held = tuple(dict.fromkeys((choices.preferred, choices.solved, choices.freest)))
        others = [own.name for own in choices.waves if own.name not in held]
        return race(held, others, self.trying.seeds, runs, partial(behind, choices))

    def _plans(self, task: Task, wave: PeriodWave) -> PlanSet:
        """Return what runs in the period of a task as plans of a whole day."""
        running = self.plans.running(task.day.day_type, task.period.start_s)
        own = {plan.controller: plan for plan in wave.plans}
        day_type, period = task.day.day_type, task.period.name
        return one_period({**running, **own}.values(), day_type=day_type, period=period)

    def _told(self, rounds: int, share: float) -> None:
        if self.tell is not None:
            self.tell((self.done + (rounds + share) / len(self.trying.seeds)) / self.spans)


def street_run(corridor: Corridor, run: Run, network: Network) -> StreetRun:
    """Return what a run says of a street; where nobody drove along it there are no stops."""
    stops = measure_along(run, corridor, network).stops_per_km
    return StreetRun(delay_s=measure(run, network).delay_s, stops_per_km=stops or 0.0)


def _has_traffic(task: Task) -> bool:
    volumes = task.volumes() or {}
    stops = task.corridor.stops
    return any(volumes.get(m, 0.0) > 0 for s in stops for m in (s.outbound, s.inbound) if m)


def _trial(task: Task, trying: Trying) -> Trial:
    network, demand = known_street(task.street, task.corridor)
    day_type = task.day.day_type
    part = period_demand(demand, day_type, task.period)
    return Trial(
        network=network,
        net_file=trying.net_file,
        demand=part,
        day_type=day_type,
        longest_s=trying.longest_s,
        redrawn=True,
    )


def _least_delay(task: Task, plans: Plans) -> Plans:
    network, demand = known_street(task.street, task.corridor)
    return least_delay(network, demand, task.volumes() or {}, plans, task.street.speeds_mps)


def least_delay(
    network: Network,
    demand: Demand,
    volumes: Volumes,
    plans: Plans,
    speeds_mps: Mapping[LinkId, float] | None = None,
) -> Plans:
    """Return plans with the offsets of least delay of all traffic at their signals."""
    made = controller_models(network, demand, volumes, only=plans)
    models = {m.controller.id: m for m in made}
    judge = AreaJudge(network, models, volumes, speeds_mps)
    own = {c: plans[c] for c in models}
    return {**plans, **best_offsets(judge, own, LEAST_DELAY)}


# what is told -----------------------------------------------------------------------------------


def _told(wave: PeriodWave, finding: Finding) -> PeriodWave:
    """Return a wave with what its trial found in place of what the model expected."""
    kept = (f for f in wave.findings if f.code not in {PARTLY, GIVEN_UP})
    return replace(wave, findings=(finding, *kept))


def _finding(corridor: Corridor, trial: WaveTrial, choices: WaveChoices) -> Finding:
    best, model = trial.of(trial.best), trial.of(trial.preferred)
    solved, free = trial.of(choices.solved), trial.of(choices.freest)
    fields = {
        "percent": round(100 * best.share),
        "delay_s": round(best.delay_s, 1),
        "stops": round(best.stops_per_km, 2),
        "whole_delay_s": round(solved.delay_s, 1),
        "whole_stops": round(solved.stops_per_km, 2),
        "free_delay_s": round(free.delay_s, 1),
        "free_stops": round(free.stops_per_km, 2),
    }
    kept = best is model
    if not kept:
        fields |= {
            "model_percent": round(100 * model.share),
            "model_delay_s": round(model.delay_s, 1),
            "model_stops": round(model.stops_per_km, 2),
        }
    return Finding(
        code="LV590" if kept else "LV591",
        place=f"{corridor.name} {trial.period}",
        severity=Severity.ADVICE,
        fields=fields,
    )


def _untried(corridor: Corridor, task: Task) -> Finding:
    place = f"{corridor.name} {task.period.name}"
    return Finding(code="LV592", place=place, severity=Severity.ADVICE)


def write_trials(path: Path, tried: Sequence[TriedWave]) -> None:
    """Write one row per street, period, wave and seed as CSV, in UTF-8 with a mark for Excel."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for own in tried:
            for trial in own.trials:
                table.writerows(_rows(own.wave.corridor, trial))


COLUMNS = (
    "street",
    "day_type",
    "period",
    "wave",
    "share",
    "preferred",
    "chosen",
    "seed",
    "delay_s",
    "stops_per_km",
)


def _rows(corridor: Corridor, trial: WaveTrial) -> Iterator[tuple[object, ...]]:
    for own in trial.tried:
        told = (own.name, round(own.share, 3), own.name == trial.preferred, own.name == trial.best)
        for seed, run in zip(trial.seeds, own.runs, strict=False):
            yield (
                corridor.name,
                trial.day_type,
                trial.period,
                *told,
                seed,
                round(run.delay_s, 2),
                round(run.stops_per_km, 3),
            )
