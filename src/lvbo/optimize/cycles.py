# SPDX-License-Identifier: Apache-2.0
"""The best cycles of groups of signals, each a task of its own: whoever runs it finds the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lvbo.optimize.deadline import Deadline, shared_out
from lvbo.optimize.executor import TaskRunner
from lvbo.optimize.search import AreaSearch, Effort, Found, in_order

LITTLE = 0.1
"""The work that a signal alone is: its offset does not matter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """The search of one group of signals, and its best cycles, the best first."""

    search: AreaSearch
    cycles_s: tuple[int, ...]

    @property
    def work(self) -> float:
        """Return how much work a cycle is, beside that of other groups."""
        return max(LITTLE, len(self.search.mesh.controllers) - 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class CycleTask:
    """One cycle of one group; the best one is searched even where the time is over."""

    search: AreaSearch
    cycle_s: int
    effort: Effort
    is_best: bool


def try_cycle(task: CycleTask) -> Found | None:
    """Return the best that is found at a cycle, None where there is no time."""
    until = task.effort.until
    if until is not None and until.is_over and not task.is_best:
        return None
    return task.search.finalist(task.cycle_s, task.effort)


def try_all(
    groups: Sequence[Group],
    effort: Effort,
    until: Deadline | None,
    runner: TaskRunner,
    tell: Callable[[float], None] | None = None,
) -> list[list[Found]]:
    """Return the finalists of each group, the best first.

    The best cycle of each group comes first, so that little time is not spent on the others.
    """
    ranks = max((len(group.cycles_s) for group in groups), default=0)
    places = [
        (g, rank)
        for rank in range(ranks)
        for g, group in enumerate(groups)
        if rank < len(group.cycles_s)
    ]
    ends = shared_out(until, [groups[g].work for g, _ in places], runner.workers)
    tasks = [
        CycleTask(
            search=groups[g].search,
            cycle_s=groups[g].cycles_s[rank],
            effort=replace(effort, until=end),
            is_best=rank == 0,
        )
        for (g, rank), end in zip(places, ends, strict=True)
    ]
    found: list[list[Found]] = [[] for _ in groups]
    for (g, _), one in zip(places, runner.map(try_cycle, tasks, tell), strict=True):
        if one is not None:
            found[g].append(one)
    return [in_order(own) for own in found]
