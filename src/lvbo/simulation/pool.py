# SPDX-License-Identifier: Apache-2.0
"""Several runs at once, each in a process of its own; a break-off leaves none behind."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvbo.errors import ToolError
from lvbo.simulation.runs import Failure, Run
from lvbo.simulation.worker import RESULT, SHARE, Job

Progress = Callable[[float], None]
"""Told the share of all runs done so far, 0 to 1."""

LOOK_EVERY_S = 0.05


@dataclass(slots=True, kw_only=True)
class _Running:
    process: subprocess.Popen[bytes]
    folder: Path


def run_all(
    jobs: Sequence[Job], *, workers: int, progress: Progress | None = None
) -> tuple[Run, ...]:
    """Return the run of every job, in their order, with at most `workers` at once.

    When anything stops this, the interrupt of a user included, all workers are ended first.

    Raises:
        ToolError: LV600 SUMO missing, LV601 SUMO broke off, LV603 a worker died.

    """
    running: dict[int, _Running] = {}
    done: dict[int, Run] = {}
    try:
        while len(done) < len(jobs):
            for number in range(len(jobs)):
                free = len(running) < max(1, workers)
                if free and number not in running and number not in done:
                    running[number] = _start(jobs[number])
            for number in [n for n, r in running.items() if r.process.poll() is not None]:
                done[number] = _take(running.pop(number), jobs[number])
            if progress is not None:
                shares = sum(_share(r.folder) for r in running.values())
                progress((len(done) + shares) / len(jobs))
            time.sleep(LOOK_EVERY_S)
    finally:
        _end(running)
    return tuple(done[number] for number in range(len(jobs)))


def _start(job: Job) -> _Running:
    folder = job.setup.folder
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "job.pickle"
    file.write_bytes(pickle.dumps(job, protocol=pickle.HIGHEST_PROTOCOL))
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lvbo.simulation.worker", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
            start_new_session=True,  # an interrupt reaches us; we end the workers
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    return _Running(process=process, folder=folder)


def _take(ended: _Running, job: Job) -> Run:
    result = ended.folder / RESULT
    if not result.is_file():
        log = (ended.folder / "worker.log").read_text(encoding="utf-8", errors="replace")
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        raise ToolError(
            "LV603",
            seed=job.setup.seed,
            status=ended.process.returncode,
            reason=lines[-1] if lines else "-",
        )
    found: Run | Failure = pickle.loads(result.read_bytes())  # noqa: S301  our own worker's
    if isinstance(found, Failure):
        raise ToolError(found.code, **found.fields)
    return found


def _share(folder: Path) -> float:
    with contextlib.suppress(OSError, ValueError):
        return min(1.0, max(0.0, float((folder / SHARE).read_text(encoding="utf-8"))))
    return 0.0


def _end(running: dict[int, _Running]) -> None:
    for left in running.values():
        left.process.terminate()
    for left in running.values():
        try:
            left.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            left.process.kill()
            left.process.wait()
