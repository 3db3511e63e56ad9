# SPDX-License-Identifier: Apache-2.0
"""Officers' route control (特勤): stages held along a route as the escort comes, then given back.

The officer stands above the controller of the site, and below the gate: no intergreen, minimum
green or running clearance is cut for an escort, and the longest red stays guaranteed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lvbo.control.protocols import Controller, Observation, Wish
from lvbo.control.site import Site
from lvbo.control.stages import StageTable
from lvbo.ids import ControllerId

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FAR_S = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RouteStep:
    """One signal of a route: its stage is held from `from_s` to `until_s` of the area clock."""

    from_s: int
    until_s: int
    controller: ControllerId
    stage: int


class Duty(StrEnum):
    """What an officer's controller does: nothing, lead to the stage, hold it, give it back."""

    IDLE = "idle"
    LEADING = "leading"
    HOLDING = "holding"
    RECOVERING = "recovering"


def plan_route(
    stops: Iterable[tuple[ControllerId, int, float]],
    start_s: int,
    *,
    speed_mps: float,
    early_s: int = 10,
    hold_s: int = 30,
) -> tuple[RouteStep, ...]:
    """Return the steps of a route: (controller, stage, metres from the start) in order.

    Each stage stands `early_s` before the head of the escort arrives at that speed and is held
    until `hold_s` after it.
    """
    steps = []
    for controller, stage, metres in stops:
        arrives = start_s + round(metres / speed_mps)
        steps.append(
            RouteStep(
                controller=controller,
                stage=stage,
                from_s=arrives - early_s,
                until_s=arrives + hold_s,
            )
        )
    return tuple(steps)


class OfficerController:
    """Wrap the controller of a site so that an officer may lock a stage, abort, and give back.

    The wrapped controller goes on deciding, so that it knows its site when it takes over again.
    `recovery_s` is how long the last return took, from the end of the lock until the site shows
    what the wrapped controller wishes.
    """

    def __init__(self, inner: Controller, site: Site, table: StageTable) -> None:
        self._inner, self._site, self._table = inner, site, table
        self._path, self._time_s = _paths(table)
        self._steps: tuple[RouteStep, ...] = ()
        self._serving: RouteStep | None = None  # once led to, a stage is not given up midway
        self._ended_s: int | None = None
        self.duty = Duty.IDLE
        self.recovery_s: int | None = None

    def follow(self, route: Iterable[RouteStep]) -> None:
        """Take those steps of a route that are for this site, in place of all before."""
        self._steps = tuple(sorted(s for s in route if s.controller == self._site.id))

    def lock(self, stage: int, from_s: int, until_s: int) -> None:
        """Hold one stage over a span of time."""
        self.follow(
            [RouteStep(controller=self._site.id, stage=stage, from_s=from_s, until_s=until_s)]
        )

    def abort(self) -> None:
        """Drop the route; the site returns to its controller by the legal path."""
        self._steps = ()

    def decide(self, seen: Observation) -> Wish:
        """Return the wish of the officer while a step is due, else of the wrapped controller."""
        wish = self._inner.decide(seen)
        going = (seen.lamps == self._shows) & self._goes
        stage = self._table.stage_of(going, self._site.walks)
        step = self._serving = self._due(seen.time_s, stage)
        if step is None:
            self._give_back(seen.time_s, going, wish)
            if self.duty is not Duty.RECOVERING or stage < 0:
                return wish
            home = self._table.stage_of(wish.greens, self._site.walks)
            return wish if home < 0 else self._lead(seen, going, stage, home, wish)
        self.duty = Duty.HOLDING if stage == step.stage else Duty.LEADING
        return self._lead(seen, going, stage, step.stage)

    def _lead(
        self, seen: Observation, going: Bools, stage: int, goal: int, wish: Wish | None = None
    ) -> Wish:
        """Return the next stage of the legal path to a goal; `wish` itself where it is next."""
        aim = goal if stage < 0 else int(self._path[stage, goal])
        if wish is not None and aim == goal:
            return wish
        walks = self._table.greens[aim] & self._site.walks & (seen.calls | going)
        return Wish(greens=(self._table.greens[aim] & ~self._site.walks) | walks, stage=aim)

    @property
    def _shows(self) -> Ints:
        return np.array([int(p.shows) for p in self._site.rules.phases], dtype=np.int64)

    @property
    def _goes(self) -> Bools:
        return np.array([p.is_going for p in self._site.rules.phases], dtype=bool)

    def _due(self, time_s: int, stage: int) -> RouteStep | None:
        """Return the step to serve: the one that runs, or whose stage must be led to by now."""
        for step in self._steps:
            if time_s >= step.until_s:
                continue
            lead = int(self._time_s.max() if stage < 0 else self._time_s[stage, step.stage])
            if time_s >= step.from_s - lead or step == self._serving:
                return step
        return None

    def _give_back(self, time_s: int, going: Bools, wish: Wish) -> None:
        if self.duty in (Duty.LEADING, Duty.HOLDING):
            self.duty, self._ended_s = Duty.RECOVERING, time_s
        if self.duty is Duty.RECOVERING and bool((going == wish.greens).all()):
            self.duty = Duty.IDLE
            self.recovery_s = time_s - (self._ended_s if self._ended_s is not None else time_s)


def _paths(
    table: StageTable,
) -> tuple[Ints, Ints]:
    """Return the first stage on the quickest legal path, and its time with minima, all pairs."""
    change = table.change_s.max(axis=2)
    time = np.where(table.legal, table.least_s[:, None] + change, FAR_S)
    first = np.tile(np.arange(table.count), (table.count, 1))
    for k in range(table.count):
        through = time[:, k, None] + time[None, k, :]
        better = through < time
        first = np.where(better, first[:, k, None], first)
        time = np.minimum(time, through)
    np.fill_diagonal(time, 0)
    np.fill_diagonal(first, np.arange(table.count))
    return first, np.minimum(time, FAR_S)
