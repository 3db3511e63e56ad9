# SPDX-License-Identifier: Apache-2.0
"""Where independent tasks run: here, in processes beside us, on a cluster. Same results, in order.

A task is a value that can be pickled, its function one of a module. Whoever runs it, the results
come back in the order of the tasks, so what is made of them does not depend on how many worked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from lvbo.errors import ToolError

T = TypeVar("T")
R = TypeVar("R")
Tell = Callable[[float], None]
"""Told the share of the tasks that are done, 0 to 1."""

TRIES = 4
"""A task whose worker was killed is done again, three times at most."""
AHEAD = 2
"""So many tasks for each worker are handed out at a time."""


class TaskRunner(Protocol):
    """Who runs tasks; `workers` of them at once."""

    @property
    def workers(self) -> int:
        """Return how many tasks run at once."""
        ...

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], tell: Tell | None = None
    ) -> list[R]:
        """Return what the function makes of each task, in their order."""
        ...


class Serial(AbstractContextManager["Serial"]):
    """Tasks one after the other, in this process."""

    workers = 1

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], tell: Tell | None = None
    ) -> list[R]:
        """Return what the function makes of each task, in their order."""
        found = []
        for k, task in enumerate(tasks):
            found.append(function(task))
            if tell is not None:
                tell((k + 1) / len(tasks))
        return found

    def __exit__(self, *_: object) -> None:
        return None


class Pool(AbstractContextManager["Pool"]):
    """Tasks in worker processes of this machine, which stay until the pool is closed.

    Whoever kills a worker breaks the whole pool: it is made anew, and what was not done yet is done
    again. Processes start by spawn, so a script that uses a pool must guard its main part.
    """

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)
        self._pool: Executor | None = None

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], tell: Tell | None = None
    ) -> list[R]:
        """Return what the function makes of each task, in their order.

        Raises:
            ToolError: LV680 for a task that lost its worker four times.

        """
        return _Course(self, function, tasks, tell).run()

    def open(self) -> Executor:
        """Return the processes that are there, or new ones."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))
        return self._pool

    def is_loss(self, error: BaseException) -> bool:
        """Say whether an error means that a worker died, not that the task failed."""
        return isinstance(error, BrokenProcessPool)

    def close(self) -> None:
        """End all processes; the next task starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Cluster(AbstractContextManager["Cluster"]):
    """Tasks on the workers of a Dask cluster, which have the same version of Lvbo installed.

    Raises:
        ToolError: LV681 where `distributed` is not installed, LV682 where nobody answers.

    """

    def __init__(self, address: str, *, timeout_s: float = 20.0) -> None:
        self.address = address
        try:
            from distributed import Client
        except ImportError as error:
            raise ToolError("LV681", place=address) from error
        try:
            self._client: Any = Client(address, timeout=timeout_s)
        except (OSError, ValueError) as error:
            raise ToolError("LV682", place=address, reason=str(error)) from error
        self._executor: Executor | None = None

    @property
    def workers(self) -> int:
        """Return how many tasks run at once now; workers may come and go."""
        return max(1, sum(int(n) for n in self._client.nthreads().values()))

    def map(
        self, function: Callable[[T], R], tasks: Sequence[T], tell: Tell | None = None
    ) -> list[R]:
        """Return what the function makes of each task, in their order.

        Raises:
            ToolError: LV680 for a task that lost its worker four times.

        """
        return _Course(self, function, tasks, tell).run()

    def open(self) -> Executor:
        """Return the cluster as an executor; equal tasks are not taken for the same one."""
        if self._executor is None:
            self._executor = self._client.get_executor(pure=False)
        return self._executor

    def is_loss(self, error: BaseException) -> bool:
        """Say whether an error means that a worker died, not that the task failed."""
        from distributed.scheduler import KilledWorker

        return isinstance(error, KilledWorker)

    def close(self) -> None:
        """Let the next task begin anew; the cluster itself stays."""
        self._executor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()


def open_runner(workers: int = 1, cluster: str = "") -> Serial | Pool | Cluster:
    """Return who runs tasks: the cluster at an address, else processes, else this one alone."""
    if cluster:
        return Cluster(cluster)
    return Pool(workers) if workers > 1 else Serial()


class _Workplace(Protocol):
    """What a course needs of those who do the work."""

    @property
    def workers(self) -> int: ...

    def open(self) -> Executor: ...

    def is_loss(self, error: BaseException) -> bool: ...

    def close(self) -> None: ...


class _Course:
    """One list of tasks on its way: what waits, what is out, what is done."""

    def __init__(
        self,
        place: _Workplace,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        tell: Tell | None,
    ) -> None:
        self.place, self.function, self.tasks, self.tell = place, function, tasks, tell
        self.waiting = deque(range(len(tasks)))
        self.out: dict[Future[Any], int] = {}
        self.done: dict[int, Any] = {}
        self.tries = [0] * len(tasks)

    def run(self) -> list[Any]:
        """Return all results in the order of the tasks."""
        try:
            while self.waiting or self.out:
                lost = self._hand_out() or self._take_in()
                if lost is not None:
                    self._again(lost)
        finally:
            for future in self.out:
                future.cancel()
        return [self.done[k] for k in range(len(self.tasks))]

    def _hand_out(self) -> BaseException | None:
        """Hand out what waits, as far as workers are free; return the loss that stopped it."""
        while self.waiting and len(self.out) < AHEAD * self.place.workers:
            k = self.waiting[0]
            try:
                self.out[self.place.open().submit(self.function, self.tasks[k])] = k
            except Exception as error:
                if self.place.is_loss(error):
                    return error
                raise
            self.waiting.popleft()
        return None

    def _take_in(self) -> BaseException | None:
        """Take in what is done by now; return the loss of a worker, if one was lost."""
        wait(self.out, return_when=FIRST_COMPLETED)
        lost = None
        for future in [future for future in self.out if future.done()]:
            loss = self._loss(future)
            if loss is not None:
                lost = loss
                continue
            self.done[self.out.pop(future)] = future.result()
            if self.tell is not None:
                self.tell(len(self.done) / len(self.tasks))
        return lost

    def _loss(self, future: Future[Any]) -> BaseException | None:
        """Return why a task did not run to its end, None where it did, failed or not."""
        if future.cancelled():
            return CancelledError()
        error = future.exception()
        return error if error is not None and self.place.is_loss(error) else None

    def _again(self, lost: BaseException) -> None:
        """Let what was lost wait again, in order, for new workers."""
        self.place.close()
        back = sorted(k for f, k in self.out.items() if f.done() and self._loss(f) is not None)
        self.out = {future: k for future, k in self.out.items() if k not in back}
        for k in reversed(back):
            self.tries[k] += 1
            if self.tries[k] >= TRIES:
                raise ToolError("LV680", place=str(k + 1), tries=TRIES) from lost
            self.waiting.appendleft(k)
