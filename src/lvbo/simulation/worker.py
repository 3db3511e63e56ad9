# SPDX-License-Identifier: Apache-2.0
"""One run in a process of its own: `python -m lvbo.simulation.worker JOB`.

A fresh interpreter per run keeps libsumo's global state and its crashes away from the caller, and
needs nothing of the caller's main module.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from lvbo.errors import LvboError
from lvbo.network.network import Network
from lvbo.simulation import output
from lvbo.simulation.controlled import Controlling, driven
from lvbo.simulation.lamps import watch_lamps
from lvbo.simulation.runs import Failure, Run
from lvbo.simulation.sumo import TRIPS, Setup, run_sumo, steps_file

RESULT, SHARE = "result.pickle", "share.txt"
TRACKED_S = 7200
"""Trajectories are kept of the first two hours: diagrams show minutes, a day would fill memory."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run to make: the call of SUMO, the judged window, what to keep, who controls."""

    setup: Setup
    network: Network
    judged_from_s: int
    judged_to_s: int
    trajectories: bool
    controlling: Controlling | None = None


def do(job: Job) -> Run:
    """Run SUMO once in this process and return everything measured."""
    setup = job.setup
    share, parent = setup.folder / SHARE, os.getppid()
    how = None if job.controlling is None else driven(job.network, job.controlling, setup.seed)
    ended = run_sumo(setup, lambda done: _tell(share, done, parent), how)
    trips, persons = output.read_trips(setup.folder / TRIPS, ended.end_s, ended.classes)
    seen = output.read_seen(
        steps_file(setup),
        ended.edges,
        step_s=setup.step_s,
        span_s=ended.end_s - setup.begin_s,
        tracked_to_s=setup.begin_s + TRACKED_S if job.trajectories else None,
    )
    return Run(
        seed=setup.seed,
        begin_s=setup.begin_s,
        judged_from_s=job.judged_from_s,
        judged_to_s=job.judged_to_s,
        end_s=ended.end_s,
        vehicles=output.with_stops(trips, seen.passages),
        persons=persons.sort("person"),
        passages=seen.passages,
        edges=seen.edges,
        tracks=seen.tracks,
        lamps=ended.lamps,
        violations=watch_lamps(job.network, ended.lamps, setup.begin_s),
        teleports=ended.teleports,
        collisions=ended.collisions,
        wall_s=ended.wall_s,
        controlled=None if how is None else how.facts,
        decisions=None if how is None else how.log.frame(),
        stops=None if how is None or how.escorting is None else how.escorting.frame(),
    )


def _tell(share: Path, done: float, parent: int) -> None:
    """Leave the share done where the parent looks; without a parent nobody wants the run."""
    if os.getppid() != parent:
        os._exit(1)
    share.write_text(f"{done:.4f}", encoding="utf-8")


def main(path: str) -> None:
    """Do the job pickled at `path` and leave a run, or the error it ended in, beside it."""
    file = Path(path)
    result: Run | Failure
    try:
        result = do(pickle.loads(file.read_bytes()))  # noqa: S301  written by our own parent
    except LvboError as error:
        result = Failure(code=error.code, fields=dict(error.fields))
    part = file.with_name(RESULT + ".part")
    part.write_bytes(pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL))
    part.replace(file.with_name(RESULT))
    sys.stdout.flush()
    os._exit(0)  # libsumo may fall over when the interpreter takes it down


if __name__ == "__main__":
    main(sys.argv[1])
