# SPDX-License-Identifier: Apache-2.0
"""Plans to a proof: the same seeds under the old plans and the new ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from lvbo.io.scenario import Scenario
from lvbo.project.steps import Progress, Steps, silent
from lvbo.signal.schedule import PlanSet
from lvbo.simulation.runs import Run, Runs
from lvbo.simulation.simulate import Conduct, simulate
from lvbo.simulation.tools import repaired

BEFORE, AFTER = "shipped", "lvbo"
LOOK_EVERY_S = 0.2


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
    with Rehearsal(scenario, before, seeds=seeds, workers=workers, spare=workers) as rehearsal:
        return rehearsal.prove(after, steps=steps)


class _StoppedError(Exception):
    """Unwinds a thread that nobody waits for any more, so that its workers are ended."""


class Rehearsal:
    """Runs of the plans in force that go on beside other work, until new plans join them.

    Entering it starts the runs on all workers but the `spare` ones, which stay free for what is
    done meanwhile; leaving it ends whatever still runs.
    """

    def __init__(
        self,
        scenario: Scenario,
        before: PlanSet | None = None,
        *,
        seeds: Sequence[int],
        workers: int = 2,
        spare: int = 1,
    ) -> None:
        """Take the plans in force; None takes the scenario's, given the clearance they lack."""
        self.scenario = scenario
        self.before = repaired(scenario.plans, scenario) if before is None else before
        self.seeds = tuple(seeds)
        self._spare = min(spare, max(1, workers))
        self._workers = max(1, workers)
        self._free = threading.Semaphore(self._workers - self._spare)
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=self._workers)
        self._shares: dict[tuple[str, int], float] = {}
        self._early: list[Future[Runs]] = []

    def __enter__(self) -> Self:
        self._early = self._begin(self.before, BEFORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._free.release(len(self.seeds) * 2)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def prove(self, after: PlanSet, *, steps: Steps = silent) -> Proof:
        """Return the runs of both, all workers on them; the first seed keeps its trajectories."""
        late = self._begin(after, AFTER)
        self._free.release(self._spare)
        with steps("simulate") as tell:
            self._wait([*self._early, *late], tell)
        old, new = (_joined([job.result() for job in jobs]) for jobs in (self._early, late))
        return Proof(
            scenario=self.scenario,
            plans_before=self.before,
            plans_after=after,
            before=_bare(old),
            after=_bare(new),
            tracked_before=old.runs[0],
            tracked_after=new.runs[0],
        )

    def _begin(self, plans: PlanSet, name: str) -> list[Future[Runs]]:
        """Queue one run per seed."""
        return [
            self._pool.submit(self._run, plans, seed, Conduct(name=name, trajectories=not number))
            for number, seed in enumerate(self.seeds)
        ]

    def _run(self, plans: PlanSet, seed: int, conduct: Conduct) -> Runs:
        told = partial(self._told, (conduct.name, seed))
        with self._free:
            told(0.0)
            return simulate(
                self.scenario, plans, seeds=[seed], conduct=conduct, workers=1, progress=told
            )

    def _told(self, run: tuple[str, int], share: float) -> None:
        if self._stop.is_set():
            raise _StoppedError
        self._shares[run] = share

    def _wait(self, jobs: Sequence[Future[Runs]], tell: Progress) -> None:
        """Wait for all, telling the share done; the first failure is raised at once."""
        left = set(jobs)
        while left:
            tell(sum(list(self._shares.values())) / len(jobs))
            done, left = wait(left, timeout=LOOK_EVERY_S, return_when=FIRST_EXCEPTION)
            for job in done:
                job.result()


def _joined(each: Sequence[Runs]) -> Runs:
    """Return the runs of single seeds as those of all of them."""
    runs = tuple(run for one in each for run in one.runs)
    record = {**each[0].manifest, "seeds": [run.seed for run in runs]}
    return replace(each[0], runs=runs, manifest=record)


def _bare(runs: Runs) -> Runs:
    return replace(runs, runs=tuple(replace(run, tracks=None) for run in runs.runs))
